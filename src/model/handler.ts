import type { Long } from '../bytes/int64.js';
import { ByteSlice } from '../bytes/slice.js';
import type { ValueKind } from './kind.js';
import type { StreamId } from './stream-id.js';

/** Walk past the value, reporting nothing of it. */
export const SKIP = 0;
/** Hand over the value's bytes as they stand in the file, in fragments, through `raw`. */
export const RAW = 1;
/** Hand over the value item by item; module values come through `raw` in any case. */
export const ITEMS = 2;

/** Item by item, and module values that are understood without their bytes, which need not be put together then. */
export const ELEMENTS = 3;

/** For a head with `textBytes`: the text may come in fragments, one `text` after the other. */
export const FRAGMENTS = 4;

export type Depth = typeof SKIP | typeof RAW | typeof ITEMS | typeof ELEMENTS | typeof FRAGMENTS;

/** Texts up to this many bytes are told whole, whoever listens. */
export const TEXT_WHOLE_MAX = 64 << 20;

/** What is known of a key before its value. One object is reused for all keys: copy what must be kept. */
export class KeyHead {
  database = 0;
  readonly key = new ByteSlice();
  kind: ValueKind = 'string';
  /** The encoding as OBJECT ENCODING would say it of these bytes: 'listpack', 'quicklist', 'hashtable', … */
  encoding = '';
  /** Type number in the file; -1 when the key does not come from an RDB. */
  typeId = -1;
  hasExpiry = false;
  /** Milliseconds since the epoch; meaningful only with `hasExpiry`. May be negative. */
  expiresAtMs: Long = 0;
  /** Eviction hints; -1: none. */
  idleSeconds = -1;
  freq = -1;
  /** Elements (list, set, array), pairs (hash, zset) or entries (stream) when the value says so up front; else -1. */
  count = -1;
  /** Of a string that is too large to be put together: its length in bytes. It comes in fragments for FRAGMENTS. Else -1. */
  textBytes = -1;
  /** Hashes only: a field may have a TTL, as the encoding or the owner of the value knows before its fields are told. */
  fieldsExpire = false;
  /** Modules only: the name of the value's type, nine characters; '' when its id is none. */
  moduleName = '';
  /** Modules only: of the encoding, as the module counts it. */
  moduleVersion = 0;
  /** The value can be told by its bytes alone. */
  opaque = false;
  /** What modules attached to the key, as it stands between its opcode and the type number, owned; null: nothing. */
  metadata: Buffer | null = null;
  /** Absolute offset of the record's first byte, its expiry and hints included; 0 when not from a file. */
  offset = 0;
}

/** Counters of a stream, reported after its last entry. */
export interface StreamMeta {
  /** Live entries. */
  readonly length: Long;
  readonly lastId: StreamId;
  readonly firstId: StreamId;
  readonly maxDeletedId: StreamId;
  readonly entriesAdded: Long;
}

/** How a stream tells messages apart that were sent twice. */
export interface StreamIdempotence {
  /** Seconds for which it remembers a message. */
  readonly durationSeconds: number;
  /** Messages it remembers of one producer. */
  readonly entriesMax: number;
}

/** What a server takes for a stream that nobody configured. */
export const DEFAULT_IDEMPOTENCE: StreamIdempotence = { durationSeconds: 100, entriesMax: 100 };

/** True when nobody configured the stream, or as it is anyway. */
export function isDefaultIdempotence({ durationSeconds, entriesMax }: StreamIdempotence): boolean {
  return (
    durationSeconds === DEFAULT_IDEMPOTENCE.durationSeconds && entriesMax === DEFAULT_IDEMPOTENCE.entriesMax
  );
}

/** What the vectors of a set have in common. */
export interface VectorSetShape {
  /** Numbers in each vector as it is held. */
  readonly dimensions: number;
  readonly elements: Long;
  /** How a number is held: four bytes, one byte, or one bit. */
  readonly quantization: 'fp32' | 'q8' | 'binary';
  /** Links of one node on each level of the graph; twice as many on the lowest. */
  readonly links: number;
  /** Numbers in each vector before it was projected to fewer; 0: it was not. */
  readonly projectedFrom: number;
}

/** One vector as it is held: quantized and of length one. */
export interface PackedVector {
  readonly blob: ByteSlice;
  /** What 127 stands for in `q8`. */
  readonly range: number;
  /** Length before it was normalized. */
  readonly norm: number;
  /** The element was added with attributes that are empty: that counts in DEBUG DIGEST until the set was saved. */
  readonly emptyAttributes?: boolean;
}

/** When a job of KeyDB runs. */
export interface CronTimes {
  /** Milliseconds since the epoch. */
  readonly startMs: Long;
  /** As in the file: milliseconds, with flags of the server's own among its bits. */
  readonly interval: Long;
}

/**
 * A dataset, told in order: functions and databases, then each key as `key`, the items of its value, `keyEnd`. RDB
 * decoders and the embedded keyspace both tell it; digests, writers and loaders listen. Slices are borrowed: valid
 * until the method returns.
 *
 * Order within a stream: for each live entry `streamEntry` then that many `streamField`; `streamMeta`; for each group
 * `streamGroup`, its `streamPending` entries, for each consumer `streamConsumer` and its `streamConsumerPending`, and
 * `streamReleased` for entries that were given back; then, where the server has such, `streamIdempotence`, for each
 * producer `streamProducer` and its `streamProduced`, and `streamProducedTotals`.
 *
 * A rate limit is told as one `text`: its time in decimal digits. Modules whose values are understood are told twice,
 * `raw` and item by item.
 */
export interface ItemHandler {
  database(index: number): void;
  /** Complete source of one function library, `#!` line included. */
  functionLibrary(code: ByteSlice): void;
  key(head: KeyHead): Depth;
  raw(fragment: ByteSlice): void;
  text(value: ByteSlice): void;
  element(value: ByteSlice): void;
  /** `expiresAtMs` -1: the field has no TTL. */
  field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void;
  member(value: ByteSlice, score: number): void;
  streamEntry(id: StreamId, fieldCount: number): void;
  streamField(name: ByteSlice, value: ByteSlice): void;
  streamMeta(meta: StreamMeta): void;
  /** `entriesRead` -1: unknown. */
  streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void;
  streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void;
  /** `activeAtMs` -1: never active. */
  streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void;
  streamConsumerPending(id: StreamId): void;
  /** A pending entry of nobody: a consumer gave it back. In the order in which they will be delivered again. */
  streamReleased(id: StreamId): void;
  streamIdempotence(settings: StreamIdempotence): void;
  streamProducer(name: ByteSlice): void;
  /** A message of the producer at hand, by the producer's own id, and the entry it became. */
  streamProduced(messageId: ByteSlice, id: StreamId): void;
  /** Messages with an id ever added, and duplicates ever refused. */
  streamProducedTotals(added: Long, duplicates: Long): void;
  /** Before an array's elements: the index that was inserted last; -1: none. */
  arrayCursor(index: Long): void;
  /** Elements come by ascending index. */
  arrayElement(index: Long, value: ByteSlice): void;
  /** A job's script; `element` tells its keys, `keyCount` of them, and then its arguments. */
  cron(script: ByteSlice, times: CronTimes, keyCount: number): void;
  vectorSet(shape: VectorSetShape): void;
  /** `attributes` is empty when there are none. */
  vector(element: ByteSlice, attributes: ByteSlice, vector: PackedVector): void;
  keyEnd(head: KeyHead): void;
  /** Told by the keyspace alone, behind `keyEnd`: when a member of that key's value goes, as KeyDB keeps it. */
  memberExpiry?(member: ByteSlice, expiresAtMs: Long): void;
}

/** An ItemHandler that ignores everything: extend it and override what matters. */
export class ItemSink implements ItemHandler {
  database(_index: number): void {}
  functionLibrary(_code: ByteSlice): void {}
  key(_head: KeyHead): Depth {
    return SKIP;
  }
  raw(_fragment: ByteSlice): void {}
  text(_value: ByteSlice): void {}
  element(_value: ByteSlice): void {}
  field(_name: ByteSlice, _value: ByteSlice, _expiresAtMs: number): void {}
  member(_value: ByteSlice, _score: number): void {}
  streamEntry(_id: StreamId, _fieldCount: number): void {}
  streamField(_name: ByteSlice, _value: ByteSlice): void {}
  streamMeta(_meta: StreamMeta): void {}
  streamGroup(_name: ByteSlice, _lastId: StreamId, _entriesRead: Long): void {}
  streamPending(_id: StreamId, _deliveredAtMs: Long, _deliveryCount: Long): void {}
  streamConsumer(_name: ByteSlice, _seenAtMs: Long, _activeAtMs: Long): void {}
  streamConsumerPending(_id: StreamId): void {}
  streamReleased(_id: StreamId): void {}
  streamIdempotence(_settings: StreamIdempotence): void {}
  streamProducer(_name: ByteSlice): void {}
  streamProduced(_messageId: ByteSlice, _id: StreamId): void {}
  streamProducedTotals(_added: Long, _duplicates: Long): void {}
  arrayCursor(_index: Long): void {}
  arrayElement(_index: Long, _value: ByteSlice): void {}
  cron(_script: ByteSlice, _times: CronTimes, _keyCount: number): void {}
  vectorSet(_shape: VectorSetShape): void {}
  vector(_element: ByteSlice, _attributes: ByteSlice, _vector: PackedVector): void {}
  keyEnd(_head: KeyHead): void {}
  memberExpiry(_member: ByteSlice, _expiresAtMs: Long): void {}
}
