// JSON text, written to memory. Callers have made sure of the room with `fits`; every write may run over its own end by
// less than 32 bytes.
//
//   ESCAPES   by byte: eight bytes, the escape and in the last of them its length
//   LITERALS  thirty-two bytes each: up to 31 characters, in the last byte how many
//   ALPHABET  of base64
//   PAIRS     "00" to "99"
// These tables are filled by whoever starts the kernel.

export const ESCAPES: usize = 0x1000;
export const LITERALS: usize = 0x2000;
export const ALPHABET: usize = 0x2800;
export const PAIRS: usize = 0x2900;

/** Where what is written ends, and bytes that are kept free for all that stands between two texts. */
export const OUTPUT: usize = 0x400000;
export const OUTPUT_END: usize = 0xbf0000;
const BETWEEN: usize = 0x2000;

const QUOTE: u8 = 34;
const MINUS: u8 = 45;
const ZERO: u8 = 48;
const SAFE_MAX: u64 = 9007199254740991;

/** The first two literals. */
const BASE64_OPEN: usize = 0;
const BASE64_CLOSE: usize = 1;

/** True when a text of so many bytes, escaped or not, can be written at a position, and what stands around it. */
@inline
export function fits(length: usize, at: usize): bool {
  return at + length * 6 + BETWEEN <= OUTPUT_END;
}

@inline
export function putLiteral(literal: usize, at: usize): usize {
  const from = LITERALS + (literal << 5);
  v128.store(at, v128.load(from));
  v128.store(at, v128.load(from, 16), 16);
  return at + <usize>load<u8>(from, 31);
}

function digitCount(value: u64): usize {
  if (value < 10000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  let count: usize = 5;
  for (let bound: u64 = 100000; count < 20 && value >= bound; bound *= 10) count++;
  return count;
}

/** An unsigned number in decimal. */
export function putDigits(value: u64, at: usize): usize {
  if (value < 10) {
    store<u8>(at, ZERO + <u8>value);
    return at + 1;
  }
  const end = at + digitCount(value);
  let to = end;
  let large = value;
  while (large > 0xffffffff) {
    const quotient = large / 100;
    to -= 2;
    store<u16>(to, load<u16>(PAIRS + (<usize>(large - quotient * 100) << 1)));
    large = quotient;
  }
  let rest = <u32>large;
  while (rest >= 100) {
    const quotient = rest / 100;
    to -= 2;
    store<u16>(to, load<u16>(PAIRS + (<usize>(rest - quotient * 100) << 1)));
    rest = quotient;
  }
  if (rest >= 10) store<u16>(to - 2, load<u16>(PAIRS + (<usize>rest << 1)));
  else store<u8>(to - 1, ZERO + <u8>rest);
  return end;
}

/** A signed number in decimal. */
export function putSigned(value: i64, at: usize): usize {
  if (value >= 0) return putDigits(<u64>value, at);
  store<u8>(at, MINUS);
  return putDigits(0 - <u64>value, at + 1);
}

/** A quantity: a number while every reader of JSON has it exactly, else its digits as a string. */
export function putLong(value: i64, at: usize): usize {
  const magnitude = value < 0 ? 0 - <u64>value : <u64>value;
  if (magnitude <= SAFE_MAX) return putSigned(value, at);
  store<u8>(at, QUOTE);
  const to = putSigned(value, at + 1);
  store<u8>(to, QUOTE);
  return to + 1;
}

export function putUnsignedLong(value: u64, at: usize): usize {
  if (value <= SAFE_MAX) return putDigits(value, at);
  store<u8>(at, QUOTE);
  const to = putDigits(value, at + 1);
  store<u8>(to, QUOTE);
  return to + 1;
}

/** A number as a string. */
@inline
export function putQuoted(value: i64, at: usize): usize {
  store<u8>(at, QUOTE);
  const to = putSigned(value, at + 1);
  store<u8>(to, QUOTE);
  return to + 1;
}

/** Bytes: a string when they are valid UTF-8, with control characters escaped, C1 ones too, else base64. */
export function putText(start: usize, end: usize, at: usize): usize {
  store<u8>(at, QUOTE);
  let from = start;
  let to = at + 1;
  while (from < end) {
    const bytes = v128.load(from);
    v128.store(to, bytes);
    // As signed bytes, those beyond ASCII lie below the blank as well.
    const special = v128.or(
      v128.or(i8x16.lt_s(bytes, i8x16.splat(32)), i8x16.eq(bytes, i8x16.splat(127))),
      v128.or(i8x16.eq(bytes, i8x16.splat(34)), i8x16.eq(bytes, i8x16.splat(92))),
    );
    const left = end - from;
    let marks = <u32>i8x16.bitmask(special);
    if (left < 16) marks &= (1 << <u32>left) - 1;
    if (marks == 0) {
      const count = min<usize>(left, 16);
      from += count;
      to += count;
      continue;
    }
    const run = <usize>ctz<u32>(marks);
    from += run;
    to += run;
    let byte = <u32>load<u8>(from);
    if (byte < 0x80) {
      to = putEscape(byte, to);
      from++;
      continue;
    }
    do {
      const size = sequence(byte, from, end);
      if (size == 0) return putBase64(start, end, at);
      if (byte == 0xc2 && load<u8>(from, 1) < 0xa0) {
        to = putEscape(load<u8>(from, 1), to);
      } else {
        store<u32>(to, load<u32>(from));
        to += size;
      }
      from += size;
      byte = from < end ? <u32>load<u8>(from) : 0;
    } while (byte >= 0x80);
  }
  store<u8>(to, QUOTE);
  return to + 1;
}

@inline
function putEscape(code: u32, at: usize): usize {
  const escape = load<u64>(ESCAPES + (<usize>code << 3));
  store<u64>(at, escape);
  return at + <usize>(escape >> 56);
}

/** Bytes of the character that begins with `byte`; 0 when it is none. */
function sequence(byte: u32, from: usize, end: usize): usize {
  const left = end - from;
  if (byte < 0xc2 || byte > 0xf4 || left < 2) return 0;
  const second = <u32>load<u8>(from, 1);
  if (byte < 0xe0) return (second & 0xc0) == 0x80 ? 2 : 0;
  if (left < 3 || (load<u8>(from, 2) & 0xc0) != 0x80) return 0;
  if (byte < 0xf0) {
    const first: u32 = byte == 0xe0 ? 0xa0 : 0x80;
    const last: u32 = byte == 0xed ? 0x9f : 0xbf;
    return second >= first && second <= last ? 3 : 0;
  }
  if (left < 4 || (load<u8>(from, 3) & 0xc0) != 0x80) return 0;
  const first: u32 = byte == 0xf0 ? 0x90 : 0x80;
  const last: u32 = byte == 0xf4 ? 0x8f : 0xbf;
  return second >= first && second <= last ? 4 : 0;
}

function putBase64(start: usize, end: usize, at: usize): usize {
  let to = putLiteral(BASE64_OPEN, at);
  let from = start;
  for (; from + 3 <= end; from += 3) {
    const three = bswap<u32>(load<u32>(from)) >> 8;
    store<u32>(to, four(three));
    to += 4;
  }
  const left = end - from;
  if (left > 0) {
    const two = left == 2 ? <u32>load<u8>(from, 1) << 8 : 0;
    store<u32>(to, four((<u32>load<u8>(from) << 16) | two));
    store<u8>(to, 61, 3);
    if (left == 1) store<u8>(to, 61, 2);
    to += 4;
  }
  return putLiteral(BASE64_CLOSE, to);
}

@inline
function four(bits: u32): u32 {
  return (
    <u32>load<u8>(ALPHABET + (bits >> 18)) |
    (<u32>load<u8>(ALPHABET + ((bits >> 12) & 63)) << 8) |
    (<u32>load<u8>(ALPHABET + ((bits >> 6) & 63)) << 16) |
    (<u32>load<u8>(ALPHABET + (bits & 63)) << 24)
  );
}
