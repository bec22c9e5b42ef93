import type { ErrorDetail, FormatError } from '../../errors.js';
import { type PackedBlob, type PackedEntry, packedError } from './entry.js';

/** Width of the integers and their number. */
export const INTSET_HEADER_BYTES = 8;

/** Walks an intset in ascending order. */
export class IntsetReader {
  /** Number of integers read so far. */
  index = 0;
  count = 0;
  private width = 0;
  private at = 0;
  private previousHigh = 0;
  private previousLow = 0;
  private blob!: PackedBlob;

  /** @throws FormatError when the head does not fit the size */
  open(blob: PackedBlob): void {
    const { bytes, start, end } = blob.slice;
    this.blob = blob;
    this.index = 0;
    const size = end - start;
    if (size < INTSET_HEADER_BYTES) throw this.error(start, { reason: 'too-short', size });
    this.width = bytes.readUInt32LE(start);
    this.count = bytes.readUInt32LE(start + 4);
    this.at = start + INTSET_HEADER_BYTES;
    if (this.width !== 2 && this.width !== 4 && this.width !== 8) {
      throw this.error(start, { reason: 'unknown-width', width: this.width });
    }
    if (INTSET_HEADER_BYTES + this.count * this.width !== size) {
      throw this.error(start + 4, { reason: 'count-differs', declared: this.count, width: this.width, size });
    }
    if (this.count === 0) throw this.error(start + 4, { reason: 'empty' });
  }

  /** Reads the next integer; false at the end. @throws FormatError when it is not above the one before */
  next(entry: PackedEntry): boolean {
    if (this.index === this.count) return false;
    const { bytes } = this.blob.slice;
    const { at } = this;
    let high: number;
    let low: number;
    if (this.width === 8) {
      low = bytes.readUInt32LE(at);
      high = bytes.readInt32LE(at + 4);
      entry.setWide(high, low);
    } else {
      const value = this.width === 4 ? bytes.readInt32LE(at) : bytes.readInt16LE(at);
      entry.setInteger(value);
      high = value >> 31;
      low = value >>> 0;
    }
    if (
      this.index > 0 &&
      (high < this.previousHigh || (high === this.previousHigh && low <= this.previousLow))
    ) {
      throw packedError('rdb/bad-intset', this.blob, at, { reason: 'not-ascending' })
        .within(`entry ${this.index}`)
        .within('intset');
    }
    this.previousHigh = high;
    this.previousLow = low;
    this.at = at + this.width;
    this.index++;
    return true;
  }

  private error(at: number, detail: ErrorDetail): FormatError {
    return packedError('rdb/bad-intset', this.blob, at, detail).within('intset');
  }
}
