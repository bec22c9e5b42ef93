import { GrowingBytes } from '../../bytes/growing-bytes.js';
import { highWord, type Long, lowWord } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { assert } from '../../errors.js';
import type { StreamMeta } from '../../model/handler.js';
import { type StreamId, writeId } from '../../model/stream-id.js';
import {
  TYPE_STREAM_LISTPACKS_2,
  TYPE_STREAM_LISTPACKS_3,
  TYPE_STREAM_LISTPACKS_4,
  TYPE_STREAM_LISTPACKS_5,
} from '../constants.js';
import type { ValueStart } from './key-record.js';
import { type RdbOutput, SideOutput, writeIdLengths } from './output.js';
import { StreamNodes } from './stream-nodes.js';
import { ProducersEncoder } from './stream-producers.js';

const ID_BYTES = 16;
/** An entry pending in a group as kept here: id, delivery time, two words of the number of deliveries. */
const PENDING_BYTES = ID_BYTES + 16;
/** What a file holds of it as it is: id and time. */
const PENDING_FIXED_BYTES = ID_BYTES + 8;

/**
 * Streams: nodes of entries, counters, consumer groups. The encoded nodes wait in memory, as their number stands in
 * front of them, and so do the groups.
 */
export class StreamEncoder {
  /** Pending entries of no consumer that were left out of the current stream: before Redis 8.8 no target holds them. */
  dropped = 0;
  readonly producers: ProducersEncoder;
  private readonly nodes: StreamNodes;
  private readonly groups: SideOutput;
  private readonly pending = new GrowingBytes();
  private readonly consumers: SideOutput;
  /** Ids pending for the consumers of the group; those of the last one begin at `ownedAt`. */
  private readonly owned = new GrowingBytes();
  private ownedAt = 0;
  /** Ids that were given back, in the order of their next delivery. */
  private readonly released = new GrowingBytes();
  private consumerCount = 0;
  private groupCount = 0;
  private meta: StreamMeta | null = null;

  constructor(
    private readonly into: ValueStart,
    private readonly typeId: number,
    compress: boolean,
  ) {
    this.nodes = new StreamNodes(compress);
    this.groups = new SideOutput(compress);
    this.consumers = new SideOutput(compress);
    this.producers = new ProducersEncoder(compress);
  }

  begin(): void {
    this.dropped = 0;
    this.groupCount = 0;
    this.meta = null;
    this.nodes.begin();
    this.groups.reset();
    this.producers.begin();
  }

  entry(id: StreamId, fieldCount: number): void {
    this.nodes.startEntry(id, fieldCount);
  }

  field(name: ByteSlice, value: ByteSlice): void {
    this.nodes.field(name, value);
  }

  counters(meta: StreamMeta): void {
    this.meta = meta;
  }

  group(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.closeGroup();
    const { output } = this.groups;
    output.text(name.bytes, name.start, name.end);
    writeIdLengths(output, lastId);
    if (this.typeId >= TYPE_STREAM_LISTPACKS_2) output.longLength(entriesRead);
    this.groupCount++;
    this.pending.reset();
    this.consumers.reset();
    this.owned.reset();
    this.ownedAt = 0;
    this.released.reset();
    this.consumerCount = 0;
  }

  pendingEntry(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    const { pending } = this;
    pending.reserve(PENDING_BYTES);
    const at = pending.end;
    writeId(id, pending.bytes, at);
    pending.bytes.writeUInt32LE(lowWord(deliveredAtMs), at + ID_BYTES);
    pending.bytes.writeUInt32LE(highWord(deliveredAtMs), at + ID_BYTES + 4);
    pending.bytes.writeUInt32LE(lowWord(deliveryCount), at + ID_BYTES + 8);
    pending.bytes.writeUInt32LE(highWord(deliveryCount), at + ID_BYTES + 12);
    pending.end += PENDING_BYTES;
  }

  consumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    this.closeConsumer();
    const { output } = this.consumers;
    output.text(name.bytes, name.start, name.end);
    output.int64(seenAtMs);
    if (this.typeId >= TYPE_STREAM_LISTPACKS_3) output.int64(activeAtMs);
    this.consumerCount++;
  }

  consumerPending(id: StreamId): void {
    this.owned.reserve(ID_BYTES);
    writeId(id, this.owned.bytes, this.owned.end);
    this.owned.end += ID_BYTES;
  }

  releasedEntry(id: StreamId): void {
    this.released.reserve(ID_BYTES);
    writeId(id, this.released.bytes, this.released.end);
    this.released.end += ID_BYTES;
  }

  private closeConsumer(): void {
    if (this.consumerCount === 0) return;
    const { output } = this.consumers;
    output.length((this.owned.end - this.ownedAt) / ID_BYTES);
    output.raw(this.owned.bytes, this.ownedAt, this.owned.end);
    this.ownedAt = this.owned.end;
  }

  private closeGroup(): void {
    if (this.groupCount === 0) return;
    this.closeConsumer();
    const { output } = this.groups;
    this.writePending(output);
    output.length(this.consumerCount);
    this.consumers.moveTo(output);
    if (this.typeId < TYPE_STREAM_LISTPACKS_5) return;
    output.length(this.released.end / ID_BYTES);
    output.raw(this.released.bytes, 0, this.released.end);
  }

  private writePending(output: RdbOutput): void {
    const { bytes, end } = this.pending;
    if (this.typeId >= TYPE_STREAM_LISTPACKS_5) this.releaseRest();
    const listed = this.typeId >= TYPE_STREAM_LISTPACKS_5 ? this.released.end / ID_BYTES : 0;
    const all = end / PENDING_BYTES === this.owned.end / ID_BYTES + listed;
    const ownedIds = all ? null : this.idsOf(this.owned);
    const isOwned = (at: number) => ownedIds?.has(bytes.latin1Slice(at, at + ID_BYTES)) ?? true;
    let count = 0;
    for (let at = 0; at < end; at += PENDING_BYTES) if (isOwned(at)) count++;
    this.dropped += end / PENDING_BYTES - count;
    output.length(count);
    for (let at = 0; at < end; at += PENDING_BYTES) {
      if (!isOwned(at)) continue;
      output.raw(bytes, at, at + PENDING_FIXED_BYTES);
      output.lengthWords(bytes.readUInt32LE(at + ID_BYTES + 12), bytes.readUInt32LE(at + ID_BYTES + 8));
    }
  }

  /** Entries of no consumer that nobody listed come behind those that were. */
  private releaseRest(): void {
    const { pending, owned, released } = this;
    if (pending.end / PENDING_BYTES === (owned.end + released.end) / ID_BYTES) return;
    const placed = this.idsOf(owned, released);
    for (let at = 0; at < pending.end; at += PENDING_BYTES) {
      if (!placed.has(pending.bytes.latin1Slice(at, at + ID_BYTES)))
        released.put(pending.bytes, at, at + ID_BYTES);
    }
  }

  private idsOf(...lists: readonly GrowingBytes[]): Set<string> {
    const ids = new Set<string>();
    for (const { bytes, end } of lists) {
      for (let at = 0; at < end; at += ID_BYTES) ids.add(bytes.latin1Slice(at, at + ID_BYTES));
    }
    return ids;
  }

  /** Writes the stream, an empty one too. */
  finish(): void {
    const { meta } = this;
    assert(meta !== null, 'a stream is told with its counters');
    this.closeGroup();
    const output = this.into.open(this.typeId);
    this.nodes.finish(output);
    output.longLength(meta.length);
    writeIdLengths(output, meta.lastId);
    if (this.typeId >= TYPE_STREAM_LISTPACKS_2) {
      writeIdLengths(output, meta.firstId);
      writeIdLengths(output, meta.maxDeletedId);
      output.longLength(meta.entriesAdded);
    }
    output.length(this.groupCount);
    this.groups.moveTo(output);
    if (this.typeId >= TYPE_STREAM_LISTPACKS_4) this.producers.write(output);
  }
}
