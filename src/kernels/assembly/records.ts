// Hashes of the records of an RDB in WebAssembly: for each a hash of its name and one of what it holds, sorted into parts by the
// former. Values that are texts are hashed as what they stand for, any other as its bytes. Fixed memory besides that of
// record-scan.ts:
//   STATUS    what the last call came to: why it ended, records taken, blocks waiting in QUEUE
//   COUNTS    entries in each part's block
//   OWNERS    the part that each block of QUEUE is of
//   KEYS      random numbers that the hashes are made with
//   PENDING   the block at hand of a value that comes in pieces
//   BLOCKS    one block of entries for each part
//   QUEUE     blocks that are full; or the filter of `search`
// Behind all of it are two rooms for records, which are read as they stand in the file as those of INPUT are.

import {
  BATCH,
  BATCH_FULL,
  DESCRIPTOR,
  DESCRIPTORS,
  EXPIRES,
  EXPIRY,
  NAME,
  NAME_LENGTH,
  reason,
  scan,
  START,
  stopped,
  TYPE,
  UNUSUAL,
  VALUE,
  VALUE_LENGTH,
} from './record-scan';

const STATUS: usize = 0x200;
const COUNTS: usize = 0x1d0000;
const OWNERS: usize = 0x1d0800;
const KEYS: usize = 0x1d1000;
const PENDING: usize = 0x1d2000;
const BLOCKS: usize = 0x1e0000;
const QUEUE: usize = 0x2e0000;

const PARTS: i32 = 256;
const BLOCK: usize = 4068;
const ENTRY: usize = 18;
const ENTRIES_MAX: u32 = 226;
const QUEUE_MAX: i32 = 512;
/** Bits of the filter: two megabytes. */
const FILTER_BITS: u32 = 24;

/** Bytes of a piece that is hashed at once, and of the random numbers for it. */
const PIECE: usize = 256;
const KEYS_BYTES: usize = 1024;
/** Behind those for words of four: 64 bytes for each 32 of a piece. */
const TAIL_KEYS: usize = 512;

const FACTOR: u64 = 0xd6e8feb86659fd93;
const STEP: u64 = 0x9e3779b97f4a7c15;

let salt: u64 = 0;
/** Of the name hashed last. */
let first: u64 = 0;
let second: u32 = 0;
let sumA: u64 = 0;
let sumB: u64 = 0;
/** Of the value that comes in pieces. */
let running: u64 = 0;
let held: usize = 0;
let total: u64 = 0;
let queued: i32 = 0;
let taken: i32 = 0;

@inline
function mix(x: u64): u64 {
  let h = x;
  h = (h ^ (h >> 32)) * FACTOR;
  h = (h ^ (h >> 32)) * FACTOR;
  return h ^ (h >> 32);
}

/** Makes the random numbers of the hashes from two seeds. */
export function prepare(seedA: u32, seedB: u32, seedC: u32): void {
  let state = ((<u64>seedA) << 32) | <u64>seedB;
  let other = mix(<u64>seedC + FACTOR);
  for (let at: usize = 0; at < KEYS_BYTES; at += 8) {
    state += STEP;
    other = mix(other + state);
    store<u64>(KEYS + at, mix(state ^ other));
  }
  salt = mix(other ^ state);
}

/**
 * Up to 256 bytes as two sums of products with random numbers, into `sumA` and `sumB`: for other bytes each differs but by
 * a chance of one in 2^32. Thirty-two bytes at a time, by words of four; what is left by words of four with keys of eight.
 */
@inline
function piece(from: usize, size: usize): void {
  let a = i64x2.splat(0);
  let b = i64x2.splat(0);
  let key = KEYS;
  let at = from;
  const whole = from + (size & ~31);
  for (; at < whole; at += 32, key += 64) {
    const low = v128.load(at);
    const high = v128.load(at, 16);
    const lowA = i32x4.add(low, v128.load(key));
    const highA = i32x4.add(high, v128.load(key, 16));
    a = i64x2.add(a, i64x2.add(i64x2.extmul_low_i32x4_u(lowA, highA), i64x2.extmul_high_i32x4_u(lowA, highA)));
    const lowB = i32x4.add(low, v128.load(key, 32));
    const highB = i32x4.add(high, v128.load(key, 48));
    b = i64x2.add(b, i64x2.add(i64x2.extmul_low_i32x4_u(lowB, highB), i64x2.extmul_high_i32x4_u(lowB, highB)));
  }
  sumA = i64x2.extract_lane(a, 0) + i64x2.extract_lane(a, 1);
  sumB = i64x2.extract_lane(b, 0) + i64x2.extract_lane(b, 1);
  let left = size & 31;
  for (key = KEYS + TAIL_KEYS; left >= 8; left -= 8, at += 8, key += 48) word(load<u64>(at), key);
  if (left > 0) word(load<u64>(at) & (((<u64>1) << (<u64>left << 3)) - 1), key);
}

@inline
function word(value: u64, key: usize): void {
  const low = value & 0xffffffff;
  const high = value >> 32;
  sumA += (load<u64>(key) + low) * (load<u64>(key, 8) + high);
  sumB += (load<u64>(key, 16) + low) * (load<u64>(key, 24) + high);
}

@inline
function stir(h: u64): u64 {
  return mix(mix(h ^ sumA) + sumB);
}

function hash(from: usize, size: usize, seed: u64): u64 {
  let h = seed;
  let at = from;
  let left = size;
  for (; left > PIECE; left -= PIECE, at += PIECE) {
    piece(at, PIECE);
    h = stir(h);
  }
  piece(at, left);
  return stir(h + <u64>size * STEP);
}

/** A name as three sums for each 64 bytes of it: 88 bits. */
function hashName(at: usize, size: usize, database: u32): void {
  let h = salt + <u64>database * FACTOR + <u64>size * STEP;
  let other = h;
  let from = at;
  let left = size;
  do {
    let a: u64 = 0;
    let b: u64 = 0;
    let c: u64 = 0;
    const part = min<usize>(left, 64);
    const end = from + part;
    for (let key = KEYS + TAIL_KEYS; from < end; from += 8, key += 48) {
      const rest = end - from;
      const value = rest < 8 ? load<u64>(from) & (((<u64>1) << (<u64>rest << 3)) - 1) : load<u64>(from);
      const low = value & 0xffffffff;
      const high = value >> 32;
      a += (load<u64>(key) + low) * (load<u64>(key, 8) + high);
      b += (load<u64>(key, 16) + low) * (load<u64>(key, 24) + high);
      c += (load<u64>(key, 32) + low) * (load<u64>(key, 40) + high);
    }
    h = mix(h ^ ((a >> 32) << 32 | b >> 32));
    other = (other ^ (c >> 32)) * FACTOR;
    from = end;
    left -= part;
  } while (left > 0);
  first = h;
  second = <u32>(other ^ (other >> 32)) & 0xffffff;
}

/** All that is compared of a record: value, type, and when it expires. */
@inline
function contentOf(value: u64, type: u32, expires: bool, expiry: u64): u64 {
  const rest = (expires ? mix(expiry + salt) : salt) + <u64>type * STEP;
  return (value ^ rest) * FACTOR;
}

@inline
function put(content: u64): void {
  const part = <i32>(first >> 56);
  const counter = COUNTS + (<usize>part << 2);
  let count = load<u32>(counter);
  const block = BLOCKS + (<usize>part << 12);
  const entry = block + <usize>count * ENTRY;
  // The upper byte of the first is that of the part.
  store<u64>(entry, (first << 8) | <u64>(second & 0xff));
  store<u16>(entry, <u16>(second >> 8), 8);
  store<u64>(entry, content, 10);
  if (++count == ENTRIES_MAX) {
    memory.copy(QUEUE + <usize>queued * BLOCK, block, BLOCK);
    store<u8>(OWNERS + queued, part);
    queued++;
    count = 0;
  }
  store<u32>(counter, count);
}

function report(at: usize, why: i32): usize {
  store<i32>(STATUS, why);
  store<i32>(STATUS, taken, 4);
  store<i32>(STATUS, queued, 8);
  return at;
}

/** Hashes the records from `from` on until one is not for here, or the queue is filling up. Returns where it stopped. */
export function gather(from: usize, to: usize, database: u32): usize {
  let at = from;
  taken = 0;
  let why = BATCH_FULL;
  // A batch fills at most so many blocks.
  while (why == BATCH_FULL && queued <= QUEUE_MAX - PARTS - 8) {
    const count = scan(at, to, BATCH, true);
    for (let i = 0; i < count; i++) {
      const d = DESCRIPTORS + <usize>i * DESCRIPTOR;
      hashName(load<u32>(d, NAME), load<u32>(d, NAME_LENGTH), database);
      const value = hash(load<u32>(d, VALUE), load<u32>(d, VALUE_LENGTH), salt);
      put(contentOf(value, load<u32>(d, TYPE), load<u32>(d, EXPIRES) != 0, load<u64>(d, EXPIRY)));
    }
    taken += count;
    at = stopped;
    why = reason;
  }
  return report(at, why);
}

/** Says that the queue was emptied. */
export function emptied(): void {
  queued = 0;
}

/** Hashes the name of a record that is told otherwise: `size` bytes at `at`. Leaves its three words in STATUS. */
export function nameOf(at: usize, size: usize, database: u32): void {
  hashName(at, size, database);
  store<u64>(STATUS, first, 16);
  store<u32>(STATUS, second, 24);
}

/** Begins a value that comes in pieces. */
export function begin(): void {
  running = salt;
  held = 0;
  total = 0;
}

/** Takes in `size` bytes at `from`. */
export function update(from: usize, size: usize): void {
  let at = from;
  let left = size;
  total += <u64>size;
  while (left > 0) {
    if (held == PIECE) {
      piece(PENDING, PIECE);
      running = stir(running);
      held = 0;
    }
    const part = min<usize>(left, PIECE - held);
    memory.copy(PENDING + held, at, part);
    held += part;
    at += part;
    left -= part;
  }
}

/** Puts the record away whose name was hashed and whose value came in pieces. Returns the blocks waiting. */
export function finishPieces(type: u32, expires: bool, expiryHigh: u32, expiryLow: u32): i32 {
  piece(PENDING, held);
  const value = stir(running + total * STEP);
  put(contentOf(value, type, expires, ((<u64>expiryHigh) << 32) | <u64>expiryLow));
  return queued;
}

@inline
function bitOf(hash: u64): u32 {
  return <u32>(hash >> 16) & ((1 << FILTER_BITS) - 1);
}

/** Adds the name with these words to what `search` looks for. */
export function seek(high: u32, low: u32): void {
  const bit = bitOf(((<u64>high) << 32) | <u64>low);
  const place = QUEUE + <usize>(bit >> 3);
  store<u8>(place, <u8>(<u32>load<u8>(place) | (1 << (bit & 7))));
}

/** Forgets what was looked for. */
export function seekNothing(): void {
  memory.fill(QUEUE, 0, 1 << (FILTER_BITS - 3));
}

/** Passes over records until one may be among those looked for, or is not for here. Returns where it stopped. */
export function search(from: usize, to: usize, database: u32): usize {
  let at = from;
  taken = 0;
  let batch = 16;
  let why = BATCH_FULL;
  while (why == BATCH_FULL) {
    const count = scan(at, to, batch, false);
    for (let i = 0; i < count; i++) {
      const d = DESCRIPTORS + <usize>i * DESCRIPTOR;
      hashName(load<u32>(d, NAME), load<u32>(d, NAME_LENGTH), database);
      const bit = bitOf(first);
      if ((load<u8>(QUEUE + <usize>(bit >> 3)) >> (bit & 7)) & 1) {
        taken += i;
        return report(load<u32>(d, START), UNUSUAL);
      }
    }
    taken += count;
    at = stopped;
    why = reason;
    batch = min<i32>(BATCH, batch << 1);
  }
  return report(at, why);
}
