import type { Long } from '../bytes/int64.js';
import type { CronTimes, StreamIdempotence, StreamMeta, VectorSetShape } from './handler.js';
import type { ModuleData, ModuleProblem } from './module-value.js';
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

export interface StreamProducer {
  readonly name: Buffer;
  /** Messages by the producer's own ids, and the entries they became. */
  readonly messages: readonly { readonly messageId: Buffer; readonly id: StreamId }[];
}

/** What a stream remembers of messages, so as not to take one twice. */
export interface StreamProducers extends StreamIdempotence {
  readonly producers: readonly StreamProducer[];
  /** Messages with an id ever added, and duplicates ever refused. */
  readonly added: Long;
  readonly duplicates: Long;
}

export interface ArrayElement {
  readonly index: Long;
  readonly value: Buffer;
}

export interface VectorElement {
  readonly element: Buffer;
  /** JSON text; null: it has none. */
  readonly attributes: Buffer | null;
  /** The vector, as exactly as its quantization kept it; of a binary one the signs, as 1 and -1. */
  readonly vector: readonly number[];
}

/** The elements of a vector set, without the graph that links them. */
export interface VectorSet extends VectorSetShape {
  readonly vectors: readonly VectorElement[];
}

export interface StreamGroup {
  readonly name: Buffer;
  readonly lastId: StreamId;
  /** Null: unknown. */
  readonly entriesRead: Long | null;
  readonly pending: readonly StreamPending[];
  readonly consumers: readonly StreamConsumer[];
  /** Pending entries that were given back and belong to nobody, in the order of their next delivery. */
  readonly released: readonly StreamId[];
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
      /** Null where the server does not know such. */
      readonly producers: StreamProducers | null;
    }
  | {
      readonly kind: 'array';
      readonly elements: readonly ArrayElement[];
      /** Index that was inserted last; null: none. */
      readonly cursor: Long | null;
    }
  /** The theoretical arrival time of a rate limit. */
  | { readonly kind: 'gcra'; readonly arrival: Long }
  | ({
      readonly kind: 'cron';
      readonly script: Buffer;
      readonly keys: readonly Buffer[];
      readonly arguments: readonly Buffer[];
    } & CronTimes)
  | {
      readonly kind: 'module';
      /** Of the type, nine characters; '' when its id is none. */
      readonly name: string;
      /** Of the encoding, as the module counts it. */
      readonly version: number;
      /** The value's bytes in the file, from the module's id to the end mark. */
      readonly raw: Buffer;
      /** What they mean, of vector sets; null for values of other modules. */
      readonly vectorSet: VectorSet | null;
      /** What they mean, of other modules; null: `undecoded` says why, or nobody asked. */
      readonly decoded: ModuleData | null;
      readonly undecoded: ModuleProblem | null;
    };

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
  /** What modules attached to the key, as it stands in the file; null: nothing. */
  readonly metadata: Buffer | null;
  /** The encoding as OBJECT ENCODING would say it of the bytes in the file. */
  readonly encoding: string;
  /** Absolute offset of the record in the file. */
  readonly offset: number;
}
