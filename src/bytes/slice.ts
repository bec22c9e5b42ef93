/**
 * A borrowed range of bytes. Valid only until the method it was passed to returns: keeping it means copying
 * (`copy`, `latin1`). One slice object is reused for many ranges.
 */
export class ByteSlice {
  bytes: Buffer = EMPTY;
  start = 0;
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  set(bytes: Buffer, start: number, end: number): this {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    return this;
  }

  /** An owned copy of the bytes. */
  copy(): Buffer {
    const owned = Buffer.allocUnsafeSlow(this.end - this.start);
    this.bytes.copy(owned, 0, this.start, this.end);
    return owned;
  }

  /** One character per byte: exact, and fast as a Map key. */
  latin1(): string {
    return this.bytes.latin1Slice(this.start, this.end);
  }

  /** A view of the same memory: borrowed like the slice itself. */
  view(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  equals(other: ByteSlice): boolean {
    return this.bytes.compare(other.bytes, other.start, other.end, this.start, this.end) === 0;
  }
}

const EMPTY = Buffer.alloc(0);

/** An owned slice over the bytes of a text, one byte per UTF-16 unit below 256. */
export function sliceOf(text: string): ByteSlice {
  const bytes = Buffer.from(text, 'latin1');
  return new ByteSlice().set(bytes, 0, bytes.length);
}
