import type { ByteReader, ByteSource } from '../bytes/source.js';
import { ByteWindow } from '../bytes/window.js';
import type { LogScan } from '../kernels/log-scan.js';
import type { LogMeeting } from './log-meeting.js';

/** Bytes asked for at a time, at the most and behind a jump: there few may be wanted. */
const CHUNK = 512 * 1024;
const FIRST_CHUNK = 64 * 1024;
/** Room for the longest line a record has, and a few bytes more. */
const SMALLEST = 2048;

/**
 * Bytes of a source at any place, through one window that moves: forward at the cost of reading on, elsewhere at the
 * cost of opening the source anew. Its memory does not grow.
 */
export class LogProbe {
  /** What is here now. `limit` is finite once the end of the input is known. */
  readonly window = new ByteWindow();
  /** The most that can be asked for at once. */
  readonly most: number;
  private readonly buffer: Buffer;
  private reader: ByteReader | null = null;
  /** Absolute offset of the reader's next byte: always that of the window's end. */
  private readerAt = 0;
  /** How much is brought in at a time: more as it goes on without jumps. */
  private ahead = 0;

  constructor(
    private readonly source: ByteSource,
    private readonly signal: AbortSignal | undefined,
    chunkBytes: number | undefined,
    readonly scan: LogScan | null = null,
    readonly meeting: LogMeeting | null = null,
  ) {
    const most = chunkBytes ?? scan?.sideRoom.length ?? CHUNK;
    // Twice, as half of the room is the most that can be asked for at once.
    const wanted = Math.min(most, 2 * (source.size ?? most));
    const size = Math.max(SMALLEST, wanted);
    const room = scan?.sideRoom.subarray(0, size);
    this.buffer = room?.length === size ? room : Buffer.allocUnsafeSlow(size);
    this.most = this.buffer.length >> 1;
    this.window.bytes = this.buffer;
    this.window.limit = source.size ?? Number.POSITIVE_INFINITY;
  }

  /** True when the bytes are in the window already; `window.position` then stands at the first. */
  holds(offset: number, count: number): boolean {
    const { window } = this;
    const position = offset - window.base;
    if (position < 0 || position + count > window.end) return false;
    window.position = position;
    return true;
  }

  /**
   * Brings `count` bytes (at most `most`) from `offset` on into the window and its position to the first of them.
   * Returns how many are there: fewer only at the end of the input.
   *
   * @throws InputError input/pipe when the source cannot be opened anew; the signal's reason when aborted
   */
  async load(offset: number, count: number): Promise<number> {
    const { window, buffer } = this;
    if (this.holds(offset, count)) return count;
    this.signal?.throwIfAborted();
    const end = window.base + window.end;
    const left = offset >= window.base && offset <= end ? end - offset : 0;
    if (this.reader === null || offset < window.base || offset > end) {
      await this.seek(offset);
      this.ahead = FIRST_CHUNK;
    } else {
      buffer.copyWithin(0, window.end - left, window.end);
      this.ahead = Math.min(buffer.length, this.ahead * 2);
    }
    window.base = offset;
    window.position = 0;
    window.end = left;
    const stop = Math.min(buffer.length, Math.max(count, this.ahead));
    while (window.end < stop) {
      const read = await this.reader!.read(buffer.subarray(window.end, stop));
      if (read === 0) {
        window.limit = offset + window.end;
        break;
      }
      window.end += read;
      this.readerAt += read;
    }
    return Math.min(count, window.end);
  }

  async close(): Promise<void> {
    const { reader } = this;
    this.reader = null;
    await reader?.close();
  }

  private async seek(offset: number): Promise<void> {
    const { source, buffer } = this;
    // Opening a compressed source in its middle means reading up to there: going on costs less.
    if (this.reader !== null && source.size === null && offset > this.readerAt) {
      while (this.readerAt < offset) {
        const read = await this.reader.read(
          buffer.subarray(0, Math.min(buffer.length, offset - this.readerAt)),
        );
        if (read === 0) return;
        this.readerAt += read;
      }
      return;
    }
    await this.close();
    this.reader = await source.open(offset);
    this.readerAt = offset;
  }
}
