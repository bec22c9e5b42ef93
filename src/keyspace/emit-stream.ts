import { GrowingBytes } from '../bytes/growing-bytes.js';
import type { Long } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import { isDefaultIdempotence, type StreamIdempotence, type StreamMeta } from '../model/handler.js';
import { compareIds, formatId, type StreamId, writeId, ZERO_ID } from '../model/stream-id.js';
import { TYPE_STREAM_LISTPACKS_4, TYPE_STREAM_LISTPACKS_5 } from '../rdb/constants.js';
import { estimateEntriesRead } from '../rdb/types/stream-walk.js';
import type { RdbTarget } from '../rdb/writer-target.js';
import type { RespOutput } from './emit-resp.js';

export type StreamEmitLoss =
  | 'stream-counters'
  | 'stream-pending'
  | 'stream-consumer'
  | 'stream-entry'
  /** When pending entries were delivered: a time that has not come yet is taken for now. */
  | 'stream-times'
  | 'stream-producers';

/** Ids kept to tell whether a pending entry is still in its stream; of longer streams it is taken to be. */
const KNOWN_IDS_MAX = 1 << 22;
const ID_BYTES = 16;
/** The largest number that commands take. */
const NUMBER_MAX = 0x7fffffffffffffffn;

/** False for numbers that a file can hold and a command refuses. */
const isSayable = (value: Long): boolean => value >= 0 && value <= NUMBER_MAX;

interface Pending {
  readonly deliveredAtMs: Long;
  readonly deliveryCount: Long;
}

/** Turns what a stream holds into the commands that build it up again. */
export class StreamEmitter {
  private readonly key = new GrowingBytes();
  private readonly group = new GrowingBytes();
  private readonly consumer = new GrowingBytes();
  /** Pending entries of the group that no consumer has claimed yet, by id. */
  private readonly pending = new Map<string, Pending>();
  /** Ids of the stream's entries, in order, as far as they are needed. */
  private readonly ids = new GrowingBytes();
  private readonly wanted = Buffer.alloc(ID_BYTES);
  private readonly producer = new GrowingBytes();
  /** Messages of producers that were recorded. */
  private recorded = 0;
  /** An entry goes by that no command makes. */
  private skipping = false;
  private hasEntries = false;
  private consumerOpen = false;
  private consumerHasPending = false;
  /** The counters that a server without such takes for those of the stream. */
  private assumed: StreamMeta | null = null;

  constructor(
    private readonly output: RespOutput,
    private readonly target: RdbTarget,
    private readonly lose: (what: StreamEmitLoss) => void,
    /** By the clock of who runs the commands. */
    private readonly nowMs: number,
  ) {}

  begin(key: ByteSlice): void {
    keep(this.key, key);
    this.pending.clear();
    this.ids.reset();
    this.hasEntries = this.consumerOpen = false;
  }

  entry(id: StreamId, fieldCount: number): void {
    // XADD takes neither.
    this.skipping = fieldCount === 0 || compareIds(id, ZERO_ID) === 0;
    if (this.skipping) {
      this.lose('stream-entry');
      return;
    }
    this.hasEntries = true;
    if (!this.target.claimsDeleted && this.ids.end < KNOWN_IDS_MAX * ID_BYTES) {
      this.ids.reserve(ID_BYTES);
      writeId(id, this.ids.bytes, this.ids.end);
      this.ids.end += ID_BYTES;
    }
    this.output.head(3 + 2 * fieldCount);
    this.output.word('XADD');
    this.bulk(this.key);
    this.output.word(formatId(id));
  }

  field(name: ByteSlice, value: ByteSlice): void {
    if (this.skipping) return;
    this.output.bulk(name.bytes, name.start, name.end);
    this.output.bulk(value.bytes, value.start, value.end);
  }

  counters(meta: StreamMeta): void {
    // An entry that is trimmed at once leaves an empty stream behind.
    if (!this.hasEntries) this.command('XADD', 'MAXLEN', '0', '0-1', 'x', 'y');
    const lastId = formatId(meta.lastId);
    const sayable = isSayable(meta.entriesAdded) && compareIds(meta.maxDeletedId, meta.lastId) <= 0;
    if (this.target.streamCounters && sayable) {
      const maxDeleted = formatId(meta.maxDeletedId);
      this.command('XSETID', lastId, 'ENTRIESADDED', `${meta.entriesAdded}`, 'MAXDELETEDID', maxDeleted);
      return;
    }
    this.command('XSETID', lastId);
    this.assumed = { ...meta, maxDeletedId: ZERO_ID, entriesAdded: meta.length };
    const deleted = compareIds(meta.maxDeletedId, ZERO_ID) !== 0;
    if (deleted || meta.entriesAdded !== meta.length) this.lose('stream-counters');
  }

  startGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.endGroup();
    keep(this.group, name);
    const { output } = this;
    const { streamCounters } = this.target;
    const says = streamCounters && (entriesRead === -1 || isSayable(entriesRead));
    output.head(says ? 7 : 5);
    output.word('XGROUP');
    output.word('CREATE');
    this.bulk(this.key);
    this.bulk(this.group);
    output.word(formatId(lastId));
    if (!says) {
      const guessed = streamCounters ? -1 : estimateEntriesRead(this.assumed!, lastId);
      if (guessed !== entriesRead) this.lose('stream-counters');
      return;
    }
    output.word('ENTRIESREAD');
    output.word(String(entriesRead));
  }

  pendingEntry(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.pending.set(formatId(id), { deliveredAtMs, deliveryCount });
  }

  startConsumer(name: ByteSlice): void {
    this.endConsumer();
    keep(this.consumer, name);
    this.consumerOpen = true;
    this.consumerHasPending = false;
  }

  consumerPending(id: StreamId): void {
    const text = formatId(id);
    const entry = this.pending.get(text);
    if (entry === undefined) return;
    this.pending.delete(text);
    const present = this.target.claimsDeleted || this.isPresent(id);
    if (!present || !isSayable(entry.deliveryCount)) {
      this.lose('stream-pending');
      return;
    }
    if (entry.deliveredAtMs < 0 || entry.deliveredAtMs > this.nowMs) this.lose('stream-times');
    this.consumerHasPending = true;
    const { output } = this;
    output.head(12);
    output.word('XCLAIM');
    this.bulk(this.key);
    this.bulk(this.group);
    this.bulk(this.consumer);
    const time = String(entry.deliveredAtMs);
    const count = String(entry.deliveryCount);
    for (const word of ['0', text, 'TIME', time, 'RETRYCOUNT', count, 'JUSTID', 'FORCE']) output.word(word);
  }

  private isPresent(id: StreamId): boolean {
    const { bytes, end } = this.ids;
    const count = end / ID_BYTES;
    if (count === KNOWN_IDS_MAX) return true;
    writeId(id, this.wanted, 0);
    let low = 0;
    for (let high = count; low < high; ) {
      const middle = (low + high) >>> 1;
      const at = middle * ID_BYTES;
      if (bytes.compare(this.wanted, 0, ID_BYTES, at, at + ID_BYTES) < 0) low = middle + 1;
      else high = middle;
    }
    const at = low * ID_BYTES;
    return low < count && bytes.compare(this.wanted, 0, ID_BYTES, at, at + ID_BYTES) === 0;
  }

  /** An entry that a consumer gave back, to be delivered behind those told before. */
  released(id: StreamId): void {
    const text = formatId(id);
    const entry = this.pending.get(text);
    if (entry === undefined || !this.target.loads.has(TYPE_STREAM_LISTPACKS_5) || !this.isPresent(id)) return;
    this.pending.delete(text);
    this.endConsumer();
    const { output } = this;
    output.head(10);
    output.word('XNACK');
    this.bulk(this.key);
    this.bulk(this.group);
    const count = String(entry.deliveryCount);
    for (const word of ['FAIL', 'IDS', '1', text, 'RETRYCOUNT', count, 'FORCE']) output.word(word);
  }

  idempotence(settings: StreamIdempotence): void {
    const { durationSeconds, entriesMax } = settings;
    this.recorded = 0;
    this.endGroup();
    if (isDefaultIdempotence(settings)) return;
    if (!this.knowsProducers) {
      this.lose('stream-producers');
      return;
    }
    this.command('XCFGSET', 'IDMP-DURATION', `${durationSeconds}`, 'IDMP-MAXSIZE', `${entriesMax}`);
  }

  startProducer(name: ByteSlice): void {
    keep(this.producer, name);
    if (!this.knowsProducers) this.lose('stream-producers');
  }

  produced(message: ByteSlice, id: StreamId): void {
    // Servers take no record of an entry that is gone.
    if (!this.knowsProducers || !this.isPresent(id)) return;
    this.recorded++;
    const { output } = this;
    output.head(5);
    output.word('XIDMPRECORD');
    this.bulk(this.key);
    this.bulk(this.producer);
    output.bulk(message.bytes, message.start, message.end);
    output.word(formatId(id));
  }

  producedTotals(added: Long, duplicates: Long): void {
    if (added !== this.recorded || duplicates !== 0) this.lose('stream-producers');
  }

  private get knowsProducers(): boolean {
    return this.target.loads.has(TYPE_STREAM_LISTPACKS_4);
  }

  private endConsumer(): void {
    if (!this.consumerOpen) return;
    this.consumerOpen = false;
    // A claim creates its consumer; one without entries is created by itself.
    if (this.consumerHasPending) return;
    if (!this.target.createConsumer) {
      this.lose('stream-consumer');
      return;
    }
    this.output.head(5);
    this.output.word('XGROUP');
    this.output.word('CREATECONSUMER');
    this.bulk(this.key);
    this.bulk(this.group);
    this.bulk(this.consumer);
  }

  private endGroup(): void {
    this.endConsumer();
    if (this.pending.size > 0) this.lose('stream-pending');
    this.pending.clear();
  }

  finish(): void {
    this.endGroup();
  }

  private command(name: string, ...words: string[]): void {
    this.output.head(2 + words.length);
    this.output.word(name);
    this.bulk(this.key);
    for (const word of words) this.output.word(word);
  }

  private bulk(text: GrowingBytes): void {
    this.output.bulk(text.bytes, 0, text.end);
  }
}

function keep(into: GrowingBytes, text: ByteSlice): void {
  into.reset();
  into.put(text.bytes, text.start, text.end);
}
