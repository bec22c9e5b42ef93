import { statsOf } from '../../bytes/file-tree.js';
import { InputError } from '../../errors.js';
import { shownSource } from '../../live/address.js';
import { FINDINGS } from '../../model/finding.js';
import type { DialectName } from '../../rdb/dialect.js';
import { type CheckReport, check } from '../check.js';
import type { ToolContext } from '../context.js';
import type { EvidenceFile } from '../evidence.js';
import { DamageError, type NotChecked } from '../report.js';
import { type OpenOptions, openSource, type Source } from '../source.js';
import { type AgainstRequest, compareWithServer } from './against.js';
import { type Baseline, judgeChange } from './change.js';
import { type DrillRequest, restoreDrill } from './drill.js';
import { Profile } from './profile.js';
import type { RetentionRules } from './retention.js';
import {
  type DatasetFacts,
  judgeCheck,
  judgeFacts,
  type RuleResult,
  type SavedBy,
  type VerifyRules,
} from './rules.js';
import { PREFIXES_REMEMBERED } from './state.js';
import type { AgainstReport, DrillReport, SourceVerdict } from './verdict.js';

/** One backup, and what it is held to. */
export interface VerifyTarget {
  /** How reports, metrics and the state call it. */
  readonly name: string;
  readonly path: string;
  readonly prefer: OpenOptions['prefer'];
  readonly rules: VerifyRules;
  readonly drill: Omit<DrillRequest, 'dialect'> | null;
  /** Null: compared with no server. */
  readonly against: (AgainstRequest & { readonly maxDrift: number }) | null;
  /** Null: the path is one backup; else a directory of them, and what must be there. */
  readonly backups: RetentionRules | null;
  /** The character behind a prefix. */
  readonly separator: string;
  /** How live servers are reached that are sources; missing: as their address alone says. */
  readonly live?: NonNullable<OpenOptions['live']>;
}

/** What the verification of a source takes besides it. */
export interface SourceSurroundings {
  readonly dialect: DialectName | null;
  readonly stdin: OpenOptions['stdin'];
  readonly baseline: Baseline | null;
  readonly lastGoodMs: number | null;
}

/** A verdict, and what the next run is to be compared with if it was good. */
export interface SourceRun {
  readonly verdict: SourceVerdict;
  readonly baseline: Baseline | null;
  /** Files that were read. */
  readonly inputs: readonly EvidenceFile[];
}

/** Verifies one backup. Nothing that is wrong with it is thrown. @throws the signal's reason */
export function verifySource(
  target: VerifyTarget,
  surroundings: SourceSurroundings,
  context: ToolContext,
): Promise<SourceRun> {
  return settled(target, surroundings, context, (nothing) => read(target, surroundings, nothing, context));
}

/** What comes of a reading, or of what it throws: a source that cannot be read is a verdict, too. */
export async function settled(
  target: VerifyTarget,
  surroundings: SourceSurroundings,
  context: ToolContext,
  reading: (nothing: SourceVerdict) => Promise<SourceRun>,
): Promise<SourceRun> {
  const startedAt = context.clock();
  const nothing: SourceVerdict = {
    ...UNSEEN,
    name: target.name,
    path: shownSource(target.path),
    atMs: context.nowMs,
    lastGoodMs: surroundings.lastGoodMs,
  };
  const done = (run: SourceRun): SourceRun => {
    const ok = run.verdict.rules.every((rule) => rule.ok);
    const lastGoodMs = ok ? context.nowMs : surroundings.lastGoodMs;
    const durationMs = context.clock() - startedAt;
    return { ...run, verdict: { ...run.verdict, ok, lastGoodMs, durationMs } };
  };
  try {
    return done(await reading(nothing));
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof InputError) {
      const { code, message, hint } = error;
      const path = shownSource(error.path);
      const rules = [ruleOf('readable', code)];
      return done({ ...NO_RUN, verdict: { ...nothing, rules, unreadable: { code, path, message, hint } } });
    }
    if (error instanceof DamageError) {
      const { finding } = error;
      const rules = [ruleOf('intact', finding.code)];
      return done({ ...NO_RUN, verdict: { ...nothing, rules, damage: finding, errors: 1 } });
    }
    throw error;
  }
}

const NO_RUN = { baseline: null, inputs: [] } as const;

/** A verdict of what was not looked at. */
export const UNSEEN: SourceVerdict = {
  name: '',
  path: '',
  ok: false,
  atMs: 0,
  durationMs: 0,
  rules: [],
  facts: null,
  check: null,
  errors: 0,
  warnings: 0,
  damage: null,
  unreadable: null,
  drill: null,
  against: null,
  backups: null,
  lastGoodMs: null,
  notChecked: [],
};

function ruleOf(name: 'readable' | 'intact', code: string): RuleResult {
  const value = name === 'intact' ? 1 : code;
  return { name, ok: false, value, limit: name === 'intact' ? 0 : null, of: '', detail: { first: code } };
}

async function read(
  target: VerifyTarget,
  { dialect, stdin, baseline }: SourceSurroundings,
  nothing: SourceVerdict,
  context: ToolContext,
): Promise<SourceRun> {
  const { rules, drill, against } = target;
  const { signal, nowMs } = context;
  // Read once, unless something is to be done with it afterwards.
  const again = drill !== null || target.against !== null;
  const { prefer, live } = target;
  const options = {
    prefer,
    signal,
    readsOn: !again,
    again,
    stdin,
    hold: true,
    ...(live !== undefined && { live }),
  };
  const source = await openSource(target.path, options);
  const profile = new Profile({
    nowMs,
    required: rules.required,
    separator: Buffer.from(target.separator)[0] ?? COLON,
    latestMs: rules.maxTtlMs === null ? null : nowMs + rules.maxTtlMs,
    sample: against?.sample ?? 0,
  });
  const report = await check(source, { quick: false, dialect, watch: profile }, context);
  const intact = judgeCheck(report, rules.strict);
  let counted: Profile | null = isExecuted(report) ? null : profile;
  let drilled: DrillReport | null = null;
  if (drill !== null && intact.ok) {
    const restored = profile.fresh();
    drilled = await restoreDrill(source, { ...drill, dialect }, restored, context);
    if (drilled.keys !== null) counted = restored;
  }
  let compared: AgainstReport | null = null;
  if (against !== null && intact.ok) {
    // Of a log that was not executed only some names are known: all of it is compared then.
    const names = counted?.sample?.names() ?? null;
    compared = await compareWithServer(source, against, names, dialect, context);
  }
  const inputs = await filesOf(source, report);
  const facts = factsOf(report, profile, counted, inputs);
  const prefixesOf = counted?.prefixes;
  const results = [
    intact,
    ...judgeFacts(facts, rules, nowMs),
    ...judgeChange(facts, (prefix) => prefixesOf?.of(prefix) ?? 0, baseline, rules),
    ...(drilled === null ? [] : [drillRule(drilled)]),
    ...(compared === null ? [] : [againstRule(compared, against!.maxDrift)]),
  ];
  const verdict: SourceVerdict = {
    ...nothing,
    rules: results,
    facts,
    check: report,
    ...countFindings(report, rules.strict),
    drill: drilled,
    against: compared,
    notChecked: [
      ...report.notChecked.filter(({ what }) => drilled?.ok !== true || what !== COMMANDS_NOT_EXECUTED),
      ...unjudged(target, baseline, facts),
    ],
  };
  return { verdict, baseline: baselineOf(facts, nowMs), inputs };
}

const COLON = 58;

/** What a check says of a log, and no longer holds once it was restored. */
const COMMANDS_NOT_EXECUTED = 'effect of commands';

function drillRule(drill: DrillReport): RuleResult {
  const { kind, ok, digest, serverDigest, why } = drill;
  return { name: 'drill', ok, value: digest, limit: serverDigest, of: kind, detail: { why } };
}

function againstRule({ drift, why, server }: AgainstReport, limit: number): RuleResult {
  const ok = drift !== null && drift <= limit;
  return { name: 'against', ok, value: drift, limit, of: server, detail: { why } };
}

/** Whether the keys are known only once commands are executed. */
const isExecuted = ({ files }: CheckReport): boolean => files.some(({ commands }) => (commands ?? 0) > 0);

function countFindings({ files }: CheckReport, strict: boolean): Pick<SourceVerdict, 'errors' | 'warnings'> {
  const all = files.flatMap((file) => file.findings);
  const errors = all.filter(({ code }) => strict || FINDINGS[code] === 'error').length;
  return { errors, warnings: all.length - errors };
}

/** `read` is what went by while the files were checked, `counted` the whole dataset where it is known. */
function factsOf(
  { files }: CheckReport,
  read: Profile,
  counted: Profile | null,
  inputs: readonly EvidenceFile[],
): DatasetFacts {
  const data = files.filter(({ format }) => format !== 'manifest');
  const rdb = data.find(({ version }) => version !== null);
  const commands = data.reduce((sum, file) => sum + (file.commands ?? 0), 0);
  return {
    bytes: data.reduce((sum, file) => sum + file.bytes, 0),
    keys: counted?.keys ?? null,
    commands,
    withExpiry: counted?.withExpiry ?? null,
    expired: counted?.expired ?? null,
    beyondTtl: counted?.beyond ?? null,
    found: counted?.found ?? null,
    ...savedOf(read, commands > 0, inputs),
    server: read.producer.server,
    dialect: rdb?.dialect ?? null,
    rdbVersion: rdb?.version ?? null,
    prefixes: counted?.prefixes.largest(PREFIXES_REMEMBERED) ?? null,
  };
}

/** Of a log its last annotation tells, of an RDB the field it opens with; where they don't, the files' own times. */
function savedOf(
  { lastSeconds, producer }: Profile,
  isLog: boolean,
  inputs: readonly EvidenceFile[],
): { savedAtMs: number | null; savedBy: SavedBy | null } {
  if (lastSeconds !== null) return { savedAtMs: lastSeconds * 1000, savedBy: 'annotation' };
  if (!isLog && producer.savedAtMs !== null) return { savedAtMs: producer.savedAtMs, savedBy: 'ctime' };
  const newest = Math.max(...inputs.map(({ modifiedMs }) => modifiedMs));
  return Number.isFinite(newest)
    ? { savedAtMs: newest, savedBy: 'mtime' }
    : { savedAtMs: null, savedBy: null };
}

const baselineOf = ({ bytes, keys, prefixes }: DatasetFacts, atMs: number): Baseline => ({
  atMs,
  bytes,
  keys,
  prefixes,
});

/** The files that were read, as the file system tells of them; of an archive the archive. */
async function filesOf(source: Source, { files }: CheckReport): Promise<EvidenceFile[]> {
  const opened = source.kind === 'rdb' ? [source.bytes] : source.set.files.map((file) => file.source);
  const list: EvidenceFile[] = [];
  for (const path of new Set(files.map((file) => file.path))) {
    const stats = await statsOf(path);
    if (stats?.isFile() !== true) continue;
    const { size: bytes, mtimeMs: modifiedMs, mode, uid, gid } = stats;
    const bytesOf = opened.find(({ label }) => label === path) ?? null;
    list.push({ name: path, path, bytes, modifiedMs, mode: mode & 0o7777, uid, gid, source: bytesOf });
  }
  if (list.length > 0) return list;
  const stats = await statsOf(source.path);
  if (stats?.isFile() !== true) return [];
  const { size: bytes, mtimeMs: modifiedMs, mode, uid, gid } = stats;
  return [
    { name: source.path, path: source.path, bytes, modifiedMs, mode: mode & 0o7777, uid, gid, source: null },
  ];
}

/** What was asked for and could not be judged. */
function unjudged(
  { path, rules }: VerifyTarget,
  baseline: Baseline | null,
  facts: DatasetFacts,
): NotChecked[] {
  const changes = rules.maxShrink !== null || rules.maxGrowth !== null || rules.maxPrefixShrink !== null;
  if (!changes) return [];
  const note = (what: string, why: string): NotChecked => ({
    path: shownSource(path),
    what,
    why,
    routine: false,
  });
  if (baseline === null)
    return [note('change', 'no good run is remembered to compare with: this one will be')];
  if (facts.keys === null) {
    return [note('change in keys', 'keys of a log are known once it is executed: --drill embedded does')];
  }
  return [];
}
