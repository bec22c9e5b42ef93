// Checks whole records of an RDB as deeply as the decoder does, in WebAssembly, and keeps a hash of every name. What is
// damaged, odd, rare or larger than the memory here is left where it stands, for those who can tell what it is; so nothing
// here needs words.
//
// Fixed memory, no runtime, no allocation:
//   ACTIONS  by the first byte of a record: what it is, or an attribute of a key
//   STATE    results of a run
//   COUNTS   names in each part's block
//   OWNERS   the part that each block of QUEUE is of
//   0x1000   what crc64-fold.ts keeps, to 0xd000 and from 0x10000 to 0x20000
//   MASKS    sixteen bytes of ones, sixteen of zeros
//   FIRST    texts that do not stand in the file as they are; SECOND too
//   SEEN     members of the value at hand, later slots for names
//   BLOCKS   one block of names for each part, by the upper byte of their hashes
//   QUEUE    blocks that are full
//   INPUT    windows of the file
//   MANY     slots for names where SEEN is too small
import { isPlausible, setPlausible } from './check-packed';
import { inputEnd, isPosition, OTHER, readLength, readText, setInputEnd, SHORT, short, textAt, textEnd, wantedTo, length } from './check-text';
import { checkValue, FIRST } from './check-values';
import { continueSum, prepareSums } from './crc64-fold';

/** Called once. Times of expiry outside of `[oldestMs, newestMs)` are left to others. */
export function prepare(oldestMs: f64, newestMs: f64): void {
  setPlausible(oldestMs, newestMs);
  prepareSums();
  memory.fill(MASKS, 0xff, BLOCK);
}

/** Continues the checksum at STATE over `length` bytes. */
export function sum(start: usize, length: usize): void {
  store<u64>(STATE, continueSum(load<u64>(STATE), start, length));
}

const ACTIONS: usize = 0;
const STATE: usize = 0x200;
const COUNTS: usize = 0x800;
const OWNERS: usize = 0xc00;
const MASKS: usize = 0xe000;
const SEEN: usize = 0x100000;
const BLOCKS: usize = 0x180000;
const QUEUE: usize = 0x280000;

/** Attributes of the key that follows. */
const EXPIRY_MS: u32 = 32;
const EXPIRY_SECONDS: u32 = 33;
const IDLE: u32 = 34;

const BLOCK_SHIFT: usize = 12;
/** Bytes of a name in a block: what the part does not tell of 56 bits. */
const NAME_BYTES: usize = 6;
const NAMES_MAX: u32 = 680;
const QUEUE_MAX: u32 = 64;

/** What a run ends with. */
const NEED: u32 = 0;
const FULL: u32 = 1;
const LEFT: u32 = 2;

let queued: u32 = 0;
let expiring: u32 = 0;
let hasExpiry: bool = false;
/** The upper 32 bits of the hash of the name at hand, and 24 more. */
let upper: u32 = 0;
let lower: u32 = 0;
/** What the database adds to both. */
let upperSalt: u32 = 0;
let lowerSalt: u32 = 0;

/** Goes on with the records that stand from `from` to `end`; `collect`: keeps their names. */
export function run(from: usize, end: usize, database: u32, collect: bool): u32 {
  setInputEnd(end);
  setDatabase(database);
  let at = from;
  let keys: u32 = 0;
  let status = FULL;
  expiring = 0;
  while (queued < QUEUE_MAX) {
    const next = record(at, collect);
    if (!isPosition(next)) {
      status = next == SHORT ? NEED : LEFT;
      break;
    }
    at = next;
    keys++;
    if (hasExpiry) expiring++;
    if (collect) put();
  }
  store<u32>(STATE, <u32>at);
  store<u32>(STATE, <u32>(wantedTo - at), 4);
  store<u32>(STATE, keys, 8);
  store<u32>(STATE, expiring, 12);
  store<u32>(STATE, queued, 16);
  return status;
}

/** Says that the queue was emptied. */
export function emptied(): void {
  queued = 0;
}

@inline
function record(start: usize, collect: bool): usize {
  if (start >= inputEnd) return short(start + 1);
  let at = start;
  let action = <u32>load<u8>(ACTIONS + <usize>load<u8>(at));
  hasExpiry = false;
  while (action >= EXPIRY_MS) {
    at = attribute(action, at + 1);
    if (!isPosition(at)) return at;
    if (at >= inputEnd) return short(at + 1);
    action = <u32>load<u8>(ACTIONS + <usize>load<u8>(at));
  }
  if (action == 0) return OTHER;
  at = readText(at + 1, FIRST);
  if (!isPosition(at)) return at;
  if (collect) hashName(textAt, textEnd);
  return checkValue(action, at);
}

function attribute(action: u32, at: usize): usize {
  if (action == IDLE) return readLength(at);
  const next = at + (action == EXPIRY_MS ? 8 : action == EXPIRY_SECONDS ? 4 : 1);
  if (next > inputEnd) return short(next);
  if (action <= EXPIRY_SECONDS) {
    hasExpiry = true;
    if (!isPlausible(action == EXPIRY_MS ? load<i64>(at) : <i64>load<i32>(at) * 1000)) return OTHER;
  }
  return next;
}

/** Remembers a name by its hash. Returns the blocks waiting, of which there must be fewer than can wait. */
export function addName(high: u32, low: u32): u32 {
  upper = high;
  lower = low;
  put();
  return queued;
}

/** Bytes of a name that are hashed at a time. */
const BLOCK: usize = 16;

/** As `hashName` of ../../tools/check/names.ts. Reads up to sixteen bytes more than there are. */
@inline
function hashName(start: usize, end: usize): void {
  let hash = <u64>(end - start) * 0x9e3779b97f4a7c15;
  let at = start;
  let low: u64;
  let high: u64;
  for (; ; at += BLOCK) {
    low = load<u64>(at);
    high = load<u64>(at, 8);
    if (end - at <= BLOCK) break;
    hash = mix(hash, low, high);
  }
  // Lengths differ from name to name: nothing here is told to stop by them.
  const mask = MASKS + BLOCK - (end - at);
  hash = mix(hash, low & load<u64>(mask), high & load<u64>(mask, 8));
  upper = <u32>(hash >> 24) ^ upperSalt;
  lower = (<u32>hash & 0xffffff) ^ lowerSalt;
}

@inline
function mix(hash: u64, low: u64, high: u64): u64 {
  low *= 0xd6e8feb86659fd93;
  high *= 0xe7037ed1a0b428db;
  low = (low ^ (low >> 32)) * 0xa0761d6478bd642f;
  high = (high ^ (high >> 32)) * 0x8ebc6af09c88c6e3;
  const both = (hash ^ low ^ high) * 0x9fb21c651e98df25;
  return both ^ (both >> 32);
}

function setDatabase(index: u32): void {
  upperSalt = (index * 0x9e3779b1) >> 8;
  lowerSalt = (index * 0x27d4eb2f) >> 8;
}

@inline
function put(): void {
  const part = <usize>(upper >> 24);
  const counter = COUNTS + (part << 2);
  const count = load<u32>(counter);
  const block = BLOCKS + (part << BLOCK_SHIFT);
  store<u64>(block + <usize>count * NAME_BYTES, (<u64>(upper & 0xffffff) << 24) | <u64>lower);
  if (count + 1 < NAMES_MAX) store<u32>(counter, count + 1);
  else {
    store<u32>(counter, 0);
    memory.copy(QUEUE + (<usize>queued << BLOCK_SHIFT), block, 1 << BLOCK_SHIFT);
    store<u8>(OWNERS + <usize>queued, <u8>part);
    queued++;
  }
}

/** Makes `count` names at `at`, which were kept as those of database 0, names of another. */
export function moveNames(at: usize, count: u32, database: u32): void {
  setDatabase(database);
  const end = at + <usize>count * NAME_BYTES;
  for (let from = at; from < end; from += NAME_BYTES) {
    const name = load<u64>(from) ^ (((<u64>upperSalt) << 24) | <u64>lowerSalt);
    store<u32>(from, <u32>name);
    store<u16>(from, <u16>(name >> 32), 4);
  }
}

/** Bytes of a bucket: four words, of which 0 is none. */
const BUCKET: usize = 16;
/** Where buckets are when there are more than SEEN has room for: behind all else, so that who needs few never touches it. */
const MANY: usize = 0x480000;
const SEEN_BYTES: usize = BLOCKS - SEEN;

let bucketsAt: usize = SEEN;
let bucketsMask: u32 = 0;
let round: u32 = 0;
let roundMask: u32 = 0;

/**
 * Begins to look for names that came twice in one part: of those with this number in their upper bits, which are as many
 * as the mask has. `names`: about how many there are, at most a million, fewer than there are slots in any case.
 */
export function beginPart(names: u32, roundNumber: u32, mask: u32): void {
  let buckets: u32 = 256;
  // Half empty, so that few are full: whoever comes to one that is not need not guess where its name is.
  while (buckets << 1 < names) buckets <<= 1;
  bucketsMask = buckets - 1;
  round = roundNumber;
  roundMask = mask;
  const size = <usize>buckets * BUCKET;
  bucketsAt = size > SEEN_BYTES ? MANY : SEEN;
  memory.fill(bucketsAt, 0, size);
}

/** Looks at `count` names at `at`; leaves those that came before there instead. Returns how many, or -1: too many names. */
export function findTwice(at: usize, count: u32): i32 {
  let found = at;
  for (let i: u32 = 0, from = at; i < count; i++, from += NAME_BYTES) {
    const name = load<u64>(from) & 0xffffffffffff;
    if ((<u32>(name >> 24) & roundMask) != round) continue;
    const rest = max<u32>(<u32>(name >> 16), 1);
    const wanted = i32x4.splat(<i32>rest);
    let bucket = <u32>name & bucketsMask;
    for (let probes: u32 = 0; ; probes++) {
      const place = bucketsAt + <usize>bucket * BUCKET;
      const there = v128.load(place);
      if (v128.any_true(i32x4.eq(there, wanted))) {
        store<u32>(found, <u32>name);
        store<u16>(found, <u16>(name >> 32), 4);
        found += NAME_BYTES;
        break;
      }
      const used = <usize>popcnt<i32>(i32x4.bitmask(i32x4.ne(there, i32x4.splat(0))));
      if (used < 4) {
        store<u32>(place + (used << 2), rest);
        break;
      }
      if (probes == bucketsMask) return -1;
      bucket = (bucket + 1) & bucketsMask;
    }
  }
  return <i32>((found - at) / NAME_BYTES);
}
