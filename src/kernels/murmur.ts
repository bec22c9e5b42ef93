import type { Int64Words } from './decimal.js';

// The multiplier 0xc6a4a7935bd1e995 in sixteen-bit limbs, lowest first, and in words.
const M_HIGH = 0xc6a4a793;
const M_LOW = 0x5bd1e995;
const M0 = 0xe995;
const M1 = 0x5bd1;

let high = 0;
let low = 0;

/** (high, low) *= m, modulo 2^64. */
function multiply(): void {
  const low0 = low & 0xffff;
  const low1 = low >>> 16;
  const bottom = low0 * M0;
  const middle = low1 * M0 + (bottom >>> 16);
  const other = low0 * M1 + (middle & 0xffff);
  const carry = low1 * M1 + Math.floor(middle / 65536) + Math.floor(other / 65536);
  high = (carry + Math.imul(low, M_HIGH) + Math.imul(high, M_LOW)) | 0;
  low = Math.imul(low, M_LOW);
}

/**
 * MurmurHash64A of `bytes[start..end)`, seed below 2^32, as unsigned words into `out`. HyperLogLog uses the seed
 * 0xadc83b19.
 */
export function murmurHash64A(
  bytes: Uint8Array,
  start: number,
  end: number,
  seed: number,
  out: Int64Words,
): void {
  const length = end - start;
  low = length | 0;
  high = Math.floor(length / 4294967296);
  multiply();
  let hashHigh = high;
  let hashLow = low ^ seed;
  let at = start;
  for (; end - at >= 8; at += 8) {
    low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    high = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    multiply();
    low ^= high >>> 15; // k ^= k >> 47
    multiply();
    low ^= hashLow;
    high ^= hashHigh;
    multiply();
    hashLow = low;
    hashHigh = high;
  }
  if (at < end) {
    low = hashLow;
    high = hashHigh;
    for (let i = 0; at + i < end; i++) {
      if (i < 4) low ^= bytes[at + i]! << (8 * i);
      else high ^= bytes[at + i]! << (8 * i - 32);
    }
    multiply();
    hashLow = low;
    hashHigh = high;
  }
  low = hashLow ^ (hashHigh >>> 15);
  high = hashHigh;
  multiply();
  low ^= high >>> 15;
  out.high = high >>> 0;
  out.low = low >>> 0;
}
