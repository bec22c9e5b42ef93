// Values of an RDB, checked as deeply as the decoder and `check` together do. Each returns the position behind the value,
// or that more of it is wanted, or that it is for others: damaged, odd, rare or large.
import { beginMembers, hashText, isNew, MEMBERS_MAX } from './check-members';
import {
  checkEntries,
  checkIntset,
  checkPairs,
  checkScored,
  checkSet,
  checkTriples,
  isPlausible,
  isScore,
} from './check-packed';
import { checkStream } from './check-stream';
import { inputEnd, isPosition, length, OTHER, passText, readLength, readText, short, textAt, textEnd } from './check-text';

/** Where texts are made that do not stand in the file as they are. */
export const FIRST: usize = 0x20000;
export const SECOND: usize = 0x70000;

/** What a value is, as ../../rdb/kernel-actions.ts numbers it. */
export const STRING: u32 = 1;
const LIST: u32 = 2;
const SET: u32 = 3;
const ZSET: u32 = 4;
const HASH: u32 = 5;
const ZSET_2: u32 = 6;
const QUICKLIST: u32 = 7;
const QUICKLIST_2: u32 = 8;
const HASH_METADATA: u32 = 9;
const VALKEY_HASH: u32 = 10;
const STREAM_1: u32 = 11;
const STREAM_3: u32 = 13;
const STREAM_5: u32 = 15;
const LIST_ZIPLIST: u32 = 16;
const HASH_ZIPLIST: u32 = 17;
const ZSET_ZIPLIST: u32 = 18;
const SET_INTSET: u32 = 19;
const SET_LISTPACK: u32 = 20;
const HASH_LISTPACK: u32 = 21;
const ZSET_LISTPACK: u32 = 22;
const HASH_LISTPACK_EX: u32 = 23;

const NODE_PLAIN: u64 = 1;
const NODE_PACKED: u64 = 2;
const FIELD_EXPIRY_MAX: u64 = 0xffffffffffff;
/** Length bytes of a text double that stand for a value of their own. */
const TEXT_NAN: usize = 253;

export function checkValue(kind: u32, at: usize): usize {
  if (kind == STRING) return passText(at);
  if (kind >= LIST_ZIPLIST) return checkPacked(kind, at);
  if (kind >= STREAM_1 && kind <= STREAM_5) return kind > STREAM_3 ? OTHER : checkStream(kind - STREAM_1 + 1, at);
  return checkCounted(kind, at);
}

function checkPacked(kind: u32, start: usize): usize {
  let at = start;
  if (kind == HASH_LISTPACK_EX) {
    at += 8;
    if (at > inputEnd) return short(at);
  }
  const next = readText(at, SECOND);
  if (!isPosition(next)) return next;
  return isSound(kind, textAt, textEnd) ? next : OTHER;
}

function isSound(kind: u32, at: usize, end: usize): bool {
  switch (kind) {
    case LIST_ZIPLIST:
      return checkEntries(false, at, end);
    case HASH_ZIPLIST:
      return checkPairs(false, at, end);
    case ZSET_ZIPLIST:
      return checkScored(false, at, end);
    case SET_INTSET:
      return checkIntset(at, end);
    case SET_LISTPACK:
      return checkSet(at, end);
    case HASH_LISTPACK:
      return checkPairs(true, at, end);
    case ZSET_LISTPACK:
      return checkScored(true, at, end);
    default:
      return checkTriples(at, end);
  }
}

function checkCounted(kind: u32, start: usize): usize {
  let at = start;
  let smallest: u64 = 0;
  if (kind == HASH_METADATA) {
    at += 8;
    if (at > inputEnd) return short(at);
    smallest = load<u64>(start);
    if (smallest > FIELD_EXPIRY_MAX) return OTHER;
  }
  at = readLength(at);
  if (!isPosition(at)) return at;
  const count = length;
  if (count == 0) return OTHER;
  if (count > MEMBERS_MAX) return OTHER;
  const items = <u32>count;
  if (kind == LIST) return checkElements(items, at);
  if (kind == QUICKLIST || kind == QUICKLIST_2) return checkNodes(kind, items, at);
  beginMembers(items);
  switch (kind) {
    case SET:
      return checkMembers(items, at);
    case HASH:
      return checkFields(items, at);
    case ZSET_2:
      return checkDoubles(items, at);
    case ZSET:
      return checkTextDoubles(items, at);
    case HASH_METADATA:
      return checkExpiring(items, at, smallest);
    default:
      return checkTimed(items, at);
  }
}

function checkElements(items: u32, start: usize): usize {
  let at = start;
  for (let left = items; left > 0; left--) {
    at = passText(at);
    if (!isPosition(at)) return at;
  }
  return at;
}

function checkNodes(kind: u32, items: u32, start: usize): usize {
  let at = start;
  for (let left = items; left > 0; left--) {
    if (kind == QUICKLIST_2) {
      at = readLength(at);
      if (!isPosition(at)) return at;
      if (length == NODE_PLAIN) {
        at = passText(at);
        if (!isPosition(at)) return at;
        continue;
      }
      if (length != NODE_PACKED) return OTHER;
    }
    at = readText(at, SECOND);
    if (!isPosition(at)) return at;
    if (!checkEntries(kind == QUICKLIST_2, textAt, textEnd)) return OTHER;
  }
  return at;
}

/** A text that has not come before in this value. Returns the position behind it. */
@inline
function name(at: usize): usize {
  const next = readText(at, FIRST);
  if (!isPosition(next)) return next;
  return isNew(hashText(textAt, textEnd, 0)) ? next : OTHER;
}

function checkMembers(items: u32, start: usize): usize {
  let at = start;
  for (let left = items; left > 0; left--) {
    at = name(at);
    if (!isPosition(at)) return at;
  }
  return at;
}

function checkFields(items: u32, start: usize): usize {
  let at = start;
  for (let left = items; left > 0; left--) {
    at = name(at);
    if (!isPosition(at)) return at;
    at = passText(at);
    if (!isPosition(at)) return at;
  }
  return at;
}

function checkDoubles(items: u32, start: usize): usize {
  let at = start;
  for (let left = items; left > 0; left--) {
    at = name(at);
    if (!isPosition(at)) return at;
    if (at + 8 > inputEnd) return short(at + 8);
    if (isNaN<f64>(load<f64>(at))) return OTHER;
    at += 8;
  }
  return at;
}

function checkTextDoubles(items: u32, start: usize): usize {
  let at = start;
  for (let left = items; left > 0; left--) {
    at = name(at);
    if (!isPosition(at)) return at;
    if (at >= inputEnd) return short(at + 1);
    const size = <usize>load<u8>(at++);
    if (size == TEXT_NAN) return OTHER;
    if (size > TEXT_NAN) continue;
    if (at + size > inputEnd) return short(at + size);
    if (!isScore(at, at + size)) return OTHER;
    at += size;
  }
  return at;
}

function checkExpiring(items: u32, start: usize, smallest: u64): usize {
  let at = start;
  for (let left = items; left > 0; left--) {
    at = readLength(at);
    if (!isPosition(at)) return at;
    if (length > FIELD_EXPIRY_MAX) return OTHER;
    if (length > 0) {
      const time = smallest + length - 1;
      if (time > FIELD_EXPIRY_MAX || !isPlausible(<i64>time)) return OTHER;
    }
    at = name(at);
    if (!isPosition(at)) return at;
    at = passText(at);
    if (!isPosition(at)) return at;
  }
  return at;
}

function checkTimed(items: u32, start: usize): usize {
  let at = start;
  for (let left = items; left > 0; left--) {
    at = name(at);
    if (!isPosition(at)) return at;
    at = passText(at);
    if (!isPosition(at)) return at;
    if (at + 8 > inputEnd) return short(at + 8);
    const time = load<i64>(at);
    if (time != -1 && !isPlausible(time)) return OTHER;
    at += 8;
  }
  return at;
}
