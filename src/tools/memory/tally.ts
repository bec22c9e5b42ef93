import { SLOTS, slotOf } from '../../kernels/crc16.js';
import type { KeyHead } from '../../model/handler.js';
import type { ValueKind } from '../../model/kind.js';
import { DICT_ENTRY, POINTER, slotsFor } from './allocation.js';
import type { KeySize, KeySizeListener } from './key-size.js';
import { PrefixTree } from './prefix-tree.js';
import { SizeSpread, Spread } from './spread.js';
import { TopKeys } from './top-keys.js';

/** What some keys come to. */
export interface KeySum {
  readonly keys: number;
  /** Bytes of their records in the RDB; 0 where there is none. */
  readonly fileBytes: number;
  /** What they take in a server, estimated. */
  readonly memoryBytes: number;
  readonly elements: number;
  /** Keys that have a TTL. */
  readonly withExpiry: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** Bounds of times that lie ahead or back, in seconds. */
const TIMES = [MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY] as const;
const FREQUENCIES = [1, 5, 10, 20, 50, 100, 200] as const;

/** Adds up keys in every way a report shows them, in bounded memory. */
export class KeyTally implements KeySizeListener {
  readonly total: Mutable<KeySum> = newSum();
  readonly databases = new Map<number, Mutable<KeySum>>();
  readonly kinds = new Map<ValueKind, Mutable<KeySum>>();
  /** By kind and encoding. */
  readonly encodings = new Map<ValueKind, Map<string, Mutable<KeySum>>>();
  readonly prefixes = new PrefixTree();
  readonly biggest: TopKeys;
  readonly longest: TopKeys;
  /** Keys past their TTL, and seconds that the others have left. */
  readonly ttl = new Spread([0, ...TIMES]);
  readonly idle = new Spread(TIMES);
  readonly freq = new Spread(FREQUENCIES);
  readonly sizes = new SizeSpread();
  idleKeys = 0;
  freqKeys = 0;
  readonly slotBytes: Float64Array | null;
  readonly slotKeys: Float64Array | null;

  constructor(
    private readonly nowMs: number,
    top: number,
    slots: boolean,
  ) {
    this.biggest = new TopKeys(top);
    this.longest = new TopKeys(top);
    this.slotBytes = slots ? new Float64Array(SLOTS) : null;
    this.slotKeys = slots ? new Float64Array(SLOTS) : null;
  }

  key(head: KeyHead, size: KeySize): void {
    const { memoryBytes, elements } = size;
    const { bytes, start, end } = head.key;
    const expires = head.hasExpiry;
    addTo(this.total, size, expires);
    addTo(sumOf(this.databases, head.database), size, expires);
    addTo(sumOf(this.kinds, head.kind), size, expires);
    let encodings = this.encodings.get(head.kind);
    if (encodings === undefined) this.encodings.set(head.kind, (encodings = new Map()));
    addTo(sumOf(encodings, size.encoding), size, expires);
    this.prefixes.add(bytes, start, end, size.fileBytes, memoryBytes, expires);
    this.biggest.offer(memoryBytes, head, size);
    if (elements > 1) this.longest.offer(elements, head, size);
    this.sizes.add(memoryBytes);
    if (expires) {
      // As the servers have it, a key lives through its last millisecond.
      const left = Number(head.expiresAtMs) - this.nowMs;
      this.ttl.add(left < 0 ? -1 : left / 1000, memoryBytes);
    }
    if (head.idleSeconds >= 0) {
      this.idle.add(head.idleSeconds, memoryBytes);
      this.idleKeys++;
    }
    if (head.freq >= 0) {
      this.freq.add(head.freq, memoryBytes);
      this.freqKeys++;
    }
    if (this.slotBytes !== null) this.addToSlot(slotOf(bytes, start, end), memoryBytes);
  }

  private addToSlot(slot: number, memoryBytes: number): void {
    this.slotBytes![slot]! += memoryBytes;
    this.slotKeys![slot]!++;
  }

  /** What the tables of the databases take beside the keys: slots, and an entry for each TTL. */
  get tableBytes(): number {
    let bytes = 0;
    for (const { keys, withExpiry } of this.databases.values()) {
      bytes += POINTER * slotsFor(keys);
      if (withExpiry > 0) bytes += POINTER * slotsFor(withExpiry) + DICT_ENTRY * withExpiry;
    }
    return bytes;
  }
}

const newSum = (): Mutable<KeySum> => ({
  keys: 0,
  fileBytes: 0,
  memoryBytes: 0,
  elements: 0,
  withExpiry: 0,
});

function sumOf<K>(sums: Map<K, Mutable<KeySum>>, of: K): Mutable<KeySum> {
  let sum = sums.get(of);
  if (sum === undefined) sums.set(of, (sum = newSum()));
  return sum;
}

function addTo(sum: Mutable<KeySum>, size: KeySize, expires: boolean): void {
  sum.keys++;
  sum.fileBytes += size.fileBytes;
  sum.memoryBytes += size.memoryBytes;
  sum.elements += size.elements;
  if (expires) sum.withExpiry++;
}
