import type { ByteSlice } from '../../bytes/slice.js';

/** Bytes and number of texts remembered of one value; what comes after is not compared any more. */
const TEXT_MAX = 64 << 20;
const COUNT_MAX = 4 << 20;
/** Texts chosen to share a slot are not compared with more than this many others. */
const PROBES_MAX = 64;
const FIRST_SLOTS = 1024;
const FIRST_TEXT = 4096;
/** Tables above this are let go with their value. */
const SLOTS_KEPT = 1 << 16;

/** Tells whether a text was seen before in the value at hand. Exact: texts are kept and compared, up to a limit. */
export class DuplicateFinder {
  private texts = Buffer.alloc(FIRST_TEXT);
  private ends = new Int32Array(FIRST_SLOTS / 2);
  /** Entry number + 1 + `epoch`; what is not above `epoch` is left from values before. */
  private slots = new Int32Array(FIRST_SLOTS);
  private epoch = 0;
  private count = 0;
  private used = 0;

  /** Forgets everything: a new value begins. */
  reset(): void {
    this.epoch += this.count;
    this.count = this.used = 0;
    if (this.slots.length > SLOTS_KEPT) this.shrink();
    if (this.epoch > 0x7fffffff - COUNT_MAX) {
      this.slots.fill(0);
      this.epoch = 0;
    }
  }

  /** Remembers the text; false when it is there already. */
  add(text: ByteSlice): boolean {
    const { bytes, start, end } = text;
    const from = this.used;
    const stop = from + end - start;
    if (stop > this.texts.length && !this.makeRoom(stop)) return true;
    if (this.count === this.ends.length) {
      if (this.count === COUNT_MAX) return true;
      this.grow();
    }
    const { texts, slots, epoch } = this;
    let hash = end - start;
    for (let at = start, to = from; at < end; at++, to++) {
      const byte = bytes[at]!;
      texts[to] = byte;
      hash = Math.imul(hash ^ byte, HASH_FACTOR);
    }
    const mask = slots.length - 1;
    let slot = spread(hash) & mask;
    let probes = 0;
    for (let entry = slots[slot]!; entry > epoch; entry = slots[slot]!) {
      if (this.same(entry - epoch - 1, from, stop)) return false;
      if (++probes === PROBES_MAX) return true;
      slot = (slot + 1) & mask;
    }
    this.ends[this.count] = this.used = stop;
    slots[slot] = epoch + ++this.count;
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

  private shrink(): void {
    this.texts = Buffer.alloc(FIRST_TEXT);
    this.ends = new Int32Array(FIRST_SLOTS / 2);
    this.slots = new Int32Array(FIRST_SLOTS);
    this.epoch = 0;
  }

  private grow(): void {
    const size = this.slots.length * 2;
    const ends = new Int32Array(size / 2);
    ends.set(this.ends);
    this.ends = ends;
    this.slots = new Int32Array(size);
    this.epoch = 0;
    for (let entry = 0, from = 0; entry < this.count; entry++) {
      const end = ends[entry]!;
      let hash = end - from;
      for (let at = from; at < end; at++) hash = Math.imul(hash ^ this.texts[at]!, HASH_FACTOR);
      let slot = spread(hash) & (size - 1);
      while (this.slots[slot]! > 0) slot = (slot + 1) & (size - 1);
      this.slots[slot] = entry + 1;
      from = end;
    }
  }
}

const HASH_FACTOR = 0x5bd1e995;

/** Brings the upper bits of a hash, where the differences gather, down to those that choose the slot. */
function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
