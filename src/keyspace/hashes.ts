import { ByteSlice } from '../bytes/slice.js';
import { copyBytes, equalBytes } from './bytes.js';
import type { Database } from './database.js';
import { LARGE_HASH, PACKED_TTL_HASH } from './forms.js';
import { LargeHash, NEVER } from './large-hash.js';
import {
  DOUBLE_SIZE,
  doubleAt,
  headerSize,
  lengthAt,
  moveBytes,
  writeDouble,
  writeLength,
} from './packed.js';

export { NEVER };

/** A hash beyond either is held as a table. */
export const HASH_LIMITS = { count: 256, bytes: 4096 } as const;

function large(db: Database, entry: number): LargeHash {
  return db.objectAt(entry) as LargeHash;
}

export function hashSize(db: Database, entry: number): number {
  return db.formAt(entry) === LARGE_HASH ? large(db, entry).table.size : db.countAt(entry);
}

/** True when a field has, or once had, an expiry. */
export function hasFieldExpiries(db: Database, entry: number): boolean {
  const form = db.formAt(entry);
  return form === LARGE_HASH ? large(db, entry).hasExpiries : form === PACKED_TTL_HASH;
}

/** A place of a field: the row of a large hash, or where its pair stands in the chunk of a packed one. -1: absent. */
export type FieldPlace = number;

export function findField(db: Database, entry: number, name: Buffer, start: number, end: number): FieldPlace {
  if (db.formAt(entry) === LARGE_HASH) return large(db, entry).table.find(name, start, end);
  const extra = db.formAt(entry) === PACKED_TTL_HASH ? DOUBLE_SIZE : 0;
  const length = end - start;
  const value = db.packedBytes(entry);
  const valueEnd = db.packedEnd(entry);
  for (let at = db.packedStart(entry); at < valueEnd; ) {
    const size = lengthAt(value, at);
    const from = at + headerSize(size);
    if (size === length && equalBytes(value, from, name, start, length)) return at;
    const next = from + size;
    const rest = lengthAt(value, next);
    at = next + headerSize(rest) + rest + extra;
  }
  return -1;
}

/** Sets `into` to the value of the field at a place. */
export function fieldValue(db: Database, entry: number, place: FieldPlace, into: ByteSlice): ByteSlice {
  if (db.formAt(entry) === LARGE_HASH) {
    const { table } = large(db, entry);
    return into.set(table.bytesAt(place), table.keyEnd(place), table.valueEnd(place));
  }
  const bytes = db.packedBytes(entry);
  const nameSize = lengthAt(bytes, place);
  const at = place + headerSize(nameSize) + nameSize;
  const size = lengthAt(bytes, at);
  const start = at + headerSize(size);
  return into.set(bytes, start, start + size);
}

/** Milliseconds since the epoch, or NEVER. */
export function fieldExpiry(db: Database, entry: number, place: FieldPlace): number {
  const form = db.formAt(entry);
  if (form === LARGE_HASH) return large(db, entry).expiryAt(place);
  if (form !== PACKED_TTL_HASH) return NEVER;
  const bytes = db.packedBytes(entry);
  return doubleAt(bytes, packedNext(bytes, place));
}

/** Sets the expiry of an existing field; NEVER takes it away. */
export function setFieldExpiry(
  db: Database,
  entry: number,
  name: Buffer,
  start: number,
  end: number,
  expiresAtMs: number,
): void {
  const form = db.formAt(entry);
  if (form === LARGE_HASH) {
    const hash = large(db, entry);
    hash.setExpiry(hash.table.find(name, start, end), expiresAtMs);
    return;
  }
  if (form !== PACKED_TTL_HASH) {
    if (expiresAtMs === NEVER) return;
    makeRoomForExpiries(db, entry);
    if (db.formAt(entry) === LARGE_HASH) {
      setFieldExpiry(db, entry, name, start, end, expiresAtMs);
      return;
    }
  }
  const bytes = db.packedBytes(entry);
  writeDouble(bytes, packedNext(bytes, findField(db, entry, name, start, end)), expiresAtMs);
}

/**
 * Sets a field. Its expiry goes unless `keepExpiry`. The value must not stand in the same hash. Returns whether the
 * field is new.
 */
export function putField(
  db: Database,
  entry: number,
  name: Buffer,
  start: number,
  end: number,
  value: Buffer,
  valueStart: number,
  valueEnd: number,
  keepExpiry = false,
): boolean {
  const place = findField(db, entry, name, start, end);
  putFieldAt(db, entry, place, name, start, end, value, valueStart, valueEnd, keepExpiry);
  return place < 0;
}

/** Like putField, for a field that `findField` just found at a place, or did not find. */
export function putFieldAt(
  db: Database,
  entry: number,
  place: FieldPlace,
  name: Buffer,
  start: number,
  end: number,
  value: Buffer,
  valueStart: number,
  valueEnd: number,
  keepExpiry: boolean,
): void {
  if (db.formAt(entry) === LARGE_HASH) {
    const hash = large(db, entry);
    if (place < 0) {
      hash.put(name, start, end, value, valueStart, valueEnd);
    } else {
      hash.setValue(place, value, valueStart, valueEnd);
      if (!keepExpiry) hash.setExpiry(place, NEVER);
    }
    return;
  }
  if (place < 0) {
    appendField(db, entry, name, start, end, value, valueStart, valueEnd);
    return;
  }
  if (!replaceValue(db, entry, place, value, valueStart, valueEnd)) {
    unpack(db, entry);
    putField(db, entry, name, start, end, value, valueStart, valueEnd, keepExpiry);
    return;
  }
  if (!keepExpiry && db.formAt(entry) === PACKED_TTL_HASH) setFieldExpiry(db, entry, name, start, end, NEVER);
}

/** Removes a field. Returns whether it was there; the hash may be empty then. */
export function removeField(db: Database, entry: number, name: Buffer, start: number, end: number): boolean {
  const place = findField(db, entry, name, start, end);
  if (place < 0) return false;
  if (db.formAt(entry) === LARGE_HASH) {
    large(db, entry).table.remove(place);
    return true;
  }
  const bytes = db.packedBytes(entry);
  const next = packedNext(bytes, place) + (db.formAt(entry) === PACKED_TTL_HASH ? DOUBLE_SIZE : 0);
  moveBytes(bytes, next, db.packedEnd(entry), place);
  db.resizePacked(entry, db.packedLength(entry) - (next - place));
  db.setCount(entry, db.countAt(entry) - 1);
  return true;
}

/** Visits the fields of a hash. The hash must not change meanwhile. */
export class HashCursor {
  /** The field that `next` came to. */
  readonly name = new ByteSlice();
  readonly value = new ByteSlice();
  /** NEVER: none. */
  expiresAtMs = NEVER;
  private hash: LargeHash | null = null;
  private bytes: Buffer = NO_BYTES;
  private at = 0;
  private end = 0;
  private hasExpiries = false;

  open(db: Database, entry: number): this {
    this.expiresAtMs = NEVER;
    this.hasExpiries = db.formAt(entry) === PACKED_TTL_HASH;
    if (db.formAt(entry) === LARGE_HASH) {
      this.hash = large(db, entry);
      this.at = 0;
      this.end = this.hash.table.rowsEnd;
    } else {
      this.hash = null;
      this.bytes = db.packedBytes(entry);
      this.at = db.packedStart(entry);
      this.end = db.packedEnd(entry);
    }
    return this;
  }

  next(): boolean {
    if (this.hash !== null) return this.nextRow(this.hash);
    const { bytes } = this;
    if (this.at >= this.end) return false;
    const nameSize = lengthAt(bytes, this.at);
    const nameStart = this.at + headerSize(nameSize);
    this.name.set(bytes, nameStart, nameStart + nameSize);
    const size = lengthAt(bytes, nameStart + nameSize);
    const start = nameStart + nameSize + headerSize(size);
    this.value.set(bytes, start, start + size);
    this.at = start + size;
    if (this.hasExpiries) {
      this.expiresAtMs = doubleAt(bytes, this.at);
      this.at += DOUBLE_SIZE;
    }
    return true;
  }

  private nextRow(hash: LargeHash): boolean {
    const { table } = hash;
    while (this.at < this.end) {
      const row = this.at++;
      if (!table.isLive(row)) continue;
      const bytes = table.bytesAt(row);
      const nameEnd = table.keyEnd(row);
      this.name.set(bytes, table.keyStart(row), nameEnd);
      this.value.set(bytes, nameEnd, table.valueEnd(row));
      this.expiresAtMs = hash.expiryAt(row);
      return true;
    }
    return false;
  }
}

const NO_BYTES = Buffer.alloc(0);

/** The position behind the name and value that stand at `place`. */
function packedNext(bytes: Buffer, place: number): number {
  const nameSize = lengthAt(bytes, place);
  const at = place + headerSize(nameSize) + nameSize;
  const size = lengthAt(bytes, at);
  return at + headerSize(size) + size;
}

function appendField(
  db: Database,
  entry: number,
  name: Buffer,
  start: number,
  end: number,
  value: Buffer,
  valueStart: number,
  valueEnd: number,
): void {
  const hasExpiries = db.formAt(entry) === PACKED_TTL_HASH;
  const nameSize = end - start;
  const size = valueEnd - valueStart;
  const used = db.packedLength(entry);
  const pair = headerSize(nameSize) + nameSize + headerSize(size) + size + (hasExpiries ? DOUBLE_SIZE : 0);
  const count = db.countAt(entry) + 1;
  if (count > HASH_LIMITS.count || (used + pair > HASH_LIMITS.bytes && count > 1)) {
    unpack(db, entry);
    large(db, entry).put(name, start, end, value, valueStart, valueEnd);
    return;
  }
  db.resizePacked(entry, used + pair);
  const into = db.packedBytes(entry);
  let at = writeLength(into, db.packedStart(entry) + used, nameSize);
  db.write(entry, at, name, start, end);
  at = writeLength(into, at + nameSize, size);
  db.write(entry, at, value, valueStart, valueEnd);
  if (hasExpiries) writeDouble(into, at + size, NEVER);
  db.setCount(entry, count);
}

/** False when the hash would become too large for the packed form; nothing has changed then. */
function replaceValue(
  db: Database,
  entry: number,
  place: FieldPlace,
  value: Buffer,
  valueStart: number,
  valueEnd: number,
): boolean {
  const size = valueEnd - valueStart;
  let bytes = db.packedBytes(entry);
  const nameSize = lengthAt(bytes, place);
  const at = place + headerSize(nameSize) + nameSize;
  const oldSize = lengthAt(bytes, at);
  if (size === oldSize) {
    db.write(entry, at + headerSize(size), value, valueStart, valueEnd);
    return true;
  }
  const packedStart = db.packedStart(entry);
  const used = db.packedLength(entry);
  const offset = at - packedStart;
  const oldNext = offset + headerSize(oldSize) + oldSize;
  const newNext = offset + headerSize(size) + size;
  if (newNext > oldNext && used + newNext - oldNext > HASH_LIMITS.bytes && db.countAt(entry) > 1)
    return false;
  // Shrinking moves the tail before the record may be cut, growing after it has got its room.
  if (newNext < oldNext) moveBytes(bytes, packedStart + oldNext, packedStart + used, packedStart + newNext);
  db.resizePacked(entry, used + newNext - oldNext);
  bytes = db.packedBytes(entry);
  const from = db.packedStart(entry);
  if (newNext > oldNext) moveBytes(bytes, from + oldNext, from + used, from + newNext);
  db.write(entry, writeLength(bytes, from + offset, size), value, valueStart, valueEnd);
  return true;
}

/** Rewrites a packed hash with an expiry behind each pair. */
function makeRoomForExpiries(db: Database, entry: number): void {
  const used = db.packedLength(entry);
  const grown = used + db.countAt(entry) * DOUBLE_SIZE;
  if (grown > HASH_LIMITS.bytes) {
    unpack(db, entry);
    return;
  }
  const start = db.packedStart(entry);
  const old = Buffer.from(db.packedBytes(entry).subarray(start, start + used));
  db.resizePacked(entry, grown);
  const into = db.packedBytes(entry);
  let to = db.packedStart(entry);
  for (let at = 0; at < used; ) {
    const next = packedNext(old, at);
    copyBytes(old, at, next, into, to);
    writeDouble(into, to + next - at, NEVER);
    to += next - at + DOUBLE_SIZE;
    at = next;
  }
  db.setForm(entry, PACKED_TTL_HASH);
}

function unpack(db: Database, entry: number): void {
  const hash = new LargeHash(db.arena, db.countAt(entry) * 2);
  const cursor = new HashCursor().open(db, entry);
  while (cursor.next()) {
    const { name, value } = cursor;
    const row = hash.put(name.bytes, name.start, name.end, value.bytes, value.start, value.end);
    if (cursor.expiresAtMs !== NEVER) hash.setExpiry(~row, cursor.expiresAtMs);
  }
  db.setObject(entry, LARGE_HASH, hash);
}
