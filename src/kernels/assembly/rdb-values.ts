// Values of an RDB as items in JSON: those that are one string, and the items of those that are counted.
import { double, item, long, mark, quoted, text } from './line';
import {
  endsWell,
  entryAt,
  entryEnd,
  hasEntry,
  integer,
  isInteger,
  nextEntry,
  openListpack,
  openZiplist,
} from './packed';
import { inputEnd, isPosition, length, OTHER, readLength, readText, short, textAt, textEnd } from './rdb-text';

/** Two places for texts that do not stand in the file as they are. */
export const FIRST: usize = 0x20000;
export const SECOND: usize = 0x130000;

/** What a value is, as the table of type numbers has it. */
export const STRING: u32 = 1;
export const LIST: u32 = 2;
export const SET: u32 = 3;
export const ZSET: u32 = 4;
export const HASH: u32 = 5;
export const ZSET_2: u32 = 6;
export const QUICKLIST: u32 = 7;
export const QUICKLIST_2: u32 = 8;
export const HASH_METADATA: u32 = 9;
export const VALKEY_HASH: u32 = 10;
/** From here on a value is a stream, of this generation and those after it. */
export const STREAM_1: u32 = 11;
export const STREAM_5: u32 = 15;
/** From here on a value is one string. */
export const LIST_ZIPLIST: u32 = 16;
export const HASH_ZIPLIST: u32 = 17;
export const ZSET_ZIPLIST: u32 = 18;
export const SET_INTSET: u32 = 19;
export const SET_LISTPACK: u32 = 20;
export const HASH_LISTPACK: u32 = 21;
export const ZSET_LISTPACK: u32 = 22;
export const HASH_LISTPACK_EX: u32 = 23;

const COMMA: u8 = 44;
const OPEN: u8 = 91;
const CLOSE: u8 = 93;
const NODE_PLAIN: u64 = 1;
const NODE_PACKED: u64 = 2;
const FIELD_EXPIRY_MAX: u64 = 0xffffffffffff;
const INTSET_HEADER: usize = 8;
/** Length bytes of a text double that stand for a value of their own. */
const TEXT_NAN: usize = 253;
const TEXT_INFINITY: usize = 254;

/** Reads a double as the servers do; NaN when the text is none. */
@external("env", "parseDouble")
declare function parseDouble(start: usize, end: usize): f64;

/** Items of the packed value that stands from `start` to `end`; false when it is damaged or there is no room. */
export function putPacked(packed: u32, start: usize, end: usize): bool {
  if (packed == SET_INTSET) return putIntset(start, end);
  const opened = packed <= ZSET_ZIPLIST ? openZiplist(start, end) : openListpack(start, end);
  if (!opened || !hasEntry()) return false;
  switch (packed) {
    case LIST_ZIPLIST:
    case SET_LISTPACK:
      return putElements();
    case HASH_ZIPLIST:
    case HASH_LISTPACK:
      return putPairs();
    case HASH_LISTPACK_EX:
      return putTriples();
    default:
      return putMembers();
  }
}

/** The entry read last as a text. */
@inline
export function entry(): bool {
  return isInteger ? quoted(integer) : text(entryAt, entryEnd);
}

function putElements(): bool {
  while (hasEntry()) {
    if (!nextEntry()) return false;
    item();
    if (!entry()) return false;
  }
  return endsWell();
}

function putPairs(): bool {
  while (hasEntry()) {
    if (!putPair()) return false;
    mark(CLOSE);
  }
  return endsWell();
}

/** A field and its value, up to where the time would stand. */
@inline
function putPair(): bool {
  if (!nextEntry()) return false;
  item();
  mark(OPEN);
  if (!entry() || !nextEntry()) return false;
  mark(COMMA);
  return entry();
}

function putTriples(): bool {
  let previous: u64 = 0;
  while (hasEntry()) {
    if (!putPair() || !nextEntry() || !isInteger) return false;
    const time = <u64>integer;
    if (time > FIELD_EXPIRY_MAX) return false;
    // Fields that never expire come last, the others in the order they expire.
    const rank = time == 0 ? u64.MAX_VALUE : time;
    if (rank < previous) return false;
    previous = rank;
    if (time != 0) {
      mark(COMMA);
      long(<i64>time);
    }
    mark(CLOSE);
  }
  return endsWell();
}

function putMembers(): bool {
  while (hasEntry()) {
    if (!nextEntry()) return false;
    item();
    mark(OPEN);
    if (!entry() || !nextEntry()) return false;
    mark(COMMA);
    const score = isInteger ? <f64>integer : textScore(entryAt, entryEnd);
    if (isNaN<f64>(score)) return false;
    double(score);
    mark(CLOSE);
  }
  return endsWell();
}

/** Up to fifteen digits are exact, and so is the power of ten: one division rounds as it should. */
function textScore(start: usize, end: usize): f64 {
  const negative = start < end && load<u8>(start) == 45;
  const from = negative ? start + 1 : start;
  if (end - from > 15 || end == from) return parseDouble(start, end);
  let value: u64 = 0;
  let power: f64 = 1;
  let pointed = false;
  let count = 0;
  for (let at = from; at < end; at++) {
    const byte = load<u8>(at);
    if (byte == 46 && !pointed) {
      pointed = true;
      continue;
    }
    if (byte < 48 || byte > 57) return parseDouble(start, end);
    value = value * 10 + (byte - 48);
    count++;
    if (pointed) power *= 10;
  }
  if (count == 0) return parseDouble(start, end);
  const score = <f64>value / power;
  return negative ? -score : score;
}

function putIntset(start: usize, end: usize): bool {
  const size = end - start;
  if (size < INTSET_HEADER) return false;
  const width = <usize>load<u32>(start);
  const count = load<u32>(start, 4);
  if ((width != 2 && width != 4 && width != 8) || count == 0) return false;
  if (<u64>INTSET_HEADER + <u64>count * width != <u64>size) return false;
  let previous: i64 = 0;
  for (let at = start + INTSET_HEADER; at < end; at += width) {
    const value: i64 = width == 2 ? <i64>load<i16>(at) : width == 4 ? <i64>load<i32>(at) : load<i64>(at);
    if (at > start + INTSET_HEADER && value <= previous) return false;
    previous = value;
    item();
    if (!quoted(value)) return false;
  }
  return true;
}

/** The next item of a counted value. Returns the position behind it. */
export function putItem(kind: u32, at: usize, smallestExpiry: u64): usize {
  switch (kind) {
    case LIST:
    case SET:
      return putElement(at);
    case HASH:
      return putField(at);
    case ZSET_2:
    case ZSET:
      return putMember(kind, at);
    case QUICKLIST:
    case QUICKLIST_2:
      return putListNode(kind, at);
    case HASH_METADATA:
      return putExpiringField(at, smallestExpiry);
    default:
      return putTimedField(at);
  }
}

function putElement(at: usize): usize {
  const next = readText(at, FIRST);
  if (!isPosition(next)) return next;
  item();
  return text(textAt, textEnd) ? next : OTHER;
}

/** Reads two texts, and writes them, up to where a time would stand. `tail` bytes must follow. */
@inline
function putTexts(at: usize, tail: usize): usize {
  const middle = readText(at, FIRST);
  if (!isPosition(middle)) return middle;
  const nameAt = textAt;
  const nameEnd = textEnd;
  const next = readText(middle, SECOND);
  if (!isPosition(next)) return next;
  if (next + tail > inputEnd) return short(next + tail);
  item();
  mark(OPEN);
  if (!text(nameAt, nameEnd)) return OTHER;
  mark(COMMA);
  return text(textAt, textEnd) ? next : OTHER;
}

function putField(at: usize): usize {
  const next = putTexts(at, 0);
  if (isPosition(next)) mark(CLOSE);
  return next;
}

function putExpiringField(at: usize, smallestExpiry: u64): usize {
  const start = readLength(at);
  if (!isPosition(start)) return start;
  if (length > FIELD_EXPIRY_MAX) return OTHER;
  const counted = length;
  const next = putTexts(start, 0);
  if (!isPosition(next)) return next;
  if (counted > 0) {
    const time = smallestExpiry + counted - 1;
    if (time > FIELD_EXPIRY_MAX) return OTHER;
    mark(COMMA);
    long(<i64>time);
  }
  mark(CLOSE);
  return next;
}

function putTimedField(at: usize): usize {
  const next = putTexts(at, 8);
  if (!isPosition(next)) return next;
  const time = load<i64>(next);
  if (time < -1 || time > 9007199254740991) return OTHER;
  if (time >= 0) {
    mark(COMMA);
    long(time);
  }
  mark(CLOSE);
  return next + 8;
}

function putMember(kind: u32, at: usize): usize {
  const middle = readText(at, FIRST);
  if (!isPosition(middle)) return middle;
  let next = middle + 8;
  if (kind == ZSET) {
    if (middle >= inputEnd) return short(middle + 1);
    const size = <usize>load<u8>(middle);
    next = middle + 1 + (size < TEXT_NAN ? size : 0);
  }
  if (next > inputEnd) return short(next);
  const score = kind == ZSET ? lengthScore(middle) : load<f64>(middle);
  if (isNaN<f64>(score)) return OTHER;
  item();
  mark(OPEN);
  if (!text(textAt, textEnd)) return OTHER;
  mark(COMMA);
  double(score);
  mark(CLOSE);
  return next;
}

function lengthScore(at: usize): f64 {
  const size = <usize>load<u8>(at);
  if (size == TEXT_NAN) return NaN;
  if (size > TEXT_NAN) return size == TEXT_INFINITY ? Infinity : -Infinity;
  return textScore(at + 1, at + 1 + size);
}

function putListNode(kind: u32, at: usize): usize {
  let start = at;
  let plain = false;
  if (kind == QUICKLIST_2) {
    start = readLength(at);
    if (!isPosition(start)) return start;
    if (length != NODE_PLAIN && length != NODE_PACKED) return OTHER;
    plain = length == NODE_PLAIN;
  }
  const next = readText(start, FIRST);
  if (!isPosition(next)) return next;
  if (plain) {
    item();
    return text(textAt, textEnd) ? next : OTHER;
  }
  const opened = kind == QUICKLIST ? openZiplist(textAt, textEnd) : openListpack(textAt, textEnd);
  return opened && putElements() ? next : OTHER;
}
