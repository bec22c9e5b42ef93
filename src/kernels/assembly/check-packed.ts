// Values that are one packed string: every length, every order, no member twice. False is what others look at.
import { hashInteger, hashText, isNew, MEMBERS_MAX, beginMembers } from './check-members';
import { putInteger } from './check-text';
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

const INTSET_HEADER: usize = 8;
const FIELD_EXPIRY_MAX: i64 = 0xffffffffffff;
const DIGITS: usize = 0x400;
const DIGITS_BYTES: usize = 24;
const INTEGER_DIGITS: usize = 20;
const MINUS: u8 = 45;
const ZERO: u8 = 48;

/** Times of expiry that are neither older nor later than any that is meant. */
let oldestMs: i64 = 0;
let newestMs: i64 = 0;

export function setPlausible(oldest: f64, newest: f64): void {
  oldestMs = <i64>oldest;
  newestMs = <i64>newest;
}

@inline
export function isPlausible(ms: i64): bool {
  return ms >= oldestMs && ms < newestMs;
}

/** Opens the packed string and makes room for its members. */
function open(listpack: bool, start: usize, end: usize): bool {
  if (<u64>(end - start) > MEMBERS_MAX << 1) return false;
  if (!(listpack ? openListpack(start, end) : openZiplist(start, end)) || !hasEntry()) return false;
  // An entry takes two bytes at least, and the number of them is true, or the end will not be where it should.
  const bytes = <u32>(end - start);
  const declared = <u32>(listpack ? load<u16>(start, 4) : load<u16>(start, 8));
  beginMembers(declared > 0 && declared < 0xffff ? min<u32>(declared, bytes) : bytes >> 1);
  return true;
}

/** Entries of a list, of which there is at least one. */
export function checkEntries(listpack: bool, start: usize, end: usize): bool {
  if (!(listpack ? openListpack(start, end) : openZiplist(start, end)) || !hasEntry()) return false;
  while (hasEntry()) if (!nextEntry()) return false;
  return endsWell();
}

/** The next entry, as a name that may not come twice. */
@inline
function nextName(): bool {
  if (!nextEntry()) return false;
  if (isInteger) return isNew(hashInteger(integer));
  if (isDigits(entryAt, entryEnd)) return false;
  return isNew(hashText(entryAt, entryEnd, 0));
}

/** A text that may be the same as an integer: servers keep none of them as texts. */
@inline
function isDigits(start: usize, end: usize): bool {
  if (start == end) return false;
  const first = load<u8>(start);
  return first <= 57 && (first >= ZERO || first == MINUS) && areDigits(start, end);
}

function areDigits(start: usize, end: usize): bool {
  if (end - start > INTEGER_DIGITS) return false;
  const from = load<u8>(start) == MINUS ? start + 1 : start;
  if (from == end) return false;
  if (load<u8>(from) == ZERO && (end - from > 1 || from > start)) return false;
  for (let at = from; at < end; at++) {
    const byte = load<u8>(at);
    if (byte < ZERO || byte > 57) return false;
  }
  return true;
}

export function checkSet(start: usize, end: usize): bool {
  if (!open(true, start, end)) return false;
  while (hasEntry()) if (!nextName()) return false;
  return endsWell();
}

export function checkPairs(listpack: bool, start: usize, end: usize): bool {
  if (!open(listpack, start, end)) return false;
  while (hasEntry()) if (!nextName() || !nextEntry()) return false;
  return endsWell();
}

/** Fields, values and times. */
export function checkTriples(start: usize, end: usize): bool {
  if (!open(true, start, end)) return false;
  let previous: i64 = 0;
  while (hasEntry()) {
    if (!nextName() || !nextEntry() || !nextEntry() || !isInteger) return false;
    if (integer < 0 || integer > FIELD_EXPIRY_MAX) return false;
    // Fields that never expire come last, the others in the order they expire.
    const rank = integer == 0 ? i64.MAX_VALUE : integer;
    if (rank < previous) return false;
    previous = rank;
    if (integer != 0 && !isPlausible(integer)) return false;
  }
  return endsWell();
}

/** The score read last, and whether it is the one its text means, or only close to it. */
let score: f64 = 0;
let exact: bool = false;

/** Members and scores, in the order in which servers look for them. */
export function checkScored(listpack: bool, start: usize, end: usize): bool {
  if (!open(listpack, start, end)) return false;
  let previous: f64 = -Infinity;
  let previousExact = true;
  let memberAt: usize = 0;
  let memberEnd: usize = 0;
  let scoreAt: usize = 0;
  let scoreEnd: usize = 0;
  let member: i64 = 0;
  let isNumber = false;
  for (let first = true; hasEntry(); first = false) {
    if (!nextName()) return false;
    const thisAt = entryAt;
    const thisEnd = entryEnd;
    const thisMember = integer;
    const thisNumber = isInteger;
    if (!nextEntry() || !readScore()) return false;
    if (!first) {
      const same =
        exact && previousExact ? score == previous : !isInteger && sameText(entryAt, entryEnd, scoreAt, scoreEnd);
      if (same) {
        const at = thisNumber ? putInteger(thisMember, DIGITS + DIGITS_BYTES) : thisAt;
        const before = isNumber ? putInteger(member, DIGITS + 2 * DIGITS_BYTES) : memberAt;
        const atEnd = thisNumber ? DIGITS + DIGITS_BYTES : thisEnd;
        const beforeEnd = isNumber ? DIGITS + 2 * DIGITS_BYTES : memberEnd;
        if (!comesAfter(at, atEnd, before, beforeEnd)) return false;
      } else if (exact && previousExact) {
        if (score < previous) return false;
      } else if (!(score - previous > (abs<f64>(score) + abs<f64>(previous)) * 1e-14)) {
        // Closer than what is known of them.
        return false;
      }
    }
    previous = score;
    previousExact = exact;
    scoreAt = isInteger ? 0 : entryAt;
    scoreEnd = isInteger ? 0 : entryEnd;
    memberAt = thisAt;
    memberEnd = thisEnd;
    member = thisMember;
    isNumber = thisNumber;
  }
  return endsWell();
}

function sameText(at: usize, end: usize, otherAt: usize, otherEnd: usize): bool {
  return end - at == otherEnd - otherAt && memory.compare(at, otherAt, end - at) == 0;
}

function comesAfter(at: usize, end: usize, before: usize, beforeEnd: usize): bool {
  const order = memory.compare(at, before, min<usize>(end - at, beforeEnd - before));
  return order != 0 ? order > 0 : end - at > beforeEnd - before;
}

/** Reads the entry as a score; false for what is none, and for forms that are rare. */
@inline
function readScore(): bool {
  if (!isInteger) return readTextScore(entryAt, entryEnd);
  score = <f64>integer;
  exact = true;
  return true;
}

function readTextScore(start: usize, end: usize): bool {
  const negative = start < end && load<u8>(start) == MINUS;
  const from = negative ? start + 1 : start;
  if (end - from > 20 || end == from) return false;
  let digits: u64 = 0;
  let power: f64 = 1;
  let pointed = false;
  let count = 0;
  for (let at = from; at < end; at++) {
    const byte = load<u8>(at);
    if (byte == 46 && !pointed) {
      pointed = true;
      continue;
    }
    if (byte < ZERO || byte > 57) return isInfinity(start, end, negative);
    digits = digits * 10 + (byte - ZERO);
    count++;
    if (pointed) power *= 10;
  }
  if (count == 0 || count > 19) return false;
  score = <f64>digits / power;
  if (negative) score = -score;
  // Up to fifteen digits are exact, and so is the power of ten: one division rounds as it should.
  exact = count <= 15;
  return true;
}

function isInfinity(start: usize, end: usize, negative: bool): bool {
  const at = negative ? start + 1 : start;
  if (end - at != 3 || (load<u32>(at) & 0xffffff) != 0x666e69) return false;
  score = negative ? -Infinity : Infinity;
  exact = true;
  return true;
}

/** Whether a score of an old sorted set, which stands there as text, is a number. */
export function isScore(start: usize, end: usize): bool {
  return readTextScore(start, end);
}

export function checkIntset(start: usize, end: usize): bool {
  const size = end - start;
  if (size < INTSET_HEADER) return false;
  const width = <usize>load<u32>(start);
  const count = load<u32>(start, 4);
  if (count == 0 || <u64>INTSET_HEADER + <u64>count * width != <u64>size) return false;
  const first = start + INTSET_HEADER;
  if (width == 2) return ascends<i16>(first, end);
  if (width == 4) return ascends<i32>(first, end);
  return width == 8 && ascends<i64>(first, end);
}

@inline
function ascends<T>(first: usize, end: usize): bool {
  let previous = load<T>(first);
  let sorted = true;
  for (let at = first + sizeof<T>(); at < end; at += sizeof<T>()) {
    const value = load<T>(at);
    sorted = sorted && value > previous;
    previous = value;
  }
  return sorted;
}
