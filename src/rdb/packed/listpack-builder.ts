import { copyBytes, GrowingBytes } from '../../bytes/growing-bytes.js';
import { highWord, type Long, lowWord } from '../../bytes/int64.js';
import { INT64_TEXT_MAX, Int64Words, parseInt64 } from '../../kernels/decimal.js';

const HEADER = 6;
/** The count field says this much at most; then it means "walk and see". */
const COUNT_UNKNOWN = 0xffff;
const END = 0xff;

const words = new Int64Words();

/**
 * Builds one listpack at a time, entry after entry, as the servers do: text that is a canonical 64-bit integer becomes
 * one, everything takes its shortest form.
 */
export class ListpackBuilder {
  /** Entries so far. */
  count = 0;
  private readonly packed = new GrowingBytes();

  constructor() {
    this.reset();
  }

  /** Starts the next listpack. What `finish` gave before is overwritten. */
  reset(): void {
    this.count = 0;
    this.packed.reset();
    this.packed.end = HEADER;
  }

  /** Bytes of the finished listpack as it stands. */
  get size(): number {
    return this.packed.end + 1;
  }

  append(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length > 0 && length <= INT64_TEXT_MAX && parseInt64(bytes, start, end, words)) {
      this.appendWords(words.high, words.low);
    } else {
      this.appendText(bytes, start, end);
    }
  }

  /** A number that is a safe integer. */
  appendInteger(value: Long): void {
    this.appendWords(highWord(value), lowWord(value));
  }

  /** A signed 64-bit integer as two unsigned words. */
  appendWords(high: number, low: number): void {
    this.packed.reserve(10);
    const at = this.packed.end;
    this.count++;
    this.close(at, this.writeInteger(at, high, low));
  }

  /** Returns the bytes written, the length after them excluded. */
  private writeInteger(at: number, high: number, low: number): number {
    const { bytes } = this.packed;
    // Only a sign extension of the lower word fits in 32 bits or less.
    if (high !== (low >= 0x80000000 ? 0xffffffff : 0)) {
      bytes[at] = 0xf4;
      bytes.writeUInt32LE(low, at + 1);
      bytes.writeUInt32LE(high, at + 5);
      return 9;
    }
    const value = low | 0;
    if (value >= 0 && value < 128) {
      bytes[at] = value;
      return 1;
    }
    if (value >= -4096 && value < 4096) {
      bytes[at] = 0xc0 | ((value >> 8) & 0x1f);
      bytes[at + 1] = value & 0xff;
      return 2;
    }
    const size = value >= -32768 && value < 32768 ? 2 : value >= -8388608 && value < 8388608 ? 3 : 4;
    bytes[at] = 0xef + size;
    for (let i = 0; i < size; i++) bytes[at + 1 + i] = value >> (8 * i);
    return 1 + size;
  }

  private appendText(source: Buffer, start: number, end: number): void {
    const { packed } = this;
    const length = end - start;
    packed.reserve(length + 10);
    const { bytes } = packed;
    const at = packed.end;
    let to = at;
    this.count++;
    if (length < 64) {
      bytes[to++] = 0x80 | length;
    } else if (length < 4096) {
      bytes[to++] = 0xe0 | (length >> 8);
      bytes[to++] = length & 0xff;
    } else {
      bytes[to] = 0xf0;
      bytes.writeUInt32LE(length, to + 1);
      to += 5;
    }
    copyBytes(source, start, end, bytes, to);
    this.close(at, to + length - at);
  }

  /** Writes the entry's length after it, so that it can be walked backwards. */
  private close(at: number, length: number): void {
    const { bytes } = this.packed;
    let to = at + length;
    if (length < 128) {
      bytes[to++] = length;
    } else {
      const groups = length < 16384 ? 2 : length < 2097152 ? 3 : length < 268435456 ? 4 : 5;
      bytes[to++] = Math.floor(length / 2 ** (7 * (groups - 1)));
      for (let group = groups - 2; group >= 0; group--) {
        bytes[to++] = 0x80 | (Math.floor(length / 2 ** (7 * group)) & 127);
      }
    }
    this.packed.end = to;
  }

  /** Overwrites the first entry, which must be an integer from 0 to 127 before and after. */
  setFirst(value: number): void {
    this.packed.bytes[HEADER] = value;
  }

  /** The finished listpack: a view, valid until the next `append` or `reset`. */
  finish(): Buffer {
    const { packed } = this;
    packed.reserve(1);
    packed.bytes[packed.end] = END;
    packed.bytes.writeUInt32LE(packed.end + 1, 0);
    packed.bytes.writeUInt16LE(Math.min(this.count, COUNT_UNKNOWN), 4);
    return packed.bytes.subarray(0, packed.end + 1);
  }
}
