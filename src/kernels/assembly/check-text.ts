// Lengths and strings of an RDB, as a check needs them: their bytes only where somebody looks at those. The input ends at
// `inputEnd`; what wants more of it is SHORT.
import { decompressLzf } from './lzf-decode';

/** What reads return instead of the position behind what they read. */
export const SHORT: usize = 0;
/** Not for this kernel: damaged, rare, or larger than it has room for. */
export const OTHER: usize = 1;

/** Texts beyond this, in bytes, are not unpacked here. */
export const TEXT_MAX: u64 = 0x40000;
const LENGTH_MAX: u64 = 0x40000000;
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

@inline
export function readLength(at: usize): usize {
  if (at >= inputEnd) return short(at + 1);
  const first = <u32>load<u8>(at);
  if (first >= 0x40) return readWideLength(at, first);
  length = first;
  return at + 1;
}

function readWideLength(at: usize, first: u32): usize {
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

/** Reads a string as the bytes it stands for: where it stands, or made in the scratch memory. */
@inline
export function readText(at: usize, scratch: usize): usize {
  if (at >= inputEnd) return short(at + 1);
  const first = <usize>load<u8>(at);
  if (first >= 0x40) return readWideText(at, <u32>first, scratch);
  textAt = at + 1;
  textEnd = textAt + first;
  return textEnd > inputEnd ? short(textEnd) : textEnd;
}

function readWideText(at: usize, first: u32, scratch: usize): usize {
  if (first < 0xc0) return readPlain(at, first);
  if (first > 0xc3) return OTHER;
  if (first < 0xc3) {
    const stop = at + 1 + (<usize>1 << (first - 0xc0));
    if (stop > inputEnd) return short(stop);
    const value = first == 0xc0 ? <i32>load<i8>(at, 1) : first == 0xc1 ? <i32>load<i16>(at, 1) : load<i32>(at, 1);
    textEnd = scratch + 24;
    textAt = putInteger(value, textEnd);
    return stop;
  }
  const stop = readPackedHead(at);
  if (!isPosition(stop)) return stop;
  if (length > TEXT_MAX) return OTHER;
  const size = <usize>length;
  if (decompressLzf(packedAt, stop, scratch, scratch + size) != <i32>size) return OTHER;
  textAt = scratch;
  textEnd = scratch + size;
  return stop;
}

function readPlain(at: usize, first: u32): usize {
  const start = readWideLength(at, first);
  if (!isPosition(start)) return start;
  if (length > LENGTH_MAX) return OTHER;
  textAt = start;
  textEnd = start + <usize>length;
  return textEnd > inputEnd ? short(textEnd) : textEnd;
}

let packedAt: usize = 0;

/** Both lengths of a compressed string; returns the position behind it, when it is all there. */
function readPackedHead(at: usize): usize {
  const middle = readLength(at + 1);
  if (!isPosition(middle)) return middle;
  const compressed = length;
  packedAt = readLength(middle);
  if (!isPosition(packedAt)) return packedAt;
  if (compressed > LENGTH_MAX || length > LENGTH_MAX || length == 0) return OTHER;
  if (length > compressed * EXPANSION_MAX) return OTHER;
  const stop = packedAt + <usize>compressed;
  return stop > inputEnd ? short(stop) : stop;
}

/** Passes over a string that is well-formed; of a compressed one only the directions are read. */
@inline
export function passText(at: usize): usize {
  if (at >= inputEnd) return short(at + 1);
  const first = <usize>load<u8>(at);
  if (first >= 0x40) return passWideText(at, <u32>first);
  const stop = at + 1 + first;
  return stop > inputEnd ? short(stop) : stop;
}

function passWideText(at: usize, first: u32): usize {
  if (first < 0x80) {
    if (at + 2 > inputEnd) return short(at + 2);
    const stop = at + 2 + ((<usize>(first & 0x3f) << 8) | <usize>load<u8>(at, 1));
    return stop > inputEnd ? short(stop) : stop;
  }
  if (first < 0xc0) return readPlain(at, first);
  if (first > 0xc3) return OTHER;
  if (first < 0xc3) {
    const stop = at + 1 + (<usize>1 << (first - 0xc0));
    return stop > inputEnd ? short(stop) : stop;
  }
  const stop = readPackedHead(at);
  if (!isPosition(stop)) return stop;
  return yields(packedAt, stop, <usize>length) ? stop : OTHER;
}

/** Whether an LZF stream is well-formed and yields so many bytes. */
function yields(start: usize, end: usize, size: usize): bool {
  let from = start;
  let produced: usize = 0;
  while (from < end) {
    const control = <usize>load<u8>(from);
    if (control < 32) {
      from += control + 2;
      produced += control + 1;
      continue;
    }
    let count = control >> 5;
    if (count == 7) {
      count += <usize>load<u8>(from, 1);
      from++;
    }
    const distance = ((control & 31) << 8) + <usize>load<u8>(from, 1) + 1;
    from += 2;
    if (distance > produced) return false;
    produced += count + 2;
  }
  return from == end && produced == size;
}

/** Writes a number in decimal so that it ends at a position; returns where it starts. */
export function putInteger(value: i64, end: usize): usize {
  let at = end;
  let rest: u64 = value < 0 ? <u64>0 - <u64>value : <u64>value;
  do {
    store<u8>(--at, 48 + <u8>(rest % 10));
    rest /= 10;
  } while (rest > 0);
  if (value < 0) store<u8>(--at, 45);
  return at;
}
