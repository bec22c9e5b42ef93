// Packed collections of the engine, as keyspace/packed.ts has them. True: done whole. False: left to others, who may do
// it again from its first argument, as what was done of it until then changes nothing the second time.
import { COUNT, PACKED_HASH, PACKED_SET, SCRATCH, VALUE_LENGTH } from './engine-layout';
import { ABSENT, copy, FOUND, hasRoom, insert, record, remove, resize, same } from './engine-table';
import { argc, at, findKey, form, hash, integer, integerAt, NO_INTEGER, putInteger, size, value } from './engine-text';

const HASH_COUNT: u32 = 256;
const HASH_BYTES: u32 = 4096;
const SET_COUNT: u32 = 128;
const SET_BYTES: u32 = 4096;

@inline
export function headerSize(length: u32): u32 {
  return length < 128 ? 1 : 4;
}

@inline
export function lengthAt(place: usize): u32 {
  const leading = load<u8>(place) as u32;
  return leading < 128 ? leading : bswap<u32>(load<u32>(place)) & 0x7fffffff;
}

export function partSize(length: u32): u32 {
  return headerSize(length) + length;
}

/** Writes a length and bytes; returns the place behind them. */
export function putPart(to: usize, from: usize, length: u32): usize {
  if (length < 128) {
    store<u8>(to, length as u8);
    to++;
  } else {
    store<u32>(to, bswap<u32>(length | 0x80000000));
    to += 4;
  }
  copy(to, from, length);
  return to + length;
}

/** The record of argument 1, made with an empty value of a form when there is none; false: it is something else. */
export function findOrMake(kind: u32): bool {
  const found = findKey();
  if (found === FOUND) return form() === kind;
  return found === ABSENT && insert(at(1), size(1), hash, 0, kind);
}

export function count(): u32 {
  return load<u32>(record, COUNT);
}

export function setCount(number: u32): void {
  store<u32>(record, number, COUNT);
}

export function used(): u32 {
  return load<u32>(record, VALUE_LENGTH);
}

/** Takes `length` bytes out of the value. */
export function cut(place: usize, length: u32): bool {
  const after = used() - length;
  if (!hasRoom(after)) return false;
  memory.copy(place, place + length, value() + after - place);
  resize(after, after);
  setCount(count() - 1);
  return true;
}

/** Removes the key when its collection is empty. */
export function removeEmpty(): bool {
  return count() > 0 || remove();
}

// Hashes

/** The place of a field of the hash at hand, or 0. */
function findField(name: usize, length: u32): usize {
  const end = value() + used();
  for (let place = value(); place < end; ) {
    const nameSize = lengthAt(place);
    const from = place + headerSize(nameSize);
    if (nameSize === length && same(from, name, length)) return place;
    const next = from + nameSize;
    place = next + partSize(lengthAt(next));
  }
  return 0;
}

function putField(name: usize, nameSize: u32, text: usize, length: u32): bool {
  const place = findField(name, nameSize);
  const before = used();
  if (place === 0) {
    const grown = before + partSize(nameSize) + partSize(length);
    const number = count() + 1;
    if (number > HASH_COUNT || (grown > HASH_BYTES && number > 1) || !resize(grown, before)) return false;
    putPart(putPart(value() + before, name, nameSize), text, length);
    setCount(number);
    return true;
  }
  const old = place + partSize(nameSize);
  const oldSize = lengthAt(old);
  if (oldSize === length) {
    copy(old + headerSize(length), text, length);
    return true;
  }
  const offset = (old - value()) as u32;
  const oldNext = offset + partSize(oldSize);
  const newNext = offset + partSize(length);
  const after = before + newNext - oldNext;
  if (newNext > oldNext) {
    if ((after > HASH_BYTES && count() > 1) || !resize(after, before)) return false;
    memory.copy(value() + newNext, value() + oldNext, before - oldNext);
  } else {
    if (!hasRoom(after)) return false;
    memory.copy(value() + newNext, value() + oldNext, before - oldNext);
    resize(after, after);
  }
  putPart(value() + offset, text, length);
  return true;
}

/** True when no two of the fields that a command sets are the same. */
function areDistinct(): bool {
  for (let i: u32 = 4; i < argc; i += 2) {
    for (let k: u32 = 2; k < i; k += 2) if (size(i) === size(k) && same(at(i), at(k), size(i))) return false;
  }
  return true;
}

export function setFields(): bool {
  if ((argc & 1) !== 0) return false;
  const found = findKey();
  if (found === ABSENT && argc <= 20 && areDistinct()) return makeHash();
  if (!findOrMake(PACKED_HASH)) return false;
  for (let i: u32 = 2; i < argc; i += 2) if (!putField(at(i), size(i), at(i + 1), size(i + 1))) return false;
  return true;
}

/** A new hash, written at once. */
function makeHash(): bool {
  let total: u32 = 0;
  for (let i: u32 = 2; i < argc; i++) total += partSize(size(i));
  if (total > HASH_BYTES || !insert(at(1), size(1), hash, total, PACKED_HASH)) return false;
  let to = value();
  for (let i: u32 = 2; i < argc; i++) to = putPart(to, at(i), size(i));
  setCount((argc - 2) >>> 1);
  return true;
}

export function incrementField(): bool {
  const delta = integer(3);
  if (delta === NO_INTEGER || !findOrMake(PACKED_HASH)) return false;
  const place = findField(at(2), size(2));
  let number: i64 = 0;
  if (place !== 0) {
    const text = place + partSize(size(2));
    const length = lengthAt(text);
    number = integerAt(text + headerSize(length), length);
    if (number === NO_INTEGER) return false;
  }
  const length = putInteger(number + delta);
  return putField(at(2), size(2), SCRATCH + 64 - length, length);
}

export function removeFields(): bool {
  const found = findKey();
  if (found !== FOUND) return found === ABSENT;
  if (form() !== PACKED_HASH) return false;
  for (let i: u32 = 2; i < argc; i++) {
    const place = findField(at(i), size(i));
    if (place === 0) continue;
    const text = place + partSize(size(i));
    if (!cut(place, (text - place) as u32 + partSize(lengthAt(text)))) return false;
  }
  return removeEmpty();
}

// Sets

function findMember(member: usize, length: u32): usize {
  const end = value() + used();
  for (let place = value(); place < end; ) {
    const itsSize = lengthAt(place);
    const from = place + headerSize(itsSize);
    if (itsSize === length && same(from, member, length)) return place;
    place = from + itsSize;
  }
  return 0;
}

export function addMembers(): bool {
  if (!findOrMake(PACKED_SET)) return false;
  for (let i: u32 = 2; i < argc; i++) {
    if (findMember(at(i), size(i)) !== 0) continue;
    const before = used();
    const grown = before + partSize(size(i));
    const number = count() + 1;
    if (number > SET_COUNT || (grown > SET_BYTES && number > 1) || !resize(grown, before)) return false;
    putPart(value() + before, at(i), size(i));
    setCount(number);
  }
  return true;
}

export function removeMembers(): bool {
  const found = findKey();
  if (found !== FOUND) return found === ABSENT;
  if (form() !== PACKED_SET) return false;
  for (let i: u32 = 2; i < argc; i++) {
    const place = findMember(at(i), size(i));
    if (place !== 0 && !cut(place, partSize(size(i)))) return false;
  }
  return removeEmpty();
}
