import { ByteSlice } from '../bytes/slice.js';
import type { ByteTable } from './byte-table.js';
import { equalBytes } from './bytes.js';
import type { Database } from './database.js';
import { LARGE_ZSET } from './forms.js';
import { LargeZset } from './large-zset.js';
import {
  DOUBLE_SIZE,
  doubleAt,
  headerSize,
  lengthAt,
  moveBytes,
  writeDouble,
  writeLength,
} from './packed.js';
import type { Thresholds } from './thresholds.js';

/** A sorted set beyond either is held as a table. Packed members stand in no order, each its score and its bytes. */
export const ZSET_LIMITS = { count: 128, bytes: 6144 } as const;

function large(db: Database, entry: number): LargeZset {
  return db.objectAt(entry) as LargeZset;
}

export function zsetSize(db: Database, entry: number): number {
  return db.formAt(entry) === LARGE_ZSET ? large(db, entry).table.size : db.countAt(entry);
}

/** The score of a member; NaN when it is absent. */
export function scoreOf(db: Database, entry: number, bytes: Buffer, start: number, end: number): number {
  if (db.formAt(entry) === LARGE_ZSET) {
    const zset = large(db, entry);
    const row = zset.table.find(bytes, start, end);
    return row < 0 ? Number.NaN : zset.scores[row]!;
  }
  const at = findMember(db, entry, bytes, start, end - start);
  return at < 0 ? Number.NaN : doubleAt(db.packedBytes(entry), at);
}

/**
 * Adds a member or changes its score, as the server does with its encodings: a sorted set that was always within the
 * thresholds does not know -0. Returns whether the member is new.
 */
export function putMember(
  db: Database,
  entry: number,
  bytes: Buffer,
  start: number,
  end: number,
  score: number,
  thresholds: Thresholds,
): boolean {
  const length = end - start;
  if (db.formAt(entry) === LARGE_ZSET) {
    const zset = large(db, entry);
    const row = zset.table.find(bytes, start, end);
    if (row >= 0) {
      if (zset.scores[row] !== score) zset.setScore(row, db.isMarked(entry) ? score : score + 0);
      return false;
    }
    grow(db, entry, zset.table.size + 1, length, thresholds);
    zset.put(bytes, start, end, db.isMarked(entry) ? score : score + 0);
    return true;
  }
  const at = findMember(db, entry, bytes, start, length);
  if (at >= 0) {
    const value = db.packedBytes(entry);
    if (doubleAt(value, at) !== score) writeDouble(value, at, db.isMarked(entry) ? score : score + 0);
    return false;
  }
  const count = db.countAt(entry) + 1;
  grow(db, entry, count, length, thresholds);
  appendMember(db, entry, bytes, start, end, db.isMarked(entry) ? score : score + 0);
  return true;
}

/**
 * Does what the server does with a skiplist that came to stand within the thresholds when it was built: it becomes
 * packed, and its zeros lose their sign.
 */
export function packZset(db: Database, entry: number, thresholds: Thresholds): void {
  if (zsetSize(db, entry) > thresholds.zsetMaxPackedEntries) return;
  const zeros: Buffer[] = [];
  const cursor = new ZsetCursor().open(db, entry);
  while (cursor.next()) {
    if (cursor.member.length > thresholds.zsetMaxPackedValue) return;
    if (Object.is(cursor.score, -0)) zeros.push(cursor.member.copy());
  }
  db.unmark(entry);
  for (const member of zeros) {
    removeMember(db, entry, member, 0, member.length);
    putMember(db, entry, member, 0, member.length, 0, thresholds);
  }
}

/** Removes a member. Returns whether it was there; the sorted set may be empty then. */
export function removeMember(
  db: Database,
  entry: number,
  bytes: Buffer,
  start: number,
  end: number,
): boolean {
  if (db.formAt(entry) === LARGE_ZSET) {
    const zset = large(db, entry);
    const row = zset.table.find(bytes, start, end);
    if (row >= 0) zset.remove(row);
    return row >= 0;
  }
  const at = findMember(db, entry, bytes, start, end - start);
  if (at >= 0) cutPacked(db, entry, at);
  return at >= 0;
}

/** Removes the members whose scores lie between the bounds. Returns how many. */
export function removeByScore(
  db: Database,
  entry: number,
  min: number,
  minExcluded: boolean,
  max: number,
  maxExcluded: boolean,
): number {
  const bytes = db.packedBytes(entry);
  const start = db.packedStart(entry);
  const end = db.packedEnd(entry);
  let to = start;
  let removed = 0;
  for (let at = start; at < end; ) {
    const score = doubleAt(bytes, at);
    const next = nextMember(bytes, at);
    const above = minExcluded ? score > min : score >= min;
    if (above && (maxExcluded ? score < max : score <= max)) {
      removed++;
    } else {
      if (to < at) moveBytes(bytes, at, next, to);
      to += next - at;
    }
    at = next;
  }
  db.resizePacked(entry, to - start);
  db.setCount(entry, db.countAt(entry) - removed);
  return removed;
}

/** Removes the members of ranks `[from, to)`, which are within the sorted set; it may be empty then. */
export function removeRanks(db: Database, entry: number, from: number, to: number): void {
  if (from >= to) return;
  if (db.formAt(entry) === LARGE_ZSET) {
    const zset = large(db, entry);
    for (const row of zset.order.slice(from, to)) zset.remove(row);
    return;
  }
  const count = sortPacked(db, entry);
  if (to - from === 1) {
    cutPacked(db, entry, offsets[from]!);
    return;
  }
  const gone = offsets.slice(from, Math.min(to, count)).sort();
  const bytes = db.packedBytes(entry);
  const start = db.packedStart(entry);
  const end = db.packedEnd(entry);
  let target = start;
  let next = 0;
  for (let at = start; at < end; ) {
    const after = nextMember(bytes, at);
    if (at === gone[next]) {
      next++;
    } else {
      if (target < at) moveBytes(bytes, at, after, target);
      target += after - at;
    }
    at = after;
  }
  db.resizePacked(entry, target - start);
  db.setCount(entry, db.countAt(entry) - gone.length);
}

/** Visits the members of a sorted set in no particular order. The set must not change meanwhile. */
export class ZsetCursor {
  /** The member that `next` came to. */
  readonly member = new ByteSlice();
  score = 0;
  private zset: LargeZset | null = null;
  private bytes: Buffer = NO_BYTES;
  private at = 0;
  private end = 0;

  open(db: Database, entry: number): this {
    if (db.formAt(entry) === LARGE_ZSET) {
      this.zset = large(db, entry);
      this.at = 0;
      this.end = this.zset.table.rowsEnd;
    } else {
      this.zset = null;
      this.bytes = db.packedBytes(entry);
      this.at = db.packedStart(entry);
      this.end = db.packedEnd(entry);
    }
    return this;
  }

  next(): boolean {
    const { zset } = this;
    while (this.at < this.end) {
      if (zset === null) {
        this.score = doubleAt(this.bytes, this.at);
        this.at = loadMember(this.bytes, this.at, this.member);
        return true;
      }
      const row = this.at++;
      if (!zset.table.isLive(row)) continue;
      loadRow(zset.table, row, this.member);
      this.score = zset.scores[row]!;
      return true;
    }
    return false;
  }
}

/** A sorted set in its order. Valid until any sorted set changes or another view is opened. */
export class ZsetView {
  /** What `seek` came to. */
  readonly member = new ByteSlice();
  score = 0;
  size = 0;
  private zset: LargeZset | null = null;
  private bytes: Buffer = NO_BYTES;
  private rows: Int32Array = NO_ROWS;
  private rowsFrom = 0;

  open(db: Database, entry: number): this {
    this.size = zsetSize(db, entry);
    this.rows = NO_ROWS;
    if (db.formAt(entry) === LARGE_ZSET) {
      this.zset = large(db, entry);
    } else {
      this.zset = null;
      this.bytes = db.packedBytes(entry);
      sortPacked(db, entry);
    }
    return this;
  }

  /** Announces that ranks `[from, to)` will be sought. */
  select(from: number, to: number): void {
    if (this.zset === null) return;
    this.rows = this.zset.order.slice(from, to);
    this.rowsFrom = from;
  }

  /** Sets `member` and `score` to those of a rank that was selected. */
  seek(rank: number): void {
    if (this.zset === null) this.load(offsets[rank]!);
    else this.loadRow(this.zset, this.rows[rank - this.rowsFrom]!);
  }

  /** The first rank whose member satisfies `isAbove`, given that all after it do; the size when there is none. */
  firstAbove(isAbove: (view: ZsetView) => boolean): number {
    const { zset } = this;
    if (zset !== null) {
      return zset.order.firstAbove((row) => {
        this.loadRow(zset, row);
        return isAbove(this);
      });
    }
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      this.load(offsets[middle]!);
      if (isAbove(this)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private load(at: number): void {
    this.score = doubleAt(this.bytes, at);
    loadMember(this.bytes, at, this.member);
  }

  private loadRow(zset: LargeZset, row: number): void {
    this.score = zset.scores[row]!;
    loadRow(zset.table, row, this.member);
  }
}

const NO_BYTES = Buffer.alloc(0);
const NO_ROWS = new Int32Array(0);

/** Positions of the packed members in order, as `sortPacked` left them. */
const offsets = new Int32Array(ZSET_LIMITS.count);
const sortScores = new Float64Array(ZSET_LIMITS.count);
const left = new ByteSlice();
const right = new ByteSlice();

/** Fills `offsets`; returns the number of members. Insertion: members mostly arrive in order, and there are few. */
function sortPacked(db: Database, entry: number): number {
  const bytes = db.packedBytes(entry);
  const end = db.packedEnd(entry);
  let count = 0;
  for (let at = db.packedStart(entry); at < end; at = nextMember(bytes, at)) {
    const score = doubleAt(bytes, at);
    let place = count++;
    while (place > 0) {
      const before = sortScores[place - 1]!;
      if (before < score || (before === score && !isMemberAfter(bytes, offsets[place - 1]!, at))) break;
      sortScores[place] = before;
      offsets[place] = offsets[place - 1]!;
      place--;
    }
    sortScores[place] = score;
    offsets[place] = at;
  }
  return count;
}

/** True when the member at `a` follows the member at `b` in byte order. */
function isMemberAfter(bytes: Buffer, a: number, b: number): boolean {
  loadMember(bytes, a, left);
  loadMember(bytes, b, right);
  return bytes.compare(bytes, right.start, right.end, left.start, left.end) > 0;
}

function nextMember(bytes: Buffer, at: number): number {
  const length = lengthAt(bytes, at + DOUBLE_SIZE);
  return at + DOUBLE_SIZE + headerSize(length) + length;
}

/** Sets `into` to the member at a position; returns the position of the next. */
function loadMember(bytes: Buffer, at: number, into: ByteSlice): number {
  const length = lengthAt(bytes, at + DOUBLE_SIZE);
  const start = at + DOUBLE_SIZE + headerSize(length);
  into.set(bytes, start, start + length);
  return start + length;
}

function loadRow(table: ByteTable, row: number, into: ByteSlice): void {
  into.set(table.bytesAt(row), table.keyStart(row), table.keyEnd(row));
}

function findMember(db: Database, entry: number, bytes: Buffer, start: number, length: number): number {
  const value = db.packedBytes(entry);
  const end = db.packedEnd(entry);
  for (let at = db.packedStart(entry); at < end; ) {
    const size = lengthAt(value, at + DOUBLE_SIZE);
    const from = at + DOUBLE_SIZE + headerSize(size);
    if (size === length && equalBytes(value, from, bytes, start, length)) return at;
    at = from + size;
  }
  return -1;
}

function cutPacked(db: Database, entry: number, at: number): void {
  const bytes = db.packedBytes(entry);
  const next = nextMember(bytes, at);
  moveBytes(bytes, next, db.packedEnd(entry), at);
  db.resizePacked(entry, db.packedLength(entry) - (next - at));
  db.setCount(entry, db.countAt(entry) - 1);
}

/** Marks a sorted set that the server turns into a skiplist before it takes a member of that length as number `count`. */
function grow(db: Database, entry: number, count: number, length: number, thresholds: Thresholds): void {
  if (count > thresholds.zsetMaxPackedEntries || length > thresholds.zsetMaxPackedValue) db.mark(entry);
}

function appendMember(
  db: Database,
  entry: number,
  bytes: Buffer,
  start: number,
  end: number,
  score: number,
): void {
  const length = end - start;
  const used = db.packedLength(entry);
  const grown = used + DOUBLE_SIZE + headerSize(length) + length;
  const count = db.countAt(entry) + 1;
  if (count > ZSET_LIMITS.count || (grown > ZSET_LIMITS.bytes && count > 1)) {
    unpack(db, entry).put(bytes, start, end, score);
    return;
  }
  db.resizePacked(entry, grown);
  const into = db.packedBytes(entry);
  const at = db.packedStart(entry) + used;
  writeDouble(into, at, score);
  db.write(entry, writeLength(into, at + DOUBLE_SIZE, length), bytes, start, end);
  db.setCount(entry, count);
}

function unpack(db: Database, entry: number): LargeZset {
  const zset = new LargeZset(db.arena, db.countAt(entry) * 2);
  const cursor = new ZsetCursor().open(db, entry);
  const { member } = cursor;
  while (cursor.next()) zset.put(member.bytes, member.start, member.end, cursor.score);
  db.setObject(entry, LARGE_ZSET, zset);
  return zset;
}
