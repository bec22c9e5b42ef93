// Packs the blocks of an LZ4 frame in WebAssembly. Fixed memory, no runtime, no allocation:
//   0        where each hash of four bytes was last seen, as a position in the frame
//   SOURCE   the 64 KiB before the block, then the block, up to 64 KiB
//   OUTPUT   the packed block, never larger than the block
// The ends are followed by room for reads and copies that run over by less than 32 bytes.

const TABLE_BITS: u32 = 14;
const SOURCE: usize = 0x20000;
const OUTPUT: usize = 0x30100;

const MIN_MATCH: usize = 4;
const MAX_DISTANCE: usize = 65535;
/** No match begins this close to the end of a block, and none reaches into its last bytes. */
const LAST_BEGIN: usize = 12;
const LAST_LITERALS: usize = 5;
/** Bytes without a match after which the search takes larger steps. */
const PATIENCE_BITS: u32 = 6;
const FIRST_POSITION: u32 = 65536;

/** Position in the frame of the next block, from FIRST_POSITION on: 0 in the table is nothing seen. */
let position: u32 = FIRST_POSITION;

/** A frame begins. */
export function begin(): void {
  memory.fill(0, 0, 4 << TABLE_BITS);
  position = FIRST_POSITION;
}

/**
 * Packs the block of `length` bytes; matches may reach into the `history` bytes before it. Returns the bytes written, 0
 * when they would not be fewer than the block's own.
 */
export function pack(length: usize, history: usize): i32 {
  if (position > 0xf0000000) begin();
  const origin = SOURCE - <usize>position;
  position += <u32>length;
  const end = SOURCE + length;
  const earliest = SOURCE - history;
  const outputEnd = OUTPUT + length;
  let from = SOURCE;
  let literals = from;
  let to = OUTPUT;
  let patience: u32 = 1 << PATIENCE_BITS;
  while (from + LAST_BEGIN <= end) {
    const word = load<u32>(from);
    const slot = <usize>((word * 0x9e3779b1) >> (32 - TABLE_BITS)) << 2;
    const entry = load<u32>(slot);
    store<u32>(slot, <u32>(from - origin));
    const seen = <usize>entry + origin;
    if (entry == 0 || seen < earliest || seen >= from || from - seen > MAX_DISTANCE || load<u32>(seen) != word) {
      from += <usize>(patience++ >> PATIENCE_BITS);
      continue;
    }
    patience = 1 << PATIENCE_BITS;
    const limit = end - LAST_LITERALS - from;
    let count = MIN_MATCH;
    while (count + 8 <= limit) {
      const difference = load<u64>(seen + count) ^ load<u64>(from + count);
      if (difference != 0) {
        count += <usize>(ctz<u64>(difference) >> 3);
        break;
      }
      count += 8;
    }
    while (count < limit && load<u8>(seen + count) == load<u8>(from + count)) count++;
    to = writeSequence(literals, from - literals, from - seen, count, to, outputEnd);
    if (to == 0) return 0;
    from += count;
    literals = from;
  }
  to = writeSequence(literals, end - literals, 0, MIN_MATCH, to, outputEnd);
  return to == 0 || to >= outputEnd ? 0 : <i32>(to - OUTPUT);
}

/** Literals, then a match; a distance of 0 stands for none. Returns the position after them, 0 when they do not fit. */
function writeSequence(
  from: usize,
  count: usize,
  distance: usize,
  matched: usize,
  at: usize,
  outputEnd: usize,
): usize {
  const more = matched - MIN_MATCH;
  if (at + 5 + count + count / 255 + more / 255 > outputEnd) return 0;
  let to = at;
  store<u8>(to++, (min<usize>(count, 15) << 4) | min<usize>(more, 15));
  if (count >= 15) to = writeCount(count - 15, to);
  memory.copy(to, from, count);
  to += count;
  if (distance == 0) return to;
  store<u16>(to, <u16>distance);
  to += 2;
  return more >= 15 ? writeCount(more - 15, to) : to;
}

function writeCount(count: usize, at: usize): usize {
  let left = count;
  let to = at;
  for (; left >= 255; left -= 255) store<u8>(to++, 255);
  store<u8>(to++, left);
  return to;
}
