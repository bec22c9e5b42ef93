import type { Long } from '../bytes/int64.js';
import { ByteSlice } from '../bytes/slice.js';
import {
  type CronTimes,
  type Depth,
  ITEMS,
  type ItemHandler,
  type KeyHead,
  type PackedVector,
  SKIP,
  type StreamIdempotence,
  type StreamMeta,
  type VectorSetShape,
} from '../model/handler.js';
import type { StreamId } from '../model/stream-id.js';
import type { KeyFilter } from './filter.js';
import { ItemRelay } from './relay.js';

/** Lets only those keys through that a filter means. */
export class KeyGate extends ItemRelay {
  private passing = false;

  constructor(
    target: ItemHandler,
    private readonly filter: KeyFilter,
  ) {
    super(target);
  }

  override key(head: KeyHead): Depth {
    this.passing = this.filter.passes(head);
    return this.passing ? this.target.key(head) : SKIP;
  }

  override keyEnd(head: KeyHead): void {
    if (this.passing) this.target.keyEnd(head);
  }

  override memberExpiry(member: ByteSlice, expiresAtMs: Long): void {
    if (this.passing) this.target.memberExpiry?.(member, expiresAtMs);
  }
}

/** Counts the keys that come to a filter: only so is a dataset that has none told from one of which none is meant. */
export class MetKeys extends ItemRelay {
  count = 0;

  override key(head: KeyHead): Depth {
    this.count++;
    return this.target.key(head);
  }
}

/** Bytes that count for a number or an id. */
const NUMBER_BYTES = 8;
const ID_BYTES = 16;

/**
 * Lets only those keys through whose value has at least so many bytes of content: texts, names, eight for a score,
 * sixteen for an id. Holds back the items of a key until they are that many, never more.
 */
export class SizeGate implements ItemHandler {
  private readonly held: (() => void)[] = [];
  private head: KeyHead | null = null;
  private bytes = 0;
  /** The target was told of the key, and wants its items. */
  private open = false;
  private wanted = false;

  constructor(
    private readonly target: ItemHandler,
    private readonly minBytes: number,
  ) {}

  database(index: number): void {
    this.target.database(index);
  }

  functionLibrary(code: ByteSlice): void {
    this.target.functionLibrary(code);
  }

  key(head: KeyHead): Depth {
    this.head = head;
    this.bytes = 0;
    this.open = this.wanted = false;
    return ITEMS;
  }

  raw(fragment: ByteSlice): void {
    if (this.passes(fragment.length)) this.target.raw(fragment);
    else this.hold(fragment, (copy) => this.target.raw(copy));
  }

  text(value: ByteSlice): void {
    if (this.passes(value.length)) this.target.text(value);
    else this.hold(value, (copy) => this.target.text(copy));
  }

  element(value: ByteSlice): void {
    if (this.passes(value.length)) this.target.element(value);
    else this.hold(value, (copy) => this.target.element(copy));
  }

  field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    if (this.passes(name.length + value.length)) this.target.field(name, value, expiresAtMs);
    else this.holdPair(name, value, (a, b) => this.target.field(a, b, expiresAtMs));
  }

  member(value: ByteSlice, score: number): void {
    if (this.passes(value.length + NUMBER_BYTES)) this.target.member(value, score);
    else this.hold(value, (copy) => this.target.member(copy, score));
  }

  streamEntry(id: StreamId, fieldCount: number): void {
    if (this.passes(ID_BYTES)) this.target.streamEntry(id, fieldCount);
    else this.push(() => this.target.streamEntry(id, fieldCount));
  }

  streamField(name: ByteSlice, value: ByteSlice): void {
    if (this.passes(name.length + value.length)) this.target.streamField(name, value);
    else this.holdPair(name, value, (a, b) => this.target.streamField(a, b));
  }

  streamMeta(meta: StreamMeta): void {
    if (this.passes(0)) this.target.streamMeta(meta);
    else this.push(() => this.target.streamMeta(meta));
  }

  streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    if (this.passes(name.length + ID_BYTES)) this.target.streamGroup(name, lastId, entriesRead);
    else this.hold(name, (copy) => this.target.streamGroup(copy, lastId, entriesRead));
  }

  streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    if (this.passes(ID_BYTES)) this.target.streamPending(id, deliveredAtMs, deliveryCount);
    else this.push(() => this.target.streamPending(id, deliveredAtMs, deliveryCount));
  }

  streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    if (this.passes(name.length)) this.target.streamConsumer(name, seenAtMs, activeAtMs);
    else this.hold(name, (copy) => this.target.streamConsumer(copy, seenAtMs, activeAtMs));
  }

  streamConsumerPending(id: StreamId): void {
    if (this.passes(ID_BYTES)) this.target.streamConsumerPending(id);
    else this.push(() => this.target.streamConsumerPending(id));
  }

  streamReleased(id: StreamId): void {
    if (this.passes(ID_BYTES)) this.target.streamReleased(id);
    else this.push(() => this.target.streamReleased(id));
  }

  streamIdempotence(settings: StreamIdempotence): void {
    if (this.passes(0)) this.target.streamIdempotence(settings);
    else this.push(() => this.target.streamIdempotence(settings));
  }

  streamProducer(name: ByteSlice): void {
    if (this.passes(name.length)) this.target.streamProducer(name);
    else this.hold(name, (copy) => this.target.streamProducer(copy));
  }

  streamProduced(messageId: ByteSlice, id: StreamId): void {
    if (this.passes(messageId.length + ID_BYTES)) this.target.streamProduced(messageId, id);
    else this.hold(messageId, (copy) => this.target.streamProduced(copy, id));
  }

  streamProducedTotals(added: Long, duplicates: Long): void {
    if (this.passes(0)) this.target.streamProducedTotals(added, duplicates);
    else this.push(() => this.target.streamProducedTotals(added, duplicates));
  }

  arrayCursor(index: Long): void {
    if (this.passes(0)) this.target.arrayCursor(index);
    else this.push(() => this.target.arrayCursor(index));
  }

  arrayElement(index: Long, value: ByteSlice): void {
    if (this.passes(NUMBER_BYTES + value.length)) this.target.arrayElement(index, value);
    else this.hold(value, (copy) => this.target.arrayElement(index, copy));
  }

  cron(script: ByteSlice, times: CronTimes, keyCount: number): void {
    if (this.passes(script.length)) this.target.cron(script, times, keyCount);
    else this.hold(script, (copy) => this.target.cron(copy, times, keyCount));
  }

  /** A vector set is told by its bytes too, and those are counted. */
  vectorSet(shape: VectorSetShape): void {
    if (this.passes(0)) this.target.vectorSet(shape);
    else this.push(() => this.target.vectorSet(shape));
  }

  vector(element: ByteSlice, attributes: ByteSlice, vector: PackedVector): void {
    if (this.passes(0)) {
      this.target.vector(element, attributes, vector);
      return;
    }
    const blob = owned(vector.blob);
    const kept = { blob, range: vector.range, norm: vector.norm };
    this.holdPair(element, attributes, (a, b) => this.target.vector(a, b, kept));
  }

  keyEnd(head: KeyHead): void {
    if (this.open) this.target.keyEnd(head);
    this.held.length = 0;
  }

  memberExpiry(member: ByteSlice, expiresAtMs: Long): void {
    if (this.open) this.target.memberExpiry?.(member, expiresAtMs);
  }

  /** Counts the bytes of an item; true when it may go straight on. */
  private passes(bytes: number): boolean {
    this.bytes += bytes;
    if (!this.open && this.bytes >= this.minBytes) this.release();
    return this.open && this.wanted;
  }

  /** The key is large enough: it is told now, with all that was held back. */
  private release(): void {
    this.open = true;
    this.wanted = this.target.key(this.head!) !== SKIP;
    if (this.wanted) for (const item of this.held) item();
    this.held.length = 0;
  }

  private hold(value: ByteSlice, item: (copy: ByteSlice) => void): void {
    if (this.open) return;
    const copy = owned(value);
    this.held.push(() => item(copy));
  }

  private holdPair(name: ByteSlice, value: ByteSlice, item: (a: ByteSlice, b: ByteSlice) => void): void {
    const second = owned(value);
    this.hold(name, (first) => item(first, second));
  }

  private push(item: () => void): void {
    if (!this.open) this.held.push(item);
  }
}

function owned(slice: ByteSlice): ByteSlice {
  const copy = slice.copy();
  return new ByteSlice().set(copy, 0, copy.length);
}
