import { NO_CUT } from '../../aof/cut.js';
import { type LogContext, type LogHandler, readLog } from '../../aof/log.js';
import type { AofSet } from '../../aof/set.js';
import { FormatError } from '../../errors.js';
import { RdbSink } from '../../rdb/handler.js';
import type { CommandSpans } from '../../resp/command.js';
import type { CommandPattern } from '../../resp/pattern.js';
import type { LogIndex } from './log-index.js';

/** A command as a list shows it: its arguments cut, but their number and size known. */
export interface LogRow {
  readonly number: number;
  /** Base name. */
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  /** Milliseconds; -1: no annotation before it. */
  readonly timeMs: number;
  readonly database: number;
  readonly inTransaction: boolean;
  /** The first arguments, the first bytes of each. */
  readonly args: readonly Buffer[];
  readonly argc: number;
}

const ARGUMENTS = 12;
const ARGUMENT_BYTES = 120;
/** Stretches of the log whose rows are kept. */
const STRETCHES_KEPT = 16;

/** Reads stretches of a log between places of its index, to show them or to look for something. */
export class LogRows {
  private readonly kept = new Map<number, readonly LogRow[]>();

  constructor(
    private readonly set: AofSet,
    private readonly index: LogIndex,
  ) {}

  /** The commands `from` to `to`, both included, as far as there are such. */
  async rows(from: number, to: number): Promise<LogRow[]> {
    const found: LogRow[] = [];
    const { places, length } = this.index;
    const last = Math.min(to, length);
    for (let i = Math.max(0, this.index.at(from - 1)); i < places.length; i++) {
      if (places[i]!.number >= last) break;
      for (const row of await this.stretch(i)) if (row.number >= from && row.number <= last) found.push(row);
    }
    return found;
  }

  /** Number of the first command behind `after` that matches; 0: none does. */
  async next(pattern: CommandPattern, after: number, signal: AbortSignal): Promise<number> {
    const finder = new Finder(pattern, after, Number.POSITIVE_INFINITY);
    const place = this.index.places[Math.max(0, this.index.at(after))];
    if (place === undefined) return 0;
    await this.read(place, finder, this.index.length, signal);
    return finder.first;
  }

  /** Number of the last command before `before` that matches; 0: none does. */
  async previous(pattern: CommandPattern, before: number, signal: AbortSignal): Promise<number> {
    const { places } = this.index;
    let end = Math.max(0, this.index.at(before - 1));
    // Ever longer stretches: what is looked for may be near, and opening a file takes time.
    for (let step = 1, until = before - 1; end >= 0 && places.length > 0; step *= 2) {
      const start = Math.max(0, end - step + 1);
      const finder = new Finder(pattern, 0, before);
      await this.read(places[start]!, finder, until, signal);
      if (finder.last > 0) return finder.last;
      until = places[start]!.number;
      end = start - 1;
    }
    return 0;
  }

  private async stretch(i: number): Promise<readonly LogRow[]> {
    const known = this.kept.get(i);
    if (known !== undefined) return known;
    const lister = new Lister();
    const until = this.index.places[i + 1]?.number ?? this.index.length;
    await this.read(this.index.places[i]!, lister, until, undefined);
    if (this.kept.size >= STRETCHES_KEPT) this.kept.delete(this.kept.keys().next().value!);
    this.kept.set(i, lister.rows);
    return lister.rows;
  }

  private async read(
    from: LogIndex['places'][number],
    handler: LogHandler,
    commands: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      const rdb = { verifyChecksum: false, deep: false } as const;
      await readLog(this.set, handler, { ...NO_CUT, commands }, { from, rdb, ...(signal && { signal }) });
    } catch (error) {
      // What is damaged stands behind the last command there is.
      if (!(error instanceof FormatError || error === FOUND)) throw error;
    }
  }
}

/** Ends a search. */
const FOUND = new Error('found');

abstract class Reader implements LogHandler {
  readonly rdb = new RdbSink();
  readonly full = false;
  fileStart(): void {}
  abstract apply(command: CommandSpans, context: LogContext): void;
  drain(): Promise<void> {
    return Promise.resolve();
  }
}

class Lister extends Reader {
  readonly rows: LogRow[] = [];

  apply(command: CommandSpans, context: LogContext): void {
    const { bytes, starts, ends, argc } = command;
    const { file, offset, length, number, timeMs, database, inTransaction } = context;
    const args = Array.from({ length: Math.min(argc, ARGUMENTS) }, (_, i) =>
      Buffer.from(bytes.subarray(starts[i], Math.min(ends[i]!, starts[i]! + ARGUMENT_BYTES))),
    );
    const { name } = file;
    this.rows.push({ number, file: name, offset, length, timeMs, database, inTransaction, args, argc });
  }
}

class Finder extends Reader {
  first = 0;
  last = 0;

  constructor(
    private readonly pattern: CommandPattern,
    private readonly after: number,
    private readonly before: number,
  ) {
    super();
  }

  apply(command: CommandSpans, { number }: LogContext): void {
    if (number <= this.after || number >= this.before || !this.pattern.matches(command)) return;
    if (this.first === 0) this.first = number;
    this.last = number;
    if (this.before === Number.POSITIVE_INFINITY) throw FOUND;
  }
}
