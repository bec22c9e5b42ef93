import { NO_CUT } from '../../aof/cut.js';
import { type LogContext, type LogHandler, type LogPlace, readLog } from '../../aof/log.js';
import type { AofFileEntry, AofSet } from '../../aof/set.js';
import { FormatError } from '../../errors.js';
import type { Finding } from '../../model/finding.js';
import type { DialectName } from '../../rdb/dialect.js';
import { RdbSink } from '../../rdb/handler.js';
import type { CommandSpans } from '../../resp/command.js';
import type { ToolContext } from '../context.js';
import { dangerOf } from '../log/danger.js';
import { findingOf } from '../report.js';

/** A place that reading can begin at, and the latest time up to there. */
export interface IndexedPlace extends LogPlace {
  /** Of the latest annotation before it, in milliseconds; -1: none. Never less than at the place before. */
  readonly latestMs: number;
}

/** Commands and bytes between two places, about. */
const COMMANDS_APART = 512;
const BYTES_APART = 256 * 1024;

/** So many keys in one DEL are no ordinary clean-up. */
const MANY_KEYS = 20;

/** True for a command that loses or moves much at once: what one looks for after an accident. */
function isDangerous(command: CommandSpans): boolean {
  const kind = dangerOf(command);
  if (kind === null || kind === 'rename') return false;
  return kind !== 'delete' || command.argc > MANY_KEYS;
}

/** Places all over a log, so that any command of it is found without reading what is before. */
export class LogIndex {
  private constructor(
    /** The first is where the commands begin; ascending by number. */
    readonly places: readonly IndexedPlace[],
    /** Commands in effect; positions go from 0 to this. */
    readonly length: number,
    /** Numbers of commands that lose much at once, ascending. */
    readonly dangerous: readonly number[],
    /** Times of the first and last annotation, in milliseconds; -1: there is none. */
    readonly firstMs: number,
    readonly lastMs: number,
    /** Where the log cannot be read on, or ends in the middle of a command; null: it ends well. */
    readonly damage: Finding | null,
    private readonly bytesBefore: readonly number[],
    readonly totalBytes: number,
  ) {}

  /** Reads a log once, executing nothing. */
  static async build(set: AofSet, dialect: DialectName | null, context: ToolContext): Promise<LogIndex> {
    const gatherer = new Gatherer(set);
    let damage: Finding | null = null;
    try {
      const end = await readLog(set, gatherer, NO_CUT, {
        rdb: { verifyChecksum: false, deep: false, dialect: dialect ?? undefined },
        signal: context.signal,
        progress: (file, done) =>
          context.progress({ phase: 'indexing', label: file.path, done, total: file.size }),
      });
      const torn = end.findings.find(
        ({ code }) => code === 'aof/torn-tail' || code === 'aof/open-transaction',
      );
      damage = torn ?? null;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      damage = findingOf(error, set.manifestPath ?? set.directory);
    }
    const { places, number, dangerous, firstMs, latestMs } = gatherer;
    const bytesBefore: number[] = [];
    let total = 0;
    for (const { size } of set.files) {
      bytesBefore.push(total);
      total += size ?? 0;
    }
    return new LogIndex(places, number, dangerous, firstMs, latestMs, damage, bytesBefore, total);
  }

  /** Bytes of the log before a place, all files in a row. */
  bytesAt(place: LogPlace): number {
    return (this.bytesBefore[place.file] ?? 0) + place.offset;
  }

  /** Index of the last place at or before a position; -1: in front of the first. */
  at(number: number): number {
    return this.lastWhere((place) => place.number <= number);
  }

  /** Index of the last place all of whose annotations are not later than a time; -1: none. */
  beforeTime(ms: number): number {
    return this.lastWhere((place) => place.latestMs <= ms);
  }

  /** Index of the last place at or before an offset in a file; -1: none in that file. */
  beforeOffset(file: number, offset: number): number {
    const found = this.lastWhere(
      (place) => place.file < file || (place.file === file && place.offset <= offset),
    );
    return found >= 0 && this.places[found]!.file === file ? found : -1;
  }

  /** The last place for which `holds`, which holds for all places before it. */
  private lastWhere(holds: (place: IndexedPlace) => boolean): number {
    let low = 0;
    let high = this.places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.places[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

class Gatherer implements LogHandler {
  readonly places: IndexedPlace[] = [];
  readonly dangerous: number[] = [];
  readonly rdb = new RdbSink();
  readonly full = false;
  number = 0;
  firstMs = -1;
  latestMs = -1;
  private file = -1;
  private inside = false;

  constructor(private readonly set: AofSet) {}

  fileStart(file: AofFileEntry): void {
    this.file = this.set.files.indexOf(file);
    this.inside = false;
  }

  apply(command: CommandSpans, context: LogContext): void {
    const { number, timeMs } = context;
    if (timeMs > this.latestMs) this.latestMs = timeMs;
    if (this.firstMs < 0) this.firstMs = timeMs;
    if (!this.inside) this.mark(context);
    if (context.inTransaction) this.inside = !command.is(0, 'EXEC');
    if (isDangerous(command)) this.dangerous.push(number);
    this.number = number;
  }

  private mark({ offset, number, timeMs, database }: LogContext): void {
    const last = this.places.at(-1);
    const { file, latestMs } = this;
    const isFar =
      last === undefined ||
      last.file !== file ||
      number - last.number > COMMANDS_APART ||
      offset - last.offset > BYTES_APART;
    if (isFar) this.places.push({ file, offset, number: number - 1, timeMs, database, latestMs });
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }
}
