import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe } from 'vitest';
import { temporaryDirectory } from './temporary.js';

/** The release whose digests, log lines and limits the tests in test/live expect. */
const WANTED = /v=7\.0\.\d+/;

/** Why there is no server to test against; empty when there is one. */
const absence = findAbsence();

function findAbsence(): string {
  const { error, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) return 'redis-server is not installed';
  return WANTED.test(stdout) ? '' : `redis-server 7.0 is wanted, found ${stdout.trim()}`;
}

/**
 * A suite that needs a real server. Without one the whole suite is skipped, and the output says why; with
 * REKINDLE_REQUIRE_SERVER=1 a missing server is a failure instead.
 */
export function describeServer(title: string, suite: () => void): void {
  if (absence === '') return void describe(title, suite);
  if (process.env['REKINDLE_REQUIRE_SERVER'] === '1') throw new Error(`${title}: ${absence}`);
  console.warn(`skipped: ${title}: ${absence}`);
  describe.skip(`${title} [${absence}]`, suite);
}

export interface ServerOptions {
  /** An RDB to load: copied, never written to. */
  readonly rdb?: string;
  /** A data directory with an `appendonlydir` to load: copied, never written to. */
  readonly dataDirectory?: string;
  /** Settings on top of the usual, as in redis.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Whether the server accepts writes. A server that only holds what it loaded (the default) runs as a replica of
   * nobody: a replica neither drops expired keys while loading nor expires them later, so a dataset from the past keeps
   * every key although the clock has moved on. A writable one is a plain master and expires what is due.
   */
  readonly writable?: boolean;
}

/** A server of its own directory and unix socket, no port. */
export class TestServer {
  private constructor(
    readonly directory: string,
    readonly socket: string,
    readonly client: Redis,
    private readonly process: ChildProcess,
    private readonly logFile: string,
  ) {}

  /** @throws Error with the server's log when it does not come up */
  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const directory = temporaryDirectory('server');
    if (options.rdb !== undefined) cpSync(options.rdb, join(directory, 'dump.rdb'));
    if (options.dataDirectory !== undefined) cpSync(options.dataDirectory, directory, { recursive: true });
    const socket = join(directory, 'redis.sock');
    const logFile = join(directory, 'redis.log');
    const settings = {
      port: '0',
      unixsocket: socket,
      dir: directory,
      logfile: logFile,
      save: '',
      'repl-diskless-sync-delay': '0',
      appendonly: options.dataDirectory === undefined ? 'no' : 'yes',
      'enable-debug-command': 'yes',
      ...(options.writable === true ? {} : { replicaof: '127.0.0.1 1' }),
      ...options.settings,
    };
    // Splitting keeps an empty value as one empty word: `--save ""` is how saving is switched off.
    const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...value.split(' ')]);
    const child = spawn('redis-server', words, { stdio: 'ignore' });
    const log = (): string => readFileSync(logFile, 'utf8');
    const client = new Redis({
      path: socket,
      lazyConnect: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
    });
    try {
      await untilAccepting(socket, child);
      await untilLoaded(client, child);
      return new TestServer(directory, socket, client, child, logFile);
    } catch (error) {
      client.disconnect();
      child.kill('SIGKILL');
      throw new Error(`redis-server did not start: ${(error as Error).message}\n${log()}`);
    }
  }

  /** What the server logged so far. */
  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Holds what an RDB holds, instead of what it held before: quicker than another server. */
  async load(rdb: string): Promise<void> {
    cpSync(rdb, join(this.directory, 'dump.rdb'));
    await this.client.call('DEBUG', 'RELOAD', 'NOSAVE');
  }

  /** DEBUG DIGEST of the whole dataset. */
  async digest(): Promise<string> {
    return (await this.client.call('DEBUG', 'DIGEST')) as string;
  }

  /** Keys by database number, as in a corpus truth. */
  async sizes(): Promise<Record<string, number>> {
    const info = await this.client.info('keyspace');
    return Object.fromEntries(
      [...info.matchAll(/^db(\d+):keys=(\d+)/gm)].map((match) => [match[1], Number(match[2])]),
    );
  }

  async stop(): Promise<void> {
    this.client.disconnect();
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL'); // nothing of it is wanted any more
    await ended;
  }
}

/** Starts a server, hands it to `use` and stops it whatever happens. */
export async function withServer<T>(
  options: ServerOptions,
  use: (server: TestServer) => Promise<T>,
): Promise<T> {
  const server = await TestServer.start(options);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** Runs `redis-check-rdb` or `redis-check-aof`, which come with the server. */
export function officialCheck(
  program: 'redis-check-rdb' | 'redis-check-aof',
  ...args: string[]
): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { code: status, output: stdout + stderr };
}

async function untilAccepting(socket: string, child: ChildProcess): Promise<void> {
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  for (let attempt = 0; attempt < 2000; attempt++) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`);
    }
    if (await accepts(socket)) return;
    await Promise.race([sleep(5), failed]);
  }
  throw new Error('its socket did not appear within 10 seconds');
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function untilLoaded(client: Redis, child: ChildProcess): Promise<void> {
  client.on('error', () => {}); // each is reported by the command that meets it
  await client.connect();
  for (let attempt = 0; attempt < 2000; attempt++) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} while loading`);
    const loading = (await client.info('persistence').catch(() => 'loading:1')).includes('loading:1');
    if (!loading) return;
    await sleep(5);
  }
  throw new Error('it did not finish loading');
}
