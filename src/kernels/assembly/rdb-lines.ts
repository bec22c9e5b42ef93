// Records of an RDB as lines of JSON, in WebAssembly: keys of the common types, read and written in one pass. What is
// damaged, rare or larger than the memory here is left where it stands, for those who can tell what it is; so nothing
// here needs words. A value of many items may be left between two of them.
//
// Fixed memory, no runtime, no allocation:
//   ACTIONS  by the first byte of a record: what it is, as rdb-values.ts numbers it, or an attribute of a key
//   STATE    results of a run
//   NAME     the key at hand
//   FIRST    texts that do not stand in the file as they are, up to 1 MiB each; SECOND too
//   INPUT    up to 1 MiB of the file
//   OUTPUT   lines
import { putDigits, putLong } from './json';
import {
  beginLine,
  beginList,
  emptyOutput,
  endLine,
  endList,
  keep,
  keepName,
  lineItems,
  lineLimit,
  literal,
  NAME_MAX,
  nameLength,
  out,
  overflow,
  part,
  roomWhenEmpty,
  setDatabase,
  setLineBytes,
  setOut,
  text,
  undo,
} from './line';
import { beginStream, firstMs, firstSeq, keyMs, keySeq, lastMs, lastSeq, liveEntries, putNode, putStreamEnd } from './rdb-stream';
import {
  inputEnd,
  isPosition,
  length,
  OTHER,
  readLength,
  readText,
  setInputEnd,
  short,
  SHORT,
  textAt,
  textEnd,
  wantedTo,
} from './rdb-text';
import {
  FIRST,
  HASH_LISTPACK_EX,
  HASH_METADATA,
  LIST_ZIPLIST,
  putItem,
  putPacked,
  QUICKLIST,
  QUICKLIST_2,
  SECOND,
  STREAM_1,
  STREAM_5,
  STRING,
  VALKEY_HASH,
} from './rdb-values';

export { emptyOutput, setDatabase, setLineBytes };

const ACTIONS: usize = 0x1800;
const STATE: usize = 0x3300;

/** Attributes of the key that follows. */
const EXPIRY_MS: u32 = 32;
const EXPIRY_SECONDS: u32 = 33;
const IDLE: u32 = 34;
const FREQ: u32 = 35;

const HASH_EXPIRES: usize = 12;
const COUNT: usize = 13;
const EXPIRES_AT: usize = 14;
const IDLE_SECONDS: usize = 15;
const FREQUENCY: usize = 26;
/** Literals from here on say the type, by action. */
const TYPE: usize = 32;

/** What a run ends with. */
const NEED: u32 = 0;
const FULL: u32 = 1;
const LEFT: u32 = 2;
const DONE: u32 = 3;

/** Output from which on it is to be taken away. */
const FULL_FROM: usize = 0x400000 + 0x80000;

/** The next byte of the input. */
let position: usize = 0;
let keys: u32 = 0;
/** What the value at hand is, and where it stands; 0: between two records. */
let open: u32 = 0;
let openNumber: u32 = 0;
let itemsLeft: u64 = 0;
let itemIndex: u64 = 0;
let smallestExpiry: u64 = 0;

/** Attributes of the record at hand. */
let hasExpiry: bool = false;
let expiresAtMs: i64 = 0;
let idle: i64 = -1;
let freq: i32 = -1;

/** Goes on with the records that stand from `from` to `end`. */
export function run(from: usize, end: usize): u32 {
  position = from;
  setInputEnd(end);
  keys = 0;
  let status = DONE;
  while (status == DONE) {
    if (out > FULL_FROM) status = FULL;
    else if (open != 0) status = runItems();
    else status = runRecord();
  }
  tell();
  return status;
}

/** Forgets the value that was left to others. */
export function leave(): void {
  open = 0;
}

function tell(): void {
  store<u32>(STATE, <u32>position);
  store<u32>(STATE, <u32>out, 4);
  store<u32>(STATE, keys, 8);
  store<u32>(STATE, <u32>(wantedTo - position), 12);
  store<u32>(STATE, openNumber, 16);
  store<u32>(STATE, open, 20);
  store<i32>(STATE, lineLimit, 24);
  store<u32>(STATE, lineItems, 28);
  store<u32>(STATE, part, 32);
  store<u32>(STATE, <u32>nameLength, 36);
  store<f64>(STATE, <f64>itemsLeft, 40);
  store<f64>(STATE, <f64>itemIndex, 48);
  store<f64>(STATE, <f64>smallestExpiry, 56);
  store<f64>(STATE, <f64>liveEntries, 64);
  store<u64>(STATE, keyMs, 72);
  store<u64>(STATE, keySeq, 80);
  store<u64>(STATE, lastMs, 88);
  store<u64>(STATE, lastSeq, 96);
  store<u64>(STATE, firstMs, 104);
  store<u64>(STATE, firstSeq, 112);
}

/** Why something could not be taken. */
function statusOf(result: usize): u32 {
  if (result == SHORT) return NEED;
  return roomWhenEmpty() ? FULL : LEFT;
}

/** The next record, or the head of one that has items. */
function runRecord(): u32 {
  if (position >= inputEnd) {
    short(position + 1);
    return NEED;
  }
  keep();
  const next = putRecord();
  if (isPosition(next) && !overflow) {
    position = next;
    return DONE;
  }
  undo();
  open = 0;
  return statusOf(next);
}

function putRecord(): usize {
  let at = readAttributes();
  if (!isPosition(at)) return at;
  const number = <u32>load<u8>(at);
  const action = <u32>load<u8>(ACTIONS + number);
  if (action == 0) return OTHER;
  at = readText(at + 1, FIRST);
  if (!isPosition(at)) return at;
  const nameAt = textAt;
  const nameEnd = textEnd;
  if (nameEnd - nameAt > NAME_MAX) return OTHER;
  if (action == STRING) {
    at = readText(at, SECOND);
    if (!isPosition(at)) return at;
    putHead(action, nameAt, nameEnd);
    literal(8);
    if (!text(textAt, textEnd)) return OTHER;
    endLine();
    keys++;
    return at;
  }
  if (action < LIST_ZIPLIST) {
    return beginItems(number, action, at, nameAt, nameEnd);
  }
  if (action == HASH_LISTPACK_EX) {
    at += 8;
    if (at > inputEnd) return short(at);
  }
  at = readText(at, SECOND);
  if (!isPosition(at)) return at;
  putHead(action, nameAt, nameEnd);
  keepName(nameAt, nameEnd);
  if (action == HASH_LISTPACK_EX) literal(HASH_EXPIRES);
  beginList();
  if (!putPacked(action, textAt, textEnd) || overflow) return OTHER;
  endList();
  keys++;
  return at;
}

/** Reads what stands before the type number. Returns the position of that. */
@inline
function readAttributes(): usize {
  hasExpiry = false;
  idle = freq = -1;
  let at = position;
  while (at < inputEnd) {
    const action = <u32>load<u8>(ACTIONS + <usize>load<u8>(at));
    if (action < EXPIRY_MS) return at;
    at = readAttribute(action, at + 1);
    if (!isPosition(at)) return at;
  }
  return short(at + 1);
}

function readAttribute(action: u32, at: usize): usize {
  if (action == IDLE) {
    const next = readLength(at);
    if (isPosition(next)) {
      if (length > 0xffffffff) return OTHER;
      idle = <i64>length;
    }
    return next;
  }
  const next = at + (action == EXPIRY_MS ? 8 : action == EXPIRY_SECONDS ? 4 : 1);
  if (next > inputEnd) return short(next);
  if (action == FREQ) {
    freq = load<u8>(at);
  } else {
    hasExpiry = true;
    expiresAtMs = action == EXPIRY_MS ? load<i64>(at) : <i64>load<i32>(at) * 1000;
  }
  return next;
}

/** Begins the line, up to where the value or a count of its items stands. */
function putHead(action: u32, nameAt: usize, nameEnd: usize): void {
  beginLine(nameAt, nameEnd);
  literal(TYPE + action);
  if (hasExpiry) {
    literal(EXPIRES_AT);
    setOut(putLong(expiresAtMs, out));
  }
  if (idle >= 0) {
    literal(IDLE_SECONDS);
    setOut(putDigits(<u64>idle, out));
  }
  if (freq >= 0) {
    literal(FREQUENCY);
    setOut(putDigits(<u64>freq, out));
  }
}

/** The head of a value that has a number of items. Returns the position of the first of them. */
function beginItems(number: u32, action: u32, start: usize, nameAt: usize, nameEnd: usize): usize {
  let at = start;
  if (action == HASH_METADATA) {
    at += 8;
    if (at > inputEnd) return short(at);
    smallestExpiry = load<u64>(start);
    if (smallestExpiry > 0xffffffffffff) return OTHER;
  }
  at = readLength(at);
  if (!isPosition(at)) return at;
  if (length > 0x1fffffffffffff) return OTHER;
  const isStream = action >= STREAM_1 && action <= STREAM_5;
  // What is empty is rare enough, but for streams.
  if (length == 0 && !isStream) return OTHER;
  putHead(action, nameAt, nameEnd);
  keepName(nameAt, nameEnd);
  if (!isStream && action != QUICKLIST && action != QUICKLIST_2) {
    literal(COUNT);
    setOut(putDigits(length, out));
  }
  if (action == HASH_METADATA || action == VALKEY_HASH) literal(HASH_EXPIRES);
  beginList();
  if (isStream) beginStream();
  open = action;
  openNumber = number;
  itemsLeft = length;
  itemIndex = 0;
  return at;
}

function runItems(): u32 {
  const isStream = open >= STREAM_1;
  while (itemsLeft > 0) {
    if (out > FULL_FROM) return FULL;
    keep();
    const next = isStream ? putNode(position) : putItem(open, position, smallestExpiry);
    if (!isPosition(next) || overflow) {
      undo();
      return statusOf(next);
    }
    position = next;
    itemsLeft--;
    itemIndex++;
  }
  if (isStream) {
    keep();
    const next = putStreamEnd(open, position);
    if (!isPosition(next) || overflow) {
      undo();
      return statusOf(next);
    }
    position = next;
  }
  endList();
  keys++;
  open = 0;
  return DONE;
}
