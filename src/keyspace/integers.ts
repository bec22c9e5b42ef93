import { type Long, normalLong, signedLong } from '../bytes/int64.js';
import { Int64Words, parseInt64, parseSafeInteger } from '../kernels/decimal.js';
import type { CommandSpans } from '../resp/command.js';

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

const words = new Int64Words();

/** A range read as the servers read a signed 64-bit integer; null when it is none. */
export function longOf(bytes: Buffer, start: number, end: number): Long | null {
  const value = parseSafeInteger(bytes, start, end);
  if (!Number.isNaN(value)) return value;
  return parseInt64(bytes, start, end, words) ? signedLong(words.high, words.low) : null;
}

/** Argument i as a signed 64-bit integer; null when it is none. */
export function longAt(command: CommandSpans, i: number): Long | null {
  return longOf(command.bytes, command.starts[i]!, command.ends[i]!);
}

/** Argument i as an integer that a count or an index can be: values beyond 2^53 become that; NaN when it is none. */
export function indexAt(command: CommandSpans, i: number): number {
  const value = longAt(command, i);
  if (value === null) return Number.NaN;
  if (typeof value === 'number') return value;
  return value > 0n ? Number.MAX_SAFE_INTEGER : -Number.MAX_SAFE_INTEGER;
}

/** The sum, or null when it is no 64-bit integer. */
export function sumOf(a: Long, b: Long): Long | null {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return bounded(BigInt(a) + BigInt(b));
}

/** The product with a small factor, or null when it is no 64-bit integer. */
export function productOf(a: Long, factor: number): Long | null {
  if (typeof a === 'number' && Number.isSafeInteger(a * factor)) return a * factor;
  return bounded(BigInt(a) * BigInt(factor));
}

/** The negated value, or null for the lowest, which has none. */
export function negated(a: Long): Long | null {
  return typeof a === 'number' ? 0 - a : bounded(-a);
}

function bounded(value: bigint): Long | null {
  return value > INT64_MAX || value < INT64_MIN ? null : normalLong(value);
}
