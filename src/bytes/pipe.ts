import { InputError } from '../errors.js';
import { ChunkFiller } from './chunk-filler.js';
import type { ByteReader, ByteSource } from './source.js';
import type { ByteTarget } from './target.js';

const CHUNK = 128 * 1024;
/** Bytes waiting for whoever reads at which the pipe is full, and the number it drains to. */
const WAITING_MAX = 4 * 1024 * 1024;
const WAITING_LOW = 1024 * 1024;

/** Writes everything that a pipe is to hold. The signal is aborted when nobody reads any more. */
export type PipeFeed = (into: ByteTarget, signal: AbortSignal) => Promise<void>;

/** What somebody writes, as a source: it opens once, and is written as it is read. */
export class PipeSource implements ByteSource {
  readonly size = null;
  readonly once = true;
  private opened = false;

  /** `feed` is called when the source is opened; what it throws the reader is told behind what was written. */
  constructor(
    readonly label: string,
    private readonly feed: PipeFeed,
  ) {}

  open(start = 0): Promise<ByteReader> {
    if (this.opened || start !== 0) {
      const message = 'it can be read only once';
      return Promise.reject(new InputError('input/pipe', this.label, message, 'save it to a file first'));
    }
    this.opened = true;
    const pipe = new BytePipe(this.label);
    this.feed(pipe, pipe.gone.signal)
      .then(() => pipe.publish())
      .catch((error) => pipe.fail(error));
    return Promise.resolve(pipe);
  }
}

/** Joins who writes bytes to who reads them. */
class BytePipe extends ChunkFiller implements ByteTarget, ByteReader {
  readonly gone = new AbortController();
  private readonly waiting: Buffer[] = [];
  private waitingBytes = 0;
  private ended = false;
  private failure: unknown = null;
  private wakeReader: (() => void) | null = null;
  private wakeWriter: (() => void) | null = null;

  constructor(readonly label: string) {
    super(CHUNK, WAITING_MAX / CHUNK);
  }

  protected override hand(chunk: Buffer): void {
    if (this.gone.signal.aborted) {
      this.recycle(chunk);
      return;
    }
    this.waiting.push(chunk);
    this.waitingBytes += chunk.length;
    this.wakeReader?.();
  }

  get full(): boolean {
    return this.waitingBytes > WAITING_MAX;
  }

  async drain(): Promise<void> {
    while (this.waitingBytes > WAITING_LOW) {
      await new Promise<void>((resolve) => {
        this.wakeWriter = resolve;
      });
    }
  }

  publish(): Promise<void> {
    this.ended = true;
    this.seal();
    this.wakeReader?.();
    return Promise.resolve();
  }

  fail(error: unknown): void {
    this.failure = error;
    this.seal();
    this.wakeReader?.();
  }

  discard(): Promise<void> {
    return this.close();
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.waiting.length === 0) {
      if (this.failure !== null) throw this.failure;
      if (this.ended || this.gone.signal.aborted) return 0;
      await new Promise<void>((resolve) => {
        this.wakeReader = resolve;
      });
    }
    const first = this.waiting[0]!;
    const part = first.subarray(0, into.length);
    into.set(part);
    if (part.length === first.length) {
      this.waiting.shift();
      this.recycle(first);
    } else this.waiting[0] = first.subarray(part.length);
    this.waitingBytes -= part.length;
    if (this.waitingBytes <= WAITING_LOW) this.wakeWriter?.();
    return part.length;
  }

  close(): Promise<void> {
    this.gone.abort();
    this.waiting.length = this.waitingBytes = 0;
    this.wakeReader?.();
    this.wakeWriter?.();
    return Promise.resolve();
  }
}
