import { FormatError } from '../errors.js';
import type { ByteReader, ByteSource } from './source.js';

/** A source whose first bytes can be looked at before it is read: for pipes, which open once. */
export class PeekedSource implements ByteSource {
  readonly label: string;
  private reader: ByteReader | null = null;
  private head: Buffer = Buffer.alloc(0);
  /** What ended the look at the first bytes early. */
  failure: unknown = null;

  constructor(private readonly source: ByteSource) {
    this.label = source.label;
  }

  get size(): number | null {
    return this.source.size;
  }

  get once(): boolean {
    return this.source.once === true;
  }

  /**
   * The first bytes, fewer than `count` only when there are no more or when reading failed behind them, which who reads
   * on is told.
   *
   * @throws when reading fails at once, damage of packed bytes excepted; the signal's reason when aborted, even while
   * nothing comes
   */
  async peek(count: number, signal: AbortSignal | null): Promise<Buffer> {
    signal?.throwIfAborted();
    const reader = await this.source.open();
    // Closing the pipe is what ends a read of it.
    const close = () => void reader.close();
    signal?.addEventListener('abort', close);
    const head = Buffer.alloc(count);
    let filled = 0;
    try {
      while (filled < count) {
        const read = await reader.read(head.subarray(filled));
        if (read === 0) break;
        filled += read;
      }
    } catch (error) {
      if (filled === 0 && !(error instanceof FormatError)) {
        await reader.close().catch(() => {});
        throw error;
      }
      this.failure = error;
    } finally {
      signal?.removeEventListener('abort', close);
      signal?.throwIfAborted();
    }
    this.reader = reader;
    return (this.head = head.subarray(0, filled));
  }

  async open(start = 0): Promise<ByteReader> {
    const { reader } = this;
    if (reader === null || start !== 0) return this.source.open(start);
    this.reader = null;
    return {
      read: async (into) => {
        if (this.head.length > 0) {
          const part = this.head.subarray(0, into.length);
          into.set(part);
          this.head = this.head.subarray(part.length);
          return part.length;
        }
        if (this.failure !== null) throw this.failure;
        return reader.read(into);
      },
      close: () => reader.close(),
    };
  }

  /** Ends what was opened for peeking and not yet read. */
  async close(): Promise<void> {
    const { reader } = this;
    this.reader = null;
    await reader?.close();
  }
}
