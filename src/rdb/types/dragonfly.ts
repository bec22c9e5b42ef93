import { FormatError } from '../../errors.js';
import { COUNT_INSIDE, type ItemOutput, type TypeCodec, type ValueWalk } from '../codec.js';
import { type Cursor, SHORT } from '../cursor.js';
import { BYTES_8, CHUNKS, END_LOOP, LENGTH, LOOP, MATRIX, STRING } from '../skim.js';
import type { TextReader } from '../text.js';
import { counted } from './counted.js';

// Known from the source of Dragonfly alone: no file of a real one has been read.

/** Times of fields and members count seconds from here: 2023-02-01 00:00:00 UTC. */
const EXPIRY_BASE_SECONDS = 1675209600;
const NEVER = -1;

/** Kinds that only Dragonfly has, kept and passed on as they stand. */
const opaque = {
  kind: 'module',
  unit: 'field',
  countAt: COUNT_INSIDE,
  neverEmpty: false,
  decode: null,
} as const;

/** A document as JSON text. */
export const json: TypeCodec = { ...opaque, encoding: 'json', layout: [STRING] };

const FILTER = [LENGTH, BYTES_8, BYTES_8, LENGTH, LENGTH, LENGTH, LOOP, LENGTH] as const;
export const bloomFilter: TypeCodec = {
  ...opaque,
  encoding: 'sbf',
  layout: [...FILTER, STRING, END_LOOP],
};
/** As `bloomFilter`, its bits in chunks. */
export const bloomFilterInChunks: TypeCodec = {
  ...opaque,
  encoding: 'sbf',
  layout: [...FILTER, CHUNKS, END_LOOP],
};
export const countMinSketch: TypeCodec = { ...opaque, encoding: 'cms', layout: [MATRIX] };
export const topK: TypeCodec = {
  ...opaque,
  encoding: 'topk',
  layout: [LENGTH, LENGTH, LENGTH, LENGTH, BYTES_8, LOOP, STRING, LENGTH, END_LOOP, STRING],
};
export const cuckooFilter: TypeCodec = {
  ...opaque,
  encoding: 'cuckoo',
  layout: [LENGTH, LENGTH, LENGTH, LENGTH, LENGTH, LENGTH, LOOP, CHUNKS, END_LOOP],
};

/** Field, value and time, each a string. */
export const hashWithExpiry: TypeCodec = {
  kind: 'hash',
  unit: 'field',
  neverEmpty: true,
  fieldsExpire: true,
  encoding: 'hashtable',
  layout: [LOOP, STRING, STRING, STRING, END_LOOP],
  countAt: 0,
  decode: counted(readField),
};

/** Member and time. The times are read past: sets of other servers have none. */
export const setWithExpiry: TypeCodec = {
  kind: 'set',
  unit: 'member',
  neverEmpty: true,
  encoding: 'hashtable',
  layout: [LOOP, STRING, STRING, END_LOOP],
  countAt: 0,
  decode: counted(readMember),
};

function readField(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const { text, other } = walk;
  // Both readers are needed for what is told last: so the time is read ahead, and the value once more.
  const valueAt = text.read(cursor, cursor.position);
  if (valueAt === SHORT) return SHORT;
  const timeAt = other.read(cursor, valueAt);
  if (timeAt === SHORT) return SHORT;
  const at = other.read(cursor, timeAt);
  if (at === SHORT) return SHORT;
  const expiresAtMs = expiryOf(other);
  if (!walk.isNew(text.slice)) throw new FormatError('rdb/duplicate-member', text.offset);
  other.read(cursor, valueAt);
  walk.items++;
  out.field(text.slice, other.slice, expiresAtMs);
  return at;
}

function readMember(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const { text, other } = walk;
  const timeAt = text.read(cursor, cursor.position);
  if (timeAt === SHORT) return SHORT;
  const at = other.read(cursor, timeAt);
  if (at === SHORT) return SHORT;
  expiryOf(other);
  if (!walk.isNew(text.slice)) throw new FormatError('rdb/duplicate-member', text.offset);
  walk.items++;
  out.element(text.slice);
  return at;
}

/** Milliseconds since the epoch, or NEVER. @throws FormatError when the text is no time */
function expiryOf({ slice, offset }: TextReader): number {
  const text = slice.length <= 11 ? slice.latin1() : '';
  if (text === '-1') return NEVER;
  if (!/^\d{1,10}$/.test(text)) throw new FormatError('rdb/bad-field-expiry', offset, { found: text });
  return (Number(text) + EXPIRY_BASE_SECONDS) * 1000;
}
