import { type Cut, fileOfCut } from '../../aof/cut.js';
import type { LogContext } from '../../aof/log.js';
import type { AofFileEntry, AofSet } from '../../aof/set.js';
import { Database } from '../../keyspace/database.js';
import { Engine } from '../../keyspace/engine.js';
import { Keyspace } from '../../keyspace/keyspace.js';
import { APPLIED } from '../../keyspace/outcome.js';
import { Walk } from '../../keyspace/walk.js';
import { DigestHandler, digestFamilyOf } from '../../model/digest.js';
import type { CommandSpans } from '../../resp/command.js';
import type { CommandPattern } from '../../resp/pattern.js';
import type { KeyConditions } from '../filter.js';
import type { CommandWatch } from '../rebuild.js';

/** The command that took keys away, and where it stands. */
export interface Undone {
  readonly file: AofFileEntry;
  /** Where its record begins, and its bytes. */
  readonly offset: number;
  readonly bytes: number;
  /** Counted from 1 over all files. */
  readonly number: number;
  /** Of the last annotation before it, in milliseconds; -1: none. */
  readonly timeMs: number;
  readonly database: number;
  readonly inTransaction: boolean;
  /** Its words, one character per byte: the first few of many. */
  readonly words: readonly string[];
  /** How many more there are. */
  readonly wordsLeft: number;
  /** The keys that it removed, or whose value it replaced as a whole. */
  readonly names: NonNullable<KeyConditions['names']>;
  /** Keys that were there and whose value it replaced as a whole. */
  readonly replaced: number;
}

const WORDS_MAX = 8;

/**
 * Watches a log being executed for the command that is to be undone: the first that matches, from a point of the log
 * on, and that removed some key. It is not executed, nor is anything behind it, so that the keyspace stays as it was.
 */
export class UndoWatch implements CommandWatch {
  found: Undone | null = null;
  /** Commands that match and removed nothing, and those that match behind the one that was found. */
  idle = 0;
  later = 0;
  private reached: boolean;
  private readonly cutFile: AofFileEntry | null;
  private beyondCutFile = false;

  constructor(
    private readonly pattern: CommandPattern,
    private readonly from: Cut,
    private readonly set: AofSet,
  ) {
    this.cutFile = fileOfCut(set, from);
    const { offset, seconds, commands, before } = from;
    this.reached = offset === null && seconds === null && commands === null && before.length === 0;
  }

  get satisfied(): boolean {
    return this.found !== null;
  }

  take(command: CommandSpans, context: LogContext, engine: Engine): boolean {
    if (this.found !== null) {
      if (this.pattern.matches(command)) this.later++;
      return true;
    }
    if (!this.reached && !this.reaches(command, context)) return false;
    if (!this.pattern.matches(command)) return false;
    const removal = removalOf(command, engine);
    if (removal === null) {
      this.idle++;
      return false;
    }
    const { file, offset, length, number, timeMs, inTransaction } = context;
    const shown = Math.min(command.held, WORDS_MAX);
    this.found = {
      ...{ file, offset, bytes: length, number, timeMs, inTransaction },
      database: engine.selected,
      words: Array.from({ length: shown }, (_, i) => command.latin1(i)),
      wordsLeft: command.argc - shown,
      ...removal,
    };
    return true;
  }

  /** Whether the point in time from which a match counts lies before this command. */
  private reaches(command: CommandSpans, { file, offset, length, timeMs, number }: LogContext): boolean {
    const { from, cutFile, set } = this;
    if (cutFile !== null && file !== cutFile && !this.beyondCutFile) {
      this.beyondCutFile = set.files.indexOf(file) > set.files.indexOf(cutFile);
    }
    this.reached =
      this.beyondCutFile ||
      (from.offset !== null && file === cutFile && offset + length > from.offset.bytes) ||
      (from.seconds !== null && timeMs > from.seconds * 1000) ||
      (from.commands !== null && number > from.commands) ||
      from.before.some((pattern) => pattern.matches(command));
    return this.reached;
  }
}

type Removal = Pick<Undone, 'names' | 'replaced'>;

/** What a command is about to remove; null when it is nothing. */
function removalOf(command: CommandSpans, engine: Engine): Removal | null {
  const { keyspace, selected } = engine;
  if (command.is(0, 'FLUSHALL')) {
    const names = new Map(keyspace.indexes().map((index) => [index, null]));
    return names.size > 0 && isAccepted(command, engine) ? { names, replaced: 0 } : null;
  }
  if (command.is(0, 'FLUSHDB')) {
    const any = engine.db.size > 0 && isAccepted(command, engine);
    return any ? { names: new Map([[selected, null]]), replaced: 0 } : null;
  }
  if (command.is(0, 'DEL') || command.is(0, 'UNLINK')) return deletion(command, engine);
  return trial(command, engine);
}

/** Whether a server takes the command as it stands: tried on nothing. */
function isAccepted(command: CommandSpans, engine: Engine): boolean {
  return twin(engine, new Keyspace()).execute(command) === APPLIED;
}

function deletion(command: CommandSpans, engine: Engine): Removal | null {
  const names = new Set<string>();
  for (let i = 1; i < command.argc; i++) if (engine.find(command, i) >= 0) names.add(command.latin1(i));
  return names.size === 0 ? null : { names: new Map([[engine.selected, names]]), replaced: 0 };
}

/** Commands that put something new in the place of a key, rather than change what it holds. */
const REPLACING = new Set(
  [
    'SET SETEX PSETEX GETSET MSET MSETEX RESTORE RENAME COPY SORT BITOP GEORADIUS GEORADIUSBYMEMBER',
    'SINTERSTORE SUNIONSTORE SDIFFSTORE ZINTERSTORE ZUNIONSTORE ZDIFFSTORE ZRANGESTORE GEOSEARCHSTORE',
  ].flatMap((line) => line.split(' ')),
);

/** Executes the command on copies of all keys that its arguments may name, and looks which are gone. */
function trial(command: CommandSpans, engine: Engine): Removal | null {
  const { keyspace } = engine;
  const copies = new Keyspace();
  copies.arena = keyspace.arena; // values are copied within one arena
  copies.scratch = new Database(copies.arena);
  for (const index of keyspace.indexes()) {
    const from = keyspace.database(index);
    const to = copies.database(index);
    for (let i = 1; i < command.argc; i++) {
      const [start, end] = [command.starts[i]!, command.ends[i]!];
      const entry = from.find(command.bytes, start, end);
      if (entry >= 0 && to.find(command.bytes, start, end) < 0) {
        from.copy(entry, to, command.bytes, start, end);
      }
    }
  }
  const before = picture(copies, engine);
  const applied = twin(engine, copies).execute(command) === APPLIED;
  const after = picture(copies, engine);
  const replaces = applied && REPLACING.has(command.latin1(0).toUpperCase());
  for (const index of copies.indexes()) copies.database(index).release();
  return applied ? difference(before, after, replaces) : null;
}

function difference(before: Picture, after: Picture, replaces: boolean): Removal | null {
  const names = new Map<number, Set<string>>();
  let replaced = 0;
  for (const [index, keys] of before) {
    for (const [key, value] of keys) {
      const now = after.get(index)?.get(key);
      if (now !== undefined && !(replaces && now !== value)) continue;
      if (now !== undefined) replaced++;
      const gone = names.get(index) ?? new Set();
      names.set(index, gone.add(key));
    }
  }
  return names.size === 0 ? null : { names, replaced };
}

/** By database and key what tells one value from another. */
type Picture = ReadonlyMap<number, ReadonlyMap<string, string>>;

function picture(keyspace: Keyspace, { nowMs }: Engine): Picture {
  const found = new Map<number, Map<string, string>>();
  const handler = new DigestHandler({
    ...digestFamilyOf('redis', '8.8'),
    nowMs,
    onKey: (head, digest) => {
      const keys = found.get(head.database) ?? new Map<string, string>();
      found.set(head.database, keys);
      keys.set(head.key.latin1(), `${head.kind} ${digest} ${head.hasExpiry ? head.expiresAtMs : ''}`);
    },
  });
  new Walk(keyspace, handler).run();
  return found;
}

/** An engine of the same rules on other keys. */
function twin(engine: Engine, keyspace: Keyspace): Engine {
  const made = new Engine(keyspace, engine);
  made.select(engine.selected);
  return made;
}
