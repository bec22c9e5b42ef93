import type { SideValue } from './forms.js';

/** A long string in memory of its own, with room to grow. */
export class LargeText implements SideValue {
  bytes: Buffer;
  length: number;

  /** Copies the range. */
  constructor(bytes: Buffer, start: number, end: number) {
    this.length = end - start;
    this.bytes = Buffer.allocUnsafeSlow(this.length);
    bytes.copy(this.bytes, 0, start, end);
  }

  /** New bytes are zero. */
  resize(length: number): void {
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.max(length, Math.min(this.length * 2, this.length + 2 ** 26)),
      );
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    if (length > this.length) this.bytes.fill(0, this.length, length);
    this.length = length;
  }

  clone(): LargeText {
    return new LargeText(this.bytes, 0, this.length);
  }
}
