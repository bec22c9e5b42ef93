import { assert } from '../errors.js';
import type { ByteReader } from './source.js';

const FIRST_BYTES = 128 * 1024;

/**
 * The compressed side of an unpacker: bytes in memory from `position` to `end`, more on request. Its memory grows as
 * bytes really come, never because a header claims them.
 */
export class PackedInput {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  position = 0;
  end = 0;
  /** Absolute offset of `bytes[0]`. */
  private base = 0;
  private ended = false;
  private closed = false;

  constructor(private readonly reader: ByteReader) {}

  /** Absolute offset of the next byte. */
  get offset(): number {
    return this.base + this.position;
  }

  /** Brings `count` bytes to stand at `position`; false when the input has fewer left. */
  async has(count: number): Promise<boolean> {
    while (this.end - this.position < count) {
      if (this.ended) return false;
      if (this.position > 0) this.compact();
      if (this.end === this.bytes.length) this.grow();
      const read = this.closed ? 0 : await this.reader.read(this.bytes.subarray(this.end));
      this.ended = read === 0;
      this.end += read;
    }
    return true;
  }

  /** Moves past `count` bytes, in memory or not; false when the input ends first. */
  async skip(count: number): Promise<boolean> {
    let left = count;
    while (left > 0) {
      if (!(await this.has(1))) return false;
      const here = Math.min(left, this.end - this.position);
      this.position += here;
      left -= here;
    }
    return true;
  }

  /** Reads a little-endian word that is in memory and moves past it. */
  word(): number {
    assert(this.end - this.position >= 4, 'a word was read that is not here');
    const value = this.bytes.readUInt32LE(this.position);
    this.position += 4;
    return value;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.reader.close();
  }

  private compact(): void {
    this.bytes.copyWithin(0, this.position, this.end);
    this.base += this.position;
    this.end -= this.position;
    this.position = 0;
  }

  private grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.bytes.length * 2);
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }
}
