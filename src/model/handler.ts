import type { Long } from '../bytes/int64.js';
import { ByteSlice } from '../bytes/slice.js';
import type { ValueKind } from './kind.js';
import type { StreamId } from './stream-id.js';

/** Walk past the value, reporting nothing of it. */
export const SKIP = 0;
/** Hand over the value's bytes as they stand in the file, in fragments, through `raw`. */
export const RAW = 1;
/** Hand over the value item by item; module values come through `raw` even so. */
export const ITEMS = 2;

export type Depth = typeof SKIP | typeof RAW | typeof ITEMS;

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
  /** Elements (list, set), pairs (hash, zset) or entries (stream) when the value says so up front; else -1. */
  count = -1;
  /** Hashes only: a field may have a TTL, as the encoding or the owner of the value knows before its fields are told. */
  fieldsExpire = false;
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

/**
 * A dataset, told in order: functions and databases, then each key as `key`, the items of its value, `keyEnd`. RDB
 * decoders and the embedded keyspace both tell it; digests, writers and loaders listen. Slices are borrowed: valid
 * until the method returns.
 *
 * Order within a stream: for each live entry `streamEntry` then that many `streamField`; `streamMeta`; for each group
 * `streamGroup`, its `streamPending` entries, then for each consumer `streamConsumer` and its `streamConsumerPending`.
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
  keyEnd(head: KeyHead): void;
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
  keyEnd(_head: KeyHead): void {}
}
