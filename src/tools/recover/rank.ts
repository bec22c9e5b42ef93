import { endOfPrefix } from './content.js';
import type { Measured } from './measure.js';
import type { Start } from './start.js';
import type { Way, WayKind } from './ways.js';

/** Differences in time up to this many milliseconds say nothing: RDBs know seconds, files are written a little later. */
const SAME_TIME_MS = 2000;

/** Of two ways to the same state, the one that needs the fewest conclusions. */
const PREFERENCE: readonly WayKind[] = [
  'log',
  'single-log',
  'log-from-history',
  'log-by-names',
  'log-from-new-base',
  'rdb',
];

/**
 * The best first: what was a state before what never was, what holds keys before what holds none, the server's own files before copies whose origin nobody knows,
 * the later state before the earlier one. Of equal ones the log without loss, the fuller, then the one that needs the fewest conclusions.
 */
export function ranked(ways: readonly Measured[]): Measured[] {
  const newestOf = stateTimes(ways);
  return [...ways].sort((a, b) => {
    const existed = Number(b.way.existed) - Number(a.way.existed);
    if (existed !== 0) return existed;
    const holds = Number(holdsKeys(b)) - Number(holdsKeys(a));
    if (holds !== 0) return holds;
    if (!isSameState(a, b)) {
      const own = Number(isCopy(a.way)) - Number(isCopy(b.way));
      if (own !== 0) return own;
      const apart = newestOf(b) - newestOf(a);
      if (Math.abs(apart) > SAME_TIME_MS) return apart;
      const whole =
        a.way.kind === 'rdb' || b.way.kind === 'rdb' ? 0 : Number(isWhole(b)) - Number(isWhole(a));
      if (whole !== 0) return whole;
      const commands = b.way.commands - a.way.commands;
      const keys = (b.measure?.keys ?? 0) - (a.measure?.keys ?? 0);
      if (keys !== 0) return keys;
      if (commands !== 0) return commands;
    }
    const kinds = PREFERENCE.indexOf(a.way.kind) - PREFERENCE.indexOf(b.way.kind);
    return kinds !== 0 ? kinds : Number(isCopy(a.way)) - Number(isCopy(b.way));
  });
}

/** Ways that are known to lead to the same state are as new as the newest of them. */
function stateTimes(ways: readonly Measured[]): (measured: Measured) => number {
  const byDigest = new Map<string, number>();
  const own = ({ way }: Measured) => way.newest?.ms ?? Number.NEGATIVE_INFINITY;
  for (const each of ways) {
    const digest = each.measure?.digest;
    if (digest !== undefined) byDigest.set(digest, Math.max(own(each), byDigest.get(digest) ?? own(each)));
  }
  return (each) => (each.measure === null ? own(each) : byDigest.get(each.measure.digest)!);
}

/** What was not measured is given the benefit of the doubt. */
const holdsKeys = ({ measure }: Measured): boolean => measure === null || measure.keys > 0;
const isWhole = ({ way }: Measured): boolean => way.lostBytes === 0 && way.missing.length === 0;
const isCopy = (way: Way): boolean => way.parts.some(({ candidate }) => candidate.kind === 'copy');

function isSameState(a: Measured, b: Measured): boolean {
  return a.measure !== null && a.measure.digest === b.measure?.digest;
}

/** The way that takes the same bytes as a server does; null when it loads nothing, or nothing that is a way. */
export function wayOfStart(start: Start, ways: readonly Measured[]): Measured | null {
  const filled = start.parts.filter(({ end }) => end > 0);
  if (filled.length === 0) return null;
  const wanted = filled.map(({ candidate, end }) => `${candidate.path}:${end}`).join('|');
  return ways.find(({ way }) => bytesOf(way) === wanted) ?? null;
}

function bytesOf({ parts }: Way): string {
  return parts
    .filter(({ content }) => content.pieces.length > 0)
    .map(({ candidate, content }) => `${candidate.path}:${endOfPrefix(content) ?? 'put together'}`)
    .join('|');
}
