import type { Long } from '../bytes/int64.js';
import type { StreamMeta } from './handler.js';
import type { StreamId } from './stream-id.js';

export interface ZsetMember {
  readonly member: Buffer;
  readonly score: number;
}

export interface HashField {
  readonly name: Buffer;
  readonly value: Buffer;
  /** Milliseconds since the epoch; null: the field has no TTL. */
  readonly expiresAtMs: number | null;
}

export interface StreamEntry {
  readonly id: StreamId;
  readonly fields: readonly (readonly [name: Buffer, value: Buffer])[];
}

export interface StreamPending {
  readonly id: StreamId;
  /** Milliseconds since the epoch. */
  readonly deliveredAtMs: Long;
  readonly deliveryCount: Long;
}

export interface StreamConsumer {
  readonly name: Buffer;
  /** Milliseconds since the epoch. */
  readonly seenAtMs: Long;
  /** Milliseconds since the epoch; null: never active. */
  readonly activeAtMs: Long | null;
  /** Entries of the group's pending list that this consumer holds. */
  readonly pending: readonly StreamId[];
}

export interface StreamGroup {
  readonly name: Buffer;
  readonly lastId: StreamId;
  /** Null: unknown. */
  readonly entriesRead: Long | null;
  readonly pending: readonly StreamPending[];
  readonly consumers: readonly StreamConsumer[];
}

/** What a key holds, owned: nothing of it changes or goes away. Order is that of the file. */
export type RedisValue =
  | { readonly kind: 'string'; readonly text: Buffer }
  | { readonly kind: 'list'; readonly elements: readonly Buffer[] }
  | { readonly kind: 'set'; readonly members: readonly Buffer[] }
  | { readonly kind: 'zset'; readonly members: readonly ZsetMember[] }
  | { readonly kind: 'hash'; readonly fields: readonly HashField[] }
  | {
      readonly kind: 'stream';
      readonly entries: readonly StreamEntry[];
      readonly meta: StreamMeta;
      readonly groups: readonly StreamGroup[];
    }
  /** The value's bytes in the file, from the module's id to the end mark. */
  | { readonly kind: 'module'; readonly raw: Buffer };

/** One key with all there is to know of it, owned. */
export interface KeyRecord {
  readonly database: number;
  readonly key: Buffer;
  readonly value: RedisValue;
  /** Milliseconds since the epoch; null: the key has no TTL. */
  readonly expiresAtMs: Long | null;
  /** Eviction hints; null where the file holds none. */
  readonly idleSeconds: number | null;
  readonly freq: number | null;
  /** The encoding as OBJECT ENCODING would say it of the bytes in the file. */
  readonly encoding: string;
  /** Absolute offset of the record in the file. */
  readonly offset: number;
}
