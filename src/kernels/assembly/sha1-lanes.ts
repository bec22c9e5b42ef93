// SHA-1 of four messages at once, one in each lane of the vectors: what a lane holds is never mixed with another.
//
// Fixed memory:
//   STATES  five vectors: the four results, word by word
//   BLOCKS  one block of each message, for those that end in it

const STATES: usize = 0x300;
const BLOCKS: usize = 0x400;
/** Sixteen bytes of ones, then sixteen of zeros. */
const MASKS: usize = 0x360;

const K0: i32 = <i32>0x5a827999;
const K1: i32 = <i32>0x6ed9eba1;
const K2: i32 = <i32>0x8f1bbcdc;
const K3: i32 = <i32>0xca62c1d6;

@inline
function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(x, bits), i32x4.shr_u(x, 32 - bits));
}

@inline
function choose(b: v128, c: v128, d: v128): v128 {
  return v128.bitselect(c, d, b);
}

@inline
function parity(b: v128, c: v128, d: v128): v128 {
  return v128.xor(v128.xor(b, c), d);
}

@inline
function majority(b: v128, c: v128, d: v128): v128 {
  return v128.bitselect(d, c, v128.xor(b, c));
}

@inline
function turn(e: v128, a: v128, f: v128, w: v128, k: i32): v128 {
  return i32x4.add(i32x4.add(e, rotate(a, 5)), i32x4.add(f, i32x4.add(w, i32x4.splat(k))));
}

@inline
function spread(w: v128, x: v128, y: v128, z: v128): v128 {
  return rotate(v128.xor(v128.xor(w, x), v128.xor(y, z)), 1);
}

/** Called once. */
export function prepareLanes(): void {
  v128.store(MASKS, i32x4.splat(-1));
  v128.store(MASKS + 16, i32x4.splat(0));
}

export function beginLanes(): void {
  v128.store(STATES, i32x4.splat(0x67452301));
  v128.store(STATES, i32x4.splat(<i32>0xefcdab89), 16);
  v128.store(STATES, i32x4.splat(<i32>0x98badcfe), 32);
  v128.store(STATES, i32x4.splat(0x10325476), 48);
  v128.store(STATES, i32x4.splat(<i32>0xc3d2e1f0), 64);
}

/** Word `i` of the four results. */
@inline
export function resultWord(i: usize): v128 {
  return v128.load(STATES + (i << 4));
}

/** Adds words to the four results, as exclusive or does. */
@inline
export function xorResults(w0: v128, w1: v128, w2: v128, w3: v128, w4: v128): void {
  v128.store(STATES, v128.xor(v128.load(STATES), w0));
  v128.store(STATES, v128.xor(v128.load(STATES, 16), w1), 16);
  v128.store(STATES, v128.xor(v128.load(STATES, 32), w2), 32);
  v128.store(STATES, v128.xor(v128.load(STATES, 48), w3), 48);
  v128.store(STATES, v128.xor(v128.load(STATES, 64), w4), 64);
}

/** Blocks that a message of so many bytes takes. */
@inline
export function blocksOf(length: u32): u32 {
  return (length + 72) >> 6;
}

/** SHA-1 of four messages. */
export function hashMessages(
  m0: usize,
  length0: u32,
  m1: usize,
  length1: u32,
  m2: usize,
  length2: u32,
  m3: usize,
  length3: u32,
): void {
  const blocks0 = blocksOf(length0);
  const blocks1 = blocksOf(length1);
  const blocks2 = blocksOf(length2);
  const blocks3 = blocksOf(length3);
  const least = min<u32>(min<u32>(blocks0, blocks1), min<u32>(blocks2, blocks3));
  const most = max<u32>(max<u32>(blocks0, blocks1), max<u32>(blocks2, blocks3));
  beginLanes();
  for (let i: u32 = 0; i < most; i++) {
    const s0 = resultWord(0);
    const s1 = resultWord(1);
    const s2 = resultWord(2);
    const s3 = resultWord(3);
    const s4 = resultWord(4);
    // A message that has ended gives any block: what comes of it is not kept.
    compress(
      blockAt(m0, length0, min<u32>(i, blocks0 - 1), 0),
      blockAt(m1, length1, min<u32>(i, blocks1 - 1), 1),
      blockAt(m2, length2, min<u32>(i, blocks2 - 1), 2),
      blockAt(m3, length3, min<u32>(i, blocks3 - 1), 3),
    );
    if (i < least) continue;
    let goes = i32x4.replace_lane(i32x4.splat(0), 0, i < blocks0 ? -1 : 0);
    goes = i32x4.replace_lane(goes, 1, i < blocks1 ? -1 : 0);
    goes = i32x4.replace_lane(goes, 2, i < blocks2 ? -1 : 0);
    goes = i32x4.replace_lane(goes, 3, i < blocks3 ? -1 : 0);
    v128.store(STATES, v128.bitselect(resultWord(0), s0, goes));
    v128.store(STATES, v128.bitselect(resultWord(1), s1, goes), 16);
    v128.store(STATES, v128.bitselect(resultWord(2), s2, goes), 32);
    v128.store(STATES, v128.bitselect(resultWord(3), s3, goes), 48);
    v128.store(STATES, v128.bitselect(resultWord(4), s4, goes), 64);
  }
}

/** SHA-1 of the four results, each as the twenty bytes that it stands for. */
export function hashResults(): void {
  const zero = i32x4.splat(0);
  const end = i32x4.splat(<i32>0x80000000);
  const w0 = resultWord(0);
  const w1 = resultWord(1);
  const w2 = resultWord(2);
  const w3 = resultWord(3);
  const w4 = resultWord(4);
  beginLanes();
  rounds(w0, w1, w2, w3, w4, end, zero, zero, zero, zero, zero, zero, zero, zero, zero, i32x4.splat(160));
}

/** Where block `index` of a message stands: in it, or put together with what pads it. */
function blockAt(message: usize, length: u32, index: u32, lane: usize): usize {
  const start = index << 6;
  if (start + 64 <= length) return message + start;
  const into = BLOCKS + (lane << 6);
  const left = <i32>length - <i32>start;
  for (let at: i32 = 0; at < 64; at += 16) {
    const here = max<i32>(0, min<i32>(16, left - at));
    const mask = v128.load(MASKS + 16 - here);
    v128.store(into + at, v128.and(v128.load(message + start + at), mask));
  }
  if (left >= 0) store<u8>(into + left, 0x80);
  if (left < 56) store<u64>(into, bswap<u64>((<u64>length) << 3), 56);
  return into;
}

@inline
function swapped(message: usize, at: usize): v128 {
  const words = v128.load(message + at);
  return i8x16.shuffle(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** One block of each message, word by word. */
function compress(m0: usize, m1: usize, m2: usize, m3: usize): void {
  const a0 = swapped(m0, 0);
  const b0 = swapped(m1, 0);
  const c0 = swapped(m2, 0);
  const d0 = swapped(m3, 0);
  const low0 = i32x4.shuffle(a0, b0, 0, 4, 1, 5);
  const high0 = i32x4.shuffle(a0, b0, 2, 6, 3, 7);
  const lower0 = i32x4.shuffle(c0, d0, 0, 4, 1, 5);
  const higher0 = i32x4.shuffle(c0, d0, 2, 6, 3, 7);
  const a1 = swapped(m0, 16);
  const b1 = swapped(m1, 16);
  const c1 = swapped(m2, 16);
  const d1 = swapped(m3, 16);
  const low1 = i32x4.shuffle(a1, b1, 0, 4, 1, 5);
  const high1 = i32x4.shuffle(a1, b1, 2, 6, 3, 7);
  const lower1 = i32x4.shuffle(c1, d1, 0, 4, 1, 5);
  const higher1 = i32x4.shuffle(c1, d1, 2, 6, 3, 7);
  const a2 = swapped(m0, 32);
  const b2 = swapped(m1, 32);
  const c2 = swapped(m2, 32);
  const d2 = swapped(m3, 32);
  const low2 = i32x4.shuffle(a2, b2, 0, 4, 1, 5);
  const high2 = i32x4.shuffle(a2, b2, 2, 6, 3, 7);
  const lower2 = i32x4.shuffle(c2, d2, 0, 4, 1, 5);
  const higher2 = i32x4.shuffle(c2, d2, 2, 6, 3, 7);
  const a3 = swapped(m0, 48);
  const b3 = swapped(m1, 48);
  const c3 = swapped(m2, 48);
  const d3 = swapped(m3, 48);
  const low3 = i32x4.shuffle(a3, b3, 0, 4, 1, 5);
  const high3 = i32x4.shuffle(a3, b3, 2, 6, 3, 7);
  const lower3 = i32x4.shuffle(c3, d3, 0, 4, 1, 5);
  const higher3 = i32x4.shuffle(c3, d3, 2, 6, 3, 7);
  rounds(
    i64x2.shuffle(low0, lower0, 0, 2),
    i64x2.shuffle(low0, lower0, 1, 3),
    i64x2.shuffle(high0, higher0, 0, 2),
    i64x2.shuffle(high0, higher0, 1, 3),
    i64x2.shuffle(low1, lower1, 0, 2),
    i64x2.shuffle(low1, lower1, 1, 3),
    i64x2.shuffle(high1, higher1, 0, 2),
    i64x2.shuffle(high1, higher1, 1, 3),
    i64x2.shuffle(low2, lower2, 0, 2),
    i64x2.shuffle(low2, lower2, 1, 3),
    i64x2.shuffle(high2, higher2, 0, 2),
    i64x2.shuffle(high2, higher2, 1, 3),
    i64x2.shuffle(low3, lower3, 0, 2),
    i64x2.shuffle(low3, lower3, 1, 3),
    i64x2.shuffle(high3, higher3, 0, 2),
    i64x2.shuffle(high3, higher3, 1, 3),
  );
}

function rounds(
  w0: v128,
  w1: v128,
  w2: v128,
  w3: v128,
  w4: v128,
  w5: v128,
  w6: v128,
  w7: v128,
  w8: v128,
  w9: v128,
  w10: v128,
  w11: v128,
  w12: v128,
  w13: v128,
  w14: v128,
  w15: v128,
): void {
  let a = resultWord(0);
  let b = resultWord(1);
  let c = resultWord(2);
  let d = resultWord(3);
  let e = resultWord(4);
  e = turn(e, a, choose(b, c, d), w0, K0); b = rotate(b, 30);
  d = turn(d, e, choose(a, b, c), w1, K0); a = rotate(a, 30);
  c = turn(c, d, choose(e, a, b), w2, K0); e = rotate(e, 30);
  b = turn(b, c, choose(d, e, a), w3, K0); d = rotate(d, 30);
  a = turn(a, b, choose(c, d, e), w4, K0); c = rotate(c, 30);
  e = turn(e, a, choose(b, c, d), w5, K0); b = rotate(b, 30);
  d = turn(d, e, choose(a, b, c), w6, K0); a = rotate(a, 30);
  c = turn(c, d, choose(e, a, b), w7, K0); e = rotate(e, 30);
  b = turn(b, c, choose(d, e, a), w8, K0); d = rotate(d, 30);
  a = turn(a, b, choose(c, d, e), w9, K0); c = rotate(c, 30);
  e = turn(e, a, choose(b, c, d), w10, K0); b = rotate(b, 30);
  d = turn(d, e, choose(a, b, c), w11, K0); a = rotate(a, 30);
  c = turn(c, d, choose(e, a, b), w12, K0); e = rotate(e, 30);
  b = turn(b, c, choose(d, e, a), w13, K0); d = rotate(d, 30);
  a = turn(a, b, choose(c, d, e), w14, K0); c = rotate(c, 30);
  e = turn(e, a, choose(b, c, d), w15, K0); b = rotate(b, 30);
  w0 = spread(w13, w8, w2, w0); d = turn(d, e, choose(a, b, c), w0, K0); a = rotate(a, 30);
  w1 = spread(w14, w9, w3, w1); c = turn(c, d, choose(e, a, b), w1, K0); e = rotate(e, 30);
  w2 = spread(w15, w10, w4, w2); b = turn(b, c, choose(d, e, a), w2, K0); d = rotate(d, 30);
  w3 = spread(w0, w11, w5, w3); a = turn(a, b, choose(c, d, e), w3, K0); c = rotate(c, 30);
  w4 = spread(w1, w12, w6, w4); e = turn(e, a, parity(b, c, d), w4, K1); b = rotate(b, 30);
  w5 = spread(w2, w13, w7, w5); d = turn(d, e, parity(a, b, c), w5, K1); a = rotate(a, 30);
  w6 = spread(w3, w14, w8, w6); c = turn(c, d, parity(e, a, b), w6, K1); e = rotate(e, 30);
  w7 = spread(w4, w15, w9, w7); b = turn(b, c, parity(d, e, a), w7, K1); d = rotate(d, 30);
  w8 = spread(w5, w0, w10, w8); a = turn(a, b, parity(c, d, e), w8, K1); c = rotate(c, 30);
  w9 = spread(w6, w1, w11, w9); e = turn(e, a, parity(b, c, d), w9, K1); b = rotate(b, 30);
  w10 = spread(w7, w2, w12, w10); d = turn(d, e, parity(a, b, c), w10, K1); a = rotate(a, 30);
  w11 = spread(w8, w3, w13, w11); c = turn(c, d, parity(e, a, b), w11, K1); e = rotate(e, 30);
  w12 = spread(w9, w4, w14, w12); b = turn(b, c, parity(d, e, a), w12, K1); d = rotate(d, 30);
  w13 = spread(w10, w5, w15, w13); a = turn(a, b, parity(c, d, e), w13, K1); c = rotate(c, 30);
  w14 = spread(w11, w6, w0, w14); e = turn(e, a, parity(b, c, d), w14, K1); b = rotate(b, 30);
  w15 = spread(w12, w7, w1, w15); d = turn(d, e, parity(a, b, c), w15, K1); a = rotate(a, 30);
  w0 = spread(w13, w8, w2, w0); c = turn(c, d, parity(e, a, b), w0, K1); e = rotate(e, 30);
  w1 = spread(w14, w9, w3, w1); b = turn(b, c, parity(d, e, a), w1, K1); d = rotate(d, 30);
  w2 = spread(w15, w10, w4, w2); a = turn(a, b, parity(c, d, e), w2, K1); c = rotate(c, 30);
  w3 = spread(w0, w11, w5, w3); e = turn(e, a, parity(b, c, d), w3, K1); b = rotate(b, 30);
  w4 = spread(w1, w12, w6, w4); d = turn(d, e, parity(a, b, c), w4, K1); a = rotate(a, 30);
  w5 = spread(w2, w13, w7, w5); c = turn(c, d, parity(e, a, b), w5, K1); e = rotate(e, 30);
  w6 = spread(w3, w14, w8, w6); b = turn(b, c, parity(d, e, a), w6, K1); d = rotate(d, 30);
  w7 = spread(w4, w15, w9, w7); a = turn(a, b, parity(c, d, e), w7, K1); c = rotate(c, 30);
  w8 = spread(w5, w0, w10, w8); e = turn(e, a, majority(b, c, d), w8, K2); b = rotate(b, 30);
  w9 = spread(w6, w1, w11, w9); d = turn(d, e, majority(a, b, c), w9, K2); a = rotate(a, 30);
  w10 = spread(w7, w2, w12, w10); c = turn(c, d, majority(e, a, b), w10, K2); e = rotate(e, 30);
  w11 = spread(w8, w3, w13, w11); b = turn(b, c, majority(d, e, a), w11, K2); d = rotate(d, 30);
  w12 = spread(w9, w4, w14, w12); a = turn(a, b, majority(c, d, e), w12, K2); c = rotate(c, 30);
  w13 = spread(w10, w5, w15, w13); e = turn(e, a, majority(b, c, d), w13, K2); b = rotate(b, 30);
  w14 = spread(w11, w6, w0, w14); d = turn(d, e, majority(a, b, c), w14, K2); a = rotate(a, 30);
  w15 = spread(w12, w7, w1, w15); c = turn(c, d, majority(e, a, b), w15, K2); e = rotate(e, 30);
  w0 = spread(w13, w8, w2, w0); b = turn(b, c, majority(d, e, a), w0, K2); d = rotate(d, 30);
  w1 = spread(w14, w9, w3, w1); a = turn(a, b, majority(c, d, e), w1, K2); c = rotate(c, 30);
  w2 = spread(w15, w10, w4, w2); e = turn(e, a, majority(b, c, d), w2, K2); b = rotate(b, 30);
  w3 = spread(w0, w11, w5, w3); d = turn(d, e, majority(a, b, c), w3, K2); a = rotate(a, 30);
  w4 = spread(w1, w12, w6, w4); c = turn(c, d, majority(e, a, b), w4, K2); e = rotate(e, 30);
  w5 = spread(w2, w13, w7, w5); b = turn(b, c, majority(d, e, a), w5, K2); d = rotate(d, 30);
  w6 = spread(w3, w14, w8, w6); a = turn(a, b, majority(c, d, e), w6, K2); c = rotate(c, 30);
  w7 = spread(w4, w15, w9, w7); e = turn(e, a, majority(b, c, d), w7, K2); b = rotate(b, 30);
  w8 = spread(w5, w0, w10, w8); d = turn(d, e, majority(a, b, c), w8, K2); a = rotate(a, 30);
  w9 = spread(w6, w1, w11, w9); c = turn(c, d, majority(e, a, b), w9, K2); e = rotate(e, 30);
  w10 = spread(w7, w2, w12, w10); b = turn(b, c, majority(d, e, a), w10, K2); d = rotate(d, 30);
  w11 = spread(w8, w3, w13, w11); a = turn(a, b, majority(c, d, e), w11, K2); c = rotate(c, 30);
  w12 = spread(w9, w4, w14, w12); e = turn(e, a, parity(b, c, d), w12, K3); b = rotate(b, 30);
  w13 = spread(w10, w5, w15, w13); d = turn(d, e, parity(a, b, c), w13, K3); a = rotate(a, 30);
  w14 = spread(w11, w6, w0, w14); c = turn(c, d, parity(e, a, b), w14, K3); e = rotate(e, 30);
  w15 = spread(w12, w7, w1, w15); b = turn(b, c, parity(d, e, a), w15, K3); d = rotate(d, 30);
  w0 = spread(w13, w8, w2, w0); a = turn(a, b, parity(c, d, e), w0, K3); c = rotate(c, 30);
  w1 = spread(w14, w9, w3, w1); e = turn(e, a, parity(b, c, d), w1, K3); b = rotate(b, 30);
  w2 = spread(w15, w10, w4, w2); d = turn(d, e, parity(a, b, c), w2, K3); a = rotate(a, 30);
  w3 = spread(w0, w11, w5, w3); c = turn(c, d, parity(e, a, b), w3, K3); e = rotate(e, 30);
  w4 = spread(w1, w12, w6, w4); b = turn(b, c, parity(d, e, a), w4, K3); d = rotate(d, 30);
  w5 = spread(w2, w13, w7, w5); a = turn(a, b, parity(c, d, e), w5, K3); c = rotate(c, 30);
  w6 = spread(w3, w14, w8, w6); e = turn(e, a, parity(b, c, d), w6, K3); b = rotate(b, 30);
  w7 = spread(w4, w15, w9, w7); d = turn(d, e, parity(a, b, c), w7, K3); a = rotate(a, 30);
  w8 = spread(w5, w0, w10, w8); c = turn(c, d, parity(e, a, b), w8, K3); e = rotate(e, 30);
  w9 = spread(w6, w1, w11, w9); b = turn(b, c, parity(d, e, a), w9, K3); d = rotate(d, 30);
  w10 = spread(w7, w2, w12, w10); a = turn(a, b, parity(c, d, e), w10, K3); c = rotate(c, 30);
  w11 = spread(w8, w3, w13, w11); e = turn(e, a, parity(b, c, d), w11, K3); b = rotate(b, 30);
  w12 = spread(w9, w4, w14, w12); d = turn(d, e, parity(a, b, c), w12, K3); a = rotate(a, 30);
  w13 = spread(w10, w5, w15, w13); c = turn(c, d, parity(e, a, b), w13, K3); e = rotate(e, 30);
  w14 = spread(w11, w6, w0, w14); b = turn(b, c, parity(d, e, a), w14, K3); d = rotate(d, 30);
  w15 = spread(w12, w7, w1, w15); a = turn(a, b, parity(c, d, e), w15, K3); c = rotate(c, 30);
  v128.store(STATES, i32x4.add(resultWord(0), a));
  v128.store(STATES, i32x4.add(resultWord(1), b), 16);
  v128.store(STATES, i32x4.add(resultWord(2), c), 32);
  v128.store(STATES, i32x4.add(resultWord(3), d), 48);
  v128.store(STATES, i32x4.add(resultWord(4), e), 64);
}
