import { addLong, highWord, type Long, lowWord, normalLong, unsignedLong } from '../../bytes/int64.js';
import { ByteSlice } from '../../bytes/slice.js';
import type { ItemHandler } from '../../model/handler.js';
import type { SideValue } from '../forms.js';
import { ArrayLeaf } from './leaf.js';

/** No element was inserted yet, or the cursor was taken back. */
export const NO_CURSOR = -1;

/**
 * Elements by index, with gaps: a sorted list of leaves, so that memory and time go with the elements that are there,
 * wherever they stand. Indexes are unsigned 64-bit numbers below 2^64 - 1.
 */
export class ArrayValue implements SideValue {
  /** Elements that are there. */
  count = 0;
  /** The index inserted last, or NO_CURSOR. */
  cursor: Long = NO_CURSOR;
  /** Never empty ones; by ascending index. */
  private leaves: ArrayLeaf[] = [];
  /** Where `seek` found the index, or where it belongs. */
  private leaf = 0;
  private place = 0;

  /** One more than the highest index; 0 when empty. */
  get length(): Long {
    const last = this.leaves.at(-1);
    return last === undefined ? 0 : addLong(indexAt(last, last.count - 1), 1);
  }

  has(index: Long): boolean {
    return this.seek(highWord(index), lowWord(index));
  }

  /** Sets `into` to an element; false when there is none. The bytes are valid until the next change. */
  get(index: Long, into: ByteSlice): boolean {
    if (!this.has(index)) return false;
    this.leaves[this.leaf]!.textAt(this.place, into);
    return true;
  }

  set(index: Long, bytes: Buffer, start: number, end: number): void {
    const high = highWord(index);
    const low = lowWord(index);
    if (this.seek(high, low)) {
      this.leaves[this.leaf]!.replace(this.place, bytes, start, end);
      return;
    }
    this.makePlace(end - start);
    this.leaves[this.leaf]!.insert(this.place, high, low, bytes, start, end);
    this.count++;
  }

  /** Removes an element; false when there was none. */
  delete(index: Long): boolean {
    if (!this.has(index)) return false;
    this.removeHere(this.place + 1);
    return true;
  }

  /** Removes the elements of a range, its ends included. */
  deleteRange(from: Long, to: Long): void {
    const high = highWord(to);
    const low = lowWord(to);
    this.seek(highWord(from), lowWord(from));
    while (this.leaf < this.leaves.length) {
      const leaf = this.leaves[this.leaf]!;
      let end = leaf.placeOf(high, low);
      if (leaf.holds(end, high, low)) end++;
      const isLast = end < leaf.count;
      const isGone = end > this.place && this.removeHere(end);
      if (isLast) return;
      if (!isGone) this.leaf++;
      this.place = 0;
    }
  }

  /** Removes from the leaf at hand what stands from the place at hand up to another. True when the leaf is gone. */
  private removeHere(end: number): boolean {
    const leaf = this.leaves[this.leaf]!;
    this.count -= end - this.place;
    leaf.remove(this.place, end);
    if (leaf.count > 0) return false;
    this.leaves.splice(this.leaf, 1);
    return true;
  }

  /** Finds the leaf and the place of an index; true when an element is there. */
  private seek(high: number, low: number): boolean {
    const { leaves } = this;
    if (leaves.length === 0) {
      this.leaf = this.place = 0;
      return false;
    }
    this.leaf = this.leafOf(high, low);
    const leaf = leaves[this.leaf]!;
    this.place = leaf.placeOf(high, low);
    return leaf.holds(this.place, high, low);
  }

  /** The last leaf that starts at or before an index; the first when all start behind it. */
  private leafOf(high: number, low: number): number {
    const { leaves } = this;
    let to = leaves.length - 1;
    if (!startsAfter(leaves[to]!, high, low)) return to;
    let from = 0;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (startsAfter(leaves[middle]!, high, low)) to = middle;
      else from = middle + 1;
    }
    return from === 0 ? 0 : from - 1;
  }

  /** Moves on to a leaf that has room for one more element where `seek` found that it belongs. */
  private makePlace(length: number): void {
    const { leaves } = this;
    if (leaves.length === 0) leaves.push(new ArrayLeaf());
    const leaf = leaves[this.leaf]!;
    if (leaf.fits(length)) return;
    if (this.place === leaf.count) {
      this.leaf++;
      this.place = 0;
      if (leaves[this.leaf]?.fits(length) !== true) leaves.splice(this.leaf, 0, new ArrayLeaf());
    } else if (this.place === 0) {
      leaves.splice(this.leaf, 0, new ArrayLeaf());
    } else {
      const half = leaf.count >>> 1;
      leaves.splice(this.leaf + 1, 0, leaf.split(half));
      if (this.place > half) {
        this.leaf++;
        this.place -= half;
      }
      this.makePlace(length);
    }
  }

  /**
   * Writes as into a ring of so many places. A ring of another size is laid out anew: the newest elements up to the
   * first gap, the oldest of them at 0.
   */
  ring(size: Long): void {
    const { length } = this;
    if (length === 0) return;
    if (size < length) this.unroll(length, size);
    else if (size > length && this.cursor !== NO_CURSOR && this.next < length) this.unroll(length, length);
  }

  /** The index that an insertion takes. */
  get next(): Long {
    return addLong(this.cursor, 1);
  }

  private unroll(length: Long, keptMax: Long): void {
    const last = this.cursor === NO_CURSOR ? addLong(length, -1) : remainder(this.cursor, length);
    let first = last;
    let kept = 0;
    for (let at = last; kept < keptMax && this.has(at); kept++) {
      first = at;
      at = addLong(at === 0 ? length : at, -1);
    }
    const made = new ArrayValue();
    const slice = new ByteSlice();
    for (let i = 0, at = first; i < kept; i++) {
      this.get(at, slice);
      made.set(i, slice.bytes, slice.start, slice.end);
      at = addLong(at, 1);
      if (at === length) at = 0;
    }
    this.leaves = made.leaves;
    this.count = kept;
    this.cursor = kept - 1;
  }

  /** Tells cursor and elements, by ascending index. */
  tell(handler: ItemHandler): void {
    const slice = new ByteSlice();
    handler.arrayCursor(this.cursor);
    for (const leaf of this.leaves) {
      for (let i = 0; i < leaf.count; i++) handler.arrayElement(indexAt(leaf, i), leaf.textAt(i, slice));
    }
  }

  clone(): ArrayValue {
    const copy = new ArrayValue();
    copy.count = this.count;
    copy.cursor = this.cursor;
    copy.leaves = this.leaves.map((leaf) => leaf.clone());
    return copy;
  }
}

function indexAt(leaf: ArrayLeaf, place: number): Long {
  return unsignedLong(leaf.highs[place]!, leaf.lows[place]!);
}

function startsAfter(leaf: ArrayLeaf, high: number, low: number): boolean {
  const first = leaf.highs[0]!;
  return first > high || (first === high && leaf.lows[0]! > low);
}

/** What is left of a count divided by another. */
export function remainder(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number') return a % b;
  return normalLong(BigInt(a) % BigInt(b));
}
