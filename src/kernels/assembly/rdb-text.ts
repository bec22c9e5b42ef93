// Lengths and strings of an RDB. The input ends at `inputEnd`; what wants more of it is SHORT.
import { putSigned } from './json';
import { decompressLzf } from './lzf-decode';

/** What reads return instead of the position behind what they read. */
export const SHORT: usize = 0;
/** Not for this kernel: damaged, or larger than it has room for. */
export const OTHER: usize = 1;

/** Strings beyond this are left to others. */
export const TEXT_MAX: usize = 0x100000;
const EXPANSION_MAX: usize = 88;

export let inputEnd: usize = 0;
/** Position up to which the last SHORT wanted bytes. */
export let wantedTo: usize = 0;

/** The length read last, and the text: valid until its scratch memory is used again. */
export let length: u64 = 0;
export let textAt: usize = 0;
export let textEnd: usize = 0;

export function setInputEnd(end: usize): void {
  inputEnd = end;
}

@inline
export function short(to: usize): usize {
  wantedTo = to;
  return SHORT;
}

/** True for the position behind something. */
@inline
export function isPosition(at: usize): bool {
  return at > OTHER;
}

export function readLength(at: usize): usize {
  if (at >= inputEnd) return short(at + 1);
  const first = <u32>load<u8>(at);
  if (first < 0x40) {
    length = first;
    return at + 1;
  }
  if (first < 0x80) {
    if (at + 2 > inputEnd) return short(at + 2);
    length = ((first & 0x3f) << 8) | <u32>load<u8>(at, 1);
    return at + 2;
  }
  if (first == 0x80) {
    if (at + 5 > inputEnd) return short(at + 5);
    length = bswap<u32>(load<u32>(at, 1));
    return at + 5;
  }
  if (first != 0x81) return OTHER;
  if (at + 9 > inputEnd) return short(at + 9);
  length = bswap<u64>(load<u64>(at, 1));
  return at + 9;
}

/** Leaves the text where it stands, or makes it in the scratch memory. */
@inline
export function readText(at: usize, scratch: usize): usize {
  if (at >= inputEnd) return short(at + 1);
  const first = <usize>load<u8>(at);
  if (first >= 0x40) return readWide(at, <u32>first, scratch);
  textAt = at + 1;
  textEnd = textAt + first;
  return textEnd > inputEnd ? short(textEnd) : textEnd;
}

function readWide(at: usize, first: u32, scratch: usize): usize {
  if (first < 0xc0) {
    const start = readLength(at);
    if (!isPosition(start)) return start;
    if (length > <u64>TEXT_MAX) return OTHER;
    textAt = start;
    textEnd = start + <usize>length;
    return textEnd > inputEnd ? short(textEnd) : textEnd;
  }
  if (first > 0xc3) return OTHER;
  if (first < 0xc3) {
    const stop = at + 1 + (<usize>1 << (first - 0xc0));
    if (stop > inputEnd) return short(stop);
    const value = first == 0xc0 ? <i32>load<i8>(at, 1) : first == 0xc1 ? <i32>load<i16>(at, 1) : load<i32>(at, 1);
    textAt = scratch;
    textEnd = putSigned(value, scratch);
    return stop;
  }
  const middle = readLength(at + 1);
  if (!isPosition(middle)) return middle;
  const compressed = length;
  const start = readLength(middle);
  if (!isPosition(start)) return start;
  if (compressed > <u64>TEXT_MAX || length > <u64>TEXT_MAX || length == 0) return OTHER;
  const size = <usize>length;
  if (size > <usize>compressed * EXPANSION_MAX) return OTHER;
  const stop = start + <usize>compressed;
  if (stop > inputEnd) return short(stop);
  if (decompressLzf(start, stop, scratch, scratch + size) != <i32>size) return OTHER;
  textAt = scratch;
  textEnd = scratch + size;
  return stop;
}
