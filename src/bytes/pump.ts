import { assert, FormatError } from '../errors.js';
import type { ByteReader, ByteSource } from './source.js';
import { ByteWindow, END, type Machine, NEED } from './window.js';

/** Room in front of every chunk for the unfinished item of the one before, so that chunks are not copied. */
const HEADROOM = 64 * 1024;
const CHUNK = 512 * 1024;
/** A buffer of a large item up to this size is kept for the next one: left to the collector, they add up to much. */
const LARGE_KEPT = 4 << 20;
/** An item must be indexable with 32-bit positions; servers cap one argument or value at 512 MB. */
const ITEM_MAX = 0x7fff_ffff;

export interface PumpOptions {
  /** Awaited whenever the machine returns PAUSE; required for machines that do. */
  readonly drain?: () => Promise<void>;
  /** Called about once a chunk with the absolute offset reached. */
  readonly progress?: (offset: number) => void;
  readonly signal?: AbortSignal;
  /** Bytes asked for at a time; smaller only in tests. */
  readonly chunkBytes?: number;
  /** Two pieces of memory to read into, as far as they are large enough; no other pump may use them meanwhile. */
  readonly rooms?: readonly [Buffer, Buffer] | undefined;
}

/**
 * The only asynchronous loop: feeds the window from the reader and runs the machine, one await per chunk. While one
 * chunk is parsed the next is being read, unless the reader waits, so a reader serves one pump: formats that follow each other in one file are
 * one machine. Resolves when the machine returned END or the input ended in a valid place. A read ahead may still be
 * under way then; closing the reader is what ends it.
 *
 * @throws FormatError from the machine; whatever the reader or drain throws; the signal's reason when aborted, even
 * while a read or a drain hangs
 */
export async function pump(
  reader: ByteReader,
  window: ByteWindow,
  machine: Machine,
  options: PumpOptions = {},
): Promise<void> {
  const { drain, progress, signal } = options;
  const feeder = new Feeder(reader, window, options);
  for (;;) {
    signal?.throwIfAborted();
    const step = machine.run(window);
    if (step === END) return;
    if (step === NEED) {
      if (!(await unlessAborted(feeder.refill(), signal))) return machine.finish(window);
      progress?.(window.offset);
    } else {
      assert(drain !== undefined, 'a machine paused and nobody drains it');
      await unlessAborted(drain(), signal);
    }
  }
}

/** Opens the source, pumps it through the machine from `start` on and closes it. Returns the window as it was left. */
export async function pumpSource(
  source: ByteSource,
  machine: Machine,
  options: PumpOptions & { readonly start?: number } = {},
): Promise<ByteWindow> {
  options.signal?.throwIfAborted();
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

/** The promise's outcome, or the signal's reason as soon as it is aborted. Listens per call: signals live long. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
}

class Feeder {
  /** Buffers for chunks that the window has left behind. */
  private readonly spares: Buffer[] = [];
  /** The same of one for a large item. */
  private large: Buffer | null = null;
  /** What was put into the window last: only that is ours to read into again. */
  private given: Buffer | null = null;
  private pending: Promise<number> | null = null;
  private pendingInto: Buffer | null = null;
  private ended = false;
  private readonly chunkBytes: number;
  private readonly headroom: number;
  private readonly rooms: readonly Buffer[];

  constructor(
    private readonly reader: ByteReader,
    private readonly window: ByteWindow,
    { chunkBytes = CHUNK, rooms }: PumpOptions,
  ) {
    // Small files get small buffers; the 1 makes room for asking at all.
    const left = Math.max(1, window.limit - window.base - window.end);
    this.chunkBytes = Math.min(chunkBytes, left);
    this.headroom = Math.min(HEADROOM, this.chunkBytes);
    const size = this.headroom + this.chunkBytes;
    this.rooms = (rooms ?? []).filter(({ length }) => length >= size).map((room) => room.subarray(0, size));
  }

  /** Brings what the window needs, at least one byte more; false when the item can never be completed. */
  async refill(): Promise<boolean> {
    const { window } = this;
    const left = window.end - window.position;
    const wanted = Math.max(window.need, left + 1);
    // A length beyond the end of the file is answered here, before anything is read or allocated for it.
    if (this.ended || !window.reaches(wanted)) return false;
    if (left > this.headroom || wanted > this.chunkBytes) await this.grow(wanted);
    else await this.next(wanted);
    return window.end - window.position >= wanted;
  }

  /** Moves on to the next chunk, the unfinished item copied in front of it, and starts reading the one after. */
  private async next(wanted: number): Promise<void> {
    const { window, headroom } = this;
    const into = this.pendingInto ?? this.take();
    const count = await (this.pending ?? this.reader.read(into.subarray(headroom)));
    this.pending = this.pendingInto = null;
    const left = window.end - window.position;
    const offset = window.offset;
    window.bytes.copy(into, headroom - left, window.position, window.end);
    if (window.bytes === this.given) this.keep(window.bytes);
    window.bytes = this.given = into;
    window.position = headroom - left;
    window.end = headroom + count;
    window.base = offset - window.position;
    this.ended = count === 0;
    while (!this.ended && window.end - window.position < wanted) {
      const more = await this.reader.read(into.subarray(window.end));
      this.ended = more === 0;
      window.end += more;
    }
    if (this.ended || window.base + window.end >= window.limit || this.reader.waits === true) return;
    this.pendingInto = this.take();
    this.pending = this.reader.read(this.pendingInto.subarray(headroom));
    this.pending.catch(() => {}); // reported by the await of the next refill
  }

  /**
   * Gathers one large item in a buffer of its own. Its size is believed only when the input is known to be that long;
   * otherwise the buffer doubles as bytes really come. It doubles, too, when the item does not know its own size yet,
   * so that a machine that looks at it again from its start does so a logarithmic number of times.
   */
  private async grow(wanted: number): Promise<void> {
    const { window, pendingInto } = this;
    const offset = window.offset;
    if (wanted > ITEM_MAX) throw new FormatError('input/item-too-large', offset, { bytes: wanted });
    const early = this.pending === null ? 0 : await this.pending;
    this.pending = this.pendingInto = null;
    this.ended = pendingInto !== null && early === 0;

    const left = window.end - window.position;
    const known = Number.isFinite(window.limit);
    const room = Math.min(ITEM_MAX, known ? window.limit - offset : ITEM_MAX);
    const goal = Math.max(wanted, Math.min(room, 2 * left + this.chunkBytes));
    const first = known ? goal : Math.min(goal, 2 * left + early + this.chunkBytes);
    let bytes = this.takeLarge(Math.max(first, left + early));
    window.bytes.copy(bytes, 0, window.position, window.end);
    let filled = left;
    if (pendingInto !== null) {
      pendingInto.copy(bytes, filled, this.headroom, this.headroom + early);
      filled += early;
      this.keep(pendingInto);
    }
    if (window.bytes === this.given) this.keep(window.bytes);
    while (!this.ended && filled < goal) {
      if (filled === bytes.length) bytes = enlarged(bytes, Math.min(goal, filled * 2));
      const count = await this.reader.read(bytes.subarray(filled, goal));
      this.ended = count === 0;
      filled += count;
    }
    window.bytes = this.given = bytes;
    window.position = 0;
    window.end = filled;
    window.base = offset;
  }

  private take(): Buffer {
    const { spares, rooms, window } = this;
    const room = spares.pop() ?? rooms.find((each) => each !== window.bytes);
    return room ?? Buffer.allocUnsafeSlow(this.headroom + this.chunkBytes);
  }

  private takeLarge(size: number): Buffer {
    const { large } = this;
    if (large === null || large.length < size) return Buffer.allocUnsafeSlow(size);
    this.large = null;
    return large;
  }

  /** What the window has left behind is read into again. */
  private keep(bytes: Buffer): void {
    const { length } = bytes;
    const chunk = this.headroom + this.chunkBytes;
    if (length === chunk) this.spares.push(bytes);
    else if (length > chunk && length <= LARGE_KEPT) this.large = bytes;
  }
}

function enlarged(bytes: Buffer, size: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(size);
  bytes.copy(larger);
  return larger;
}
