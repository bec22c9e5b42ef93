import { signedLong } from '../bytes/int64.js';
import { Int64Words, parseInt64, writeInteger } from '../kernels/decimal.js';
import { DOUBLE_TEXT_MAX, parseDouble, writeShortest } from '../kernels/doubles.js';

/** Longest text that `writeArrayDouble` writes: the integers among doubles up to 2^62, or the shortest form, and `.0`. */
export const ARRAY_DOUBLE_TEXT_MAX = DOUBLE_TEXT_MAX + 2;

/** Tags of an array's elements. */
export const ARRAY_TEXT = 0;
export const ARRAY_INTEGER = 1;
export const ARRAY_DOUBLE = 2;
export const ARRAY_SHORT_TEXT = 3;

/** Longest text with a tag of its own. */
export const ARRAY_SHORT_TEXT_MAX = 7;

/** The servers' own bound for telling that a double is whole. */
const WHOLE_MAX = 2 ** 62;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const MINUS = 45;
const LOWER_E = 101;

/** Writes a double as servers print the elements of arrays: the shortest digits, and `.0` where they look like an integer. */
export function writeArrayDouble(value: number, into: Buffer, at: number): number {
  let end = writeServerDouble(value, into, at);
  if (!Number.isFinite(value)) return end;
  for (let i = at; i < end; i++) if (into[i] === DOT || into[i] === LOWER_E) return end;
  into[end++] = DOT;
  into[end++] = ZERO;
  return end;
}

/** The servers' own printing of doubles: integers in full up to 2^62. */
function writeServerDouble(value: number, into: Buffer, at: number): number {
  if (Number.isSafeInteger(value)) {
    return Object.is(value, -0) ? at + into.latin1Write('-0', at) : writeInteger(value, into, at);
  }
  if (Number.isInteger(value) && Math.abs(value) <= WHOLE_MAX)
    return at + into.latin1Write(`${BigInt(value)}`, at);
  return writeShortest(value, into, at);
}

const words = new Int64Words();

/** Whether a text is an integer that servers keep as such: canonical, and of 62 bits, as two are taken by the tag. */
export function arrayInteger(bytes: Buffer, start: number, end: number): number | bigint | null {
  if (!parseInt64(bytes, start, end, words)) return null;
  const top = (words.high | 0) >> 29;
  return top === 0 || top === -1 ? signedLong(words.high, words.low) : null;
}

const bits = Buffer.alloc(8);
const printed = Buffer.alloc(2 * ARRAY_DOUBLE_TEXT_MAX);

/** The double that servers keep in place of a text, without its two lowest bits; null when they keep the text. */
export function arrayDouble(bytes: Buffer, start: number, end: number): number | null {
  if (!looksDouble(bytes, start, end)) return null;
  bits.writeDoubleLE(parseDouble(bytes, start, end), 0);
  bits[0]! &= 0xfc;
  const value = bits.readDoubleLE(0);
  if (!Number.isFinite(value)) return null;
  const stop = writeArrayDouble(value, printed, 0);
  return printed.compare(bytes, start, end, 0, stop) === 0 ? value : null;
}

/** Digits with one dot among them, and a sign in front at most. */
function looksDouble(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > ARRAY_DOUBLE_TEXT_MAX) return false;
  let dots = 0;
  let at = start;
  if (bytes[at] === MINUS && end - start > 1) at++;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === DOT) dots++;
    else if (byte < ZERO || byte > NINE) return false;
  }
  return dots === 1;
}
