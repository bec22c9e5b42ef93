import { NO_CUT } from '../../aof/cut.js';
import { type LogPlace, readLog } from '../../aof/log.js';
import type { AofSet } from '../../aof/set.js';
import { FormatError, UsageError } from '../../errors.js';
import { Engine, type EngineOptions } from '../../keyspace/engine.js';
import { Keyspace } from '../../keyspace/keyspace.js';
import { KeyspaceLoader } from '../../keyspace/load.js';
import type { DialectName } from '../../rdb/dialect.js';
import type { CommandPattern } from '../../resp/pattern.js';
import type { ToolContext } from '../context.js';
import { type DigestReport, digestKeyspace } from '../digest.js';
import type { Server } from '../family.js';
import { EVERY_KEY } from '../filter.js';
import { Replayer } from '../rebuild.js';
import { namingFile } from '../report.js';
import { asLog, type Source } from '../source.js';
import { type Comparison, compareKeyspaces } from './compare.js';
import { KeyList, type KeyPage, type KeyQuery, type KeyView } from './key-list.js';
import { LogIndex } from './log-index.js';
import { type LogRow, LogRows } from './rows.js';
import { Counter, Runner } from './runner.js';
import { SnapshotRow } from './snapshots.js';

export interface TimeMachineOptions {
  /** The server whose rules hold where the log does not say who wrote it. */
  readonly as: Server | null;
  readonly dialect: DialectName | null;
  /** Bytes of the log between snapshots at least. */
  readonly snapshotBytes: number;
  /** Bytes read at a time; smaller only in tests. */
  readonly chunkBytes?: number;
}

/** How a walk through time is watched and ended. */
export interface Travel {
  /** Ends the walk where it is: the machine then stands at another position than the one asked for. */
  readonly signal?: AbortSignal;
  /** Told of the share done, from 0 to 1, about once a chunk. */
  readonly progress?: (share: number) => void;
}

/** Snapshots of a log at most, about, unless they would be too near to each other or too far apart. */
const SNAPSHOTS = 24;
/** What the engine executes in about half a second. */
const APART_BYTES = 40e6;
/** Until then it runs this many times as long as the last snapshot took to make. */
const RUN_FACTOR = 2;
/** Stepping back further than this from a snapshot, another is made right before: more steps back follow. */
const FAR_BYTES = 4e6;

const START: LogPlace = { file: 0, offset: 0, number: 0, timeMs: -1, database: 0 };

/**
 * A log and the dataset at any moment of it. A position is a number of commands in effect: 0 is what the base holds,
 * `length` the end. A transaction is applied whole or not at all: positions inside one stand for the one before it.
 */
export class TimeMachine {
  private keyspace = new Keyspace();
  private engine: Engine | null = null;
  private place = START;
  private rules: EngineOptions | null = null;
  private producer: Server | null = null;
  private readonly row: SnapshotRow;
  private readonly reader: LogRows;
  private ranMs = 0;
  private tookMs = 0;
  /** Offset behind the last snapshot or the beginning of a run. */
  private fromBytes = 0;
  /** Commands the engine does not know, by number: what they did is missing. */
  readonly unknown = new Set<number>();

  private constructor(
    readonly set: AofSet,
    readonly index: LogIndex,
    private readonly options: TimeMachineOptions,
    private readonly context: ToolContext,
  ) {
    this.row = new SnapshotRow(context.memoryBytes, context.heldBytes);
    this.reader = new LogRows(set, index);
  }

  /**
   * Reads the log once for its index and loads its base. Damage in it is no obstacle: the log ends there.
   *
   * @throws DamageError when the base is damaged, UsageError when the set cannot be read more than once
   */
  static async open(source: Source, options: TimeMachineOptions, context: ToolContext): Promise<TimeMachine> {
    const set = await asLog(source);
    if (set.files.some((file) => file.source.once === true)) {
      throw new UsageError('a pipe cannot be read more than once', 'give a file or a directory');
    }
    const index = await LogIndex.build(set, options.dialect, context);
    const machine = new TimeMachine(set, index, options, context);
    await machine.loadBase({});
    return machine;
  }

  /** Where the machine stands: so many commands are applied. */
  get position(): number {
    return this.place.number;
  }

  /** Commands there are. */
  get length(): number {
    return this.index.length;
  }

  /** Time at the position: of the last annotation before it, in milliseconds; -1: none. */
  get timeMs(): number {
    return this.place.timeMs;
  }

  /** Snapshots at hand, and the bytes they take. */
  get snapshots(): { readonly count: number; readonly bytes: number } {
    return { count: this.row.length, bytes: this.row.bytes };
  }

  /**
   * Goes to a position, or as near as it may: before the transaction it is inside of. Resolves to the position reached.
   *
   * @throws UsageError when the dataset outgrows the memory, DamageError when a file changed meanwhile
   */
  async seek(position: number, travel: Travel = {}): Promise<number> {
    const goal = Math.max(0, Math.min(position, this.length));
    const kept = this.row.before(goal);
    const goesBack = goal < this.position;
    const steps = goesBack && this.bytesTo(goal) > this.index.bytesAt(this.place) - FAR_BYTES;
    if (kept !== null && (goesBack || kept.place.number > this.position)) {
      this.row.store.recycle(this.keyspace);
      this.settle(this.row.store.thaw(kept.snapshot), kept.place);
    } else if (goesBack) {
      if (!(await this.loadBase(travel))) return this.position;
    }
    const near = this.index.places[this.index.at(goal - 1)];
    const left = near === undefined ? 0 : this.index.bytesAt(near) - this.index.bytesAt(this.place);
    if (steps && near !== undefined && left > FAR_BYTES) {
      if (!(await this.run(near.number, travel))) return this.position;
      this.keep();
    }
    await this.run(goal, travel);
    return this.position;
  }

  /** The commands `from` to `to`, both included. */
  rows(from: number, to: number): Promise<LogRow[]> {
    return this.reader.rows(from, to);
  }

  /** The position after the transaction that begins behind a position. */
  async behindTransaction(position: number): Promise<number> {
    for (let from = position + 1; from <= this.length; from += ROWS_AT_ONCE) {
      const rows = await this.rows(from, from + ROWS_AT_ONCE - 1);
      const end = rows.find(({ args, inTransaction }) => !inTransaction || isExec(args[0]!));
      if (end !== undefined) return end.inTransaction ? end.number : Math.max(end.number - 1, position + 1);
    }
    return this.length;
  }

  /** The position before the next command behind position `after` + 1 that matches; null: none does. */
  async next(pattern: CommandPattern, after: number, signal: AbortSignal): Promise<number | null> {
    const number = await this.reader.next(pattern, after + 1, signal);
    return number === 0 ? null : number - 1;
  }

  /** The position before the last command up to position `before` that matches; null: none does. */
  async previous(pattern: CommandPattern, before: number, signal: AbortSignal): Promise<number | null> {
    const number = await this.reader.previous(pattern, before + 1, signal);
    return number === 0 ? null : number - 1;
  }

  /** The position before the next, or the previous, command that loses much at once; null: there is none. */
  danger(direction: 1 | -1): number | null {
    const { dangerous } = this.index;
    const found =
      direction === 1
        ? dangerous.find((number) => number - 1 > this.position)
        : dangerous.findLast((number) => number - 1 < this.position);
    return found === undefined ? null : found - 1;
  }

  /** The last position before the first annotation later than a time: the rule of `--until-time`. */
  async atTime(ms: number): Promise<number> {
    const place = this.index.places[this.index.beforeTime(ms)];
    const end = await this.readTo(place ?? this.index.places[0], { ...NO_CUT, seconds: ms / 1000 });
    return end ?? 0;
  }

  /** The position of the last command that ends at or before an offset in a file of the set. */
  async atOffset(file: number, offset: number): Promise<number> {
    const place = this.index.places[this.index.beforeOffset(file, offset)];
    if (place === undefined) {
      const later = this.index.places.find((each) => each.file >= file);
      return later === undefined ? this.length : later.number;
    }
    const { name } = this.set.files[file]!;
    return (await this.readTo(place, { ...NO_CUT, offset: { file: name, bytes: offset } })) ?? place.number;
  }

  /** Numbers and sizes of the databases that hold keys. */
  databases(): { readonly index: number; readonly keys: number }[] {
    return this.keyspace.indexes().map((index) => ({ index, keys: this.keyspace.database(index).size }));
  }

  /** Keys in all databases. */
  get keys(): number {
    return this.keyspace.size;
  }

  /** A page of the keys of a database, in the order of their bytes; null when it was ended before. */
  page(query: KeyQuery, signal?: AbortSignal): Promise<KeyPage | null> {
    return new KeyList(this.keyspace).page(query, signal);
  }

  /** A key with its value, owned; null when it is not there. */
  value(database: number, key: Buffer): KeyView | null {
    return new KeyList(this.keyspace).value(database, key);
  }

  /** What DEBUG DIGEST prints for the dataset. */
  digest(as: Server | null): Promise<DigestReport> {
    const options = { as, conditions: EVERY_KEY, dialect: null, keys: null };
    return digestKeyspace({ keyspace: this.keyspace, producer: this.producer }, options, this.context);
  }

  /**
   * What changed from one position to another. The machine stands at `to` afterwards; null when it was ended before.
   */
  async diff(from: number, to: number, travel: Travel = {}): Promise<Comparison | null> {
    const { store } = this.row;
    if ((await this.seek(from, travel)) !== from && travel.signal?.aborted === true) return null;
    const snapshot = store.take(this.keyspace);
    try {
      await this.seek(to, travel);
      if (travel.signal?.aborted === true) return null;
      return await compareKeyspaces(store.thaw(snapshot), this.keyspace, travel.signal);
    } finally {
      store.drop(snapshot);
    }
  }

  /** Position before a place at which reading a cut from there ends. */
  private async readTo(
    from: LogPlace | undefined,
    cut: Parameters<typeof readLog>[2],
  ): Promise<number | null> {
    if (from === undefined) return null;
    const counter = new Counter();
    const commands = this.length;
    const end = await readLog(this.set, counter, { ...cut, commands }, { from, rdb: QUICK });
    return end.stoppedAt.command;
  }

  /** False when it was ended before it was done. */
  private async loadBase(travel: Travel): Promise<boolean> {
    const replayer = new Replayer({ ...this.options, cut: NO_CUT, onUnknown: 'skip' }, this.context);
    const signal = travel.signal ?? this.context.signal;
    const loaded = await this.guarded(signal, async () => {
      const { stoppedAt } = await readLog(
        this.set,
        replayer,
        { ...NO_CUT, commands: 0 },
        {
          rdb: { ...CAREFUL, dialect: this.options.dialect ?? undefined },
          signal,
          progress: (file, done) => {
            if (file.size !== null) travel.progress?.(done / file.size);
            this.context.progress({ label: file.path, done, total: file.size });
            replayer.watchMemory();
          },
        },
      );
      const file = stoppedAt.file === null ? 0 : this.set.files.indexOf(stoppedAt.file);
      this.rules = replayer.engineOptions();
      this.producer = replayer.rdb.producer.server;
      this.settle(replayer.keyspace, { ...START, file, offset: stoppedAt.offset });
      this.keep();
    });
    return loaded;
  }

  private settle(keyspace: Keyspace, place: LogPlace): void {
    this.keyspace = keyspace;
    this.engine = new Engine(keyspace, this.rules!);
    this.engine.select(place.database);
    this.place = place;
  }

  private keep(): void {
    const began = this.context.clock();
    this.row.add(this.keyspace, this.place, this.index.bytesAt(this.place));
    this.ranMs = this.context.clock();
    this.tookMs = this.ranMs - began;
    this.fromBytes = this.index.bytesAt(this.place);
  }

  /** Executes commands up to a position; false when it was ended before. */
  private async run(goal: number, travel: Travel): Promise<boolean> {
    if (goal <= this.position || this.engine === null) return true;
    const runner = new Runner(
      this.set,
      this.engine,
      this.place,
      this.unknown,
      new KeyspaceLoader(this.keyspace),
    );
    const start = this.index.bytesAt(this.place);
    const goalPlace = this.index.places[this.index.at(goal)];
    const distance = Math.max(1, (goalPlace === undefined ? start : this.index.bytesAt(goalPlace)) - start);
    this.ranMs = this.context.clock();
    this.fromBytes = start;
    const { chunkBytes } = this.options;
    const signal = travel.signal ?? this.context.signal;
    const reached = await this.guarded(signal, async () => {
      await readLog(
        this.set,
        runner,
        { ...NO_CUT, commands: goal },
        {
          from: this.place,
          rdb: { ...CAREFUL, dialect: this.options.dialect ?? undefined },
          signal,
          ...(chunkBytes === undefined ? {} : { chunkBytes }),
          progress: () => {
            this.place = runner.place;
            const done = this.index.bytesAt(this.place);
            travel.progress?.(Math.min(1, (done - start) / distance));
            if (this.isDue(done)) this.keep();
            this.watchMemory();
          },
        },
      );
    });
    this.place = runner.place;
    return reached;
  }

  /** Bytes of the log before a position, about. */
  private bytesTo(position: number): number {
    const place = this.index.places[this.index.at(position)];
    return place === undefined ? 0 : this.index.bytesAt(place);
  }

  private isDue(bytes: number): boolean {
    const { snapshotBytes } = this.options;
    const apart = bytes - this.fromBytes;
    const least = Math.min(APART_BYTES, this.index.totalBytes / SNAPSHOTS);
    if (apart < Math.max(snapshotBytes, snapshotBytes === 0 ? 0 : least)) return false;
    return apart >= APART_BYTES || this.context.clock() - this.ranMs >= RUN_FACTOR * this.tookMs;
  }

  private watchMemory(): void {
    const { memoryBytes } = this.context;
    if (this.context.heldBytes() <= memoryBytes) return;
    this.row.thin();
    if (this.row.length > 0 || this.context.heldBytes() <= memoryBytes) return;
    throw new UsageError(
      `the dataset outgrows --memory: ${memoryBytes} bytes are allowed`,
      'give a larger --memory, or a machine that has it',
    );
  }

  /** Runs `body`; false when the signal ended it. */
  private async guarded(signal: AbortSignal, body: () => Promise<void>): Promise<boolean> {
    try {
      await namingFile(this.set.manifestPath ?? this.set.directory, body);
      return true;
    } catch (error) {
      if (!signal.aborted || error instanceof FormatError) throw error;
      return false;
    }
  }
}

const ROWS_AT_ONCE = 256;
const isExec = (name: Buffer): boolean => name.latin1Slice().toUpperCase() === 'EXEC';

const CAREFUL = { verifyChecksum: true, deep: false } as const;
const QUICK = { verifyChecksum: false, deep: false } as const;
