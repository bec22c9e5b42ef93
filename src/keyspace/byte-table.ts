import { type Arena, CHUNK_SHIFT, offsetOf, sameClass, wordOf } from './arena.js';
import { copyWords, equalAtWord, hashBytes } from './bytes.js';

/** Words at the start of a record. Owners may have more of their own; then the key's bytes, and at once the value's. */
export const KEY_LENGTH = 0;
export const VALUE_LENGTH = 1;
export const OWN_WORDS = 2;

const SLOTS_FIRST = 16;
const SEED = (Math.random() * 0x100000000) | 0;

/**
 * A hash table from byte strings to rows, open addressed, with keys, values and what else is known of them in records
 * of an arena. Rows keep their number until removed, whatever else is inserted and wherever their record moves; freed
 * numbers are used again. Owners with more to say of a key use words of the record, or columns indexed by row.
 *
 * A lookup touches a slot, a reference and the record: three places in memory, the first two of four bytes each.
 */
export class ByteTable {
  size = 0;
  /** Rows ever used: all live rows are below. */
  rowsEnd = 0;
  /** By row: the record, or 0 for a row that is free. */
  private refs: Int32Array;
  /** By row: the hash of the key, or the next free row plus one. */
  private hashes: Int32Array;
  /** Row plus one in the low bits that `mask` has, the hash in those above; 0: empty. */
  private slots: Int32Array;
  private mask: number;
  private freeRow = 0;

  /** Records start with `headerBytes`, a multiple of four: two words of the table's, then the owner's. */
  constructor(
    readonly arena: Arena,
    readonly headerBytes: number,
    expected = 0,
  ) {
    let slots = SLOTS_FIRST;
    while (rowsFor(slots) < expected) slots *= 2;
    this.slots = new Int32Array(slots);
    this.mask = slots - 1;
    this.refs = new Int32Array(rowsFor(slots));
    this.hashes = new Int32Array(rowsFor(slots));
  }

  /** The row of a key, or -1. */
  find(bytes: Buffer, start: number, end: number): number {
    return this.findHashed(bytes, start, end, hashBytes(bytes, start, end, SEED));
  }

  findHashed(bytes: Buffer, start: number, end: number, hash: number): number {
    const { slots, mask, refs, headerBytes, arena } = this;
    const length = end - start;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = slots[slot]!;
      if (found === 0) return -1;
      if (((found ^ hash) & ~mask) !== 0) continue;
      const row = (found & mask) - 1;
      const ref = refs[row]!;
      const chunk = ref >>> CHUNK_SHIFT;
      const words = arena.words[chunk]!;
      if (words[wordOf(ref)] !== length) continue;
      const keyWord = wordOf(ref) + (headerBytes >> 2);
      if (equalAtWord(words, arena.chunks[chunk]!, keyWord, bytes, start, length)) return row;
    }
  }

  /** Adds a key known to be absent, with room for a value of `valueLength` bytes. Its own words are arbitrary. */
  insert(bytes: Buffer, start: number, end: number, hash: number, valueLength: number): number {
    if (this.freeRow === 0 && this.rowsEnd === this.refs.length) this.grow();
    const { slots, mask, arena, headerBytes } = this;
    const length = end - start;
    const ref = arena.alloc(headerBytes + length + valueLength);
    const words = arena.words[ref >>> CHUNK_SHIFT]!;
    words[wordOf(ref) + KEY_LENGTH] = length;
    words[wordOf(ref) + VALUE_LENGTH] = valueLength;
    arena.write(ref, offsetOf(ref) + headerBytes, bytes, start, end);
    let row = this.freeRow - 1;
    if (row < 0) row = this.rowsEnd++;
    else this.freeRow = this.hashes[row]!;
    this.refs[row] = ref;
    this.hashes[row] = hash;
    let slot = hash & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = (hash & ~mask) | (row + 1);
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
    const ref = this.refs[row]!;
    const words = this.arena.words[ref >>> CHUNK_SHIFT]!;
    const at = wordOf(ref);
    const fixed = this.headerBytes + words[at + KEY_LENGTH]!;
    const before = words[at + VALUE_LENGTH]!;
    words[at + VALUE_LENGTH] = valueLength;
    if (sameClass(fixed + before, fixed + valueLength)) return;
    this.relocate(row, fixed + before, fixed + valueLength, fixed + Math.min(before, valueLength));
  }

  /** Like resizeValue, but the value's bytes become arbitrary. */
  replaceValue(row: number, valueLength: number): void {
    const ref = this.refs[row]!;
    const words = this.arena.words[ref >>> CHUNK_SHIFT]!;
    const at = wordOf(ref);
    const fixed = this.headerBytes + words[at + KEY_LENGTH]!;
    const before = words[at + VALUE_LENGTH]!;
    words[at + VALUE_LENGTH] = valueLength;
    if (sameClass(fixed + before, fixed + valueLength)) return;
    this.relocate(row, fixed + before, fixed + valueLength, fixed);
  }

  /** Moves a record of `before` bytes to a block for `after`, with its first `kept` bytes. */
  private relocate(row: number, before: number, after: number, kept: number): void {
    const { arena } = this;
    const old = this.refs[row]!;
    const ref = arena.alloc(after);
    const from = arena.words[old >>> CHUNK_SHIFT]!;
    copyWords(from, wordOf(old), arena.words[ref >>> CHUNK_SHIFT]!, wordOf(ref), (kept + 3) >>> 2);
    arena.release(old, before);
    this.refs[row] = ref;
  }

  /** Removes a row, its key and its value. */
  remove(row: number): void {
    this.clearSlot(row, this.hashes[row]!);
    this.arena.release(this.refs[row]!, this.recordSize(row));
    this.refs[row] = 0;
    this.hashes[row] = this.freeRow;
    this.freeRow = row + 1;
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
    this.arena.write(this.refs[row]!, at, bytes, start, end);
  }

  /** A word of a row's record. */
  word(row: number, number: number): number {
    const ref = this.refs[row]!;
    return this.arena.words[ref >>> CHUNK_SHIFT]![wordOf(ref) + number]!;
  }

  setWord(row: number, number: number, value: number): void {
    const ref = this.refs[row]!;
    this.arena.words[ref >>> CHUNK_SHIFT]![wordOf(ref) + number] = value;
  }

  /** The chunk that a row's record stands in. */
  bytesAt(row: number): Buffer {
    return this.arena.chunks[this.refs[row]! >>> CHUNK_SHIFT]!;
  }

  keyStart(row: number): number {
    return offsetOf(this.refs[row]!) + this.headerBytes;
  }

  /** Also where the value starts. */
  keyEnd(row: number): number {
    return this.keyStart(row) + this.word(row, KEY_LENGTH);
  }

  valueEnd(row: number): number {
    return this.keyEnd(row) + this.word(row, VALUE_LENGTH);
  }

  private recordSize(row: number): number {
    return this.headerBytes + this.word(row, KEY_LENGTH) + this.word(row, VALUE_LENGTH);
  }

  /** Doubles the table. Keys are filed again by their hashes, without a look at the records. */
  private grow(): void {
    const count = this.slots.length * 2;
    const refs = new Int32Array(rowsFor(count));
    refs.set(this.refs);
    const hashes = new Int32Array(rowsFor(count));
    hashes.set(this.hashes);
    const slots = new Int32Array(count);
    const mask = count - 1;
    for (let row = 0; row < this.rowsEnd; row++) {
      if (refs[row] === 0) continue;
      const hash = hashes[row]!;
      let slot = hash & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = (hash & ~mask) | (row + 1);
    }
    this.refs = refs;
    this.hashes = hashes;
    this.slots = slots;
    this.mask = mask;
  }

  /** Empties the slot of a row and moves back those behind it that would be cut off from their home. */
  private clearSlot(row: number, hash: number): void {
    const { slots, mask, hashes } = this;
    let hole = hash & mask;
    while ((slots[hole]! & mask) !== row + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = hashes[(slots[slot]! & mask) - 1]! & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot]!;
      hole = slot;
    }
    slots[hole] = 0;
  }
}

/** The most rows a table of so many slots holds: three in four, so that probes stay short. */
function rowsFor(slots: number): number {
  return (slots >>> 2) * 3;
}

/** The hash by which a table files a key. */
export function keyHash(bytes: Buffer, start: number, end: number): number {
  return hashBytes(bytes, start, end, SEED);
}
