import { dirname } from 'node:path';
import { type AofFileEntry, singleFileSet } from '../aof/set.js';
import { type Disk, localDisk } from '../bytes/disk.js';
import { FileSource } from '../bytes/source.js';
import { UsageError } from '../errors.js';
import type { Finding } from '../model/finding.js';
import type { DialectName } from '../rdb/dialect.js';
import type { ToolContext } from './context.js';
import { refuseInside, refuseOutside } from './output-place.js';
import type { Backup } from './repair/backup.js';
import { InPlace } from './repair/in-place.js';
import { isSingleFile, type StagedOutput, stageDirectory, stageFile } from './repair/output.js';
import type { FileOutcome, PlanOptions, StrategyPlan } from './repair/plan.js';
import { Quarantine, type QuarantineReport } from './repair/quarantine.js';
import { planSingleRdb } from './repair/rdb-file.js';
import { assembledSet, checkResult } from './repair/result-check.js';
import { planLog } from './repair/set-plan.js';
import { asLog, atHand, openSource, type Source } from './source.js';

/** What is wrong with a dataset and what each way out of it costs. */
export interface RepairPlan {
  readonly source: Source;
  /** True when there is nothing to repair. */
  readonly intact: boolean;
  /** For a log `truncate` and `skip`, for an RDB `salvage`. */
  readonly strategies: readonly StrategyPlan[];
}

export interface RepairOptions extends PlanOptions {
  /** For a log; an RDB has one way out. */
  readonly strategy: 'truncate' | 'skip';
  /** Repair only if no more bytes than this are lost; null: whatever it costs. */
  readonly maxLossBytes: number | null;
  readonly output: RepairOutput;
  /** Where the dropped bytes go; null: nowhere. */
  readonly quarantinePath: string | null;
  /** Replace what stands under the names of the outputs. */
  readonly force: boolean;
}

export type RepairOutput =
  | { readonly kind: 'path'; readonly path: string; readonly link: boolean }
  | { readonly kind: 'in-place'; readonly trusted: boolean };

/** Why nothing was done though there was something to do. */
export type Refusal =
  /** The strategy cannot be carried out, see its `obstacle`. */
  | 'obstacle'
  /** It would lose more than allowed, or nobody can tell how much. */
  | 'max-loss'
  /** What was made of it does not check clean. */
  | 'not-clean';

export interface RepairReport {
  readonly plan: RepairPlan;
  readonly chosen: StrategyPlan;
  readonly refusal: Refusal | null;
  /** What is wrong with the result, when that is why. */
  readonly faults: readonly Finding[];
  /** What was written; null: nothing. */
  readonly output: string | null;
  readonly backups: readonly Backup[];
  readonly quarantine: QuarantineReport | null;
  readonly staged: Pick<StagedOutput, 'carried' | 'leftBehind' | 'notOwned' | 'backupPath'> | null;
}

/**
 * Finds out what is wrong with a dataset and how it could be repaired. Changes nothing.
 *
 * @throws InputError when a file cannot be read, DamageError when it is packed and cannot be unpacked
 */
export async function planRepair(
  given: Source,
  options: PlanOptions,
  context: ToolContext,
): Promise<RepairPlan> {
  // What is behind damage is looked for from any place, and what is kept is copied from there.
  const source = await atHand(given, context.signal);
  const strategies =
    source.kind === 'aof'
      ? await planLog(source.set, options, context)
      : [await planSingleRdb(source.bytes, options, context)];
  const intact = strategies.every(({ actions }) => actions.length === 0);
  return { source, intact, strategies };
}

/** The strategy that will be carried out: for an RDB the only one. */
export function chosenOf(plan: RepairPlan, strategy: 'truncate' | 'skip'): StrategyPlan {
  return plan.strategies.find(({ name }) => name === strategy) ?? plan.strategies[0]!;
}

/**
 * Carries a plan out. What is written is checked before it shows; it appears whole or not at all.
 *
 * @throws OutputError UsageError InputError, and the signal's reason
 */
export async function applyRepair(
  plan: RepairPlan,
  options: RepairOptions,
  context: ToolContext,
  disk: Disk = localDisk,
): Promise<RepairReport> {
  const chosen = chosenOf(plan, options.strategy);
  const nothing: RepairReport = {
    plan,
    chosen,
    refusal: null,
    faults: [],
    output: null,
    backups: [],
    quarantine: null,
    staged: null,
  };
  const refusal = refusalOf(chosen, options.maxLossBytes);
  if (refusal !== null) return { ...nothing, refusal };
  return new Carrier(plan, chosen, options, nothing, context, disk).run();
}

/** Carries one plan out. */
class Carrier {
  private readonly quarantined: FileOutcome[];

  constructor(
    private readonly plan: RepairPlan,
    private readonly chosen: StrategyPlan,
    private readonly options: RepairOptions,
    private readonly nothing: RepairReport,
    private readonly context: ToolContext,
    private readonly disk: Disk,
  ) {
    this.quarantined = chosen.files.filter(({ dropped }) => dropped.length > 0);
  }

  run(): Promise<RepairReport> {
    const { output } = this.options;
    if (output.kind === 'path') return this.out(output);
    return this.plan.intact ? Promise.resolve(this.nothing) : this.inPlace(output.trusted);
  }

  private async out(output: Extract<RepairOutput, { kind: 'path' }>): Promise<RepairReport> {
    const { plan, chosen, options, nothing, context, disk } = this;
    await refuseInside(output.path, plan.source, await asLog(plan.source));
    const quarantine = await this.openQuarantine();
    let published = false;
    let staged: StagedOutput | null = null;
    try {
      staged = await stage(plan, chosen, { ...output, force: options.force }, context, disk);
      const faults = await checkStaged(plan.source, staged.stagedPath, options.dialect, context);
      if (faults.length > 0) return { ...nothing, refusal: 'not-clean', faults };
      const report = (await quarantine?.write(this.quarantined, context)) ?? null;
      context.signal.throwIfAborted();
      await staged.publish();
      published = true;
      return { ...nothing, output: output.path, quarantine: report, staged };
    } finally {
      if (!published) await quarantine?.discard();
      await staged?.discard();
    }
  }

  private async inPlace(trusted: boolean): Promise<RepairReport> {
    const { plan, chosen, nothing, context, disk } = this;
    const { source } = plan;
    if (chosen.files.some((file) => file.source !== null && !(file.source instanceof FileSource))) {
      throw new UsageError(
        `--in-place: ${source.path} is packed or a pipe, and cannot be repaired where it stands`,
        'write the repaired dataset somewhere with --out',
      );
    }
    const set = await asLog(source);
    const named = source.isDirectory ? source.path : set.manifestPath !== null ? set.directory : null;
    const rooms = named !== null ? [set.directory] : [];
    if (source.isDirectory) rooms.push(source.path);
    else for (const { path } of chosen.files) rooms.push(dirname(path));
    for (const { path, change } of chosen.files) {
      if (change !== 'keep' && named !== null) await refuseOutside(path, named);
    }
    const inPlace = await InPlace.prepare(chosen.files, rooms, trusted, context, disk);
    const quarantine = await this.openQuarantine();
    let published = false;
    try {
      await inPlace.write(chosen.files);
      const faults = await this.checkInPlace(inPlace);
      if (faults.length > 0) return { ...nothing, refusal: 'not-clean', faults };
      const report = (await quarantine?.write(this.quarantined, context)) ?? null;
      await inPlace.backUp();
      context.signal.throwIfAborted();
      await inPlace.publish();
      published = true;
      const staged = { carried: [], leftBehind: [], notOwned: inPlace.notOwned, backupPath: null };
      return { ...nothing, output: source.path, backups: inPlace.backups, quarantine: report, staged };
    } finally {
      if (!published) await quarantine?.discard();
      await inPlace.discard();
    }
  }

  private openQuarantine(): Promise<Quarantine | null> {
    const { options, plan, disk } = this;
    const { quarantinePath, force } = options;
    if (quarantinePath === null || plan.intact) return Promise.resolve(null);
    return Quarantine.create(quarantinePath, force, disk);
  }

  /** The files of the result do not stand under their names yet. */
  private async checkInPlace(inPlace: InPlace): Promise<Finding[]> {
    const { plan, chosen, options, context } = this;
    const { source } = plan;
    const paths = chosen.files.flatMap((file) =>
      isManifest(file) ? [] : (inPlace.stagedPathOf(file) ?? []),
    );
    if (source.kind === 'rdb') return checkFileAt(paths[0]!, 'rdb', options.dialect, context);
    const files: AofFileEntry[] = [];
    for (const path of paths) files.push((await singleFileSet(await FileSource.at(path))).files[0]!);
    const set = assembledSet(source.set, files);
    return checkResult({ ...source, kind: 'aof', set }, options.dialect, context);
  }
}

const isManifest = ({ pieces, path }: FileOutcome): boolean =>
  pieces.some(({ kind }) => kind === 'text') || path.endsWith('.manifest');

function refusalOf(chosen: StrategyPlan, maxLossBytes: number | null): Refusal | null {
  if (chosen.obstacle !== null) return 'obstacle';
  if (maxLossBytes === null) return null;
  const unknown = chosen.actions.some(({ kind }) => kind === 'forget-missing');
  return unknown || chosen.lostBytes > maxLossBytes ? 'max-loss' : null;
}

type StageOptions = Parameters<typeof stageDirectory>[2];

function stage(
  { source }: RepairPlan,
  { files }: StrategyPlan,
  options: StageOptions,
  context: ToolContext,
  disk: Disk,
): Promise<StagedOutput> {
  return isSingleFile(source)
    ? stageFile(files[0]!, options, context, disk)
    : stageDirectory(source, files, options, context, disk);
}

async function checkStaged(
  source: Source,
  stagedPath: string,
  dialect: DialectName | null,
  context: ToolContext,
): Promise<Finding[]> {
  if (isSingleFile(source)) return checkFileAt(stagedPath, source.kind, dialect, context);
  const options = { prefer: source.kind, stdin: null, signal: context.signal };
  return checkResult(await openSource(stagedPath, options), dialect, context);
}

async function checkFileAt(
  path: string,
  kind: Source['kind'],
  dialect: DialectName | null,
  context: ToolContext,
): Promise<Finding[]> {
  const common = { path, choice: '', isDirectory: false };
  const bytes = await FileSource.at(path);
  if (kind === 'rdb') return checkResult({ ...common, kind, bytes }, dialect, context);
  return checkResult({ ...common, kind, set: await singleFileSet(bytes) }, dialect, context);
}
