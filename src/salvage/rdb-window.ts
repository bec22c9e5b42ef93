import type { ByteReader, ByteSource } from '../bytes/source.js';
import { FormatError } from '../errors.js';
import { Cursor } from '../rdb/cursor.js';

/** Bytes asked for at a time, and bytes behind that stay for looking back. */
const CHUNK = 1 << 20;
const KEPT_BEHIND = 256 * 1024;
/** One item must be indexable with 32-bit positions. */
const ITEM_MAX = 0x7fff_ffff;

/** Bytes of a source that differ from what it holds: right ones, told by a checksum. */
export interface ByteCorrection {
  readonly offset: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A window over a source that goes anywhere, back too: a cursor stands over `[start, end)` of it. Holds about two chunks
 * unless one item is larger. Whoever moves it loses what positions in the cursor meant; offsets stay.
 */
export class RoamingWindow {
  readonly cursor = new Cursor();
  /** Absolute offset of the first byte in memory, and of the one after the last. */
  start = 0;
  end = 0;
  /** Bytes read so far in all, for progress. */
  bytesRead = 0;
  private bytes: Buffer = Buffer.alloc(0);
  private reader: ByteReader | null = null;
  private readerAt = 0;

  /** `limit`: no byte from there on is looked at. */
  constructor(
    private readonly source: ByteSource,
    readonly limit: number,
    private readonly signal: AbortSignal,
    private readonly corrections: readonly ByteCorrection[] = [],
    private readonly chunkBytes = CHUNK,
  ) {
    this.cursor.limit = limit;
  }

  /** Puts the cursor at an offset that is in memory, or is the window's end. */
  seek(offset: number): void {
    this.cursor.position = offset - this.cursor.base;
  }

  get offset(): number {
    return this.cursor.base + this.cursor.position;
  }

  has(from: number, to: number): boolean {
    return from >= this.start && Math.min(to, this.limit) <= this.end;
  }

  /**
   * Brings `[from, to)`, as far as the limit allows, into memory, and puts the cursor at `from`.
   * @throws FormatError for an item larger than memory can index; whatever the source throws
   */
  async cover(from: number, to: number): Promise<void> {
    const stop = Math.min(to, this.limit);
    if (from < this.start || stop > this.end) await this.load(from, stop);
    this.seek(from);
  }

  private async load(from: number, to: number): Promise<void> {
    this.signal.throwIfAborted();
    const near = from >= this.start && from <= this.end;
    const first = near ? Math.max(this.start, from - KEPT_BEHIND) : from;
    const wanted = Math.min(this.limit, Math.max(to, from + this.chunkBytes));
    if (wanted - first > ITEM_MAX) throw new FormatError('input/item-too-large', from, { bytes: to - from });
    const kept = near ? this.end - first : 0;
    const into = Buffer.allocUnsafeSlow(Math.max(wanted - first, kept));
    if (kept > 0) this.bytes.copy(into, 0, first - this.start, this.end - this.start);
    let filled = kept;
    while (first + filled < wanted) {
      const count = await this.read(first + filled, into.subarray(filled, wanted - first));
      if (count === 0) break;
      filled += count;
    }
    this.attach(into.subarray(0, filled), first);
  }

  private attach(bytes: Buffer, start: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = start + bytes.length;
    this.cursor.bytes = bytes;
    this.cursor.base = start;
    this.cursor.end = bytes.length;
  }

  private async read(offset: number, into: Buffer): Promise<number> {
    if (this.reader === null || this.readerAt !== offset) {
      await this.close();
      this.reader = await this.source.open(offset);
      this.readerAt = offset;
    }
    const count = await this.reader.read(into);
    this.readerAt += count;
    this.bytesRead += count;
    for (const { offset: at, to } of this.corrections) {
      if (at >= offset && at < offset + count) into[at - offset] = to;
    }
    return count;
  }

  async close(): Promise<void> {
    const { reader } = this;
    this.reader = null;
    await reader?.close();
  }
}
