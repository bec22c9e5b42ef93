// CRC-64/Jones, reflected, in WebAssembly. Large blocks are folded first: with x^-8d the weight of a byte d places
// further on, the eight taps below satisfy
//
//   x^(-8 * 357) + x^(-8 * 446) + ... + x^(-8 * 1490) = 1   (modulo the polynomial; found by search)
//
// so a byte may be removed if it is added to the eight bytes that stand that many places after it. Going through a
// block sixteen bytes at a time, each becomes itself plus the sixteen bytes at the eight taps before it; in the end all
// that counts are the last FOLD bytes, and those are summed with sixteen tables. No carry-less multiplication is needed,
// which WebAssembly lacks.
//
// Fixed memory, no runtime, no allocation:
//   0        tables, 16 x 256 x 8 bytes
//   0x8000   zeros, what stands before a block
//   INPUT    the block, up to 128 KiB; folded in place
//   HISTORY  the last FOLD folded bytes, zeros behind them
//   TAIL     the bytes that are left
//   STATE    the checksum

const POLYNOMIAL: u64 = 0x95ac9329ac4bc9b5;
const INPUT: usize = 0x9000;
const HISTORY: usize = 0x2a000;
const TAIL: usize = 0x2b000;
const STATE: usize = 0x2c000;

/** The largest tap, rounded up to whole steps. */
const FOLD: usize = 1504;
const STEP: usize = 16;
/** Below this many bytes folding saves nothing. */
const FOLD_FROM: usize = 6144;

/** Fills the tables. Called once. */
export function prepare(): void {
  for (let i: usize = 0; i < 256; i++) {
    let crc = <u64>i;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (POLYNOMIAL & (0 - (crc & 1)));
    store<u64>(i << 3, crc);
  }
  for (let i: usize = 256; i < 4096; i++) {
    const before = load<u64>((i - 256) << 3);
    store<u64>(i << 3, (before >> 8) ^ load<u64>((<usize>before & 0xff) << 3));
  }
}

/** Continues the checksum at STATE over the first `length` bytes of the input area. */
export function update(length: usize): void {
  const crc = load<u64>(STATE);
  if (length < FOLD_FROM) {
    store<u64>(STATE, sum(crc, INPUT, length));
    return;
  }
  store<u64>(INPUT, load<u64>(INPUT) ^ crc);
  const body = (length - FOLD) & ~(4 * STEP - 1);
  for (let at = INPUT; at < INPUT + body; at += 4 * STEP) {
    fold(at, at, at);
    fold(at + STEP, at + STEP, at + STEP);
    fold(at + 2 * STEP, at + 2 * STEP, at + 2 * STEP);
    fold(at + 3 * STEP, at + 3 * STEP, at + 3 * STEP);
  }
  // The last bytes take in what was removed before them, but are not removed themselves.
  memory.copy(HISTORY, INPUT + body - FOLD, FOLD);
  const left = length - body;
  for (let at: usize = 0; at < left; at += STEP) fold(INPUT + body + at, HISTORY + FOLD + at, TAIL + at);
  store<u64>(STATE, sum(0, TAIL, left));
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
      load<u64>(low(a), 15 << 11) ^ load<u64>(at3(a, 5), 14 << 11) ^
      load<u64>(at3(a, 13), 13 << 11) ^ load<u64>(at3(a, 21), 12 << 11) ^
      load<u64>(low(b), 11 << 11) ^ load<u64>(at3(b, 5), 10 << 11) ^
      load<u64>(at3(b, 13), 9 << 11) ^ load<u64>(at3(b, 21), 8 << 11) ^
      load<u64>(low(c), 7 << 11) ^ load<u64>(at3(c, 5), 6 << 11) ^
      load<u64>(at3(c, 13), 5 << 11) ^ load<u64>(at3(c, 21), 4 << 11) ^
      load<u64>(low(d), 3 << 11) ^ load<u64>(at3(d, 5), 2 << 11) ^
      load<u64>(at3(d, 13), 1 << 11) ^ load<u64>(at3(d, 21), 0 << 11);
  }
  for (; at < end; at++) crc = (crc >> 8) ^ load<u64>((<usize>(crc ^ load<u8>(at)) & 0xff) << 3);
  return crc;
}
