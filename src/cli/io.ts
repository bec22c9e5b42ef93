import { reclaimMemory } from '../tools/reclaim.js';

/** A place text or bytes go to: a process stream, or a buffer in tests. */
export interface Output {
  write(text: string | Uint8Array): boolean;
  once(event: 'drain', listener: () => void): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Everything the command line touches outside its arguments, so that a test can stand in for a process. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean | undefined };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Bytes of memory the process holds. */
  heldBytes(): number;
  /** Gives back memory that nothing refers to any more, where the runtime lets itself be asked. */
  reclaim?(): void;
  /** Aborted with an `Interrupted` when the user asks to stop, with a `BrokenPipe` when nobody reads any more. */
  readonly signal: AbortSignal;
}

/** The reason of an abort by SIGINT or SIGTERM. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** The reason of an abort because the reader of standard output has gone (`… | head`). */
export class BrokenPipe extends Error {
  override readonly name = 'BrokenPipe';
}

/** The real process. The first SIGINT or SIGTERM asks the work to stop; a second one kills as usual. */
export function processIo(): Io {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort(new Interrupted('interrupted'));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      abort.abort(new BrokenPipe('the reader has gone'));
    });
  }
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    now: () => Date.now(),
    heldBytes: () => process.memoryUsage.rss(),
    reclaim: reclaimMemory,
    signal: abort.signal,
  };
}
