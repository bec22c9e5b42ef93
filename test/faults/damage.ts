import { type ByteSource, MemorySource } from '../../src/bytes/source.js';
import { FINDINGS } from '../../src/model/finding.js';
import { checkFile } from '../../src/tools/check/file.js';
import type { ToolContext } from '../../src/tools/context.js';
import type { CheckedFile } from '../../src/tools/report.js';
import { CORPUS_NOW } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';

/** Surroundings of a tool in which nothing moves. */
export const still: ToolContext = {
  nowMs: CORPUS_NOW * 1000,
  clock: () => 0,
  signal: new AbortController().signal,
  progress: () => {},
  memoryBytes: Number.POSITIVE_INFINITY,
  heldBytes: () => 0,
};

/** Checks one file in memory; with `goOn` behind its first damage, too, which takes many times as long. */
export function checked(bytes: Buffer, form: 'rdb' | 'aof', goOn = true): Promise<CheckedFile> {
  return checkedSource(new MemorySource(bytes, form === 'rdb' ? 'dump.rdb' : 'appendonly.aof'), form, goOn);
}

export async function checkedSource(
  source: ByteSource,
  form: 'rdb' | 'aof',
  goOn = true,
): Promise<CheckedFile> {
  const options = { form, last: true, quick: false, dialect: null, goOn };
  return (await checkFile(source, options, still)).file;
}

/** Codes of the findings for which `check` says no. */
export function errorsOf(file: CheckedFile): string[] {
  return file.findings.filter(({ code }) => FINDINGS[code] === 'error').map(({ code }) => code);
}

/** What must hold of a report whatever the bytes were; empty when it does. */
export function flawsOf(file: CheckedFile, bytes: Buffer): string[] {
  const flaws: string[] = [];
  if (file.bytes !== bytes.length) flaws.push(`${file.bytes} bytes of ${bytes.length}`);
  if (!(file.validBytes >= 0 && file.validBytes <= bytes.length)) flaws.push(`validBytes ${file.validBytes}`);
  if (errorsOf(file).length === 0 && file.format === 'aof' && file.validBytes !== bytes.length) {
    flaws.push(`nothing wrong, but valid up to ${file.validBytes} only`);
  }
  for (const { code, where } of file.findings) {
    if (!(code in FINDINGS)) flaws.push(`unknown code ${code}`);
    if (!(where.offset >= 0 && where.offset <= bytes.length)) flaws.push(`${code} at ${where.offset}`);
  }
  return flaws;
}

/** Bytes from one damaged place to the next: all places of a small file, or of any where there is time. */
const stepOf = (length: number): number => (THOROUGH ? 1 : Math.max(1, Math.floor(length / 700)));

/** Every cut of a small file, the whole excepted; of a larger one at about a thousand places. */
export function* prefixes(bytes: Buffer): Generator<Buffer> {
  const step = stepOf(bytes.length);
  for (let length = 0; length < bytes.length; length += step) yield bytes.subarray(0, length);
}

/** True for the changes behind which a sweep reads on: some, or all where the tests are told to take their time. */
export const readsOn = (at: number): boolean => THOROUGH || at % 23 === 0;

const MASKS = [0x01, 0x80, 0xff] as const;

/**
 * Every byte changed, of a larger file about a thousand: its lowest bit, its highest or all of them in turn, or each of the three where the tests are told
 * to take their time (`npm run fuzz:tests`). The bytes are reused for the next change.
 */
export function* flips(bytes: Buffer): Generator<{ readonly at: number; readonly damaged: Buffer }> {
  const damaged = Buffer.from(bytes);
  const step = stepOf(bytes.length);
  // The masks take turns with the places, so that no step makes one of them stay away.
  for (let at = 0, turn = 0; at < bytes.length; at += step, turn++) {
    for (const mask of THOROUGH ? MASKS : [MASKS[turn % MASKS.length]!]) {
      damaged[at] = bytes[at]! ^ mask;
      yield { at, damaged };
    }
    damaged[at] = bytes[at]!;
  }
}
