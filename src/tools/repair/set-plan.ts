import type { AofSet } from '../../aof/set.js';
import type { Finding } from '../../model/finding.js';
import type { ToolContext } from '../context.js';
import { type LogFileSurvey, type LostRange, surveyLogFile } from './log-file.js';
import { type ManifestRepair, repairManifest } from './manifest.js';
import {
  type ByteRange,
  type FileOutcome,
  NO_DOUBTS,
  type Obstacle,
  type Piece,
  type RepairAction,
  type StrategyPlan,
  strategyOf,
} from './plan.js';

/** A file as its set names it: there, or missing. */
type Member =
  | { readonly path: string; readonly survey: LogFileSurvey }
  | { readonly path: string; readonly survey: null; readonly isBase: boolean; readonly because: Finding };

/** Both ways out for a log, in the order in which they are offered. Both without actions: nothing is wrong. */
export async function planLog(set: AofSet, context: ToolContext): Promise<StrategyPlan[]> {
  const manifest = await repairManifest(set);
  const members: Member[] = [];
  for (const { entry, path, because, isBase } of manifest.members) {
    if (entry !== null) members.push({ path, survey: await surveyLogFile(entry, context) });
    else members.push({ path, survey: null, isBase, because: because! });
  }
  return [new LogPlan(manifest, members, true).strategy(), new LogPlan(manifest, members, false).strategy()];
}

class LogPlan {
  private readonly actions: RepairAction[] = [];
  private readonly files: FileOutcome[] = [];
  private obstacle: Obstacle | null = null;
  /** True behind the cut of a truncation. */
  private cut = false;
  /** True when something in front of the damage, or the file of it, is kept. */
  private keeps = false;

  constructor(
    private readonly manifest: ManifestRepair,
    private readonly members: readonly Member[],
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
    return strategyOf(truncating ? 'truncate' : 'skip', this.obstacle, actions, this.files, NO_DOUBTS);
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
      lostKeys: survey.commands === 0 ? 0 : null,
      because: null,
    });
    const dropped = survey.bytes === 0 ? [] : [{ from: 0, to: survey.bytes }];
    const { source } = survey.entry;
    this.files.push({ path, source, bytes: survey.bytes, change: 'remove', pieces: [], dropped });
  }

  private file(survey: LogFileSurvey, last: boolean): void {
    const { path } = survey.entry;
    if (survey.preamble !== null) this.obstacle ??= 'base-damaged';
    const lost = this.lossOf(survey, last);
    for (const range of lost) {
      this.actions.push({
        file: path,
        kind:
          range === survey.tornAnnotation
            ? 'drop-annotation'
            : range.to === survey.bytes
              ? 'truncate'
              : 'drop',
        from: range.from,
        to: range.to,
        lostBytes: range.to - range.from,
        lostCommands: range.commands,
        lostKeys: range.commands === 0 ? 0 : null,
        because: range.because,
      });
    }
    if (this.truncating && survey.truncate !== null) this.cut = true;
    const pieces = keptOf(survey.bytes, lost);
    if (pieces.length > 0 || lost.length === 0) this.keeps = true;
    this.files.push({
      path,
      source: survey.entry.source,
      bytes: survey.bytes,
      change: lost.length === 0 ? 'keep' : 'rewrite',
      pieces: pieces.map(({ from, to }): Piece => ({ kind: 'bytes', from, to })),
      dropped: lost.map(({ from, to }) => ({ from, to })),
    });
  }

  private lossOf(survey: LogFileSurvey, last: boolean): readonly LostRange[] {
    const { truncate, skip, tornAnnotation } = survey;
    const lost = this.truncating ? (truncate === null ? [] : [truncate]) : skip;
    return lost.length === 0 && last && tornAnnotation !== null ? [tornAnnotation] : lost;
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

/** What is left of a file of `bytes` bytes without the ranges, which are in order. */
function keptOf(bytes: number, lost: readonly LostRange[]): ByteRange[] {
  const kept: ByteRange[] = [];
  let at = 0;
  for (const { from, to } of lost) {
    if (from > at) kept.push({ from: at, to: from });
    at = to;
  }
  if (at < bytes) kept.push({ from: at, to: bytes });
  return kept;
}
