import { isDeepStrictEqual } from 'node:util';
import { NO_CUT } from '../../src/aof/cut.js';
import { type AofSet, singleFileSet } from '../../src/aof/set.js';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { CommandEmitter } from '../../src/keyspace/emit.js';
import type { Keyspace } from '../../src/keyspace/keyspace.js';
import { DigestHandler, digestFamilyOf } from '../../src/model/digest.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { releaseOf, type Server } from '../../src/tools/family.js';
import { type Rebuilt, rebuild } from '../../src/tools/rebuild.js';
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
export function replayed(
  log: Buffer,
  server: Server,
  commands: number | null,
  nowMs: number,
): Promise<Rebuilt> {
  return singleFileSet(new MemorySource(log, 'given.1.incr.aof')).then((set) =>
    rebuild(
      set,
      {
        cut: { ...NO_CUT, commands },
        as: server,
        onUnknown: 'skip',
        dialect: server.product === 'valkey' ? 'valkey' : null,
      },
      testContext({ nowMs }),
    ),
  );
}

/** What a log holds that a server wrote for itself. */
export async function told(set: AofSet, server: Server, nowMs: number): Promise<State> {
  const options = { cut: NO_CUT, as: server, onUnknown: 'stop', dialect: null } as const;
  return stateOf((await rebuild(set, options, testContext({ nowMs }))).keyspace, server);
}

export function stateOf(keyspace: Keyspace, { product, version }: Server): State {
  const digest = new DigestHandler({ ...digestFamilyOf(product, version), nowMs: null, onKey: null });
  keyspace.walk(digest).run();
  const recorder = new Recorder();
  keyspace.walk(recorder).run();
  return {
    digest: digest.result(),
    recorded: { keys: recorder.keys.sort(byPlace), libraries: recorder.libraries.sort() },
  };
}

/** Loads what is given into the judge and asks it. @throws Error when it refuses */
export async function judged(judge: Judge, log: Buffer): Promise<State> {
  await judge.load(log);
  const digest = await judge.digest();
  return { digest, recorded: await recordRdb(await judge.save()) };
}

/** Where two states differ, `theirs` being right. */
export function compare(what: string, ours: State, theirs: State, slack: boolean): string[] {
  const different: string[] = [];
  if (ours.digest !== theirs.digest)
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

function plainKey(key: RecordedKey): RecordedKey {
  if (key.type !== 'stream') return key;
  const value = key.value as RecordedStream;
  return isDeepStrictEqual(value.producers, UNCHANGED)
    ? { ...key, value: { ...value, producers: undefined } }
    : key;
}

function byName({ keys }: Recorded): Map<string, RecordedKey> {
  const named = keys.map((key): [string, RecordedKey] => {
    const name = Buffer.from(key.key, 'base64').toString('latin1');
    return [`db ${key.db} ${name}`, plainKey(key)];
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

function targetName({ product, version }: Server): string {
  const release = releaseOf({ product, version });
  const wanted = release >= 9999 ? 'redis-8.8' : `${product}-${Math.floor(release / 100)}.${release % 100}`;
  if (!RDB_TARGETS.has(wanted)) throw new Error(`nothing is written for ${wanted}`);
  return wanted;
}
