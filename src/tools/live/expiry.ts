import type { Answer } from '../../live/connection.js';

/** How a server is asked when a key goes. */
export interface ExpiryQuestion {
  readonly commands: (key: Buffer) => readonly (readonly (string | Buffer)[])[];
  /** Milliseconds since the epoch; null: never; undefined: the key is not there. */
  readonly of: (answers: readonly Answer[]) => number | null | undefined;
  /** By how much two answers about the same key may differ. */
  readonly toleranceMs: number;
}

/** From 7.0 on: exact. */
const BY_TIME: ExpiryQuestion = {
  commands: (key) => [['PEXPIRETIME', key]],
  of: ([time]) => (time === -2 ? undefined : time === -1 ? null : Number(time)),
  toleranceMs: 0,
};

/** Before: what is left, from the server's clock beside it. A millisecond may pass between the two. */
const BY_REST: ExpiryQuestion = {
  commands: (key) => [['TIME'], ['PTTL', key]],
  of: ([time, left]) => {
    if (left === -2) return undefined;
    if (left === -1) return null;
    const [seconds, micros] = Array.isArray(time) ? (time as readonly unknown[]).map(String) : [];
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) + Number(left);
  },
  toleranceMs: 50,
};

export const expiryQuestionOf = (release: number): ExpiryQuestion => (release >= 700 ? BY_TIME : BY_REST);

/** Whether nothing was done about the expiry of a key between two answers. */
export function sameExpiry(
  before: number | null | undefined,
  after: number | null | undefined,
  { toleranceMs }: ExpiryQuestion,
): boolean {
  if (typeof before !== 'number' || typeof after !== 'number') return before === after;
  return Math.abs(before - after) <= toleranceMs;
}
