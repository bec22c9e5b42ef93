import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile, rm } from '../bytes/system.js';
import { OutputError, UsageError } from '../errors.js';
import { ServerConnection } from './connection.js';
import { factsOf } from './facts.js';

/** A server's program, and what it says it is. */
export interface ServerProgram {
  readonly path: string;
  readonly product: 'redis' | 'valkey';
  readonly version: string;
}

/** Names under which servers are installed, in the order they are tried. */
const PROGRAMS = ['redis-server', 'valkey-server'];

/** Finds a server's program: the one named, else one on the path. @throws UsageError when there is none */
export async function serverProgram(path: string | null): Promise<ServerProgram> {
  for (const each of path === null ? PROGRAMS : [path]) {
    const text = await versionText(each);
    const match = text === null ? null : /^(\w+) server v=(\S+)/i.exec(text);
    if (match !== null) {
      const product = match[1]!.toLowerCase() === 'valkey' ? 'valkey' : 'redis';
      return { path: each, product, version: match[2]! };
    }
  }
  const what =
    path === null ? `no ${PROGRAMS.join(' or ')} is on the PATH` : `${path} is no Redis or Valkey server`;
  throw new UsageError(`--engine server: ${what}`, 'install one, or name its program with --server PATH');
}

function versionText(program: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, ['--version'], { timeout: 10_000 }, (error, stdout) => resolve(error ? null : stdout));
  });
}

export interface PrivateServerOptions {
  readonly program: ServerProgram;
  /** Its working directory, with the data in place; removed when it is stopped. */
  readonly directory: string;
  /** Databases that it must have. */
  readonly databases: number;
  readonly appendFilename: string;
  readonly signal: AbortSignal;
}

/**
 * A server of our own on a unix socket, which loads a log and is asked about it. It runs as a replica of nobody, so that
 * no key expires whatever its time.
 */
export class PrivateServer {
  private constructor(
    readonly connection: ServerConnection,
    private readonly child: ChildProcess,
    private readonly directory: string,
  ) {}

  /** @throws OutputError with the last lines of its log when it does not come up; the signal's reason */
  static async start(options: PrivateServerOptions): Promise<PrivateServer> {
    const { program, directory } = options;
    const child = spawn(program.path, settingsOf(options), { cwd: directory, stdio: 'ignore' });
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    failed.catch(() => {});
    try {
      const connection = await Promise.race([untilLoaded(child, options), failed]);
      return new PrivateServer(connection, child, directory);
    } catch (error) {
      const log = await readFile(join(directory, LOG), 'utf8').catch(() => '');
      await end(child, directory);
      options.signal.throwIfAborted();
      throw new OutputError(
        program.path,
        `the private server did not load it: ${lastWords(log) || (error as Error).message}`,
        'is the server too old for these files? name another with --server PATH',
      );
    }
  }

  /** Ends the process and removes its directory. May be called twice. */
  async stop(): Promise<void> {
    this.connection.close();
    await end(this.child, this.directory);
  }
}

const LOG = 'server.log';
const SOCKET = 'server.sock';

function settingsOf({ program, directory, databases, appendFilename }: PrivateServerOptions): string[] {
  const major = Number.parseInt(program.version, 10);
  const settings: Record<string, string> = {
    port: '0',
    unixsocket: join(directory, SOCKET),
    dir: directory,
    logfile: join(directory, LOG),
    save: '',
    databases: String(databases),
    appendonly: 'yes',
    appendfilename: appendFilename,
    'auto-aof-rewrite-percentage': '0',
    replicaof: '127.0.0.1 1',
    ...(major >= 7 ? { 'enable-debug-command': 'yes' } : {}),
  };
  // Splitting keeps an empty value as one empty word: `--save ""` is how saving is switched off.
  return Object.entries(settings).flatMap(([name, value]) =>
    name === 'dir' || name === 'logfile' || name === 'unixsocket'
      ? [`--${name}`, value]
      : [`--${name}`, ...value.split(' ')],
  );
}

async function untilLoaded(
  child: ChildProcess,
  { directory, program, signal }: PrivateServerOptions,
): Promise<ServerConnection> {
  const path = join(directory, SOCKET);
  const address = {
    ...{ place: { kind: 'unix', path } as const, tls: false },
    ...{ username: null, password: null, database: null, label: program.path },
  };
  let connection: ServerConnection | null = null;
  for (;;) {
    signal.throwIfAborted();
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`);
    }
    connection ??= await ServerConnection.open({ address, tls: null }).catch(() => null);
    if (connection !== null && !(await factsOf(connection)).loading) return connection;
    await sleep(20);
  }
}

async function end(child: ChildProcess, directory: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL'); // nothing of it is wanted any more
    await ended;
  }
  await rm(directory, { recursive: true, force: true });
}

/** What a server that gave up logged last. */
function lastWords(log: string): string {
  const lines = log.split('\n').filter((line) => /^\S+ .* #/.test(line));
  return (lines.at(-1) ?? '').replace(/^.*? # /, '');
}
