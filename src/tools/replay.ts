import { type Cut, NO_CUT } from '../aof/cut.js';
import type { LogEnd } from '../aof/log.js';
import type { AofSet } from '../aof/set.js';
import { lastTimestamp } from '../aof/timestamps.js';
import { UsageError } from '../errors.js';
import type { DialectName } from '../rdb/dialect.js';
import type { RdbTarget } from '../rdb/writer-target.js';
import type { CommandPattern } from '../resp/pattern.js';
import type { ToolContext } from './context.js';
import type { DigestReport } from './digest.js';
import type { Server } from './family.js';
import { EVERY_KEY, type KeyConditions } from './filter.js';
import { refuseInside } from './output-place.js';
import { type PassedOver, rebuild } from './rebuild.js';
import { filenameOf, findCut, writeCut } from './replay/cut-copy.js';
import { replayDataset } from './replay/parts/parted-replay.js';
import {
  type ChooseTarget,
  type Replayed,
  type ReplayRequest,
  wholeReplay,
} from './replay/parts/replayed.js';
import { identityOf } from './replay/progress-record.js';
import { type Proof, type ProveRequest, prove } from './replay/prove.js';
import type { KeySelection } from './replay/selection.js';
import type { SendReport, SendRequest, SendTarget } from './replay/send.js';
import { type Undone, UndoWatch } from './replay/undo.js';
import { asLog, type Source } from './source.js';
import { oldestTarget, targetOf } from './target-choice.js';
import {
  assertForm,
  folderIn,
  type OutputForm,
  type OutputRequest,
  OutputSlot,
  type WrittenOutput,
} from './write-dataset.js';

/** A cut as it is asked for: a time may count back from the end of the log. */
export interface CutRequest extends Cut {
  /** Milliseconds before the last annotation of the log; null: none. */
  readonly backMs: number | null;
}

/** Where to write the dataset, and for whom. */
export interface ReplayTarget extends OutputRequest {
  /** Null: the server that wrote the base, else the oldest that takes the dataset as it is. */
  readonly target: RdbTarget | null;
}

export interface ReplayOptions {
  readonly cut: CutRequest;
  /** The server whose digest is wanted; null: the one that wrote the base. */
  readonly as: Server | null;
  readonly onUnknown: 'stop' | 'skip';
  readonly dialect: DialectName | null;
  readonly output: ReplayTarget | null;
  /** Whether to compute the digest: it takes about a fifth of the time of a large replay. */
  readonly digest: boolean;
  /** What the digest must be, or nothing is written; null: anything. */
  readonly expectDigest: string | null;
  /** Which keys are digested and written. */
  readonly conditions: KeyConditions;
  /** Bring back only the keys that the first command from the cut on which matches removed; null: everything. */
  readonly undo: CommandPattern | null;
  /** The live server that gets the keys; null: none. */
  readonly send: SendRequest | null;
  /** Load the same cut into a private server and compare; null: don't. */
  readonly prove: ProveRequest | null;
  /** False: nothing is executed, the files are copied up to the cut. */
  readonly execute: boolean;
  /**
   * Executes the log so many times, each time for one part of the keys, as is done where memory is too short for all.
   * Missing: as memory asks for.
   */
  readonly parts?: number;
}

/** Everything, to the end, nowhere: what options are when nothing is asked for. */
export const PLAIN_REPLAY: ReplayOptions = {
  cut: { ...NO_CUT, backMs: null },
  as: null,
  onUnknown: 'stop',
  dialect: null,
  output: null,
  digest: true,
  expectDigest: null,
  conditions: EVERY_KEY,
  undo: null,
  send: null,
  prove: null,
  execute: true,
};

/** What `--undo` found. */
export interface UndoReport {
  /** Null when nothing was undone: then it is not as `matches` would have it. */
  readonly command: Undone | null;
  /** Commands that match and removed nothing, before that one. */
  readonly idle: number;
  /** Commands that match behind it: they are not undone. */
  readonly later: number;
}

export interface ReplayReport {
  readonly stoppedAt: LogEnd['stoppedAt'];
  /** Commands in effect, SELECT, MULTI and EXEC counted. */
  readonly applied: number;
  readonly skipped: readonly PassedOver[];
  readonly refused: readonly PassedOver[];
  readonly refusedCount: number;
  /** Null when it was not asked for. */
  readonly digest: DigestReport | null;
  /** Keys that pass the conditions; null when nothing was executed. */
  readonly keys: number | null;
  readonly databases: number;
  /** Keys at that point in time, whether they pass or not; null as above. */
  readonly allKeys: number | null;
  /** False when another digest was expected. */
  readonly asExpected: boolean;
  readonly output: ReplayOutput | null;
  readonly sent: SendReport | null;
  readonly proof: Proof | null;
  readonly undo: UndoReport | null;
  /** False when commands to stop before were named, none is in the log, and nothing else ended the replay early. */
  readonly matched: boolean;
  /** What servers load all the same, and a torn tail. */
  readonly findings: LogEnd['findings'];
  /** What makes a cut by time less than it seems, and what a replay cannot keep, one sentence each. */
  readonly cautions: readonly string[];
}

export interface ReplayOutput extends WrittenOutput {
  readonly path: string;
  readonly form: OutputForm;
  /** The server it is written for. */
  readonly target: string;
}

/**
 * Rebuilds the dataset of a log at a point in time, digests it and puts it somewhere. A digest that is expected is
 * computed whatever `digest` says.
 *
 * @throws DamageError when the log is damaged before the cut, or holds an unknown command and `onUnknown` is 'stop'
 * @throws UsageError for a cut or an output that cannot be, OutputError when writing fails
 */
export async function replay(
  source: Source,
  options: ReplayOptions,
  context: ToolContext,
): Promise<ReplayReport> {
  const set = await asLog(source);
  const { output, send } = options;
  if (output !== null) {
    await refuseInside(output.path, source, set);
    if (output.target !== null) assertForm(output.form, output.target);
    if (!options.execute) assertCopied(output.form, set);
  }
  // Loaded when it is wanted: most replays talk to nobody.
  const target = send === null ? null : await (await import('./replay/send.js')).SendTarget.probe(send);
  const slot = output === null ? null : await OutputSlot.take(output);
  try {
    if (!options.execute) return await copyUpTo(slot, set, options, context);
    return await replayInto(slot, target, set, options, context);
  } finally {
    await slot?.close();
  }
}

async function replayInto(
  slot: OutputSlot | null,
  target: SendTarget | null,
  set: AofSet,
  options: ReplayOptions,
  context: ToolContext,
): Promise<ReplayReport> {
  const cut = await settle(options.cut, set, context);
  const request = requestOf(cut, set, options);
  // Who looks at keys one by one, and in the order of the log, needs them all in one place.
  const apart = options.undo === null && options.prove === null && target === null;
  const replayed = apart
    ? {
        ...(await replayDataset(set, request, context)),
        found: null,
        undo: null,
        proof: null,
        selection: null,
      }
    : await replayWatched(request, set, options, context);
  try {
    return await reportOf(slot, target, replayed, cut, set, options, context);
  } finally {
    await replayed.close();
  }
}

function requestOf(cut: Cut, set: AofSet, options: ReplayOptions): ReplayRequest {
  const { as, onUnknown, dialect, conditions, expectDigest, output, parts } = options;
  return {
    ...{ cut, as, onUnknown, dialect, conditions },
    digest: options.digest || expectDigest !== null,
    output:
      output === null
        ? null
        : { form: output.form, target: (known) => output.target ?? targetFor(known, set, output.form) },
    ...(parts !== undefined && { parts }),
  };
}

/** What a replay came to, and what else was found on the way. */
interface Watched extends Replayed {
  readonly found: Undone | null;
  readonly undo: UndoReport | null;
  readonly proof: Proof | null;
  /** Null when the keys are in several places. */
  readonly selection: KeySelection | null;
}

/** Replays in one thread, with whoever looks on. */
async function replayWatched(
  request: ReplayRequest,
  set: AofSet,
  options: ReplayOptions,
  context: ToolContext,
): Promise<Watched> {
  const { undo, prove: proving } = options;
  const watch = undo === null ? null : new UndoWatch(undo, request.cut, set);
  const plan = watch === null ? request : { ...request, cut: NO_CUT, watch };
  const rebuilt = await rebuild(set, plan, context);
  const found = watch?.found ?? null;
  const names = found === null ? {} : { names: found.names };
  const conditions = { ...options.conditions, ...names };
  const whole = await wholeReplay(rebuilt, { ...request, conditions }, context);
  const place = found === null ? rebuilt.end.stoppedAt : placeBefore(found);
  const proof = proving === null ? null : await prove(set, place, found, rebuilt, proving, context);
  const report = watch === null ? null : { command: found, idle: watch.idle, later: watch.later };
  return { ...whole, found, proof, undo: report };
}

async function reportOf(
  slot: OutputSlot | null,
  target: SendTarget | null,
  replayed: Watched,
  cut: Cut,
  set: AofSet,
  options: ReplayOptions,
  context: ToolContext,
): Promise<ReplayReport> {
  const { end, found, proof, undo, digest, survey, selection } = replayed;
  const { skipped, refused, refusedCount, allKeys } = replayed;
  const { as, dialect, expectDigest } = options;
  const stoppedAt = found === null ? end.stoppedAt : placeBefore(found);
  const asExpected = expectDigest === null || expectDigest === digest?.digest;
  const { reason } = end.stoppedAt;
  const matched =
    undo !== null ? found !== null : cut.before.length === 0 || (reason !== 'end' && reason !== 'torn-tail');
  const wanted = asExpected && matched && proof?.equal !== false;
  const report = {
    stoppedAt,
    applied: found === null ? end.applied : found.number - 1,
    ...{ skipped, refused, refusedCount, digest, proof, asExpected, matched, undo, allKeys },
    keys: survey.total.keys,
    databases: survey.databases.size,
    findings: end.findings,
    cautions: cautionsOf(cut, replayed),
  };
  const output = slot !== null && wanted ? await write(slot, options.output!, replayed, set, context) : null;
  if (target === null || !wanted || selection === null) return { ...report, output, sent: null };
  const identity = identityOf({
    stoppedAt: { ...stoppedAt, file: stoppedAt.file?.name },
    ...{ as, dialect, conditions: selection.conditions, keys: survey.total },
  });
  const sent = await target.send(selection, { identity, digest: digest?.digest ?? null }, context);
  return { ...report, output, sent };
}

/** The point before the command that is undone. */
function placeBefore({ file, offset, number, timeMs }: Undone): LogEnd['stoppedAt'] {
  return { file, offset, command: number - 1, timeMs, reason: 'pattern' };
}

/** @throws UsageError when the files of a log cannot be copied in that form */
function assertCopied(form: OutputForm, set: AofSet): void {
  if (form === 'aofdir' || (form === 'aof' && set.files.length === 1)) return;
  throw new UsageError(
    '--no-execute copies the files of a log as they are: nothing is made of them',
    set.files.length === 1 ? 'give a directory, or NAME.aof' : 'give a directory',
  );
}

/** Copies the files of a log up to the cut. */
async function copyUpTo(
  slot: OutputSlot | null,
  set: AofSet,
  options: ReplayOptions,
  context: ToolContext,
): Promise<ReplayReport> {
  const cut = await settle(options.cut, set, context);
  const end = await findCut(set, cut, options.dialect, context);
  const { reason } = end.stoppedAt;
  const matched = cut.before.length === 0 || (reason !== 'end' && reason !== 'torn-tail');
  const request = options.output;
  const written =
    slot === null || request === null || !matched
      ? null
      : await slot.fill((target) => writeCut(set, end.stoppedAt, target, folderIn(request.path)), context);
  return {
    stoppedAt: end.stoppedAt,
    applied: end.applied,
    ...{ skipped: [], refused: [], refusedCount: 0, digest: null, sent: null, proof: null, undo: null },
    ...{ keys: null, allKeys: null, databases: 0, asExpected: true, matched },
    output: written === null ? null : { ...written, path: request!.path, form: request!.form, target: '' },
    findings: end.findings,
    cautions: timeCautions(cut, end),
  };
}

export async function settle(request: CutRequest, set: AofSet, context: ToolContext): Promise<Cut> {
  const { backMs, ...cut } = request;
  if (backMs === null) return cut;
  const last = await lastTimestamp(set, context.signal);
  if (last === null) {
    throw new UsageError(
      'the log has no #TS annotations to count back from',
      'servers write them with aof-timestamp-enabled yes; cut by offset, command or pattern instead',
    );
  }
  const seconds = last - backMs / 1000;
  return { ...cut, seconds: cut.seconds === null ? seconds : Math.min(cut.seconds, seconds) };
}

function cautionsOf(cut: Cut, rebuilt: Replayed): string[] {
  const { end, savedAtMs } = rebuilt;
  const cautions: string[] = [];
  const { metadata, moduleAux } = rebuilt.dropped;
  if (metadata > 0) cautions.push(`what modules attached to keys is not kept (keys: ${metadata})`);
  if (moduleAux > 0) cautions.push(`what modules keep beside their keys is not kept (records: ${moduleAux})`);
  if (cut.seconds === null) return cautions;
  if (savedAtMs !== null && savedAtMs > cut.seconds * 1000) {
    cautions.push('the base of the log was saved after that time: what it holds cannot be taken back');
  }
  return [...cautions, ...timeCautions(cut, end)];
}

function timeCautions(cut: Cut, end: LogEnd): string[] {
  if (cut.seconds === null || end.annotations > 0 || end.applied === 0) return [];
  return ['no #TS annotation stands before the end: there was nothing to cut by time with'];
}

async function write(
  slot: OutputSlot,
  { path, form, target: told }: ReplayTarget,
  replayed: Replayed,
  set: AofSet,
  context: ToolContext,
): Promise<ReplayOutput> {
  const { producer, survey } = replayed;
  const target = told ?? targetFor({ producer, fieldTtls: survey.fieldTtls }, set, form);
  const written = await slot.put(replayed.content(target), filenameOf(set), context);
  return { ...written, path, form, target: target.name };
}

function targetFor(
  { producer, fieldTtls }: Parameters<ChooseTarget>[0],
  set: AofSet,
  form: OutputForm,
): RdbTarget {
  const known = producer === null ? null : targetOf(producer);
  const mayBe = known !== null && (form !== 'aofdir' || known.aux === 'aof-base');
  if (mayBe) return known;
  return oldestTarget({ fromManifest: set.manifestPath !== null || form === 'aofdir', fieldTtls });
}
