import { highWord, type Long, lowWord, signedLong } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import type { Arena } from './arena.js';
import { ByteTable, OWN_WORDS, VALUE_LENGTH } from './byte-table.js';
import { copyBytes, hashBytes } from './bytes.js';
import {
  type HeldValue,
  holdsBlocks,
  inSideTable,
  kindOfForm,
  LARGE_TEXT,
  type SideValue,
  TEXT,
} from './forms.js';
import { LargeText } from './large-text.js';
import { MemberExpiries } from './member-expiries.js';

/** Low eight bits: the form of the value; above them the flags. */
const META = OWN_WORDS;
/** Elements of a packed collection; for an object its place in the side table. */
const COUNT = OWN_WORDS + 1;
const EXPIRY_LOW = OWN_WORDS + 2;
const EXPIRY_HIGH = OWN_WORDS + 3;
const HEADER_BYTES = (OWN_WORDS + 4) * 4;

const FORM_MASK = 0xff;
const EXPIRES = 0x100;
const MARKED = 0x200;

/** Strings above this leave the arena, so that growing them by and by does not copy them each time. */
const TEXT_MAX = 64 * 1024;

/**
 * The keys of one database. A key is named by its *entry*, a small number that stays valid until the key is deleted
 * (values may change form and place meanwhile). Bytes handed out stand in the arena: they are valid until the next
 * change of any key.
 *
 * Strings: `getString`, `setString`, `resizeString`. Collections: lists.ts, sets.ts, hashes.ts and zsets.ts, whose
 * verbs take (database, entry, bytes, start, end, …). Make an empty one with `create` or `reset` and its packed form,
 * then add to it; a collection that became empty is the caller's to `delete`. Streams and modules are objects:
 * `setObject`, `objectAt`.
 */
export class Database {
  readonly table: ByteTable;
  /** Objects of entries whose form is not in the arena; VALUE_LENGTH's place in the row is 0 then. */
  private readonly side: (SideValue | undefined)[] = [];
  private readonly freeSides: number[] = [];
  /** KeyDB: they go with their key's value, and move with it. */
  readonly memberExpiries = new MemberExpiries();

  constructor(readonly arena: Arena) {
    this.table = new ByteTable(arena, HEADER_BYTES, 0, true);
  }

  /** Number of keys. */
  get size(): number {
    return this.table.size;
  }

  /** Entries are below this; those that are not `isLive` are gaps. */
  get entriesEnd(): number {
    return this.table.rowsEnd;
  }

  isLive(entry: number): boolean {
    return this.table.isLive(entry);
  }

  /** The entry of a key, or -1. */
  find(bytes: Buffer, start: number, end: number): number {
    return this.table.find(bytes, start, end);
  }

  /** Number of the value's kind, as forms.ts has them. */
  kindAt(entry: number): number {
    return kindOfForm(this.formAt(entry));
  }

  formAt(entry: number): number {
    return this.table.word(entry, META) & FORM_MASK;
  }

  /** Sets `into` to the key's bytes. */
  keyAt(entry: number, into: ByteSlice): ByteSlice {
    const { table } = this;
    return into.set(table.bytesAt(entry), table.keyStart(entry), table.keyEnd(entry));
  }

  /** Adds a key known to be absent, with an empty value of the given packed form. */
  create(bytes: Buffer, start: number, end: number, form: number): number {
    return this.add(bytes, start, end, hashBytes(bytes, start, end), form);
  }

  /** The entry of a key, which is added with an empty value of the given packed form when it is absent. */
  findOrCreate(bytes: Buffer, start: number, end: number, form: number): number {
    const hash = hashBytes(bytes, start, end);
    const entry = this.table.findHashed(bytes, start, end, hash);
    return entry >= 0 ? entry : this.add(bytes, start, end, hash, form);
  }

  private add(bytes: Buffer, start: number, end: number, hash: number, form: number): number {
    const entry = this.table.insert(bytes, start, end, hash, 0);
    this.table.setWord(entry, META, form);
    this.table.setWord(entry, COUNT, 0);
    return entry;
  }

  /** Deletes a key and its value. */
  delete(entry: number): void {
    this.dropSide(entry);
    this.memberExpiries.forget(entry);
    this.table.remove(entry);
  }

  /** Gives all memory back to the arena. The database must not be used again. */
  release(): void {
    for (let entry = 0; entry < this.table.rowsEnd; entry++) if (this.isLive(entry)) this.dropSide(entry);
    this.table.release();
  }

  // Expiry

  hasExpiry(entry: number): boolean {
    return (this.table.word(entry, META) & EXPIRES) !== 0;
  }

  /** Milliseconds since the epoch; meaningful only with `hasExpiry`. */
  expiryAt(entry: number): Long {
    const { table } = this;
    return signedLong(table.word(entry, EXPIRY_HIGH) >>> 0, table.word(entry, EXPIRY_LOW) >>> 0);
  }

  setExpiry(entry: number, expiresAtMs: Long): void {
    const { table } = this;
    table.setWord(entry, META, table.word(entry, META) | EXPIRES);
    table.setWord(entry, EXPIRY_LOW, lowWord(expiresAtMs));
    table.setWord(entry, EXPIRY_HIGH, highWord(expiresAtMs));
  }

  clearExpiry(entry: number): void {
    this.table.setWord(entry, META, this.table.word(entry, META) & ~EXPIRES);
  }

  // Whole values

  /** Moves a value with its expiry to a key of this or another database, replacing what that holds. */
  move(entry: number, target: Database, key: Buffer, keyStart: number, keyEnd: number): void {
    const there = target.find(key, keyStart, keyEnd);
    if (target === this && there === entry) return;
    if (there >= 0) target.delete(there);
    this.place(entry, target, key, keyStart, keyEnd, false);
    if (inSideTable(this.formAt(entry))) {
      const index = this.table.word(entry, COUNT);
      this.side[index] = undefined;
      this.freeSides.push(index);
    }
    this.memberExpiries.forget(entry);
    this.table.remove(entry);
  }

  /** Copies a value with its expiry to a key known to be absent in this or another database. */
  copy(entry: number, target: Database, key: Buffer, keyStart: number, keyEnd: number): void {
    this.place(entry, target, key, keyStart, keyEnd, true);
  }

  private place(
    entry: number,
    target: Database,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    cloned: boolean,
  ): void {
    const form = this.formAt(entry);
    const made = target.create(key, keyStart, keyEnd, TEXT);
    if (inSideTable(form)) {
      const object = this.objectAt(entry);
      target.setObject(made, form, cloned ? object.clone() : object);
    } else {
      target.resizePacked(made, this.packedLength(entry));
      const from = this.packedStart(entry);
      copyBytes(
        this.packedBytes(entry),
        from,
        this.packedEnd(entry),
        target.packedBytes(made),
        target.packedStart(made),
      );
      target.setCount(made, this.countAt(entry));
      target.setForm(made, form);
    }
    if (this.hasExpiry(entry)) target.setExpiry(made, this.expiryAt(entry));
    if (this.isMarked(entry)) target.mark(made);
    this.memberExpiries.copyTo(target.memberExpiries, entry, made);
  }

  // Strings

  /** Sets `into` to the bytes of a string value. */
  getString(entry: number, into: ByteSlice): ByteSlice {
    if (this.formAt(entry) === LARGE_TEXT) {
      const text = this.objectAt(entry) as LargeText;
      return into.set(text.bytes, 0, text.length);
    }
    const { table } = this;
    return into.set(table.bytesAt(entry), table.keyEnd(entry), table.valueEnd(entry));
  }

  /**
   * Makes a key hold a string, whatever it held, and returns its entry. The expiry goes unless `keepExpiry`. The bytes
   * must not be those of the key's present value (copy them first).
   */
  setString(
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    bytes: Buffer,
    start: number,
    end: number,
    keepExpiry = false,
  ): number {
    const length = end - start;
    const hash = hashBytes(key, keyStart, keyEnd);
    let entry = this.table.findHashed(key, keyStart, keyEnd, hash);
    if (length > TEXT_MAX)
      return this.setLargeText(entry, key, keyStart, keyEnd, bytes, start, end, keepExpiry);
    const { table } = this;
    if (entry < 0) {
      entry = table.insert(key, keyStart, keyEnd, hash, length);
      table.setWord(entry, META, TEXT);
    } else {
      const meta = table.word(entry, META);
      if (inSideTable(meta & FORM_MASK)) this.dropSide(entry);
      this.memberExpiries.forget(entry);
      table.replaceValue(entry, length);
      table.setWord(entry, META, keepExpiry ? (meta & EXPIRES) | TEXT : TEXT);
    }
    table.write(entry, table.keyEnd(entry), bytes, start, end);
    return entry;
  }

  /** Replaces the bytes of a string value, keeping the expiry. They must not be those of the present value. */
  overwriteString(entry: number, bytes: Buffer, start: number, end: number): void {
    if (this.formAt(entry) === TEXT && end - start <= TEXT_MAX) {
      this.table.replaceValue(entry, end - start);
      this.table.write(entry, this.table.keyEnd(entry), bytes, start, end);
    } else {
      this.setObject(entry, LARGE_TEXT, new LargeText(bytes, start, end));
    }
  }

  /**
   * Gives a string value another length, keeping the expiry; bytes beyond the old length are zero. The value then
   * stands where `getString` says.
   */
  resizeString(entry: number, length: number): void {
    if (this.formAt(entry) === LARGE_TEXT) {
      (this.objectAt(entry) as LargeText).resize(length);
      return;
    }
    const { table } = this;
    const before = table.word(entry, VALUE_LENGTH);
    if (length > TEXT_MAX) {
      const text = new LargeText(table.bytesAt(entry), table.keyEnd(entry), table.valueEnd(entry));
      text.resize(length);
      this.setObject(entry, LARGE_TEXT, text);
      return;
    }
    table.resizeValue(entry, length);
    if (length > before) {
      const start = table.keyEnd(entry);
      table.bytesAt(entry).fill(0, start + before, start + length);
    }
  }

  // Packed values: bytes behind the key

  packedLength(entry: number): number {
    return this.table.word(entry, VALUE_LENGTH);
  }

  /** The chunk with the packed value, which stands from `packedStart` to `packedEnd`. */
  packedBytes(entry: number): Buffer {
    return this.table.bytesAt(entry);
  }

  packedStart(entry: number): number {
    return this.table.keyEnd(entry);
  }

  packedEnd(entry: number): number {
    return this.table.valueEnd(entry);
  }

  /** Copies a range to a position in the chunk of a packed value. */
  write(entry: number, at: number, bytes: Buffer, start: number, end: number): void {
    this.table.write(entry, at, bytes, start, end);
  }

  /** Changes the length of a packed value, keeping its common prefix; it may move. */
  resizePacked(entry: number, length: number): void {
    this.table.resizeValue(entry, length);
  }

  /** Elements of a packed value. */
  countAt(entry: number): number {
    return this.table.word(entry, COUNT);
  }

  setCount(entry: number, count: number): void {
    this.table.setWord(entry, COUNT, count);
  }

  /** Changes the form of a value whose bytes stay where they are. */
  setForm(entry: number, form: number): void {
    this.table.setWord(entry, META, (this.table.word(entry, META) & ~FORM_MASK) | form);
  }

  /** One bit per key for the use of the value's kind; cleared when the value is replaced. */
  isMarked(entry: number): boolean {
    return (this.table.word(entry, META) & MARKED) !== 0;
  }

  mark(entry: number): void {
    this.table.setWord(entry, META, this.table.word(entry, META) | MARKED);
  }

  unmark(entry: number): void {
    this.table.setWord(entry, META, this.table.word(entry, META) & ~MARKED);
  }

  // Values that are objects

  /** The object of an entry whose form is in the side table. */
  objectAt(entry: number): SideValue {
    return this.side[this.table.word(entry, COUNT)]!;
  }

  /** Makes an object the value of an existing key; expiry and mark stay. The value it had is released. */
  setObject(entry: number, form: number, object: SideValue): void {
    this.dropSide(entry);
    this.table.replaceValue(entry, 0);
    const free = this.freeSides.pop() ?? this.side.length;
    this.side[free] = object;
    this.setForm(entry, form);
    this.table.setWord(entry, COUNT, free);
  }

  /** Replaces whatever a key holds by an empty value of a packed form; expiry and mark go. Returns the entry. */
  reset(bytes: Buffer, start: number, end: number, form: number): number {
    const entry = this.find(bytes, start, end);
    if (entry < 0) return this.create(bytes, start, end, form);
    this.dropSide(entry);
    this.memberExpiries.forget(entry);
    this.table.replaceValue(entry, 0);
    this.table.setWord(entry, META, form);
    this.table.setWord(entry, COUNT, 0);
    return entry;
  }

  private dropSide(entry: number): void {
    const form = this.formAt(entry);
    if (!inSideTable(form)) return;
    const index = this.table.word(entry, COUNT);
    if (holdsBlocks(form)) (this.side[index] as HeldValue).release();
    this.side[index] = undefined;
    this.freeSides.push(index);
  }

  private setLargeText(
    found: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    bytes: Buffer,
    start: number,
    end: number,
    keepExpiry: boolean,
  ): number {
    const entry = found >= 0 ? found : this.create(key, keyStart, keyEnd, TEXT);
    if (!keepExpiry) this.clearExpiry(entry);
    this.memberExpiries.forget(entry);
    this.setObject(entry, LARGE_TEXT, new LargeText(bytes, start, end));
    return entry;
  }
}
