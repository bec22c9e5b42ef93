// The key table and the arena of the engine, as keyspace/byte-table.ts and keyspace/arena.ts have them, on the same bytes.
import {
  COUNT,
  FOREIGN,
  FREE,
  FREE_CAPACITY,
  FREE_COUNT,
  FREE_ROWS,
  HEADER,
  KEY_LENGTH,
  MASK,
  META,
  REFS,
  ROW,
  ROWS_CAPACITY,
  ROWS_END,
  SIZE,
  SLOTS,
  TOP,
  TOP_END,
  VALUE_LENGTH,
} from './engine-layout';

/** Blocks above this are in other memory. */
const SHARED_BYTES: u32 = 0x100000;

let first: u32 = 0;
let second: u32 = 0;
let seed: u32 = 0;

/** The table of the selected database; 0: none that is here. */
export let table: usize = 0;
/** What `find` or `insert` came to: the record, its reference and its slot. */
export let record: usize = 0;
let ref: u32 = 0;
let slot: usize = 0;

export function setTable(address: usize): void {
  table = address;
}

export function setSecret(a: u32, b: u32, c: u32): void {
  first = a;
  second = b;
  seed = c;
}

export function hashOf(at: usize, length: u32): u32 {
  return hashWith(first, second, seed, at, length);
}

/** The mixing of MurmurHash3 with multipliers of one's own. */
@inline
export function hashWith(first: u32, second: u32, seed: u32, at: usize, length: u32): u32 {
  let hash = seed ^ length;
  const end = at + length;
  for (; at + 3 < end; at += 4) hash = mix(first, second, hash, load<u32>(at));
  const rest = (end - at) as u32;
  if (rest !== 0) hash = mix(first, second, hash, load<u32>(at) & ((1 << (rest << 3)) - 1));
  hash = (hash ^ (hash >>> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >>> 13)) * 0xc2b2ae35;
  return hash ^ (hash >>> 16);
}

@inline
function mix(first: u32, second: u32, hash: u32, word: u32): u32 {
  return rotl<u32>(hash ^ (rotl<u32>(word * first, 15) * second), 13) * 5 + 0xe6546b64;
}

export function same(a: usize, b: usize, length: u32): bool {
  if (length >= 8) {
    const last = length - 8;
    // The end first: keys and members of one kind begin alike.
    if (load<u64>(a + last) !== load<u64>(b + last)) return false;
    for (let i: u32 = 0; i < last; i += 8) if (load<u64>(a + i) !== load<u64>(b + i)) return false;
    return true;
  }
  if (length >= 4) return load<u32>(a) === load<u32>(b) && load<u32>(a + length - 4) === load<u32>(b + length - 4);
  for (let i: u32 = 0; i < length; i++) if (load<u8>(a + i) !== load<u8>(b + i)) return false;
  return true;
}

/** Copies between places that do not overlap. */
export function copy(to: usize, from: usize, length: u32): void {
  if (length > 512) {
    memory.copy(to, from, length);
  } else if (length >= 16) {
    const last = length - 16;
    for (let i: u32 = 0; i < last; i += 16) v128.store(to + i, v128.load(from + i));
    v128.store(to + last, v128.load(from + last));
  } else if (length >= 8) {
    const tail = load<u64>(from + length - 8);
    store<u64>(to, load<u64>(from));
    store<u64>(to + length - 8, tail);
  } else if (length >= 4) {
    const tail = load<u32>(from + length - 4);
    store<u32>(to, load<u32>(from));
    store<u32>(to + length - 4, tail);
  } else {
    for (let i: u32 = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i));
  }
}

/** One class for every 16 bytes up to 128 (and one for 8), then four per doubling. */
function classOf(size: u32): u32 {
  const units = (size + 7) >>> 3;
  if (units <= 16) return units <= 1 ? 0 : (units + 1) >>> 1;
  const last = units - 1;
  const shift = 29 - clz<u32>(last);
  return (shift << 2) + (last >>> shift) - 3;
}

function unitsOfClass(index: u32): u32 {
  if (index <= 8) return index === 0 ? 1 : index << 1;
  const step = index + 3;
  const shift = (step >>> 2) - 1;
  return (step - (shift << 2) + 1) << shift;
}

/** A reference; 0 when there is no room here. */
function alloc(size: u32): u32 {
  if (size > SHARED_BYTES) return 0;
  const index = classOf(size);
  const list = FREE + (index << 2);
  const head = load<u32>(list);
  if (head !== 0) {
    if (head >= FOREIGN) return 0;
    store<u32>(list, load<u32>(head << 3));
    return head;
  }
  const top = load<u32>(TOP);
  const wanted = unitsOfClass(index);
  if (top >= FOREIGN || load<u32>(TOP_END) - top < wanted) return 0;
  store<u32>(TOP, top + wanted);
  return top;
}

function release(block: u32, size: u32): void {
  const list = FREE + (classOf(size) << 2);
  store<u32>(block << 3, load<u32>(list));
  store<u32>(list, block);
}

export const ABSENT: u32 = 0;
export const FOUND: u32 = 1;
/** In other memory. */
export const ELSEWHERE: u32 = 2;

/** Looks a key up; `record` is its record when it is found. */
export function find(key: usize, length: u32, hash: u32): u32 {
  const slots = load<u32>(table, SLOTS) as usize;
  const mask = load<u32>(table, MASK);
  for (let i = hash & mask; ; i = (i + 1) & mask) {
    const at = slots + (i << 3);
    const found = load<u32>(at, 4);
    if (found === 0) return ABSENT;
    if (load<u32>(at) !== hash) continue;
    if (found >= FOREIGN) return ELSEWHERE;
    const place = (found << 3) as usize;
    if (load<u32>(place, KEY_LENGTH) !== length || !same(place + HEADER, key, length)) continue;
    record = place;
    ref = found;
    slot = at;
    return FOUND;
  }
}

/** Adds a key known to be absent; `record` is its record. False, nothing done, when there is no room. */
export function insert(key: usize, length: u32, hash: u32, valueLength: u32, form: u32): bool {
  const freeCount = load<u32>(table, FREE_COUNT);
  const rowsEnd = load<u32>(table, ROWS_END);
  if (freeCount === 0 && rowsEnd === load<u32>(table, ROWS_CAPACITY)) return false;
  const made = alloc(HEADER + length + valueLength);
  if (made === 0) return false;
  let row = rowsEnd;
  if (freeCount > 0) {
    row = load<u32>((load<u32>(table, FREE_ROWS) as usize) + ((freeCount - 1) << 2));
    store<u32>(table, freeCount - 1, FREE_COUNT);
  } else {
    store<u32>(table, rowsEnd + 1, ROWS_END);
  }
  store<u32>((load<u32>(table, REFS) as usize) + (row << 2), made);
  const place = (made << 3) as usize;
  store<u32>(place, length, KEY_LENGTH);
  store<u32>(place, valueLength, VALUE_LENGTH);
  store<u32>(place, row, ROW);
  store<u32>(place, form, META);
  store<u32>(place, 0, COUNT);
  copy(place + HEADER, key, length);
  const slots = load<u32>(table, SLOTS) as usize;
  const mask = load<u32>(table, MASK);
  let i = hash & mask;
  while (load<u32>(slots + (i << 3), 4) !== 0) i = (i + 1) & mask;
  slot = slots + (i << 3);
  store<u32>(slot, hash);
  store<u32>(slot, made, 4);
  store<u32>(table, load<u32>(table, SIZE) + 1, SIZE);
  record = place;
  ref = made;
  return true;
}

/** Gives the value of `record` another length, keeping `kept` bytes of it. False, nothing done, without room. */
export function resize(valueLength: u32, kept: u32): bool {
  const fixed = HEADER + load<u32>(record, KEY_LENGTH);
  const before = fixed + load<u32>(record, VALUE_LENGTH);
  const after = fixed + valueLength;
  if (after > SHARED_BYTES) return false;
  if (classOf(before) !== classOf(after)) {
    const made = alloc(after);
    if (made === 0) return false;
    const place = (made << 3) as usize;
    copy(place, record, fixed + kept);
    release(ref, before);
    store<u32>(slot, made, 4);
    store<u32>((load<u32>(table, REFS) as usize) + (load<u32>(place, ROW) << 2), made);
    record = place;
    ref = made;
  }
  store<u32>(record, valueLength, VALUE_LENGTH);
  return true;
}

/** True when `resize` to this length will find room. */
export function hasRoom(valueLength: u32): bool {
  const fixed = HEADER + load<u32>(record, KEY_LENGTH);
  const index = classOf(fixed + valueLength);
  if (fixed + valueLength > SHARED_BYTES) return false;
  if (classOf(fixed + load<u32>(record, VALUE_LENGTH)) === index) return true;
  const head = load<u32>(FREE + (index << 2));
  if (head !== 0) return head < FOREIGN;
  const top = load<u32>(TOP);
  return top < FOREIGN && load<u32>(TOP_END) - top >= unitsOfClass(index);
}

/** Removes `record` and its key. False, nothing done, when its row cannot be noted. */
export function remove(): bool {
  const freeCount = load<u32>(table, FREE_COUNT);
  if (freeCount === load<u32>(table, FREE_CAPACITY)) return false;
  const row = load<u32>(record, ROW);
  clearSlot();
  release(ref, HEADER + load<u32>(record, KEY_LENGTH) + load<u32>(record, VALUE_LENGTH));
  store<u32>((load<u32>(table, REFS) as usize) + (row << 2), 0);
  store<u32>((load<u32>(table, FREE_ROWS) as usize) + (freeCount << 2), row);
  store<u32>(table, freeCount + 1, FREE_COUNT);
  store<u32>(table, load<u32>(table, SIZE) - 1, SIZE);
  return true;
}

/** Empties the slot and moves back those behind it that would be cut off from their home. */
function clearSlot(): void {
  const slots = load<u32>(table, SLOTS) as usize;
  const mask = load<u32>(table, MASK);
  let hole = ((slot - slots) as u32) >>> 3;
  for (let i = (hole + 1) & mask; load<u32>(slots + (i << 3), 4) !== 0; i = (i + 1) & mask) {
    const entry = load<u64>(slots + (i << 3));
    const home = (entry as u32) & mask;
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    store<u64>(slots + (hole << 3), entry);
    hole = i;
  }
  store<u32>(slots + (hole << 3), 0, 4);
}

/** Waits for the memory that the lookups of a batch will need, for many at a time. */
export function touch(hash: u32): u32 {
  return load<u32>((load<u32>(table, SLOTS) as usize) + ((hash & load<u32>(table, MASK)) << 3), 4);
}

/** The same for the record that stands first for a hash. */
export function touchRecord(hash: u32): u32 {
  const at = (load<u32>(table, SLOTS) as usize) + ((hash & load<u32>(table, MASK)) << 3);
  const found = load<u32>(at, 4);
  if (load<u32>(at) !== hash || found >= FOREIGN) return 0;
  const place = (found << 3) as usize;
  return load<u32>(place) + load<u32>(place, 64);
}
