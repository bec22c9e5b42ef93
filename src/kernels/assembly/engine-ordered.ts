// Packed sorted sets and lists of the engine, as keyspace/zsets.ts and keyspace/lists.ts have them.
import { MARKED, META, PACKED_LIST, PACKED_ZSET, SCORES, SCORES_MAX } from './engine-layout';
import { count, cut, findOrMake, headerSize, lengthAt, partSize, putPart, removeEmpty, setCount, used } from './engine-packed';
import { ABSENT, FOUND, hasRoom, insert, record, remove, resize, same } from './engine-table';
import { argc, at, findKey, form, hash, integer, NO_INTEGER, size, value } from './engine-text';

const ZSET_COUNT: u32 = 128;
const ZSET_BYTES: u32 = 6144;
const DOUBLE: u32 = 8;

let zsetMaxEntries: u32 = 0;
let zsetMaxValue: u32 = 0;
let listBytes: u32 = 0;

/** Thresholds of the servers for packed sorted sets, and the most bytes of a packed list. */
export function setThresholds(entries: u32, longest: u32, list: u32): void {
  zsetMaxEntries = entries;
  zsetMaxValue = longest;
  listBytes = list;
}

/** A score of at most 15 digits without exponent, which is the nearest number by one division; else NaN. */
function scoreAt(from: usize, length: u32): f64 {
  const end = from + length;
  const negative = length > 1 && load<u8>(from) === 45;
  let place = negative ? from + 1 : from;
  if (end - place > 16) return NaN;
  let mantissa: u64 = 0;
  let digits: u32 = 0;
  let power: f64 = 1;
  let point: usize = 0;
  for (; place < end; place++) {
    const c = (load<u8>(place) as u32) - 48;
    if (c <= 9) {
      mantissa = mantissa * 10 + c;
      digits++;
      if (point !== 0) power *= 10;
    } else {
      if (c !== 0xfffffffe || point !== 0 || digits === 0) return NaN;
      point = place + 1;
    }
  }
  if (digits === 0 || digits > 15 || point === end) return NaN;
  const score = (mantissa as f64) / power;
  return negative ? -score : score;
}

/** Where a member with its score stands, or 0. */
function findMember(member: usize, length: u32): usize {
  const end = value() + used();
  for (let place = value(); place < end; ) {
    const itsSize = lengthAt(place + DOUBLE);
    const from = place + DOUBLE + headerSize(itsSize);
    if (itsSize === length && same(from, member, length)) return place;
    place = from + itsSize;
  }
  return 0;
}

function isMarked(): bool {
  return (load<u32>(record, META) & MARKED) !== 0;
}

/** What is never packed in the server keeps the sign of a zero. */
function kept(score: f64): f64 {
  return isMarked() ? score : score + 0;
}

function putMember(member: usize, length: u32, score: f64): bool {
  const place = findMember(member, length);
  if (place !== 0) {
    if (load<f64>(place) !== score) store<f64>(place, kept(score));
    return true;
  }
  const before = used();
  const grown = before + DOUBLE + partSize(length);
  const number = count() + 1;
  if (number > ZSET_COUNT || (grown > ZSET_BYTES && number > 1) || !resize(grown, before)) return false;
  if (number > zsetMaxEntries || length > zsetMaxValue) store<u32>(record, load<u32>(record, META) | MARKED, META);
  store<f64>(value() + before, kept(score));
  putPart(value() + before + DOUBLE, member, length);
  setCount(number);
  return true;
}

export function addScores(): bool {
  const pairs = (argc - 2) >>> 1;
  // Of so many, newer servers choose the encoding before the first.
  const many = pairs > 1 && pairs > zsetMaxEntries && zsetMaxEntries > 0;
  if ((argc & 1) !== 0 || pairs > SCORES_MAX || many) return false;
  for (let i: u32 = 0; i < pairs; i++) {
    const score = scoreAt(at(2 + 2 * i), size(2 + 2 * i));
    if (isNaN(score)) return false;
    store<f64>(SCORES + (i << 3), score);
  }
  if (!findOrMake(PACKED_ZSET)) return false;
  for (let i: u32 = 0; i < pairs; i++) {
    if (!putMember(at(3 + 2 * i), size(3 + 2 * i), load<f64>(SCORES + (i << 3)))) return false;
  }
  return true;
}

export function incrementScore(): bool {
  const delta = scoreAt(at(2), size(2));
  if (isNaN(delta) || !findOrMake(PACKED_ZSET)) return false;
  const place = findMember(at(3), size(3));
  const score = place === 0 ? delta : delta + load<f64>(place);
  return !isNaN(score) && putMember(at(3), size(3), score);
}

export function removeScored(): bool {
  const found = findKey();
  if (found !== FOUND) return found === ABSENT;
  if (form() !== PACKED_ZSET) return false;
  for (let i: u32 = 2; i < argc; i++) {
    const place = findMember(at(i), size(i));
    if (place !== 0 && !cut(place, DOUBLE + partSize(size(i)))) return false;
  }
  return removeEmpty();
}

// Lists: the length of an element stands before it and, backwards, behind it

function elementSize(length: u32): u32 {
  return length + 2 * headerSize(length);
}

function putElement(to: usize, from: usize, length: u32): usize {
  const behind = putPart(to, from, length);
  if (length < 128) {
    store<u8>(behind, length as u8);
    return behind + 1;
  }
  store<u32>(behind, length | 0x80000000);
  return behind + 4;
}

function lengthBefore(end: usize): u32 {
  const last = load<u8>(end - 1) as u32;
  return last < 128 ? last : load<u32>(end - 4) & 0x7fffffff;
}

export function push(atHead: bool): bool {
  let total: u32 = 0;
  for (let i: u32 = 2; i < argc; i++) total += elementSize(size(i));
  if (total > listBytes) return false;
  const found = findKey();
  let before: u32 = 0;
  if (found === FOUND) {
    before = used();
    if (form() !== PACKED_LIST || before + total > listBytes || !resize(before + total, before)) return false;
    if (atHead) memory.copy(value() + total, value(), before);
  } else if (found !== ABSENT || !insert(at(1), size(1), hash, total, PACKED_LIST)) {
    return false;
  }
  if (atHead) {
    let to = value();
    for (let i = argc - 1; i >= 2; i--) to = putElement(to, at(i), size(i));
  } else {
    let to = value() + before;
    for (let i: u32 = 2; i < argc; i++) to = putElement(to, at(i), size(i));
  }
  setCount(count() + argc - 2);
  return true;
}

export function pop(fromHead: bool): bool {
  const found = findKey();
  if (found !== FOUND || argc !== 2) return found === ABSENT && argc === 2;
  if (form() !== PACKED_LIST) return false;
  if (count() === 1) return remove();
  return fromHead ? dropHead(1) : dropTail(1);
}

function dropHead(number: u32): bool {
  let place = value();
  for (let i: u32 = 0; i < number; i++) place += elementSize(lengthAt(place));
  const after = used() - ((place - value()) as u32);
  if (!hasRoom(after)) return false;
  memory.copy(value(), place, after);
  resize(after, after);
  setCount(count() - number);
  return true;
}

function dropTail(number: u32): bool {
  const end = value() + used();
  let place = end;
  for (let i: u32 = 0; i < number; i++) place -= elementSize(lengthBefore(place));
  const after = (place - value()) as u32;
  if (!resize(after, after)) return false;
  setCount(count() - number);
  return true;
}

export function trim(): bool {
  let start = integer(2);
  let stop = integer(3);
  if (start === NO_INTEGER || stop === NO_INTEGER) return false;
  const found = findKey();
  if (found !== FOUND) return found === ABSENT;
  if (form() !== PACKED_LIST) return false;
  const length = count() as i64;
  if (start < 0) start = max<i64>(0, start + length);
  if (stop < 0) stop += length;
  if (start > stop || start >= length) return remove();
  if (stop >= length - 1) return start === 0 || dropHead(start as u32);
  // Both ends would have to go or neither.
  return start === 0 && dropTail((length - 1 - stop) as u32);
}
