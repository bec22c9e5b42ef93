import { tmpdir } from 'node:os';
import { PipeSource } from '../../bytes/pipe.js';
import { pumpSource } from '../../bytes/pump.js';
import type { ByteSource } from '../../bytes/source.js';
import type { ByteTarget } from '../../bytes/target.js';
import { InputError } from '../../errors.js';
import { parseServerAddress, type ServerAddress } from '../../live/address.js';
import {
  type ConnectionSettings,
  connectionSettings,
  ServerConnection,
  withConnection,
} from '../../live/connection.js';
import { factsOf, type ServerFacts } from '../../live/facts.js';
import { asInputError } from '../../live/input-error.js';
import { LiveSnapshot, SnapshotRefusal } from '../../live/snapshot.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import { RdbCopier } from '../../rdb/writer-copier.js';
import { RDB_TARGETS } from '../../rdb/writer-target.js';
import { TODAY } from '../family.js';
import { seekable } from '../open-bytes.js';
import type { NotChecked } from '../report.js';
import type { OpenOptions, Source } from '../source.js';
import { targetOf } from '../target-choice.js';
import { dumpRefusal, VIAS, type Via } from './choose.js';
import { ClusterMasters, joinSnapshots } from './cluster.js';
import { scannedSource } from './scanned.js';

/** How live servers are reached that are named as sources, and read. */
export interface LiveAccess {
  /** Whom to be at that address, and its certificates. @throws UsageError InputError */
  readonly settings: (address: string) => Promise<ConnectionSettings>;
  /** Null: the first way that the server allows. */
  readonly via: Via | null;
  /** Told what must be known of the source that shows only while it is read. */
  readonly remark: (text: string) => void;
  /** How errors name a key (one character per byte). */
  readonly shown: (name: string) => string;
}

/** How a live server was read. */
export interface LiveOrigin {
  readonly via: Via;
  /** Why not by another way that comes first; '' when none does or it was asked for. */
  readonly because: string;
  /** Servers that it was read from: the masters of a cluster. */
  readonly nodes: number;
  /** What of it is not as it should be; grows while it is read. */
  readonly notChecked: readonly NotChecked[];
}

/** As the address alone says: no certificates of our own. */
export const BY_ADDRESS: LiveAccess = {
  settings: (address) => connectionSettings(parseServerAddress(address, 'the source'), NO_CERTIFICATES),
  via: null,
  remark: () => {},
  shown: (name) => JSON.stringify(name),
};

const NO_CERTIFICATES = { caPath: null, certPath: null, keyPath: null, insecure: false } as const;

/**
 * A live server as a source: a fresh RDB as a replica gets it, streamed; where the server refuses that, one made of what
 * SCAN and DUMP give. Opens once, like a pipe; a caller that goes back in it has it kept in a temporary file first.
 *
 * @throws InputError when the server can't be reached or lets nothing be read, UsageError for an address that is none
 */
export async function openLive(address: string, options: OpenOptions): Promise<Source> {
  const live = options.live ?? BY_ADDRESS;
  const settings = await live.settings(address);
  const { bytes: read, origin } = await reading(settings, live, options.signal);
  const unpacking = { temporaryDirectory: tmpdir(), ...options };
  const bytes = options.again === true ? await seekable(read, unpacking) : read;
  return { path: settings.address.label, choice: '', isDirectory: false, kind: 'rdb', bytes, live: origin };
}

interface Reading {
  readonly bytes: ByteSource;
  readonly origin: LiveOrigin & { readonly notChecked: NotChecked[] };
}

async function reading(
  settings: ConnectionSettings,
  live: LiveAccess,
  signal: AbortSignal | null,
): Promise<Reading> {
  const facts = await factsIfTold(settings);
  const masters = facts?.isCluster === true ? await ClusterMasters.of(settings) : null;
  const nodes = masters?.settings ?? [settings];
  const { bytes, origin } = await firstWay(nodes, facts, settings.address, live, signal);
  if (masters === null) return { bytes, origin };
  const open = await masters.openSlots();
  if (open === 0) return { bytes: watched(bytes, masters), origin };
  const { label } = settings.address;
  const onTheMove = { what: `keys that move while they are read, in ${open} open slots`, why: MAY_BE_MISSED };
  live.remark(`${label}: not read for sure: ${onTheMove.what}: ${onTheMove.why}`);
  origin.notChecked.push({ path: label, ...onTheMove, routine: false });
  return { bytes: watched(bytes, masters), origin };
}

const MAY_BE_MISSED = 'they may be read from neither master (redis-cli --cluster check tells which slots)';

/** What the server says of itself; null when the user may not ask. @throws InputError when it can't be reached */
async function factsIfTold(settings: ConnectionSettings): Promise<ServerFacts | null> {
  const { label } = settings.address;
  const connection = await ServerConnection.open(settings).catch((error) => {
    throw asInputError(error, label);
  });
  try {
    return await factsOf(connection).catch(() => null);
  } finally {
    connection.close();
  }
}

/** The first way that the server allows, of those that are meant. */
async function firstWay(
  nodes: readonly ConnectionSettings[],
  facts: ServerFacts | null,
  { label, database }: ServerAddress,
  live: LiveAccess,
  signal: AbortSignal | null,
): Promise<Reading> {
  const refusals: string[] = [];
  const wanted = live.via === null ? VIAS : [live.via];
  for (const via of wanted) {
    const because = refusals.length === 0 ? '' : `it refuses ${refusals.join(' and ')}`;
    const origin = { via, because, nodes: nodes.length };
    if (via === 'sync') {
      const snapshot = await LiveSnapshot.request(nodes[0]!, signal).catch(refusalOr);
      if (snapshot instanceof LiveSnapshot) {
        const whole = nodes.length === 1 ? snapshot : joined(label, snapshot, nodes.slice(1), facts);
        const bytes = database === null || nodes.length > 1 ? whole : oneDatabase(whole, database);
        return { bytes, origin: { ...origin, notChecked: [] } };
      }
      refusals.push(`SYNC (${snapshot.message})`);
    } else {
      const refusal = via === 'dump' ? await refusalOfDump(nodes[0]!) : null;
      if (refusal === null) return scanned(label, nodes, facts, live, origin, via);
      refusals.push(`DUMP (${refusal})`);
    }
  }
  throw new InputError(
    'input/server',
    label,
    `it refuses ${refusals.join(' and ')}`,
    'give a user whose ACL allows it, or leave out --via',
  );
}

/** Refusals are answers here; everything else is thrown. */
function refusalOr(error: unknown): SnapshotRefusal {
  if (error instanceof SnapshotRefusal) return error;
  throw error;
}

async function refusalOfDump(settings: ConnectionSettings): Promise<string | null> {
  try {
    return await withConnection(settings, dumpRefusal);
  } catch (error) {
    throw asInputError(error, settings.address.label);
  }
}

function joined(
  label: string,
  first: LiveSnapshot,
  others: readonly ConnectionSettings[],
  facts: ServerFacts | null,
): ByteSource {
  const target = targetOf(facts ?? TODAY) ?? RDB_TARGETS.get('redis-8.8')!;
  return new PipeSource(label, (into, signal) => joinSnapshots(first, others, target, into, signal));
}

function scanned(
  label: string,
  nodes: readonly ConnectionSettings[],
  facts: ServerFacts | null,
  live: LiveAccess,
  origin: Omit<LiveOrigin, 'notChecked'>,
  via: 'dump' | 'type',
): Reading {
  const notChecked: NotChecked[] = [{ path: label, ...NO_SNAPSHOT }];
  const remark = (what: string, why: string): void => {
    notChecked.push({ path: label, what, why, routine: false });
    live.remark(`${label}: not read: ${what}: ${why}`);
  };
  const bytes = scannedSource(label, nodes, facts, { via, remark, shown: live.shown });
  return { bytes, origin: { ...origin, notChecked } };
}

const NO_SNAPSHOT = {
  what: 'that all keys are of one moment',
  why: 'SCAN is no snapshot: each key is as it was when it was read',
  routine: true,
};

/** The same, ended by an error when slots moved between the masters while it was read. */
function watched(source: ByteSource, masters: ClusterMasters): ByteSource {
  return new PipeSource(source.label, async (into, signal) => {
    await copyAll(source, into, signal);
    await masters.assertSame();
  });
}

async function copyAll(source: ByteSource, into: ByteTarget, signal: AbortSignal): Promise<void> {
  const reader = await source.open();
  const chunk = Buffer.allocUnsafeSlow(COPIED);
  try {
    for (;;) {
      const count = await reader.read(chunk);
      signal.throwIfAborted();
      if (count === 0) return;
      into.write(chunk.subarray(0, count));
      if (into.full) await into.drain();
    }
  } finally {
    await reader.close();
  }
}

const COPIED = 256 * 1024;

/** The same without the keys of other databases. */
function oneDatabase(source: ByteSource, database: number): ByteSource {
  return new PipeSource(source.label, async (into, signal) => {
    const copier = new RdbCopier(into, (head) => head.database === database);
    const decoder = new RdbDecoder(copier, { verifyChecksum: true, deep: false });
    await pumpSource(source, decoder, { signal, drain: () => copier.drain() });
  });
}
