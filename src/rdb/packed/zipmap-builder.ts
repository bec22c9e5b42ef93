import { copyBytes, GrowingBytes } from '../../bytes/growing-bytes.js';

/** The count byte says this much at most; then it means "walk and see". */
const COUNT_UNKNOWN = 254;
const LONG_LENGTH = 254;
const END = 0xff;

/** Builds one zipmap at a time: the small hash of servers before 2.6. */
export class ZipmapBuilder {
  private count = 0;
  private readonly packed = new GrowingBytes();

  constructor() {
    this.reset();
  }

  /** Starts the next zipmap. What `finish` gave before is overwritten. */
  reset(): void {
    this.count = 0;
    this.packed.reset();
    this.packed.end = 1;
  }

  /** Called in turn for a field's name and its value. */
  append(bytes: Buffer, start: number, end: number): void {
    const { packed } = this;
    const length = end - start;
    packed.reserve(length + 6);
    if (length < LONG_LENGTH) {
      packed.bytes[packed.end++] = length;
    } else {
      packed.bytes[packed.end] = LONG_LENGTH;
      packed.bytes.writeUInt32LE(length, packed.end + 1);
      packed.end += 5;
    }
    // Behind a value's length stands the number of unused bytes after it.
    if (this.count % 2 === 1) packed.bytes[packed.end++] = 0;
    copyBytes(bytes, start, end, packed.bytes, packed.end);
    packed.end += length;
    this.count++;
  }

  /** The finished zipmap: a view, valid until the next `append` or `reset`. */
  finish(): Buffer {
    const { packed } = this;
    packed.reserve(1);
    packed.bytes[packed.end] = END;
    packed.bytes[0] = Math.min(this.count / 2, COUNT_UNKNOWN);
    return packed.bytes.subarray(0, packed.end + 1);
  }
}
