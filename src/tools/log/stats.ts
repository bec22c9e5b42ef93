import type { AofFileEntry, AofSet } from '../../aof/set.js';
import { findCommand, type KnownCommand } from '../../model/commands.js';
import type { CommandSpans } from '../../resp/command.js';
import { KeyArguments } from '../../resp/command-keys.js';
import type { ToolContext } from '../context.js';
import { type FrequentKey, FrequentKeys } from './frequent-keys.js';
import { type LogOptions, readSet } from './list.js';
import type { CommandPlace, LogListener } from './listener.js';
import type { LogPassEnd } from './pass.js';
import { Timeline } from './timeline.js';

/** The commands of one name. */
export interface NameCount {
  /** In upper case, one character per byte. */
  readonly name: string;
  readonly commands: number;
  readonly bytes: number;
}

/** A large command. */
export interface LargeCommand {
  readonly name: string;
  /** Its first key, shortened, one character per byte; null without any. */
  readonly key: string | null;
  readonly argc: number;
  readonly bytes: number;
  readonly file: AofFileEntry;
  readonly offset: number;
  readonly number: number;
  readonly database: number;
}

/** From MULTI to EXEC, both included. */
export interface LongTransaction {
  readonly commands: number;
  readonly bytes: number;
  readonly file: AofFileEntry;
  readonly offset: number;
  readonly number: number;
}

/** How many commands came when. */
export interface WriteRate {
  /** Seconds from the first annotation on, or, in a log without, bytes from the first command on. */
  readonly by: 'time' | 'offset';
  /** Unix seconds of the first bucket; null by offset. */
  readonly start: number | null;
  /** Seconds or bytes a bucket. */
  readonly width: number;
  readonly counts: readonly number[];
}

export interface LogStats {
  readonly commands: number;
  readonly bytes: number;
  /** Most frequent first. */
  readonly names: readonly NameCount[];
  readonly databases: ReadonlyMap<number, number>;
  /** Commands behind the first annotation per second of the time between it and the last; null when that is no time. */
  readonly perSecond: number | null;
  /** The annotation with most commands behind it. */
  readonly busiest: { readonly seconds: number; readonly commands: number } | null;
  readonly largest: readonly LargeCommand[];
  readonly keys: readonly FrequentKey[];
  /** By how much a count in `keys` may be too small; 0: they are exact. */
  readonly keysError: number;
  /** Different keys written; null when too many came to count them. */
  readonly distinctKeys: number | null;
  readonly transactions: number;
  readonly longest: readonly LongTransaction[];
  readonly rate: WriteRate;
  readonly end: LogPassEnd;
}

const TOP = 10;
const BUCKETS_MAX = 120;
/** Names that no release knows are told apart up to here. */
const STRANGE_NAMES_MAX = 1000;
const NAME_BYTES_MAX = 64;
const KEY_SHOWN_BYTES = 256;

/**
 * Counts what a log holds, in bounded memory.
 *
 * @throws UsageError when the cut or the start names no place in the log, InputError when a file can't be read
 */
export async function countLog(
  set: AofSet,
  options: Pick<LogOptions, 'cut' | 'conditions' | 'dialect'>,
  context: ToolContext,
): Promise<LogStats> {
  const counter = new LogCounter();
  const end = await readSet(set, counter, options, context);
  return counter.result(end);
}

interface Row {
  readonly name: string;
  readonly written: Written;
  commands: number;
  bytes: number;
}

/** Which of its keys a command writes. */
type Written = 'all' | 'first' | 'last';

class LogCounter implements LogListener {
  readonly full = false;
  private commands = 0;
  private bytes = 0;
  private readonly known = new Map<KnownCommand, Row>();
  private readonly strange = new Map<string, Row>();
  private readonly databases = new Map<number, number>();
  private readonly largest = new Top<LargeCommand>((each) => each.bytes);
  private readonly longest = new Top<LongTransaction>((each) => each.commands);
  private readonly keys = new FrequentKeys();
  private readonly keyArguments = new KeyArguments();
  private transactions = 0;
  private multiOffset = 0;
  private firstMs = -1;
  private timed = 0;
  private secondMs = -1;
  private inSecond = 0;
  private busiest: LogStats['busiest'] = null;
  private readonly byTime = new Timeline(1, BUCKETS_MAX);
  private readonly byOffset = new Timeline(4096, BUCKETS_MAX);

  fileStart(): void {}
  commandsStart(): void {}
  caughtUp(): void {}
  finding(): void {}

  async drain(): Promise<void> {}

  command(command: CommandSpans, place: CommandPlace): void {
    const { length } = command;
    const { database } = place;
    const row = this.rowOf(command);
    row.commands++;
    row.bytes += length;
    this.byOffset.add(this.bytes);
    this.commands++;
    this.bytes += length;
    this.databases.set(database, (this.databases.get(database) ?? 0) + 1);
    if (place.timeMs >= 0) this.clock(place.timeMs);
    if (place.transaction !== 0) this.inTransaction(row.name, place);
    const { at, count } = this.keyArguments.find(command);
    const from = row.written === 'last' ? count - 1 : 0;
    const to = row.written === 'first' ? Math.min(1, count) : count;
    for (let i = Math.max(0, from); i < to; i++) {
      this.keys.add(command.bytes, command.starts[at[i]!]!, command.ends[at[i]!]!, database);
    }
    if (this.largest.takes(length)) this.largest.add(this.large(row.name, command, place));
  }

  result(end: LogPassEnd): LogStats {
    const { commands, bytes, databases, keys, transactions, firstMs, timed } = this;
    this.endSecond();
    const rows = [...this.known.values(), ...this.strange.values()];
    const spanMs = firstMs < 0 ? 0 : this.secondMs - firstMs;
    const { byTime, byOffset } = this;
    return {
      commands,
      bytes,
      names: rows
        .map((row) => ({ name: row.name, commands: row.commands, bytes: row.bytes }))
        .sort((a, b) => b.commands - a.commands || (a.name < b.name ? -1 : 1)),
      databases: new Map([...databases].sort(([a], [b]) => a - b)),
      perSecond: spanMs > 0 ? (timed * 1000) / spanMs : null,
      busiest: this.busiest,
      largest: this.largest.list(),
      keys: keys.top(TOP),
      keysError: keys.error,
      distinctKeys: keys.distinct,
      transactions,
      longest: this.longest.list(),
      rate:
        spanMs > 0
          ? { by: 'time', start: firstMs / 1000, width: byTime.width, counts: byTime.counts }
          : { by: 'offset', start: null, width: byOffset.width, counts: byOffset.counts },
      end,
    };
  }

  private rowOf(command: CommandSpans): Row {
    const [start, end] = [command.starts[0]!, command.ends[0]!];
    const known = findCommand(command.bytes, start, end);
    if (known !== null) {
      let row = this.known.get(known);
      if (row === undefined) {
        row = { name: known.name, written: WRITTEN.get(known.name) ?? 'all', commands: 0, bytes: 0 };
        this.known.set(known, row);
      }
      return row;
    }
    const isName = end - start <= NAME_BYTES_MAX;
    const name = isName ? command.bytes.latin1Slice(start, end).toUpperCase() : OTHER;
    const kept = this.strange.has(name) || this.strange.size < STRANGE_NAMES_MAX ? name : OTHER;
    let row = this.strange.get(kept);
    if (row === undefined)
      this.strange.set(kept, (row = { name: kept, written: 'all', commands: 0, bytes: 0 }));
    return row;
  }

  private clock(timeMs: number): void {
    if (this.firstMs < 0) this.firstMs = timeMs;
    if (timeMs !== this.secondMs) {
      this.endSecond();
      this.secondMs = timeMs;
      this.inSecond = 0;
    }
    this.inSecond++;
    this.timed++;
    this.byTime.add((timeMs - this.firstMs) / 1000);
  }

  private endSecond(): void {
    const { secondMs, inSecond, busiest } = this;
    if (inSecond > (busiest?.commands ?? 0)) this.busiest = { seconds: secondMs / 1000, commands: inSecond };
  }

  private inTransaction(name: string, { number, transaction, file, offset, length }: CommandPlace): void {
    if (number === transaction) this.multiOffset = offset;
    if (name !== 'EXEC') return;
    this.transactions++;
    const commands = number - transaction + 1;
    if (!this.longest.takes(commands)) return;
    const start = this.multiOffset;
    this.longest.add({ commands, bytes: offset + length - start, file, offset: start, number: transaction });
  }

  private large(name: string, command: CommandSpans, place: CommandPlace): LargeCommand {
    const { at, count } = this.keyArguments;
    const { bytes, starts, ends, argc } = command;
    const { file, offset, length, number, database } = place;
    const start = count === 0 ? 0 : starts[at[0]!]!;
    const end = count === 0 ? 0 : Math.min(ends[at[0]!]!, start + KEY_SHOWN_BYTES);
    const key = count === 0 ? null : bytes.latin1Slice(start, end);
    return { name, key, argc, bytes: length, file, offset, number, database };
  }
}

/** What stands for names that are none. */
const OTHER = '…';

/** Commands that read some of the keys they name; all others write each of them. */
const WRITTEN = new Map<string, Written>([
  ...[
    ...['SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE', 'ZINTERSTORE', 'ZUNIONSTORE', 'ZDIFFSTORE', 'BITOP'],
    ...['PFMERGE', 'GEOSEARCHSTORE', 'ZRANGESTORE'],
  ].map((name) => [name, 'first'] as const),
  ...['COPY', 'SORT', 'GEORADIUS', 'GEORADIUSBYMEMBER'].map((name) => [name, 'last'] as const),
]);

/** The largest of many things. */
class Top<T> {
  private readonly kept: T[] = [];

  constructor(private readonly size: (each: T) => number) {}

  /** Whether one of that size is among the largest so far. */
  takes(size: number): boolean {
    return this.kept.length < TOP || size > this.size(this.kept.at(-1)!);
  }

  add(each: T): void {
    const { kept, size } = this;
    let at = kept.length;
    while (at > 0 && size(kept[at - 1]!) < size(each)) at--;
    kept.splice(at, 0, each);
    if (kept.length > TOP) kept.pop();
  }

  list(): readonly T[] {
    return this.kept;
  }
}
