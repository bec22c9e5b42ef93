import type { ErrorDetail, FormatError } from '../../errors.js';
import type { FindingCode } from '../../model/finding.js';
import { type PackedBlob, type PackedEntry, packedError } from './entry.js';

/** Total size, offset of the last entry, count. */
export const ZIPLIST_HEADER_BYTES = 10;
export const ZIPLIST_END = 0xff;
/** In the count field: not known, walk to count. */
export const ZIPLIST_COUNT_UNKNOWN = 65535;
/** First byte of a previous-length of five bytes. */
export const ZIPLIST_LONG_PREVIOUS = 0xfe;

/** Walks a ziplist from front to back, checking every length, every previous-length, the tail and the count. */
export class ZiplistReader {
  readonly code = 'rdb/bad-ziplist';
  /** Number of entries read so far. */
  index = 0;
  /** Position of the next entry in the blob's memory. */
  at = 0;
  private stop = 0;
  private count = 0;
  private tail = 0;
  private previousAt = 0;
  private blob!: PackedBlob;

  /** @throws FormatError when head or end mark are wrong */
  open(blob: PackedBlob): void {
    const { bytes, start, end } = blob.slice;
    this.blob = blob;
    this.index = 0;
    this.at = this.previousAt = start + ZIPLIST_HEADER_BYTES;
    this.stop = end - 1;
    const size = end - start;
    if (size < ZIPLIST_HEADER_BYTES + 1) throw this.headError(start, { reason: 'too-short', size });
    const total = bytes.readUInt32LE(start);
    if (total !== size) throw this.headError(start, { reason: 'total-differs', declared: total, size });
    if (bytes[this.stop] !== ZIPLIST_END) throw this.headError(this.stop, { reason: 'no-end-mark' });
    this.tail = bytes.readUInt32LE(start + 4);
    this.count = bytes.readUInt16LE(start + 8);
  }

  /** True when there are no entries at all. */
  get empty(): boolean {
    return this.index === 0 && this.at === this.stop;
  }

  /**
   * Reads the next entry; false at the end.
   * @throws FormatError when it is damaged, or when the end contradicts the head
   */
  next(entry: PackedEntry): boolean {
    const { at, stop } = this;
    if (at >= stop) {
      this.checkEnd();
      return false;
    }
    const { bytes } = this.blob.slice;
    const previous = bytes[at]!;
    const data = previous < ZIPLIST_LONG_PREVIOUS ? at + 1 : at + 5;
    if (data >= stop) throw this.error({ reason: 'entry-overrun', available: stop - at });
    const declared = previous < ZIPLIST_LONG_PREVIOUS ? previous : bytes.readUInt32LE(at + 1);
    if (declared !== at - this.previousAt) {
      throw this.error({ reason: 'previous-length-differs', declared, length: at - this.previousAt });
    }
    const after = data + this.readData(entry, data);
    if (after > stop) throw this.error({ reason: 'entry-overrun', length: after - at, available: stop - at });
    this.previousAt = at;
    this.at = after;
    this.index++;
    return true;
  }

  /** The error for an entry that was read and does not belong where it stands. */
  lastError(code: FindingCode, detail: ErrorDetail): FormatError {
    return packedError(code, this.blob, this.previousAt, detail)
      .within(`entry ${this.index - 1}`)
      .within('ziplist');
  }

  /** The error for the structure as a whole. */
  wholeError(code: FindingCode, detail: ErrorDetail): FormatError {
    return packedError(code, this.blob, this.blob.slice.start, detail).within('ziplist');
  }

  private error(detail: ErrorDetail): FormatError {
    return packedError('rdb/bad-ziplist', this.blob, this.at, detail)
      .within(`entry ${this.index}`)
      .within('ziplist');
  }

  private headError(at: number, detail: ErrorDetail): FormatError {
    return packedError('rdb/bad-ziplist', this.blob, at, detail).within('ziplist');
  }

  private checkEnd(): void {
    const { start } = this.blob.slice;
    const last = this.previousAt - start;
    if (this.tail !== last)
      throw this.headError(start + 4, { reason: 'tail-differs', declared: this.tail, last });
    if (this.count !== ZIPLIST_COUNT_UNKNOWN && this.count !== this.index) {
      const detail = { reason: 'count-differs', declared: this.count, counted: this.index };
      throw this.headError(start + 8, detail);
    }
  }

  /** Fills the entry from its encoding at `at`; returns the bytes of encoding and data. */
  private readData(entry: PackedEntry, at: number): number {
    const { stop } = this;
    const { bytes } = this.blob.slice;
    const first = bytes[at]!;
    if (first < 0xc0) {
      const head = first < 0x40 ? 1 : first < 0x80 ? 2 : 5;
      if (at + head > stop) throw this.error({ reason: 'entry-overrun', length: head, available: stop - at });
      const length =
        head === 1 ? first : head === 2 ? ((first & 0x3f) << 8) | bytes[at + 1]! : bytes.readUInt32BE(at + 1);
      entry.setBytes(bytes, at + head, at + head + length);
      return head + length;
    }
    if (first >= 0xf1 && first <= 0xfd) {
      entry.setInteger((first & 0x0f) - 1);
      return 1;
    }
    const width = INTEGER_BYTES.get(first);
    if (width === undefined) throw this.error({ reason: 'unknown-encoding', byte: first });
    if (at + 1 + width > stop)
      throw this.error({ reason: 'entry-overrun', length: width, available: stop - at });
    if (width === 8) entry.setWide(bytes.readInt32LE(at + 5), bytes.readUInt32LE(at + 1));
    else entry.setInteger(bytes.readIntLE(at + 1, width));
    return 1 + width;
  }
}

const INTEGER_BYTES: ReadonlyMap<number, number> = new Map([
  [0xc0, 2],
  [0xd0, 4],
  [0xe0, 8],
  [0xf0, 3],
  [0xfe, 1],
]);
