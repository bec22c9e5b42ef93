import { copyBytes, GrowingBytes } from '../../bytes/growing-bytes.js';
import { highWord, type Long, lowWord } from '../../bytes/int64.js';
import { Int64Words, parseInt64 } from '../../kernels/decimal.js';

const HEADER = 10;
const COUNT_UNKNOWN = 0xffff;
const END = 0xff;
/** Text from this length on is not tried as an integer. */
const INTEGER_TEXT_LIMIT = 32;
/** A previous entry of this size or more takes five bytes to tell. */
const LONG_PREVIOUS = 254;

const words = new Int64Words();

/**
 * Builds one ziplist at a time. Text that is a canonical 64-bit integer becomes one. Servers before 2.6 know integers of
 * 16, 32 and 64 bits only: `wideOnly` keeps to these.
 */
export class ZiplistBuilder {
  count = 0;
  private readonly packed = new GrowingBytes();
  private lastAt = HEADER;
  private lastSize = 0;

  constructor(private readonly wideOnly: boolean) {
    this.reset();
  }

  /** Starts the next ziplist. What `finish` gave before is overwritten. */
  reset(): void {
    this.count = 0;
    this.packed.reset();
    this.packed.end = HEADER;
    this.lastAt = HEADER;
    this.lastSize = 0;
  }

  /** Bytes of the finished ziplist as it stands. */
  get size(): number {
    return this.packed.end + 1;
  }

  append(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length > 0 && length < INTEGER_TEXT_LIMIT && parseInt64(bytes, start, end, words)) {
      this.appendWords(words.high, words.low);
      return;
    }
    this.packed.reserve(length + 10);
    this.close(this.writeText(this.writePrevious(), bytes, start, end));
  }

  /** A number that is a safe integer. */
  appendInteger(value: Long): void {
    this.appendWords(highWord(value), lowWord(value));
  }

  private appendWords(high: number, low: number): void {
    this.packed.reserve(14);
    this.close(this.writeInteger(this.writePrevious(), high, low));
  }

  private close(next: number): void {
    this.lastAt = this.packed.end;
    this.lastSize = next - this.packed.end;
    this.packed.end = next;
    this.count++;
  }

  private writePrevious(): number {
    const { bytes, end } = this.packed;
    if (this.lastSize < LONG_PREVIOUS) {
      bytes[end] = this.lastSize;
      return end + 1;
    }
    bytes[end] = LONG_PREVIOUS;
    bytes.writeUInt32LE(this.lastSize, end + 1);
    return end + 5;
  }

  private writeInteger(at: number, high: number, low: number): number {
    const { bytes } = this.packed;
    if (high !== (low >= 0x80000000 ? 0xffffffff : 0)) {
      bytes[at] = 0xe0;
      bytes.writeUInt32LE(low, at + 1);
      bytes.writeUInt32LE(high, at + 5);
      return at + 9;
    }
    const value = low | 0;
    const narrow = !this.wideOnly;
    if (narrow && value >= 0 && value <= 12) {
      bytes[at] = 0xf1 + value;
      return at + 1;
    }
    if (narrow && value >= -128 && value < 128) {
      bytes[at] = 0xfe;
      bytes[at + 1] = value;
      return at + 2;
    }
    if (value >= -32768 && value < 32768) {
      bytes[at] = 0xc0;
      bytes.writeInt16LE(value, at + 1);
      return at + 3;
    }
    if (narrow && value >= -8388608 && value < 8388608) {
      bytes[at] = 0xf0;
      bytes.writeIntLE(value, at + 1, 3);
      return at + 4;
    }
    bytes[at] = 0xd0;
    bytes.writeInt32LE(value, at + 1);
    return at + 5;
  }

  private writeText(at: number, source: Buffer, start: number, end: number): number {
    const { bytes } = this.packed;
    const length = end - start;
    let to = at;
    if (length < 64) {
      bytes[to++] = length;
    } else if (length < 16384) {
      bytes[to++] = 0x40 | (length >> 8);
      bytes[to++] = length & 0xff;
    } else {
      bytes[to] = 0x80;
      bytes.writeUInt32BE(length, to + 1);
      to += 5;
    }
    copyBytes(source, start, end, bytes, to);
    return to + length;
  }

  /** The finished ziplist: a view, valid until the next `append` or `reset`. */
  finish(): Buffer {
    const { packed } = this;
    packed.reserve(1);
    packed.bytes[packed.end] = END;
    packed.bytes.writeUInt32LE(packed.end + 1, 0);
    packed.bytes.writeUInt32LE(this.lastAt, 4);
    packed.bytes.writeUInt16LE(Math.min(this.count, COUNT_UNKNOWN), 8);
    return packed.bytes.subarray(0, packed.end + 1);
  }
}
