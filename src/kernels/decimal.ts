const TWO_32 = 4294967296;
const ZERO = 48;
const MINUS = 45;
const BILLION = 1_000_000_000;

/** Bytes that any 64-bit integer fits in as decimal text, sign included. */
export const INT64_TEXT_MAX = 20;

/** A 64-bit integer as two unsigned 32-bit words, two's complement when signed. Made once, filled many times. */
export class Int64Words {
  high = 0;
  low = 0;
}

/** Ten-digit leading parts go through here: `head` digits, then nine digits in `tail`, as one 64-bit quantity. */
function joinBillions(head: number, tail: number, out: Int64Words): boolean {
  const headHigh = Math.floor(head / 65536);
  const lowProduct = (head - headHigh * 65536) * BILLION + tail;
  const highProduct = headHigh * BILLION;
  const highHigh = Math.floor(highProduct / 65536);
  const low = (highProduct - highHigh * 65536) * 65536 + lowProduct;
  const carry = Math.floor(low / TWO_32);
  const high = highHigh + carry;
  out.high = high >>> 0;
  out.low = low - carry * TWO_32;
  return high < TWO_32;
}

/** Digits only, no leading zero, 1 to 20 of them; false when one is no digit or the value is 2^64 or more. */
function parseMagnitude(bytes: Uint8Array, start: number, end: number, out: Int64Words): boolean {
  const count = end - start;
  if (count < 1 || count > INT64_TEXT_MAX) return false;
  const first = bytes[start]! - ZERO;
  if (first < 1 || first > 9) {
    out.high = out.low = 0;
    return first === 0 && count === 1;
  }
  const split = count > 15 ? end - 9 : end;
  let head = first;
  for (let at = start + 1; at < split; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return false;
    head = head * 10 + digit;
  }
  if (split === end) {
    out.high = Math.floor(head / TWO_32);
    out.low = head >>> 0;
    return true;
  }
  let tail = 0;
  for (let at = split; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return false;
    tail = tail * 10 + digit;
  }
  return joinBillions(head, tail, out);
}

/**
 * Reads `bytes[start..end)` as the servers read a signed 64-bit integer: `0`, or an optional `-` and digits without a
 * leading zero, in range. Anything else (`+1`, `01`, `-0`, blanks) returns false and leaves `out` unspecified.
 */
export function parseInt64(bytes: Uint8Array, start: number, end: number, out: Int64Words): boolean {
  if (end <= start) return false;
  if (bytes[start] !== MINUS) return parseMagnitude(bytes, start, end, out) && out.high < 0x80000000;
  if (bytes[start + 1] === ZERO || !parseMagnitude(bytes, start + 1, end, out)) return false;
  if (out.high > 0x80000000 || (out.high === 0x80000000 && out.low !== 0)) return false;
  const low = -out.low >>> 0;
  out.high = (low === 0 ? -out.high : ~out.high) >>> 0;
  out.low = low;
  return true;
}

/** Reads an unsigned 64-bit integer under the same rules, without a sign. */
export function parseUint64(bytes: Uint8Array, start: number, end: number, out: Int64Words): boolean {
  return parseMagnitude(bytes, start, end, out);
}

/**
 * The value of canonical integer text as a number; NaN when the text is not canonical or the value is above 2^53 in
 * magnitude. For lengths, counts, indexes and databases, where larger values are errors anyway.
 */
export function parseSafeInteger(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === MINUS && end > start;
  const from = negative ? start + 1 : start;
  const count = end - from;
  if (count < 1 || count > 16) return Number.NaN;
  let value = bytes[from]! - ZERO;
  if (value < 1 || value > 9) return value === 0 && count === 1 && !negative ? 0 : Number.NaN;
  for (let at = from + 1; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
  return negative ? -value : value;
}

/** Writes `value` below 2^31 with at least `width` digits. Returns the position after it. */
function writeSmall(value: number, width: number, into: Uint8Array, at: number): number {
  let digits = width;
  for (let bound = 10 ** width; digits < 10 && value >= bound; bound *= 10) digits++;
  let rest = value | 0;
  for (let position = at + digits - 1; position >= at; position--) {
    const quotient = (rest / 10) | 0;
    into[position] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
  return at + digits;
}

function writeMagnitude(value: number, into: Uint8Array, at: number): number {
  if (value < BILLION) return writeSmall(value, 1, into, at);
  const head = Math.floor(value / BILLION);
  const next = head < BILLION ? writeSmall(head, 1, into, at) : writeMagnitude(head, into, at);
  return writeSmall(value - head * BILLION, 9, into, next);
}

/** Writes a safe integer in decimal at `at`; the caller has made room. Returns the position after it. */
export function writeInteger(value: number, into: Uint8Array, at: number): number {
  if (value >= 0) return writeMagnitude(value, into, at);
  into[at] = MINUS;
  return writeMagnitude(-value, into, at + 1);
}

/** Writes the unsigned value of two words in decimal. Returns the position after it. */
export function writeUint64(high: number, low: number, into: Uint8Array, at: number): number {
  if (high < 0x200000) return writeMagnitude(high * TWO_32 + low, into, at);
  const top = Math.floor(high / BILLION);
  const middle = (high - top * BILLION) * 65536 + (low >>> 16);
  const middleQuotient = Math.floor(middle / BILLION);
  const bottom = (middle - middleQuotient * BILLION) * 65536 + (low & 0xffff);
  const bottomQuotient = Math.floor(bottom / BILLION);
  const head = top * TWO_32 + middleQuotient * 65536 + bottomQuotient;
  return writeSmall(bottom - bottomQuotient * BILLION, 9, into, writeMagnitude(head, into, at));
}

/** Writes the signed value of two words (two's complement) in decimal. Returns the position after it. */
export function writeInt64(high: number, low: number, into: Uint8Array, at: number): number {
  if (high < 0x80000000) return writeUint64(high, low, into, at);
  into[at] = MINUS;
  const negatedLow = -low >>> 0;
  const negatedHigh = (negatedLow === 0 ? -high : ~high) >>> 0;
  return writeUint64(negatedHigh, negatedLow, into, at + 1);
}
