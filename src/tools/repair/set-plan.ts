import type { AofSet } from '../../aof/set.js';
import type { Finding, FindingCode } from '../../model/finding.js';
import type { ToolContext } from '../context.js';
import { type LogFileSurvey, surveyLogFile } from './log-file.js';
import type { LostRange } from './log-losses.js';
import { type ManifestRepair, repairManifest } from './manifest.js';
import {
  type ActionKind,
  type ByteRange,
  type Doubts,
  type FileOutcome,
  NO_DOUBTS,
  type Obstacle,
  type Piece,
  type PlanOptions,
  type RepairAction,
  type StrategyPlan,
  strategyOf,
} from './plan.js';

/** A file as its set names it: there, or missing. */
type Member =
  | { readonly path: string; readonly survey: LogFileSurvey }
  | { readonly path: string; readonly survey: null; readonly isBase: boolean; readonly because: Finding };

/** Both ways out for a log, in the order in which they are offered. Both without actions: nothing is wrong. */
export async function planLog(
  set: AofSet,
  options: PlanOptions,
  context: ToolContext,
): Promise<StrategyPlan[]> {
  const manifest = await repairManifest(set);
  const members: Member[] = [];
  for (const { entry, path, because, isBase } of manifest.members) {
    if (entry !== null) members.push({ path, survey: await surveyLogFile(entry, options, context) });
    else members.push({ path, survey: null, isBase, because: because! });
  }
  return [true, false].map((truncating) => new LogPlan(manifest, members, options, truncating).strategy());
}

class LogPlan {
  private readonly actions: RepairAction[] = [];
  private readonly files: FileOutcome[] = [];
  private obstacle: Obstacle | null = null;
  /** True behind the cut of a truncation. */
  private cut = false;
  /** True when something in front of the damage, or the file of it, is kept. */
  private keeps = false;
  private doubts = NO_DOUBTS;

  constructor(
    private readonly manifest: ManifestRepair,
    private readonly members: readonly Member[],
    private readonly options: PlanOptions,
    private readonly truncating: boolean,
  ) {}

  strategy(): StrategyPlan {
    const { members, truncating, actions } = this;
    members.forEach((member, index) => {
      if (this.cut) this.leaveOut(member);
      else if (member.survey === null) this.forget(member);
      else this.file(member.survey, index === members.length - 1);
    });
    this.finishManifest();
    if (this.obstacle === null && actions.length > 0 && !this.keeps) {
      this.obstacle = truncating ? 'nothing-before' : 'nothing-left';
    }
    return strategyOf(truncating ? 'truncate' : 'skip', this.obstacle, actions, this.files, this.doubts);
  }

  private forget(member: Extract<Member, { survey: null }>): void {
    this.actions.push({
      file: member.path,
      kind: 'forget-missing',
      from: 0,
      to: 0,
      lostBytes: 0,
      lostCommands: null,
      lostKeys: null,
      because: member.because,
    });
    if (!this.truncating) return;
    if (member.isBase) this.obstacle ??= 'base-missing';
    this.cut = true;
  }

  private leaveOut({ path, survey }: Member): void {
    if (survey === null) return;
    this.actions.push({
      file: path,
      kind: 'leave-out',
      from: 0,
      to: survey.bytes,
      lostBytes: survey.bytes,
      lostCommands: survey.commands,
      lostKeys: survey.commands === 0 && survey.preamble === null ? 0 : null,
      because: null,
    });
    const dropped = survey.bytes === 0 ? [] : [{ from: 0, to: survey.bytes }];
    const { source } = survey.entry;
    this.files.push({ path, source, bytes: survey.bytes, change: 'remove', pieces: [], dropped });
  }

  private file(survey: LogFileSurvey, last: boolean): void {
    const { path, source } = survey.entry;
    const { preamble, bytes } = survey;
    const lost = this.lossOf(survey, last);
    if (preamble !== null) {
      this.actions.push(...preamble.actions);
      this.add(preamble.doubts);
      if (this.truncating && !preamble.proven) this.obstacle ??= 'base-damaged';
    }
    for (const range of lost) this.actions.push(this.actionOf(range, survey, last));
    if (this.truncating && survey.truncate !== null) this.cut = true;
    const { guessedDatabase: guessedDatabases, brokenTransactions, brokenCommands } = survey;
    if (!this.truncating) this.add({ ...NO_DOUBTS, guessedDatabases, brokenTransactions, brokenCommands });
    const kept = keptOf(preamble?.survey.end ?? 0, bytes, lost).map(
      (range): Piece => ({ kind: 'bytes', ...range }),
    );
    const pieces = [...(preamble?.pieces ?? []), ...kept];
    const changed = lost.length > 0 || (preamble?.actions.length ?? 0) > 0;
    if (!changed || preamble?.keeps === true || kept.length > 0) this.keeps = true;
    const dropped = [...(preamble?.dropped ?? []), ...lost.map(({ from, to }) => ({ from, to }))];
    this.files.push({ path, source, bytes, change: changed ? 'rewrite' : 'keep', pieces, dropped });
  }

  private add(more: Doubts): void {
    const { doubts } = this;
    this.doubts = {
      unprovenKeys: doubts.unprovenKeys + more.unprovenKeys,
      doubtful: doubts.doubtful + more.doubtful,
      doubtfulKept: this.options.doubtful,
      guessedDatabases: doubts.guessedDatabases + more.guessedDatabases,
      partialKeys: doubts.partialKeys + more.partialKeys,
      brokenTransactions: doubts.brokenTransactions + more.brokenTransactions,
      brokenCommands: doubts.brokenCommands + more.brokenCommands,
    };
  }

  private actionOf(range: LostRange, { entry, bytes }: LogFileSurvey, last: boolean): RepairAction {
    const { from, to, commands, why } = range;
    return {
      file: entry.path,
      kind: why === 'damage' && to === bytes ? 'truncate' : KINDS[why],
      from,
      to,
      lostBytes: to - from,
      lostCommands: commands,
      lostKeys: commands === 0 ? 0 : null,
      because: inPlaceOf(range.because, last),
    };
  }

  private lossOf({ truncate, skip, aside, markers }: LogFileSurvey, last: boolean): readonly LostRange[] {
    const lost = this.truncating ? [...markers, ...(truncate === null ? [] : [truncate])] : skip;
    if (aside === null) return lost;
    // Behind a torn annotation that nothing is appended to, servers read on.
    return last || aside.why === 'trailing' ? [...lost, aside] : lost;
  }

  /** The manifest is the last thing written; it changes when it was wrong or when it names other files now. */
  private finishManifest(): void {
    const { manifest, files, actions } = this;
    if (manifest.path === null) return;
    const removed = new Set(files.filter(({ change }) => change === 'remove').map(({ path }) => path));
    const stays = manifest.members.filter(({ entry, path }) => entry !== null && !removed.has(path));
    const isNew = manifest.because.length > 0 || stays.length < manifest.members.length;
    const { bytes, source } = manifest;
    if (!isNew) {
      files.push({ path: manifest.path, source, bytes, change: 'keep', pieces: [], dropped: [] });
      return;
    }
    const text = manifest.format(stays);
    const because = manifest.because[0] ?? null;
    actions.push({
      file: manifest.path,
      kind: 'rebuild-manifest',
      from: 0,
      to: bytes,
      lostBytes: 0,
      lostCommands: 0,
      lostKeys: 0,
      because,
    });
    files.push({
      path: manifest.path,
      source,
      bytes,
      change: 'rewrite',
      pieces: [{ kind: 'text', bytes: text }],
      dropped: [],
    });
    if (stays.length === 0) this.obstacle ??= 'nothing-left';
  }
}

const KINDS: Readonly<Record<LostRange['why'], ActionKind>> = {
  damage: 'drop',
  transaction: 'drop-transaction',
  marker: 'drop-marker',
  doubtful: 'drop-doubtful',
  annotation: 'drop-annotation',
  trailing: 'drop-trailing',
};

const TORN: ReadonlySet<FindingCode> = new Set(['aof/torn-tail', 'aof/open-transaction']);

/** A torn end that no server forgives has a code of its own. */
function inPlaceOf(because: Finding | null, last: boolean): Finding | null {
  if (because === null || last || !TORN.has(because.code)) return because;
  const code: FindingCode = 'aof/truncated';
  return { ...because, code };
}

/** What is left of `[start, end)` of a file without the ranges, which are in order. */
function keptOf(start: number, end: number, lost: readonly LostRange[]): ByteRange[] {
  const kept: ByteRange[] = [];
  let at = start;
  for (const { from, to } of lost) {
    if (from > at) kept.push({ from: at, to: from });
    at = to;
  }
  if (at < end) kept.push({ from: at, to: end });
  return kept;
}
