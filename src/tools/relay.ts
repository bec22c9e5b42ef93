import type { Long } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import type {
  CronTimes,
  Depth,
  ItemHandler,
  KeyHead,
  PackedVector,
  StreamIdempotence,
  StreamMeta,
  VectorSetShape,
} from '../model/handler.js';
import type { StreamId } from '../model/stream-id.js';
import type { RdbHandler, RdbHeader } from '../rdb/handler.js';

/** Hands every event on to another handler, which may be exchanged between keys. Extend it to stand in between. */
export class ItemRelay implements ItemHandler {
  constructor(protected target: ItemHandler) {}

  database(index: number): void {
    this.target.database(index);
  }
  functionLibrary(code: ByteSlice): void {
    this.target.functionLibrary(code);
  }
  key(head: KeyHead): Depth {
    return this.target.key(head);
  }
  raw(fragment: ByteSlice): void {
    this.target.raw(fragment);
  }
  text(value: ByteSlice): void {
    this.target.text(value);
  }
  element(value: ByteSlice): void {
    this.target.element(value);
  }
  field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.target.field(name, value, expiresAtMs);
  }
  member(value: ByteSlice, score: number): void {
    this.target.member(value, score);
  }
  streamEntry(id: StreamId, fieldCount: number): void {
    this.target.streamEntry(id, fieldCount);
  }
  streamField(name: ByteSlice, value: ByteSlice): void {
    this.target.streamField(name, value);
  }
  streamMeta(meta: StreamMeta): void {
    this.target.streamMeta(meta);
  }
  streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.target.streamGroup(name, lastId, entriesRead);
  }
  streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.target.streamPending(id, deliveredAtMs, deliveryCount);
  }
  streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    this.target.streamConsumer(name, seenAtMs, activeAtMs);
  }
  streamConsumerPending(id: StreamId): void {
    this.target.streamConsumerPending(id);
  }
  streamReleased(id: StreamId): void {
    this.target.streamReleased(id);
  }
  streamIdempotence(settings: StreamIdempotence): void {
    this.target.streamIdempotence(settings);
  }
  streamProducer(name: ByteSlice): void {
    this.target.streamProducer(name);
  }
  streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.target.streamProduced(messageId, id);
  }
  streamProducedTotals(added: Long, duplicates: Long): void {
    this.target.streamProducedTotals(added, duplicates);
  }
  arrayCursor(index: Long): void {
    this.target.arrayCursor(index);
  }
  arrayElement(index: Long, value: ByteSlice): void {
    this.target.arrayElement(index, value);
  }
  cron(script: ByteSlice, times: CronTimes, keyCount: number): void {
    this.target.cron(script, times, keyCount);
  }
  vectorSet(shape: VectorSetShape): void {
    this.target.vectorSet(shape);
  }
  vector(element: ByteSlice, attributes: ByteSlice, vector: PackedVector): void {
    this.target.vector(element, attributes, vector);
  }
  keyEnd(head: KeyHead): void {
    this.target.keyEnd(head);
  }

  memberExpiry(member: ByteSlice, expiresAtMs: Long): void {
    this.target.memberExpiry?.(member, expiresAtMs);
  }
}

/** The same for an RDB: the dataset goes on, what stands around it is ignored unless a method is overridden. */
export class RdbRelay extends ItemRelay implements RdbHandler {
  record(): void {}
  header(_header: RdbHeader): void {}
  aux(_name: ByteSlice, _value: ByteSlice): void {}
  resize(): void {}
  slotInfo(): void {}
  slotImport(): void {}
  moduleAux(_fragment: ByteSlice, _last: boolean): void {}
  end(): void {}
  get full(): boolean {
    return false;
  }
}
