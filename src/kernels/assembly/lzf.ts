// LZF in WebAssembly, both ways. Fixed memory, no runtime, no allocation:
//   0        the compressor's table: where each hash of three bytes was last seen
//   INPUT    up to 1 MiB
//   OUTPUT   up to 2 MiB
// Both areas are followed by room for copies that run over by less than 32 bytes.

import { decompressLzf } from './lzf-decode';

const TABLE_BITS: u32 = 14;
const INPUT: usize = 0x20000;
const OUTPUT: usize = 0x140000;

const MAX_LITERAL: usize = 32;
const MAX_DISTANCE: usize = 8192;
const MAX_MATCH: usize = 264;

/** Decompresses `length` bytes into at most `room`. Returns the bytes written, -1 for a malformed stream. */
export function decompress(length: usize, room: usize): i32 {
  return decompressLzf(INPUT, INPUT + length, OUTPUT, OUTPUT + room);
}

/** What positions count from in the table, so that it need not be cleared: older entries lie below it. */
let epoch: u32 = 1;

/** Compresses `length` bytes into at most `budget`. Returns the bytes written, 0 when they do not fit. */
export function compress(length: usize, budget: usize): i32 {
  if (epoch > 0x7fffffff - <u32>length) {
    memory.fill(0, 0, 4 << TABLE_BITS);
    epoch = 1;
  }
  const origin = epoch;
  epoch += <u32>length;
  const inputEnd = INPUT + length;
  const outputEnd = OUTPUT + budget;
  const lastTriple = inputEnd - 2;
  let from = INPUT;
  let literals = from;
  let to = OUTPUT;
  while (from < lastTriple) {
    const triple = bswap<u32>(load<u32>(from)) >> 8;
    const slot = <usize>((triple * 0x9e3779b1) >> (32 - TABLE_BITS)) << 2;
    const entry = load<u32>(slot);
    store<u32>(slot, <u32>(from - INPUT) + origin);
    const seen = <usize>(entry - origin) + INPUT;
    if (entry < origin || from - seen > MAX_DISTANCE || bswap<u32>(load<u32>(seen)) >> 8 != triple) {
      from++;
      continue;
    }
    const limit = min<usize>(MAX_MATCH, inputEnd - from);
    let count: usize = 3;
    while (count + 8 <= limit) {
      const difference = load<u64>(seen + count) ^ load<u64>(from + count);
      if (difference != 0) {
        count += <usize>(ctz<u64>(difference) >> 3);
        break;
      }
      count += 8;
    }
    while (count < limit && load<u8>(seen + count) == load<u8>(from + count)) count++;
    to = writeLiterals(literals, from, to, outputEnd);
    if (to == 0 || to + 3 > outputEnd) return 0;
    const distance = <u32>(from - seen - 1);
    if (count < 9) {
      store<u8>(to++, ((<u32>count - 2) << 5) | (distance >> 8));
    } else {
      store<u8>(to++, 0xe0 | (distance >> 8));
      store<u8>(to++, <u32>count - 9);
    }
    store<u8>(to++, distance);
    from += count;
    literals = from;
  }
  to = writeLiterals(literals, inputEnd, to, outputEnd);
  return to == 0 ? 0 : <i32>(to - OUTPUT);
}

/** Literal runs of up to 32 bytes. Returns the position after them, 0 when they do not fit. */
function writeLiterals(from: usize, end: usize, to: usize, outputEnd: usize): usize {
  while (from < end) {
    const count = min<usize>(MAX_LITERAL, end - from);
    if (to + 1 + count > outputEnd) return 0;
    store<u8>(to++, <u32>count - 1);
    v128.store(to, v128.load(from));
    if (count > 16) v128.store(to, v128.load(from, 16), 16);
    to += count;
    from += count;
  }
  return to;
}
