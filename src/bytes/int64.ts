/** A 64-bit quantity: a number while it is exact (below 2^53 in magnitude), else a bigint. Never both for one value. */
export type Long = number | bigint;

const TWO_32 = 4294967296;

/** Unsigned 64-bit value of two unsigned 32-bit words. */
export function unsignedLong(high: number, low: number): Long {
  return high < 0x200000 ? high * TWO_32 + low : (BigInt(high) << 32n) | BigInt(low);
}

/** Signed 64-bit value of two unsigned 32-bit words. */
export function signedLong(high: number, low: number): Long {
  const signedHigh = high | 0;
  if (signedHigh >= -0x200000 && signedHigh < 0x200000) {
    const value = signedHigh * TWO_32 + low;
    if (value >= -Number.MAX_SAFE_INTEGER) return value;
  }
  return (BigInt(signedHigh) << 32n) | BigInt(low);
}

/** The upper unsigned 32-bit word of the two's complement form. */
export function highWord(value: Long): number {
  return typeof value === 'number' ? Math.floor(value / TWO_32) >>> 0 : Number((value >> 32n) & 0xffffffffn);
}

/** The lower unsigned 32-bit word of the two's complement form. */
export function lowWord(value: Long): number {
  return typeof value === 'number' ? value >>> 0 : Number(value & 0xffffffffn);
}

/** The same quantity in its one form: number when safe, else bigint. */
export function normalLong(value: bigint): Long {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The exact sum; it may leave the 64-bit range. */
export function addLong(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return normalLong(BigInt(a) + BigInt(b));
}
