import type { Long } from '../../bytes/int64.js';
import { ByteSlice } from '../../bytes/slice.js';
import { NEED, type Progress } from '../../bytes/window.js';
import { type ErrorDetail, FormatError } from '../../errors.js';
import { writeInt64 } from '../../kernels/decimal.js';
import {
  ARRAY_DOUBLE,
  ARRAY_DOUBLE_TEXT_MAX,
  ARRAY_INTEGER,
  ARRAY_SHORT_TEXT,
  ARRAY_SHORT_TEXT_MAX,
  ARRAY_TEXT,
  writeArrayDouble,
} from '../array-value.js';
import type { ItemOutput, TypeCodec, ValueWalk } from '../codec.js';
import { type Cursor, SHORT, wordAt } from '../cursor.js';
import { COUNT, END_LOOP, LENGTH, OPTIONAL_LENGTH, REPEAT, TAGGED } from '../skim.js';
import { readCount, readItems } from './counted.js';

/** Elements by index, with gaps: Redis 8.8. */
export const array: TypeCodec = {
  kind: 'array',
  encoding: 'sliced-array',
  unit: 'element',
  layout: [COUNT, OPTIONAL_LENGTH, REPEAT, LENGTH, TAGGED, END_LOOP],
  countAt: 0,
  neverEmpty: true,
  decode(walk, cursor, out): Progress {
    if (walk.step === 0 && !readCount(walk, cursor, 1)) return NEED;
    if (walk.step === 1) {
      if (!readInserted(walk, cursor, out)) return NEED;
      walk.previous = -1;
      walk.step = 2;
    }
    return readItems(walk, cursor, out, readElement);
  },
};

/** No index is this one: it stands for none. */
const NO_INDEX = 0xffffffff_ffffffffn;

/** The index that was inserted last, if there is one. */
function readInserted(walk: ValueWalk, cursor: Cursor, out: ItemOutput): boolean {
  const start = cursor.position;
  let at = cursor.length(start);
  if (at === SHORT) return false;
  if (cursor.value > 1) throw bad(cursor, start, { reason: 'unknown-flag', flag: cursor.value });
  let index: Long = -1;
  if (cursor.value === 1) {
    at = cursor.length(at);
    if (at === SHORT) return false;
    index = cursor.longOrMinusOne();
  }
  cursor.position = at;
  if (walk.left > 0) out.arrayCursor(index);
  return true;
}

const slice = new ByteSlice();
const digits = Buffer.alloc(ARRAY_DOUBLE_TEXT_MAX);

function readElement(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
  const start = cursor.position;
  const tagAt = cursor.length(start);
  if (tagAt === SHORT) return SHORT;
  const index = cursor.long();
  if (index === NO_INDEX) throw bad(cursor, start, { reason: 'index-out-of-range' });
  if (walk.deep && index <= walk.previous) throw bad(cursor, start, { reason: 'indexes-not-ascending' });
  const at = cursor.length(tagAt);
  if (at === SHORT) return SHORT;
  const end = readTagged(walk, cursor, cursor.value, tagAt, at);
  if (end === SHORT) return SHORT;
  walk.previous = index;
  walk.items++;
  out.arrayElement(index, walk.tagged);
  return end;
}

/** Leaves the text of an element in `walk.tagged`. */
function readTagged(walk: ValueWalk, cursor: Cursor, tag: number, tagAt: number, at: number): number {
  if (tag === ARRAY_INTEGER || tag === ARRAY_DOUBLE) {
    const end = at + 8;
    if (end > cursor.end) return cursor.short(end);
    walk.tagged = slice.set(
      digits,
      0,
      tag === ARRAY_INTEGER ? integerText(cursor, at) : doubleText(cursor, at),
    );
    return end;
  }
  if (tag !== ARRAY_TEXT && tag !== ARRAY_SHORT_TEXT) {
    throw bad(cursor, tagAt, { reason: 'unknown-tag', tag });
  }
  const end = walk.text.read(cursor, at);
  if (end === SHORT) return SHORT;
  walk.tagged = walk.text.slice;
  const { length } = walk.tagged;
  if (tag === ARRAY_SHORT_TEXT && length > ARRAY_SHORT_TEXT_MAX) {
    throw bad(cursor, at, { reason: 'short-text-too-long', length });
  }
  return end;
}

function integerText(cursor: Cursor, at: number): number {
  return writeInt64(wordAt(cursor.bytes, at + 4), wordAt(cursor.bytes, at), digits, 0);
}

function doubleText(cursor: Cursor, at: number): number {
  return writeArrayDouble(cursor.bytes.readDoubleLE(at), digits, 0);
}

function bad(cursor: Cursor, at: number, detail: ErrorDetail): FormatError {
  return new FormatError('rdb/bad-array', cursor.offsetOf(at), detail);
}
