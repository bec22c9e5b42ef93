import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../errors.js';
import type { SizedSource } from '../file-tree.js';
import type { ByteReader } from '../source.js';
import { type ObjectFacts, type ObjectStore, PassingFailure } from './store.js';

/** How an object is asked for. */
export interface PartSizes {
  /** Bytes of the first request of a pass; later ones are larger, up to `last`. */
  readonly first: number;
  readonly last: number;
  /** Requests on their way beside the one that is waited for, once a pass reads on. */
  readonly ahead: number;
  /** Milliseconds before the second try of a request; doubled for each further one. */
  readonly pauseMs: number;
}

const SIZES: PartSizes = { first: 256 * 1024, last: 8 * 1024 * 1024, ahead: 2, pauseMs: 200 };
const GROWTH = 4;
/** Tries in a row that bring nothing. */
const TRIES = 6;

/**
 * An object as a file: any part of it can be read, in requests for ranges that get larger as a pass reads on. A connection
 * that is cut is taken up where it ended. An object that was replaced meanwhile is refused, never read half and half.
 */
export class ObjectSource implements SizedSource {
  readonly label: string;
  readonly size: number;

  private constructor(
    private readonly store: ObjectStore,
    private readonly identity: Identity,
    private readonly head: Buffer,
    private readonly sizes: PartSizes,
  ) {
    this.label = `${store.label}/${identity.key}`;
    this.size = identity.size;
  }

  /** Null when there is no such object. @throws InputError when it cannot be read; the signal's reason */
  static async at(
    store: ObjectStore,
    key: string,
    signal: AbortSignal | null,
    sizes = SIZES,
  ): Promise<ObjectSource | null> {
    signal?.throwIfAborted();
    const facts = await store.look(key, signal);
    if (facts === null) return null;
    const identity = { key, ...facts };
    const fetcher = new PartFetcher(store, identity, sizes.pauseMs);
    const abort = () => fetcher.close(signal?.reason);
    signal?.addEventListener('abort', abort);
    try {
      const head = await fetcher.fetch(0, Math.min(sizes.first, facts.size));
      return new ObjectSource(store, identity, head, sizes);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  open(start = 0): Promise<ByteReader> {
    const { store, identity, head, sizes } = this;
    return Promise.resolve(new ObjectReader(store, identity, start, head, sizes));
  }
}

interface Identity extends ObjectFacts {
  readonly key: string;
}

class ObjectReader implements ByteReader {
  private rest: Buffer;
  private readonly fetcher: PartFetcher;
  private readonly coming: Promise<Buffer>[] = [];
  /** Where the next request starts. */
  private next: number;
  private nextSize: number;
  private parts = 0;
  private closed = false;

  constructor(
    store: ObjectStore,
    private readonly identity: Identity,
    start: number,
    head: Buffer,
    private readonly sizes: PartSizes,
  ) {
    this.rest = head.subarray(Math.min(start, head.length));
    this.next = Math.max(start, head.length);
    this.nextSize = sizes.first;
    this.fetcher = new PartFetcher(store, identity, sizes.pauseMs);
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.rest.length === 0) {
      this.ask();
      const part = this.coming.shift();
      if (part === undefined) return 0;
      this.rest = await part;
      this.parts++;
    }
    const part = this.rest.subarray(0, into.length);
    into.set(part);
    this.rest = this.rest.subarray(part.length);
    return part.length;
  }

  /** Has requests on their way: one, and more when the pass has shown that it reads on. */
  private ask(): void {
    const wanted = this.parts === 0 ? 1 : 1 + this.sizes.ahead;
    while (!this.closed && this.coming.length < wanted && this.next < this.identity.size) {
      const end = Math.min(this.next + this.nextSize, this.identity.size);
      const part = this.fetcher.fetch(this.next, end);
      // Who reads is told when it comes to that part.
      part.catch(() => {});
      this.coming.push(part);
      this.next = end;
      this.nextSize = Math.min(this.nextSize * GROWTH, this.sizes.last);
    }
  }

  close(): Promise<void> {
    this.closed = true;
    this.fetcher.close();
    return Promise.resolve();
  }
}

/** Fetches parts of one object, each in as many requests as it takes. */
class PartFetcher {
  private readonly abort = new AbortController();

  constructor(
    private readonly store: ObjectStore,
    private readonly identity: Identity,
    private readonly pauseMs: number,
  ) {}

  /** @throws InputError when they cannot be had, or are those of another object by now */
  async fetch(start: number, end: number): Promise<Buffer> {
    const { signal } = this.abort;
    const { key, etag, size } = this.identity;
    const bytes = Buffer.allocUnsafeSlow(end - start);
    for (let filled = 0, failed = 0; filled < bytes.length; ) {
      const before = filled;
      try {
        const part = await this.store.get({ key, start: start + filled, end, etag, signal });
        if (part === null) throw this.changed('was removed');
        if (part.etag !== etag || part.size !== size) throw this.changed('was replaced');
        for await (const chunk of part.body) {
          // More than was asked for is what a server sends that knows no ranges.
          if (filled + chunk.length > bytes.length) throw this.noRanges();
          bytes.set(chunk, filled);
          filled += chunk.length;
        }
        if (filled < bytes.length) throw new PassingFailure('the answer ended early');
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof PassingFailure)) throw error;
        if (filled > before) failed = 0;
        else if (++failed === TRIES) throw this.givenUp(error, start + filled);
        await sleep(failed === 0 ? 0 : this.pauseMs * 2 ** (failed - 1), undefined, { signal });
      }
    }
    return bytes;
  }

  close(reason?: unknown): void {
    this.abort.abort(reason);
  }

  private changed(what: string): InputError {
    return new InputError(
      'input/changed',
      this.label,
      `${what} while it was being read`,
      'run again when nothing writes to it, or copy it first',
    );
  }

  private noRanges(): InputError {
    return new InputError(
      'input/unreadable',
      this.label,
      'the server sent other bytes than were asked for: it knows no ranges',
      'copy the object to a file and give that',
    );
  }

  private givenUp(error: PassingFailure, offset: number): InputError {
    return new InputError(
      'input/cut',
      this.label,
      `the connection failed ${TRIES} times in a row at offset ${offset}: ${error.message}`,
      'check AWS_ENDPOINT_URL and that the server runs',
    );
  }

  private get label(): string {
    return `${this.store.label}/${this.identity.key}`;
  }
}
