import type { LogContext, LogEnd, LogHandler } from '../aof/log.js';
import { readLog } from '../aof/log.js';
import type { AofFileEntry } from '../aof/set.js';
import { BatchQueue } from '../bytes/batch-queue.js';
import type { Long } from '../bytes/int64.js';
import type { RdbDecoderOptions } from '../rdb/decoder.js';
import type { DialectName } from '../rdb/dialect.js';
import type { CommandSpans } from '../resp/command.js';
import type { ToolContext } from './context.js';
import type { Server } from './family.js';
import type { ValueChanges } from './history/changes.js';
import type { KeyChange, KeyState, Sight } from './history/sight.js';
import { Watch, type Watched, WatchingEngine } from './history/watch.js';
import { Replayer } from './rebuild.js';
import { type CutRequest, settle } from './replay.js';
import { namingFile } from './report.js';
import { asLog, type Source } from './source.js';

export interface HistoryOptions extends Watched {
  readonly cut: CutRequest;
  /** The server whose rules hold where the log does not say who wrote it. */
  readonly as: Server | null;
  readonly onUnknown: 'stop' | 'skip';
  readonly dialect: DialectName | null;
}

/** One change to one key. */
export interface HistoryEntry {
  /** `base`: the key stood in an RDB that the log opens with. */
  readonly op: 'base' | 'created' | 'changed' | 'removed';
  readonly database: number;
  readonly key: Buffer;
  /** Base name of the file that tells it. */
  readonly file: string;
  /** Where the command stands, and its bytes; null for what a base holds. */
  readonly offset: number | null;
  readonly length: number | null;
  /** Number of the command, counted from 1 over all files; 0: before the first. */
  readonly number: number;
  /** Of the last `#TS` annotation before it, in milliseconds; null: none yet. */
  readonly timeMs: number | null;
  /** Number of the MULTI that opened the transaction it is in; null outside of any. */
  readonly transaction: number | null;
  /** The command that did it; empty for what a base holds. */
  readonly args: readonly Buffer[];
  /** The script whose call the command was; null: nobody's. */
  readonly caller: readonly Buffer[] | null;
  readonly before: KeyState | null;
  readonly after: KeyState | null;
  /** What changed inside; null: only the TTL. */
  readonly changes: ValueChanges | null;
}

/** What there is to say once all is told. */
export interface HistoryEnd extends Pick<LogEnd, 'stoppedAt' | 'applied' | 'findings'> {
  /** Commands unknown to the engine that were left out: what they did is not told. */
  readonly skipped: Replayer['skipped'];
  /** False when commands to stop before were named and none is in the log. */
  readonly matched: boolean;
}

/** Entries at hand before reading waits for whoever takes them. */
const BATCH = 256;

/**
 * Every change to the keys that match a pattern, in the order of the log, in batches; what an RDB at its start holds
 * comes first. Returns where the log ended. Leaving the loop early closes the files.
 *
 * @throws DamageError UsageError as `rebuild` does, after the entries before it
 */
export async function* history(
  source: Source,
  options: HistoryOptions,
  context: ToolContext,
): AsyncGenerator<HistoryEntry[], HistoryEnd, void> {
  const set = await asLog(source);
  const cut = await settle(options.cut, set, context);
  const left = new AbortController();
  const signal = AbortSignal.any([context.signal, left.signal]);
  const historian = new Historian(options, context);
  const rdb: RdbDecoderOptions = { verifyChecksum: true, deep: false, dialect: options.dialect ?? undefined };
  const reading = namingFile(set.manifestPath ?? set.directory, async () => {
    const end = await readLog(set, historian, cut, {
      rdb,
      signal,
      progress: (file, done) => {
        context.progress({ phase: 'replaying', label: file.path, done, total: file.size });
        historian.replayer.watchMemory();
      },
    });
    historian.settleBase();
    return end;
  });
  reading.then(historian.queue.finish, historian.queue.finish);
  try {
    const { queue } = historian;
    for (let batch = await queue.next(); batch !== null; batch = await queue.next()) yield batch;
    const { stoppedAt, applied, findings } = await reading;
    const matched = cut.before.length === 0 || !['end', 'torn-tail'].includes(stoppedAt.reason);
    return { stoppedAt, applied, findings, matched, skipped: historian.replayer.skipped };
  } finally {
    left.abort();
    historian.queue.abandon();
    await reading.catch(() => {});
  }
}

/** Replays a log and gathers what became of the watched keys. */
class Historian implements LogHandler {
  readonly replayer: Replayer;
  readonly queue = new BatchQueue<HistoryEntry>(BATCH);
  private where: LogContext | null = null;
  private multi: number | null = null;
  private readonly base: Watch;
  /** The file whose RDB may bring keys, and what there was before it; null: told. */
  private opening: { file: AofFileEntry; before: Map<string, Sight> } | null = null;

  constructor(watched: HistoryOptions, context: ToolContext) {
    const listener = this.take.bind(this);
    this.replayer = new Replayer(
      watched,
      context,
      (keyspace, rules) => new WatchingEngine(keyspace, rules, watched, listener),
    );
    this.base = new Watch(this.replayer.keyspace, watched, (sight, change) => this.takeBase(sight, change));
  }

  get rdb(): Replayer['rdb'] {
    return this.replayer.rdb;
  }

  fileStart(file: AofFileEntry): void {
    this.settleBase();
    if (file.format === 'rdb' || file.format === 'unknown') this.opening = { file, before: this.base.all() };
    this.replayer.fileStart();
  }

  apply(command: CommandSpans, context: LogContext): void {
    this.settleBase();
    this.where = context;
    if (!context.inTransaction) this.multi = null;
    else if (this.multi === null) this.multi = context.number;
    this.replayer.apply(command, context);
    // Another transaction may follow at once.
    if (command.is(0, 'EXEC')) this.multi = null;
  }

  /** Tells what the RDB of the file at hand brought, once. */
  settleBase(): void {
    const { opening } = this;
    if (opening === null) return;
    this.base.after(opening.before, null, null);
    this.opening = null;
  }

  private takeBase(sight: Pick<Sight, 'database' | 'key'>, change: KeyChange): void {
    this.queue.push({
      op: 'base',
      database: sight.database,
      key: sight.key,
      file: this.opening!.file.name,
      offset: null,
      length: null,
      number: this.where?.number ?? 0,
      timeMs: timeOf(this.where),
      transaction: null,
      args: [],
      caller: null,
      ...change,
    });
  }

  private take(
    { database, key }: Pick<Sight, 'database' | 'key'>,
    change: KeyChange,
    command: CommandSpans | null,
    caller: CommandSpans | null,
  ): void {
    const { file, offset, length, number } = this.where!;
    this.queue.push({
      op: change.before === null ? 'created' : change.after === null ? 'removed' : 'changed',
      database,
      key,
      file: file.name,
      offset,
      length,
      number,
      timeMs: timeOf(this.where),
      transaction: this.multi,
      args: command === null ? [] : argumentsOf(command),
      caller: caller === null ? null : argumentsOf(caller),
      ...change,
    });
  }

  get full(): boolean {
    return this.queue.full;
  }

  drain(): Promise<void> {
    return this.queue.drain();
  }
}

function timeOf(context: LogContext | null): number | null {
  return context === null || context.timeMs < 0 ? null : context.timeMs;
}

function argumentsOf(command: CommandSpans): Buffer[] {
  const { bytes, starts, ends, argc } = command;
  return Array.from({ length: argc }, (_, i) => Buffer.from(bytes.subarray(starts[i], ends[i])));
}

/** How the expiry of a key changed; null: it did not. */
export function expiryChange({
  before,
  after,
}: Pick<HistoryEntry, 'before' | 'after'>): { before: Long | null; after: Long | null } | null {
  const old = before?.expiresAtMs ?? null;
  const now = after?.expiresAtMs ?? null;
  return before === null || after === null || old === now ? null : { before: old, after: now };
}
