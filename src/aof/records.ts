import { BatchQueue } from '../bytes/batch-queue.js';
import type { ByteSource } from '../bytes/source.js';
import { type RdbHandler, RdbSink } from '../rdb/handler.js';
import type { CommandSpans } from '../resp/command.js';
import { type Cut, NO_CUT } from './cut.js';
import { type LogContext, type LogEnd, type LogHandler, readLog } from './log.js';
import { openAofSet, singleFileSet } from './set.js';

/** One command of a log, owned by whoever receives it. */
export interface AofRecord {
  /** Base name of its file, and where it stands there. */
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  /** Counted from 1 over all files. */
  readonly number: number;
  /** Of the last `#TS` annotation before it, in milliseconds; null: none yet. */
  readonly timeMs: number | null;
  readonly database: number;
  /** True from MULTI to EXEC, both included. */
  readonly inTransaction: boolean;
  readonly args: readonly Buffer[];
}

export interface ReadAofOptions {
  /** Where to stop; by default at the last complete command. */
  readonly cut?: Cut;
  /** Commands in a batch at most. Default 1024. */
  readonly batch?: number;
  /** Is told the RDB preamble, if there is one. It is not waited for: `full` must stay false. */
  readonly rdb?: RdbHandler;
  readonly signal?: AbortSignal;
}

/**
 * The commands of an append-only log that are in effect, in batches: `source` is any path `openAofSet` takes, or one
 * file. Returns why and where the log ended. Leaving the loop early closes the files.
 *
 * @throws FormatError InputError UsageError as readLog does, after the batches before the damage
 */
export async function* readAof(
  source: string | ByteSource,
  options: ReadAofOptions = {},
): AsyncGenerator<AofRecord[], LogEnd, void> {
  const set = typeof source === 'string' ? await openAofSet(source) : await singleFileSet(source);
  const feed = new BatchFeed(options.batch ?? 1024, options.rdb ?? new RdbSink());
  const left = new AbortController();
  const forward = () => left.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', forward, { once: true });
  if (options.signal?.aborted === true) forward();
  const reading = readLog(set, feed, options.cut ?? NO_CUT, {
    rdb: { verifyChecksum: true, deep: false },
    signal: left.signal,
  });
  const { queue } = feed;
  reading.then(queue.finish, queue.finish);
  try {
    for (let batch = await queue.next(); batch !== null; batch = await queue.next()) yield batch;
    return await reading;
  } finally {
    options.signal?.removeEventListener('abort', forward);
    queue.abandon();
    left.abort();
    await reading.catch(() => {});
  }
}

/** Makes records of commands and hands them over. */
class BatchFeed implements LogHandler {
  readonly queue: BatchQueue<AofRecord>;
  private readonly maker = new RecordMaker();

  constructor(
    size: number,
    readonly rdb: RdbHandler,
  ) {
    this.queue = new BatchQueue(size);
  }

  fileStart(): void {}

  apply(command: CommandSpans, context: LogContext): void {
    this.queue.push(this.maker.make(command, context));
  }

  get full(): boolean {
    return this.queue.full;
  }

  drain(): Promise<void> {
    return this.queue.drain();
  }
}

const SLAB = 64 * 1024;

/**
 * Makes owned commands; small ones share memory with their neighbours, because many small buffers cost most. Of a
 * command that was skimmed the arguments held are all that is there.
 */
export class RecordMaker {
  private slab: Buffer = Buffer.allocUnsafeSlow(0);
  private filled = 0;

  make(command: CommandSpans, context: LogContext): AofRecord {
    const { held, bytes, starts, ends } = command;
    let size = 0;
    for (let i = 0; i < held; i++) size += ends[i]! - starts[i]!;
    const owned = this.room(size);
    const args: Buffer[] = [];
    let at = owned.length === size ? 0 : this.filled - size;
    for (let i = 0; i < held; i++) {
      const count = bytes.copy(owned, at, starts[i]!, ends[i]!);
      args.push(owned.subarray(at, at + count));
      at += count;
    }
    const { file, offset, length, number, timeMs, database, inTransaction } = context;
    return {
      file: file.name,
      offset,
      length,
      number,
      timeMs: timeMs < 0 ? null : timeMs,
      database,
      inTransaction,
      args,
    };
  }

  /** A buffer of just that size for a large command, else the slab with its last `size` bytes taken. */
  private room(size: number): Buffer {
    if (size > SLAB / 8) return Buffer.allocUnsafeSlow(size);
    if (this.filled + size > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(SLAB);
      this.filled = 0;
    }
    this.filled += size;
    return this.slab;
  }
}
