// CRC-64/Jones, reflected, in WebAssembly: sixteen tables, so that sixteen bytes cost one step. Fixed memory:
// tables from 0 (16 x 256 x 8 bytes), 64 KiB of input from INPUT, the checksum at STATE. No runtime, no allocation.

const POLYNOMIAL: u64 = 0x95ac9329ac4bc9b5;
const INPUT: usize = 0x8000;
const STATE: usize = 0x18000;

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

// @ts-ignore: decorator
@inline
/** Table offset of the lowest byte of a word. */
function low(word: u32): usize {
  return (word << 3) & 0x7f8;
}

// @ts-ignore: decorator
@inline
/** Table offset of the byte `shift` + 3 bits up. */
function at3(word: u32, shift: u32): usize {
  return (word >> shift) & 0x7f8;
}

/** Continues the checksum at STATE over the first `length` bytes of the input area. */
export function update(length: usize): void {
  let crc = load<u64>(STATE);
  let at = INPUT;
  const end = INPUT + length;
  const whole = end - (length & 15);
  for (; at < whole; at += 16) {
    const first = crc ^ load<u64>(at);
    const a = <u32>first;
    const b = <u32>(first >> 32);
    const c = load<u32>(at, 8);
    const d = load<u32>(at, 12);
    crc =
      load<u64>(low(a), 15 << 11) ^ load<u64>(at3(a, 5), 14 << 11) ^ load<u64>(at3(a, 13), 13 << 11) ^ load<u64>(at3(a, 21), 12 << 11) ^
      load<u64>(low(b), 11 << 11) ^ load<u64>(at3(b, 5), 10 << 11) ^ load<u64>(at3(b, 13), 9 << 11) ^ load<u64>(at3(b, 21), 8 << 11) ^
      load<u64>(low(c), 7 << 11) ^ load<u64>(at3(c, 5), 6 << 11) ^ load<u64>(at3(c, 13), 5 << 11) ^ load<u64>(at3(c, 21), 4 << 11) ^
      load<u64>(low(d), 3 << 11) ^ load<u64>(at3(d, 5), 2 << 11) ^ load<u64>(at3(d, 13), 1 << 11) ^ load<u64>(at3(d, 21), 0 << 11);
  }
  for (; at < end; at++) crc = (crc >> 8) ^ load<u64>((<usize>(crc ^ load<u8>(at)) & 0xff) << 3);
  store<u64>(STATE, crc);
}
