import { FormatError } from '../../../src/errors.js';
import { FINDINGS } from '../../../src/model/finding.js';
import { RdbDecoder } from '../../../src/rdb/decoder.js';
import type { CheckedFile } from '../../../src/tools/report.js';
import { feed } from '../feed.js';
import { Fingerprint } from '../fingerprint.js';
import { commands, RDB, withChecksum } from '../grammars.js';
import { withMode } from '../seeds.js';
import { Broken, type Target } from '../target.js';
import { argumentTokens, commandNames, rdbTokens } from '../tokens.js';
import { withoutKernels } from '../without.js';
import { type CheckWork, checked, checkText, digestText, linesText } from '../works.js';
import { DIALECTS, rdbSeeds } from './rdb.js';
import { logSeeds } from './resp.js';

const errorsOf = (file: CheckedFile): string[] =>
  file.findings.filter(({ code }) => FINDINGS[code] === 'error').map(({ code }) => code);

/** What holds of a report whatever the bytes were. */
function assertSound(file: CheckedFile, bytes: Buffer): void {
  if (file.bytes !== bytes.length) throw new Broken('check counts the bytes', file.bytes);
  if (!(file.validBytes >= 0 && file.validBytes <= bytes.length))
    throw new Broken('valid bytes are bytes', file.validBytes);
  if (!(file.damagedBytes >= 0 && file.damagedBytes <= bytes.length))
    throw new Broken('damaged bytes are bytes', file.damagedBytes);
  for (const { code, where } of file.findings) {
    if (!(code in FINDINGS)) throw new Broken('a finding of no known code', code);
    if (!(where.offset >= -1 && where.offset <= bytes.length))
      throw new Broken('a finding outside of the file', `${code} ${where.offset}`);
  }
}

/**
 * How much of a long text was read before its end was missed depends on the size of windows, which differ here: what is compared
 * is where the text and the bytes end.
 */
function withoutRoom(text: string): string {
  const room = /"offset":(\d+)\},"detail":(\{[^{}]*)"needed":(\d+),"available":(\d+)/g;
  return text.replace(room, (_, offset, detail, needed, available) => {
    const [wanted, there] = [Number(offset) + Number(needed), Number(offset) + Number(available)];
    return `"detail":${detail}"to":${wanted},"of":${there}`;
  });
}

async function assertTwin(bytes: Buffer, work: CheckWork, own: string): Promise<void> {
  const plain = await (await withoutKernels()).checkText(bytes, work);
  if (withoutRoom(plain) !== withoutRoom(own))
    throw new Broken('check says the same without kernels', [own, plain]);
}

const rdb: Target = {
  name: 'check-rdb',
  modeBytes: 1,
  bytesMax: 2048,
  weight: 3,
  tokens: rdbTokens(),
  grammar: RDB,
  repair: withChecksum,
  seeds: () => withMode(rdbSeeds(), [0], [0], [1], [2], [4]),
  async run(bytes) {
    const mode = bytes[0] ?? 0;
    const body = bytes.subarray(1);
    const dialect = DIALECTS[(mode >> 4) & 7]!;
    const work: CheckWork = { form: 'rdb', quick: (mode & 1) !== 0, goOn: (mode & 2) !== 0, dialect };
    const file = await checked(body, work);
    assertSound(file, body);
    if ((mode & 4) !== 0) await assertTwin(body, work, JSON.stringify(file));
    if (!work.quick && errorsOf(file).length === 0) assertDecodes(body, work);
  },
};

/** What check calls intact is read to its end. */
function assertDecodes(bytes: Buffer, { dialect }: CheckWork): void {
  const decoder = new RdbDecoder(new Fingerprint(), {
    verifyChecksum: true,
    deep: true,
    dialect: dialect ?? undefined,
  });
  try {
    feed(decoder, bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new Broken('what is intact is decoded', `${error.code} at ${error.offset}`);
  }
}

const log: Target = {
  name: 'check-aof',
  modeBytes: 1,
  bytesMax: 2048,
  weight: 2,
  tokens: argumentTokens(),
  grammar: commands(commandNames()),
  seeds: () => withMode(logSeeds(), [0], [1], [2], [4], [6]),
  async run(bytes) {
    const mode = bytes[0] ?? 0;
    const body = bytes.subarray(1);
    const work: CheckWork = { form: 'aof', quick: (mode & 1) !== 0, goOn: (mode & 2) !== 0, dialect: null };
    const file = await checked(body, work);
    assertSound(file, body);
    const errors = errorsOf(file);
    if (errors.length === 0 && file.format === 'aof' && file.validBytes !== body.length) {
      throw new Broken('what is intact is valid to its end', file.validBytes);
    }
    if ((mode & 4) !== 0) await assertTwin(body, work, JSON.stringify(file));
  },
};

/** Kernels that take whole records: lines of JSON and digests. */
const records: Target = {
  name: 'record-kernels',
  modeBytes: 1,
  bytesMax: 2048,
  tokens: rdbTokens(),
  grammar: RDB,
  repair: withChecksum,
  seeds: () => withMode(rdbSeeds(), [0], [1]),
  async run(bytes) {
    const mode = bytes[0] ?? 0;
    const dialect = DIALECTS[(mode >> 4) & 7]!;
    const body = bytes.subarray(1);
    const twin = await withoutKernels();
    const isLines = (mode & 1) !== 0;
    const own = await (isLines ? linesText : digestText)(body, dialect);
    const plain = await (isLines ? twin.linesText : twin.digestText)(body, dialect);
    if (own !== plain)
      throw new Broken(`${isLines ? 'lines' : 'digests'} are the same without kernels`, [own, plain]);
  },
};

export const targets: readonly Target[] = [rdb, log, records];
export { checkText };
