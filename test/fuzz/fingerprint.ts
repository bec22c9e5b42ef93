import type { Long } from '../../src/bytes/int64.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import {
  type CronTimes,
  type Depth,
  ITEMS,
  isDefaultIdempotence,
  type KeyHead,
  type PackedVector,
  type StreamIdempotence,
  type StreamMeta,
  type VectorSetShape,
} from '../../src/model/handler.js';
import type { StreamId } from '../../src/model/stream-id.js';
import { RdbSink } from '../../src/rdb/handler.js';

const UNORDERED: ReadonlySet<string> = new Set(['set', 'hash', 'zset']);

/**
 * What a dataset says, in a number: the same for keys and items in another order where order means nothing, and for other
 * encodings of the same values.
 */
export class Fingerprint extends RdbSink {
  keys = 0;
  private total = 0;
  private own = 0;
  private item = 0;
  private adds = false;

  constructor(
    private readonly depth: Depth = ITEMS,
    /** Whether what only files know counts: the bytes of values that are handed over as they stand. */
    private readonly withRaw = true,
  ) {
    super();
  }

  get text32(): string {
    return `${this.keys}:${(this.total >>> 0).toString(16)}`;
  }

  override functionLibrary(code: ByteSlice): void {
    this.total = (this.total + hash(7, code)) | 0;
  }

  override key(head: KeyHead): Depth {
    this.keys++;
    this.own = mix(hash(mixText(head.database + 1, head.kind), head.key), head.hasExpiry ? 1 : 0);
    if (head.hasExpiry) this.own = mixText(this.own, String(head.expiresAtMs));
    this.adds = UNORDERED.has(head.kind);
    return this.depth;
  }

  override raw(fragment: ByteSlice): void {
    if (!this.withRaw) return;
    // Fragments may be cut anywhere.
    const { bytes, start, end } = fragment;
    for (let at = start; at < end; at++) this.own = mix(this.own, bytes[at]!);
  }

  override text(value: ByteSlice): void {
    const { bytes, start, end } = value;
    for (let at = start; at < end; at++) this.own = mix(this.own, bytes[at]!);
  }

  override element(value: ByteSlice): void {
    this.take(hash(1, value));
  }

  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.take(mixText(hash(hash(2, name), value), String(expiresAtMs)));
  }

  override member(value: ByteSlice, score: number): void {
    this.take(mixText(hash(3, value), String(score)));
  }

  override streamEntry(id: StreamId, fieldCount: number): void {
    this.take(mix(idHash(4, id), fieldCount));
  }

  override streamField(name: ByteSlice, value: ByteSlice): void {
    this.take(hash(hash(5, name), value));
  }

  override streamMeta(meta: StreamMeta): void {
    this.take(
      mixText(idHash(idHash(6, meta.lastId), meta.maxDeletedId), `${meta.length} ${meta.entriesAdded}`),
    );
  }

  override streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.take(mixText(idHash(hash(7, name), lastId), String(entriesRead)));
  }

  override streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.take(mixText(idHash(8, id), `${deliveredAtMs} ${deliveryCount}`));
  }

  override streamConsumer(name: ByteSlice, seenAtMs: Long, _activeAtMs: Long): void {
    this.take(mixText(hash(9, name), String(seenAtMs)));
  }

  override streamConsumerPending(id: StreamId): void {
    this.take(idHash(10, id));
  }

  override streamReleased(id: StreamId): void {
    this.take(idHash(11, id));
  }

  override streamIdempotence(settings: StreamIdempotence): void {
    // Older files do not say what is so of itself.
    if (isDefaultIdempotence(settings)) return;
    this.take(mix(mix(12, settings.durationSeconds), settings.entriesMax));
  }

  override streamProducer(name: ByteSlice): void {
    this.take(hash(13, name));
  }

  override streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.take(idHash(hash(14, messageId), id));
  }

  override streamProducedTotals(added: Long, duplicates: Long): void {
    if (Number(added) > 0 || Number(duplicates) > 0) this.take(mixText(15, `${added} ${duplicates}`));
  }

  override arrayCursor(index: Long): void {
    this.take(mixText(16, String(index)));
  }

  override arrayElement(index: Long, value: ByteSlice): void {
    this.take(mixText(hash(17, value), String(index)));
  }

  override cron(script: ByteSlice, { startMs, interval }: CronTimes, keyCount: number): void {
    this.take(mixText(hash(18, script), `${startMs} ${interval} ${keyCount}`));
  }

  override vectorSet(shape: VectorSetShape): void {
    this.take(mixText(19, `${shape.dimensions} ${shape.elements} ${shape.quantization}`));
  }

  override vector(element: ByteSlice, attributes: ByteSlice, { blob, norm }: PackedVector): void {
    this.total = (this.total + mixText(hash(hash(hash(20, element), attributes), blob), String(norm))) | 0;
  }

  override keyEnd(): void {
    this.total = (this.total + mix(this.own, this.item)) | 0;
    this.item = 0;
  }

  private take(value: number): void {
    if (this.adds) this.item = (this.item + Math.imul(value, 0x9e3779b1)) | 0;
    else this.own = mix(this.own, value);
  }
}

function mix(state: number, value: number): number {
  const x = Math.imul(state ^ value ^ (value >>> 15), 0x85ebca6b);
  return (x ^ (x >>> 13)) + 0x165667b1;
}

function mixText(state: number, text: string): number {
  let x = state;
  for (let i = 0; i < text.length; i++) x = mix(x, text.charCodeAt(i));
  return mix(x, text.length);
}

function hash(state: number, { bytes, start, end }: ByteSlice): number {
  let x = state;
  for (let at = start; at < end; at++) x = mix(x, bytes[at]!);
  return mix(x, end - start);
}

const idHash = (state: number, id: StreamId): number =>
  mix(mix(mix(mix(state, id.msHigh), id.msLow), id.seqHigh), id.seqLow);
