import type { ByteReader, ByteSource } from '../../bytes/source.js';
import type { ByteTarget } from '../../bytes/target.js';
import type { ToolContext } from '../context.js';
import { writeContent } from '../repair/content.js';
import type { Piece } from '../repair/plan.js';

/** Bytes of a file that are not taken. */
export interface LeftBytes {
  readonly from: number;
  readonly to: number;
  /** Whole commands in them; null: nobody can tell. */
  readonly commands: number | null;
}

/** What is taken of a file. */
export interface Content {
  readonly pieces: readonly Piece[];
  /** In order. Empty: nothing of it is lost. */
  readonly left: readonly LeftBytes[];
  /** Bytes that were put right because the checksum proves what they were. */
  readonly corrected: number;
  /** Keys taken of a damaged RDB; null: it is not damaged, or put right. */
  readonly salvagedKeys: number | null;
}

/** All of a file, or its first bytes. */
export function prefixOf(bytes: number, end = bytes, commandsBehind: number | null = 0): Content {
  const pieces: Piece[] = end === 0 ? [] : [{ kind: 'bytes', from: 0, to: end }];
  const left = end === bytes ? [] : [{ from: end, to: bytes, commands: commandsBehind }];
  return { pieces, left, corrected: 0, salvagedKeys: null };
}

/** The number of bytes taken when they are the first of the file as they stand; null when the content is another. */
export function endOfPrefix({ pieces }: Content): number | null {
  const [first, ...rest] = pieces;
  if (first === undefined) return 0;
  return first.kind === 'bytes' && first.from === 0 && rest.length === 0 ? first.to : null;
}

/** What a way takes of a file, to be read as a file. */
export class ContentSource implements ByteSource {
  readonly label: string;
  readonly size: number | null;

  constructor(
    private readonly source: ByteSource,
    private readonly content: Content,
    private readonly context: ToolContext,
  ) {
    this.label = source.label;
    this.size = content.pieces.reduce<number | null>(
      (sum, piece) => (sum === null || piece.kind !== 'bytes' ? null : sum + piece.to - piece.from),
      0,
    );
  }

  async open(start = 0): Promise<ByteReader> {
    const end = endOfPrefix(this.content);
    if (end !== null) return prefixReader(await this.source.open(start), Math.max(0, end - start));
    const pipe = new Pipe(this.label);
    const { source, context } = this;
    const { pieces } = this.content;
    const outcome = {
      path: source.label,
      source,
      bytes: source.size ?? 0,
      change: 'rewrite',
      pieces,
      dropped: [],
    } as const;
    pipe.feed(writeContent(outcome, pipe, context));
    await pipe.skip(start);
    return pipe;
  }
}

function prefixReader(reader: ByteReader, bytes: number): ByteReader {
  let left = bytes;
  return {
    read: async (into) => {
      if (left === 0) return 0;
      const count = await reader.read(into.length > left ? into.subarray(0, left) : into);
      left -= count;
      return count;
    },
    close: () => reader.close(),
  };
}

const FULL = 1 << 20;

/** Thrown at a writer whose reader has closed. */
class ReaderGone extends Error {}

/** Takes what a writer writes and gives it to a reader, with at most about a megabyte in between. */
class Pipe implements ByteTarget, ByteReader {
  size = 0;
  private readonly queue: Buffer[] = [];
  private queued = 0;
  private done = false;
  private closed = false;
  private failure: unknown = null;
  private wakeReader: (() => void) | null = null;
  private wakeWriter: (() => void) | null = null;
  private written: Promise<void> = Promise.resolve();

  constructor(readonly label: string) {}

  /** The writer's work: its end is the end of the input, its failure the reader's. */
  feed(writing: Promise<void>): void {
    this.written = writing
      .catch((error: unknown) => {
        if (!(error instanceof ReaderGone)) this.failure = error;
      })
      .then(() => {
        this.done = true;
        this.wakeReader?.();
      });
  }

  get full(): boolean {
    return this.queued >= FULL || this.closed;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.queue.push(Buffer.from(bytes));
    this.queued += bytes.length;
    this.size += bytes.length;
    this.wakeReader?.();
  }

  async drain(): Promise<void> {
    while (this.queued >= FULL && !this.closed) {
      await new Promise<void>((resolve) => {
        this.wakeWriter = resolve;
      });
    }
    if (this.closed) throw new ReaderGone('nobody reads any more');
  }

  publish(): Promise<void> {
    return Promise.resolve();
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.queue.length === 0 && !this.done) {
      await new Promise<void>((resolve) => {
        this.wakeReader = resolve;
      });
    }
    if (this.failure !== null) throw this.failure;
    const first = this.queue[0];
    if (first === undefined) return 0;
    const count = Math.min(first.length, into.length);
    into.set(first.subarray(0, count));
    if (count === first.length) this.queue.shift();
    else this.queue[0] = first.subarray(count);
    this.queued -= count;
    this.wakeWriter?.();
    return count;
  }

  /** Passes over the first bytes. */
  async skip(bytes: number): Promise<void> {
    const scratch = Buffer.alloc(Math.min(bytes, 1 << 16));
    for (let left = bytes; left > 0; ) {
      const count = await this.read(scratch.subarray(0, Math.min(left, scratch.length)));
      if (count === 0) return;
      left -= count;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    this.wakeWriter?.();
    await this.written;
  }
}
