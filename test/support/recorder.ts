import type { Long } from '../../src/bytes/int64.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import {
  type Depth,
  ITEMS,
  type KeyHead,
  type PackedVector,
  type StreamIdempotence,
  type StreamMeta,
  type VectorSetShape,
} from '../../src/model/handler.js';
import { formatId, type StreamId } from '../../src/model/stream-id.js';
import { RdbSink } from '../../src/rdb/handler.js';
import { CORPUS_NOW } from './corpus.js';

/** A stream without what servers forget or invent: radix tree shapes, lags, times consumers were last seen. */
export interface RecordedStream {
  readonly entries: readonly (readonly [id: string, flat: readonly string[]])[];
  readonly lastId: string;
  /** Undefined where the server that wrote the truth knew none. */
  readonly maxDeletedId: string | undefined;
  readonly entriesAdded: number | undefined;
  readonly groups: readonly RecordedGroup[];
  /** What it remembers of producers; undefined where the server knows none. */
  readonly producers: RecordedProducers | undefined;
}

export interface RecordedProducers {
  readonly durationSeconds: number;
  readonly entriesMax: number;
  readonly producers: number;
  readonly messages: number;
  readonly added: number;
  readonly duplicates: number;
}

interface ProducersInProgress extends RecordedProducers {
  producers: number;
  messages: number;
  added: number;
  duplicates: number;
}

/** An element of a vector set: its name, vector as it is held, length, range where it has one, and attributes. */
export type RecordedVector = readonly [string, string, number, number | undefined, string | null];

export interface RecordedGroup {
  readonly name: string;
  readonly lastId: string;
  readonly entriesRead: number | undefined;
  readonly consumers: readonly string[];
  /** Undefined delivery time where the server that wrote the truth does not tell it. */
  readonly pending: readonly (readonly [
    id: string,
    consumer: string,
    at: number | undefined,
    count: number,
  ])[];
}

/** One key in a form that compares: names and values in base64, members of unordered types sorted. */
export interface RecordedKey {
  readonly db: number;
  readonly key: string;
  readonly type: string;
  readonly pexpiretime: number | null;
  readonly value: unknown;
}

interface GroupInProgress extends RecordedGroup {
  consumers: string[];
  pending: [id: string, consumer: string, at: number | undefined, count: number][];
}

/** Listens to a dataset and keeps every key of it. Module values are kept as the number of their bytes. */
export class Recorder extends RdbSink {
  readonly keys: RecordedKey[] = [];
  readonly libraries: string[] = [];
  private items: unknown[] = [];
  private rawBytes = 0;
  private meta: StreamMeta | null = null;
  private groups: GroupInProgress[] = [];
  private consumer = '';
  private producers: ProducersInProgress | undefined;
  private newProducer = false;
  private next = 0n;
  private quantized = false;
  private isVectorSet = false;

  override functionLibrary(code: ByteSlice): void {
    this.libraries.push(base64(code));
  }

  override key(_head: KeyHead): Depth {
    this.items = [];
    this.rawBytes = 0;
    this.meta = null;
    this.groups = [];
    this.producers = undefined;
    this.isVectorSet = false;
    return ITEMS;
  }

  override raw(fragment: ByteSlice): void {
    this.rawBytes += fragment.length;
  }

  override text(value: ByteSlice): void {
    this.items.push(base64(value));
  }

  override element(value: ByteSlice): void {
    this.items.push(base64(value));
  }

  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.items.push([base64(name), base64(value), expiresAtMs < 0 ? null : expiresAtMs]);
  }

  override member(value: ByteSlice, score: number): void {
    this.items.push([base64(value), score]);
  }

  override streamEntry(id: StreamId): void {
    this.items.push([formatId(id), []]);
  }

  override streamField(name: ByteSlice, value: ByteSlice): void {
    (this.items.at(-1) as [string, string[]])[1].push(base64(name), base64(value));
  }

  override streamMeta(meta: StreamMeta): void {
    this.meta = meta;
  }

  override streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    const read = entriesRead === -1 ? undefined : Number(entriesRead);
    this.groups.push({
      name: base64(name),
      lastId: formatId(lastId),
      entriesRead: read,
      consumers: [],
      pending: [],
    });
  }

  override streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.groups.at(-1)!.pending.push([formatId(id), '', Number(deliveredAtMs), Number(deliveryCount)]);
  }

  override streamConsumer(name: ByteSlice): void {
    this.consumer = base64(name);
    this.groups.at(-1)!.consumers.push(this.consumer);
  }

  override streamConsumerPending(id: StreamId): void {
    const text = formatId(id);
    this.groups.at(-1)!.pending.find((entry) => entry[0] === text)![1] = this.consumer;
  }

  override streamIdempotence(settings: StreamIdempotence): void {
    this.producers = { ...settings, producers: 0, messages: 0, added: 0, duplicates: 0 };
  }

  override streamProducer(): void {
    this.newProducer = true;
  }

  override streamProduced(_messageId: ByteSlice, { msHigh, msLow }: StreamId): void {
    // Servers write producers whose messages are all too old, and forget messages by their clock, loaded or not.
    const ageMs = CORPUS_NOW * 1000 - (msHigh * 2 ** 32 + msLow);
    if (ageMs >= this.producers!.durationSeconds * 1000) return;
    if (this.newProducer) this.producers!.producers++;
    this.newProducer = false;
    this.producers!.messages++;
  }

  override streamProducedTotals(added: Long, duplicates: Long): void {
    this.producers!.added = Number(added);
    this.producers!.duplicates = Number(duplicates);
  }

  override arrayCursor(index: Long): void {
    this.next = BigInt(index) + 1n;
  }

  override arrayElement(index: Long, value: ByteSlice): void {
    this.items.push([plain(index), base64(value)]);
  }

  override vectorSet({ quantization }: VectorSetShape): void {
    this.isVectorSet = true;
    this.quantized = quantization === 'q8';
  }

  override vector(element: ByteSlice, attributes: ByteSlice, { blob, range, norm }: PackedVector): void {
    const json = attributes.length === 0 ? null : base64(attributes);
    const held: RecordedVector = [
      base64(element),
      base64(blob),
      norm,
      this.quantized ? range : undefined,
      json,
    ];
    this.items.push(held);
  }

  override keyEnd(head: KeyHead): void {
    this.keys.push({
      db: head.database,
      key: base64(head.key),
      type: head.moduleName === '' ? head.kind : head.moduleName,
      pexpiretime: head.hasExpiry ? Number(head.expiresAtMs) : null,
      value: this.value(head.kind),
    });
  }

  private value(kind: KeyHead['kind']): unknown {
    if (kind === 'string') return this.items[0];
    if (kind === 'list') return this.items;
    if (kind === 'module') return this.isVectorSet ? sorted(this.items) : this.rawBytes;
    if (kind === 'array') return { next: plain(this.next), entries: this.items };
    if (kind === 'gcra' || kind === 'cron') return this.items;
    if (kind !== 'stream') return sorted(this.items);
    const { lastId, maxDeletedId, entriesAdded } = this.meta!;
    return {
      entries: this.items as RecordedStream['entries'],
      lastId: formatId(lastId),
      maxDeletedId: formatId(maxDeletedId),
      entriesAdded: Number(entriesAdded),
      groups: sorted(this.groups.map((group) => ({ ...group, consumers: group.consumers.sort() }))),
      producers: this.producers,
    } satisfies RecordedStream;
  }
}

type Place = Pick<RecordedKey, 'db' | 'key'>;

/** By database, then name. */
export function byPlace(a: Place, b: Place): number {
  return a.db - b.db || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** As truth holds 64 bits, and reads again: a number as long as it fits with its sign, else its digits. */
export function plain(value: Long): number | string {
  return BigInt(value) < 1n << 63n ? Number(value) : String(value);
}

/** By what they say, for items in no order of their own. */
export function sorted<T>(items: readonly T[]): T[] {
  const keyed = items.map((item) => [JSON.stringify(item), item] as const);
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);
}

function base64(slice: ByteSlice): string {
  return slice.view().toString('base64');
}
