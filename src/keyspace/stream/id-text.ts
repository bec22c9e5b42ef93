import { Int64Words, parseUint64 } from '../../kernels/decimal.js';
import type { StreamId } from '../../model/stream-id.js';

const DASH = 0x2d;
const PLUS = 0x2b;
const ZERO = 0x30;
const STAR = 0x2a;
const ID_TEXT_MAX = 127;

const words = new Int64Words();

/**
 * Reads `ms-seq`, or `ms` with `missingSeq` for both words of the sequence, as the servers do: unsigned 64-bit halves,
 * white space before them and leading zeros allowed. Null when it is neither; `-` and `+` are refused.
 */
export function readIdText(bytes: Buffer, start: number, end: number, missingSeq = 0): StreamId | null {
  if (end - start > ID_TEXT_MAX) return null;
  let dash = start;
  while (dash < end && bytes[dash] !== DASH) dash++;
  if (!readHalf(bytes, start, dash)) return null;
  const msHigh = words.high;
  const msLow = words.low;
  if (dash === end) return { msHigh, msLow, seqHigh: missingSeq, seqLow: missingSeq };
  if (!readHalf(bytes, dash + 1, end)) return null;
  return { msHigh, msLow, seqHigh: words.high, seqLow: words.low };
}

/** As `readIdText`, and `-` and `+` for the smallest and the largest id. */
export function readRangeIdText(bytes: Buffer, start: number, end: number): StreamId | null {
  if (end - start === 1 && bytes[start] === DASH) return { msHigh: 0, msLow: 0, seqHigh: 0, seqLow: 0 };
  if (end - start === 1 && bytes[start] === PLUS) return LARGEST_ID;
  return readIdText(bytes, start, end);
}

export const LARGEST_ID: StreamId = {
  msHigh: 0xffffffff,
  msLow: 0xffffffff,
  seqHigh: 0xffffffff,
  seqLow: 0xffffffff,
};

/** True for `ms-*`: the sequence is for the server to choose. */
export function hasOpenSequence(bytes: Buffer, start: number, end: number): boolean {
  return end - start > 2 && bytes[end - 1] === STAR && bytes.indexOf(DASH, start) === end - 2;
}

/** The next id; null after the largest. */
export function nextId(id: StreamId): StreamId | null {
  const { msHigh, msLow, seqHigh, seqLow } = id;
  if (seqLow < 0xffffffff) return { msHigh, msLow, seqHigh, seqLow: seqLow + 1 };
  if (seqHigh < 0xffffffff) return { msHigh, msLow, seqHigh: seqHigh + 1, seqLow: 0 };
  if (msLow < 0xffffffff) return { msHigh, msLow: msLow + 1, seqHigh: 0, seqLow: 0 };
  if (msHigh < 0xffffffff) return { msHigh: msHigh + 1, msLow: 0, seqHigh: 0, seqLow: 0 };
  return null;
}

function readHalf(bytes: Buffer, start: number, end: number): boolean {
  if (parseUint64(bytes, start, end, words)) return true;
  // What strtoull accepts beyond canonical text: white space, a plus sign and leading zeros.
  let from = start;
  while (from < end && isSpace(bytes[from]!)) from++;
  if (bytes[from] === PLUS) from++;
  if (from >= end) return false;
  while (from < end - 1 && bytes[from] === ZERO) from++;
  return parseUint64(bytes, from, end, words);
}

const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
