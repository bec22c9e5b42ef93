import { ByteSlice } from '../bytes/slice.js';
import { equalBytes } from './bytes.js';
import type { Database } from './database.js';
import { LARGE_LIST } from './forms.js';
import { elementSize, frameElement, LargeList, lengthBefore, removal, removeFromRun } from './large-list.js';
import { headerSize, lengthAt, moveBytes } from './packed.js';

/** A list beyond this is held in nodes. */
export const LIST_LIMITS = { bytes: 4096 } as const;

function large(db: Database, entry: number): LargeList {
  return db.objectAt(entry) as LargeList;
}

export function listLength(db: Database, entry: number): number {
  return db.formAt(entry) === LARGE_LIST ? large(db, entry).length : db.countAt(entry);
}

/** Adds an element at the end. The bytes must not stand in the same list. */
export function pushTail(db: Database, entry: number, bytes: Buffer, start: number, end: number): void {
  if (db.formAt(entry) === LARGE_LIST) {
    large(db, entry).pushTail(bytes, start, end);
    return;
  }
  const used = db.packedLength(entry);
  const grown = used + elementSize(end - start);
  if (grown > LIST_LIMITS.bytes) {
    unpack(db, entry, false).pushTail(bytes, start, end);
    return;
  }
  db.resizePacked(entry, grown);
  const at = frameElement(db.packedBytes(entry), db.packedStart(entry) + used, end - start);
  db.write(entry, at, bytes, start, end);
  db.setCount(entry, db.countAt(entry) + 1);
}

/** Adds an element at the head. The bytes must not stand in the same list. */
export function pushHead(db: Database, entry: number, bytes: Buffer, start: number, end: number): void {
  if (db.formAt(entry) === LARGE_LIST) {
    large(db, entry).pushHead(bytes, start, end);
    return;
  }
  const used = db.packedLength(entry);
  const size = elementSize(end - start);
  if (used + size > LIST_LIMITS.bytes) {
    unpack(db, entry, true).pushHead(bytes, start, end);
    return;
  }
  db.resizePacked(entry, used + size);
  const into = db.packedBytes(entry);
  const at = db.packedStart(entry);
  moveBytes(into, at, at + used, at + size);
  db.write(entry, frameElement(into, at, end - start), bytes, start, end);
  db.setCount(entry, db.countAt(entry) + 1);
}

/** Sets `into` to the first element of a list that has one. */
export function peekHead(db: Database, entry: number, into: ByteSlice): ByteSlice {
  if (db.formAt(entry) === LARGE_LIST) {
    large(db, entry).peekHead(into);
    return into;
  }
  const bytes = db.packedBytes(entry);
  const at = db.packedStart(entry);
  const length = lengthAt(bytes, at);
  const start = at + headerSize(length);
  return into.set(bytes, start, start + length);
}

/** Sets `into` to the last element of a list that has one. */
export function peekTail(db: Database, entry: number, into: ByteSlice): ByteSlice {
  if (db.formAt(entry) === LARGE_LIST) {
    large(db, entry).peekTail(into);
    return into;
  }
  const bytes = db.packedBytes(entry);
  const at = db.packedEnd(entry);
  const length = lengthBefore(bytes, at);
  const end = at - headerSize(length);
  return into.set(bytes, end - length, end);
}

/** Removes up to `count` elements from the head; the list may be empty then. */
export function dropHead(db: Database, entry: number, count: number): void {
  if (db.formAt(entry) === LARGE_LIST) {
    large(db, entry).dropHead(count);
    return;
  }
  const left = Math.min(count, db.countAt(entry));
  const bytes = db.packedBytes(entry);
  const start = db.packedStart(entry);
  const end = db.packedEnd(entry);
  let at = start;
  for (let i = 0; i < left; i++) at += elementSize(lengthAt(bytes, at));
  moveBytes(bytes, at, end, start);
  db.resizePacked(entry, end - at);
  db.setCount(entry, db.countAt(entry) - left);
}

/** Removes up to `count` elements from the end; the list may be empty then. */
export function dropTail(db: Database, entry: number, count: number): void {
  if (db.formAt(entry) === LARGE_LIST) {
    large(db, entry).dropTail(count);
    return;
  }
  const left = Math.min(count, db.countAt(entry));
  const bytes = db.packedBytes(entry);
  const start = db.packedStart(entry);
  let at = db.packedEnd(entry);
  for (let i = 0; i < left; i++) at -= elementSize(lengthBefore(bytes, at));
  db.resizePacked(entry, at - start);
  db.setCount(entry, db.countAt(entry) - left);
}

/** Replaces the element at `index`, which is within the list. */
export function setElement(
  db: Database,
  entry: number,
  index: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (db.formAt(entry) !== LARGE_LIST) {
    const at = packedPosition(db, entry, index);
    const old = elementSize(lengthAt(db.packedBytes(entry), at));
    if (splicePacked(db, entry, at, old, bytes, start, end)) return;
    unpack(db, entry, false);
  }
  large(db, entry).set(index, bytes, start, end);
}

/** Inserts before the element at `index`, or at the end when `index` is the length. */
export function insertElement(
  db: Database,
  entry: number,
  index: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (db.formAt(entry) !== LARGE_LIST) {
    if (splicePacked(db, entry, packedPosition(db, entry, index), 0, bytes, start, end)) {
      db.setCount(entry, db.countAt(entry) + 1);
      return;
    }
    unpack(db, entry, false);
  }
  large(db, entry).insert(index, bytes, start, end);
}

/** Index of the first element equal to the range, or -1. */
export function indexOfElement(
  db: Database,
  entry: number,
  bytes: Buffer,
  start: number,
  end: number,
): number {
  if (db.formAt(entry) === LARGE_LIST) return large(db, entry).indexOf(bytes, start, end);
  const value = db.packedBytes(entry);
  const valueEnd = db.packedEnd(entry);
  let index = 0;
  for (let at = db.packedStart(entry); at < valueEnd; index++) {
    const length = lengthAt(value, at);
    if (length === end - start && equalBytes(value, at + headerSize(length), bytes, start, length))
      return index;
    at += elementSize(length);
  }
  return -1;
}

/**
 * Removes elements equal to the range: the first `limit` of them, or the last with `fromTail`. Returns how many; the
 * list may be empty then.
 */
export function removeEqual(
  db: Database,
  entry: number,
  bytes: Buffer,
  start: number,
  end: number,
  limit: number,
  fromTail: boolean,
): number {
  const skip = fromTail ? Math.max(0, countEqual(db, entry, bytes, start, end) - limit) : 0;
  if (db.formAt(entry) === LARGE_LIST) return large(db, entry).removeEqual(bytes, start, end, skip, limit);
  const from = db.packedStart(entry);
  const to = removeFromRun(db.packedBytes(entry), from, db.packedEnd(entry), bytes, start, end, skip, limit);
  const { removed } = removal;
  db.resizePacked(entry, to - from);
  db.setCount(entry, db.countAt(entry) - removed);
  return removed;
}

/** Visits the elements of a list from head to tail. The list must not change meanwhile. */
export class ListCursor {
  /** The element that `next` came to. */
  readonly element = new ByteSlice();
  private list: LargeList | null = null;
  private node = 0;
  private readonly run = new ByteSlice();

  open(db: Database, entry: number): this {
    this.node = 0;
    if (db.formAt(entry) === LARGE_LIST) {
      this.list = large(db, entry);
      this.run.set(NO_BYTES, 0, 0);
    } else {
      this.list = null;
      this.run.set(db.packedBytes(entry), db.packedStart(entry), db.packedEnd(entry));
    }
    return this;
  }

  next(): boolean {
    const { run, list } = this;
    if (run.start >= run.end) {
      if (list === null || this.node >= list.nodeCount) return false;
      list.nodeAt(this.node++, run);
    }
    const length = lengthAt(run.bytes, run.start);
    const start = run.start + headerSize(length);
    this.element.set(run.bytes, start, start + length);
    run.start += elementSize(length);
    return true;
  }
}

const NO_BYTES = Buffer.alloc(0);
const counting = new ListCursor();

function countEqual(db: Database, entry: number, bytes: Buffer, start: number, end: number): number {
  counting.open(db, entry);
  const { element } = counting;
  let count = 0;
  while (counting.next()) {
    if (element.length !== end - start) continue;
    if (equalBytes(element.bytes, element.start, bytes, start, end - start)) count++;
  }
  return count;
}

function packedPosition(db: Database, entry: number, index: number): number {
  const bytes = db.packedBytes(entry);
  let at = db.packedStart(entry);
  for (let i = 0; i < index; i++) at += elementSize(lengthAt(bytes, at));
  return at;
}

/** Puts an element in the place of `old` bytes at `at`; false when the list would become too large, nothing done. */
function splicePacked(
  db: Database,
  entry: number,
  at: number,
  old: number,
  bytes: Buffer,
  start: number,
  end: number,
): boolean {
  const size = elementSize(end - start);
  const used = db.packedLength(entry);
  const grown = used + size - old;
  if (grown > LIST_LIMITS.bytes && grown > used) return false;
  const offset = at - db.packedStart(entry);
  if (size < old) moveBytes(db.packedBytes(entry), at + old, db.packedEnd(entry), at + size);
  db.resizePacked(entry, grown);
  const into = db.packedBytes(entry);
  const from = db.packedStart(entry);
  if (size > old) moveBytes(into, from + offset + old, from + used, from + offset + size);
  db.write(entry, frameElement(into, from + offset, end - start), bytes, start, end);
  return true;
}

function unpack(db: Database, entry: number, roomInFront: boolean): LargeList {
  const list = new LargeList(db.arena);
  const count = db.countAt(entry);
  if (count > 0) {
    list.adopt(db.packedBytes(entry), db.packedStart(entry), db.packedEnd(entry), count, roomInFront);
  }
  db.setObject(entry, LARGE_LIST, list);
  return list;
}
