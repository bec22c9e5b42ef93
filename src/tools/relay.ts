import type { Long } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import type { Depth, ItemHandler, KeyHead, StreamMeta } from '../model/handler.js';
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
  keyEnd(head: KeyHead): void {
    this.target.keyEnd(head);
  }
}

/** The same for an RDB: the dataset goes on, what stands around it is ignored unless a method is overridden. */
export class RdbRelay extends ItemRelay implements RdbHandler {
  record(): void {}
  header(_header: RdbHeader): void {}
  aux(_name: ByteSlice, _value: ByteSlice): void {}
  resize(): void {}
  slotInfo(): void {}
  moduleAux(): void {}
  end(): void {}
  get full(): boolean {
    return false;
  }
}
