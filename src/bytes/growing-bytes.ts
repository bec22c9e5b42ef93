/** Memory above this is let go at the next reset, so that one giant value does not stay with us. */
const KEPT = 1 << 20;

/** Up to this many bytes a loop is faster than a call. */
const INLINE_MAX = 48;

/** A buffer that grows as bytes are put at its end. Grown by doubling, so a view of it is valid until the next put. */
export class GrowingBytes {
  bytes: Buffer = Buffer.allocUnsafeSlow(1024);
  end = 0;

  reset(): void {
    this.end = 0;
    if (this.bytes.length > KEPT) this.bytes = Buffer.allocUnsafeSlow(1024);
  }

  /** Makes room for `count` bytes after `end`. */
  reserve(count: number): void {
    const wanted = this.end + count;
    if (wanted <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }

  put(source: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    copyBytes(source, start, end, this.bytes, this.end);
    this.end += end - start;
  }
}

/** Copies `source[start..end)` to `at`; short ranges without a call into the runtime. */
export function copyBytes(source: Buffer, start: number, end: number, into: Buffer, at: number): void {
  if (end - start > INLINE_MAX) {
    source.copy(into, at, start, end);
    return;
  }
  for (let from = start, to = at; from < end; from++, to++) into[to] = source[from]!;
}
