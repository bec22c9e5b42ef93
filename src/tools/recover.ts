import { type Disk, localDisk } from '../bytes/disk.js';
import type { ServerConfig } from '../model/server-config.js';
import type { DialectName } from '../rdb/dialect.js';
import type { ToolContext } from './context.js';
import { type Server, TODAY } from './family.js';
import { realPlace } from './output-place.js';
import { carryOut, measuredFor, type RecoverOutput, type RecoverOutputRequest } from './recover/carry-out.js';
import { type FoundConfig, noConfig, readConfig } from './recover/config.js';
import { type DirectorySurvey, findConfig, surveyDirectory } from './recover/directory.js';
import { type Durability, durabilityOf } from './recover/durability.js';
import { type Measured, measureWay } from './recover/measure.js';
import {
  type ForeseenStart,
  type PlanRequest,
  planOf,
  type RecoverPlan,
  type RecoverVerdict,
  verdictOf,
} from './recover/plan.js';
import { ranked, wayOfStart } from './recover/rank.js';
import { foresee } from './recover/start.js';
import { type Way, waysOf } from './recover/ways.js';
import { type Candidate, type Weighed, weigh } from './recover/weigh.js';
import { type FileUser, findUsers } from './repair/open-files.js';
import type { NotChecked } from './report.js';

export interface RecoverOptions extends PlanRequest {
  /** Path of a redis.conf; null: the one in the directory, if any. */
  readonly config: string | null;
  readonly dialect: DialectName | null;
  /** Logs of more bytes than this in all are not executed to count their keys; what is written always is. */
  readonly measureBytes: number;
  readonly output: RecoverOutputRequest | null;
  /** The file system that is written to; only tests give another. */
  readonly disk?: Disk;
}

/** How the setting of appendonly is known: told by redis.conf, or concluded from what stands in the directory. */
export type AppendOnlyBasis = 'told' | 'log-there' | 'no-log-there';

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
  /** Processes that use the directory: what is here may change under their hands. */
  readonly users: readonly FileUser[];
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
  const { survey, candidates, notChecked } = await lookedAt(path, config, options, context);
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
    users: await usersOf(survey),
    notChecked: [...notChecked, ...unmeasured(ways, path)],
  };
}

/** A server that rewrites its log meanwhile takes away what was just found: then all is looked at once more. */
const LOOKS_MAX = 5;

async function lookedAt(
  path: string,
  { config }: FoundConfig,
  options: RecoverOptions,
  context: ToolContext,
): Promise<Weighed & { readonly survey: DirectorySurvey }> {
  for (let look = 1; ; look++) {
    const survey = await surveyDirectory(path, config);
    const weighed = await weigh(survey.files, options, context);
    if (!weighed.isStale || look === LOOKS_MAX) return { survey, ...weighed };
  }
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

/** A server that still runs there; where the system does not tell, nobody. */
async function usersOf({ path, files, rooms }: DirectorySurvey): Promise<readonly FileUser[]> {
  const places = await Promise.all([path, ...rooms.map((room) => room.path)].map(realPlace));
  const { users } = await findUsers(await Promise.all(files.map((file) => realPlace(file.path))), places);
  return users;
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
