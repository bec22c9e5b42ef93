/**
 * The parts of an RDB, put together byte by byte as the format's description names them. Nothing here uses the writer:
 * tests of the reader must not trust it.
 */

export type Bytes = string | Uint8Array;

/** Text is one byte per character. */
export const bytesOf = (part: Bytes): Buffer =>
  typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part);

export const concat = (...parts: Bytes[]): Buffer => Buffer.concat(parts.map(bytesOf));

export const u8 = (...values: number[]): Buffer => Buffer.from(values);

export function u16le(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function u32le(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u32be(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function i64le(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

export function u64be(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export function f64le(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** A length in its shortest form. */
export function len(value: number | bigint): Buffer {
  if (value < 64) return u8(Number(value));
  if (value < 16384) return u8(0x40 | (Number(value) >> 8), Number(value) & 0xff);
  return value < 2 ** 32 ? len32(Number(value)) : len64(value);
}

export const len14 = (value: number): Buffer => u8(0x40 | (value >> 8), value & 0xff);
export const len32 = (value: number): Buffer => concat(u8(0x80), u32be(value));
export const len64 = (value: number | bigint): Buffer => concat(u8(0x81), u64be(value));

/** A string object: plain. */
export const str = (text: Bytes): Buffer => concat(len(bytesOf(text).length), text);
/** A string object: an integer. */
export const int8 = (value: number): Buffer => u8(0xc0, value & 0xff);
export const int16 = (value: number): Buffer => concat(u8(0xc1), u16le(value & 0xffff));
export const int32 = (value: number): Buffer => concat(u8(0xc2), u32le(value >>> 0));

/** A string object: compressed, by literal runs alone. */
export function lzf(text: Bytes): Buffer {
  const bytes = bytesOf(text);
  const runs: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 32) {
    const run = bytes.subarray(at, at + 32);
    runs.push(u8(run.length - 1), run);
  }
  return lzfStream(concat(...runs), bytes.length);
}

/** A string object: this LZF stream, said to expand to `length` bytes. */
export const lzfStream = (stream: Bytes, length: number): Buffer =>
  concat(u8(0xc3), len(bytesOf(stream).length), len(length), stream);

/** `a` so many times, as one literal and back-references of up to 264 bytes: what compressors make of it. */
export function lzfRun(length: number): Buffer {
  const parts: Buffer[] = [concat(u8(0), 'a')];
  for (let left = length - 1; left > 0; ) {
    const run = left > 266 ? 264 : Math.min(left, 264);
    parts.push(run < 9 ? u8((run - 2) << 5, 0) : u8(0xe0, run - 9, 0));
    left -= run;
  }
  return lzfStream(concat(...parts), length);
}

/** A score as text. */
export const textDouble = (text: string): Buffer => concat(u8(text.length), text);
export const TEXT_NAN = u8(253);
export const TEXT_INFINITY = u8(254);
export const TEXT_MINUS_INFINITY = u8(255);

/** A stream id: milliseconds and sequence, big endian. */
export const id = (ms: number | bigint, seq: number | bigint): Buffer => concat(u64be(ms), u64be(seq));

/** Entries of listpacks, encoding and data only. */
export const lp = {
  uint7: (value: number) => u8(value),
  int13: (value: number) => u8(0xc0 | ((value >> 8) & 0x1f), value & 0xff),
  int16: (value: number) => concat(u8(0xf1), u16le(value & 0xffff)),
  int24: (value: number) => concat(u8(0xf2), u32le(value >>> 0).subarray(0, 3)),
  int32: (value: number) => concat(u8(0xf3), u32le(value >>> 0)),
  int64: (value: number | bigint) => concat(u8(0xf4), i64le(value)),
  str6: (text: Bytes) => concat(u8(0x80 | bytesOf(text).length), text),
  str12: (text: Bytes) => concat(u8(0xe0 | (bytesOf(text).length >> 8), bytesOf(text).length & 0xff), text),
  str32: (text: Bytes) => concat(u8(0xf0), u32le(bytesOf(text).length), text),
};

/** A number becomes an integer entry, a text a string entry, bytes are an entry's encoding and data. */
export type PackedPart = number | bigint | string | Buffer;

function lpEntry(part: PackedPart): Buffer {
  if (typeof part === 'string') return part.length < 64 ? lp.str6(part) : lp.str12(part);
  if (typeof part === 'bigint') return lp.int64(part);
  if (typeof part !== 'number') return part;
  if (part >= 0 && part < 128) return lp.uint7(part);
  if (part >= -4096 && part < 4096) return lp.int13(part);
  return Number.isSafeInteger(part) && Math.abs(part) < 2 ** 31 ? lp.int32(part) : lp.int64(part);
}

/** The length of an entry, readable from behind. */
export function backLength(size: number): Buffer {
  const groups = [size & 0x7f];
  for (let rest = size >> 7; rest > 0; rest >>= 7) groups.push(rest & 0x7f);
  return Buffer.from(groups.reverse().map((group, i) => (i === 0 ? group : group | 0x80)));
}

export function listpack(...parts: PackedPart[]): Buffer {
  const entries = parts.map(lpEntry).map((entry) => concat(entry, backLength(entry.length)));
  return listpackOf(parts.length, concat(...entries));
}

/** A listpack around these entries, back lengths included. */
export const listpackOf = (count: number, entries: Bytes): Buffer =>
  concat(u32le(bytesOf(entries).length + 7), u16le(count), entries, u8(0xff));

/** Entries of ziplists, encoding and data only. */
export const zl = {
  immediate: (value: number) => u8(0xf1 + value),
  int8: (value: number) => u8(0xfe, value & 0xff),
  int16: (value: number) => concat(u8(0xc0), u16le(value & 0xffff)),
  int24: (value: number) => concat(u8(0xf0), u32le(value >>> 0).subarray(0, 3)),
  int32: (value: number) => concat(u8(0xd0), u32le(value >>> 0)),
  int64: (value: number | bigint) => concat(u8(0xe0), i64le(value)),
  str6: (text: Bytes) => concat(u8(bytesOf(text).length), text),
  str14: (text: Bytes) => concat(u8(0x40 | (bytesOf(text).length >> 8), bytesOf(text).length & 0xff), text),
  str32: (text: Bytes) => concat(u8(0x80), u32be(bytesOf(text).length), text),
};

function zlEntry(part: PackedPart): Buffer {
  if (typeof part === 'string') return part.length < 64 ? zl.str6(part) : zl.str14(part);
  if (typeof part === 'bigint') return zl.int64(part);
  if (typeof part !== 'number') return part;
  if (part >= 0 && part <= 12) return zl.immediate(part);
  return Math.abs(part) < 2 ** 31 ? zl.int32(part) : zl.int64(part);
}

/** `longPrevious` writes every previous-length in five bytes, as deletions can leave them. */
export function ziplist(parts: readonly PackedPart[], longPrevious = false): Buffer {
  const entries: Buffer[] = [];
  let last = 10;
  let at = 10;
  let previous = 0;
  for (const part of parts) {
    const long = longPrevious || previous >= 254;
    const entry = concat(long ? concat(u8(254), u32le(previous)) : u8(previous), zlEntry(part));
    entries.push(entry);
    last = at;
    previous = entry.length;
    at += previous;
  }
  return concat(u32le(at + 1), u32le(last), u16le(parts.length), ...entries, u8(0xff));
}

export function intset(width: 2 | 4 | 8, ...values: (number | bigint)[]): Buffer {
  const items = values.map((value) => i64le(value).subarray(0, width));
  return concat(u32le(width), u32le(values.length), ...items);
}

/** Pairs of field and value; `free` unused bytes follow each value. */
export function zipmap(pairs: readonly (readonly [Bytes, Bytes])[], free = 0): Buffer {
  const length = (part: Bytes): Buffer => {
    const size = bytesOf(part).length;
    return size < 254 ? u8(size) : concat(u8(254), u32le(size));
  };
  const entries = pairs.map(([name, value]) =>
    concat(length(name), name, length(value), u8(free), value, Buffer.alloc(free, 'x')),
  );
  return concat(u8(Math.min(pairs.length, 254)), ...entries, u8(0xff));
}
