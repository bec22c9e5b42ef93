import type { ByteSlice } from '../../bytes/slice.js';

/** Bytes of text remembered of one value; what comes after is not compared any more. */
const TEXT_MAX = 64 << 20;
const FIRST_SLOTS = 1024;

/** Tells whether a text was seen before in the value at hand. Exact: texts are kept and compared, up to a limit. */
export class DuplicateFinder {
  private texts = Buffer.alloc(4096);
  private ends = new Int32Array(FIRST_SLOTS / 2);
  /** Slot to entry number + 1, valid when the slot's stamp is that of the value at hand. */
  private slots = new Int32Array(FIRST_SLOTS);
  private stamps = new Int32Array(FIRST_SLOTS);
  private stamp = 0;
  private count = 0;
  private used = 0;

  /** Forgets everything: a new value begins. */
  reset(): void {
    this.count = this.used = 0;
    if (this.stamp === 0x7fffffff) {
      this.stamps.fill(0);
      this.stamp = 0;
    }
    this.stamp++;
  }

  /** Remembers the text; false when it is there already. */
  add(text: ByteSlice): boolean {
    const { bytes, start, end } = text;
    const from = this.used;
    const stop = from + end - start;
    if (stop > this.texts.length && !this.makeRoom(stop)) return true;
    if (this.count === this.ends.length) this.grow();
    const { texts, slots, stamps, stamp } = this;
    for (let at = start, to = from; at < end; at++, to++) texts[to] = bytes[at]!;
    const mask = slots.length - 1;
    let slot = hashOf(texts, from, stop) & mask;
    while (stamps[slot] === stamp) {
      if (this.same(slots[slot]! - 1, from, stop)) return false;
      slot = (slot + 1) & mask;
    }
    stamps[slot] = stamp;
    this.ends[this.count] = this.used = stop;
    slots[slot] = ++this.count;
    return true;
  }

  /** Compares a text remembered with the one that was just put behind all of them. */
  private same(entry: number, start: number, end: number): boolean {
    const { texts } = this;
    const from = entry === 0 ? 0 : this.ends[entry - 1]!;
    const length = end - start;
    if (this.ends[entry]! - from !== length) return false;
    for (let i = 0; i < length; i++) if (texts[from + i] !== texts[start + i]) return false;
    return true;
  }

  private makeRoom(size: number): boolean {
    if (size > TEXT_MAX) return false;
    const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(size, this.texts.length * 2), TEXT_MAX));
    this.texts.copy(larger, 0, 0, this.used);
    this.texts = larger;
    return true;
  }

  private grow(): void {
    const size = this.slots.length * 2;
    const ends = new Int32Array(size / 2);
    ends.set(this.ends);
    this.slots = new Int32Array(size);
    this.stamps = new Int32Array(size);
    this.stamp = 1;
    for (let entry = 0, from = 0; entry < this.count; entry++) {
      const end = ends[entry]!;
      let slot = hashOf(this.texts, from, end) & (size - 1);
      while (this.stamps[slot] === 1) slot = (slot + 1) & (size - 1);
      this.stamps[slot] = 1;
      this.slots[slot] = entry + 1;
      from = end;
    }
    this.ends = ends;
  }
}

function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (const stop = end - 3; at < stop; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = Math.imul(hash ^ word, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return (hash ^ (hash >>> 13)) >>> 0;
}
