// CRC-64/Jones, reflected. Large blocks are folded first: with x^-8d the weight of a byte d places further on, the eight
// taps below satisfy
//
//   x^(-8 * 357) + x^(-8 * 446) + ... + x^(-8 * 1490) = 1   (modulo the polynomial; found by search)
//
// so a byte may be removed if it is added to the eight bytes that stand that many places after it. Going through a
// block sixteen bytes at a time, each becomes itself plus the sixteen bytes at the eight taps before it; in the end all
// that counts are the last bytes, as many as the taps reach, and those are summed with sixteen tables. No carry-less
// multiplication is needed, which WebAssembly lacks. What is folded goes into a buffer that stays in the nearest cache; the
// block stays as it is.
//
// Six taps do, too, if they may reach further, to 8134: a fourth less work, and none of it waits for what was stored just
// before. What they leave is folded by the eight, so only large blocks gain.
//
// Memory:
//   TABLES        16 x 256 x 8 bytes
//   NEAR_FOLDED   the folded bytes before a run that eight taps reach, and the run
//   NEAR_TAIL     the bytes that are left
//   FAR_FOLDED    the same for six taps
//   FAR_TAIL

const POLYNOMIAL: u64 = 0x95ac9329ac4bc9b5;
const TABLES: usize = 0x1000;
const NEAR_FOLDED: usize = 0x9000;
const NEAR_TAIL: usize = 0xc000;
const FAR_FOLDED: usize = 0x10000;
const FAR_TAIL: usize = 0x18000;

/** The largest tap, rounded up to whole steps. */
const NEAR: usize = 1504;
const FAR: usize = 8144;
const STEP: usize = 16;
/** Bytes that are folded before those that taps reach are moved in front of the next. */
const RUN: usize = 8192;
const FAR_RUN: usize = 16384;
/** Below so many bytes folding saves nothing, or six taps no more than eight. */
const NEAR_FROM: usize = 6144;
const FAR_FROM: usize = 49152;

/** Fills the tables. Called once. */
export function prepareSums(): void {
  for (let i: usize = 0; i < 256; i++) {
    let crc = <u64>i;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (POLYNOMIAL & (0 - (crc & 1)));
    store<u64>(TABLES + (i << 3), crc);
  }
  for (let i: usize = 256; i < 4096; i++) {
    const before = load<u64>(TABLES + ((i - 256) << 3));
    store<u64>(TABLES + (i << 3), (before >> 8) ^ load<u64>(TABLES + ((<usize>before & 0xff) << 3)));
  }
}

/** The checksum `crc` continued over `length` bytes. Up to 15 bytes more are read than there are. */
export function continueSum(crc: u64, start: usize, length: usize): u64 {
  if (length < FAR_FROM) return sumNear(crc, start, length);
  return sumNear(0, FAR_TAIL, reduce(true, crc, start, length, FAR, FAR_FOLDED, FAR_TAIL));
}

function sumNear(crc: u64, start: usize, length: usize): u64 {
  if (length < NEAR_FROM) return sum(crc, start, length);
  return sum(0, NEAR_TAIL, reduce(false, crc, start, length, NEAR, NEAR_FOLDED, NEAR_TAIL));
}

/** Puts what counts of a block, the checksum so far included, at `tail`; returns its length. */
@inline
function reduce(far: bool, crc: u64, start: usize, length: usize, reach: usize, folded: usize, tail: usize): usize {
  const body = (length - reach) & ~(4 * STEP - 1);
  memory.fill(folded, 0, reach);
  // The checksum so far is added to the first bytes, which the taps reach only after the first run.
  foldRun(far, start, 4 * STEP, folded + reach);
  store<u64>(folded + reach, load<u64>(folded + reach) ^ crc);
  for (let done: usize = 4 * STEP, run = done; ; ) {
    memory.copy(folded, folded + run, reach);
    run = min<usize>(far ? FAR_RUN : RUN, body - done);
    if (run == 0) break;
    foldRun(far, start + done, run, folded + reach);
    done += run;
  }
  // The last bytes take in what was removed before them, but are not removed themselves.
  memory.fill(folded + reach, 0, reach + 4 * STEP);
  const left = length - body;
  for (let at: usize = 0; at < left; at += STEP) fold(far, start + body + at, folded + reach + at, tail + at);
  return left;
}

@inline
function foldRun(far: bool, from: usize, length: usize, to: usize): void {
  const shift = to - from;
  for (let at = from; at < from + length; at += 4 * STEP) {
    fold(far, at, at + shift, at + shift);
    fold(far, at + STEP, at + shift + STEP, at + shift + STEP);
    fold(far, at + 2 * STEP, at + shift + 2 * STEP, at + shift + 2 * STEP);
    fold(far, at + 3 * STEP, at + shift + 3 * STEP, at + shift + 3 * STEP);
  }
}

@inline
/** Sixteen bytes at `from` plus those at the taps before `taps`, into `to`. */
function fold(far: bool, from: usize, taps: usize, to: usize): void {
  if (far) {
    const base = taps - 8134;
    const a = v128.xor(v128.load(base, 0), v128.load(base, 8134 - 6149));
    const b = v128.xor(v128.load(base, 8134 - 5656), v128.load(base, 8134 - 3636));
    const c = v128.xor(v128.load(base, 8134 - 1734), v128.load(base, 8134 - 1467));
    v128.store(to, v128.xor(v128.load(from), v128.xor(a, v128.xor(b, c))));
  } else {
    const base = taps - 1490;
    const a = v128.xor(v128.load(base, 0), v128.load(base, 1490 - 1474));
    const b = v128.xor(v128.load(base, 1490 - 1249), v128.load(base, 1490 - 1059));
    const c = v128.xor(v128.load(base, 1490 - 864), v128.load(base, 1490 - 807));
    const d = v128.xor(v128.load(base, 1490 - 446), v128.load(base, 1490 - 357));
    v128.store(to, v128.xor(v128.load(from), v128.xor(v128.xor(a, b), v128.xor(c, d))));
  }
}

@inline
/** Table offset of the lowest byte of a word. */
function low(word: u32): usize {
  return (word << 3) & 0x7f8;
}

@inline
/** Table offset of the byte `shift` + 3 bits up. */
function at3(word: u32, shift: u32): usize {
  return (word >> shift) & 0x7f8;
}

/** The checksum `crc` continued over `length` bytes, by tables. */
function sum(crc: u64, start: usize, length: usize): u64 {
  let at = start;
  const end = start + length;
  const whole = end - (length & 15);
  for (; at < whole; at += 16) {
    const first = crc ^ load<u64>(at);
    const a = <u32>first;
    const b = <u32>(first >> 32);
    const c = load<u32>(at, 8);
    const d = load<u32>(at, 12);
    crc =
      load<u64>(low(a), TABLES + (15 << 11)) ^ load<u64>(at3(a, 5), TABLES + (14 << 11)) ^
      load<u64>(at3(a, 13), TABLES + (13 << 11)) ^ load<u64>(at3(a, 21), TABLES + (12 << 11)) ^
      load<u64>(low(b), TABLES + (11 << 11)) ^ load<u64>(at3(b, 5), TABLES + (10 << 11)) ^
      load<u64>(at3(b, 13), TABLES + (9 << 11)) ^ load<u64>(at3(b, 21), TABLES + (8 << 11)) ^
      load<u64>(low(c), TABLES + (7 << 11)) ^ load<u64>(at3(c, 5), TABLES + (6 << 11)) ^
      load<u64>(at3(c, 13), TABLES + (5 << 11)) ^ load<u64>(at3(c, 21), TABLES + (4 << 11)) ^
      load<u64>(low(d), TABLES + (3 << 11)) ^ load<u64>(at3(d, 5), TABLES + (2 << 11)) ^
      load<u64>(at3(d, 13), TABLES + (1 << 11)) ^ load<u64>(at3(d, 21), TABLES + (0 << 11));
  }
  for (; at < end; at++) crc = (crc >> 8) ^ load<u64>((<usize>(crc ^ load<u8>(at)) & 0xff) << 3, TABLES);
  return crc;
}
