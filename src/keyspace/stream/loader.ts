import type { Long } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import type { StreamIdempotence, StreamMeta } from '../../model/handler.js';
import { compareIds, type StreamId } from '../../model/stream-id.js';
import { idKey, type StreamConsumer, StreamGroup } from './group.js';
import { StreamProducers } from './producers.js';
import { StreamValue } from './stream.js';

/**
 * Builds a stream from the events of an `ItemHandler`, told in their order: each method has the name of its event.
 * Slices are copied.
 */
export class StreamLoader {
  private value = new StreamValue();
  private group: StreamGroup | null = null;
  private consumer: StreamConsumer | null = null;
  private id: StreamId | null = null;
  private producers: StreamProducers | null = null;
  private messages: Map<string, StreamId> | null = null;
  private wanted = 0;
  private spans = 0;
  private used = 0;
  private readonly fields = {
    bytes: Buffer.allocUnsafeSlow(1024),
    starts: new Int32Array(64),
    ends: new Int32Array(64),
  };

  /** The stream told so far; the loader then starts a new one. */
  finish(): StreamValue {
    const { value } = this;
    this.value = new StreamValue();
    this.group = this.consumer = this.id = this.producers = this.messages = null;
    return value;
  }

  streamEntry(id: StreamId, fieldCount: number): void {
    this.id = id;
    this.wanted = fieldCount;
    this.spans = this.used = 0;
    if (fieldCount === 0) this.complete();
  }

  streamField(name: ByteSlice, value: ByteSlice): void {
    this.keep(name);
    this.keep(value);
    if (this.spans === this.wanted * 2) this.complete();
  }

  streamMeta(meta: StreamMeta): void {
    const { value } = this;
    value.lastId = meta.lastId;
    value.firstId = meta.firstId;
    value.maxDeletedId = meta.maxDeletedId;
    value.entriesAdded = meta.entriesAdded;
  }

  streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.group = new StreamGroup(lastId, entriesRead);
    this.value.groups.set(name.latin1(), this.group);
  }

  streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.group?.pending.insert(idKey(id), deliveredAtMs, deliveryCount);
  }

  streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    if (this.group === null) return;
    this.consumer = this.group.consumer(name.latin1(), seenAtMs, activeAtMs);
  }

  streamConsumerPending(id: StreamId): void {
    const key = idKey(id);
    const entry = this.group?.pending.get(key);
    if (entry !== undefined && this.consumer !== null) this.group?.pending.assign(key, entry, this.consumer);
  }

  streamReleased(id: StreamId): void {
    const key = idKey(id);
    if (this.group?.pending.get(key)?.consumer === null) this.group.pending.released.add(key);
  }

  streamIdempotence(settings: StreamIdempotence): void {
    const { durationSeconds, entriesMax } = settings;
    this.producers = Object.assign(new StreamProducers(), { durationSeconds, entriesMax });
    this.value.producers = this.producers;
  }

  streamProducer(name: ByteSlice): void {
    this.messages = this.producers?.of(name.latin1()) ?? null;
  }

  streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.messages?.set(messageId.latin1(), id);
  }

  streamProducedTotals(added: Long, duplicates: Long): void {
    if (this.producers === null) return;
    this.producers.added = added;
    this.producers.duplicates = duplicates;
  }

  private complete(): void {
    const { value, id } = this;
    if (id === null) return;
    value.entries.append(id, this.fields, 0, this.wanted);
    if (compareIds(id, value.lastId) > 0) value.lastId = id;
    this.id = null;
  }

  private keep(slice: ByteSlice): void {
    const { fields } = this;
    const length = slice.length;
    if (this.spans === fields.starts.length) {
      fields.starts = grown(fields.starts);
      fields.ends = grown(fields.ends);
    }
    if (this.used + length > fields.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.used + length, fields.bytes.length * 2));
      fields.bytes.copy(larger, 0, 0, this.used);
      fields.bytes = larger;
    }
    slice.bytes.copy(fields.bytes, this.used, slice.start, slice.end);
    fields.starts[this.spans] = this.used;
    this.used += length;
    fields.ends[this.spans++] = this.used;
  }
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
