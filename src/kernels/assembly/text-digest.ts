// What texts add to DEBUG DIGEST, four keys at a time. Fixed memory besides that of record-scan.ts and sha1-lanes.ts:
//   STATUS  what the last call came to: why it ended, keys taken, keys past their time, and five words: what they add
//   ORDER   the records of a batch by the blocks that their values take

import {
  BATCH,
  BATCH_FULL,
  DESCRIPTOR,
  DESCRIPTORS,
  EXPIRES,
  EXPIRY,
  NAME,
  reason,
  scan,
  stopped,
  VALUE,
  VALUE_LENGTH,
} from './record-scan';
import { blocksOf, hashMessages, hashResults, prepareLanes, resultWord, xorResults } from './sha1-lanes';

const STATUS: usize = 0x200;
const ORDER: usize = 0x1d0000;
const FIRSTS: usize = 0x1d2000;
const ORDERS: u32 = 64;

// SHA-1 of four zero bytes, which stand for the type, and of '!!expire!!'.
const TYPE_0: i32 = <i32>0x9069ca78;
const TYPE_1: i32 = <i32>0xe7450a28;
const TYPE_2: i32 = <i32>0x5173431b;
const TYPE_3: i32 = <i32>0x3e52c5c2;
const TYPE_4: i32 = <i32>0x5299e473;
const EXPIRE_0: i32 = <i32>0xe685feff;
const EXPIRE_1: i32 = <i32>0xdc39ea54;
const EXPIRE_2: i32 = <i32>0xc116ebf8;
const EXPIRE_3: i32 = <i32>0x456acf9b;
const EXPIRE_4: i32 = <i32>0x1aae4183;

let taken: i32 = 0;
let expired: i32 = 0;
let now: i64 = 0;

/** Called once: before which time keys count as past it. */
export function prepare(nowMs: i64): void {
  prepareLanes();
  now = nowMs;
}

/** Digests the records from `from` on until one is not for here. Returns where it stopped. */
export function digest(from: usize, to: usize): usize {
  let at = from;
  taken = expired = 0;
  for (let word: usize = 0; word < 5; word++) store<u32>(STATUS + 16 + (word << 2), 0);
  do {
    const count = scan(at, to, BATCH, true);
    sort(count);
    for (let i = 0; i < count; i += 4) digestFour(i, min<i32>(4, count - i));
    taken += count;
    at = stopped;
  } while (reason == BATCH_FULL);
  store<i32>(STATUS, reason);
  store<i32>(STATUS, taken, 4);
  store<i32>(STATUS, expired, 8);
  return at;
}

@inline
function blocksAt(record: i32): u32 {
  return min<u32>(ORDERS - 1, blocksOf(load<u32>(DESCRIPTORS + <usize>record * DESCRIPTOR, VALUE_LENGTH)));
}

/** Lists the records of a batch by the blocks that their values take, so that four that go together take the same. */
function sort(count: i32): void {
  memory.fill(FIRSTS, 0, ORDERS << 2);
  for (let i = 0; i < count; i++) {
    const bucket = FIRSTS + (<usize>blocksAt(i) << 2);
    store<u32>(bucket, load<u32>(bucket) + 1);
  }
  let sum: u32 = 0;
  for (let blocks: usize = 0; blocks < ORDERS; blocks++) {
    const bucket = FIRSTS + (blocks << 2);
    const size = load<u32>(bucket);
    store<u32>(bucket, sum);
    sum += size;
  }
  for (let i = 0; i < count; i++) {
    const bucket = FIRSTS + (<usize>blocksAt(i) << 2);
    const place = load<u32>(bucket);
    store<u32>(bucket, place + 1);
    store<u32>(ORDER + (<usize>place << 2), i);
  }
}

/** The descriptor of a record by its place in the order. */
@inline
function descriptorAt(place: i32): usize {
  return DESCRIPTORS + <usize>load<u32>(ORDER + (<usize>place << 2)) * DESCRIPTOR;
}

@inline
function expiryOf(d: usize): i32 {
  if (load<u32>(d, EXPIRES) == 0) return 0;
  if (load<i64>(d, EXPIRY) < now) expired++;
  return -1;
}

/** `lanes` records, the first of which stands at `place` of the order; the other lanes go through it again. */
function digestFour(place: i32, lanes: i32): void {
  const d0 = descriptorAt(place);
  const d1 = lanes > 1 ? descriptorAt(place + 1) : d0;
  const d2 = lanes > 2 ? descriptorAt(place + 2) : d0;
  const d3 = lanes > 3 ? descriptorAt(place + 3) : d0;
  hashPart(d0, d1, d2, d3, VALUE);
  const v0 = resultWord(0);
  const v1 = resultWord(1);
  const v2 = resultWord(2);
  const v3 = resultWord(3);
  const v4 = resultWord(4);
  hashPart(d0, d1, d2, d3, NAME);
  hashResults();
  xorResults(i32x4.splat(TYPE_0), i32x4.splat(TYPE_1), i32x4.splat(TYPE_2), i32x4.splat(TYPE_3), i32x4.splat(TYPE_4));
  hashResults();
  xorResults(v0, v1, v2, v3, v4);
  hashResults();
  let expires = i32x4.splat(0);
  expires = i32x4.replace_lane(expires, 0, expiryOf(d0));
  if (lanes > 1) expires = i32x4.replace_lane(expires, 1, expiryOf(d1));
  if (lanes > 2) expires = i32x4.replace_lane(expires, 2, expiryOf(d2));
  if (lanes > 3) expires = i32x4.replace_lane(expires, 3, expiryOf(d3));
  xorResults(
    v128.and(expires, i32x4.splat(EXPIRE_0)),
    v128.and(expires, i32x4.splat(EXPIRE_1)),
    v128.and(expires, i32x4.splat(EXPIRE_2)),
    v128.and(expires, i32x4.splat(EXPIRE_3)),
    v128.and(expires, i32x4.splat(EXPIRE_4)),
  );
  hashResults();
  for (let word: usize = 0; word < 5; word++) add(word, lanes);
}

@inline
function hashPart(d0: usize, d1: usize, d2: usize, d3: usize, part: usize): void {
  hashMessages(
    load<u32>(d0 + part),
    load<u32>(d0 + part, 4),
    load<u32>(d1 + part),
    load<u32>(d1 + part, 4),
    load<u32>(d2 + part),
    load<u32>(d2 + part, 4),
    load<u32>(d3 + part),
    load<u32>(d3 + part, 4),
  );
}

/** Adds a word of the results to what they add up to. */
@inline
function add(word: usize, lanes: i32): void {
  const results = resultWord(word);
  let sum = i32x4.extract_lane(results, 0);
  if (lanes > 1) sum ^= i32x4.extract_lane(results, 1);
  if (lanes > 2) sum ^= i32x4.extract_lane(results, 2);
  if (lanes > 3) sum ^= i32x4.extract_lane(results, 3);
  const place = STATUS + 16 + (word << 2);
  store<i32>(place, load<i32>(place) ^ sum);
}
