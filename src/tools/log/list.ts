import type { Cut } from '../../aof/cut.js';
import { fileOfCut } from '../../aof/cut.js';
import { type AofRecord, RecordMaker } from '../../aof/records.js';
import type { AofFileEntry, AofSet } from '../../aof/set.js';
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
  passing.then(feed.finish, feed.finish);
  try {
    for (let batch = await feed.next(); batch !== null; batch = await feed.next()) yield batch;
    return await passing;
  } finally {
    context.signal.removeEventListener('abort', forward);
    feed.abandon();
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

/** Hands batches from the pass, which waits while one is full, to whoever asks for the next. */
export class LogFeed implements LogListener {
  private batch: LogEntry[] = [];
  private bytes = 0;
  private flushed = false;
  private finished = false;
  private abandoned = false;
  private readonly maker = new RecordMaker();
  private wakeReader: (() => void) | null = null;
  private wakeTaker: (() => void) | null = null;

  /** `eager`: nothing is held back until a batch is full. */
  constructor(
    private readonly size: number,
    private readonly eager: boolean,
  ) {}

  fileStart(file: AofFileEntry): void {
    this.push({ kind: 'file', file });
  }

  commandsStart(file: AofFileEntry, bytes: number): void {
    if (bytes > 0) this.push({ kind: 'preamble', file, bytes });
  }

  command(command: CommandSpans, place: CommandPlace): void {
    const { transaction } = place;
    this.bytes += command.length;
    this.push({
      kind: 'command',
      ...this.maker.make(command, place),
      transaction: transaction === 0 ? null : transaction,
      argc: command.argc,
    });
  }

  finding(finding: Finding): void {
    this.push({ kind: 'finding', finding });
  }

  caughtUp(): void {
    this.push({ kind: 'caught-up' });
  }

  private push(entry: LogEntry): void {
    // All that is in memory is looked at before anything else happens, and comes in one batch.
    if (this.batch.push(entry) === 1 && this.eager) setImmediate(() => this.flush());
  }

  get full(): boolean {
    return !this.abandoned && (this.batch.length >= this.size || this.bytes >= BATCH_BYTES);
  }

  async drain(): Promise<void> {
    this.flush();
    while (this.full) await new Promise<void>((resolve) => (this.wakeReader = resolve));
  }

  /** Hands over what is there. */
  private flush(): void {
    if (this.batch.length === 0) return;
    this.flushed = true;
    this.wakeTaker?.();
  }

  /** No batch comes after those at hand, for whatever reason. */
  readonly finish = (): void => {
    this.finished = true;
    this.wakeTaker?.();
  };

  /** Nobody asks any more: whoever waits to hand something over need not. */
  abandon(): void {
    this.abandoned = true;
    this.batch = [];
    this.wakeReader?.();
  }

  /** Null after the last one. */
  async next(): Promise<LogEntry[] | null> {
    while (!this.full && !this.flushed && !this.finished) {
      await new Promise<void>((resolve) => (this.wakeTaker = resolve));
    }
    const { batch } = this;
    this.flushed = false;
    this.batch = [];
    this.bytes = 0;
    this.wakeReader?.();
    return batch.length === 0 ? null : batch;
  }
}
