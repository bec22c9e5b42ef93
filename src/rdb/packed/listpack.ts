import type { ErrorDetail, FormatError } from '../../errors.js';
import type { FindingCode } from '../../model/finding.js';
import { wordAt } from '../cursor.js';
import { type PackedBlob, type PackedEntry, packedError } from './entry.js';

/** Total size and count. */
export const LISTPACK_HEADER_BYTES = 6;
export const LISTPACK_END = 0xff;
/** In the count field: not known, walk to count. */
export const LISTPACK_COUNT_UNKNOWN = 65535;

/** Walks a listpack from front to back, checking every length, every back length and the count. */
export class ListpackReader {
  readonly code = 'rdb/bad-listpack';
  /** Number of entries read so far. */
  index = 0;
  /** Position of the next entry in the blob's memory. */
  at = 0;
  private lastAt = 0;
  private stop = 0;
  private count = 0;
  private blob!: PackedBlob;

  /** @throws FormatError when head or end mark are wrong */
  open(blob: PackedBlob): void {
    const { bytes, start, end } = blob.slice;
    this.blob = blob;
    this.index = 0;
    this.at = this.lastAt = start + LISTPACK_HEADER_BYTES;
    this.stop = end - 1;
    const size = end - start;
    if (size < LISTPACK_HEADER_BYTES + 1) throw this.headError(start, { reason: 'too-short', size });
    const total = wordAt(bytes, start);
    if (total !== size) throw this.headError(start, { reason: 'total-differs', declared: total, size });
    if (bytes[this.stop] !== LISTPACK_END) throw this.headError(this.stop, { reason: 'no-end-mark' });
    this.count = bytes[start + 4]! | (bytes[start + 5]! << 8);
  }

  /** True when there are no entries at all. */
  get empty(): boolean {
    return this.index === 0 && this.at === this.stop;
  }

  /** Bytes between the next entry and the end mark. */
  get bytesLeft(): number {
    return this.stop - this.at;
  }

  /**
   * Reads the next entry; false at the end.
   * @throws FormatError when it is damaged, or when the end comes before or after the declared count
   */
  next(entry: PackedEntry): boolean {
    const { at, stop } = this;
    if (at >= stop) {
      if (this.count !== LISTPACK_COUNT_UNKNOWN && this.count !== this.index) {
        const detail = { reason: 'count-differs', declared: this.count, counted: this.index };
        throw this.headError(this.blob.slice.start + 4, detail);
      }
      return false;
    }
    const { bytes } = this.blob.slice;
    const first = bytes[at]!;
    let size: number;
    if (first < 0x80) {
      entry.setInteger(first);
      size = 1;
    } else if (first < 0xc0) {
      size = 1 + (first & 0x3f);
      entry.setBytes(bytes, at + 1, at + size);
    } else {
      size = this.wideEntry(entry, first);
    }
    const after = at + size + backLengthBytes(size);
    if (after > stop) throw this.error({ reason: 'entry-overrun', length: size, available: stop - at });
    if (size < 0x80 ? bytes[at + size] !== size : !backLengthFits(bytes, at + size, after, size)) {
      throw this.error({ reason: 'back-length-differs', length: size });
    }
    this.lastAt = at;
    this.at = after;
    this.index++;
    return true;
  }

  /** Moves back to a position that `at` had when `index` entries had been read. */
  seek(at: number, index: number): void {
    this.at = at;
    this.index = index;
  }

  /** The error for an entry that was read and does not belong where it stands. */
  lastError(code: FindingCode, detail: ErrorDetail): FormatError {
    return packedError(code, this.blob, this.lastAt, detail)
      .within(`entry ${this.index - 1}`)
      .within('listpack');
  }

  /** The error for the structure as a whole. */
  wholeError(code: FindingCode, detail: ErrorDetail): FormatError {
    return packedError(code, this.blob, this.blob.slice.start, detail).within('listpack');
  }

  private error(detail: ErrorDetail): FormatError {
    return packedError('rdb/bad-listpack', this.blob, this.at, detail)
      .within(`entry ${this.index}`)
      .within('listpack');
  }

  private headError(at: number, detail: ErrorDetail): FormatError {
    return packedError('rdb/bad-listpack', this.blob, at, detail).within('listpack');
  }

  /** Fills the entry from an encoding above 0xbf; returns the bytes of encoding and data. */
  private wideEntry(entry: PackedEntry, first: number): number {
    const { at, stop } = this;
    const { bytes } = this.blob.slice;
    const head = wideHeadBytes(first);
    if (head === 0) throw this.error({ reason: 'unknown-encoding', byte: first });
    if (at + head > stop) throw this.error({ reason: 'entry-overrun', length: head, available: stop - at });
    if (first < 0xe0) {
      const value = ((first & 0x1f) << 8) | bytes[at + 1]!;
      entry.setInteger(value >= 0x1000 ? value - 0x2000 : value);
      return 2;
    }
    if (first <= 0xf0) {
      const length = first < 0xf0 ? ((first & 0x0f) << 8) | bytes[at + 1]! : wordAt(bytes, at + 1);
      if (length > stop - at - head)
        throw this.error({ reason: 'entry-overrun', length, available: stop - at });
      entry.setBytes(bytes, at + head, at + head + length);
      return head + length;
    }
    if (first === 0xf4) entry.setWide(wordAt(bytes, at + 5), wordAt(bytes, at + 1));
    else entry.setInteger(signedAt(bytes, at + 1, head - 1));
    return head;
  }
}

/** Bytes of encoding and fixed data for a first byte above 0xbf; 0 when there is no such encoding. */
function wideHeadBytes(first: number): number {
  if (first < 0xf0) return 2;
  return WIDE_HEAD[first - 0xf0] ?? 0;
}

const WIDE_HEAD = [5, 3, 4, 5, 9];

/** A signed integer of two to four bytes, little endian. */
function signedAt(bytes: Buffer, at: number, width: number): number {
  const low = bytes[at]! | (bytes[at + 1]! << 8);
  if (width === 2) return (low << 16) >> 16;
  if (width === 3) return ((low | (bytes[at + 2]! << 16)) << 8) >> 8;
  return wordAt(bytes, at) | 0;
}

/** Bytes that the back length of an entry takes. */
export function backLengthBytes(size: number): number {
  if (size < 0x80) return 1;
  if (size < 0x4000) return 2;
  if (size < 0x200000) return 3;
  return size < 0x10000000 ? 4 : 5;
}

/** Seven bits to a byte, most significant group first, all but the first marked in their top bit. */
function backLengthFits(bytes: Buffer, start: number, end: number, size: number): boolean {
  let value = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x80 !== at > start) return false;
    value = value * 128 + (byte & 0x7f);
  }
  return value === size;
}
