import type { Cut } from '../../aof/cut.js';
import { fileOfCut } from '../../aof/cut.js';
import { type AofRecord, RecordMaker } from '../../aof/records.js';
import type { AofFileEntry, AofSet } from '../../aof/set.js';
import { BatchQueue } from '../../bytes/batch-queue.js';
import { FINDINGS, type Finding } from '../../model/finding.js';
import type { DialectName } from '../../rdb/dialect.js';
import type { CommandSpans } from '../../resp/command.js';
import type { ToolContext } from '../context.js';
import { fileOfStart, type LogConditions, LogFilter } from './filter.js';
import { LogFollower } from './follow.js';
import type { CommandPlace, LogFile, LogListener } from './listener.js';
import { type LogPassEnd, type LogPassOptions, passLog } from './pass.js';

/** One command as a log holds it, owned by whoever receives it. */
export interface LogRecord extends AofRecord {
  readonly kind: 'command';
  /** Number of the MULTI that opened the transaction it is in; null outside of any. */
  readonly transaction: number | null;
  /** Arguments in all, the name included; behind damage a very large command has fewer of them in `args`. */
  readonly argc: number;
}

/** What comes of a log, in its order. */
export type LogEntry =
  | LogRecord
  /** A file begins. */
  | { readonly kind: 'file'; readonly file: AofFileEntry }
  /** The file opens with so many bytes of RDB, which hold no commands. */
  | { readonly kind: 'preamble'; readonly file: AofFileEntry; readonly bytes: number }
  | { readonly kind: 'finding'; readonly finding: Finding }
  /** All that was there when the log began to be followed has come. */
  | { readonly kind: 'caught-up' };

export interface LogOptions {
  readonly cut: Cut;
  readonly conditions: LogConditions;
  readonly dialect: DialectName | null;
  /** Entries in a batch at most. */
  readonly batch: number;
}

/** A batch is handed over when its commands have so many bytes, too. */
const BATCH_BYTES = 1 << 20;

/**
 * The commands of a log as its files hold them, in batches, with what is wrong in its place. Damage does not end it
 * where files can be read from any place. Returns what was seen. Leaving the loop early closes the files.
 *
 * @throws UsageError when the cut or the start names no place in the log, InputError when a file can't be read
 */
export function listLog(
  set: AofSet,
  options: LogOptions,
  context: ToolContext,
): AsyncGenerator<LogEntry[], LogPassEnd, void> {
  const feed = new LogFeed(options.batch, false);
  return batchesOf(feed, context, (inner) => readSet(set, feed, options, inner));
}

/**
 * The same for a live log, whose server may rewrite it: goes on with what is appended and with each new increment until
 * the cut or the abort. What is there is handed over at once, whether or not it fills a batch.
 *
 * @throws InputError when the log is replaced by another, or cut
 */
export function followLog(
  given: AofSet,
  options: LogOptions,
  context: ToolContext,
): AsyncGenerator<LogEntry[], LogPassEnd, void> {
  const feed = new LogFeed(options.batch, true);
  return batchesOf(feed, context, async (inner) => {
    const { follower, set } = await LogFollower.open(given);
    try {
      return await passLog(follower.files(), feed, passOptionsOf(set, options), inner);
    } finally {
      await follower.close();
    }
  });
}

async function* batchesOf(
  feed: LogFeed,
  context: ToolContext,
  read: (context: ToolContext) => Promise<LogPassEnd>,
): AsyncGenerator<LogEntry[], LogPassEnd, void> {
  context.signal.throwIfAborted();
  const left = new AbortController();
  const forward = () => left.abort(context.signal.reason);
  context.signal.addEventListener('abort', forward, { once: true });
  const passing = read({ ...context, signal: left.signal });
  const { queue } = feed;
  passing.then(queue.finish, queue.finish);
  try {
    for (let batch = await queue.next(); batch !== null; batch = await queue.next()) yield batch;
    return await passing;
  } finally {
    context.signal.removeEventListener('abort', forward);
    queue.abandon();
    left.abort();
    await passing.catch(() => {});
  }
}

/** Reads the files of a set to whoever listens, and adds what is wrong with the set itself. */
export async function readSet(
  set: AofSet,
  listener: LogListener,
  options: Pick<LogOptions, 'cut' | 'conditions' | 'dialect'>,
  context: ToolContext,
): Promise<LogPassEnd> {
  const ofSet = set.findings.filter(({ code }) => FINDINGS[code] === 'error');
  for (const finding of ofSet) listener.finding(finding);
  const end = await passLog(filesOf(set), listener, passOptionsOf(set, options), context);
  return { ...end, findings: [...ofSet, ...end.findings] };
}

/** @throws UsageError when the cut or the start names no file of the set */
export function passOptionsOf(
  set: AofSet,
  { cut, conditions, dialect }: Pick<LogOptions, 'cut' | 'conditions' | 'dialect'>,
): LogPassOptions {
  const filter = new LogFilter(conditions, fileOfStart(set, conditions));
  return { cut, cutFile: fileOfCut(set, cut), filter, dialect };
}

function filesOf(set: AofSet): LogFile[] {
  return set.files.map((entry) => ({ entry, isLast: entry === set.files.at(-1), presentBytes: null }));
}

/** Makes entries of what a pass tells and hands them over in batches. */
export class LogFeed implements LogListener {
  readonly queue: BatchQueue<LogEntry>;
  private readonly maker = new RecordMaker();

  /** `eager`: nothing is held back until a batch is full. */
  constructor(
    size: number,
    private readonly eager: boolean,
  ) {
    this.queue = new BatchQueue(size, BATCH_BYTES);
  }

  fileStart(file: AofFileEntry): void {
    this.push({ kind: 'file', file });
  }

  commandsStart(file: AofFileEntry, bytes: number): void {
    if (bytes > 0) this.push({ kind: 'preamble', file, bytes });
  }

  command(command: CommandSpans, place: CommandPlace): void {
    const { transaction } = place;
    const record = this.maker.make(command, place);
    const entry = { transaction: transaction === 0 ? null : transaction, argc: command.argc };
    this.push({ kind: 'command', ...record, ...entry }, command.length);
  }

  finding(finding: Finding): void {
    this.push({ kind: 'finding', finding });
  }

  caughtUp(): void {
    this.push({ kind: 'caught-up' });
  }

  private push(entry: LogEntry, bytes = 0): void {
    // All that is in memory is looked at before anything else happens, and comes in one batch.
    if (this.queue.push(entry, bytes) === 1 && this.eager) setImmediate(() => this.queue.flush());
  }

  get full(): boolean {
    return this.queue.full;
  }

  drain(): Promise<void> {
    return this.queue.drain();
  }
}
