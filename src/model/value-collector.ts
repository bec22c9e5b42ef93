import { type Long, normalLong } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import {
  type CronTimes,
  type Depth,
  ELEMENTS,
  ITEMS,
  ItemSink,
  type KeyHead,
  type PackedVector,
  type StreamIdempotence,
  type StreamMeta,
  type VectorSetShape,
} from './handler.js';
import type { ModuleReading } from './module-value.js';
import { type StreamId, ZERO_ID } from './stream-id.js';
import type {
  ArrayElement,
  HashField,
  KeyRecord,
  RedisValue,
  StreamConsumer,
  StreamEntry,
  StreamGroup,
  StreamPending,
  StreamProducer,
  StreamProducers,
  VectorElement,
  VectorSet,
  ZsetMember,
} from './value.js';
import { unpackVector } from './vector.js';

interface ConsumerInProgress extends StreamConsumer {
  readonly pending: StreamId[];
}

interface GroupInProgress extends StreamGroup {
  readonly pending: StreamPending[];
  readonly consumers: ConsumerInProgress[];
  readonly released: StreamId[];
}

interface ProducerInProgress extends StreamProducer {
  readonly messages: { messageId: Buffer; id: StreamId }[];
}

interface ProducersInProgress extends StreamProducers {
  readonly producers: ProducerInProgress[];
  added: Long;
  duplicates: Long;
}

/** A job without its keys and arguments: those are told as elements. */
interface CronInProgress extends CronTimes {
  readonly script: Buffer;
  readonly keyCount: number;
}

/** Nobody asked what the value of a module means. */
const UNREAD = { data: null, problem: null } as const;

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
  private producers: ProducersInProgress | null = null;
  private elements: ArrayElement[] = [];
  private cursor: Long = -1;
  private job: CronInProgress | null = null;
  private shape: VectorSetShape | null = null;
  private vectors: VectorElement[] = [];

  /**
   * `take` gets each record as it is complete; `readModule` says what the bytes of a module's value mean. With ELEMENTS
   * for `depth`, vector sets come without their bytes.
   */
  constructor(
    private readonly take: (record: KeyRecord) => void,
    private readonly readModule: (value: Buffer) => ModuleReading | typeof UNREAD = () => UNREAD,
    private readonly depth: typeof ITEMS | typeof ELEMENTS = ITEMS,
  ) {
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
    this.producers = null;
    this.elements = [];
    this.cursor = -1;
    this.job = null;
    this.shape = null;
    this.vectors = [];
    return this.depth;
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
    this.groups.push({
      name: this.own(name),
      lastId,
      entriesRead: read,
      pending: [],
      consumers: [],
      released: [],
    });
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

  override streamReleased(id: StreamId): void {
    this.groups.at(-1)!.released.push(id);
  }

  override streamIdempotence(settings: StreamIdempotence): void {
    this.producers = { ...settings, producers: [], added: 0, duplicates: 0 };
  }

  override streamProducer(name: ByteSlice): void {
    this.producers!.producers.push({ name: this.own(name), messages: [] });
  }

  override streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.producers!.producers.at(-1)!.messages.push({ messageId: this.own(messageId), id });
  }

  override streamProducedTotals(added: Long, duplicates: Long): void {
    this.producers!.added = added;
    this.producers!.duplicates = duplicates;
  }

  override arrayCursor(index: Long): void {
    this.cursor = index;
  }

  override arrayElement(index: Long, value: ByteSlice): void {
    this.elements.push({ index, value: this.own(value) });
  }

  override cron(script: ByteSlice, { startMs, interval }: CronTimes, keyCount: number): void {
    this.job = { script: this.own(script), startMs, interval, keyCount };
  }

  override vectorSet(shape: VectorSetShape): void {
    this.shape = { ...shape };
  }

  override vector(element: ByteSlice, attributes: ByteSlice, vector: PackedVector): void {
    this.vectors.push({
      element: this.own(element),
      attributes: attributes.length === 0 ? null : this.own(attributes),
      vector: unpackVector(this.shape!, vector),
    });
  }

  override keyEnd(head: KeyHead): void {
    this.take({
      database: head.database,
      key: head.key.copy(),
      value: this.value(head),
      expiresAtMs: head.hasExpiry ? head.expiresAtMs : null,
      idleSeconds: head.idleSeconds < 0 ? null : head.idleSeconds,
      freq: head.freq < 0 ? null : head.freq,
      metadata: head.metadata,
      encoding: head.encoding,
      offset: head.offset,
    });
  }

  private value(head: KeyHead): RedisValue {
    switch (head.kind) {
      case 'string':
        return { kind: 'string', text: joined(this.texts) };
      case 'module':
        return this.moduleValue(head);
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
        return { kind: 'stream', entries, meta: this.meta, groups: this.groups, producers: this.producers };
      }
      case 'array':
        return { kind: 'array', elements: this.elements, cursor: this.cursor === -1 ? null : this.cursor };
      case 'gcra':
        return { kind: 'gcra', arrival: normalLong(BigInt(joined(this.texts).latin1Slice())) };
      case 'cron':
        return cronOf(this.job!, this.texts);
    }
  }

  private moduleValue({ moduleName: name, moduleVersion: version }: KeyHead): RedisValue {
    const vectorSet = this.vectorSetNow();
    const raw = joined(vectorSet !== null && this.depth === ELEMENTS ? [] : this.texts);
    const { data, problem } = vectorSet === null ? this.readModule(raw) : UNREAD;
    return { kind: 'module', name, version, raw, vectorSet, decoded: data, undecoded: problem };
  }

  private vectorSetNow(): VectorSet | null {
    return this.shape === null ? null : { ...this.shape, vectors: this.vectors };
  }

  private own(slice: ByteSlice): Buffer {
    this.sizeBytes += slice.length;
    // From the pool: most names and values are small, and memory of their own would cost more than they hold.
    const owned = Buffer.allocUnsafe(slice.length);
    slice.bytes.copy(owned, 0, slice.start, slice.end);
    return owned;
  }
}

function cronOf(
  { script, startMs, interval, keyCount }: CronInProgress,
  texts: readonly Buffer[],
): RedisValue {
  const keys = texts.slice(0, keyCount);
  return { kind: 'cron', script, startMs, interval, keys, arguments: texts.slice(keyCount) };
}

function joined(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
