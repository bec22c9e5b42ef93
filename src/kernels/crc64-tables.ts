import type { Int64Words } from './decimal.js';

/**
 * CRC-64/Jones as Redis uses it: reflected, initial value and final xor zero. This is the TypeScript version, in
 * 32-bit halves; `Crc64` picks between it and WebAssembly.
 */

// The reflected polynomial 0x95ac9329ac4bc9b5.
const POLY_HIGH = 0x95ac9329 | 0;
const POLY_LOW = 0xac4bc9b5 | 0;
const SLICES = 8;

let highTables: Int32Array | null = null;
let lowTables = new Int32Array(0);

/** Table k, entry b: the checksum of byte b followed by k zero bytes. */
function makeTables(): Int32Array {
  const highs = new Int32Array(SLICES * 256);
  const lows = new Int32Array(SLICES * 256);
  for (let i = 0; i < SLICES * 256; i++) {
    let high = 0;
    let low = i;
    if (i < 256) {
      for (let bit = 0; bit < 8; bit++) {
        const mask = -(low & 1);
        low = ((low >>> 1) | (high << 31)) ^ (POLY_LOW & mask);
        high = (high >>> 1) ^ (POLY_HIGH & mask);
      }
    } else {
      const beforeHigh = highs[i - 256]!;
      const beforeLow = lows[i - 256]!;
      low = ((beforeLow >>> 8) | (beforeHigh << 24)) ^ lows[beforeLow & 0xff]!;
      high = (beforeHigh >>> 8) ^ highs[beforeLow & 0xff]!;
    }
    highs[i] = high;
    lows[i] = low;
  }
  lowTables = lows;
  return highs;
}

/** Continues the checksum in `crc` over `bytes[start..end)`. */
export function updateCrc64(crc: Int64Words, bytes: Uint8Array, start: number, end: number): void {
  highTables ??= makeTables();
  const h = highTables;
  const l = lowTables;
  let high = crc.high | 0;
  let low = crc.low | 0;
  let at = start;
  for (; end - at >= 8; at += 8) {
    low ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    high ^= bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    const i0 = 0x700 | (low & 0xff);
    const i1 = 0x600 | ((low >>> 8) & 0xff);
    const i2 = 0x500 | ((low >>> 16) & 0xff);
    const i3 = 0x400 | (low >>> 24);
    const i4 = 0x300 | (high & 0xff);
    const i5 = 0x200 | ((high >>> 8) & 0xff);
    const i6 = 0x100 | ((high >>> 16) & 0xff);
    const i7 = high >>> 24;
    low = l[i0]! ^ l[i1]! ^ l[i2]! ^ l[i3]! ^ l[i4]! ^ l[i5]! ^ l[i6]! ^ l[i7]!;
    high = h[i0]! ^ h[i1]! ^ h[i2]! ^ h[i3]! ^ h[i4]! ^ h[i5]! ^ h[i6]! ^ h[i7]!;
  }
  for (; at < end; at++) {
    const index = (low ^ bytes[at]!) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ l[index]!;
    high = (high >>> 8) ^ h[index]!;
  }
  crc.high = high >>> 0;
  crc.low = low >>> 0;
}

/** a x b modulo the polynomial; both reflected: the highest bit is x^0. Into `out`, which may be `a` or `b`. */
function multiply(a: Int64Words, b: Int64Words, out: Int64Words): void {
  let high = 0;
  let low = 0;
  let factorHigh = b.high | 0;
  let factorLow = b.low | 0;
  for (let bit = 0; bit < 64; bit++) {
    const word = bit < 32 ? a.high : a.low;
    const mask = -((word >>> (31 - (bit & 31))) & 1);
    high ^= factorHigh & mask;
    low ^= factorLow & mask;
    const carry = -(factorLow & 1);
    factorLow = ((factorLow >>> 1) | (factorHigh << 31)) ^ (POLY_LOW & carry);
    factorHigh = (factorHigh >>> 1) ^ (POLY_HIGH & carry);
  }
  out.high = high >>> 0;
  out.low = low >>> 0;
}

/** x^(8 * 2^n) for each n so far; x^8 has its one bit eight below the top. */
const squares: Int64Words[] = [{ high: 1 << 23, low: 0 }];

function squareOf(bit: number): Int64Words {
  for (let n = squares.length; n <= bit; n++) {
    const square = { high: 0, low: 0 };
    multiply(squares[n - 1]!, squares[n - 1]!, square);
    squares.push(square);
  }
  return squares[bit]!;
}

/**
 * The checksum of A followed by B, from the checksum of each and the length of B in bytes, into `out` (which may be one
 * of them). So parts can be summed on several cores.
 */
export function combineCrc64(a: Int64Words, b: Int64Words, lengthB: number, out: Int64Words): void {
  // Times x^(8 * lengthB), bit by bit of the length.
  const shifted = { high: a.high, low: a.low };
  for (let rest = lengthB, bit = 0; rest > 0; rest = Math.floor(rest / 2), bit++) {
    if (rest % 2 === 1) multiply(shifted, squareOf(bit), shifted);
  }
  out.high = (shifted.high ^ b.high) >>> 0;
  out.low = (shifted.low ^ b.low) >>> 0;
}

/** What one byte does to the checksum, and, for the upper byte of that, which byte it was: for going backwards. */
export interface Crc64Steps {
  readonly highs: Int32Array;
  readonly lows: Int32Array;
  readonly inputs: Uint8Array;
}

/** The tables of one byte at a time. No two entries have the same upper byte, so every step can be taken back. */
export function crc64Steps(): Crc64Steps {
  highTables ??= makeTables();
  const highs = highTables.subarray(0, 256);
  const inputs = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) inputs[highs[byte]! >>> 24] = byte;
  return { highs, lows: lowTables.subarray(0, 256), inputs };
}
