import { ByteSlice } from '../bytes/slice.js';
import { FormatError } from '../errors.js';
import { INT64_TEXT_MAX, writeInteger } from '../kernels/decimal.js';
import { lzfDecompress } from '../kernels/lzf.js';
import {
  LENGTH_64,
  LENGTH_SPECIAL,
  LZF_EXPANSION_MAX,
  STRING_INT8,
  STRING_INT16,
  STRING_INT32,
  STRING_LZF,
} from './constants.js';
import { type Cursor, SHORT, wordAt } from './cursor.js';

/** Scratch memory above this is let go after use, so that one giant string does not stay with us. */
const SCRATCH_KEPT = 1 << 20;

/**
 * Reads one string object: plain bytes stay where they are, integers and compressed strings are written to scratch
 * memory that the next read of the same reader overwrites.
 */
export class TextReader {
  readonly slice = new ByteSlice();
  /** Absolute offset of the string's length byte. */
  offset = 0;
  /** Absolute offset of the slice's first byte; -1 when its bytes do not stand in the file as they are. */
  origin = 0;
  private readonly digits = Buffer.alloc(INT64_TEXT_MAX);
  private scratch = Buffer.alloc(256);

  /** `lengthMax` bounds a string's length, compressed or not. */
  constructor(private readonly lengthMax: number) {}

  /**
   * @returns the position after the string, or SHORT
   * @throws FormatError when the bytes are no string
   */
  read(cursor: Cursor, at: number): number {
    if (at >= cursor.end) return cursor.short(at + 1);
    const first = cursor.bytes[at]!;
    if (first >= 0x40) return this.readWide(cursor, at, first);
    const stop = at + 1 + first;
    if (stop > cursor.end) return cursor.short(stop);
    this.offset = cursor.base + at;
    this.origin = this.offset + 1;
    this.slice.set(cursor.bytes, at + 1, stop);
    return stop;
  }

  private readWide(cursor: Cursor, at: number, first: number): number {
    this.offset = cursor.base + at;
    if (first >= LENGTH_SPECIAL) {
      return first === STRING_LZF ? this.readCompressed(cursor, at) : this.readInteger(cursor, at, first);
    }
    const start = cursor.length(at);
    if (start === SHORT) return SHORT;
    const stop = start + this.bounded(cursor.value);
    if (stop > cursor.end) return cursor.short(stop);
    this.origin = cursor.base + start;
    this.slice.set(cursor.bytes, start, stop);
    return stop;
  }

  private readInteger(cursor: Cursor, at: number, first: number): number {
    const stop = at + integerBytes(first, this.offset);
    if (stop > cursor.end) return cursor.short(stop);
    const { bytes } = cursor;
    const value =
      first === STRING_INT8
        ? (bytes[at + 1]! << 24) >> 24
        : first === STRING_INT16
          ? ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 24)) >> 16
          : wordAt(bytes, at + 1) | 0;
    this.origin = -1;
    this.slice.set(this.digits, 0, writeInteger(value, this.digits, 0));
    return stop;
  }

  private readCompressed(cursor: Cursor, at: number): number {
    let start = cursor.length(at + 1);
    if (start === SHORT) return SHORT;
    const compressed = this.bounded(cursor.value);
    start = cursor.length(start);
    if (start === SHORT) return SHORT;
    const length = this.bounded(cursor.value);
    if (length === 0 || length > compressed * LZF_EXPANSION_MAX) {
      throw new FormatError('rdb/bad-lzf', this.offset, { compressed, length });
    }
    const stop = start + compressed;
    if (stop > cursor.end) return cursor.short(stop);
    const into = this.room(length);
    if (!lzfDecompress(cursor.bytes, start, stop, into, 0, length)) {
      throw new FormatError('rdb/bad-lzf', this.offset, { compressed, length });
    }
    this.origin = -1;
    this.slice.set(into, 0, length);
    return stop;
  }

  private room(length: number): Buffer {
    if (length <= this.scratch.length) return this.scratch;
    if (length > SCRATCH_KEPT) return Buffer.allocUnsafeSlow(length);
    return (this.scratch = Buffer.allocUnsafeSlow(Math.min(length * 2, SCRATCH_KEPT)));
  }

  private bounded(length: number): number {
    if (length <= this.lengthMax) return length;
    throw new FormatError('rdb/length-overrun', this.offset, { declared: length, limit: this.lengthMax });
  }
}

/** Bytes of an integer string, its first byte included. @throws FormatError for an unknown encoding */
export function integerBytes(first: number, offset: number): number {
  if (first === STRING_INT8) return 2;
  if (first === STRING_INT16) return 3;
  if (first === STRING_INT32) return 5;
  throw new FormatError('rdb/bad-string-encoding', offset, { byte: first });
}

/**
 * How a string value at `at` is held, in the words of OBJECT ENCODING; null when its head is not all here.
 * A bad head counts as 'raw': reading it will say what is wrong.
 */
export function textEncoding(cursor: Cursor, at: number): string | null {
  if (at >= cursor.end) return shortHead(cursor, at + 1);
  const first = cursor.bytes[at]!;
  if (first < 0x40) return first <= EMBEDDED_MAX ? 'embstr' : 'raw';
  if (first >= LENGTH_SPECIAL) {
    if (first < STRING_LZF) return 'int';
    if (first > STRING_LZF) return 'raw';
    const middle = cursor.length(at + 1);
    if (middle === SHORT || cursor.length(middle) === SHORT) return null;
    return cursor.value <= EMBEDDED_MAX ? 'embstr' : 'raw';
  }
  if (first > LENGTH_64) return 'raw';
  if (cursor.length(at) === SHORT) return null;
  return cursor.value <= EMBEDDED_MAX ? 'embstr' : 'raw';
}

/** The servers keep strings up to this length in one allocation with their object. */
export const EMBEDDED_MAX = 44;

function shortHead(cursor: Cursor, to: number): null {
  cursor.short(to);
  return null;
}
