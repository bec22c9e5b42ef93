import { writeInteger } from './decimal.js';
import { grisu, grisuDigits } from './grisu.js';

const ZERO = 48;
const MINUS = 45;
const POINT = 46;

const bits = new Float64Array(1);
const bitWords = new Uint32Array(bits.buffer);
/** Index of the upper word of a double: 1 on the little-endian machines that everything runs on today. */
const UPPER = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;

const scratch = Buffer.alloc(64);
const digits = new Uint8Array(20);

/** Bytes that any double fits in, in either form. */
export const DOUBLE_TEXT_MAX = 32;

function writeText(text: string, into: Buffer, at: number): number {
  return at + into.latin1Write(text, at);
}

function isNegative(value: number): boolean {
  bits[0] = value;
  return bitWords[UPPER]! >= 0x80000000;
}

/** The parts both forms share; -1 when `value` is an ordinary number. */
function writeSpecial(value: number, into: Buffer, at: number): number {
  if (value === 0) return writeText(isNegative(value) ? '-0' : '0', into, at);
  if (Number.isFinite(value)) return -1;
  if (Number.isNaN(value)) return writeText(isNegative(value) ? '-nan' : 'nan', into, at);
  return writeText(value > 0 ? 'inf' : '-inf', into, at);
}

/**
 * Writes a double as Redis 7.2 and later and Valkey print a score (Grisu2 digits). `into` has `DOUBLE_TEXT_MAX` bytes
 * from `at`. Returns the position after it.
 */
export function writeShortest(value: number, into: Buffer, at: number): number {
  // Below 2^53 the digits of an integer are its own, and fewer than eight trailing zeros stay written out.
  if (Number.isSafeInteger(value) && value % 1e8 !== 0) return writeInteger(value, into, at);
  const special = writeSpecial(value, into, at);
  if (special >= 0) return special;
  bits[0] = value;
  const high = bitWords[UPPER]!;
  grisuDigits(high & 0x7fffffff, bitWords[1 - UPPER]!);
  if (high < 0x80000000) return layShortest(false, into, at);
  into[at] = MINUS;
  return layShortest(true, into, at + 1);
}

/** Plain up to seven trailing zeros or six decimals, else with an exponent. */
function layShortest(negative: boolean, into: Buffer, at: number): number {
  const { count, exponent } = grisu;
  const scientific = exponent + count - 1;
  const magnitude = Math.abs(scientific);
  if (exponent >= 0 && magnitude < count + 7) return layFixed(grisu.digits, count, exponent, into, at);
  if (exponent < 0 && (exponent > -7 || magnitude < 4))
    return layFixed(grisu.digits, count, exponent, into, at);
  // The original keeps 18 characters of digits at most and takes the exponent's sign from what it kept.
  const kept = Math.min(count, negative ? 17 : 18);
  let to = layDigits(grisu.digits, kept, into, at);
  into[to++] = 101;
  into[to++] = exponent + kept - 1 < 0 ? MINUS : 43;
  return writeInteger(magnitude, into, to);
}

/** Digits with the point where `exponent` puts it, no exponent part. */
function layFixed(source: Uint8Array, count: number, exponent: number, into: Buffer, at: number): number {
  let to = at;
  const whole = count + exponent;
  if (whole <= 0) {
    into[to++] = ZERO;
    into[to++] = POINT;
    for (let i = whole; i < 0; i++) into[to++] = ZERO;
  }
  for (let i = 0; i < count; i++) {
    if (i === whole && i > 0) into[to++] = POINT;
    into[to++] = ZERO + source[i]!;
  }
  for (let i = count; i < whole; i++) into[to++] = ZERO;
  return to;
}

/** `d` or `d.ddd`. */
function layDigits(source: Uint8Array, count: number, into: Buffer, at: number): number {
  into[at] = ZERO + source[0]!;
  if (count === 1) return at + 1;
  into[at + 1] = POINT;
  for (let i = 1; i < count; i++) into[at + 1 + i] = ZERO + source[i]!;
  return at + 1 + count;
}

/** Writes a double as C's `%.17g` does: Redis up to 7.0 and KeyDB. Room and result as in `writeShortest`. */
export function write17g(value: number, into: Buffer, at: number): number {
  if (Number.isSafeInteger(value) && value !== 0) return writeInteger(value, into, at);
  const special = writeSpecial(value, into, at);
  if (special >= 0) return special;
  const text = Math.abs(value).toExponential(16);
  let count = 0;
  for (let i = 0; count < 17; i++) {
    if (i !== 1) digits[count++] = text.charCodeAt(i) - ZERO;
  }
  const exponent = Number(text.slice(19));
  // C rounds a tie to even, JavaScript up. Only multiples of 2^-25 can have exactly eighteen digits.
  if (digits[16]! % 2 === 1 && Number.isInteger(value * 33554432) && isTie(value)) digits[16]!--;
  while (count > 1 && digits[count - 1] === 0) count--;
  let to = at;
  if (value < 0) into[to++] = MINUS;
  if (exponent >= -4 && exponent < 17) return layFixed(digits, count, exponent - count + 1, into, to);
  to = layDigits(digits, count, into, to);
  into[to++] = 101;
  into[to++] = exponent < 0 ? MINUS : 43;
  const magnitude = Math.abs(exponent);
  if (magnitude < 10) into[to++] = ZERO;
  return writeInteger(magnitude, into, to);
}

/** Whether the digits after the seventeenth are exactly a five. An odd digit after an upward tie came from an even one. */
function isTie(value: number): boolean {
  const text = Math.abs(value).toExponential(100);
  return /^.{18}50*e/.test(text);
}

/** `writeShortest` as text. */
export function formatShortest(value: number): string {
  return scratch.latin1Slice(0, writeShortest(value, scratch, 0));
}

/** `write17g` as text. */
export function format17g(value: number): string {
  return scratch.latin1Slice(0, write17g(value, scratch, 0));
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const HEX = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d+))?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/**
 * Reads `bytes[start..end)` as the servers read a float argument: the whole range must be what C's strtod takes, with
 * no blank in front, decimal or hexadecimal or `inf`. NaN when it is not, when it says nan, and when it overflows or
 * vanishes to zero: the servers refuse all of those alike.
 */
export function parseDouble(bytes: Buffer, start: number, end: number): number {
  const negative = bytes[start] === MINUS && end > start;
  const from = negative ? start + 1 : start;
  let value = 0;
  let point = -1;
  // At most fifteen digits: the digits and the power of ten are both exact, so one division rounds as strtod does.
  if (end - from <= 16) {
    let at = from;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit >= 0 && digit <= 9) value = value * 10 + digit;
      else if (bytes[at] === POINT && point < 0) point = at;
      else break;
    }
    const count = end - from - (point < 0 ? 0 : 1);
    if (at === end && count > 0 && count <= 15) {
      if (point >= 0) value /= POWERS[end - point - 1]!;
      return negative ? -value : value;
    }
  }
  return end - from > TEXT_MAX ? Number.NaN : parseText(bytes.latin1Slice(start, end));
}

/** Longer texts are refused unread; a number in a log has two dozen characters. */
const TEXT_MAX = 1 << 20;

const POWERS = Float64Array.from({ length: 16 }, (_, i) => 10 ** i);

function parseText(text: string): number {
  if (DECIMAL.test(text)) {
    const value = Number(text);
    if (!Number.isFinite(value) || (value === 0 && hasNonZeroDigit(text))) return Number.NaN;
    return value;
  }
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const hex = HEX.exec(text);
  if (hex === null) return Number.NaN;
  const fraction = hex[3] ?? '';
  const all = hex[2]! + fraction;
  if (all === '') return Number.NaN;
  // Sixteen digits and a mark that something followed decide every rounding.
  const first = all.search(/[^0]|$/);
  let kept = all.slice(first, first + 17);
  if (/[^0]/.test(all.slice(first + 17))) kept += '1';
  const exponent = Number(hex[4] ?? 0) - 4 * fraction.length + 4 * (all.length - first - kept.length);
  const value = hexValue(BigInt(`0x0${kept}`), exponent);
  return hex[1] === '-' ? -value : value;
}

function hasNonZeroDigit(text: string): boolean {
  return /^[+-]?[0.]*[1-9]/.test(text);
}

/** `significand` x 2^exponent rounded to nearest even; NaN when that overflows or is lost entirely. */
function hexValue(significand: bigint, exponent: number): number {
  if (significand === 0n) return 0;
  const length = significand.toString(2).length;
  const top = exponent + length - 1;
  if (top > 1023 || top < -1075) return Number.NaN;
  // Bits below the last place of the result, which is higher for subnormals.
  const dropped = Math.max(length - 53, -1074 - exponent);
  let kept = significand;
  let scale = exponent;
  if (dropped > 0) {
    const rest = BigInt.asUintN(dropped, significand);
    const half = 1n << BigInt(dropped - 1);
    kept >>= BigInt(dropped);
    if (rest > half || (rest === half && (kept & 1n) === 1n)) kept++;
    scale += dropped;
  }
  // In two steps: the power alone may be below the smallest double although the product is not.
  const value = Number(kept) * 2 ** Math.max(scale, -1000) * 2 ** Math.min(0, scale + 1000);
  return Number.isFinite(value) && value !== 0 ? value : Number.NaN;
}
