import { dirname, join } from 'node:path';
import { NO_CUT } from '../aof/cut.js';
import { type AofSet, openAofSet } from '../aof/set.js';
import { type AofPlan, nothing, writeAofFiles } from '../aof/writer.js';
import { DirectoryTarget } from '../bytes/directory-target.js';
import { type Disk, localDisk } from '../bytes/disk.js';
import type { FileTarget } from '../bytes/target.js';
import { OutputError, UsageError } from '../errors.js';
import type { DialectName } from '../rdb/dialect.js';
import type { RdbTarget } from '../rdb/writer-target.js';
import type { ToolContext } from './context.js';
import { type DigestReport, digestKeyspace } from './digest.js';
import { type Server, TODAY } from './family.js';
import { EVERY_KEY } from './filter.js';
import { refuseInside } from './output-place.js';
import { type Rebuilt, rebuild } from './rebuild.js';
import { filenameOf } from './replay/cut-copy.js';
import { KeySelection } from './replay/selection.js';
import { asLog, type Source } from './source.js';
import { oldestTarget, targetOf } from './target-choice.js';
import {
  assertForm,
  DatasetContent,
  folderIn,
  type OutputForm,
  type OutputRequest,
  OutputSlot,
  type WrittenOutput,
} from './write-dataset.js';

export interface CompactOptions {
  /** `aofdir` or `aof`. */
  readonly output: OutputRequest;
  /** The server that is to load it; null: the one that wrote the log, else the oldest that takes it as it is. */
  readonly target: RdbTarget | null;
  /** Whether the base is an RDB; false: commands. */
  readonly preamble: boolean;
  readonly dialect: DialectName | null;
}

/** What a log held or holds. */
export interface LogSize {
  readonly bytes: number;
  readonly files: number;
  /** Commands in effect. */
  readonly commands: number;
  readonly keys: number;
  readonly digest: string;
}

export interface CompactReport {
  readonly before: LogSize;
  readonly after: LogSize;
  /** The server it is written for. */
  readonly target: string;
  /** How the digests are computed. */
  readonly as: DigestReport['chosen'];
  readonly output: WrittenOutput & { readonly path: string; readonly form: OutputForm };
  /** A torn tail that was left out, and what servers load all the same. */
  readonly findings: Rebuilt['end']['findings'];
  readonly notChecked: DigestReport['notChecked'];
}

/**
 * Rewrites a log as servers do, without one: what it leads to as a base, and nothing behind it. The result is read back
 * and shows only when its digest is that of the log.
 *
 * @throws DamageError when the log is damaged or holds a command the engine does not know
 * @throws UsageError for an output that cannot be, OutputError when writing fails or the result is another dataset
 */
export async function compact(
  source: Source,
  options: CompactOptions,
  context: ToolContext,
  disk: Disk = localDisk,
): Promise<CompactReport> {
  const set = await asLog(source);
  const { output } = options;
  await refuseInside(output.path, source, set);
  if (options.target !== null) assertForm(output.form, options.target);
  const slot = await OutputSlot.take(output);
  try {
    return await compactInto(slot, set, options, context, disk);
  } finally {
    await slot.close();
  }
}

async function compactInto(
  slot: OutputSlot,
  set: AofSet,
  options: CompactOptions,
  context: ToolContext,
  disk: Disk,
): Promise<CompactReport> {
  const { output, dialect, preamble } = options;
  const rebuilt = await rebuild(set, { cut: NO_CUT, as: null, onUnknown: 'stop', dialect }, context);
  const digest = await digestOf(rebuilt, null, context);
  const as = rebuilt.producer ?? TODAY;
  const selection = new KeySelection(rebuilt.keyspace, EVERY_KEY, context.nowMs);
  const target = options.target ?? targetFor(rebuilt, selection, set, output.form);
  assertForm(output.form, target);
  await refuseNoRoom(output.path, set, disk);
  const content = new DatasetContent(selection, target, context);
  const base = preamble ? content.rdb(true) : content.file('resp');
  const plan = planOf(set, preamble, base);
  let after: LogSize | null = null;
  const put = async (place: FileTarget | DirectoryTarget): Promise<number> => {
    if (place instanceof DirectoryTarget) {
      const folder = folderIn(output.path);
      await writeAofFiles(place, folder, plan);
      after = await measure(join(place.stagedPath, folder), as, options, context);
    } else {
      await (preamble ? content.file('aof') : base)(place);
      await place.beginSync();
      after = await measure(place.stagedPath, as, options, context);
    }
    if (after.digest !== digest.digest && content.lostCount === 0) throw different(output.path);
    return after.bytes;
  };
  const written = await slot.fill(put, context, content);
  const { end, keyspace } = rebuilt;
  return {
    before: sizeOf(set, end.applied, keyspace.size, digest.digest),
    after: after!,
    target: target.name,
    as: digest.chosen,
    output: { ...written, path: output.path, form: output.form },
    findings: end.findings,
    notChecked: digest.notChecked,
  };
}

/** The files a server's rewrite would name next. */
function planOf(set: AofSet, preamble: boolean, write: AofPlan['increments'][0]['write']): AofPlan {
  const seqs = (role: string) => set.files.filter((file) => file.role === role).map(({ seq }) => Number(seq));
  const next = (role: string) => Math.max(0, ...seqs(role)) + 1;
  return {
    filename: filenameOf(set),
    base: { seq: next('base'), format: preamble ? 'rdb' : 'aof', write },
    increments: [{ seq: next('incr'), write: nothing }],
  };
}

function targetFor(rebuilt: Rebuilt, selection: KeySelection, set: AofSet, form: OutputForm): RdbTarget {
  const known = rebuilt.producer === null ? null : targetOf(rebuilt.producer);
  if (known !== null && (form !== 'aofdir' || known.aux === 'aof-base')) return known;
  const { fieldTtls } = selection.survey();
  return oldestTarget({ fromManifest: set.manifestPath !== null || form === 'aofdir', fieldTtls });
}

function digestOf(rebuilt: Rebuilt, as: Server | null, context: ToolContext): Promise<DigestReport> {
  return digestKeyspace(rebuilt, { as, dialect: null, conditions: EVERY_KEY, keys: null }, context);
}

/** Reads back what was written, before it shows. */
async function measure(
  path: string,
  as: Server,
  { dialect }: CompactOptions,
  context: ToolContext,
): Promise<LogSize> {
  const set = await openAofSet(path);
  const rebuilt = await rebuild(set, { cut: NO_CUT, as: null, onUnknown: 'stop', dialect }, context);
  const { digest } = await digestOf(rebuilt, as, context);
  return sizeOf(set, rebuilt.end.applied, rebuilt.keyspace.size, digest);
}

function sizeOf(set: AofSet, commands: number, keys: number, digest: string): LogSize {
  const bytes = set.files.reduce((sum, { size }) => sum + (size ?? 0), 0);
  return { bytes, files: set.files.length, commands, keys, digest };
}

/** A rewrite is rarely larger than the log, so that much must be free, or what the base took before where that is more. */
async function refuseNoRoom(path: string, set: AofSet, disk: Disk): Promise<void> {
  const base = set.files.find(({ role }) => role === 'base');
  const wanted = base?.size ?? 0;
  const free = await disk.freeBytes(dirname(path)).catch(() => Number.POSITIVE_INFINITY);
  if (free >= wanted) return;
  throw new OutputError(
    path,
    `the base of the log alone has ${wanted} bytes, the file system has ${free} free`,
    'write to another file system, or free some space',
  );
}

function different(path: string): OutputError {
  return new OutputError(
    path,
    'read back, the compacted log leads to another dataset: nothing was written',
    'please report this: it is a defect of rekindle or of the disk',
  );
}

/** @throws UsageError for a form that is no log */
export function assertLog(form: OutputForm): void {
  if (form === 'aofdir' || form === 'aof') return;
  throw new UsageError(
    `--out: a compacted log is no ${form}`,
    'give a directory, or NAME.aof for servers before 7.0; `rekindle replay` writes the other forms',
  );
}
