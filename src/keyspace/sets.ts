import { ByteSlice } from '../bytes/slice.js';
import type { Arena } from './arena.js';
import { ByteTable, OWN_WORDS } from './byte-table.js';
import { equalBytes } from './bytes.js';
import type { Database } from './database.js';
import { type HeldValue, LARGE_SET } from './forms.js';
import { headerSize, lengthAt, moveBytes, writeLength } from './packed.js';

/** A set beyond either is held as a table. */
export const SET_LIMITS = { count: 128, bytes: 4096 } as const;

/** A set of many members. */
export class LargeSet implements HeldValue {
  readonly table: ByteTable;

  constructor(
    private readonly arena: Arena,
    expected: number,
  ) {
    this.table = new ByteTable(arena, OWN_WORDS * 4, expected);
  }

  clone(): LargeSet {
    const { table } = this;
    const copy = new LargeSet(this.arena, table.size);
    for (let row = 0; row < table.rowsEnd; row++) {
      if (table.isLive(row)) copy.table.put(table.bytesAt(row), table.keyStart(row), table.keyEnd(row));
    }
    return copy;
  }

  release(): void {
    this.table.release();
  }
}

function large(db: Database, entry: number): ByteTable {
  return (db.objectAt(entry) as LargeSet).table;
}

export function setSize(db: Database, entry: number): number {
  return db.formAt(entry) === LARGE_SET ? large(db, entry).size : db.countAt(entry);
}

export function setHas(db: Database, entry: number, bytes: Buffer, start: number, end: number): boolean {
  if (db.formAt(entry) === LARGE_SET) return large(db, entry).find(bytes, start, end) >= 0;
  return findPacked(db, entry, bytes, start, end - start) >= 0;
}

/** Adds a member. Returns whether it is new. */
export function addToSet(db: Database, entry: number, bytes: Buffer, start: number, end: number): boolean {
  if (db.formAt(entry) === LARGE_SET) return large(db, entry).put(bytes, start, end) < 0;
  const length = end - start;
  if (findPacked(db, entry, bytes, start, length) >= 0) return false;
  const used = db.packedLength(entry);
  const grown = used + headerSize(length) + length;
  const count = db.countAt(entry) + 1;
  if (count > SET_LIMITS.count || (grown > SET_LIMITS.bytes && count > 1)) {
    unpack(db, entry);
    large(db, entry).put(bytes, start, end);
    return true;
  }
  db.resizePacked(entry, grown);
  const into = db.packedBytes(entry);
  db.write(entry, writeLength(into, db.packedStart(entry) + used, length), bytes, start, end);
  db.setCount(entry, count);
  return true;
}

/** Removes a member. Returns whether it was there; the set may be empty then. */
export function removeFromSet(
  db: Database,
  entry: number,
  bytes: Buffer,
  start: number,
  end: number,
): boolean {
  if (db.formAt(entry) === LARGE_SET) {
    const table = large(db, entry);
    const row = table.find(bytes, start, end);
    if (row >= 0) table.remove(row);
    return row >= 0;
  }
  const at = findPacked(db, entry, bytes, start, end - start);
  if (at < 0) return false;
  const next = at + headerSize(end - start) + end - start;
  const packedEnd = db.packedEnd(entry);
  moveBytes(db.packedBytes(entry), next, packedEnd, at);
  db.resizePacked(entry, db.packedLength(entry) - (next - at));
  db.setCount(entry, db.countAt(entry) - 1);
  return true;
}

/** Visits the members of a set in no particular order. The set must not change meanwhile. */
export class SetCursor {
  /** The member that `next` came to. */
  readonly member = new ByteSlice();
  private table: ByteTable | null = null;
  private bytes: Buffer = NO_BYTES;
  private at = 0;
  private end = 0;

  open(db: Database, entry: number): this {
    if (db.formAt(entry) === LARGE_SET) {
      this.table = large(db, entry);
      this.at = 0;
      this.end = this.table.rowsEnd;
    } else {
      this.table = null;
      this.bytes = db.packedBytes(entry);
      this.at = db.packedStart(entry);
      this.end = db.packedEnd(entry);
    }
    return this;
  }

  next(): boolean {
    const { table } = this;
    if (table === null) {
      if (this.at >= this.end) return false;
      const length = lengthAt(this.bytes, this.at);
      const start = this.at + headerSize(length);
      this.at = start + length;
      this.member.set(this.bytes, start, this.at);
      return true;
    }
    while (this.at < this.end) {
      const row = this.at++;
      if (!table.isLive(row)) continue;
      this.member.set(table.bytesAt(row), table.keyStart(row), table.keyEnd(row));
      return true;
    }
    return false;
  }
}

const NO_BYTES = Buffer.alloc(0);

/** Where in its chunk a member stands, or -1. */
function findPacked(db: Database, entry: number, bytes: Buffer, start: number, length: number): number {
  const value = db.packedBytes(entry);
  const end = db.packedEnd(entry);
  for (let at = db.packedStart(entry); at < end; ) {
    const size = lengthAt(value, at);
    const from = at + headerSize(size);
    if (size === length && equalBytes(value, from, bytes, start, length)) return at;
    at = from + size;
  }
  return -1;
}

function unpack(db: Database, entry: number): void {
  const set = new LargeSet(db.arena, db.countAt(entry) * 2);
  const cursor = new SetCursor().open(db, entry);
  while (cursor.next()) set.table.put(cursor.member.bytes, cursor.member.start, cursor.member.end);
  db.setObject(entry, LARGE_SET, set);
}
