import { tmpdir } from 'node:os';
import { MemorySource } from '../../bytes/source.js';
import { MemoryTarget } from '../../bytes/target.js';
import { FormatError, InputError, OutputError, UsageError } from '../../errors.js';
import { parseServerAddress } from '../../live/address.js';
import { isReplyError, type ServerConnection, withConnection } from '../../live/connection.js';
import { factsOf, type ServerFacts } from '../../live/facts.js';
import { type Depth, ITEMS, ItemSink, KeyHead } from '../../model/handler.js';
import type { DialectName } from '../../rdb/dialect.js';
import { PayloadDecoder } from '../../rdb/payload.js';
import { RdbWriter } from '../../rdb/writer.js';
import { RDB_TARGETS } from '../../rdb/writer-target.js';
import type { ToolContext } from '../context.js';
import { type DiffReport, diff } from '../diff.js';
import { productOf, releaseOf } from '../family.js';
import { EVERY_KEY, type KeyConditions } from '../filter.js';
import { DamageError } from '../report.js';
import { type DatasetSource, type OpenOptions, openDataset, type Source } from '../source.js';
import { targetOf } from '../target-choice.js';
import type { SampledNames } from './sample.js';
import type { AgainstReport } from './verdict.js';

/** A live server that a backup is compared with. */
export interface AgainstRequest {
  /** As the user gave it: it may hold a password, and is shown nowhere. */
  readonly address: string;
  /** How it is reached. */
  readonly live: NonNullable<OpenOptions['live']>;
  /** So many keys; null: all of both sides. */
  readonly sample: number | null;
}

const labelOf = (address: string): string => parseServerAddress(address, 'the server').label;

/** TTLs are set anew all the time by those who use a key; a second more or less is none of the backup's business. */
const TOLERANCE_MS = 1000;
/** Servers before 7.0 tell the time left alone, by a clock of their own. */
const OLD_TOLERANCE_MS = 5000;
const FIRST_WITH_EXPIRETIME = 700;
const KEYS_AT_ONCE = 64;

/**
 * Compares a backup with a live server: all of both, by a fresh snapshot of the server, or a sample of the backup's keys,
 * asked for one by one. Keys past their TTL are left out. What goes wrong is in the report.
 */
export async function compareWithServer(
  source: Source,
  request: AgainstRequest,
  sampled: SampledNames | null,
  dialect: DialectName | null,
  context: ToolContext,
): Promise<AgainstReport> {
  try {
    return sampled === null
      ? await compareAll(source, request, dialect, context)
      : await compareSample(source, request, sampled, dialect, context);
  } catch (error) {
    context.signal.throwIfAborted();
    const failed = { ...NOT_COMPARED, server: labelOf(request.address) };
    if (error instanceof OutputError || error instanceof InputError) {
      return { ...failed, why: `${error.path}: ${error.message}` };
    }
    if (error instanceof UsageError || error instanceof DamageError) return { ...failed, why: error.message };
    if (isReplyError(error) || error instanceof FormatError) return { ...failed, why: error.message };
    throw error;
  }
}

const NOT_COMPARED: AgainstReport = {
  server: '',
  drift: null,
  compared: 0,
  missing: 0,
  changed: 0,
  added: null,
  uncomparable: 0,
  why: '',
};

async function compareAll(
  source: Source,
  { address, live }: AgainstRequest,
  dialect: DialectName | null,
  context: ToolContext,
): Promise<AgainstReport> {
  const { signal } = context;
  const opening = { prefer: null, stdin: null, signal, again: true, live };
  const server = await openDataset(address, opening);
  const report = await diffOf(
    source,
    server,
    { ...EVERY_KEY, expired: 'drop' },
    TOLERANCE_MS,
    dialect,
    context,
  );
  const { added, removed: missing, changed, same } = report;
  const compared = missing + changed + same;
  const all = compared + added;
  const drift = all === 0 ? 0 : (missing + changed + added) / all;
  return { server: labelOf(address), drift, compared, missing, changed, added, uncomparable: 0, why: '' };
}

function diffOf(
  before: DatasetSource,
  after: DatasetSource,
  conditions: KeyConditions,
  toleranceMs: number,
  dialect: DialectName | null,
  context: ToolContext,
): Promise<DiffReport> {
  const listener = { difference: () => {}, full: false, drain: () => Promise.resolve() };
  const what = { conditions, toleranceMs, values: false, patch: null, dialect } as const;
  const means = { threads: true, temporaryDirectory: tmpdir() };
  return diff(before, after, { ...what, ...means, onUnknown: 'skip', listener }, context);
}

/** Has the server dump the keys, puts them together as an RDB, and compares that: one way of comparing for all. */
async function compareSample(
  source: Source,
  { address, live }: AgainstRequest,
  sampled: SampledNames,
  dialect: DialectName | null,
  context: ToolContext,
): Promise<AgainstReport> {
  const fetched = await withConnection(await live.settings(address), (connection) =>
    fetchKeys(connection, sampled, context),
  );
  const names = new Map(
    [...sampled].map(([database, set]) => [database, without(set, fetched.uncomparable.get(database))]),
  );
  const conditions: KeyConditions = { ...EVERY_KEY, names };
  const there: Source = {
    ...{ path: labelOf(address), choice: '', isDirectory: false, kind: 'rdb' },
    bytes: new MemorySource(fetched.rdb, labelOf(address)),
  };
  const tolerance = fetched.release >= FIRST_WITH_EXPIRETIME ? TOLERANCE_MS : OLD_TOLERANCE_MS;
  const report = await diffOf(source, there, conditions, tolerance, dialect, context);
  const { removed: missing, changed, same } = report;
  const compared = missing + changed + same;
  const drift = compared === 0 ? 0 : (missing + changed) / compared;
  const uncomparable = [...fetched.uncomparable.values()].reduce((sum, set) => sum + set.size, 0);
  return { server: labelOf(address), drift, compared, missing, changed, added: null, uncomparable, why: '' };
}

const without = (names: ReadonlySet<string>, others: ReadonlySet<string> | undefined): ReadonlySet<string> =>
  others === undefined ? names : new Set([...names].filter((name) => !others.has(name)));

interface Fetched {
  readonly rdb: Uint8Array;
  readonly release: number;
  /** Keys whose values the server gave and nothing here understands. */
  readonly uncomparable: ReadonlyMap<number, ReadonlySet<string>>;
}

async function fetchKeys(
  connection: ServerConnection,
  sampled: SampledNames,
  context: ToolContext,
): Promise<Fetched> {
  const facts = await factsOf(connection);
  const fetcher = new KeyFetcher(connection, facts, context);
  for (const [database, names] of sampled) {
    await connection.ask('SELECT', database);
    const all = [...names].map((name) => Buffer.from(name, 'latin1'));
    for (let at = 0; at < all.length; at += KEYS_AT_ONCE) {
      context.signal.throwIfAborted();
      await fetcher.fetch(database, all.slice(at, at + KEYS_AT_ONCE));
    }
  }
  return fetcher.result();
}

/** Sees every part of a value and keeps nothing. */
class WalkThrough extends ItemSink {
  override key(): Depth {
    return ITEMS;
  }
}

const WALK_THROUGH = new WalkThrough();

class KeyFetcher {
  private readonly target = new MemoryTarget();
  private readonly writer: RdbWriter;
  private readonly decoder: PayloadDecoder;
  private readonly release: number;
  private readonly uncomparable = new Map<number, Set<string>>();
  private readonly head = new KeyHead();

  constructor(
    private readonly connection: ServerConnection,
    facts: ServerFacts,
    private readonly context: ToolContext,
  ) {
    this.release = releaseOf(facts);
    this.decoder = new PayloadDecoder({ product: productOf(facts), deep: false });
    this.writer = new RdbWriter(this.target, {
      target: targetOf(facts) ?? RDB_TARGETS.get('redis-7.0')!,
      compress: false,
      checksum: true,
      copyValues: false,
      aofBase: false,
      nowSeconds: Math.floor(context.nowMs / 1000),
      onLoss: () => {},
    });
  }

  async fetch(database: number, names: readonly Buffer[]): Promise<void> {
    const { connection, release, context } = this;
    const time = release >= FIRST_WITH_EXPIRETIME ? 'PEXPIRETIME' : 'PTTL';
    const replies = await Promise.all(
      names.map((name) => Promise.all([connection.ask('DUMP', name), connection.ask(time, name)])),
    );
    this.writer.database(database);
    for (const [i, [payload, expiry]] of replies.entries()) {
      const left = expiry as number;
      const expiresAtMs = left < 0 || time === 'PEXPIRETIME' ? left : context.nowMs + left;
      if (Buffer.isBuffer(payload)) this.take(database, names[i]!, payload, expiresAtMs);
    }
  }

  private take(database: number, name: Buffer, payload: Buffer, expiresAtMs: number): void {
    const { head } = this;
    head.database = database;
    head.key.set(name, 0, name.length);
    head.hasExpiry = expiresAtMs >= 0;
    head.expiresAtMs = Math.max(0, expiresAtMs);
    try {
      // A value that breaks off must not stand in the RDB in part.
      this.decoder.value(payload, 0, payload.length, head, WALK_THROUGH);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const set = this.uncomparable.get(database) ?? new Set();
      this.uncomparable.set(database, set.add(name.latin1Slice()));
      return;
    }
    this.decoder.value(payload, 0, payload.length, head, this.writer);
  }

  result(): Fetched {
    this.writer.finish();
    const { release, uncomparable } = this;
    return { rdb: this.target.bytes(), release, uncomparable };
  }
}
