import { FormatError, InputError } from '../errors.js';
import { type ByteReader, type ByteSource, inputErrorOf } from './source.js';

/** A pipe: unknown size, one pass. */
export class StreamSource implements ByteSource {
  readonly size = null;
  readonly once = true;
  private opened = false;

  /** Takes the stream over: closing the reader ends it. A Node.js stream is destroyed even while a read waits. */
  constructor(
    private readonly stream: AsyncIterable<Uint8Array> & { destroy?: () => unknown },
    readonly label = '<stdin>',
  ) {}

  async open(start = 0): Promise<ByteReader> {
    if (this.opened || start !== 0) {
      throw new InputError(
        'input/pipe',
        this.label,
        'a pipe can be read only once',
        'save it to a file first',
      );
    }
    this.opened = true;
    return new StreamReader(this.stream, this.label);
  }
}

class StreamReader implements ByteReader {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array(0);
  private ended = false;

  constructor(
    private readonly stream: AsyncIterable<Uint8Array> & { destroy?: () => unknown },
    private readonly label: string,
  ) {
    this.chunks = stream[Symbol.asyncIterator]();
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.rest.length === 0) {
      if (this.ended) return 0;
      const next = await this.next();
      if (next.done === true) this.ended = true;
      else this.rest = next.value;
    }
    const part = this.rest.subarray(0, into.length);
    into.set(part);
    this.rest = this.rest.subarray(part.length);
    return part.length;
  }

  private async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.chunks.next();
    } catch (error) {
      throw error instanceof InputError || error instanceof FormatError
        ? error
        : inputErrorOf(error, this.label);
    }
  }

  async close(): Promise<void> {
    const wasEnded = this.ended;
    this.ended = true;
    if (wasEnded) return;
    // `return()` of a stream's iterator would wait for a read that may never end.
    if (typeof this.stream.destroy === 'function') this.stream.destroy();
    else await this.chunks.return?.();
  }
}
