/**
 * SHA-1 in TypeScript, for where WebAssembly is switched off. `sha1` in sha1.ts picks between the two; results are five
 * big-endian words.
 */

const WORDS = 5;
const schedule = new Int32Array(80);

/** One block: the sixteen words in `schedule` go into `state`. */
function compress(state: Int32Array): void {
  const w = schedule;
  for (let i = 16; i < 80; i++) {
    const x = w[i - 3]! ^ w[i - 8]! ^ w[i - 14]! ^ w[i - 16]!;
    w[i] = (x << 1) | (x >>> 31);
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  // Five rounds a turn, each naming the five variables one place further, so that nothing is moved about.
  for (let i = 0; i < 20; i += 5) {
    e = (e + ((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + w[i]! + 0x5a827999) | 0;
    b = (b << 30) | (b >>> 2);
    d = (d + ((e << 5) | (e >>> 27)) + (c ^ (a & (b ^ c))) + w[i + 1]! + 0x5a827999) | 0;
    a = (a << 30) | (a >>> 2);
    c = (c + ((d << 5) | (d >>> 27)) + (b ^ (e & (a ^ b))) + w[i + 2]! + 0x5a827999) | 0;
    e = (e << 30) | (e >>> 2);
    b = (b + ((c << 5) | (c >>> 27)) + (a ^ (d & (e ^ a))) + w[i + 3]! + 0x5a827999) | 0;
    d = (d << 30) | (d >>> 2);
    a = (a + ((b << 5) | (b >>> 27)) + (e ^ (c & (d ^ e))) + w[i + 4]! + 0x5a827999) | 0;
    c = (c << 30) | (c >>> 2);
  }
  for (let i = 20; i < 40; i += 5) {
    e = (e + ((a << 5) | (a >>> 27)) + (b ^ c ^ d) + w[i]! + 0x6ed9eba1) | 0;
    b = (b << 30) | (b >>> 2);
    d = (d + ((e << 5) | (e >>> 27)) + (a ^ b ^ c) + w[i + 1]! + 0x6ed9eba1) | 0;
    a = (a << 30) | (a >>> 2);
    c = (c + ((d << 5) | (d >>> 27)) + (e ^ a ^ b) + w[i + 2]! + 0x6ed9eba1) | 0;
    e = (e << 30) | (e >>> 2);
    b = (b + ((c << 5) | (c >>> 27)) + (d ^ e ^ a) + w[i + 3]! + 0x6ed9eba1) | 0;
    d = (d << 30) | (d >>> 2);
    a = (a + ((b << 5) | (b >>> 27)) + (c ^ d ^ e) + w[i + 4]! + 0x6ed9eba1) | 0;
    c = (c << 30) | (c >>> 2);
  }
  for (let i = 40; i < 60; i += 5) {
    e = (e + ((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + w[i]! - 0x70e44324) | 0;
    b = (b << 30) | (b >>> 2);
    d = (d + ((e << 5) | (e >>> 27)) + ((a & b) | (c & (a | b))) + w[i + 1]! - 0x70e44324) | 0;
    a = (a << 30) | (a >>> 2);
    c = (c + ((d << 5) | (d >>> 27)) + ((e & a) | (b & (e | a))) + w[i + 2]! - 0x70e44324) | 0;
    e = (e << 30) | (e >>> 2);
    b = (b + ((c << 5) | (c >>> 27)) + ((d & e) | (a & (d | e))) + w[i + 3]! - 0x70e44324) | 0;
    d = (d << 30) | (d >>> 2);
    a = (a + ((b << 5) | (b >>> 27)) + ((c & d) | (e & (c | d))) + w[i + 4]! - 0x70e44324) | 0;
    c = (c << 30) | (c >>> 2);
  }
  for (let i = 60; i < 80; i += 5) {
    e = (e + ((a << 5) | (a >>> 27)) + (b ^ c ^ d) + w[i]! - 0x359d3e2a) | 0;
    b = (b << 30) | (b >>> 2);
    d = (d + ((e << 5) | (e >>> 27)) + (a ^ b ^ c) + w[i + 1]! - 0x359d3e2a) | 0;
    a = (a << 30) | (a >>> 2);
    c = (c + ((d << 5) | (d >>> 27)) + (e ^ a ^ b) + w[i + 2]! - 0x359d3e2a) | 0;
    e = (e << 30) | (e >>> 2);
    b = (b + ((c << 5) | (c >>> 27)) + (d ^ e ^ a) + w[i + 3]! - 0x359d3e2a) | 0;
    d = (d << 30) | (d >>> 2);
    a = (a + ((b << 5) | (b >>> 27)) + (c ^ d ^ e) + w[i + 4]! - 0x359d3e2a) | 0;
    c = (c << 30) | (c >>> 2);
  }
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
  state[4] = (state[4]! + e) | 0;
}

function begin(state: Int32Array): void {
  state[0] = 0x67452301;
  state[1] = 0xefcdab89 | 0;
  state[2] = 0x98badcfe | 0;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0 | 0;
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** SHA-1 of `bytes[start..end)` as five words into `out`. The whole input is one call. */
export function sha1Plain(bytes: Uint8Array, start: number, end: number, out: Int32Array): void {
  const length = end - start;
  begin(out);
  const w = schedule;
  let at = start;
  for (; end - at >= 64; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = word(bytes, at + 4 * i);
    compress(out);
  }
  let i = 0;
  for (; end - at >= 4; at += 4) w[i++] = word(bytes, at);
  let last = 0x80;
  const odd = end - at;
  if (odd === 1) last = (bytes[at]! << 8) | 0x80;
  else if (odd === 2) last = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | 0x80;
  else if (odd === 3) last = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | 0x80;
  w[i++] = last << (odd === 3 ? 0 : 24 - 8 * odd);
  if (i > 14) {
    while (i < 16) w[i++] = 0;
    compress(out);
    i = 0;
  }
  while (i < 15) w[i++] = 0;
  w[15] = length << 3;
  compress(out);
}

/** SHA-1 of the twenty bytes that `words` stand for. `out` may be `words`. */
export function sha1OfDigestPlain(words: Int32Array, out: Int32Array): void {
  const w = schedule;
  for (let i = 0; i < WORDS; i++) w[i] = words[i]!;
  w[5] = 0x80000000 | 0;
  for (let i = 6; i < 15; i++) w[i] = 0;
  w[15] = 160;
  begin(out);
  compress(out);
}
