import { basename } from 'node:path';
import type { Cut } from '../aof/cut.js';
import type { LogEnd } from '../aof/log.js';
import type { AofSet } from '../aof/set.js';
import { lastTimestamp } from '../aof/timestamps.js';
import { UsageError } from '../errors.js';
import type { DialectName } from '../rdb/dialect.js';
import type { RdbTarget } from '../rdb/writer-target.js';
import type { ToolContext } from './context.js';
import { type DigestReport, digestKeyspace } from './digest.js';
import type { Server } from './family.js';
import { EVERY_KEY } from './filter.js';
import { refuseInside } from './output-place.js';
import { type PassedOver, type Rebuilt, rebuild } from './rebuild.js';
import { asLog, type Source } from './source.js';
import { oldestTarget, targetOf } from './target-choice.js';
import {
  assertForm,
  type OutputForm,
  type OutputRequest,
  OutputSlot,
  surveyOf,
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
  readonly keys: number;
  readonly databases: number;
  /** False when another digest was expected. */
  readonly asExpected: boolean;
  readonly output: ReplayOutput | null;
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
 * Rebuilds the dataset of a log at a point in time, digests it and writes it out. A digest that is expected is computed
 * whatever `digest` says.
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
  const { output } = options;
  if (output === null) return replayInto(null, set, options, context);
  await refuseInside(output.path, source, set);
  if (output.target !== null) assertForm(output.form, output.target);
  const slot = await OutputSlot.take(output);
  try {
    return await replayInto(slot, set, options, context);
  } finally {
    await slot.close();
  }
}

async function replayInto(
  slot: OutputSlot | null,
  set: AofSet,
  options: ReplayOptions,
  context: ToolContext,
): Promise<ReplayReport> {
  const { as, onUnknown, dialect, expectDigest } = options;
  const cut = await settle(options.cut, set, context);
  const rebuilt = await rebuild(set, { cut, as, onUnknown, dialect }, context);
  const everything = { as, dialect, conditions: EVERY_KEY, keys: null };
  const wantsDigest = options.digest || expectDigest !== null;
  const digest = wantsDigest ? await digestKeyspace(rebuilt, everything, context) : null;
  const asExpected = expectDigest === null || expectDigest === digest?.digest;
  const { end, skipped, refused, refusedCount, keyspace } = rebuilt;
  const { reason } = end.stoppedAt;
  const matched = cut.before.length === 0 || (reason !== 'end' && reason !== 'torn-tail');
  const wanted = slot !== null && asExpected && matched;
  return {
    stoppedAt: end.stoppedAt,
    applied: end.applied,
    skipped,
    refused,
    refusedCount,
    digest,
    keys: keyspace.size,
    databases: keyspace.indexes().length,
    asExpected,
    output: wanted ? await write(slot, options.output!, rebuilt, set, context) : null,
    matched,
    findings: end.findings,
    cautions: cautionsOf(cut, rebuilt),
  };
}

/** A cut whose time counts back from the last annotation, made one of a fixed time. @throws UsageError without one */
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

function cautionsOf(cut: Cut, rebuilt: Rebuilt): string[] {
  const { end, savedAtMs } = rebuilt;
  const cautions: string[] = [];
  const { metadata, moduleAux } = rebuilt.dropped;
  if (metadata > 0) cautions.push(`what modules attached to keys is not kept (keys: ${metadata})`);
  if (moduleAux > 0) cautions.push(`what modules keep beside their keys is not kept (records: ${moduleAux})`);
  if (cut.seconds === null) return cautions;
  if (savedAtMs !== null && savedAtMs > cut.seconds * 1000) {
    cautions.push('the base of the log was saved after that time: what it holds cannot be taken back');
  }
  if (end.annotations === 0 && end.applied > 0) {
    cautions.push('no #TS annotation stands before the end: there was nothing to cut by time with');
  }
  return cautions;
}

async function write(
  slot: OutputSlot,
  { path, form, target: told }: ReplayTarget,
  rebuilt: Rebuilt,
  set: AofSet,
  context: ToolContext,
): Promise<ReplayOutput> {
  const target = told ?? targetFor(rebuilt, set, form, context);
  const written = await slot.write(rebuilt.keyspace, { target, filename: filenameOf(set) }, context);
  return { ...written, path, form, target: target.name };
}

function targetFor(rebuilt: Rebuilt, set: AofSet, form: OutputForm, context: ToolContext): RdbTarget {
  const known = rebuilt.producer === null ? null : targetOf(rebuilt.producer);
  const mayBe = known !== null && (form !== 'aofdir' || known.aux === 'aof-base');
  if (mayBe) return known;
  const { fieldTtls } = surveyOf(rebuilt.keyspace, context.nowMs);
  return oldestTarget({ fromManifest: set.manifestPath !== null || form === 'aofdir', fieldTtls });
}

/** The `appendfilename` of the server that wrote the set. */
function filenameOf(set: AofSet): string {
  const manifest = set.manifestPath === null ? null : basename(set.manifestPath);
  return manifest?.endsWith('.manifest') === true ? manifest.slice(0, -'.manifest'.length) : 'appendonly.aof';
}
