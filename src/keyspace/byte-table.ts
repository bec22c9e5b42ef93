import { type Arena, CHUNK_SHIFT, offsetOf, sameClass, wordOf } from './arena.js';
import { copyWords, equalAtWord, hashBytes } from './bytes.js';

/** Words at the start of a record. Owners may have more of their own; then the key's bytes, and at once the value's. */
export const KEY_LENGTH = 0;
export const VALUE_LENGTH = 1;
const ROW = 2;
export const OWN_WORDS = 3;

const SLOTS_FIRST = 16;

/**
 * A hash table from byte strings to rows, open addressed, with keys, values and what else is known of them in records
 * of an arena. Rows keep their number until removed, whatever else is inserted and wherever their record moves; freed
 * numbers are used again. Owners with more to say of a key use words of the record, or columns indexed by row.
 *
 * What a lookup costs is waiting for memory, so it goes to two places only: a slot, and the record. What is asked of
 * the row found last needs no third.
 */
export class ByteTable {
  size = 0;
  /** Rows ever used: all live rows are below. */
  rowsEnd = 0;
  /** Pairs: the hash of a key, and its record (0: empty). */
  private slots: Int32Array;
  private mask: number;
  /** By row: the record, or 0 for a row that is free. */
  private refs: Int32Array;
  /** The free rows, a stack. */
  private readonly freeRows: number[] = [];
  /** The row found or made last, with its record and slot as they were then. */
  private lastRow = -1;
  private lastRef = 0;
  private lastSlot = 0;

  /** Records start with `headerBytes`, a multiple of four: three words of the table's, then the owner's. */
  constructor(
    readonly arena: Arena,
    readonly headerBytes: number,
    expected = 0,
  ) {
    let slots = SLOTS_FIRST;
    while (rowsFor(slots) < expected) slots *= 2;
    this.slots = new Int32Array(slots * 2);
    this.mask = slots - 1;
    this.refs = new Int32Array(rowsFor(slots));
  }

  /** The row of a key, or -1. */
  find(bytes: Buffer, start: number, end: number): number {
    return this.findHashed(bytes, start, end, hashBytes(bytes, start, end));
  }

  findHashed(bytes: Buffer, start: number, end: number, hash: number): number {
    const { slots, mask, headerBytes, arena } = this;
    const length = end - start;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const ref = slots[(slot << 1) + 1]!;
      if (ref === 0) return -1;
      if (slots[slot << 1] !== hash) continue;
      const chunk = ref >>> CHUNK_SHIFT;
      const words = arena.words[chunk]!;
      const at = wordOf(ref);
      if (words[at] !== length) continue;
      if (!equalAtWord(words, arena.chunks[chunk]!, at + (headerBytes >> 2), bytes, start, length)) continue;
      this.lastRow = words[at + ROW]!;
      this.lastRef = ref;
      this.lastSlot = slot;
      return this.lastRow;
    }
  }

  /** Adds a key known to be absent, with room for a value of `valueLength` bytes. Its own words are arbitrary. */
  insert(bytes: Buffer, start: number, end: number, hash: number, valueLength: number): number {
    if (this.freeRows.length === 0 && this.rowsEnd === this.refs.length) this.grow();
    const { slots, mask, arena, headerBytes } = this;
    const length = end - start;
    const ref = arena.alloc(headerBytes + length + valueLength);
    const row = this.freeRows.pop() ?? this.rowsEnd++;
    this.refs[row] = ref;
    const words = arena.words[ref >>> CHUNK_SHIFT]!;
    const at = wordOf(ref);
    words[at + KEY_LENGTH] = length;
    words[at + VALUE_LENGTH] = valueLength;
    words[at + ROW] = row;
    arena.write(ref, offsetOf(ref) + headerBytes, bytes, start, end);
    let slot = hash & mask;
    while (slots[(slot << 1) + 1] !== 0) slot = (slot + 1) & mask;
    slots[slot << 1] = hash;
    slots[(slot << 1) + 1] = ref;
    this.lastRow = row;
    this.lastRef = ref;
    this.lastSlot = slot;
    this.size++;
    return row;
  }

  /** Finds or adds a key; the row is `~row` (negative) when it was added, without a value. */
  put(bytes: Buffer, start: number, end: number): number {
    const hash = hashBytes(bytes, start, end);
    const row = this.findHashed(bytes, start, end, hash);
    return row >= 0 ? row : ~this.insert(bytes, start, end, hash, 0);
  }

  /** Gives the value another length, keeping key and the value's common prefix; the record may move. */
  resizeValue(row: number, valueLength: number): void {
    const ref = this.refOf(row);
    const words = this.arena.words[ref >>> CHUNK_SHIFT]!;
    const at = wordOf(ref);
    const fixed = this.headerBytes + words[at + KEY_LENGTH]!;
    const before = words[at + VALUE_LENGTH]!;
    words[at + VALUE_LENGTH] = valueLength;
    if (sameClass(fixed + before, fixed + valueLength)) return;
    this.relocate(row, ref, fixed + before, fixed + valueLength, fixed + Math.min(before, valueLength));
  }

  /** Like resizeValue, but the value's bytes become arbitrary. */
  replaceValue(row: number, valueLength: number): void {
    const ref = this.refOf(row);
    const words = this.arena.words[ref >>> CHUNK_SHIFT]!;
    const at = wordOf(ref);
    const fixed = this.headerBytes + words[at + KEY_LENGTH]!;
    const before = words[at + VALUE_LENGTH]!;
    words[at + VALUE_LENGTH] = valueLength;
    if (sameClass(fixed + before, fixed + valueLength)) return;
    this.relocate(row, ref, fixed + before, fixed + valueLength, fixed);
  }

  /** Moves a record of `before` bytes to a block for `after`, with its first `kept` bytes. */
  private relocate(row: number, old: number, before: number, after: number, kept: number): void {
    const { arena } = this;
    const slot = this.slotOf(row, old);
    const ref = arena.alloc(after);
    const from = arena.words[old >>> CHUNK_SHIFT]!;
    copyWords(from, wordOf(old), arena.words[ref >>> CHUNK_SHIFT]!, wordOf(ref), (kept + 3) >>> 2);
    arena.release(old, before);
    this.slots[(slot << 1) + 1] = ref;
    this.refs[row] = ref;
    this.lastRow = row;
    this.lastRef = ref;
    this.lastSlot = slot;
  }

  /** Removes a row, its key and its value. */
  remove(row: number): void {
    const ref = this.refOf(row);
    this.clearSlot(this.slotOf(row, ref));
    this.arena.release(ref, this.recordSize(row));
    this.refs[row] = 0;
    this.freeRows.push(row);
    this.lastRow = -1;
    this.size--;
  }

  isLive(row: number): boolean {
    return this.refs[row] !== 0;
  }

  /** Gives every record back to the arena. The table must not be used again. */
  release(): void {
    for (let row = 0; row < this.rowsEnd; row++) {
      if (this.refs[row] !== 0) this.arena.release(this.refs[row]!, this.recordSize(row));
    }
  }

  /** Copies a range to a position in the chunk of a row's record. */
  write(row: number, at: number, bytes: Buffer, start: number, end: number): void {
    this.arena.write(this.refOf(row), at, bytes, start, end);
  }

  /** A word of a row's record. */
  word(row: number, number: number): number {
    const ref = this.refOf(row);
    return this.arena.words[ref >>> CHUNK_SHIFT]![wordOf(ref) + number]!;
  }

  setWord(row: number, number: number, value: number): void {
    const ref = this.refOf(row);
    this.arena.words[ref >>> CHUNK_SHIFT]![wordOf(ref) + number] = value;
  }

  /** The chunk that a row's record stands in. */
  bytesAt(row: number): Buffer {
    return this.arena.chunks[this.refOf(row) >>> CHUNK_SHIFT]!;
  }

  keyStart(row: number): number {
    return offsetOf(this.refOf(row)) + this.headerBytes;
  }

  /** Also where the value starts. */
  keyEnd(row: number): number {
    return this.keyStart(row) + this.word(row, KEY_LENGTH);
  }

  valueEnd(row: number): number {
    return this.keyEnd(row) + this.word(row, VALUE_LENGTH);
  }

  private refOf(row: number): number {
    return row === this.lastRow ? this.lastRef : this.refs[row]!;
  }

  private recordSize(row: number): number {
    return this.headerBytes + this.word(row, KEY_LENGTH) + this.word(row, VALUE_LENGTH);
  }

  /** The slot that holds a record. */
  private slotOf(row: number, ref: number): number {
    const { slots, mask } = this;
    if (slots[(this.lastSlot << 1) + 1] === ref) return this.lastSlot;
    let slot = hashBytes(this.bytesAt(row), this.keyStart(row), this.keyEnd(row)) & mask;
    while (slots[(slot << 1) + 1] !== ref) slot = (slot + 1) & mask;
    return slot;
  }

  /** Doubles the table. Keys are filed again by their hashes, without a look at the records. */
  private grow(): void {
    const { slots: old } = this;
    const count = old.length;
    const slots = new Int32Array(count * 2);
    const mask = count - 1;
    for (let i = 0; i < count; i += 2) {
      if (old[i + 1] === 0) continue;
      let slot = old[i]! & mask;
      while (slots[(slot << 1) + 1] !== 0) slot = (slot + 1) & mask;
      slots[slot << 1] = old[i]!;
      slots[(slot << 1) + 1] = old[i + 1]!;
    }
    const refs = new Int32Array(rowsFor(count));
    refs.set(this.refs);
    this.refs = refs;
    this.slots = slots;
    this.mask = mask;
    this.lastSlot = 0;
  }

  /** Empties a slot and moves back those behind it that would be cut off from their home. */
  private clearSlot(empty: number): void {
    const { slots, mask } = this;
    let hole = empty;
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

/** The most rows a table of so many slots holds: three in four, so that probes stay short. */
function rowsFor(slots: number): number {
  return (slots >>> 2) * 3;
}
