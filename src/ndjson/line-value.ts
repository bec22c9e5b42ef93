import { type Long, normalLong } from '../bytes/int64.js';
import type { StreamId } from '../model/stream-id.js';
import { idOf } from '../model/stream-id.js';

/** What is wrong with a line: what was expected, and where in the object. */
export class LineError extends Error {
  override readonly name = 'LineError';

  constructor(
    readonly field: string,
    readonly expected: string,
  ) {
    super(`${field}: expected ${expected}`);
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

const MAX_I64 = 9223372036854775807n;
const MAX_U64 = 18446744073709551615n;

export function objectOf(value: unknown, field: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new LineError(field, 'an object');
}

export function arrayOf(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new LineError(field, 'an array');
}

/** The bytes of a string or of `{"base64": "…"}`. */
export function bytesOf(value: unknown, field: string): Buffer {
  if (typeof value === 'string') {
    // Half a character has no bytes of its own: writing it would change it.
    if (!value.isWellFormed())
      throw new LineError(field, 'text without lone surrogates, or {"base64": "..."}');
    return Buffer.from(value, 'utf8');
  }
  const packed = ownProperty(value, 'base64');
  if (typeof packed === 'string' && packed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(packed)) {
    return Buffer.from(packed, 'base64');
  }
  throw new LineError(field, 'a string or {"base64": "..."}');
}

function ownProperty(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as JsonObject)[name]
    : undefined;
}

/** A property of the object itself, undefined when there is none. */
export function property(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** A signed or unsigned 64-bit quantity: an exact number, or its digits. */
export function longOf(value: unknown, field: string): Long {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) {
    const number = BigInt(value);
    if (number >= -MAX_I64 - 1n && number <= MAX_U64) return normalLong(number);
  }
  throw new LineError(field, 'an integer of 64 bits (beyond 2^53 as a string of digits)');
}

export function countOf(value: unknown, field: string, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
  throw new LineError(field, `a whole number from 0 to ${max}`);
}

/** A score: a number, or one of the words that stand for what JSON has no number for. */
export function scoreOf(value: unknown, field: string): number {
  if (typeof value === 'number') return value;
  if (value === 'inf') return Number.POSITIVE_INFINITY;
  if (value === '-inf') return Number.NEGATIVE_INFINITY;
  if (value === 'nan') return Number.NaN;
  throw new LineError(field, 'a number, "inf", "-inf" or "nan"');
}

export function idOfText(value: unknown, field: string): StreamId {
  const match = typeof value === 'string' ? /^(\d{1,20})-(\d{1,20})$/.exec(value) : null;
  if (match !== null) {
    const ms = BigInt(match[1]!);
    const seq = BigInt(match[2]!);
    if (ms <= MAX_U64 && seq <= MAX_U64) return idOf(normalLong(ms), normalLong(seq));
  }
  throw new LineError(field, 'a stream id, "milliseconds-sequence"');
}
