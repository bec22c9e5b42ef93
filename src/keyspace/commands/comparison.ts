import { xxh3 } from '../../kernels/xxh3.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';

/** What the value of a string is compared with: itself, or its digest (Redis 8.4). */
export interface Comparison {
  readonly byDigest: boolean;
  /** Whether the two must be equal, rather than different. */
  readonly wantsEqual: boolean;
}

const COMPARISONS: readonly (readonly [word: string, comparison: Comparison])[] = [
  ['IFEQ', { byDigest: false, wantsEqual: true }],
  ['IFNE', { byDigest: false, wantsEqual: false }],
  ['IFDEQ', { byDigest: true, wantsEqual: true }],
  ['IFDNE', { byDigest: true, wantsEqual: false }],
];

/** IFEQ, IFNE, IFDEQ or IFDNE at argument i; null for other words. */
export function comparisonAt(command: CommandSpans, i: number): Comparison | null {
  for (const [word, comparison] of COMPARISONS) if (command.is(i, word)) return comparison;
  return null;
}

/** Hexadecimal digits of a digest. */
const DIGEST_DIGITS = 16;

/** Whether the string under an entry passes a comparison with argument i; null, after `fail`, when that is no digest. */
export function passes(
  engine: Engine,
  entry: number,
  { byDigest, wantsEqual }: Comparison,
  command: CommandSpans,
  i: number,
): boolean | null {
  const { bytes, start, end } = engine.db.getString(entry, engine.slice);
  if (!byDigest) {
    const wanted = engine.slice2.set(command.bytes, command.starts[i]!, command.ends[i]!);
    return engine.slice.equals(wanted) === wantsEqual;
  }
  if (command.size(i) !== DIGEST_DIGITS) {
    engine.fail(`ERR must be exactly ${DIGEST_DIGITS} hexadecimal characters`);
    return null;
  }
  const digest = xxh3(bytes, start, end).toString(16).padStart(DIGEST_DIGITS, '0');
  return (command.latin1(i).toLowerCase() === digest) === wantsEqual;
}
