import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseOf, type Server } from '../../src/tools/family.js';
import { temporaryDirectory } from '../support/temporary.js';
import { Connection } from './connection.js';

/** The server that judges: Redis 7.0 of the path, or any that REKINDLE_JUDGE names. */
export const PROGRAM = process.env['REKINDLE_JUDGE'] ?? 'redis-server';

export interface JudgeOptions {
  /** True: it logs what clients do; else it only loads what it is given. */
  readonly logging: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

const MANIFEST = 'appendonly.aof.manifest';

/** A real server of its own directory that loads logs again and again, or takes commands and logs them. */
export class Judge {
  private constructor(
    readonly directory: string,
    readonly server: Server,
    private readonly process: ChildProcess,
    readonly client: Connection,
    readonly socket: string,
  ) {}

  /** @throws Error with what it logged when it does not come up */
  static async start(options: JudgeOptions): Promise<Judge> {
    const directory = temporaryDirectory('judge');
    const server = identify();
    const socket = join(directory, 's');
    const settings: Record<string, string> = {
      port: '0',
      unixsocket: socket,
      dir: directory,
      logfile: join(directory, 'log'),
      save: '',
      appendonly: options.logging ? 'yes' : 'no',
      appendfsync: 'no',
      'auto-aof-rewrite-percentage': '0',
      // Bounds what a hostile offset makes a server allocate.
      'proto-max-bulk-len': '1048576',
      hz: '100',
      ...(releaseOf(server) >= 700 ? { 'enable-debug-command': 'yes' } : {}),
      ...options.settings,
    };
    const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    const child = spawn(PROGRAM, words, { stdio: 'ignore' });
    const client = await connected(socket, child).catch((error) => {
      child.kill('SIGKILL');
      throw new Error(`${PROGRAM}: ${error.message}\n${logOf(directory)}`);
    });
    const judge = new Judge(directory, server, child, client, socket);
    await client.call('DEBUG', 'SET-ACTIVE-EXPIRE', options.logging ? '1' : '0');
    return judge;
  }

  /** The end of what it logged. */
  log(): string {
    return logOf(this.directory);
  }

  get hasManifest(): boolean {
    return releaseOf(this.server) >= 700;
  }

  get name(): string {
    return `${this.server.product}-${this.server.version}`;
  }

  /** Loads a log, which may open with an RDB, in place of all it held. @throws Error when it refuses or dies of it */
  async load(log: Buffer): Promise<void> {
    if (this.hasManifest) {
      const home = join(this.directory, 'appendonlydir');
      mkdirSync(home, { recursive: true });
      // A rewrite of its own may have left a manifest that names others.
      writeFileSync(join(home, 'given.1.incr.aof'), log);
      writeFileSync(join(home, MANIFEST), 'file given.1.incr.aof seq 1 type i\n');
      await this.client.call('FUNCTION', 'FLUSH');
    } else if (log.length === 0) {
      // Releases before 7 take it for a failure.
      await this.client.call('FLUSHALL');
      return;
    } else {
      writeFileSync(join(this.directory, 'appendonly.aof'), log);
    }
    await this.client.call('DEBUG', 'LOADAOF');
  }

  /** Loads a log that stands elsewhere, an `appendonlydir` or one file, in place of all it held. */
  async loadFrom(path: string): Promise<void> {
    if (!this.hasManifest) return this.load(readFileSync(path));
    const home = join(this.directory, 'appendonlydir');
    rmSync(home, { recursive: true, force: true });
    cpSync(path, home, { recursive: true });
    await this.client.call('FUNCTION', 'FLUSH');
    await this.client.call('DEBUG', 'LOADAOF');
  }

  digest(): Promise<string> {
    return this.client.text('DEBUG', 'DIGEST');
  }

  /** The RDB it saves. */
  async save(): Promise<Buffer> {
    const path = join(this.directory, 'dump.rdb');
    rmSync(path, { force: true });
    await this.client.call('SAVE');
    return readFileSync(path);
  }

  /** The files of a log that it rewrites all it holds into: a path to open; null when it crashes of that, as 8.8-dev does. */
  async rewrite(preamble: boolean): Promise<string | null> {
    await this.client.call('CONFIG', 'SET', 'aof-use-rdb-preamble', preamble ? 'yes' : 'no');
    await this.client.call('BGREWRITEAOF');
    for (;;) {
      const info = await this.client.text('INFO', 'persistence');
      if (/aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info)) {
        if (/aof_last_bgrewrite_status:ok/.test(info)) break;
        if (/AOF rewrite terminated by signal/.test(this.log())) return null;
        throw new Error(`rewrite failed\n${this.log()}`);
      }
      await sleep(2);
    }
    return this.hasManifest ? join(this.directory, 'appendonlydir') : join(this.directory, 'appendonly.aof');
  }

  get alive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(): Promise<void> {
    this.client.close();
    if (!this.alive) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await ended;
  }
}

let identity: Server | null = null;

function identify(): Server {
  if (identity !== null) return identity;
  const { stdout } = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
  const match = /^(Redis|Valkey) server v=(\S+)/.exec(stdout ?? '');
  if (match === null) throw new Error(`${PROGRAM} is no server: ${stdout}`);
  identity = { product: match[1]!.toLowerCase(), version: match[2]! };
  return identity;
}

async function connected(socket: string, child: ChildProcess): Promise<Connection> {
  let gone: Error | null = null;
  child.once('error', (error) => {
    gone = error;
  });
  for (let attempt = 0; attempt < 2000; attempt++) {
    if (gone !== null) throw gone;
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const client = await Connection.open(socket).catch(() => null);
    if (client !== null) return client;
    await sleep(5);
  }
  throw new Error('its socket did not appear');
}

function logOf(directory: string): string {
  try {
    return readFileSync(join(directory, 'log'), 'utf8').split('\n').slice(-25).join('\n');
  } catch {
    return '';
  }
}
