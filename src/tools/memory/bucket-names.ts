import type { SpreadBucket } from './spread.js';

/** What stands for a bucket of times to live. */
export function ttlName(bucket: SpreadBucket): string {
  return bucket.to === 0 ? 'past it' : timeName(bucket.from === 0 ? { ...bucket, from: null } : bucket);
}

/** What stands for a bucket of other times. */
export function timeName({ from, to }: SpreadBucket): string {
  if (to === null) return `over ${TIME_NAMES.get(from!)!}`;
  return from === null
    ? `under ${TIME_NAMES.get(to)!}`
    : `${TIME_NAMES.get(from)!} to ${TIME_NAMES.get(to)!}`;
}

const TIME_NAMES = new Map([
  [60, 'a minute'],
  [3600, 'an hour'],
  [86_400, 'a day'],
  [604_800, 'a week'],
  [2_592_000, '30 days'],
  [31_536_000, 'a year'],
]);

/** What stands for a bucket of LFU counters. */
export function freqName({ from, to }: SpreadBucket): string {
  if (to === null) return `${from} and more`;
  return to - (from ?? 0) === 1 ? `${from ?? 0}` : `${from ?? 0} to ${to - 1}`;
}
