import { isDeepStrictEqual } from 'node:util';
import { NO_CUT } from '../../src/aof/cut.js';
import { type AofSet, singleFileSet } from '../../src/aof/set.js';
import { type ByteSource, MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { UsageError } from '../../src/errors.js';
import { CommandEmitter } from '../../src/keyspace/emit.js';
import type { Keyspace } from '../../src/keyspace/keyspace.js';
import { DigestHandler, digestFamilyOf } from '../../src/model/digest.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { releaseOf, type Server } from '../../src/tools/family.js';
import { EVERY_KEY } from '../../src/tools/filter.js';
import { type Rebuilt, rebuild } from '../../src/tools/rebuild.js';
import { replayDataset } from '../../src/tools/replay/parts/parted-replay.js';
import { wholeReplay } from '../../src/tools/replay/parts/replayed.js';
import { memoryWriter, type Recorded, recordRdb } from '../support/rdb.js';
import { byPlace, type RecordedKey, type RecordedStream, Recorder } from '../support/recorder.js';
import { testContext } from '../tools/context.js';
import type { Judge } from './judge.js';

/** What a server and we make of one log, where it is not the same; empty when it is. */
export type Differences = readonly string[];

export interface State {
  readonly digest: string;
  readonly recorded: Recorded;
}

/** Times within this of each other count as the same, where a log holds times that count from now. */
const SLACK_MS = 60_000;

/** Executes a log up to so many commands; all when null. */
export async function replayed(
  log: Buffer,
  server: Server,
  commands: number | null,
  nowMs: number,
): Promise<Rebuilt> {
  const set = await singleFileSet(new MemorySource(log, LOG));
  return rebuild(set, optionsOf(server, commands), testContext({ nowMs }));
}

const LOG = 'given.1.incr.aof';

const optionsOf = (server: Server, commands: number | null) =>
  ({
    cut: { ...NO_CUT, commands },
    as: server,
    onUnknown: 'skip',
    dialect: server.product === 'valkey' ? 'valkey' : null,
  }) as const;

/** Where a log comes to something else when it is read a few bytes at a time, or executed part by part. */
export async function otherwiseReplayed(
  log: Buffer,
  server: Server,
  commands: number,
  nowMs: number,
  whole: Rebuilt,
): Promise<string[]> {
  const options = optionsOf(server, commands);
  const context = testContext({ nowMs });
  const pieces = inPieces(log, 1 + ((log.length * 7 + commands) % 300));
  const sliced = await rebuild(await singleFileSet(pieces), options, context);
  const found = compare(
    'in pieces',
    stateOf(sliced.keyspace, server),
    stateOf(whole.keyspace, server),
    false,
  );
  if (!isDeepStrictEqual(told(sliced), told(whole))) {
    found.push(`in pieces: ${show(told(sliced))} is not ${show(told(whole))}`);
  }
  const request = { ...options, conditions: EVERY_KEY, digest: true, output: null };
  const set = await singleFileSet(new MemorySource(log, LOG));
  const parts = 2 + (commands % 2);
  const parted = await replayDataset(set, { ...request, parts }, context).catch((error) => {
    // Scripts reach any key: they are not executed part by part.
    if (error instanceof UsageError) return null;
    throw error;
  });
  if (parted === null) return found;
  const one = await wholeReplay(whole, request, context);
  const [a, b] = [parted, one].map((each) => ({
    ...told(each),
    ...{ digest: each.digest, allKeys: each.allKeys, survey: each.survey },
  }));
  if (!isDeepStrictEqual(a, b)) found.push(`in ${parts} parts: ${show(a)} is not ${show(b)}`);
  await parted.close();
  return found;
}

function told({ end, skipped, refused, refusedCount, dropped }: Omit<Rebuilt, 'keyspace'>): object {
  const { file, ...stoppedAt } = end.stoppedAt;
  return { ...end, stoppedAt, skipped, refused, refusedCount, dropped };
}

/** A log that comes a few bytes at a time, so that what looks at it meets the end of what is there at any byte. */
function inPieces(log: Buffer, size: number): ByteSource {
  const memory = new MemorySource(log, LOG);
  return {
    label: LOG,
    size: log.length,
    open: async (start) => {
      const reader = await memory.open(start);
      return { read: (into) => reader.read(into.subarray(0, size)), close: () => reader.close() };
    },
  };
}

/** What a log holds that a server wrote for itself. */
export async function heldBy(set: AofSet, server: Server, nowMs: number): Promise<State> {
  const options = { cut: NO_CUT, as: server, onUnknown: 'stop', dialect: null } as const;
  return stateOf((await rebuild(set, options, testContext({ nowMs }))).keyspace, server);
}

export function stateOf(keyspace: Keyspace, { product, version }: Server): State {
  // Valkey leaves out of its digest what has expired of a hash.
  const family = digestFamilyOf(product, version);
  const digest = new DigestHandler({ ...family, nowMs: Date.now(), onKey: null });
  keyspace.walk(digest).run();
  const recorder = new Recorder();
  keyspace.walk(recorder).run();
  return {
    digest: digest.result(),
    recorded: comparable(
      { keys: recorder.keys.sort(byPlace), libraries: recorder.libraries.sort() },
      { product, version },
    ),
  };
}

/** What the judge holds, as it says and saves it. */
export async function judged(judge: Judge): Promise<State> {
  const digest = await judge.digest();
  return { digest, recorded: comparable(await recordRdb(await judge.save()), judge.server) };
}

/** Where two states differ, `theirs` being right. */
export function compare(what: string, ours: State, theirs: State, slack: boolean): string[] {
  const different: string[] = [];
  if (ours.digest !== theirs.digest && ours.digest !== '' && theirs.digest !== '')
    different.push(`${what}: digest ${ours.digest}, the server's ${theirs.digest}`);
  const [own, truth] = [byName(ours.recorded), byName(theirs.recorded)];
  for (const name of new Set([...own.keys(), ...truth.keys()])) {
    const [a, b] = [own.get(name), truth.get(name)];
    if (same(a, b, slack)) continue;
    different.push(`${what}: ${name}\n    ours   ${show(a)}\n    theirs ${show(b)}`);
  }
  const { libraries } = ours.recorded;
  if (!isDeepStrictEqual(libraries, theirs.recorded.libraries)) {
    different.push(`${what}: libraries ${show(libraries)}, the server's ${show(theirs.recorded.libraries)}`);
  }
  return different;
}

/** Releases from 8.6 on write settings with every stream, those that nobody changed, too. */
const UNCHANGED = {
  durationSeconds: 100,
  entriesMax: 100,
  producers: 0,
  messages: 0,
  added: 0,
  duplicates: 0,
};

/** What is left of a state when the keys are gone whose time has come. Of its digest nothing is known then. */
export function withoutExpired({ digest, recorded }: State, nowMs: number): State {
  const keys = recorded.keys.filter(({ pexpiretime }) => pexpiretime === null || pexpiretime > nowMs);
  return { digest: keys.length === recorded.keys.length ? digest : '', recorded: { ...recorded, keys } };
}

/** Without how many messages producers ever sent: commands of a rewrite (8.6) tell of those alone that are remembered. */
export function withoutSent({ digest, recorded }: State): State {
  const keys = recorded.keys.map((key) => {
    if (key.type !== 'stream') return key;
    const value = key.value as RecordedStream;
    if (value.producers === undefined) return key;
    const producers = { ...value.producers, added: 0, duplicates: 0 };
    return plainKey({ ...key, value: { ...value, producers } }, true);
  });
  return { digest, recorded: { ...recorded, keys } };
}

/** Without what a server does not tell of its streams. */
function comparable({ keys, libraries }: Recorded, server: Server): Recorded {
  const counts = releaseOf(server) >= 700;
  return { keys: keys.map((key) => plainKey(key, counts)), libraries };
}

function plainKey(key: RecordedKey, counts: boolean): RecordedKey {
  if (key.type !== 'stream') return key;
  const value = key.value as RecordedStream;
  const producers = isDeepStrictEqual(value.producers, UNCHANGED) ? undefined : value.producers;
  if (counts) return { ...key, value: { ...value, producers } };
  const groups = value.groups.map((group) => ({ ...group, entriesRead: undefined }));
  const plain = { ...value, producers, groups, maxDeletedId: undefined, entriesAdded: undefined };
  return { ...key, value: plain };
}

function byName({ keys }: Recorded): Map<string, RecordedKey> {
  const named = keys.map((key): [string, RecordedKey] => {
    const name = Buffer.from(key.key, 'base64').toString('latin1');
    return [`db ${key.db} ${name}`, key];
  });
  return new Map(named);
}

function same(a: unknown, b: unknown, slack: boolean): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    return (
      Object.is(a, b) || (a === 0 && b === 0) || (slack && Math.abs(a) > 1e9 && Math.abs(a - b) <= SLACK_MS)
    );
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) {
    if (!same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], slack)) return false;
  }
  return true;
}

const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 1500) ?? 'nothing';

/** A dataset as we write it. */
export interface Written {
  readonly rdb: Buffer;
  readonly log: Buffer;
  /** What the RDB lacks. */
  readonly losses: readonly string[];
  /** What commands could not say. */
  readonly unsaid: readonly string[];
}

export function written(keyspace: Keyspace, server: Server): Written {
  const name = targetName(server);
  const unsaid: string[] = [];
  const { writer, written: done } = memoryWriter(name, { aofBase: true });
  keyspace.walk(writer).run();
  writer.finish();
  const memory = new MemoryTarget();
  const emitter = new CommandEmitter(memory, {
    target: RDB_TARGETS.get(name)!,
    onLoss: (head, what) => unsaid.push(`${what} ${head?.key.latin1() ?? ''}`),
  });
  keyspace.walk(emitter).run();
  emitter.finish();
  return { rdb: done().bytes, log: memory.bytes(), losses: done().losses.map((loss) => loss.what), unsaid };
}

/** The target that is written for a server. @throws Error when there is none */
export function targetName({ product, version }: Server): string {
  const release = releaseOf({ product, version });
  const wanted = release >= 9999 ? 'redis-8.8' : `${product}-${Math.floor(release / 100)}.${release % 100}`;
  if (!RDB_TARGETS.has(wanted)) throw new Error(`nothing is written for ${wanted}`);
  return wanted;
}
