import { LZ4_MAGIC } from '../kernels/lz4-frame.js';
import { ZSTD_MAGIC } from '../kernels/zstd.js';
import {
  LENGTH_32,
  LENGTH_64,
  LENGTH_SPECIAL,
  LZF_EXPANSION_MAX,
  MODULE_END,
  MODULE_UINT,
  OPCODE_AUX,
  OPCODE_EOF,
  OPCODE_EXPIRETIME,
  OPCODE_EXPIRETIME_MS,
  OPCODE_FREQ,
  OPCODE_FUNCTION2,
  OPCODE_IDLE,
  OPCODE_SELECTDB,
  STRING_INT8,
  STRING_INT16,
  STRING_LZF,
  TRAILER_BYTES,
  TYPE_MODULE_2,
} from '../rdb/constants.js';
import type { Dialect } from '../rdb/dialect.js';
import { LENGTH, LOOP, STRING } from '../rdb/skim.js';

/** Names longer than this are not believed after damage. */
export const NAME_MAX = 64 * 1024;
/** A sane time of expiry in seconds is above, in its highest byte. */
const SECONDS_HIGH_MIN = 5;

/** Servers have 16 databases unless told otherwise; a larger number behind damage is rather no SELECTDB. */
export const DATABASE_MAX = 0x3f;
/** Names of fields in front of the data are shorter. */
const AUX_NAME_MAX = 64;
/** Bytes that the head of a string fits into. */
const HEAD_BYTES = 32;

let length = 0;

/** What the last `lengthAt` or `stringEnd` read. */
export function lengthRead(): number {
  return length;
}

/**
 * Whether a record may begin at a position: a quick look at type number, name and the head of the value that refuses
 * nearly everything else, without throwing. What runs beyond `end` is given the benefit of the doubt up to `limit`,
 * the position at which the input ends. Records that never begin a chain (fields in front of the data excepted) are
 * refused too.
 */
export function mayBegin(bytes: Buffer, at: number, end: number, limit: number, dialect: Dialect): boolean {
  const first = bytes[at]!;
  if (dialect.typeOf[first] !== undefined) return mayBeKey(bytes, at, end, limit, dialect);
  switch (first) {
    case OPCODE_EXPIRETIME_MS:
      // A time between 1973 and 5138: the two highest bytes are zero, the third is below 0x5b.
      if (at + 9 > end) return at + 9 <= limit;
      if (bytes[at + 8] !== 0 || bytes[at + 7] !== 0 || bytes[at + 6]! > 0x5a) return false;
      return followed(bytes, at + 9, end, limit, dialect);
    case OPCODE_EXPIRETIME:
      return followed(bytes, at + 5, end, limit, dialect);
    case OPCODE_FREQ:
    case OPCODE_IDLE: {
      const next = first === OPCODE_FREQ ? at + 2 : lengthAt(bytes, at + 1, end);
      return next > 0 ? followed(bytes, next, end, limit, dialect) : next === 0;
    }
    case OPCODE_SELECTDB:
      return at + 1 >= end || bytes[at + 1]! < 0x40;
    case OPCODE_AUX:
      return at + 2 >= end || (bytes[at + 1]! > 1 && bytes[at + 1]! < 0x20 && isLetter(bytes[at + 2]!));
    case OPCODE_FUNCTION2:
      return true;
    case OPCODE_EOF:
      return mayEnd(bytes, at, end, limit);
    default:
      return mayBeOther(bytes, at, end, limit, dialect);
  }
}

/**
 * The position after an attribute of a key, the same when there is none, -1 for one that no server writes. All of its
 * head must be in memory.
 */
export function attributeEnd(bytes: Buffer, at: number, end: number, dialect: Dialect): number {
  switch (dialect.opcodeOf[bytes[at]!]) {
    case 'expiry-ms':
      return bytes[at + 8] === 0 && bytes[at + 7] === 0 && bytes[at + 6]! <= 0x5a ? at + 9 : -1;
    case 'expiry-seconds':
      return bytes[at + 4]! >= SECONDS_HIGH_MIN && bytes[at + 4]! < 0x80 ? at + 5 : -1;
    case 'freq':
      return at + 2;
    case 'idle':
      return lengthAt(bytes, at + 1, end);
    default:
      return at;
  }
}

/**
 * The position after a record around keys, all of whose head is in memory; 0 when only reading it can tell, -1 when
 * there is none.
 */
export function opcodeEnd(bytes: Buffer, at: number, end: number, limit: number, dialect: Dialect): number {
  const next = at + 1;
  switch (dialect.opcodeOf[bytes[at]!]) {
    case 'database': {
      const stop = lengthAt(bytes, next, end);
      return length > DATABASE_MAX ? -1 : stop;
    }
    case 'resize': {
      const stop = lengthAt(bytes, next, end);
      return stop < 0 || length > limit ? -1 : lengthAt(bytes, stop, end);
    }
    case 'aux': {
      const middle = stringEnd(bytes, next, end, limit);
      if (middle < 0 || length === 0 || length > AUX_NAME_MAX) return -1;
      return middle + HEAD_BYTES > end ? 0 : stringEnd(bytes, middle, end, limit);
    }
    case 'function': {
      // The text of a library, which names its engine first.
      const stop = stringEnd(bytes, next, end, limit);
      const start = bytes[next]! < LENGTH_SPECIAL ? lengthAt(bytes, next, end) : 0;
      const named = start === 0 || (bytes[start] === 0x23 && bytes[start + 1] === 0x21);
      return named ? stop : -1;
    }
    case 'module-aux': {
      const middle = lengthAt(bytes, next, end);
      // The tag of an unsigned number, and when it was saved.
      return middle < 0 || bytes[middle] !== MODULE_UINT ? -1 : 0;
    }
    case 'slot-info': {
      let stop = next;
      for (let i = 0; i < 3 && stop >= 0; i++) stop = lengthAt(bytes, stop, end);
      return stop;
    }
    case 'hash-template':
    case 'blob-lz4':
    case 'blob-zstd':
      return mayBeOther(bytes, at, end, limit, dialect) ? 0 : -1;
    case undefined:
    case 'tagged-chunk':
      return -1;
    default:
      return 0;
  }
}

/** Records without a name of their own that other keys are lost without. */
function mayBeOther(bytes: Buffer, at: number, end: number, limit: number, dialect: Dialect): boolean {
  switch (dialect.opcodeOf[bytes[at]!]) {
    case 'hash-template':
      return mayBeTemplate(bytes, at + 1, end, limit);
    case 'blob-lz4':
      return mayBeBlob(bytes, at + 1, end, limit, LZ4_MAGIC);
    case 'blob-zstd':
      return mayBeBlob(bytes, at + 1, end, limit, ZSTD_MAGIC);
    default:
      return false;
  }
}

/** A length, and the first bytes of its frame. */
function mayBeBlob(bytes: Buffer, at: number, end: number, limit: number, magic: number): boolean {
  const start = lengthAt(bytes, at, end);
  if (start <= 0) return start === 0 && at < limit;
  if (start + length > limit || length < 4) return false;
  return start + 4 > end || bytes.readUInt32LE(start) === magic;
}

/** A number, how many names, and the first of them: the hashes behind damage are lost without it. */
function mayBeTemplate(bytes: Buffer, at: number, end: number, limit: number): boolean {
  const middle = lengthAt(bytes, at, end);
  if (middle <= 0) return middle === 0 && at < limit;
  const names = lengthAt(bytes, middle, end);
  if (names <= 0) return names === 0 && middle < limit;
  return length > 0 && length <= limit - names && stringEnd(bytes, names, end, limit) > 0;
}

/** Whether an RDB may end with the end mark at a position: behind it the input ends, or a log begins. */
export function mayEnd(bytes: Buffer, markAt: number, end: number, limit: number): boolean {
  const after = markAt + 1;
  return mayEndAt(bytes, after, end, limit) || mayEndAt(bytes, after + TRAILER_BYTES, end, limit);
}

function mayEndAt(bytes: Buffer, at: number, end: number, limit: number): boolean {
  return at === limit || (at < limit && (at >= end || bytes[at] === 0x2a || bytes[at] === 0x23));
}

/** After an attribute: a type number, or another attribute. */
function followed(bytes: Buffer, at: number, end: number, limit: number, dialect: Dialect): boolean {
  if (at >= end) return at < limit;
  const first = bytes[at]!;
  if (dialect.typeOf[first] !== undefined) return mayBeKey(bytes, at, end, limit, dialect);
  return first === OPCODE_FREQ || first === OPCODE_IDLE || first === OPCODE_EXPIRETIME_MS;
}

function mayBeKey(bytes: Buffer, at: number, end: number, limit: number, dialect: Dialect): boolean {
  const valueAt = stringEnd(bytes, at + 1, end, limit);
  if (valueAt < 0 || length === 0 || length > NAME_MAX) return false;
  if (valueAt >= limit) return false;
  if (valueAt >= end) return true;
  const { layout } = dialect.typeOf[bytes[at]!]!;
  const first = layout[0]!;
  if (first === STRING) {
    const stop = stringEnd(bytes, valueAt, end, limit);
    return stop > 0 && (length > 0 || bytes[at] === 0);
  }
  if (first === LOOP) {
    const next = lengthAt(bytes, valueAt, end);
    // Every item takes a byte at least.
    return next === 0 || (next > 0 && length > 0 && length <= limit - next);
  }
  if (bytes[at] === TYPE_MODULE_2 && first === LENGTH) {
    return bytes[valueAt] === LENGTH_64 && (valueAt + 9 >= end || bytes[valueAt + 9] !== MODULE_END);
  }
  return true;
}

/** The position after a length, 0 when it is not all in memory, -1 when it is none. Its value in `length`. */
export function lengthAt(bytes: Buffer, at: number, end: number): number {
  if (at >= end) return 0;
  const first = bytes[at]!;
  if (first < 0x40) {
    length = first;
    return at + 1;
  }
  if (first < 0x80) {
    if (at + 2 > end) return 0;
    length = ((first & 0x3f) << 8) | bytes[at + 1]!;
    return at + 2;
  }
  if (first === LENGTH_32) {
    if (at + 5 > end) return 0;
    length = bytes.readUInt32BE(at + 1);
    return at + 5;
  }
  if (first !== LENGTH_64) return -1;
  if (at + 9 > end) return 0;
  length = bytes.readUInt32BE(at + 1) * 4294967296 + bytes.readUInt32BE(at + 5);
  return at + 9;
}

/** The position after a string, which may be beyond `end`; -1 when it is none or leaves the input. */
export function stringEnd(bytes: Buffer, at: number, end: number, limit: number): number {
  if (at >= end) return at < limit ? at + 1 : -1;
  const first = bytes[at]!;
  if (first < LENGTH_SPECIAL) {
    const start = lengthAt(bytes, at, end);
    if (start === 0) {
      length = 1;
      return at + 1;
    }
    const stop = start + length;
    return start < 0 || stop > limit ? -1 : stop;
  }
  if (first > STRING_LZF) return -1;
  if (first < STRING_LZF) {
    length = 1;
    const stop = at + (first === STRING_INT8 ? 2 : first === STRING_INT16 ? 3 : 5);
    return stop > limit ? -1 : stop;
  }
  const middle = lengthAt(bytes, at + 1, end);
  if (middle < 0) return -1;
  const compressed = length;
  const start = middle === 0 ? 0 : lengthAt(bytes, middle, end);
  if (start === 0) {
    length = 1;
    return at + 1;
  }
  if (start < 0 || compressed < 2 || start + compressed > limit) return -1;
  // The first token of a compressed string is a run of literals: there is nothing yet to refer to.
  if (start < end && bytes[start]! >= 0x20) return -1;
  return length <= compressed || length > compressed * LZF_EXPANSION_MAX ? -1 : start + compressed;
}

function isLetter(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a);
}
