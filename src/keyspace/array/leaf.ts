import type { ByteSlice } from '../../bytes/slice.js';
import { copyBytes } from '../bytes.js';

/** Elements of one leaf at most. */
const ELEMENTS_MAX = 512;
/** Bytes of one leaf's elements at most, unless a single one is larger. */
const BYTES_MAX = 256 * 1024;
const ROOM_FIRST = 4;

const NO_BYTES = Buffer.alloc(0);

/**
 * A run of an array's elements, by ascending index. An index is two unsigned words. The texts stand in one buffer, in
 * the order in which they came; what was overwritten or removed stays there until it is half of all.
 */
export class ArrayLeaf {
  count = 0;
  highs = new Uint32Array(ROOM_FIRST);
  lows = new Uint32Array(ROOM_FIRST);
  private starts = new Uint32Array(ROOM_FIRST);
  private lengths = new Uint32Array(ROOM_FIRST);
  private bytes: Buffer = NO_BYTES;
  private end = 0;
  /** Bytes below `end` that are in use. */
  private live = 0;

  /** The first place whose index is not below this one; `count` when there is none. */
  placeOf(high: number, low: number): number {
    const { highs, lows } = this;
    let from = 0;
    let to = this.count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const h = highs[middle]!;
      if (h < high || (h === high && lows[middle]! < low)) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  holds(place: number, high: number, low: number): boolean {
    return place < this.count && this.highs[place] === high && this.lows[place] === low;
  }

  textAt(place: number, into: ByteSlice): ByteSlice {
    const start = this.starts[place]!;
    return into.set(this.bytes, start, start + this.lengths[place]!);
  }

  /** Whether one more element of this length has room. */
  fits(length: number): boolean {
    return this.count === 0 || (this.count < ELEMENTS_MAX && this.live + length <= BYTES_MAX);
  }

  insert(place: number, high: number, low: number, from: Buffer, start: number, end: number): void {
    if (this.count === this.highs.length) this.resize(this.count * 2);
    const { highs, lows, starts, lengths, count } = this;
    if (place < count) {
      highs.copyWithin(place + 1, place, count);
      lows.copyWithin(place + 1, place, count);
      starts.copyWithin(place + 1, place, count);
      lengths.copyWithin(place + 1, place, count);
    }
    highs[place] = high;
    lows[place] = low;
    lengths[place] = 0;
    this.count++;
    this.write(place, from, start, end);
  }

  /** Gives the element at a place other text. */
  replace(place: number, from: Buffer, start: number, end: number): void {
    const before = this.lengths[place]!;
    if (end - start <= before) {
      copyBytes(from, start, end, this.bytes, this.starts[place]!);
      this.lengths[place] = end - start;
      this.live -= before - (end - start);
      return;
    }
    this.live -= before;
    this.lengths[place] = 0;
    this.write(place, from, start, end);
  }

  private write(place: number, from: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.end + length > this.bytes.length) this.makeRoom(length);
    copyBytes(from, start, end, this.bytes, this.end);
    this.starts[place] = this.end;
    this.lengths[place] = length;
    this.end += length;
    this.live += length;
  }

  /** Removes the elements from a place up to another. */
  remove(from: number, to: number): void {
    const { highs, lows, starts, lengths, count } = this;
    for (let i = from; i < to; i++) this.live -= lengths[i]!;
    highs.copyWithin(from, to, count);
    lows.copyWithin(from, to, count);
    starts.copyWithin(from, to, count);
    lengths.copyWithin(from, to, count);
    this.count -= to - from;
    if (this.count < highs.length >>> 2) this.resize(highs.length >>> 1);
    if (this.live < this.end / 2) this.makeRoom(0);
  }

  /** Moves the elements from a place on to a leaf of their own, which is returned. */
  split(place: number): ArrayLeaf {
    const right = this.copyOf(place, this.count);
    this.remove(place, this.count);
    return right;
  }

  clone(): ArrayLeaf {
    return this.copyOf(0, this.count);
  }

  private copyOf(from: number, to: number): ArrayLeaf {
    const made = new ArrayLeaf();
    let bytes = 0;
    for (let i = from; i < to; i++) bytes += this.lengths[i]!;
    made.resize(Math.max(to - from, ROOM_FIRST));
    made.bytes = Buffer.allocUnsafeSlow(bytes);
    for (let i = from; i < to; i++) {
      const start = this.starts[i]!;
      made.insert(i - from, this.highs[i]!, this.lows[i]!, this.bytes, start, start + this.lengths[i]!);
    }
    return made;
  }

  private resize(room: number): void {
    this.highs = resized(this.highs, room);
    this.lows = resized(this.lows, room);
    this.starts = resized(this.starts, room);
    this.lengths = resized(this.lengths, room);
  }

  /** Gathers what is in use in a buffer with room for so many more bytes, half as many again beside. */
  private makeRoom(length: number): void {
    const { starts, lengths, bytes } = this;
    const wanted = this.live + length;
    const into = Buffer.allocUnsafeSlow(this.count > 1 ? wanted + (wanted >>> 1) : wanted);
    let end = 0;
    for (let i = 0; i < this.count; i++) {
      const start = starts[i]!;
      copyBytes(bytes, start, start + lengths[i]!, into, end);
      starts[i] = end;
      end += lengths[i]!;
    }
    this.bytes = into;
    this.end = end;
  }
}

function resized(words: Uint32Array, room: number): Uint32Array<ArrayBuffer> {
  const made = new Uint32Array(room);
  made.set(words.length > room ? words.subarray(0, room) : words);
  return made;
}
