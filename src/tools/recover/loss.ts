import type { Way } from './ways.js';
import type { Candidate } from './weigh.js';

/** Bytes of a file that a plan does not take. */
export interface LostRange {
  readonly file: string;
  readonly from: number;
  readonly to: number;
  /** Whole commands in them; null: nobody can tell. */
  readonly commands: number | null;
}

/** What a way leaves behind. */
export interface PlanLoss {
  readonly ranges: readonly LostRange[];
  readonly bytes: number;
  /** Whole commands; null: nobody can tell. */
  readonly commands: number | null;
  /** Writes between these two moments are gone or may be; null: unknown. Equal: none that the files know of. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Logs with commands that the way does not use at all: files below the directory. */
  readonly unused: readonly string[];
}

/** What is lost by taking a way, against everything that the directory holds. */
export function lossOf(way: Way, candidates: readonly Candidate[], lastWrittenMs: number | null): PlanLoss {
  const ranges: LostRange[] = [];
  for (const { candidate, content } of way.parts) {
    for (const { from, to, commands } of content.left) {
      ranges.push({ file: candidate.name, from, to, commands });
    }
  }
  for (const { name, bytes, commands, commandsBehind } of way.leftOut) {
    if (bytes === 0) continue;
    const all = commandsBehind === null ? null : commands + commandsBehind;
    ranges.push({ file: name, from: 0, to: bytes, commands: all });
  }
  const sum = (values: readonly (number | null)[]) =>
    values.reduce<number | null>((total, each) => (total === null || each === null ? null : total + each), 0);
  const whole = ranges.length === 0 && way.missing.length === 0 && way.kind !== 'rdb';
  return {
    ranges,
    bytes: ranges.reduce((total, { from, to }) => total + to - from, 0),
    commands: sum(ranges.map(({ commands }) => commands)),
    sinceMs: way.newest?.ms ?? null,
    untilMs: whole ? (way.newest?.ms ?? null) : lastWrittenMs,
    unused: unusedLogs(way, candidates),
  };
}

/** Only a snapshot leaves whole logs aside that may hold later writes. */
function unusedLogs(way: Way, candidates: readonly Candidate[]): string[] {
  if (way.kind !== 'rdb') return [];
  return candidates.filter(({ kind, commands }) => LOGS.has(kind) && commands > 0).map(({ name }) => name);
}

const LOGS = new Set<Candidate['kind']>([
  'base',
  'increment',
  'stray-increment',
  'single-log',
  'temporary-increment',
]);
