import { type Arena, CHUNK_SHIFT, offsetOf, sameClass, wordOf } from './arena.js';
import { copyWords, equalAtWord, hashBytes } from './bytes.js';

/** Words at the start of a record. Owners may have more of their own; then the key's bytes, and at once the value's. */
export const KEY_LENGTH = 0;
export const VALUE_LENGTH = 1;
const ROW = 2;
export const OWN_WORDS = 3;

const SLOTS_FIRST = 16;
const FREE_FIRST = 16;

/** What a table tells of itself, by words; a kernel reads and writes them, too (assembly/engine-layout.ts). */
const SIZE = 0;
const ROWS_END = 1;
const FREE_COUNT = 2;
const FREE_CAPACITY = 3;
const ROWS_CAPACITY = 4;
const MASK = 5;
const SLOTS_AT = 6;
const REFS_AT = 7;
const FREE_AT = 8;
const STATE_WORDS = 9;

/**
 * A hash table from byte strings to rows, open addressed, with keys, values and what else is known of them in records
 * of an arena. Rows keep their number until removed, whatever else is inserted and wherever their record moves; freed
 * numbers are used again. Owners with more to say of a key use words of the record, or columns indexed by row.
 *
 * What a lookup costs is waiting for memory, so it goes to two places only: a slot, and the record. What is asked of
 * the row found last needs no third.
 */
export class ByteTable {
  /** Where a kernel finds it in the memory that the arena has in common with it; 0: it does not. */
  address = 0;
  private table = -1;
  private readonly state: Int32Array;
  /** Pairs: the hash of a key, and its record (0: empty). */
  private slots: Int32Array;
  private mask: number;
  /** By row: the record, or 0 for a row that is free. */
  private refs: Int32Array;
  /** The free rows, a stack; as large as it ever had to be. */
  private freeRows: Int32Array = NO_ROWS;
  /** The row found or made last, with its record and slot as they were then. */
  private lastRow = -1;
  private lastRef = 0;
  private lastSlot = 0;
  /** What `touch` came to: it must not be left out. */
  touched = 0;

  /**
   * Records start with `headerBytes`, a multiple of four: three words of the table's, then the owner's. `shared`: a
   * kernel may look keys up and change them, where the arena has memory in common with one.
   */
  constructor(
    readonly arena: Arena,
    readonly headerBytes: number,
    expected = 0,
    private readonly shared = false,
  ) {
    const memory = shared ? arena.memory : null;
    if (memory !== null) this.table = memory.takeTable();
    this.state =
      memory === null || this.table < 0
        ? new Int32Array(STATE_WORDS)
        : memory.kernel.tableWords(this.table)!.fill(0);
    let slots = SLOTS_FIRST;
    while (rowsFor(slots) < expected) slots *= 2;
    this.slots = this.take(slots * 2, SLOTS_AT);
    this.refs = this.take(rowsFor(slots), REFS_AT);
    this.mask = slots - 1;
    this.announce();
  }

  get size(): number {
    return this.state[SIZE]!;
  }

  /** Rows ever used: all live rows are below. */
  get rowsEnd(): number {
    return this.state[ROWS_END]!;
  }

  /** What is kept of the last row may have been changed by a kernel. */
  forget(): void {
    this.lastRow = -1;
  }

  /** Tells the kernel how large the table is; it does without one whose words are not all in its memory. */
  private announce(): void {
    const { state } = this;
    state[MASK] = this.mask;
    state[ROWS_CAPACITY] = this.refs.length;
    state[FREE_CAPACITY] = this.freeRows.length;
    const isThere = this.table >= 0 && state[SLOTS_AT] !== 0 && state[REFS_AT] !== 0;
    this.address = isThere ? this.arena.memory!.kernel.tableAddress(this.table) : 0;
    if (state[FREE_AT] === 0) state[FREE_CAPACITY] = 0;
  }

  /** Words that are zero; where they stand is noted. */
  private take(count: number, at: number): Int32Array {
    if (!this.shared) return new Int32Array(count);
    const { words, address } = this.arena.takeWords(count);
    this.state[at] = address | 0;
    return words;
  }

  /** Gives back words that stood at an address. */
  private giveBack(words: Int32Array, address: number): void {
    if (this.shared && words.length > 0) this.arena.releaseWords({ words, address: address >>> 0 });
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
    if (this.state[FREE_COUNT] === 0 && this.rowsEnd === this.refs.length) this.grow();
    const { slots, mask, arena, headerBytes, state } = this;
    const length = end - start;
    const ref = arena.alloc(headerBytes + length + valueLength);
    const row = state[FREE_COUNT]! > 0 ? this.freeRows[--state[FREE_COUNT]!]! : state[ROWS_END]!++;
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
    state[SIZE]!++;
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
    const { state } = this;
    if (state[FREE_COUNT] === this.freeRows.length) this.growFree();
    this.freeRows[state[FREE_COUNT]!++] = row;
    this.lastRow = -1;
    state[SIZE]!--;
  }

  /** Waits for the memory of the records of rows `[from, to)`, for all of them at a time. */
  touch(from: number, to: number): void {
    const { refs, arena } = this;
    const { words } = arena;
    let sum = 0;
    for (let row = from; row < to; row++) {
      const ref = refs[row]!;
      if (ref !== 0) sum += words[ref >>> CHUNK_SHIFT]![wordOf(ref)]!;
    }
    this.touched = sum | 0;
  }

  isLive(row: number): boolean {
    return this.refs[row] !== 0;
  }

  /** Gives every record back to the arena. The table must not be used again. */
  release(): void {
    for (let row = 0; row < this.rowsEnd; row++) {
      if (this.refs[row] !== 0) this.arena.release(this.refs[row]!, this.recordSize(row));
    }
    const { state, table } = this;
    this.giveBack(this.slots, state[SLOTS_AT]!);
    this.giveBack(this.refs, state[REFS_AT]!);
    this.giveBack(this.freeRows, state[FREE_AT]!);
    if (table >= 0) this.arena.memory!.giveTableBack(table);
    this.address = 0;
  }

  private growFree(): void {
    const { freeRows: old, state } = this;
    const oldAddress = state[FREE_AT]!;
    this.freeRows = this.take(Math.max(FREE_FIRST, old.length * 2), FREE_AT);
    this.freeRows.set(old);
    this.giveBack(old, oldAddress);
    this.announce();
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
    const { slots: old, refs: oldRefs, state } = this;
    const [oldAddress, oldRefsAddress] = [state[SLOTS_AT]!, state[REFS_AT]!];
    const count = old.length;
    const slots = this.take(count * 2, SLOTS_AT);
    const mask = count - 1;
    for (let i = 0; i < count; i += 2) {
      if (old[i + 1] === 0) continue;
      let slot = old[i]! & mask;
      while (slots[(slot << 1) + 1] !== 0) slot = (slot + 1) & mask;
      slots[slot << 1] = old[i]!;
      slots[(slot << 1) + 1] = old[i + 1]!;
    }
    this.refs = this.take(rowsFor(count), REFS_AT);
    this.refs.set(oldRefs);
    this.slots = slots;
    this.mask = mask;
    this.lastSlot = 0;
    this.giveBack(old, oldAddress);
    this.giveBack(oldRefs, oldRefsAddress);
    this.announce();
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

const NO_ROWS = new Int32Array(0);

/** The most rows a table of so many slots holds: three in four, so that probes stay short. */
function rowsFor(slots: number): number {
  return (slots >>> 2) * 3;
}
