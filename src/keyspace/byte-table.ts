import { type Arena, CHUNK_SHIFT, offsetOf, sameClass } from './arena.js';
import { copyBytes, equalBytes, hashBytes } from './bytes.js';

/** Words of a row. A record in the arena is the key's bytes, then at once the value's. */
export const REF = 0;
export const KEY_LENGTH = 1;
export const VALUE_LENGTH = 2;
export const HASH = 3;

const ROWS_FIRST = 8;
/** KEY_LENGTH of a row that is free; its REF is the next free row plus one. */
const FREE = -1;
const SEED = (Math.random() * 0x100000000) | 0;

/**
 * A hash table from byte strings to rows of 32-bit words, open addressed, with keys and values in an arena. Rows keep
 * their number until removed, whatever else is inserted; freed numbers are used again. Owners with more to say of a
 * key use the words after the first four, or columns of their own indexed by row.
 */
export class ByteTable {
  size = 0;
  /** Rows ever used: all live rows are below. */
  rowsEnd = 0;
  rows: Int32Array;
  /** Pairs: hash, row plus one (0: empty). */
  private slots: Int32Array;
  private mask: number;
  private freeRow = 0;

  /** `shift` is log2 of the words per row, 2 or more. */
  constructor(
    readonly arena: Arena,
    readonly shift: number,
    expected = 0,
  ) {
    let slots = 16;
    while (slots * 3 < expected * 4) slots *= 2;
    this.slots = new Int32Array(slots * 2);
    this.mask = slots - 1;
    this.rows = new Int32Array(Math.max(ROWS_FIRST, expected) << shift);
  }

  /** The row of a key, or -1. */
  find(bytes: Buffer, start: number, end: number): number {
    return this.findHashed(bytes, start, end, hashBytes(bytes, start, end, SEED));
  }

  findHashed(bytes: Buffer, start: number, end: number, hash: number): number {
    const { slots, rows, mask, shift } = this;
    const length = end - start;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = slots[(slot << 1) + 1]!;
      if (found === 0) return -1;
      if (slots[slot << 1] !== hash) continue;
      const at = (found - 1) << shift;
      if (rows[at + KEY_LENGTH] !== length) continue;
      const ref = rows[at]!;
      if (equalBytes(this.arena.chunks[ref >>> CHUNK_SHIFT]!, offsetOf(ref), bytes, start, length)) {
        return found - 1;
      }
    }
  }

  /** Adds a key known to be absent, with room for a value of `valueLength` bytes. Returns its row. */
  insert(bytes: Buffer, start: number, end: number, hash: number, valueLength: number): number {
    if ((this.size + 1) * 4 > (this.mask + 1) * 3) this.growSlots();
    const row = this.takeRow();
    const { slots, rows, mask } = this;
    const at = row << this.shift;
    const ref = this.arena.alloc(end - start + valueLength);
    copyBytes(bytes, start, end, this.arena.chunks[ref >>> CHUNK_SHIFT]!, offsetOf(ref));
    rows[at] = ref;
    rows[at + KEY_LENGTH] = end - start;
    rows[at + VALUE_LENGTH] = valueLength;
    rows[at + HASH] = hash;
    let slot = hash & mask;
    while (slots[(slot << 1) + 1] !== 0) slot = (slot + 1) & mask;
    slots[slot << 1] = hash;
    slots[(slot << 1) + 1] = row + 1;
    this.size++;
    return row;
  }

  /** Finds or adds a key; the row is `~row` (negative) when it was added, without a value. */
  put(bytes: Buffer, start: number, end: number): number {
    const hash = hashBytes(bytes, start, end, SEED);
    const row = this.findHashed(bytes, start, end, hash);
    return row >= 0 ? row : ~this.insert(bytes, start, end, hash, 0);
  }

  /** Gives the value another length, keeping key and the value's common prefix; the record may move. */
  resizeValue(row: number, valueLength: number): void {
    const { rows, arena } = this;
    const at = row << this.shift;
    const keyLength = rows[at + KEY_LENGTH]!;
    const before = keyLength + rows[at + VALUE_LENGTH]!;
    const after = keyLength + valueLength;
    if (!sameClass(before, after)) {
      const old = rows[at]!;
      const ref = arena.alloc(after);
      const from = offsetOf(old);
      const kept = Math.min(before, after);
      const target = arena.chunks[ref >>> CHUNK_SHIFT]!;
      copyBytes(arena.chunks[old >>> CHUNK_SHIFT]!, from, from + kept, target, offsetOf(ref));
      arena.release(old, before);
      rows[at] = ref;
    }
    rows[at + VALUE_LENGTH] = valueLength;
  }

  /** Like resizeValue, but the value's bytes become arbitrary. */
  replaceValue(row: number, valueLength: number): void {
    const { rows, arena } = this;
    const at = row << this.shift;
    const keyLength = rows[at + KEY_LENGTH]!;
    const before = keyLength + rows[at + VALUE_LENGTH]!;
    const after = keyLength + valueLength;
    if (!sameClass(before, after)) {
      const old = rows[at]!;
      const ref = arena.alloc(after);
      const from = offsetOf(old);
      const target = arena.chunks[ref >>> CHUNK_SHIFT]!;
      copyBytes(arena.chunks[old >>> CHUNK_SHIFT]!, from, from + keyLength, target, offsetOf(ref));
      arena.release(old, before);
      rows[at] = ref;
    }
    rows[at + VALUE_LENGTH] = valueLength;
  }

  /** Removes a row, its key and its value. */
  remove(row: number): void {
    const { rows } = this;
    const at = row << this.shift;
    this.clearSlot(row, rows[at + HASH]!);
    this.arena.release(rows[at]!, rows[at + KEY_LENGTH]! + rows[at + VALUE_LENGTH]!);
    rows[at] = this.freeRow;
    rows[at + KEY_LENGTH] = FREE;
    this.freeRow = row + 1;
    this.size--;
  }

  isLive(row: number): boolean {
    return this.rows[(row << this.shift) + KEY_LENGTH]! >= 0;
  }

  /** Gives every record back to the arena. The table must not be used again. */
  release(): void {
    const { rows, arena, shift } = this;
    for (let row = 0; row < this.rowsEnd; row++) {
      const at = row << shift;
      if (rows[at + KEY_LENGTH]! < 0) continue;
      arena.release(rows[at]!, rows[at + KEY_LENGTH]! + rows[at + VALUE_LENGTH]!);
    }
  }

  /** The chunk that a row's record stands in. */
  bytesAt(row: number): Buffer {
    return this.arena.chunks[this.rows[row << this.shift]! >>> CHUNK_SHIFT]!;
  }

  keyStart(row: number): number {
    return offsetOf(this.rows[row << this.shift]!);
  }

  keyEnd(row: number): number {
    const at = row << this.shift;
    return offsetOf(this.rows[at]!) + this.rows[at + KEY_LENGTH]!;
  }

  valueEnd(row: number): number {
    const at = row << this.shift;
    return offsetOf(this.rows[at]!) + this.rows[at + KEY_LENGTH]! + this.rows[at + VALUE_LENGTH]!;
  }

  private takeRow(): number {
    if (this.freeRow !== 0) {
      const row = this.freeRow - 1;
      this.freeRow = this.rows[row << this.shift]!;
      return row;
    }
    if ((this.rowsEnd + 1) << this.shift > this.rows.length) {
      const larger = new Int32Array(this.rows.length * 2);
      larger.set(this.rows);
      this.rows = larger;
    }
    return this.rowsEnd++;
  }

  private growSlots(): void {
    const old = this.slots;
    const mask = this.mask * 2 + 1;
    const slots = new Int32Array((mask + 1) * 2);
    for (let i = 0; i < old.length; i += 2) {
      const found = old[i + 1]!;
      if (found === 0) continue;
      let slot = old[i]! & mask;
      while (slots[(slot << 1) + 1] !== 0) slot = (slot + 1) & mask;
      slots[slot << 1] = old[i]!;
      slots[(slot << 1) + 1] = found;
    }
    this.slots = slots;
    this.mask = mask;
  }

  /** Empties the slot of a row and moves back those behind it that would be cut off from their home. */
  private clearSlot(row: number, hash: number): void {
    const { slots, mask } = this;
    let hole = hash & mask;
    while (slots[(hole << 1) + 1] !== row + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; slots[(slot << 1) + 1] !== 0; slot = (slot + 1) & mask) {
      const home = slots[slot << 1]! & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole << 1] = slots[slot << 1]!;
      slots[(hole << 1) + 1] = slots[(slot << 1) + 1]!;
      hole = slot;
    }
    slots[(hole << 1) + 1] = 0;
  }
}

/** The hash by which a table files a key. */
export function keyHash(bytes: Buffer, start: number, end: number): number {
  return hashBytes(bytes, start, end, SEED);
}
