import { UsageError } from '../../errors.js';
import type { ServerConfig } from '../../model/server-config.js';
import type { OutputShape } from './carry-out.js';
import type { FoundConfig } from './config.js';
import type { DirectorySurvey } from './directory.js';
import { lossOf, type PlanLoss } from './loss.js';
import type { Measured } from './measure.js';
import type { Start } from './start.js';
import type { Way } from './ways.js';
import type { Candidate } from './weigh.js';

/** A start that was foreseen, and what the server would hold then. */
export interface ForeseenStart extends Start {
  /** Whether a server with this configuration is the one to expect. */
  readonly expected: boolean;
  readonly aofLoadTruncated: boolean;
  /** Number of the way that it takes, from 1; 0: none, it starts empty or not at all. */
  readonly way: number;
  /** Null: it does not start, or nobody can tell. */
  readonly keys: number | null;
  readonly digest: string | null;
}

/** What must be said beside the plan, one word each; the command line words them. */
export type Caution = 'fewer-keys' | 'time-estimated' | 'concluded' | 'older-than-rdb' | 'unknown-commands';

/**
 * `ready`: what the server loads by itself is the best there is, and nothing is wrong. `doubtful`: the same, but another way
 * holds far more keys. `nothing`: no state can be brought back.
 */
export type RecoverVerdict = 'ready' | 'doubtful' | 'recoverable' | 'nothing';

export interface RecoverPlan {
  /** Number of the way, from 1. */
  readonly number: number;
  readonly way: Way;
  readonly measured: Measured;
  readonly loss: PlanLoss;
  readonly shape: OutputShape;
  readonly cautions: readonly Caution[];
  /** Number of the way that holds most keys. */
  readonly fullest: number;
}

/** Which way is wanted. */
export interface PlanRequest {
  /** Its number, counted from 1 in the order of the report; null: the best that `strategy` allows. */
  readonly way: number | null;
  /** 'truncate': a state that was. 'skip': everything that reads, damaged places left out. */
  readonly strategy: 'truncate' | 'skip';
}

/** The way that is to be taken, with its price; null when none may be taken unasked. @throws UsageError */
export function planOf(
  ways: readonly Measured[],
  { way: asked, strategy }: PlanRequest,
  candidates: readonly Candidate[],
  survey: DirectorySurvey,
  config: FoundConfig,
  effective: ServerConfig,
): RecoverPlan | null {
  const salvage = ways.findIndex(({ way }) => !way.existed);
  const number = asked ?? (strategy === 'skip' ? Math.max(0, salvage) : 0) + 1;
  const measured = ways[number - 1];
  // Nothing that was: everything that reads is not taken for it unasked.
  if (asked === null && strategy === 'truncate' && measured?.way.existed === false) return null;
  if (measured === undefined) {
    if (asked === null) return null;
    throw new UsageError(`--way: there is no way ${asked}`, 'leave --way out for a list');
  }
  const { way } = measured;
  return {
    number,
    way,
    measured,
    loss: lossOf(way, candidates, survey.lastWrittenMs),
    shape: shapeOf(way, survey, config, effective),
    cautions: cautionsOf(measured, ways),
    fullest: fullestOf(ways),
  };
}

/** What the server that is to start needs; where nobody knows its settings, both. */
function shapeOf(
  way: Way,
  survey: DirectorySurvey,
  { given }: FoundConfig,
  effective: ServerConfig,
): OutputShape {
  const told = given.has('appendonly');
  const isOld = survey.rooms.length === 0 && way.kind === 'single-log' && way.parts.length === 1;
  const log = told && !effective.appendOnly ? 'none' : isOld ? 'single' : 'directory';
  return { log, snapshot: !told || !effective.appendOnly };
}

function fullestOf(ways: readonly Measured[]): number {
  const keys = ways.map(({ measure }) => measure?.keys ?? -1);
  return keys.indexOf(Math.max(...keys)) + 1;
}

/** Below this share of the keys of another way, something other than a crash took them. */
const SHARE = 0.5;

function cautionsOf(chosen: Measured, ways: readonly Measured[]): Caution[] {
  const { way, measure } = chosen;
  const cautions: Caution[] = [];
  const most = Math.max(0, ...ways.map((each) => each.measure?.keys ?? 0));
  if (measure !== null && measure.keys < most * SHARE) cautions.push('fewer-keys');
  if (way.newest?.by === 'estimated' && ways.length > 1) cautions.push('time-estimated');
  if (way.concluded && way.kind !== 'rdb') cautions.push('concluded');
  if (measure !== null && measure.unknownCommands > 0) cautions.push('unknown-commands');
  return cautions;
}

/** What it all comes to. */
export function verdictOf(
  starts: readonly ForeseenStart[],
  ways: readonly Measured[],
  plan: RecoverPlan | null,
): RecoverVerdict {
  if (plan === null) return 'nothing';
  const expected = starts[0]!;
  const best = ways[0]!;
  const sameState = best.measure !== null && best.measure.digest === expected.digest;
  const isBest = expected.way === 1 || sameState;
  if (expected.outcome !== 'loads' || !isBest) return 'recoverable';
  return plan.number === 1 && plan.cautions.includes('fewer-keys') ? 'doubtful' : 'ready';
}
