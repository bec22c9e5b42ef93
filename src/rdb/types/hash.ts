import { signedLong } from '../../bytes/int64.js';
import { NEED, type Progress } from '../../bytes/window.js';
import { FormatError } from '../../errors.js';
import { COUNT_INSIDE, type ItemOutput, type TypeCodec, type ValueWalk } from '../codec.js';
import { FIELD_EXPIRY_MAX } from '../constants.js';
import { type Cursor, SHORT, wordAt } from '../cursor.js';
import type { PackedEntry } from '../packed/entry.js';
import { BYTES_8, END_LOOP, LENGTH, LOOP, STRING } from '../skim.js';
import { counted, readCount, readItems } from './counted.js';
import { listpackOf, type PackedReader, packed, ziplistOf } from './packed-value.js';

/** A field that never expires, as `field` events say it. */
const NEVER = -1;

const common = { kind: 'hash', unit: 'field', neverEmpty: true } as const;

export const hash: TypeCodec = {
  ...common,
  encoding: 'hashtable',
  layout: [LOOP, STRING, STRING, END_LOOP],
  countAt: 0,
  decode: counted(readField),
};

export const hashZipmap: TypeCodec = {
  ...common,
  encoding: 'zipmap',
  layout: [STRING],
  countAt: COUNT_INSIDE,
  decode: packed(readZipmap),
};

export const hashZiplist: TypeCodec = {
  ...common,
  encoding: 'ziplist',
  layout: [STRING],
  countAt: COUNT_INSIDE,
  decode: packed((walk, out) => readPairs(ziplistOf(walk), walk, out)),
};

export const hashListpack: TypeCodec = {
  ...common,
  encoding: 'listpack',
  layout: [STRING],
  countAt: COUNT_INSIDE,
  decode: packed((walk, out) => readPairs(listpackOf(walk), walk, out)),
};

/** Fields with times of expiry, each relative to the smallest of them, which comes first. */
export const hashMetadata: TypeCodec = {
  ...common,
  fieldsExpire: true,
  encoding: 'hashtable',
  layout: [BYTES_8, LOOP, LENGTH, STRING, STRING, END_LOOP],
  countAt: 8,
  decode: decodeMetadata,
  resume(walk, { smallestExpiry }) {
    walk.smallestExpiry = smallestExpiry;
    walk.step = 2;
  },
};

/** As `hashMetadata`, from release candidates of 7.4: times are absolute and nothing comes before the count. */
export const hashMetadataPreGa: TypeCodec = {
  ...common,
  fieldsExpire: true,
  encoding: 'hashtable',
  layout: [LOOP, LENGTH, STRING, STRING, END_LOOP],
  countAt: 0,
  decode: counted((walk, cursor, out) => readExpiringField(walk, cursor, out, 1)),
};

/** As Valkey has it since 9.0: each field with its value and then its time, -1 for none. */
export const valkeyHash2: TypeCodec = {
  ...common,
  fieldsExpire: true,
  encoding: 'hashtable',
  layout: [LOOP, STRING, STRING, BYTES_8, END_LOOP],
  countAt: 0,
  decode: counted(readFieldAndTime),
};

/** A listpack of field, value and time, after the smallest time, which no loader looks at. */
export const hashListpackEx: TypeCodec = {
  ...common,
  fieldsExpire: true,
  encoding: 'listpackex',
  layout: [BYTES_8, STRING],
  countAt: COUNT_INSIDE,
  decode(walk, cursor, out) {
    if (walk.step === 0) {
      const at = cursor.position + 8;
      if (at > cursor.end) {
        cursor.short(at);
        return NEED;
      }
      cursor.position = at;
      walk.step = 1;
    }
    return decodeTriples(walk, cursor, out);
  },
};

/** As `hashListpackEx`, from release candidates of 7.4: nothing comes before the listpack. */
export const hashListpackExPreGa: TypeCodec = {
  ...common,
  fieldsExpire: true,
  encoding: 'listpackex',
  layout: [STRING],
  countAt: COUNT_INSIDE,
  decode: packed(readTriples),
};

const decodeTriples = packed(readTriples);

/** A field and its value. */
export function readField(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  return readNameAndValue(walk, cursor, cursor.position, out, NEVER);
}

function readNameAndValue(
  walk: ValueWalk,
  cursor: Cursor,
  start: number,
  out: ItemOutput,
  expiresAtMs: number,
): number {
  const { text, other } = walk;
  const middle = text.read(cursor, start);
  if (middle === SHORT) return SHORT;
  const at = other.read(cursor, middle);
  if (at === SHORT) return SHORT;
  report(walk, out, expiresAtMs);
  return at;
}

/** Hands over the field in `walk.text` with the value in `walk.other`. */
function report(walk: ValueWalk, out: ItemOutput, expiresAtMs: number): void {
  const { text, other } = walk;
  if (!walk.isNew(text.slice)) throw new FormatError('rdb/duplicate-member', text.offset);
  walk.items++;
  out.field(text.slice, other.slice, expiresAtMs);
}

function decodeMetadata(walk: ValueWalk, cursor: Cursor, out: ItemOutput): Progress {
  if (walk.step === 0) {
    const at = cursor.position;
    if (at + 8 > cursor.end) {
      cursor.short(at + 8);
      return NEED;
    }
    const smallest = cursor.bytes.readUInt32LE(at) + cursor.bytes.readUInt32LE(at + 4) * 4294967296;
    if (smallest > FIELD_EXPIRY_MAX) {
      throw new FormatError('rdb/bad-field-expiry', cursor.offsetOf(at), { expiresAtMs: smallest });
    }
    walk.smallestExpiry = smallest;
    cursor.position = at + 8;
    walk.step = 1;
  }
  if (walk.step === 1 && !readCount(walk, cursor, 2)) return NEED;
  return readItems(walk, cursor, out, readRelativeField);
}

function readRelativeField(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  return readExpiringField(walk, cursor, out, walk.smallestExpiry);
}

/** A time, a field and its value. Time 0: never expires; else it counts from `origin` with 1. */
function readExpiringField(walk: ValueWalk, cursor: Cursor, out: ItemOutput, origin: number): number {
  const start = cursor.length(cursor.position);
  if (start === SHORT) return SHORT;
  const expiresAtMs = cursor.value === 0 ? NEVER : origin + cursor.value - 1;
  if (expiresAtMs > FIELD_EXPIRY_MAX) {
    throw new FormatError('rdb/bad-field-expiry', cursor.offsetOf(cursor.position), { expiresAtMs });
  }
  return readNameAndValue(walk, cursor, start, out, expiresAtMs);
}

function readFieldAndTime(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const middle = walk.text.read(cursor, cursor.position);
  if (middle === SHORT) return SHORT;
  const timeAt = walk.other.read(cursor, middle);
  if (timeAt === SHORT) return SHORT;
  const at = timeAt + 8;
  if (at > cursor.end) return cursor.short(at);
  const time = signedLong(wordAt(cursor.bytes, timeAt + 4), wordAt(cursor.bytes, timeAt));
  // Valkey takes any time from -1 on; one beyond 2^53 is of no use to anyone, and would not be exact here.
  if (typeof time === 'bigint' || time < NEVER) {
    throw new FormatError('rdb/bad-field-expiry', cursor.offsetOf(timeAt), { expiresAtMs: String(time) });
  }
  report(walk, out, time);
  return at;
}

function readZipmap(walk: ValueWalk, out: ItemOutput): void {
  const { zipmap, entry, entry2 } = walk;
  zipmap.open(walk.text);
  while (zipmap.next(entry, entry2)) {
    if (!walk.isNew(entry.slice)) throw zipmap.lastError('rdb/duplicate-member', {});
    walk.items++;
    out.field(entry.slice, entry2.slice, NEVER);
  }
}

function readPairs(reader: PackedReader, walk: ValueWalk, out: ItemOutput): void {
  const { entry, entry2 } = walk;
  reader.open(walk.text);
  while (reader.next(entry)) {
    const name = entry.text();
    if (!walk.isNew(name)) throw reader.lastError('rdb/duplicate-member', {});
    if (!reader.next(entry2)) throw reader.lastError(reader.code, { reason: 'field-without-value' });
    walk.items++;
    out.field(name, entry2.text(), NEVER);
  }
}

function readTriples(walk: ValueWalk, out: ItemOutput): void {
  const { listpack, entry, entry2, entry3 } = walk;
  let previous = 0;
  listpack.open(walk.text);
  while (listpack.next(entry)) {
    const name = entry.text();
    if (!walk.isNew(name)) throw listpack.lastError('rdb/duplicate-member', {});
    if (!listpack.next(entry2)) throw listpack.lastError(listpack.code, { reason: 'field-without-value' });
    if (!listpack.next(entry3)) throw listpack.lastError(listpack.code, { reason: 'field-without-expiry' });
    const time = fieldTime(walk, entry3);
    // Fields that never expire come last, the others in the order they expire.
    const rank = time === 0 ? Number.POSITIVE_INFINITY : time;
    if (rank < previous) throw listpack.lastError('rdb/bad-field-expiry', { reason: 'not-ascending', time });
    previous = rank;
    walk.items++;
    out.field(name, entry2.text(), time === 0 ? NEVER : time);
  }
}

function fieldTime(walk: ValueWalk, entry: PackedEntry): number {
  if (!entry.integer) throw walk.listpack.lastError('rdb/bad-field-expiry', { reason: 'not-an-integer' });
  const time = entry.value;
  if (time >= 0 && time <= FIELD_EXPIRY_MAX) return time;
  throw walk.listpack.lastError('rdb/bad-field-expiry', { reason: 'out-of-range', time });
}
