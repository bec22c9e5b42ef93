import type { Long } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { assert, unreachable } from '../../errors.js';
import type { CronTimes, KeyHead, StreamIdempotence, StreamMeta } from '../../model/handler.js';
import type { ValueKind } from '../../model/kind.js';
import { compareIds, type StreamId, ZERO_ID } from '../../model/stream-id.js';
import {
  FIELD_EXPIRY_MAX,
  TYPE_STREAM_LISTPACKS_2,
  TYPE_STREAM_LISTPACKS_3,
  TYPE_STREAM_LISTPACKS_4,
  TYPE_STRING,
} from '../constants.js';
import { estimateEntriesRead } from '../types/stream-walk.js';
import type { RdbTarget } from '../writer-target.js';
import { ArrayEncoder } from './array.js';
import { CronEncoder } from './cron.js';
import { ExpiringHashEncoder } from './expiring-hash.js';
import { HashEncoder } from './hash.js';
import type { ValueStart } from './key-record.js';
import { ListEncoder } from './list.js';
import { ModuleEncoder } from './module.js';
import { SetEncoder } from './set.js';
import { StreamEncoder } from './stream.js';
import { ZsetEncoder } from './zset.js';

/** What of a value a target had no place for. */
export type ValueLoss =
  /** The whole value, as no such values are known there. */
  | 'stream'
  | 'module'
  | 'array'
  | 'gcra'
  | 'cron'
  /** The value had no element, and no server keeps such. */
  | 'empty'
  /** A hash is there, the TTLs of its fields are not. */
  | 'field-expiry'
  /** A stream is there; what it counted beyond its entries, or when consumers last got something, is not. */
  | 'stream-counters'
  /** Entries pending in a group for no consumer. */
  | 'stream-pending'
  /** What a stream remembers so as not to take a message twice. */
  | 'stream-producers';

/** The loss of a whole value, of a kind that the target does not know. */
export function lostKind(kind: ValueKind): ValueLoss {
  if (kind === 'stream' || kind === 'module' || kind === 'array' || kind === 'gcra' || kind === 'cron')
    return kind;
  throw new Error(`internal error, please report it: every server knows a ${kind}`);
}

/** Turns the items of one value at a time into its bytes, in the form that suits the target. */
export class ValueWriter {
  /** What the value written last had to leave behind. */
  readonly losses = new Set<ValueLoss>();
  private readonly lists: ListEncoder;
  private readonly sets: SetEncoder;
  private readonly zsets: ZsetEncoder;
  private readonly hashes: HashEncoder;
  private readonly expiringHashes: ExpiringHashEncoder;
  private readonly streams: StreamEncoder | null;
  private readonly modules: ModuleEncoder;
  private readonly arrays: ArrayEncoder;
  private readonly crons: CronEncoder;
  private readonly streamType: number;
  private copying = false;
  private kind: ValueKind = 'string';
  private fieldsExpire = false;
  private written = false;
  /** Length of the text at hand when it comes in fragments, else -1. */
  private textBytes = -1;
  private streamMetaTold: StreamMeta | null = null;

  constructor(
    private readonly into: ValueStart,
    private readonly target: RdbTarget,
    compress: boolean,
  ) {
    this.lists = new ListEncoder(into, target, compress);
    this.sets = new SetEncoder(into, target, compress);
    this.zsets = new ZsetEncoder(into, target, compress);
    this.hashes = new HashEncoder(into, target, compress);
    this.expiringHashes = new ExpiringHashEncoder(into, target, this.hashes);
    this.streamType = target.stream ?? -1;
    this.streams = target.stream === null ? null : new StreamEncoder(into, target.stream, compress);
    this.modules = new ModuleEncoder(into, target.vectorSets);
    this.arrays = new ArrayEncoder(into, compress);
    this.crons = new CronEncoder(into, compress);
  }

  /** Starts a value that comes byte for byte, through `raw`. */
  copy(head: KeyHead): void {
    this.copying = true;
    this.forgetLosses();
    this.into.open(head.typeId);
  }

  /** Starts a value that comes item by item, or through `raw` if it is a module's. */
  begin(head: KeyHead): void {
    this.copying = false;
    this.kind = head.kind;
    this.forgetLosses();
    switch (head.kind) {
      case 'string':
        this.written = false;
        this.textBytes = head.textBytes;
        break;
      case 'list':
        this.lists.begin(head.count);
        break;
      case 'set':
        this.sets.begin(head.count);
        break;
      case 'zset':
        this.zsets.begin(head.count);
        break;
      case 'hash':
        this.fieldsExpire = head.fieldsExpire && this.target.fieldExpiry !== 'none';
        if (this.fieldsExpire) this.expiringHashes.begin();
        else this.hashes.begin(head.count);
        break;
      case 'stream':
        this.streams?.begin();
        break;
      case 'module':
        this.modules.begin();
        break;
      case 'array':
        this.arrays.begin(head.count);
        break;
      case 'gcra':
      case 'cron':
        this.written = false;
        break;
      default:
        unreachable(head.kind);
    }
  }

  private forgetLosses(): void {
    if (this.losses.size > 0) this.losses.clear();
  }

  raw(fragment: ByteSlice): void {
    if (this.copying) this.into.output.raw(fragment.bytes, fragment.start, fragment.end);
    else this.modules.raw(fragment);
  }

  text(value: ByteSlice): void {
    assert(this.kind === 'string', 'no target takes a rate limit');
    if (this.textBytes >= 0) this.fragment(value);
    else this.into.open(TYPE_STRING).text(value.bytes, value.start, value.end);
    this.written = true;
  }

  private fragment({ bytes, start, end }: ByteSlice): void {
    if (!this.written) this.into.open(TYPE_STRING).length(this.textBytes);
    this.into.output.raw(bytes, start, end);
  }

  element(value: ByteSlice): void {
    if (this.kind === 'list') this.lists.element(value);
    else if (this.kind === 'set') this.sets.element(value);
    else this.crons.element(value);
  }

  member(value: ByteSlice, score: number): void {
    this.zsets.member(value, score);
  }

  field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    if (this.fieldsExpire) {
      // Valkey keeps any time, Redis refuses a file with one beyond so many bits.
      const isTooLate = expiresAtMs > FIELD_EXPIRY_MAX && this.target.fieldExpiry === 'redis';
      if (isTooLate) this.losses.add('field-expiry');
      this.expiringHashes.field(name, value, isTooLate ? -1 : expiresAtMs);
      return;
    }
    if (expiresAtMs >= 0) {
      assert(this.target.fieldExpiry === 'none', 'a hash whose fields expire says so in its head');
      this.losses.add('field-expiry');
    }
    this.hashes.field(name, value);
  }

  /** The encoder of streams; only for a target that has them. */
  private get stream(): StreamEncoder {
    assert(this.streams !== null, 'a stream is told to a target that has streams');
    return this.streams;
  }

  streamEntry(id: StreamId, fieldCount: number): void {
    this.stream.entry(id, fieldCount);
  }

  streamField(name: ByteSlice, value: ByteSlice): void {
    this.stream.field(name, value);
  }

  streamMeta(meta: StreamMeta): void {
    const deleted = compareIds(meta.maxDeletedId, ZERO_ID) !== 0;
    if (deleted || meta.entriesAdded !== meta.length) this.loseCounters(TYPE_STREAM_LISTPACKS_2);
    this.streamMetaTold = meta;
    this.stream.counters(meta);
  }

  /** Servers without these counters, and those after them, estimate them on loading; what comes out the same is no loss. */
  private loseCounters(heldSince: number): void {
    if (this.streamType < heldSince) this.losses.add('stream-counters');
  }

  streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    const meta = this.streamMetaTold;
    assert(meta !== null, 'groups are told behind the counters of their stream');
    const assumed = { ...meta, maxDeletedId: ZERO_ID, entriesAdded: meta.length };
    if (estimateEntriesRead(assumed, lastId) !== entriesRead) this.loseCounters(TYPE_STREAM_LISTPACKS_2);
    this.stream.group(name, lastId, entriesRead);
  }

  streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.stream.pendingEntry(id, deliveredAtMs, deliveryCount);
  }

  streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    if (activeAtMs !== seenAtMs) this.loseCounters(TYPE_STREAM_LISTPACKS_3);
    this.stream.consumer(name, seenAtMs, activeAtMs);
  }

  streamConsumerPending(id: StreamId): void {
    this.stream.consumerPending(id);
  }

  streamReleased(id: StreamId): void {
    this.stream.releasedEntry(id);
  }

  streamIdempotence(settings: StreamIdempotence): void {
    this.stream.producers.configure(settings);
  }

  streamProducer(name: ByteSlice): void {
    this.stream.producers.producer(name);
  }

  streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.stream.producers.message(messageId, id);
  }

  streamProducedTotals(added: Long, duplicates: Long): void {
    this.stream.producers.totals(added, duplicates);
  }

  arrayCursor(index: Long): void {
    this.arrays.inserted(index);
  }

  arrayElement(index: Long, value: ByteSlice): void {
    this.arrays.element(index, value);
  }

  cron(script: ByteSlice, times: CronTimes, keyCount: number): void {
    this.crons.begin(script, times, keyCount);
    this.written = true;
  }

  /** Ends the value. True when it was written; `losses` says what was left behind. */
  finish(): boolean {
    const { kind } = this;
    if (this.copying) return true;
    switch (kind) {
      case 'string':
        assert(this.written, 'a string is told with its text');
        return true;
      case 'list':
        return this.unlessEmpty(this.lists.finish());
      case 'set':
        return this.unlessEmpty(this.sets.finish());
      case 'zset':
        return this.unlessEmpty(this.zsets.finish());
      case 'hash':
        return this.unlessEmpty(this.fieldsExpire ? this.expiringHashes.finish() : this.hashes.finish());
      case 'stream':
        this.stream.finish();
        if (this.stream.dropped > 0) this.losses.add('stream-pending');
        if (this.streamType < TYPE_STREAM_LISTPACKS_4 && this.stream.producers.remembers) {
          this.losses.add('stream-producers');
        }
        return true;
      case 'module':
        if (this.modules.finish()) return true;
        this.losses.add('module');
        return false;
      case 'array':
        return this.unlessEmpty(this.arrays.finish());
      case 'cron':
        assert(this.written, 'a job is told with its script');
        this.crons.finish();
        return true;
      case 'gcra':
        return false;
      default:
        return unreachable(kind);
    }
  }

  private unlessEmpty(written: boolean): boolean {
    if (!written) this.losses.add('empty');
    return written;
  }
}
