import { FormatError } from '../../errors.js';
import { parseDouble } from '../../kernels/doubles.js';
import { COUNT_INSIDE, type ItemOutput, type TypeCodec, type ValueWalk } from '../codec.js';
import { type Cursor, SHORT } from '../cursor.js';
import type { PackedEntry } from '../packed/entry.js';
import { BYTES_8, END_LOOP, LOOP, STRING, TEXT_DOUBLE } from '../skim.js';
import { counted } from './counted.js';
import { listpackOf, type PackedReader, packed, ziplistOf } from './packed-value.js';

const common = { kind: 'zset', unit: 'member', neverEmpty: true } as const;

/** Scores as text: up to Redis 3.2. */
export const zset: TypeCodec = {
  ...common,
  encoding: 'skiplist',
  layout: [LOOP, STRING, TEXT_DOUBLE, END_LOOP],
  countAt: 0,
  decode: counted(readTextScored),
};

/** Scores in binary. */
export const zset2: TypeCodec = {
  ...common,
  encoding: 'skiplist',
  layout: [LOOP, STRING, BYTES_8, END_LOOP],
  countAt: 0,
  decode: counted(readScored),
};

export const zsetZiplist: TypeCodec = {
  ...common,
  encoding: 'ziplist',
  layout: [STRING],
  countAt: COUNT_INSIDE,
  decode: packed((walk, out) => readPacked(ziplistOf(walk), walk, out)),
};

export const zsetListpack: TypeCodec = {
  ...common,
  encoding: 'listpack',
  layout: [STRING],
  countAt: COUNT_INSIDE,
  decode: packed((walk, out) => readPacked(listpackOf(walk), walk, out)),
};

/** Length bytes of a text double that stand for a value of their own. */
const TEXT_NAN = 253;
const TEXT_INFINITY = 254;
const TEXT_MINUS_INFINITY = 255;

function readScored(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const middle = walk.text.read(cursor, cursor.position);
  if (middle === SHORT) return SHORT;
  const at = middle + 8;
  if (at > cursor.end) return cursor.short(at);
  const score = cursor.bytes.readDoubleLE(middle);
  report(walk, cursor, middle, score, out);
  return at;
}

function readTextScored(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const middle = walk.text.read(cursor, cursor.position);
  if (middle === SHORT) return SHORT;
  if (middle >= cursor.end) return cursor.short(middle + 1);
  const length = cursor.bytes[middle]!;
  const at = middle + 1 + (length < TEXT_NAN ? length : 0);
  if (at > cursor.end) return cursor.short(at);
  report(walk, cursor, middle, textScore(cursor, middle, length), out);
  return at;
}

function textScore(cursor: Cursor, at: number, length: number): number {
  if (length === TEXT_INFINITY) return Number.POSITIVE_INFINITY;
  if (length === TEXT_MINUS_INFINITY) return Number.NEGATIVE_INFINITY;
  if (length === TEXT_NAN) return Number.NaN;
  return parseDouble(cursor.bytes, at + 1, at + 1 + length);
}

/** Hands over the member in `walk.text` with the score that stands at `scoreAt`. */
function report(walk: ValueWalk, cursor: Cursor, scoreAt: number, score: number, out: ItemOutput): void {
  const { slice, offset } = walk.text;
  if (Number.isNaN(score)) throw new FormatError('rdb/bad-double', cursor.offsetOf(scoreAt));
  if (!walk.isNew(slice)) throw new FormatError('rdb/duplicate-member', offset);
  walk.items++;
  out.member(slice, score);
}

function readPacked(reader: PackedReader, walk: ValueWalk, out: ItemOutput): void {
  const { entry, entry2 } = walk;
  let previous = Number.NEGATIVE_INFINITY;
  reader.open(walk.text);
  while (reader.next(entry)) {
    const member = entry.text();
    if (!walk.isNew(member)) throw reader.lastError('rdb/duplicate-member', {});
    if (!reader.next(entry2)) throw reader.lastError(reader.code, { reason: 'member-without-score' });
    const score = scoreOf(entry2);
    if (Number.isNaN(score)) throw reader.lastError('rdb/bad-double', {});
    if (walk.deep && score < previous) throw reader.lastError(reader.code, { reason: 'not-ascending' });
    previous = score;
    walk.items++;
    out.member(member, score);
  }
}

function scoreOf(entry: PackedEntry): number {
  if (entry.integer) return entry.value;
  const { bytes, start, end } = entry.slice;
  return parseDouble(bytes, start, end);
}
