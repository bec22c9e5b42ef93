import { singleFileSet } from '../aof/set.js';
import { type Disk, localDisk } from '../bytes/disk.js';
import { FileSource } from '../bytes/source.js';
import { UsageError } from '../errors.js';
import type { Finding } from '../model/finding.js';
import type { DialectName } from '../rdb/dialect.js';
import type { ToolContext } from './context.js';
import { refuseInside } from './output-place.js';
import type { Backup } from './repair/backup.js';
import { isSingleFile, type StagedOutput, stageDirectory, stageFile } from './repair/output.js';
import type { StrategyPlan } from './repair/plan.js';
import { Quarantine, type QuarantineReport } from './repair/quarantine.js';
import { checkResult } from './repair/result-check.js';
import { planLog } from './repair/set-plan.js';
import { asLog, openSource, type Source } from './source.js';

export interface PlanOptions {
  /** Keep what reads of a damaged large value. */
  readonly partial: boolean;
  /** Keep whole records that may be the content of a value. */
  readonly doubtful: boolean;
  readonly dialect: DialectName | null;
}

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
 * @throws InputError when a file cannot be read
 */
export async function planRepair(
  source: Source,
  _options: PlanOptions,
  context: ToolContext,
): Promise<RepairPlan> {
  const strategies = await planLog(await asLog(source), context);
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
  const { output } = options;
  if (output.kind === 'in-place') throw new UsageError('--in-place is not there yet', 'use --out');
  await refuseInside(output.path, plan.source, await asLog(plan.source));
  const quarantine =
    options.quarantinePath === null || plan.intact
      ? null
      : await Quarantine.create(options.quarantinePath, options.force, disk);
  let published = false;
  let staged: StagedOutput | null = null;
  try {
    staged = await stage(plan, chosen, { ...output, force: options.force }, context, disk);
    const faults = await checkStaged(plan.source, staged, options.dialect, context);
    if (faults.length > 0) return { ...nothing, refusal: 'not-clean', faults };
    const report = quarantine === null ? null : await quarantine.write(chosen.files, context);
    context.signal.throwIfAborted();
    await staged.publish();
    published = true;
    return { ...nothing, output: output.path, quarantine: report, staged };
  } finally {
    if (!published) await quarantine?.discard();
    await staged?.discard();
  }
}

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
  { stagedPath }: StagedOutput,
  dialect: DialectName | null,
  context: ToolContext,
): Promise<Finding[]> {
  const common = { path: stagedPath, choice: '', isDirectory: false };
  if (isSingleFile(source)) {
    const bytes = await FileSource.at(stagedPath);
    if (source.kind === 'rdb') return checkResult({ ...common, kind: 'rdb', bytes }, dialect, context);
    return checkResult({ ...common, kind: 'aof', set: await singleFileSet(bytes) }, dialect, context);
  }
  const options = { prefer: source.kind, stdin: null, signal: context.signal };
  return checkResult(await openSource(stagedPath, options), dialect, context);
}
