import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import type { RdbHandler } from '../../src/rdb/handler.js';
import { type RdbLoss, RdbWriter } from '../../src/rdb/writer.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { CORPUS_NOW } from './corpus.js';
import { byPlace, type RecordedKey, Recorder } from './recorder.js';

/** Decodes a whole RDB in the strictest way. @throws FormatError, or Error naming the warnings there were */
export async function decodeInto(
  handler: RdbHandler & { drain?(): Promise<void> },
  bytes: Buffer,
  chunkBytes?: number,
): Promise<void> {
  const warnings: string[] = [];
  const decoder = new RdbDecoder(handler, {
    verifyChecksum: true,
    deep: true,
    onWarning: (code, offset) => warnings.push(`${code} at ${offset}`),
  });
  await pumpSource(new MemorySource(bytes), decoder, {
    drain: async () => handler.drain?.(),
    ...(chunkBytes === undefined ? {} : { chunkBytes }),
  });
  if (warnings.length > 0) throw new Error(`decoded with warnings: ${warnings.join(', ')}`);
}

/** Every key of an RDB, by place, and the function libraries. */
export interface Recorded {
  readonly keys: readonly RecordedKey[];
  readonly libraries: readonly string[];
}

export async function recordRdb(bytes: Buffer): Promise<Recorded> {
  const recorder = new Recorder();
  await decodeInto(recorder, bytes);
  return { keys: recorder.keys.sort(byPlace), libraries: recorder.libraries.sort() };
}

/** `toEqual`, without the cost of a walk through large values that are equal. */
export function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

export interface Written {
  readonly bytes: Buffer;
  /** `expiry-precision db 0 key`: one line per loss. */
  readonly losses: readonly { readonly what: RdbLoss; readonly place: string }[];
}

/** A writer for one server, into memory; `written` once it is finished. */
export function memoryWriter(
  server: string,
  options: { copyValues?: boolean; compress?: boolean; checksum?: boolean; aofBase?: boolean } = {},
): { writer: RdbWriter; written(): Written } {
  const target = RDB_TARGETS.get(server);
  if (target === undefined) throw new Error(`no RDB is written for ${server}`);
  const memory = new MemoryTarget();
  const losses: { what: RdbLoss; place: string }[] = [];
  const writer = new RdbWriter(memory, {
    target,
    compress: options.compress ?? true,
    checksum: options.checksum ?? true,
    copyValues: options.copyValues ?? false,
    aofBase: options.aofBase ?? false,
    nowSeconds: CORPUS_NOW,
    onLoss: (head, what) => {
      const place = head === null ? '' : `${head.database} ${head.key.view().toString('base64')}`;
      losses.push({ what, place });
    },
  });
  return { writer, written: () => ({ bytes: memory.bytes(), losses }) };
}
