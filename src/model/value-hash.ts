import { highWord, type Long, lowWord } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import {
  type CronTimes,
  type Depth,
  FRAGMENTS,
  ITEMS,
  ItemSink,
  isDefaultIdempotence,
  type KeyHead,
  type PackedVector,
  type StreamIdempotence,
  type StreamMeta,
  TEXT_WHOLE_MAX,
} from './handler.js';
import { OBJECT_TYPE } from './kind.js';
import type { StreamId } from './stream-id.js';

const C1 = 0xcc9e2d51 | 0;
const C2 = 0x1b873593;
const C3 = 0x85ebca6b | 0;
const C4 = 0xc2b2ae35 | 0;

const doubles = new Float64Array(1);
const doubleWords = new Int32Array(doubles.buffer);

/** Two lanes of 32 bits. */
export class HashLanes {
  a = 0;
  b = 0;
}

function finish(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), C3);
  h = Math.imul(h ^ (h >>> 13), C4);
  return h ^ (h >>> 16);
}

/**
 * Hashes a range into two lanes that depend on both seeds: 64 bits of which nobody who does not know the seeds can say
 * when they will be equal.
 */
export function hashRange(
  bytes: Buffer,
  start: number,
  end: number,
  seedA: number,
  seedB: number,
  out: HashLanes,
): void {
  let a = seedA;
  let b = seedB;
  const words = end - ((end - start) & 3);
  let at = start;
  for (; at < words; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    a ^= Math.imul(word, C1);
    a = (Math.imul((a << 13) | (a >>> 19), 5) + 0x6b43a9b5) | 0;
    b = Math.imul(b ^ word, C2);
    b ^= (b << 15) | (b >>> 17);
    b = (b + a) | 0;
  }
  let rest = 0;
  for (let shift = 0; at < end; at++, shift += 8) rest |= bytes[at]! << shift;
  a ^= Math.imul(rest, C1);
  b = Math.imul(b ^ rest, C2);
  out.a = finish(a ^ (end - start));
  out.b = finish(b ^ out.a ^ (end - start));
}

/**
 * Two lanes of 32 bits that are the same for the same value, however it is encoded, whoever tells it and in whatever order
 * where order means nothing: that of groups, consumers, pending entries and producers of a stream, too. Like DEBUG DIGEST
 * it takes 0 and -0 for one score; unlike it, it looks at groups and consumers of streams, at what is pending, and at
 * producers. Counters of a stream, and when consumers were last seen, do not count: older servers don't keep them.
 */
export class ValueHasher extends ItemSink {
  /** The hash of the value told last, once `keyEnd` was. */
  readonly value = new HashLanes();
  private readonly item = new HashLanes();
  private readonly second = new HashLanes();
  private a = 0;
  private b = 0;
  /** The group or producer at hand, and the consumer: what they have is told apart by them. */
  private readonly owner = new HashLanes();
  private readonly consumer = new HashLanes();
  /** Of the next part whose place does count, within its owner. */
  private place = 0;
  /** The value, while a part of it is hashed. */
  private restA = 0;
  private restB = 0;
  private readonly seeds: { readonly a: number; readonly b: number };
  private ordered = false;
  /** The value is told by its bytes, too: those alone count. */
  private opaque = false;
  private inFragments = false;

  constructor(
    private readonly seedA: number,
    private readonly seedB: number,
  ) {
    super();
    this.seeds = { a: seedA, b: seedB };
  }

  override key(head: KeyHead): Depth {
    const { kind } = head;
    this.a = this.seedA ^ OBJECT_TYPE[kind];
    this.b = this.seedB;
    this.ordered = kind === 'list' || kind === 'cron';
    this.opaque = kind === 'module';
    this.inFragments = head.textBytes >= 0;
    return this.inFragments ? FRAGMENTS : ITEMS;
  }

  override keyEnd(_head: KeyHead): void {
    this.value.a = finish(this.a);
    this.value.b = finish(this.b ^ this.a);
  }

  /** Takes two words in at the end of what came before. */
  private append(a: number, b: number): void {
    this.a = Math.imul(((this.a << 13) | (this.a >>> 19)) ^ a, C1) + 0x2f0b4a27;
    this.b = Math.imul(((this.b << 15) | (this.b >>> 17)) ^ b ^ this.a, C2) + 0x1a3c5e97;
  }

  private appendSlice({ bytes, start, end }: ByteSlice): void {
    const { item } = this;
    hashRange(bytes, start, end, this.seedA, this.seedB, item);
    this.append(item.a, item.b);
  }

  private appendLong(value: Long): void {
    this.append(highWord(value), lowWord(value));
  }

  private appendId({ msHigh, msLow, seqHigh, seqLow }: StreamId): void {
    this.append(msHigh, msLow);
    this.append(seqHigh, seqLow);
  }

  /** Takes an item in wherever it stands: items that differ add up to the same only by chance. */
  private add(a: number, b: number): void {
    this.a = (this.a + a) | 0;
    this.b = (this.b + finish(b ^ a)) | 0;
  }

  override raw({ bytes, start, end }: ByteSlice): void {
    // Fragments end anywhere, so bytes are taken one by one.
    let { a, b } = this;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      a = Math.imul(((a << 5) | (a >>> 27)) ^ byte, C1);
      b = (Math.imul(((b << 7) | (b >>> 25)) ^ byte, C2) + a) | 0;
    }
    this.a = a;
    this.b = b;
  }

  override text(value: ByteSlice): void {
    // The same for a text whoever tells it: those that may come in fragments are taken byte by byte.
    if (this.inFragments || value.length > TEXT_WHOLE_MAX) this.raw(value);
    else this.appendSlice(value);
  }

  override element(value: ByteSlice): void {
    if (this.ordered) {
      this.appendSlice(value);
      return;
    }
    const { item } = this;
    hashRange(value.bytes, value.start, value.end, this.seedA, this.seedB, item);
    this.add(item.a, item.b);
  }

  override member(value: ByteSlice, score: number): void {
    const { item } = this;
    hashRange(value.bytes, value.start, value.end, this.seedA, this.seedB, item);
    doubles[0] = score === 0 ? 0 : score;
    this.addPair(doubleWords[0]!, doubleWords[1]!);
  }

  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    const { item, second } = this;
    hashRange(name.bytes, name.start, name.end, this.seedA, this.seedB, item);
    hashRange(value.bytes, value.start, value.end, this.seedB, this.seedA, second);
    doubles[0] = expiresAtMs;
    this.addPair(second.a ^ finish(doubleWords[0]!), second.b ^ finish(doubleWords[1]!));
  }

  /** Adds the item at hand together with what belongs to it. */
  private addPair(a: number, b: number): void {
    const { item } = this;
    const left = finish(Math.imul(item.a, C1) ^ a);
    this.add(left, finish(Math.imul(item.b, C2) ^ b ^ left));
  }

  override streamEntry(id: StreamId, fieldCount: number): void {
    this.appendId(id);
    this.append(fieldCount, 1);
  }

  override streamField(name: ByteSlice, value: ByteSlice): void {
    this.appendSlice(name);
    this.appendSlice(value);
  }

  override streamMeta({ lastId }: StreamMeta): void {
    this.appendId(lastId);
    this.append(0, 2);
  }

  /**
   * Begins a part of a stream whose place among others does not count: what is appended until `closePart` belongs to it.
   */
  private openPart({ a, b }: { readonly a: number; readonly b: number }, mark: number, place: number): void {
    this.restA = this.a;
    this.restB = this.b;
    this.a = a;
    this.b = b;
    this.append(place, mark);
  }

  /** Takes the part in; `part` is what the parts within it are opened with. */
  private closePart(part: HashLanes): void {
    part.a = finish(this.a);
    part.b = finish(this.b ^ this.a);
    this.a = this.restA;
    this.b = this.restB;
    this.add(part.a, part.b);
  }

  override streamGroup(name: ByteSlice, lastId: StreamId, _entriesRead: Long): void {
    this.openPart(this.seeds, 3, 0);
    this.appendSlice(name);
    this.appendId(lastId);
    this.closePart(this.owner);
    this.place = 0;
  }

  override streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.openPart(this.owner, 8, 0);
    this.appendId(id);
    this.appendLong(deliveredAtMs);
    this.appendLong(deliveryCount);
    this.closePart(this.item);
  }

  override streamConsumer(name: ByteSlice, _seenAtMs: Long, _activeAtMs: Long): void {
    this.openPart(this.owner, 4, 0);
    this.appendSlice(name);
    this.closePart(this.consumer);
  }

  override streamConsumerPending(id: StreamId): void {
    this.openPart(this.consumer, 9, 0);
    this.appendId(id);
    this.closePart(this.item);
  }

  /** Their order is that of their next delivery, and counts. */
  override streamReleased(id: StreamId): void {
    this.openPart(this.owner, 5, this.place++);
    this.appendId(id);
    this.closePart(this.item);
  }

  /** Servers that know nothing of it have what nobody configured. */
  override streamIdempotence(settings: StreamIdempotence): void {
    if (isDefaultIdempotence(settings)) return;
    this.openPart(this.seeds, 10, 0);
    this.append(settings.durationSeconds, settings.entriesMax);
    this.closePart(this.item);
  }

  override streamProducer(name: ByteSlice): void {
    this.openPart(this.seeds, 6, 0);
    this.appendSlice(name);
    this.closePart(this.owner);
    this.place = 0;
  }

  /** Their order is that in which they are forgotten, and counts. */
  override streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.openPart(this.owner, 11, this.place++);
    this.appendSlice(messageId);
    this.appendId(id);
    this.closePart(this.item);
  }

  override arrayElement(index: Long, value: ByteSlice): void {
    this.appendLong(index);
    this.appendSlice(value);
  }

  override arrayCursor(index: Long): void {
    this.appendLong(index);
  }

  override cron(script: ByteSlice, { startMs, interval }: CronTimes, keyCount: number): void {
    this.appendSlice(script);
    this.appendLong(startMs);
    this.appendLong(interval);
    this.append(keyCount, 7);
  }

  override vector(element: ByteSlice, attributes: ByteSlice, vector: PackedVector): void {
    if (this.opaque) return;
    this.appendSlice(element);
    this.appendSlice(attributes);
    this.appendSlice(vector.blob);
  }
}
