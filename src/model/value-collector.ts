import type { Long } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import { type Depth, ITEMS, ItemSink, type KeyHead, type StreamMeta } from './handler.js';
import { type StreamId, ZERO_ID } from './stream-id.js';
import type {
  HashField,
  KeyRecord,
  RedisValue,
  StreamConsumer,
  StreamEntry,
  StreamGroup,
  StreamPending,
  ZsetMember,
} from './value.js';

interface ConsumerInProgress extends StreamConsumer {
  readonly pending: StreamId[];
}

interface GroupInProgress extends StreamGroup {
  readonly pending: StreamPending[];
  readonly consumers: ConsumerInProgress[];
}

const NO_META: StreamMeta = {
  length: 0,
  lastId: ZERO_ID,
  firstId: ZERO_ID,
  maxDeletedId: ZERO_ID,
  entriesAdded: 0,
};

/** Puts the items of each key together to a record that owns its bytes. Memory follows the largest value. */
export class ValueCollector extends ItemSink {
  /** Bytes of names and values in the record at hand, or in the last one. */
  sizeBytes = 0;
  private texts: Buffer[] = [];
  private members: ZsetMember[] = [];
  private fields: HashField[] = [];
  private entries: { id: StreamId; fields: (readonly [Buffer, Buffer])[] }[] = [];
  private meta = NO_META;
  private groups: GroupInProgress[] = [];

  /** `take` gets each record as it is complete. */
  constructor(private readonly take: (record: KeyRecord) => void) {
    super();
  }

  override key(head: KeyHead): Depth {
    this.sizeBytes = head.key.length;
    this.texts = [];
    this.members = [];
    this.fields = [];
    this.entries = [];
    this.meta = NO_META;
    this.groups = [];
    return ITEMS;
  }

  override raw(fragment: ByteSlice): void {
    this.texts.push(this.own(fragment));
  }

  override text(value: ByteSlice): void {
    this.texts.push(this.own(value));
  }

  override element(value: ByteSlice): void {
    this.texts.push(this.own(value));
  }

  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    const expiry = expiresAtMs < 0 ? null : expiresAtMs;
    this.fields.push({ name: this.own(name), value: this.own(value), expiresAtMs: expiry });
  }

  override member(value: ByteSlice, score: number): void {
    this.members.push({ member: this.own(value), score });
  }

  override streamEntry(id: StreamId, _fieldCount: number): void {
    this.entries.push({ id, fields: [] });
  }

  override streamField(name: ByteSlice, value: ByteSlice): void {
    this.entries.at(-1)!.fields.push([this.own(name), this.own(value)]);
  }

  override streamMeta(meta: StreamMeta): void {
    this.meta = meta;
  }

  override streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    const read = entriesRead === -1 ? null : entriesRead;
    this.groups.push({ name: this.own(name), lastId, entriesRead: read, pending: [], consumers: [] });
  }

  override streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.groups.at(-1)!.pending.push({ id, deliveredAtMs, deliveryCount });
  }

  override streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    const active = activeAtMs === -1 ? null : activeAtMs;
    this.groups.at(-1)!.consumers.push({ name: this.own(name), seenAtMs, activeAtMs: active, pending: [] });
  }

  override streamConsumerPending(id: StreamId): void {
    this.groups.at(-1)!.consumers.at(-1)!.pending.push(id);
  }

  override keyEnd(head: KeyHead): void {
    this.take({
      database: head.database,
      key: head.key.copy(),
      value: this.value(head),
      expiresAtMs: head.hasExpiry ? head.expiresAtMs : null,
      idleSeconds: head.idleSeconds < 0 ? null : head.idleSeconds,
      freq: head.freq < 0 ? null : head.freq,
      encoding: head.encoding,
      offset: head.offset,
    });
  }

  private value(head: KeyHead): RedisValue {
    switch (head.kind) {
      case 'string':
        return { kind: 'string', text: joined(this.texts) };
      case 'module':
        return { kind: 'module', raw: joined(this.texts) };
      case 'list':
        return { kind: 'list', elements: this.texts };
      case 'set':
        return { kind: 'set', members: this.texts };
      case 'zset':
        return { kind: 'zset', members: this.members };
      case 'hash':
        return { kind: 'hash', fields: this.fields };
      case 'stream': {
        const entries: readonly StreamEntry[] = this.entries;
        return { kind: 'stream', entries, meta: this.meta, groups: this.groups };
      }
    }
  }

  private own(slice: ByteSlice): Buffer {
    this.sizeBytes += slice.length;
    // From the pool: most names and values are small, and memory of their own would cost more than they hold.
    const owned = Buffer.allocUnsafe(slice.length);
    slice.bytes.copy(owned, 0, slice.start, slice.end);
    return owned;
  }
}

function joined(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
