// SHA-1 in WebAssembly. Fixed memory: the state (five words, also the result) at STATE, input
// from INPUT with two blocks of room behind them. The eighty rounds stand one by one: in loops they take half as long again.

const STATE: usize = 0x40;
const INPUT: usize = 0x100;

const K0: u32 = 0x5a827999;
const K1: u32 = 0x6ed9eba1;
const K2: u32 = 0x8f1bbcdc;
const K3: u32 = 0xca62c1d6;

@inline
function choose(b: u32, c: u32, d: u32): u32 {
  return d ^ (b & (c ^ d));
}

@inline
function parity(b: u32, c: u32, d: u32): u32 {
  return b ^ c ^ d;
}

@inline
function majority(b: u32, c: u32, d: u32): u32 {
  return (b & c) | (d & (b | c));
}

function begin(): void {
  store<u32>(STATE, 0x67452301);
  store<u32>(STATE, 0xefcdab89, 4);
  store<u32>(STATE, 0x98badcfe, 8);
  store<u32>(STATE, 0x10325476, 12);
  store<u32>(STATE, 0xc3d2e1f0, 16);
}

/** SHA-1 of the first `length` bytes of the input area, into the state. */
export function sha1(length: usize): void {
  begin();
  let at = INPUT;
  let rest = length;
  for (; rest >= 64; rest -= 64, at += 64) block(at);
  store<u8>(at + rest, 0x80);
  memory.fill(at + rest + 1, 0, 127 - rest);
  if (rest >= 56) {
    block(at);
    at += 64;
  }
  store<u32>(at, bswap<u32>(<u32>length << 3), 60);
  block(at);
}

/** SHA-1 of the twenty bytes that the state stands for, into the state. */
export function sha1OfState(): void {
  for (let i: usize = 0; i < 20; i += 4) store<u32>(INPUT + i, bswap<u32>(load<u32>(STATE + i)));
  store<u32>(INPUT, 0x80, 20);
  memory.fill(INPUT + 24, 0, 36);
  store<u32>(INPUT, 0xa0000000, 60);
  begin();
  block(INPUT);
}

function block(at: usize): void {
  let w0 = bswap<u32>(load<u32>(at, 0));
  let w1 = bswap<u32>(load<u32>(at, 4));
  let w2 = bswap<u32>(load<u32>(at, 8));
  let w3 = bswap<u32>(load<u32>(at, 12));
  let w4 = bswap<u32>(load<u32>(at, 16));
  let w5 = bswap<u32>(load<u32>(at, 20));
  let w6 = bswap<u32>(load<u32>(at, 24));
  let w7 = bswap<u32>(load<u32>(at, 28));
  let w8 = bswap<u32>(load<u32>(at, 32));
  let w9 = bswap<u32>(load<u32>(at, 36));
  let w10 = bswap<u32>(load<u32>(at, 40));
  let w11 = bswap<u32>(load<u32>(at, 44));
  let w12 = bswap<u32>(load<u32>(at, 48));
  let w13 = bswap<u32>(load<u32>(at, 52));
  let w14 = bswap<u32>(load<u32>(at, 56));
  let w15 = bswap<u32>(load<u32>(at, 60));
  let a = load<u32>(STATE);
  let b = load<u32>(STATE, 4);
  let c = load<u32>(STATE, 8);
  let d = load<u32>(STATE, 12);
  let e = load<u32>(STATE, 16);
  e += rotl<u32>(a, 5) + choose(b, c, d) + w0 + K0; b = rotl<u32>(b, 30);
  d += rotl<u32>(e, 5) + choose(a, b, c) + w1 + K0; a = rotl<u32>(a, 30);
  c += rotl<u32>(d, 5) + choose(e, a, b) + w2 + K0; e = rotl<u32>(e, 30);
  b += rotl<u32>(c, 5) + choose(d, e, a) + w3 + K0; d = rotl<u32>(d, 30);
  a += rotl<u32>(b, 5) + choose(c, d, e) + w4 + K0; c = rotl<u32>(c, 30);
  e += rotl<u32>(a, 5) + choose(b, c, d) + w5 + K0; b = rotl<u32>(b, 30);
  d += rotl<u32>(e, 5) + choose(a, b, c) + w6 + K0; a = rotl<u32>(a, 30);
  c += rotl<u32>(d, 5) + choose(e, a, b) + w7 + K0; e = rotl<u32>(e, 30);
  b += rotl<u32>(c, 5) + choose(d, e, a) + w8 + K0; d = rotl<u32>(d, 30);
  a += rotl<u32>(b, 5) + choose(c, d, e) + w9 + K0; c = rotl<u32>(c, 30);
  e += rotl<u32>(a, 5) + choose(b, c, d) + w10 + K0; b = rotl<u32>(b, 30);
  d += rotl<u32>(e, 5) + choose(a, b, c) + w11 + K0; a = rotl<u32>(a, 30);
  c += rotl<u32>(d, 5) + choose(e, a, b) + w12 + K0; e = rotl<u32>(e, 30);
  b += rotl<u32>(c, 5) + choose(d, e, a) + w13 + K0; d = rotl<u32>(d, 30);
  a += rotl<u32>(b, 5) + choose(c, d, e) + w14 + K0; c = rotl<u32>(c, 30);
  e += rotl<u32>(a, 5) + choose(b, c, d) + w15 + K0; b = rotl<u32>(b, 30);
  w0 = rotl<u32>(w13 ^ w8 ^ w2 ^ w0, 1); d += rotl<u32>(e, 5) + choose(a, b, c) + w0 + K0; a = rotl<u32>(a, 30);
  w1 = rotl<u32>(w14 ^ w9 ^ w3 ^ w1, 1); c += rotl<u32>(d, 5) + choose(e, a, b) + w1 + K0; e = rotl<u32>(e, 30);
  w2 = rotl<u32>(w15 ^ w10 ^ w4 ^ w2, 1); b += rotl<u32>(c, 5) + choose(d, e, a) + w2 + K0; d = rotl<u32>(d, 30);
  w3 = rotl<u32>(w0 ^ w11 ^ w5 ^ w3, 1); a += rotl<u32>(b, 5) + choose(c, d, e) + w3 + K0; c = rotl<u32>(c, 30);
  w4 = rotl<u32>(w1 ^ w12 ^ w6 ^ w4, 1); e += rotl<u32>(a, 5) + parity(b, c, d) + w4 + K1; b = rotl<u32>(b, 30);
  w5 = rotl<u32>(w2 ^ w13 ^ w7 ^ w5, 1); d += rotl<u32>(e, 5) + parity(a, b, c) + w5 + K1; a = rotl<u32>(a, 30);
  w6 = rotl<u32>(w3 ^ w14 ^ w8 ^ w6, 1); c += rotl<u32>(d, 5) + parity(e, a, b) + w6 + K1; e = rotl<u32>(e, 30);
  w7 = rotl<u32>(w4 ^ w15 ^ w9 ^ w7, 1); b += rotl<u32>(c, 5) + parity(d, e, a) + w7 + K1; d = rotl<u32>(d, 30);
  w8 = rotl<u32>(w5 ^ w0 ^ w10 ^ w8, 1); a += rotl<u32>(b, 5) + parity(c, d, e) + w8 + K1; c = rotl<u32>(c, 30);
  w9 = rotl<u32>(w6 ^ w1 ^ w11 ^ w9, 1); e += rotl<u32>(a, 5) + parity(b, c, d) + w9 + K1; b = rotl<u32>(b, 30);
  w10 = rotl<u32>(w7 ^ w2 ^ w12 ^ w10, 1); d += rotl<u32>(e, 5) + parity(a, b, c) + w10 + K1; a = rotl<u32>(a, 30);
  w11 = rotl<u32>(w8 ^ w3 ^ w13 ^ w11, 1); c += rotl<u32>(d, 5) + parity(e, a, b) + w11 + K1; e = rotl<u32>(e, 30);
  w12 = rotl<u32>(w9 ^ w4 ^ w14 ^ w12, 1); b += rotl<u32>(c, 5) + parity(d, e, a) + w12 + K1; d = rotl<u32>(d, 30);
  w13 = rotl<u32>(w10 ^ w5 ^ w15 ^ w13, 1); a += rotl<u32>(b, 5) + parity(c, d, e) + w13 + K1; c = rotl<u32>(c, 30);
  w14 = rotl<u32>(w11 ^ w6 ^ w0 ^ w14, 1); e += rotl<u32>(a, 5) + parity(b, c, d) + w14 + K1; b = rotl<u32>(b, 30);
  w15 = rotl<u32>(w12 ^ w7 ^ w1 ^ w15, 1); d += rotl<u32>(e, 5) + parity(a, b, c) + w15 + K1; a = rotl<u32>(a, 30);
  w0 = rotl<u32>(w13 ^ w8 ^ w2 ^ w0, 1); c += rotl<u32>(d, 5) + parity(e, a, b) + w0 + K1; e = rotl<u32>(e, 30);
  w1 = rotl<u32>(w14 ^ w9 ^ w3 ^ w1, 1); b += rotl<u32>(c, 5) + parity(d, e, a) + w1 + K1; d = rotl<u32>(d, 30);
  w2 = rotl<u32>(w15 ^ w10 ^ w4 ^ w2, 1); a += rotl<u32>(b, 5) + parity(c, d, e) + w2 + K1; c = rotl<u32>(c, 30);
  w3 = rotl<u32>(w0 ^ w11 ^ w5 ^ w3, 1); e += rotl<u32>(a, 5) + parity(b, c, d) + w3 + K1; b = rotl<u32>(b, 30);
  w4 = rotl<u32>(w1 ^ w12 ^ w6 ^ w4, 1); d += rotl<u32>(e, 5) + parity(a, b, c) + w4 + K1; a = rotl<u32>(a, 30);
  w5 = rotl<u32>(w2 ^ w13 ^ w7 ^ w5, 1); c += rotl<u32>(d, 5) + parity(e, a, b) + w5 + K1; e = rotl<u32>(e, 30);
  w6 = rotl<u32>(w3 ^ w14 ^ w8 ^ w6, 1); b += rotl<u32>(c, 5) + parity(d, e, a) + w6 + K1; d = rotl<u32>(d, 30);
  w7 = rotl<u32>(w4 ^ w15 ^ w9 ^ w7, 1); a += rotl<u32>(b, 5) + parity(c, d, e) + w7 + K1; c = rotl<u32>(c, 30);
  w8 = rotl<u32>(w5 ^ w0 ^ w10 ^ w8, 1); e += rotl<u32>(a, 5) + majority(b, c, d) + w8 + K2; b = rotl<u32>(b, 30);
  w9 = rotl<u32>(w6 ^ w1 ^ w11 ^ w9, 1); d += rotl<u32>(e, 5) + majority(a, b, c) + w9 + K2; a = rotl<u32>(a, 30);
  w10 = rotl<u32>(w7 ^ w2 ^ w12 ^ w10, 1); c += rotl<u32>(d, 5) + majority(e, a, b) + w10 + K2; e = rotl<u32>(e, 30);
  w11 = rotl<u32>(w8 ^ w3 ^ w13 ^ w11, 1); b += rotl<u32>(c, 5) + majority(d, e, a) + w11 + K2; d = rotl<u32>(d, 30);
  w12 = rotl<u32>(w9 ^ w4 ^ w14 ^ w12, 1); a += rotl<u32>(b, 5) + majority(c, d, e) + w12 + K2; c = rotl<u32>(c, 30);
  w13 = rotl<u32>(w10 ^ w5 ^ w15 ^ w13, 1); e += rotl<u32>(a, 5) + majority(b, c, d) + w13 + K2; b = rotl<u32>(b, 30);
  w14 = rotl<u32>(w11 ^ w6 ^ w0 ^ w14, 1); d += rotl<u32>(e, 5) + majority(a, b, c) + w14 + K2; a = rotl<u32>(a, 30);
  w15 = rotl<u32>(w12 ^ w7 ^ w1 ^ w15, 1); c += rotl<u32>(d, 5) + majority(e, a, b) + w15 + K2; e = rotl<u32>(e, 30);
  w0 = rotl<u32>(w13 ^ w8 ^ w2 ^ w0, 1); b += rotl<u32>(c, 5) + majority(d, e, a) + w0 + K2; d = rotl<u32>(d, 30);
  w1 = rotl<u32>(w14 ^ w9 ^ w3 ^ w1, 1); a += rotl<u32>(b, 5) + majority(c, d, e) + w1 + K2; c = rotl<u32>(c, 30);
  w2 = rotl<u32>(w15 ^ w10 ^ w4 ^ w2, 1); e += rotl<u32>(a, 5) + majority(b, c, d) + w2 + K2; b = rotl<u32>(b, 30);
  w3 = rotl<u32>(w0 ^ w11 ^ w5 ^ w3, 1); d += rotl<u32>(e, 5) + majority(a, b, c) + w3 + K2; a = rotl<u32>(a, 30);
  w4 = rotl<u32>(w1 ^ w12 ^ w6 ^ w4, 1); c += rotl<u32>(d, 5) + majority(e, a, b) + w4 + K2; e = rotl<u32>(e, 30);
  w5 = rotl<u32>(w2 ^ w13 ^ w7 ^ w5, 1); b += rotl<u32>(c, 5) + majority(d, e, a) + w5 + K2; d = rotl<u32>(d, 30);
  w6 = rotl<u32>(w3 ^ w14 ^ w8 ^ w6, 1); a += rotl<u32>(b, 5) + majority(c, d, e) + w6 + K2; c = rotl<u32>(c, 30);
  w7 = rotl<u32>(w4 ^ w15 ^ w9 ^ w7, 1); e += rotl<u32>(a, 5) + majority(b, c, d) + w7 + K2; b = rotl<u32>(b, 30);
  w8 = rotl<u32>(w5 ^ w0 ^ w10 ^ w8, 1); d += rotl<u32>(e, 5) + majority(a, b, c) + w8 + K2; a = rotl<u32>(a, 30);
  w9 = rotl<u32>(w6 ^ w1 ^ w11 ^ w9, 1); c += rotl<u32>(d, 5) + majority(e, a, b) + w9 + K2; e = rotl<u32>(e, 30);
  w10 = rotl<u32>(w7 ^ w2 ^ w12 ^ w10, 1); b += rotl<u32>(c, 5) + majority(d, e, a) + w10 + K2; d = rotl<u32>(d, 30);
  w11 = rotl<u32>(w8 ^ w3 ^ w13 ^ w11, 1); a += rotl<u32>(b, 5) + majority(c, d, e) + w11 + K2; c = rotl<u32>(c, 30);
  w12 = rotl<u32>(w9 ^ w4 ^ w14 ^ w12, 1); e += rotl<u32>(a, 5) + parity(b, c, d) + w12 + K3; b = rotl<u32>(b, 30);
  w13 = rotl<u32>(w10 ^ w5 ^ w15 ^ w13, 1); d += rotl<u32>(e, 5) + parity(a, b, c) + w13 + K3; a = rotl<u32>(a, 30);
  w14 = rotl<u32>(w11 ^ w6 ^ w0 ^ w14, 1); c += rotl<u32>(d, 5) + parity(e, a, b) + w14 + K3; e = rotl<u32>(e, 30);
  w15 = rotl<u32>(w12 ^ w7 ^ w1 ^ w15, 1); b += rotl<u32>(c, 5) + parity(d, e, a) + w15 + K3; d = rotl<u32>(d, 30);
  w0 = rotl<u32>(w13 ^ w8 ^ w2 ^ w0, 1); a += rotl<u32>(b, 5) + parity(c, d, e) + w0 + K3; c = rotl<u32>(c, 30);
  w1 = rotl<u32>(w14 ^ w9 ^ w3 ^ w1, 1); e += rotl<u32>(a, 5) + parity(b, c, d) + w1 + K3; b = rotl<u32>(b, 30);
  w2 = rotl<u32>(w15 ^ w10 ^ w4 ^ w2, 1); d += rotl<u32>(e, 5) + parity(a, b, c) + w2 + K3; a = rotl<u32>(a, 30);
  w3 = rotl<u32>(w0 ^ w11 ^ w5 ^ w3, 1); c += rotl<u32>(d, 5) + parity(e, a, b) + w3 + K3; e = rotl<u32>(e, 30);
  w4 = rotl<u32>(w1 ^ w12 ^ w6 ^ w4, 1); b += rotl<u32>(c, 5) + parity(d, e, a) + w4 + K3; d = rotl<u32>(d, 30);
  w5 = rotl<u32>(w2 ^ w13 ^ w7 ^ w5, 1); a += rotl<u32>(b, 5) + parity(c, d, e) + w5 + K3; c = rotl<u32>(c, 30);
  w6 = rotl<u32>(w3 ^ w14 ^ w8 ^ w6, 1); e += rotl<u32>(a, 5) + parity(b, c, d) + w6 + K3; b = rotl<u32>(b, 30);
  w7 = rotl<u32>(w4 ^ w15 ^ w9 ^ w7, 1); d += rotl<u32>(e, 5) + parity(a, b, c) + w7 + K3; a = rotl<u32>(a, 30);
  w8 = rotl<u32>(w5 ^ w0 ^ w10 ^ w8, 1); c += rotl<u32>(d, 5) + parity(e, a, b) + w8 + K3; e = rotl<u32>(e, 30);
  w9 = rotl<u32>(w6 ^ w1 ^ w11 ^ w9, 1); b += rotl<u32>(c, 5) + parity(d, e, a) + w9 + K3; d = rotl<u32>(d, 30);
  w10 = rotl<u32>(w7 ^ w2 ^ w12 ^ w10, 1); a += rotl<u32>(b, 5) + parity(c, d, e) + w10 + K3; c = rotl<u32>(c, 30);
  w11 = rotl<u32>(w8 ^ w3 ^ w13 ^ w11, 1); e += rotl<u32>(a, 5) + parity(b, c, d) + w11 + K3; b = rotl<u32>(b, 30);
  w12 = rotl<u32>(w9 ^ w4 ^ w14 ^ w12, 1); d += rotl<u32>(e, 5) + parity(a, b, c) + w12 + K3; a = rotl<u32>(a, 30);
  w13 = rotl<u32>(w10 ^ w5 ^ w15 ^ w13, 1); c += rotl<u32>(d, 5) + parity(e, a, b) + w13 + K3; e = rotl<u32>(e, 30);
  w14 = rotl<u32>(w11 ^ w6 ^ w0 ^ w14, 1); b += rotl<u32>(c, 5) + parity(d, e, a) + w14 + K3; d = rotl<u32>(d, 30);
  w15 = rotl<u32>(w12 ^ w7 ^ w1 ^ w15, 1); a += rotl<u32>(b, 5) + parity(c, d, e) + w15 + K3; c = rotl<u32>(c, 30);
  store<u32>(STATE, load<u32>(STATE) + a);
  store<u32>(STATE, load<u32>(STATE, 4) + b, 4);
  store<u32>(STATE, load<u32>(STATE, 8) + c, 8);
  store<u32>(STATE, load<u32>(STATE, 12) + d, 12);
  store<u32>(STATE, load<u32>(STATE, 16) + e, 16);
}
