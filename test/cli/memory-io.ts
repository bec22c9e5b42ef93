import type { Io } from '../../src/cli/io.js';
import { run } from '../../src/cli/run.js';

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order of writing, as a terminal shows them. */
  readonly both: string;
}

export interface RunOptions {
  readonly stdin?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch; the clock of the corpus unless told. */
  readonly nowMs?: number;
  /** What the process claims to hold. */
  readonly heldBytes?: () => number;
  /** True: both streams claim to be terminals. */
  readonly terminal?: boolean;
  /** Is told what goes to standard output as it comes. */
  readonly onPrint?: (text: string) => void;
}

/** Runs one command line in this process, with streams of memory, a fixed clock and a width of 100 columns. */
export async function runCli(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const written = { stdout: '', stderr: '', both: '' };
  const output = (name: 'stdout' | 'stderr') => ({
    write: (text: string | Uint8Array) => {
      written[name] += typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
      const shown = typeof text === 'string' ? text : Buffer.from(text).toString();
      written.both += shown;
      if (name === 'stdout') options.onPrint?.(shown);
      return true;
    },
    once: () => {},
    isTTY: options.terminal === true,
    columns: 100,
  });
  const io: Io = {
    stdin:
      options.stdin instanceof Uint8Array || options.stdin === undefined
        ? once(options.stdin)
        : options.stdin,
    stdout: output('stdout'),
    stderr: output('stderr'),
    env: options.env ?? {},
    now: () => options.nowMs ?? 1772366400000,
    heldBytes: options.heldBytes ?? (() => 0),
    signal: options.signal ?? new AbortController().signal,
  };
  const exit = await run(argv, io);
  return { exit, ...written };
}

async function* once(bytes: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  if (bytes !== undefined) yield bytes;
}
