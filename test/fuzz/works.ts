import { singleFileSet } from '../../src/aof/set.js';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { type Packing, UnpackedSource } from '../../src/bytes/unpack.js';
import { FormatError, InputError, UsageError } from '../../src/errors.js';
import type { DialectName } from '../../src/rdb/dialect.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { checkFile } from '../../src/tools/check/file.js';
import type { ToolContext } from '../../src/tools/context.js';
import { NO_TRANSFORMS } from '../../src/tools/convert/transform.js';
import { convert } from '../../src/tools/convert.js';
import { digest } from '../../src/tools/digest.js';
import { EVERY_KEY } from '../../src/tools/filter.js';
import { type CheckedFile, DamageError } from '../../src/tools/report.js';
import type { DatasetSource, Source } from '../../src/tools/source.js';

// What is done twice: here with the kernels, and in the twin without. Results are texts, so that they compare across both.

/** Surroundings in which nothing moves. */
export const still: ToolContext = {
  nowMs: 1772366400000,
  clock: () => 0,
  signal: new AbortController().signal,
  progress: () => {},
  memoryBytes: 1 << 28,
  heldBytes: () => 0,
};

export interface CheckWork {
  readonly form: 'rdb' | 'aof';
  readonly quick: boolean;
  readonly goOn: boolean;
  readonly dialect: DialectName | null;
}

export async function checked(bytes: Buffer, work: CheckWork): Promise<CheckedFile> {
  const name = work.form === 'rdb' ? 'dump.rdb' : 'appendonly.aof';
  return (await checkFile(new MemorySource(bytes, name), { ...work, last: true }, still)).file;
}

export async function checkText(bytes: Buffer, work: CheckWork): Promise<string> {
  return JSON.stringify(await checked(bytes, work));
}

/** Plain bytes are read up to here: what packs well may be much longer. */
const PLAIN_MAX = 1 << 20;

/** How many plain bytes came and what they sum up to; behind them what was wrong. */
export async function unpackText(bytes: Buffer, packing: Packing): Promise<string> {
  let size = 0;
  let sum = 0;
  const into = Buffer.allocUnsafe(1 << 16);
  try {
    const reader = await new UnpackedSource(new MemorySource(bytes, 'x'), packing).open();
    try {
      for (;;) {
        const count = await reader.read(into);
        if (count === 0 || size > PLAIN_MAX) break;
        size += count;
        for (let i = 0; i < count; i++) sum = (Math.imul(sum, 31) + into[i]!) | 0;
      }
    } finally {
      await reader.close();
    }
    return `${size} ${sum}`;
  } catch (error) {
    return `${size} ${sum} ${wordOf(error)}`;
  }
}

/** The errors that are ours, as text; others go on. */
function wordOf(error: unknown): string {
  if (error instanceof FormatError) return `${error.code} ${error.offset} ${JSON.stringify(error.detail)}`;
  if (error instanceof DamageError) return `${error.finding.code} ${error.finding.where.offset}`;
  if (error instanceof InputError) return error.code;
  if (error instanceof UsageError) return error.message;
  throw error;
}

export function rdbSource(bytes: Buffer): Source {
  return {
    kind: 'rdb',
    path: 'dump.rdb',
    choice: '',
    isDirectory: false,
    bytes: new MemorySource(bytes, 'dump.rdb'),
  };
}

export async function logSource(bytes: Buffer): Promise<Source> {
  const set = await singleFileSet(new MemorySource(bytes, 'appendonly.aof'));
  return { kind: 'aof', path: 'appendonly.aof', choice: '', isDirectory: false, set };
}

/** A dataset in another form, in memory. @throws errors of ours */
export async function converted(
  source: DatasetSource,
  form: 'ndjson' | 'rdb',
  dialect: DialectName | null,
): Promise<Buffer> {
  const stream = new MemoryTarget();
  await convert(
    [source],
    {
      path: '-',
      form,
      target: form === 'rdb' ? RDB_TARGETS.get('redis-8.8')! : null,
      conditions: EVERY_KEY,
      transforms: NO_TRANSFORMS,
      split: null,
      onDuplicate: 'first',
      dialect,
      onUnknown: 'skip',
      force: false,
      refuseLoss: false,
      stream,
      compressedStream: false,
      packing: null,
      shown: (name) => name,
    },
    still,
  );
  return stream.bytes();
}

export async function linesText(bytes: Buffer, dialect: DialectName | null): Promise<string> {
  try {
    return (await converted(rdbSource(bytes), 'ndjson', dialect)).latin1Slice();
  } catch (error) {
    return wordOf(error);
  }
}

export async function digestText(bytes: Buffer, dialect: DialectName | null): Promise<string> {
  try {
    const report = await digest(
      rdbSource(bytes),
      { as: null, conditions: EVERY_KEY, dialect, keys: null },
      still,
    );
    return `${report.digest} ${report.keys} ${report.expired} ${report.negativeZeros}`;
  } catch (error) {
    return wordOf(error);
  }
}
