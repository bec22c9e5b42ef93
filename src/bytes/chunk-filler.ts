/** Gathers what is written in chunks of one size, and hands each on when it is full. */
export abstract class ChunkFiller {
  /** Bytes taken so far. */
  size = 0;
  private chunk: Buffer;
  private filled = 0;
  private readonly spare: Buffer[] = [];

  /** `spareMax`: chunks to keep for another time; as many as are under way at once, or new ones are made all along. */
  constructor(
    private readonly chunkBytes: number,
    private readonly spareMax: number,
  ) {
    this.chunk = Buffer.allocUnsafeSlow(chunkBytes);
  }

  write(bytes: Uint8Array): void {
    const { chunkBytes } = this;
    this.size += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(bytes.length - at, chunkBytes - this.filled);
      this.chunk.set(count === bytes.length ? bytes : bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled === chunkBytes) this.seal();
    }
  }

  /** Hands on what was gathered, if anything was, full or not. */
  protected seal(): void {
    if (this.filled === 0) return;
    const sealed = this.chunk.subarray(0, this.filled);
    this.chunk = this.spare.pop() ?? Buffer.allocUnsafeSlow(this.chunkBytes);
    this.filled = 0;
    this.hand(sealed);
  }

  /** Takes a chunk, its own until it is `recycle`d. */
  protected abstract hand(chunk: Buffer): void;

  /** Gives a chunk back that is not wanted any more. */
  protected recycle(chunk: Buffer): void {
    if (this.spare.length < this.spareMax) this.spare.push(Buffer.from(chunk.buffer as ArrayBuffer));
  }
}
