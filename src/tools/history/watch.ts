import { ByteSlice } from '../../bytes/slice.js';
import { databaseAt } from '../../keyspace/commands/connection.js';
import { Engine, type EngineOptions } from '../../keyspace/engine.js';
import type { Keyspace } from '../../keyspace/keyspace.js';
import { APPLIED, type Outcome } from '../../keyspace/outcome.js';
import { Glob } from '../../model/glob.js';
import type { CommandSpans } from '../../resp/command.js';
import { type KeyChange, type Sight, Sights } from './sight.js';

/** Which keys are watched. */
export interface Watched {
  /** A pattern as KEYS takes it, one character per byte. */
  readonly pattern: string;
  /** Keys of these databases; empty: of all. */
  readonly databases: readonly number[];
}

/** Who is told of changes. `command` is null for what an RDB brought; both are borrowed. */
export type ChangeListener = (
  sight: Pick<Sight, 'database' | 'key'>,
  change: KeyChange,
  command: CommandSpans | null,
  caller: CommandSpans | null,
) => void;

/** Commands that change keys they do not name. */
const WIDE = ['FLUSHALL', 'FLUSHDB', 'SWAPDB', 'TRIMSLOTS', 'SFLUSH'] as const;
/** Commands that execute others: those tell their changes themselves. */
const CALLING = ['EVAL', 'EVALSHA', 'FCALL', 'EVAL_RO', 'EVALSHA_RO', 'FCALL_RO'] as const;

/** An engine that tells what its commands do to watched keys. */
export class WatchingEngine extends Engine {
  private caller: CommandSpans | null = null;
  private readonly watch: Watch;

  constructor(keyspace: Keyspace, options: EngineOptions, watched: Watched, listener: ChangeListener) {
    super(keyspace, options);
    this.watch = new Watch(keyspace, watched, listener);
  }

  override execute(command: CommandSpans): Outcome {
    if (CALLING.some((name) => command.is(0, name))) return this.call(command);
    const sights = this.watch.before(this, command);
    const outcome = super.execute(command);
    if (sights !== null && outcome === APPLIED) this.watch.after(sights, command, this.caller);
    return outcome;
  }

  private call(command: CommandSpans): Outcome {
    const before = this.caller;
    this.caller = command;
    try {
      return super.execute(command);
    } finally {
      this.caller = before;
    }
  }
}

/** Finds the keys a command may change, and what it changed. */
export class Watch {
  private readonly sights: Sights;
  private readonly glob: Glob | null;
  private readonly exact: Buffer;
  private readonly slice = new ByteSlice();

  constructor(
    private readonly keyspace: Keyspace,
    private readonly watched: Watched,
    private readonly listener: ChangeListener,
  ) {
    const { pattern } = watched;
    this.sights = new Sights(keyspace);
    this.glob = /[*?[\\]/.test(pattern) ? new Glob(pattern) : null;
    this.exact = Buffer.from(pattern, 'latin1');
  }

  /** What the watched keys are that the command may change; null: it can change none. */
  before(engine: Engine, command: CommandSpans): Map<string, Sight> | null {
    if (WIDE.some((name) => command.is(0, name))) return this.all();
    let found: Map<string, Sight> | null = null;
    for (let i = 1; i < command.argc; i++) {
      if (!this.matches(command.bytes, command.starts[i]!, command.ends[i]!)) continue;
      found ??= new Map();
      const key = command.latin1(i);
      for (const database of databasesOf(engine, command)) {
        const name = `${database} ${key}`;
        if (this.covers(database) && !found.has(name)) {
          found.set(name, this.sights.take(database, Buffer.from(key, 'latin1'), command));
        }
      }
    }
    return found;
  }

  /** Tells what became of sights, and of every watched key where the command names none. */
  after(sights: ReadonlyMap<string, Sight>, command: CommandSpans | null, caller: CommandSpans | null): void {
    const wide = command === null || WIDE.some((name) => command.is(0, name));
    const seen = wide ? new Map([...this.all(sights), ...sights]) : sights;
    for (const sight of seen.values()) {
      const change = this.sights.since(sight);
      if (change !== null) this.listener(sight, change, command, caller);
    }
  }

  /** Every watched key there is, but for those `known`: these as keys that were not there before. */
  all(known?: ReadonlyMap<string, Sight>): Map<string, Sight> {
    const found = new Map<string, Sight>();
    for (const index of this.keyspace.indexes()) {
      if (!this.covers(index)) continue;
      for (const key of this.keysOf(index)) {
        const name = `${index} ${key.latin1Slice()}`;
        if (known?.has(name) === true) continue;
        const before = known === undefined ? this.sights.take(index, key, null) : notThere(index, key);
        found.set(name, before);
      }
    }
    return found;
  }

  private *keysOf(index: number): Generator<Buffer> {
    const db = this.keyspace.database(index);
    if (this.glob === null) {
      if (db.find(this.exact, 0, this.exact.length) >= 0) yield this.exact;
      return;
    }
    for (let entry = 0; entry < db.entriesEnd; entry++) {
      if (!db.isLive(entry)) continue;
      const { bytes, start, end } = db.keyAt(entry, this.slice);
      if (this.glob.matches(bytes, start, end)) yield this.slice.copy();
    }
  }

  private matches(bytes: Buffer, start: number, end: number): boolean {
    if (this.glob !== null) return this.glob.matches(bytes, start, end);
    const { exact } = this;
    return end - start === exact.length && bytes.compare(exact, 0, exact.length, start, end) === 0;
  }

  private covers(database: number): boolean {
    const { databases } = this.watched;
    return database >= 0 && (databases.length === 0 || databases.includes(database));
  }
}

const notThere = (database: number, key: Buffer): Sight => ({ database, key, before: null, probe: null });

/** The databases a command works on. */
function databasesOf(engine: Engine, command: CommandSpans): readonly number[] {
  const { selected } = engine;
  if (command.is(0, 'MOVE') && command.argc > 2) return [selected, databaseAt(command, 2)];
  if (!command.is(0, 'COPY')) return [selected];
  for (let i = 3; i + 1 < command.argc; i++) {
    if (command.is(i, 'DB')) return [selected, databaseAt(command, i + 1)];
  }
  return [selected];
}
