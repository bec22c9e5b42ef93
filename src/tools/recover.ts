import { type Disk, localDisk } from '../bytes/disk.js';
import { UsageError } from '../errors.js';
import type { ServerConfig } from '../model/server-config.js';
import type { DialectName } from '../rdb/dialect.js';
import type { ToolContext } from './context.js';
import { type Server, TODAY } from './family.js';
import {
  carryOut,
  measuredFor,
  type OutputShape,
  type RecoverOutput,
  type RecoverOutputRequest,
} from './recover/carry-out.js';
import { type FoundConfig, noConfig, readConfig } from './recover/config.js';
import { type DirectorySurvey, findConfig, surveyDirectory } from './recover/directory.js';
import { type Durability, durabilityOf } from './recover/durability.js';
import { lossOf, type PlanLoss } from './recover/loss.js';
import { type Measured, measureWay } from './recover/measure.js';
import { ranked, wayOfStart } from './recover/rank.js';
import { foresee, type Start } from './recover/start.js';
import { type Way, waysOf } from './recover/ways.js';
import { type Candidate, weigh } from './recover/weigh.js';
import type { NotChecked } from './report.js';

export interface RecoverOptions {
  /** Path of a redis.conf; null: the one in the directory, if any. */
  readonly config: string | null;
  readonly dialect: DialectName | null;
  /** The way to carry out, counted from 1 in the order of the report; null: the best that `strategy` allows. */
  readonly way: number | null;
  /** 'truncate': a state that was. 'skip': everything that reads, damaged places left out. */
  readonly strategy: 'truncate' | 'skip';
  /** Logs of more bytes than this in all are executed only where the answer depends on it. */
  readonly measureBytes: number;
  readonly output: RecoverOutputRequest | null;
  /** The file system that is written to; only tests give another. */
  readonly disk?: Disk;
}

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

/** How the setting of appendonly is known: told by redis.conf, or concluded from what stands in the directory. */
export type AppendOnlyBasis = 'told' | 'log-there' | 'no-log-there';

/** What must be said beside the plan, one word each; the command line words them. */
export type Caution = 'fewer-keys' | 'time-estimated' | 'concluded' | 'older-than-rdb' | 'unknown-commands';

/** `ready`: what the server loads by itself is all there is, and nothing is wrong. */
export type RecoverVerdict = 'ready' | 'recoverable' | 'nothing';

export interface RecoverPlan {
  /** Number of the way, from 1. */
  readonly number: number;
  readonly way: Way;
  readonly measured: Measured;
  readonly loss: PlanLoss;
  readonly shape: OutputShape;
  readonly cautions: readonly Caution[];
}

export interface RecoverReport {
  readonly path: string;
  readonly verdict: RecoverVerdict;
  readonly config: FoundConfig;
  readonly effective: ServerConfig;
  readonly basis: AppendOnlyBasis;
  readonly survey: DirectorySurvey;
  readonly candidates: readonly Candidate[];
  readonly starts: readonly ForeseenStart[];
  /** The best first. */
  readonly ways: readonly Measured[];
  /** Null when nothing can be brought back. */
  readonly plan: RecoverPlan | null;
  readonly durability: Durability;
  /** In whose form digests are. */
  readonly server: Server;
  readonly output: RecoverOutput | null;
  readonly notChecked: readonly NotChecked[];
}

/**
 * Weighs everything in a crashed directory: what a server would load, what could be brought back, what each way costs.
 * With an output the plan is carried out and what was written is read back. The directory is never changed.
 *
 * @throws InputError when the directory or the configuration cannot be read
 * @throws UsageError for a way that does not exist or an output that cannot be, OutputError when writing fails
 */
export async function recover(
  path: string,
  options: RecoverOptions,
  context: ToolContext,
): Promise<RecoverReport> {
  const disk = options.disk ?? localDisk;
  const config = await configOf(path, options);
  const survey = await surveyDirectory(path, config.config);
  const { candidates, notChecked } = await weigh(survey.files, options, context);
  const { effective, basis } = effectiveConfig(config, survey, candidates);
  const server = serverOf(candidates);
  const starts = startsOf(survey, candidates, effective, basis);
  const measured = await measureWays(waysOf(survey, candidates), path, server, options, context);
  const ways = ranked(measured);
  const foreseen = starts.map((start) => withContent(start, ways));
  let plan = planOf(ways, options, candidates, survey, config, effective);
  const durability = durabilityOf(effective, candidates, survey.lastWrittenMs);
  let output: RecoverOutput | null = null;
  if (options.output !== null && plan !== null) {
    const chosen = await measuredFor(plan.measured, path, server, context);
    plan = { ...plan, measured: chosen };
    const carrying = { directory: path, chosen, config: effective, shape: plan.shape, as: server };
    output = await carryOut({ ...carrying, request: options.output }, context, disk);
  }
  const verdict = verdictOf(foreseen, ways, plan);
  return {
    path,
    verdict,
    config,
    effective,
    basis,
    survey,
    candidates,
    starts: foreseen,
    ways,
    plan,
    durability,
    server,
    output,
    notChecked: [...notChecked, ...unmeasured(ways, path)],
  };
}

async function configOf(path: string, options: RecoverOptions): Promise<FoundConfig> {
  if (options.config !== null) return readConfig(options.config, null);
  const found = await findConfig(path);
  return found === null ? noConfig() : readConfig(found, path);
}

/** Whether a log is kept, where the configuration does not say: by whether there is one. */
function effectiveConfig(
  { config, given }: FoundConfig,
  survey: DirectorySurvey,
  candidates: readonly Candidate[],
): { effective: ServerConfig; basis: AppendOnlyBasis } {
  if (given.has('appendonly')) return { effective: config, basis: 'told' };
  const isLog = ({ kind }: Candidate) => kind === 'single-log' || kind === 'temporary-rewrite';
  const hasLog = survey.rooms.length > 0 || survey.logDirectoryExists || candidates.some(isLog);
  return { effective: { ...config, appendOnly: hasLog }, basis: hasLog ? 'log-there' : 'no-log-there' };
}

/** The newest server that left its name in a file: its digests are compared. */
function serverOf(candidates: readonly Candidate[]): Server {
  const named = candidates.filter(({ producer }) => producer !== null);
  const newest = named.sort((a, b) => (b.savedAtMs ?? 0) - (a.savedAtMs ?? 0))[0];
  return newest?.producer ?? TODAY;
}

/** The expected start first, then the same with the other settings that decide. */
function startsOf(
  survey: DirectorySurvey,
  candidates: readonly Candidate[],
  effective: ServerConfig,
  basis: AppendOnlyBasis,
): ForeseenStart[] {
  const one = (config: ServerConfig, expected: boolean): ForeseenStart => ({
    ...foresee(survey, candidates, config),
    expected,
    aofLoadTruncated: config.aofLoadTruncated,
    way: 0,
    keys: null,
    digest: null,
  });
  const starts = [one(effective, true)];
  if (basis !== 'told') starts.push(one({ ...effective, appendOnly: !effective.appendOnly }, false));
  else starts.push(one({ ...effective, appendOnly: !effective.appendOnly }, false));
  const torn = starts.some(({ reason }) => reason === 'log-cut' || reason === 'torn-not-allowed');
  if (torn) {
    starts.push(
      one({ ...effective, appendOnly: true, aofLoadTruncated: !effective.aofLoadTruncated }, false),
    );
  }
  return starts;
}

async function measureWays(
  ways: readonly Way[],
  path: string,
  server: Server,
  options: RecoverOptions,
  context: ToolContext,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  let left = options.measureBytes;
  // The fullest first: when there is time for a few only, these matter.
  for (const way of [...ways].sort((a, b) => (b.newest?.ms ?? 0) - (a.newest?.ms ?? 0))) {
    const isLog = way.commands > 0;
    if (isLog && way.bytes > left) {
      measured.push({ way, measure: null, why: 'executing it would take long: its keys are not counted' });
      continue;
    }
    if (isLog) left -= way.bytes;
    measured.push(await measureWay(way, path, server, context));
  }
  return measured;
}

function withContent(start: ForeseenStart, ways: readonly Measured[]): ForeseenStart {
  if (start.outcome === 'refuses') return start;
  if (start.outcome === 'empty') return { ...start, keys: 0, digest: '0'.repeat(40) };
  const way = wayOfStart(start, ways);
  if (way === null) return start;
  const number = ways.indexOf(way) + 1;
  return { ...start, way: number, keys: way.measure?.keys ?? null, digest: way.measure?.digest ?? null };
}

function planOf(
  ways: readonly Measured[],
  { way: asked, strategy }: Pick<RecoverOptions, 'way' | 'strategy'>,
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
    throw new UsageError(
      `--way: there are ${ways.length} ways, ${asked} is none of them`,
      'leave --way out for a list',
    );
  }
  const { way } = measured;
  return {
    number,
    way,
    measured,
    loss: lossOf(way, candidates, survey.lastWrittenMs),
    shape: shapeOf(way, survey, config, effective),
    cautions: cautionsOf(measured, ways),
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

function verdictOf(
  starts: readonly ForeseenStart[],
  ways: readonly Measured[],
  plan: RecoverPlan | null,
): RecoverVerdict {
  const [expected] = starts;
  if (plan === null) return expected!.outcome === 'empty' && ways.length === 0 ? 'nothing' : 'nothing';
  const best = ways[0]!;
  const sameState = best.measure !== null && best.measure.digest === expected!.digest;
  const isBest = expected!.way === 1 || sameState;
  return expected!.outcome === 'loads' && isBest ? 'ready' : 'recoverable';
}

function unmeasured(ways: readonly Measured[], path: string): NotChecked[] {
  return ways
    .filter(({ why }) => why !== '')
    .map(({ way, why }) => ({
      path: way.parts[0]?.candidate.path ?? path,
      what: 'keys',
      why,
      routine: false,
    }));
}
