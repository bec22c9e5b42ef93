import type { SideValue } from './forms.js';

/** A long string in memory of its own, with room to grow. */
export class LargeText implements SideValue {
  bytes: Buffer;
  length: number;
  /** The most bytes that were ever in use: those behind are zero. */
  private used: number;

  /** Copies the range. */
  constructor(bytes: Buffer, start: number, end: number) {
    this.length = this.used = end - start;
    this.bytes = Buffer.allocUnsafeSlow(this.length);
    bytes.copy(this.bytes, 0, start, end);
  }

  /** New bytes are zero. */
  resize(length: number): void {
    if (length > this.bytes.length) {
      // Zeroed by the system when touched: a gap of half a gigabyte costs nothing until something is written to it.
      const larger = Buffer.alloc(Math.max(length, Math.min(this.length * 2, this.length + 2 ** 26)));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    } else if (length > this.length) {
      this.bytes.fill(0, this.length, Math.min(length, this.used));
    }
    this.used = Math.max(this.used, length);
    this.length = length;
  }

  clone(): LargeText {
    return new LargeText(this.bytes, 0, this.length);
  }
}
