/** XXH3 with seed 0 and the secret of its specification, for the few commands that compare digests. */

const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221' +
    'b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb' +
    '170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
);

const MASK = 0xffffffffffffffffn;
const PRIME32_1 = 0x9e3779b1n;
const PRIME32_2 = 0x85ebca77n;
const PRIME32_3 = 0xc2b2ae3dn;
const PRIME64_1 = 0x9e3779b185ebca87n;
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME64_3 = 0x165667b19e3779f9n;
const PRIME64_4 = 0x85ebca77c2b2ae63n;
const PRIME64_5 = 0x27d4eb2f165667c5n;
const PRIME_MX1 = 0x165667919e3779f9n;
const PRIME_MX2 = 0x9fb21c651e98df25n;

/** The most bytes that are mixed in one go; more are taken in stripes. */
const MID_MAX = 240;
const STRIPE = 64;
const LANES = 8;
const STRIPES_PER_BLOCK = (SECRET.length - STRIPE) / 8;

const secret = (at: number): bigint => SECRET.readBigUInt64LE(at);

interface Bits128 {
  readonly low: bigint;
  readonly high: bigint;
}

/** XXH3_64bits of `bytes[start..end)`. */
export function xxh3(bytes: Buffer, start: number, end: number): bigint {
  const length = BigInt(end - start);
  if (end - start > MID_MAX) {
    const lanes = accumulate(bytes, start, end);
    return mergeLanes(lanes, 11, (length * PRIME64_1) & MASK);
  }
  if (end - start > 16) return middle64(bytes, start, end);
  if (end - start > 8) {
    const low = bytes.readBigUInt64LE(start) ^ secret(24) ^ secret(32);
    const high = bytes.readBigUInt64LE(end - 8) ^ secret(40) ^ secret(48);
    return avalanche(length + swapped(low) + high + folded(low, high));
  }
  if (end - start >= 4) {
    const ends = BigInt(bytes.readUInt32LE(end - 4)) + (BigInt(bytes.readUInt32LE(start)) << 32n);
    let hash = ends ^ secret(8) ^ secret(16);
    hash ^= rotated(hash, 49n) ^ rotated(hash, 24n);
    hash = (hash * PRIME_MX2) & MASK;
    hash ^= (hash >> 35n) + length;
    hash = (hash * PRIME_MX2) & MASK;
    return hash ^ (hash >> 28n);
  }
  if (end > start) return avalanche64(BigInt(combined(bytes, start, end)) ^ secretWords(0));
  return avalanche64(secret(56) ^ secret(64));
}

/** XXH3_128bits of `bytes[start..end)`. */
export function xxh128(bytes: Buffer, start: number, end: number): Bits128 {
  const length = BigInt(end - start);
  if (end - start > MID_MAX) {
    const lanes = accumulate(bytes, start, end);
    return {
      low: mergeLanes(lanes, 11, (length * PRIME64_1) & MASK),
      high: mergeLanes(lanes, SECRET.length - STRIPE - 11, ~(length * PRIME64_2) & MASK),
    };
  }
  if (end - start > 16) return middle128(bytes, start, end);
  if (end - start > 8) return short128(bytes, start, end);
  if (end - start >= 4) {
    const ends = BigInt(bytes.readUInt32LE(start)) + (BigInt(bytes.readUInt32LE(end - 4)) << 32n);
    const product = (ends ^ secret(16) ^ secret(24)) * ((PRIME64_1 + (length << 2n)) & MASK);
    let low = product & MASK;
    const high = ((product >> 64n) + (low << 1n)) & MASK;
    low ^= high >> 3n;
    low ^= low >> 35n;
    low = (low * PRIME_MX2) & MASK;
    return { low: low ^ (low >> 28n), high: avalanche(high) };
  }
  if (end === start) {
    return { low: avalanche64(secret(64) ^ secret(72)), high: avalanche64(secret(80) ^ secret(88)) };
  }
  const word = combined(bytes, start, end);
  const turned = swappedWord(word);
  const high = ((turned << 13) | (turned >>> 19)) >>> 0;
  return {
    low: avalanche64(BigInt(word) ^ secretWords(0)),
    high: avalanche64(BigInt(high) ^ secretWords(8)),
  };
}

/** One to three bytes and their number in one word. */
function combined(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  const middle = bytes[start + (length >> 1)]!;
  return ((bytes[start]! << 16) | (middle << 24) | bytes[end - 1]! | (length << 8)) >>> 0;
}

function secretWords(at: number): bigint {
  return BigInt((SECRET.readUInt32LE(at) ^ SECRET.readUInt32LE(at + 4)) >>> 0);
}

/** Nine to sixteen bytes. */
function short128(bytes: Buffer, start: number, end: number): Bits128 {
  const length = BigInt(end - start);
  const first = bytes.readBigUInt64LE(start);
  let last = bytes.readBigUInt64LE(end - 8);
  const product = (first ^ last ^ secret(32) ^ secret(40)) * PRIME64_1;
  const low = ((product & MASK) + ((length - 1n) << 54n)) & MASK;
  last ^= secret(48) ^ secret(56);
  const high = ((product >> 64n) + last + (last & 0xffffffffn) * (PRIME32_2 - 1n)) & MASK;
  const second = (low ^ swapped(high)) * PRIME64_2;
  return {
    low: avalanche(second & MASK),
    high: avalanche(((second >> 64n) + high * PRIME64_2) & MASK),
  };
}

/** Sixteen bytes mixed with sixteen of the secret. */
function mixed(bytes: Buffer, at: number, secretAt: number): bigint {
  const low = bytes.readBigUInt64LE(at) ^ secret(secretAt);
  return folded(low, bytes.readBigUInt64LE(at + 8) ^ secret(secretAt + 8));
}

/** Seventeen to 240 bytes. */
function middle64(bytes: Buffer, start: number, end: number): bigint {
  const length = end - start;
  let sum = BigInt(length) * PRIME64_1;
  if (length <= 128) {
    for (let i = (length - 1) >> 5; i >= 0; i--) {
      sum += mixed(bytes, start + 16 * i, 32 * i) + mixed(bytes, end - 16 * (i + 1), 32 * i + 16);
    }
    return avalanche(sum);
  }
  for (let i = 0; i < 8; i++) sum += mixed(bytes, start + 16 * i, 16 * i);
  sum = avalanche(sum);
  for (let i = 8; i < length >> 4; i++) sum += mixed(bytes, start + 16 * i, 16 * (i - 8) + 3);
  return avalanche(sum + mixed(bytes, end - 16, 119));
}

function middle128(bytes: Buffer, start: number, end: number): Bits128 {
  const length = end - start;
  let low = (BigInt(length) * PRIME64_1) & MASK;
  let high = 0n;
  const mixPair = (a: number, b: number, secretAt: number): void => {
    low = (low + mixed(bytes, a, secretAt)) & MASK;
    low ^= (bytes.readBigUInt64LE(b) + bytes.readBigUInt64LE(b + 8)) & MASK;
    high = (high + mixed(bytes, b, secretAt + 16)) & MASK;
    high ^= (bytes.readBigUInt64LE(a) + bytes.readBigUInt64LE(a + 8)) & MASK;
  };
  if (length <= 128) {
    for (let i = (length - 1) >> 5; i >= 0; i--) mixPair(start + 16 * i, end - 16 * (i + 1), 32 * i);
  } else {
    for (let i = 0; i < 128; i += 32) mixPair(start + i, start + i + 16, i);
    low = avalanche(low);
    high = avalanche(high);
    for (let i = 128; i + 32 <= length; i += 32) mixPair(start + i, start + i + 16, 3 + i - 128);
    mixPair(end - 16, end - 32, 103);
  }
  const sum = low * PRIME64_1 + high * PRIME64_4 + BigInt(length) * PRIME64_2;
  return { low: avalanche(low + high), high: -avalanche(sum) & MASK };
}

/** The eight lanes, low and high word each, after all stripes of more than 240 bytes. */
function accumulate(bytes: Buffer, start: number, end: number): Uint32Array {
  const lanes = new Uint32Array(2 * LANES);
  const initial = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1];
  for (let i = 0; i < LANES; i++) {
    lanes[2 * i] = Number(initial[i]! & 0xffffffffn);
    lanes[2 * i + 1] = Number(initial[i]! >> 32n);
  }
  const stripes = Math.floor((end - start - 1) / STRIPE);
  for (let i = 0; i < stripes; i++) {
    const inBlock = i % STRIPES_PER_BLOCK;
    addStripe(lanes, bytes, start + i * STRIPE, inBlock * 8);
    if (inBlock === STRIPES_PER_BLOCK - 1) scramble(lanes);
  }
  addStripe(lanes, bytes, end - STRIPE, SECRET.length - STRIPE - 7);
  return lanes;
}

function addStripe(lanes: Uint32Array, bytes: Buffer, at: number, secretAt: number): void {
  for (let i = 0; i < LANES; i++) {
    const low = bytes.readUInt32LE(at + 8 * i);
    const high = bytes.readUInt32LE(at + 8 * i + 4);
    add(lanes, i ^ 1, low, high);
    const a = (low ^ SECRET.readUInt32LE(secretAt + 8 * i)) >>> 0;
    const b = (high ^ SECRET.readUInt32LE(secretAt + 8 * i + 4)) >>> 0;
    multiply(a, b);
    add(lanes, i, product.low, product.high);
  }
}

function add(lanes: Uint32Array, lane: number, low: number, high: number): void {
  const sum = lanes[2 * lane]! + low;
  lanes[2 * lane] = sum;
  lanes[2 * lane + 1] = lanes[2 * lane + 1]! + high + (sum > 0xffffffff ? 1 : 0);
}

/** Where `multiply` leaves its two words. */
const product = { low: 0, high: 0 };

/** Multiplies two words. */
function multiply(a: number, b: number): void {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const lowest = aLow * bLow;
  const cross = aHigh * bLow + (lowest >>> 16);
  const other = aLow * bHigh + (cross % 0x10000);
  product.low = (((other & 0xffff) << 16) | (lowest & 0xffff)) >>> 0;
  product.high = aHigh * bHigh + Math.floor(cross / 0x10000) + Math.floor(other / 0x10000);
}

function scramble(lanes: Uint32Array): void {
  const prime = Number(PRIME32_1);
  for (let i = 0; i < LANES; i++) {
    const at = SECRET.length - STRIPE + 8 * i;
    const high = lanes[2 * i + 1]!;
    const mixedLow = (lanes[2 * i]! ^ (high >>> 15) ^ SECRET.readUInt32LE(at)) >>> 0;
    const mixedHigh = (high ^ SECRET.readUInt32LE(at + 4)) >>> 0;
    multiply(mixedLow, prime);
    lanes[2 * i] = product.low;
    lanes[2 * i + 1] = product.high + Math.imul(mixedHigh, prime);
  }
}

function mergeLanes(lanes: Uint32Array, secretAt: number, start: bigint): bigint {
  const lane = (i: number): bigint => BigInt(lanes[2 * i]!) | (BigInt(lanes[2 * i + 1]!) << 32n);
  let sum = start;
  for (let i = 0; i < LANES; i += 2) {
    sum += folded(lane(i) ^ secret(secretAt + 8 * i), lane(i + 1) ^ secret(secretAt + 8 * i + 8));
  }
  return avalanche(sum);
}

/** The halves of a product, one on the other. */
function folded(a: bigint, b: bigint): bigint {
  const all = a * b;
  return (all & MASK) ^ (all >> 64n);
}

function avalanche(value: bigint): bigint {
  let hash = value & MASK;
  hash ^= hash >> 37n;
  hash = (hash * PRIME_MX1) & MASK;
  return hash ^ (hash >> 32n);
}

function avalanche64(value: bigint): bigint {
  let hash = value ^ (value >> 33n);
  hash = (hash * PRIME64_2) & MASK;
  hash ^= hash >> 29n;
  hash = (hash * PRIME64_3) & MASK;
  return hash ^ (hash >> 32n);
}

function rotated(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & MASK;
}

function swappedWord(word: number): number {
  return ((word >>> 24) | ((word >>> 8) & 0xff00) | ((word & 0xff00) << 8) | (word << 24)) >>> 0;
}

function swapped(value: bigint): bigint {
  const low = swappedWord(Number(value & 0xffffffffn));
  return (BigInt(low) << 32n) | BigInt(swappedWord(Number(value >> 32n)));
}
