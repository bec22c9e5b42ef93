import { type Long, signedLong } from '../../bytes/int64.js';
import { ByteSlice } from '../../bytes/slice.js';
import { type ErrorDetail, FormatError } from '../../errors.js';
import { INT64_TEXT_MAX, writeInt64, writeInteger } from '../../kernels/decimal.js';
import type { FindingCode } from '../../model/finding.js';

const TWO_32 = 4294967296;

/** A packed structure in memory, and where its bytes come from. */
export interface PackedBlob {
  readonly slice: ByteSlice;
  /** Absolute offset of the string that holds the structure. */
  readonly offset: number;
  /** Absolute offset of the slice's first byte; -1 when it was compressed in the file. */
  readonly origin: number;
}

/** One entry of a packed structure: an integer or borrowed bytes. One object is reused for many entries. */
export class PackedEntry {
  readonly slice = new ByteSlice();
  integer = false;
  /** The integer; rounded when `wide` and beyond 2^53. */
  value = 0;
  /** True when `high` and `low` hold the integer exactly and `value` might not. */
  wide = false;
  high = 0;
  low = 0;
  private readonly digits = Buffer.alloc(INT64_TEXT_MAX);

  setInteger(value: number): void {
    this.integer = true;
    this.wide = false;
    this.value = value;
  }

  /** Takes the signed 64-bit integer of two words. */
  setWide(high: number, low: number): void {
    this.integer = true;
    this.wide = true;
    this.high = high >>> 0;
    this.low = low;
    this.value = (high | 0) * TWO_32 + low;
  }

  setBytes(bytes: Buffer, start: number, end: number): void {
    this.integer = false;
    this.slice.set(bytes, start, end);
  }

  /** The entry as text, integers in decimal; valid until the entry is filled again. */
  text(): ByteSlice {
    if (!this.integer) return this.slice;
    const { digits } = this;
    const end = this.wide ? writeInt64(this.high, this.low, digits, 0) : writeInteger(this.value, digits, 0);
    return this.slice.set(digits, 0, end);
  }

  /** The integer, exact. */
  long(): Long {
    return this.wide ? signedLong(this.high, this.low) : this.value;
  }
}

/** The error for bad bytes at position `at` of a blob's memory. */
export function packedError(
  code: FindingCode,
  blob: PackedBlob,
  at: number,
  detail: ErrorDetail,
): FormatError {
  const position = at - blob.slice.start;
  if (blob.origin >= 0) return new FormatError(code, blob.origin + position, detail);
  // The bytes at fault do not stand in the file as they are: name the compressed string and the place inside it.
  return new FormatError(code, blob.offset, { ...detail, compressed: 1, position });
}
