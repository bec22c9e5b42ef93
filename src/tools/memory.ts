import type { ByteSlice } from '../bytes/slice.js';
import type { Finding } from '../model/finding.js';
import { type Depth, type ItemHandler, type KeyHead, SKIP } from '../model/handler.js';
import type { ValueKind } from '../model/kind.js';
import type { DialectName } from '../rdb/dialect.js';
import { RdbSink } from '../rdb/handler.js';
import type { SizeListener } from '../rdb/metered-skim.js';
import type { ToolContext } from './context.js';
import { ProducerAux, releaseOf, type Server } from './family.js';
import { type KeyConditions, KeyFilter } from './filter.js';
import { KeyGate, SizeGate } from './gate.js';
import { ItemSize } from './memory/item-size.js';
import type { PrefixNode } from './memory/prefix-tree.js';
import { RecordSize } from './memory/record-size.js';
import type { SpreadBucket } from './memory/spread.js';
import { type KeySum, KeyTally } from './memory/tally.js';
import type { LargeKey } from './memory/top-keys.js';
import type { PassedOver } from './rebuild.js';
import { RdbRelay } from './relay.js';
import type { NotChecked } from './report.js';
import type { DatasetSource } from './source.js';
import { type DatasetListener, tellSource } from './tell-source.js';

export interface MemoryOptions {
  readonly conditions: KeyConditions;
  readonly dialect: DialectName | null;
  /** At a command of a log that the engine does not know. */
  readonly onUnknown: 'stop' | 'skip';
  /** How many of the largest keys are named. */
  readonly top: number;
  /** Add up cluster slots, too. */
  readonly slots: boolean;
}

/** The keys of one type, and how they are held. */
export interface KindSum extends KeySum {
  readonly kind: ValueKind;
  /** Largest first. */
  readonly encodings: readonly (KeySum & { readonly encoding: string })[];
}

/** How keys spread over the slots of a cluster. */
export interface SlotSums {
  /** By slot. */
  readonly keys: Float64Array;
  readonly memoryBytes: Float64Array;
}

/** What fills the memory. */
export interface MemoryReport {
  readonly total: KeySum;
  /** False when there is no RDB to take bytes of records from: `fileBytes` are 0 then. */
  readonly hasFileBytes: boolean;
  /** What the tables of the databases take in a server beside the keys, estimated. */
  readonly tableBytes: number;
  /** Who wrote the file, when, and how much memory it said it used; null where it does not say. */
  readonly server: Server | null;
  readonly savedAtMs: number | null;
  readonly usedBytes: number | null;
  /** By number. */
  readonly databases: readonly (KeySum & { readonly database: number })[];
  /** Largest first. */
  readonly kinds: readonly KindSum[];
  readonly prefixes: PrefixNode;
  /** Prefixes that were left out because there were too many; 0: all are there. */
  readonly prefixesDropped: number;
  /** By bytes. */
  readonly biggest: readonly LargeKey[];
  /** By elements; keys that have none are not among them. */
  readonly longest: readonly LargeKey[];
  /** By bytes of a key, in powers of two. */
  readonly sizes: readonly SpreadBucket[];
  /** By seconds left; the first bucket is that of keys past their TTL. Keys without one are in none. */
  readonly ttl: readonly SpreadBucket[];
  /** By seconds since a key was used, and by the LFU counter; null when the file does not say. */
  readonly idle: readonly SpreadBucket[] | null;
  readonly freq: readonly SpreadBucket[] | null;
  readonly slots: SlotSums | null;
  readonly skipped: readonly PassedOver[];
  readonly findings: readonly Finding[];
  readonly notChecked: readonly NotChecked[];
}

/**
 * Tells what fills the memory of a dataset, in one pass and in memory that does not grow with it. A log is executed for
 * it and held.
 *
 * @throws DamageError when the source is damaged or holds an unknown command and `onUnknown` is 'stop'
 */
export async function memory(
  source: DatasetSource,
  options: MemoryOptions,
  context: ToolContext,
): Promise<MemoryReport> {
  const tally = new KeyTally(context.nowMs, options.top, options.slots);
  const producer = new ProducerNotes();
  const byLayout = source.kind === 'rdb' && options.conditions.minSizeBytes === 0;
  const reader = byLayout
    ? new RecordReader(new KeyFilter(options.conditions, context.nowMs), tally, producer)
    : new ItemReader(options.conditions, context.nowMs, tally, producer);
  const { dialect, onUnknown } = options;
  const told = await tellSource(source, reader, { dialect, onUnknown }, context);
  return { ...reportOf(tally, producer), skipped: told.skipped, findings: told.findings, notChecked: [] };
}

function reportOf(
  tally: KeyTally,
  { producer, usedBytes }: ProducerNotes,
): Omit<MemoryReport, 'skipped' | 'findings' | 'notChecked'> {
  const bySize = (a: KeySum, b: KeySum): number => b.memoryBytes - a.memoryBytes || b.keys - a.keys;
  const { slotBytes, slotKeys } = tally;
  return {
    total: tally.total,
    hasFileBytes: tally.total.fileBytes > 0 || tally.total.keys === 0,
    tableBytes: tally.tableBytes,
    server: producer.server,
    savedAtMs: producer.savedAtMs,
    usedBytes,
    databases: [...tally.databases]
      .map(([database, sum]) => ({ database, ...sum }))
      .sort((a, b) => a.database - b.database),
    kinds: [...tally.kinds]
      .map(([kind, sum]) => ({
        kind,
        ...sum,
        encodings: [...(tally.encodings.get(kind) ?? [])]
          .map(([encoding, each]) => ({ encoding, ...each }))
          .sort(bySize),
      }))
      .sort(bySize),
    prefixes: tally.prefixes.result(),
    prefixesDropped: tally.prefixes.dropped,
    biggest: tally.biggest.list(),
    longest: tally.longest.list(),
    sizes: tally.sizes.buckets(),
    ttl: tally.ttl.buckets(),
    idle: tally.idleKeys > 0 ? tally.idle.buckets() : null,
    freq: tally.freqKeys > 0 ? tally.freq.buckets() : null,
    slots: slotBytes === null ? null : { keys: slotKeys!, memoryBytes: slotBytes },
  };
}

/** Collects from aux fields who wrote a file, and how much memory it used. */
class ProducerNotes {
  readonly producer = new ProducerAux();
  usedBytes: number | null = null;

  take(name: ByteSlice, value: ByteSlice): void {
    const [field, text] = [name.latin1(), value.latin1()];
    this.producer.take(field, text);
    if (field === 'used-mem' && /^\d{1,15}$/.test(text)) this.usedBytes = Number(text);
  }
}

/** Sees sizes of an RDB's records by their layout alone. */
class RecordReader extends RdbSink implements DatasetListener {
  readonly sizes = new RecordSize();
  private passing = false;

  constructor(
    private readonly filter: KeyFilter,
    private readonly tally: KeyTally,
    private readonly notes: ProducerNotes,
  ) {
    super();
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    this.notes.take(name, value);
  }

  override key(head: KeyHead): Depth {
    this.passing = this.filter.passes(head);
    this.sizes.begin(head);
    return SKIP;
  }

  override keyEnd(head: KeyHead): void {
    if (this.passing) this.tally.key(head, this.sizes);
  }
}

/** Sees sizes of values by their items. */
class ItemReader extends RdbRelay implements DatasetListener {
  readonly sizes: SizeListener;
  private readonly size: ItemSize;

  constructor(
    conditions: KeyConditions,
    nowMs: number,
    tally: KeyTally,
    private readonly notes: ProducerNotes,
  ) {
    const size = new ItemSize(tally);
    super(gated(size, conditions, nowMs));
    this.size = size;
    this.sizes = new RecordBytes(size);
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    this.notes.take(name, value);
    const { server } = this.notes.producer;
    if (server !== null) this.size.packsSets = releaseOf(server) >= PACKED_SETS;
  }
}

/** The release from which on small sets are packed. */
const PACKED_SETS = 702;

function gated(size: ItemSize, conditions: KeyConditions, nowMs: number): ItemHandler {
  const { minSizeBytes } = conditions;
  const target = minSizeBytes > 0 ? new SizeGate(size, minSizeBytes) : size;
  const filter = new KeyFilter(conditions, nowMs);
  return filter.open ? target : new KeyGate(target, filter);
}

/** Of an RDB, the bytes of whole records. */
class RecordBytes implements SizeListener {
  constructor(private readonly size: ItemSize) {}

  string(): void {}
  length(): void {}
  loop(): void {}

  record(bytes: number): void {
    this.size.fileBytes = bytes;
  }
}
