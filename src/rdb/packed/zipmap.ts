import type { ErrorDetail, FormatError } from '../../errors.js';
import type { FindingCode } from '../../model/finding.js';
import { type PackedBlob, type PackedEntry, packedError } from './entry.js';

/** Ends the map. */
export const ZIPMAP_END = 0xff;
/** First byte of a length of five bytes; in the count field: not known, walk to count. */
export const ZIPMAP_LONG = 0xfe;

/** Walks the pairs of a zipmap, the small hash of Redis before 2.6. */
export class ZipmapReader {
  /** Number of pairs read so far. */
  index = 0;
  private at = 0;
  private lastAt = 0;
  private stop = 0;
  private length = 0;
  private blob!: PackedBlob;

  /** @throws FormatError when it is too short or has no end mark */
  open(blob: PackedBlob): void {
    const { bytes, start, end } = blob.slice;
    this.blob = blob;
    this.index = 0;
    this.at = this.lastAt = start + 1;
    this.stop = end - 1;
    if (end - start < 2) throw this.headError(start, { reason: 'too-short', size: end - start });
    if (bytes[this.stop] !== ZIPMAP_END) throw this.headError(this.stop, { reason: 'no-end-mark' });
  }

  /** True when there are no pairs at all. */
  get empty(): boolean {
    return this.index === 0 && this.at === this.stop;
  }

  /** Reads the next pair; false at the end. @throws FormatError when it is damaged or the count differs */
  next(name: PackedEntry, value: PackedEntry): boolean {
    const { stop } = this;
    const { bytes, start } = this.blob.slice;
    if (this.at >= stop) {
      const declared = bytes[start]!;
      if (declared < ZIPMAP_LONG && declared !== this.index) {
        throw this.headError(start, { reason: 'count-differs', declared, counted: this.index });
      }
      return false;
    }
    const nameAt = this.lengthAt(this.at);
    const nameEnd = nameAt + this.length;
    if (nameEnd >= stop) throw this.overrun();
    const valueLengthAt = this.lengthAt(nameEnd);
    // One byte between length and value says how many unused bytes follow the value.
    const valueAt = valueLengthAt + 1;
    const valueEnd = valueAt + this.length;
    if (valueEnd > stop) throw this.overrun();
    const after = valueEnd + bytes[valueLengthAt]!;
    if (after > stop) throw this.overrun();
    name.setBytes(bytes, nameAt, nameEnd);
    value.setBytes(bytes, valueAt, valueEnd);
    this.lastAt = this.at;
    this.at = after;
    this.index++;
    return true;
  }

  /** The error for a pair that was read and must not stand there. */
  lastError(code: FindingCode, detail: ErrorDetail): FormatError {
    return packedError(code, this.blob, this.lastAt, detail)
      .within(`entry ${this.index - 1}`)
      .within('zipmap');
  }

  private error(detail: ErrorDetail): FormatError {
    return packedError('rdb/bad-zipmap', this.blob, this.at, detail)
      .within(`entry ${this.index}`)
      .within('zipmap');
  }

  private headError(at: number, detail: ErrorDetail): FormatError {
    return packedError('rdb/bad-zipmap', this.blob, at, detail).within('zipmap');
  }

  private overrun(): FormatError {
    return this.error({ reason: 'entry-overrun', length: this.length, available: this.stop - this.at });
  }

  /** Reads a length into `length`; returns the position after it. */
  private lengthAt(at: number): number {
    const { bytes } = this.blob.slice;
    const first = bytes[at]!;
    if (first < ZIPMAP_LONG) {
      this.length = first;
      return at + 1;
    }
    if (first === ZIPMAP_END || at + 5 > this.stop) throw this.error({ reason: 'bad-length', byte: first });
    this.length = bytes.readUInt32LE(at + 1);
    return at + 5;
  }
}
