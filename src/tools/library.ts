import { memoryUsage } from 'node:process';
import { type ByteSource, FileSource, MemorySource } from '../bytes/source.js';
import { FileTarget } from '../bytes/target.js';
import { VcsTarget } from '../bytes/vcs-target.js';
import type { KeyRecord } from '../model/value.js';
import { type ReadRdbOptions, readRdb as readRdbFrom } from '../rdb/records.js';
import { RdbWriter } from '../rdb/writer.js';
import { type CheckOptions, type CheckReport, check as checkSource } from './check.js';
import type { ToolContext } from './context.js';
import { convertFormByName, packingByName } from './convert/forms.js';
import { NO_TRANSFORMS } from './convert/transform.js';
import { type ConvertOptions, type ConvertReport, convert as convertSources } from './convert.js';
import { Dataset } from './dataset.js';
import { type Difference, type DiffOptions, type DiffReport, diff as diffSources } from './diff.js';
import { type DigestOptions, type DigestReport, digest as digestSource } from './digest.js';
import { EVERY_KEY } from './filter.js';
import { type InfoReport, info as infoSource } from './info.js';
import { unpacked } from './open-bytes.js';
import { type RecoverOptions, type RecoverReport, recover as recoverDirectory } from './recover.js';
import type { PlanOptions } from './repair/plan.js';
import {
  applyRepair,
  planRepair as planSource,
  type RepairOptions,
  type RepairPlan,
  type RepairReport,
} from './repair.js';
import { PLAIN_REPLAY, type ReplayOptions, type ReplayReport, replay as replaySource } from './replay.js';
import {
  type DatasetSource,
  type OpenOptions,
  openDataset,
  openSource as openSourceAt,
  type Source,
} from './source.js';
import { assertReadsStream, targetNamed } from './target-choice.js';
import { RecordTeller } from './tell-record.js';
import type { Loss } from './write-dataset.js';

// The tools with their defaults filled in, for programs; cli/ fills them in for people. Here alone a tool meets the
// clock and the memory of the process.

/** What every function here takes beside its own options; all of it may be left out. */
export type Surroundings = Partial<Pick<ToolContext, 'nowMs' | 'signal' | 'progress' | 'memoryBytes'>>;

/** The clock and memory of this process, nothing to abort with, nobody to tell of progress. */
export function contextOf(given: Surroundings = {}): ToolContext {
  return {
    nowMs: given.nowMs ?? Date.now(),
    clock: Date.now,
    signal: given.signal ?? new AbortController().signal,
    progress: given.progress ?? (() => {}),
    memoryBytes: given.memoryBytes ?? Number.POSITIVE_INFINITY,
    heldBytes: () => memoryUsage().rss,
  };
}

/** A path, or what `openSource` made of it. */
export type SourceLike = string | Source;

/** Finds out what stands at a path: an RDB, an append-only file or set, or a directory with one. @throws InputError */
export function openSource(path: string, options: Partial<OpenOptions> = {}): Promise<Source> {
  return openSourceAt(path, { ...OPENING, ...options });
}

const opened = async (source: SourceLike): Promise<Source> =>
  typeof source === 'string' ? openSource(source) : source;

/** Verifies a dataset. Damage is in the report. @throws InputError */
export async function check(
  source: SourceLike,
  options: Partial<CheckOptions> & Surroundings = {},
): Promise<CheckReport> {
  return checkSource(await opened(source), { quick: false, dialect: null, ...options }, contextOf(options));
}

/** Says what a dataset is and what it holds. Damage is in the report. @throws InputError */
export async function info(source: SourceLike, options: Surroundings = {}): Promise<InfoReport> {
  return infoSource(await opened(source), { dialect: null }, contextOf(options));
}

/**
 * Writes datasets in another form, for another server, filtered, changed, split or merged. The form is that of the path's
 * ending unless told.
 *
 * @throws DamageError InputError UsageError OutputError
 */
export async function convert(
  sources: string | readonly (string | DatasetSource)[],
  path: string,
  options: Partial<ConvertOptions> & Surroundings = {},
): Promise<ConvertReport> {
  const given = typeof sources === 'string' ? [sources] : sources;
  const all: ConvertOptions = {
    path,
    form: options.form ?? convertFormByName(path),
    target: null,
    conditions: EVERY_KEY,
    transforms: NO_TRANSFORMS,
    split: null,
    onDuplicate: 'error',
    dialect: null,
    onUnknown: 'stop',
    force: false,
    refuseLoss: false,
    stream: null,
    compressedStream: false,
    packing: packingByName(path),
    shown: (name) => JSON.stringify(name),
    ...options,
  };
  const inputs: DatasetSource[] = [];
  for (const each of given) inputs.push(typeof each === 'string' ? await openDataset(each, OPENING) : each);
  return convertSources(inputs, all, contextOf(options));
}

/** Compares two datasets; `onDifference` is told of each difference. @throws DamageError InputError UsageError OutputError */
export async function diff(
  before: string | DatasetSource,
  after: string | DatasetSource,
  onDifference: (difference: Difference) => void,
  options: Partial<Omit<DiffOptions, 'listener'>> & Surroundings = {},
): Promise<DiffReport> {
  const all: DiffOptions = {
    conditions: EVERY_KEY,
    toleranceMs: 0,
    values: false,
    patch: null,
    dialect: null,
    onUnknown: 'stop',
    listener: { difference: onDifference, full: false, drain: () => Promise.resolve() },
    ...options,
  };
  const opening = { ...OPENING, again: true };
  const [a, b] = [before, after].map((each) =>
    typeof each === 'string' ? openDataset(each, opening) : each,
  );
  return diffSources(await a!, await b!, all, contextOf(options));
}

const OPENING: OpenOptions = { prefer: null, stdin: null, signal: null };

/** The digest that DEBUG DIGEST prints for a dataset. @throws DamageError InputError */
export async function digest(
  source: SourceLike,
  options: Partial<DigestOptions> & Surroundings = {},
): Promise<DigestReport> {
  const all = { as: null, conditions: EVERY_KEY, dialect: null, keys: null, ...options };
  return digestSource(await opened(source), all, contextOf(options));
}

/** Rebuilds the dataset of a log at a point in time. @throws DamageError InputError UsageError OutputError */
export async function replay(
  source: SourceLike,
  options: Partial<ReplayOptions> & Surroundings = {},
): Promise<ReplayReport> {
  const all: ReplayOptions = { ...PLAIN_REPLAY, ...options };
  return replaySource(await opened(source), all, contextOf(options));
}

/** Weighs a crashed directory, and with `output` brings the best of it back. @throws InputError UsageError OutputError */
export function recover(
  directory: string,
  options: Partial<RecoverOptions> & Surroundings = {},
): Promise<RecoverReport> {
  const all: RecoverOptions = {
    config: null,
    dialect: null,
    way: null,
    strategy: 'truncate',
    measureBytes: 1e9,
    output: null,
    ...options,
  };
  return recoverDirectory(directory, all, contextOf(options));
}

/** Says what is wrong with a dataset and what each way out of it costs. Changes nothing. @throws InputError */
export async function planRepair(
  source: SourceLike,
  options: Partial<PlanOptions> & Surroundings = {},
): Promise<RepairPlan> {
  const all = { partial: false, doubtful: false, dialect: null, ...options };
  return planSource(await opened(source), all, contextOf(options));
}

/** Options of `repair`: all but where to may be left out. */
export type RepairRequest = Partial<Omit<RepairOptions, 'output'>> &
  Pick<RepairOptions, 'output'> &
  Surroundings;

/** Repairs a dataset into a new place or, behind a backup, where it stands. @throws InputError UsageError OutputError */
export async function repair(source: SourceLike, options: RepairRequest): Promise<RepairReport> {
  const all: RepairOptions = {
    partial: false,
    doubtful: false,
    dialect: null,
    strategy: 'truncate',
    maxLossBytes: null,
    quarantinePath: null,
    force: false,
    ...options,
  };
  const context = contextOf(options);
  return applyRepair(await planSource(await opened(source), all, context), all, context);
}

/** Loads or executes a dataset into memory. @throws DamageError InputError */
export async function loadDataset(source: SourceLike, options: Surroundings = {}): Promise<Dataset> {
  return Dataset.load(await opened(source), contextOf(options));
}

/** An empty dataset, to be filled with records or commands. */
export function emptyDataset(options: Surroundings = {}): Dataset {
  return Dataset.empty(contextOf(options));
}

/**
 * The keys of an RDB, packed or not, in batches of records that own their bytes.
 *
 * @throws FormatError InputError while it is iterated
 */
export async function* readRdb(
  source: string | Uint8Array | ByteSource,
  options: Partial<ReadRdbOptions> = {},
): AsyncGenerator<KeyRecord[], void, undefined> {
  const bytes =
    typeof source === 'string'
      ? await FileSource.at(source)
      : source instanceof Uint8Array
        ? new MemorySource(source)
        : source;
  const plain = await unpacked(bytes, { signal: null });
  yield* readRdbFrom(plain.source, {
    verifyChecksum: true,
    deep: false,
    batchRecords: 1024,
    batchBytes: 1 << 20,
    ...options,
  });
}

export interface WrittenRdb {
  readonly keys: number;
  readonly lost: readonly Loss[];
}

export interface WriteRdbOptions extends Surroundings {
  /** The server that is to load the file: `redis-7.0`, `valkey-8.1`, … Default: redis-7.0. */
  readonly for?: string;
  /** Replace what stands there. */
  readonly force?: boolean;
  /**
   * Compress texts above 20 bytes, as servers do; or all of the file, as Valkey's `rdbcompression lz4-stream` will (no
   * release reads that yet). Default: true.
   */
  readonly compress?: boolean | 'lz4-stream';
}

/**
 * Writes records, or batches of them, as an RDB that appears complete or not at all. Resolves to the
 * number of keys and to what the server has no place for.
 *
 * @throws UsageError OutputError, and whatever the iteration throws
 */
export async function writeRdb(
  path: string,
  records: Iterable<KeyRecord> | AsyncIterable<KeyRecord | readonly KeyRecord[]>,
  options: WriteRdbOptions = {},
): Promise<WrittenRdb> {
  const context = contextOf(options);
  const lost: Loss[] = [];
  const server = targetNamed(options.for ?? 'redis-7.0', 'for');
  const isStream = options.compress === 'lz4-stream';
  if (isStream) assertReadsStream(server, 'compress', 'name valkey-9.0 or later with `for`');
  const file = await FileTarget.create(path, { force: options.force === true });
  const target = isStream ? new VcsTarget(file) : file;
  try {
    const writer = new RdbWriter(target, {
      target: server,
      compress: options.compress !== false && !isStream,
      checksum: !isStream,
      copyValues: false,
      aofBase: false,
      nowSeconds: Math.floor(context.nowMs / 1000),
      onLoss: (head, what) =>
        lost.push({ database: head?.database ?? null, key: head?.key.latin1() ?? null, what }),
    });
    const teller = new RecordTeller(writer);
    for await (const each of records) {
      for (const record of Array.isArray(each) ? (each as KeyRecord[]) : [each as KeyRecord])
        teller.tell(record);
      if (writer.full) await writer.drain();
      context.signal.throwIfAborted();
    }
    writer.finish();
    await target.publish();
    return { keys: writer.keys, lost };
  } finally {
    await target.discard();
  }
}
