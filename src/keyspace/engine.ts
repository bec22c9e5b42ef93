import { ByteSlice } from '../bytes/slice.js';
import type { DialectName } from '../rdb/dialect.js';
import type { CommandSpans } from '../resp/command.js';
import { setSource } from './bytes.js';
import { CommandIndex } from './command-index.js';
import { COMMANDS } from './commands/table.js';
import type { Database } from './database.js';
import type { Keyspace } from './keyspace.js';
import { FAILED, type Outcome, UNKNOWN } from './outcome.js';
import type { Scripts } from './script/scripts.js';
import type { Obstacle } from './script/stopped.js';
import { type Thresholds, thresholdsOf } from './thresholds.js';

export interface EngineOptions {
  /** Milliseconds since the epoch that relative times count from; never read from a clock. */
  readonly nowMs: number;
  /** How the server printed scores where that enters data. */
  readonly scoreText: '17g' | 'shortest';
  readonly thresholds?: Partial<Thresholds>;
  /**
   * The server whose rules hold where releases differ, as major * 100 + minor (602 for 6.2); rules of the newest when
   * absent.
   */
  readonly release?: number;
  /** Whose numbers the payloads of RESTORE use: Redis when absent. */
  readonly product?: DialectName;
}

const NEWEST = 9999;

const index = new CommandIndex(COMMANDS);

/**
 * Executes the commands of a log against a keyspace as a server does while it loads one: nothing expires, a command
 * that a server would refuse changes nothing. Transactions are the caller's: it holds back what stands between MULTI
 * and EXEC.
 */
export class Engine {
  /** Number of the database that commands apply to. */
  selected = 0;
  /** The database of that number. */
  db: Database;
  /** Why the last FAILED or UNKNOWN command was not executed, in a server's words. */
  lastError = '';
  /** What kept the last UNKNOWN command from being executed where its name is known; null otherwise. */
  obstacle: Obstacle | null = null;
  /** What runs the scripts of the log; null until the first. */
  scripts: Scripts | null = null;
  readonly nowMs: number;
  readonly scoreText: '17g' | 'shortest';
  readonly thresholds: Thresholds;
  /** major * 100 + minor of the server whose rules hold. */
  readonly release: number;
  readonly product: DialectName;
  /** For values that a command reads, valid within one command. */
  readonly slice = new ByteSlice();
  readonly slice2 = new ByteSlice();

  constructor(
    readonly keyspace: Keyspace,
    options: EngineOptions,
  ) {
    this.nowMs = options.nowMs;
    this.scoreText = options.scoreText;
    this.release = options.release ?? NEWEST;
    this.product = options.product ?? 'redis';
    this.thresholds = thresholdsOf(this.release, options.thresholds);
    this.db = keyspace.database(0);
  }

  execute(command: CommandSpans): Outcome {
    setSource(command.bytes);
    const row = index.find(command);
    if (row === null) {
      this.obstacle = null;
      this.lastError = `ERR unknown command '${command.argc === 0 ? '' : command.latin1(0).slice(0, 128)}'`;
      return UNKNOWN;
    }
    const { arity } = row;
    if (arity >= 0 ? command.argc !== arity : command.argc < -arity) {
      return this.wrongArity(row.name.toLowerCase());
    }
    return row.apply(this, command);
  }

  select(number: number): void {
    this.selected = number;
    this.db = this.keyspace.database(number);
  }

  /** Entry of argument i as a key in the selected database, or -1. */
  find(command: CommandSpans, i: number): number {
    return this.db.find(command.bytes, command.starts[i]!, command.ends[i]!);
  }

  fail(message: string): typeof FAILED {
    this.lastError = message;
    return FAILED;
  }

  wrongType(): typeof FAILED {
    return this.fail('WRONGTYPE Operation against a key holding the wrong kind of value');
  }

  syntaxError(): typeof FAILED {
    return this.fail('ERR syntax error');
  }

  notInteger(): typeof FAILED {
    return this.fail('ERR value is not an integer or out of range');
  }

  wrongArity(name: string): typeof FAILED {
    return this.fail(`ERR wrong number of arguments for '${name}' command`);
  }

  tooLong(): typeof FAILED {
    return this.fail('ERR string exceeds maximum allowed size (proto-max-bulk-len)');
  }

  notFloat(): typeof FAILED {
    return this.fail('ERR value is not a valid float');
  }
}
