import type { ByteReader, ByteSource } from './source.js';
import { ByteWindow, END, type Machine, NEED } from './window.js';

/** Room in front of every chunk for the unfinished item of the one before, so that chunks are not copied. */
const HEADROOM = 64 * 1024;
const CHUNK = 512 * 1024;

export interface PumpOptions {
  /** Awaited whenever the machine returns PAUSE. */
  readonly drain?: () => Promise<void>;
  /** Called about once a chunk with the absolute offset reached. */
  readonly progress?: (offset: number) => void;
  readonly signal?: AbortSignal;
  /** Bytes asked for at a time; smaller only in tests. */
  readonly chunkBytes?: number;
}

/**
 * The only asynchronous loop: feeds the window from the reader and runs the machine, one await per chunk. While one
 * chunk is parsed the next is being read, so a reader serves one pump: formats that follow each other in one file are
 * one machine. Resolves when the machine returned END or the input ended in a valid place.
 *
 * @throws FormatError from the machine; whatever the reader throws; the signal's reason when aborted
 */
export async function pump(
  reader: ByteReader,
  window: ByteWindow,
  machine: Machine,
  options: PumpOptions = {},
): Promise<void> {
  const feeder = new Feeder(reader, window, options.chunkBytes ?? CHUNK);
  try {
    for (;;) {
      const progress = machine.run(window);
      if (progress === END) return;
      options.signal?.throwIfAborted();
      if (progress === NEED) {
        if (!(await feeder.refill())) return machine.finish(window);
        options.progress?.(window.offset);
      } else {
        await options.drain?.();
      }
    }
  } finally {
    await feeder.settle();
  }
}

/** Opens the source, pumps it through the machine from `start` on and closes it. Returns the window as it was left. */
export async function pumpSource(
  source: ByteSource,
  machine: Machine,
  options: PumpOptions & { readonly start?: number } = {},
): Promise<ByteWindow> {
  const window = new ByteWindow();
  window.base = options.start ?? 0;
  window.limit = source.size ?? Number.POSITIVE_INFINITY;
  const reader = await source.open(options.start ?? 0);
  try {
    await pump(reader, window, machine, options);
    return window;
  } finally {
    await reader.close();
  }
}

class Feeder {
  private spare: Buffer | null = null;
  private pending: Promise<number> | null = null;
  private pendingInto: Buffer | null = null;
  private ended = false;

  constructor(
    private readonly reader: ByteReader,
    private readonly window: ByteWindow,
    private readonly chunkBytes: number,
  ) {}

  /** Brings at least one byte more into the window; false when the item can never be completed. */
  async refill(): Promise<boolean> {
    const { window } = this;
    // A length beyond the end of the file is answered here, before anything is read or allocated for it.
    if (this.ended || !window.reaches(window.need)) return false;
    if (window.end - window.position > HEADROOM || window.need > this.chunkBytes) return this.grow();
    const into = this.pendingInto ?? this.take();
    const count = await (this.pending ?? this.reader.read(into.subarray(HEADROOM)));
    this.pending = this.pendingInto = null;
    const left = window.end - window.position;
    window.bytes.copy(into, HEADROOM - left, window.position, window.end);
    if (window.bytes.length === HEADROOM + this.chunkBytes) this.spare = window.bytes;
    const offset = window.offset;
    window.bytes = into;
    window.position = HEADROOM - left;
    window.end = HEADROOM + count;
    window.base = offset - window.position;
    if (count === 0) {
      this.ended = true;
      return false;
    }
    this.pendingInto = this.take();
    this.pending = this.reader.read(this.pendingInto.subarray(HEADROOM));
    this.pending.catch(() => {}); // reported by the await of the next refill
    return true;
  }

  /** Gathers one large item in a buffer of its own, doubling as bytes really come rather than as they are claimed. */
  private async grow(): Promise<boolean> {
    const { window } = this;
    const offset = window.offset;
    let bytes = window.bytes.subarray(window.position, window.end);
    let filled = bytes.length;
    const wanted = Math.max(window.need, filled + 1);
    const pendingInto = this.pendingInto;
    const early = this.pending === null ? 0 : await this.pending;
    this.pending = this.pendingInto = null;
    const atEnd = pendingInto !== null && early === 0;
    bytes = resized(bytes, filled, Math.max(filled + early, Math.min(wanted, filled * 2 + this.chunkBytes)));
    if (pendingInto !== null) {
      pendingInto.copy(bytes, filled, HEADROOM, HEADROOM + early);
      this.spare = pendingInto;
    }
    filled += early;
    this.ended = atEnd;
    while (!this.ended && filled < wanted) {
      if (filled === bytes.length)
        bytes = resized(bytes, filled, Math.min(wanted, filled * 2 + this.chunkBytes));
      const count = await this.reader.read(
        bytes.subarray(filled, filled + Math.max(this.chunkBytes, 1 << 20)),
      );
      if (count === 0) this.ended = true;
      filled += count;
    }
    window.bytes = bytes;
    window.position = 0;
    window.end = filled;
    window.base = offset;
    return filled >= wanted;
  }

  private take(): Buffer {
    const buffer = this.spare ?? Buffer.allocUnsafeSlow(HEADROOM + this.chunkBytes);
    this.spare = null;
    return buffer;
  }

  /** Waits for a read that is still under way, so that nobody closes the file under it. */
  async settle(): Promise<void> {
    await this.pending?.catch(() => {});
  }
}

function resized(bytes: Buffer, filled: number, size: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(size, filled));
  bytes.copy(larger, 0, 0, filled);
  return larger;
}
