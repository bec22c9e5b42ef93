import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogEnd } from '../../aof/log.js';
import type { AofSet } from '../../aof/set.js';
import { copyOf, writeAofDirectory, writeAofFile } from '../../aof/writer.js';
import { localDisk } from '../../bytes/disk.js';
import { mkdtemp } from '../../bytes/system.js';
import { END } from '../../bytes/window.js';
import { UsageError } from '../../errors.js';
import { Walk } from '../../keyspace/walk.js';
import type { Reply, ServerConnection } from '../../live/connection.js';
import { factsOf } from '../../live/facts.js';
import { PrivateServer, type ServerProgram, serverProgram } from '../../live/private-server.js';
import { DigestHandler, digestFamilyOf } from '../../model/digest.js';
import type { KeyHead } from '../../model/handler.js';
import type { ToolContext } from '../context.js';
import { releaseOf } from '../family.js';
import type { Rebuilt } from '../rebuild.js';
import { cutPlan, filenameOf } from './cut-copy.js';
import type { Undone } from './undo.js';

/** Which server proves it. */
export interface ProveRequest {
  /** Its program; null: the one on the path. */
  readonly program: string | null;
}

/** A key that a real server holds otherwise. */
export interface ServerDifference {
  readonly database: number;
  /** One character per byte. */
  readonly key: string;
  readonly what: 'missing-there' | 'missing-here' | 'value' | 'expiry';
}

/** What a real server made of the same cut. */
export interface Proof {
  readonly equal: boolean;
  /** `redis-7.0.15`. */
  readonly server: string;
  /** What it prints for DEBUG DIGEST, and what we have for it. */
  readonly theirs: string;
  readonly ours: string;
  /** Keys compared one by one. */
  readonly compared: number;
  /** Keys past their TTL, of which a server says nothing one by one: the digest of all covers them. */
  readonly past: number;
  readonly differences: readonly ServerDifference[];
  readonly differenceCount: number;
}

const DIFFERENCES_LISTED = 1000;
const KEYS_AT_ONCE = 256;
/** Servers until 7.0 have no directories of logs. */
const FIRST_WITH_DIRECTORIES = 700;
const DATABASES_MIN = 16;

/**
 * Loads the same cut into a server of our own and compares key by key, and as a whole.
 *
 * @throws UsageError when there is no server or nothing it could load, OutputError when it does not load it
 */
export async function prove(
  set: AofSet,
  stoppedAt: LogEnd['stoppedAt'],
  undone: Undone | null,
  rebuilt: Rebuilt,
  request: ProveRequest,
  context: ToolContext,
): Promise<Proof> {
  if (undone?.inTransaction === true) {
    throw new UsageError(
      'the command to be undone stands in a transaction, which a server loads whole or not at all',
      'leave --engine server out',
    );
  }
  const program = await serverProgram(request.program);
  const directory = await mkdtemp(join(tmpdir(), 'rekindle-server-'));
  try {
    await layOut(set, stoppedAt, program, directory);
  } catch (error) {
    await localDisk.removeTree(directory);
    throw error;
  }
  const databases = Math.max(DATABASES_MIN, ...rebuilt.keyspace.indexes().map((index) => index + 1));
  const appendFilename = filenameOf(set);
  const server = await PrivateServer.start({
    ...{ program, directory, databases, appendFilename, signal: context.signal },
  });
  try {
    return await compare(server.connection, program, rebuilt, context);
  } finally {
    await server.stop();
  }
}

async function layOut(
  set: AofSet,
  place: LogEnd['stoppedAt'],
  program: ServerProgram,
  directory: string,
): Promise<void> {
  if (releaseOf(program) >= FIRST_WITH_DIRECTORIES) {
    await writeAofDirectory(join(directory, 'appendonlydir'), cutPlan(set, place), { force: false });
    return;
  }
  const [only, ...more] = set.files;
  if (only === undefined || more.length > 0) {
    throw new UsageError(
      `${program.path} ${program.version} knows no logs of several files`,
      'name a server from 7.0 on with --server PATH',
    );
  }
  await writeAofFile(join(directory, filenameOf(set)), copyOf(only.source, 0, place.offset), {
    force: false,
  });
}

interface Mine {
  readonly database: number;
  readonly key: Buffer;
  readonly digest: string | null;
  /** Milliseconds; '-1' for none. */
  readonly expiry: string;
}

async function compare(
  connection: ServerConnection,
  program: ServerProgram,
  { keyspace }: Rebuilt,
  context: ToolContext,
): Promise<Proof> {
  const comparison = new Comparison(connection, releaseOf(program));
  const batch: Mine[] = [];
  // Its clock, not that of the context: by its own it hides keys from whoever asks for them.
  const [seconds] = (await connection.ask('TIME')) as readonly Buffer[];
  const pastMs = (Number(seconds) + 1) * 1000;
  let past = 0;
  const handler = new PausingDigest(
    {
      ...digestFamilyOf(program.product, program.version),
      nowMs: context.nowMs,
      onKey: (head, digest) => {
        if (head.hasExpiry && head.expiresAtMs <= pastMs) past++;
        else batch.push(mine(head, digest));
      },
    },
    () => batch.length >= KEYS_AT_ONCE,
  );
  const walk = new Walk(keyspace, handler);
  for (let ended = false; !ended; ) {
    ended = walk.run() === END;
    context.signal.throwIfAborted();
    await comparison.check(batch.splice(0));
  }
  const { keys } = await factsOf(connection);
  for (const [database, count] of keys) {
    const here = keyspace.database(database);
    if (count > here.size) await comparison.findExtra(database, (key) => here.find(key, 0, key.length) >= 0);
  }
  const theirs = await connection.text('DEBUG', 'DIGEST');
  const ours = handler.result();
  const { differences, differenceCount, compared } = comparison;
  return {
    equal: theirs === ours && differenceCount === 0,
    server: `${program.product}-${program.version}`,
    ...{ theirs, ours, compared, past, differences, differenceCount },
  };
}

/** A digest that can wait for somebody. */
class PausingDigest extends DigestHandler {
  constructor(
    options: ConstructorParameters<typeof DigestHandler>[0],
    private readonly isFull: () => boolean,
  ) {
    super(options);
  }

  get full(): boolean {
    return this.isFull();
  }
}

function mine(head: KeyHead, digest: string | null): Mine {
  const expiry = head.hasExpiry ? String(head.expiresAtMs) : '-1';
  return { database: head.database, key: head.key.copy(), digest, expiry };
}

class Comparison {
  readonly differences: ServerDifference[] = [];
  differenceCount = 0;
  compared = 0;
  private selected = -1;

  constructor(
    private readonly connection: ServerConnection,
    private readonly release: number,
  ) {}

  /** Compares some keys, all questions on their way at once. */
  async check(keys: readonly Mine[]): Promise<void> {
    for (let start = 0; start < keys.length; ) {
      const { database } = keys[start]!;
      let end = start;
      while (end < keys.length && keys[end]!.database === database) end++;
      await this.checkIn(database, keys.slice(start, end));
      start = end;
    }
  }

  private async checkIn(database: number, keys: readonly Mine[]): Promise<void> {
    await this.select(database);
    const { connection } = this;
    const names = keys.map(({ key }) => key);
    const expiryOf = (key: Buffer) =>
      this.release >= 700 ? connection.ask('PEXPIRETIME', key) : connection.ask('PTTL', key);
    const [digests, ...times] = await Promise.all([
      connection.ask('DEBUG', 'DIGEST-VALUE', ...names),
      ...names.map(expiryOf),
    ]);
    keys.forEach((key, i) => {
      const there = String((digests as readonly Reply[])[i]);
      this.compareOne(key, there, times[i] as number);
    });
  }

  private compareOne({ database, key, digest, expiry }: Mine, there: string, time: number): void {
    this.compared++;
    const isMissing = time === -2;
    // Before 7.0 the time left is all that is told: that there is one must do.
    const sameExpiry = this.release >= 700 ? String(time) === expiry : time < 0 === (expiry === '-1');
    if (isMissing) this.differ(database, key, 'missing-there');
    else if (digest !== null && digest !== there) this.differ(database, key, 'value');
    else if (!sameExpiry) this.differ(database, key, 'expiry');
  }

  /** Lists the keys of a database there that are not here. */
  async findExtra(database: number, isHere: (key: Buffer) => boolean): Promise<void> {
    await this.select(database);
    let cursor = '0';
    do {
      const [next, keys] = (await this.connection.ask('SCAN', cursor, 'COUNT', 1000)) as [Buffer, Buffer[]];
      cursor = next.toString();
      for (const key of keys) if (!isHere(key)) this.differ(database, key, 'missing-here');
    } while (cursor !== '0');
  }

  private async select(database: number): Promise<void> {
    if (database === this.selected) return;
    await this.connection.ask('SELECT', database);
    this.selected = database;
  }

  private differ(database: number, key: Buffer, what: ServerDifference['what']): void {
    if (++this.differenceCount > DIFFERENCES_LISTED) return;
    this.differences.push({ database, key: key.latin1Slice(), what });
  }
}
