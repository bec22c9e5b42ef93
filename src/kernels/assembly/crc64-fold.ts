// CRC-64/Jones, reflected. Large blocks are folded first: with x^-8d the weight of a byte d places further on, the eight
// taps below satisfy
//
//   x^(-8 * 357) + x^(-8 * 446) + ... + x^(-8 * 1490) = 1   (modulo the polynomial; found by search)
//
// so a byte may be removed if it is added to the eight bytes that stand that many places after it. Going through a
// block sixteen bytes at a time, each becomes itself plus the sixteen bytes at the eight taps before it; in the end all
// that counts are the last FOLD bytes, and those are summed with sixteen tables. No carry-less multiplication is needed,
// which WebAssembly lacks. What is folded goes into a buffer that stays in the nearest cache; the block stays as it is.
//
// Memory:
//   TABLES   16 x 256 x 8 bytes
//   FOLDED   the FOLD folded bytes before a run, and the run
//   TAIL     the bytes that are left

const POLYNOMIAL: u64 = 0x95ac9329ac4bc9b5;
const TABLES: usize = 0x1000;
const FOLDED: usize = 0x9000;
const TAIL: usize = 0xc000;

/** The largest tap, rounded up to whole steps. */
const FOLD: usize = 1504;
const STEP: usize = 16;
const RUN: usize = 8192;
/** Below this many bytes folding saves nothing. */
const FOLD_FROM: usize = 6144;

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
  if (length < FOLD_FROM) return sum(crc, start, length);
  const body = (length - FOLD) & ~(4 * STEP - 1);
  memory.fill(FOLDED, 0, FOLD);
  // The checksum so far is added to the first bytes, which the taps reach only after the first run.
  foldRun(start, 4 * STEP);
  store<u64>(FOLDED + FOLD, load<u64>(FOLDED + FOLD) ^ crc);
  for (let done: usize = 4 * STEP, run = done; ; ) {
    memory.copy(FOLDED, FOLDED + run, FOLD);
    run = min<usize>(RUN, body - done);
    if (run == 0) break;
    foldRun(start + done, run);
    done += run;
  }
  // The last bytes take in what was removed before them, but are not removed themselves.
  memory.fill(FOLDED + FOLD, 0, FOLD + 4 * STEP);
  const left = length - body;
  for (let at: usize = 0; at < left; at += STEP) fold(start + body + at, FOLDED + FOLD + at, TAIL + at);
  return sum(0, TAIL, left);
}

function foldRun(from: usize, length: usize): void {
  const shift = FOLDED + FOLD - from;
  for (let at = from; at < from + length; at += 4 * STEP) {
    fold(at, at + shift, at + shift);
    fold(at + STEP, at + shift + STEP, at + shift + STEP);
    fold(at + 2 * STEP, at + shift + 2 * STEP, at + shift + 2 * STEP);
    fold(at + 3 * STEP, at + shift + 3 * STEP, at + shift + 3 * STEP);
  }
}

@inline
/** Sixteen bytes at `from` plus those at the taps before `taps`, into `to`. */
function fold(from: usize, taps: usize, to: usize): void {
  const base = taps - 1490;
  const a = v128.xor(v128.load(base, 0), v128.load(base, 1490 - 1474));
  const b = v128.xor(v128.load(base, 1490 - 1249), v128.load(base, 1490 - 1059));
  const c = v128.xor(v128.load(base, 1490 - 864), v128.load(base, 1490 - 807));
  const d = v128.xor(v128.load(base, 1490 - 446), v128.load(base, 1490 - 357));
  v128.store(to, v128.xor(v128.load(from), v128.xor(v128.xor(a, b), v128.xor(c, d))));
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
