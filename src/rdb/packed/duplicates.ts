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
    if (this.used + (end - start) > TEXT_MAX) return true;
    if (this.count === this.ends.length) this.grow();
    const mask = this.slots.length - 1;
    let slot = hashOf(bytes, start, end) & mask;
    while (this.stamps[slot] === this.stamp) {
      if (this.same(this.slots[slot]! - 1, text)) return false;
      slot = (slot + 1) & mask;
    }
    this.stamps[slot] = this.stamp;
    this.slots[slot] = ++this.count;
    this.keep(bytes, start, end);
    return true;
  }

  private same(entry: number, text: ByteSlice): boolean {
    const from = entry === 0 ? 0 : this.ends[entry - 1]!;
    const length = this.ends[entry]! - from;
    if (length !== text.end - text.start) return false;
    const { bytes, start } = text;
    for (let i = 0; i < length; i++) if (this.texts[from + i] !== bytes[start + i]) return false;
    return true;
  }

  private keep(bytes: Buffer, start: number, end: number): void {
    const stop = this.used + end - start;
    if (stop > this.texts.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(stop, this.texts.length * 2), TEXT_MAX));
      this.texts.copy(larger, 0, 0, this.used);
      this.texts = larger;
    }
    if (end - start > 32) bytes.copy(this.texts, this.used, start, end);
    else for (let at = start, to = this.used; at < end; at++, to++) this.texts[to] = bytes[at]!;
    this.used = stop;
    this.ends[this.count - 1] = stop;
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
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
