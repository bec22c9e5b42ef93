import { tmpdir } from 'node:os';
import { PipeSource } from '../../bytes/pipe.js';
import { pumpSource } from '../../bytes/pump.js';
import type { ByteSource } from '../../bytes/source.js';
import { InputError } from '../../errors.js';
import { parseServerAddress } from '../../live/address.js';
import { type ConnectionSettings, connectionSettings, ServerConnection } from '../../live/connection.js';
import { factsOf, type ServerFacts } from '../../live/facts.js';
import { asInputError } from '../../live/input-error.js';
import { LiveSnapshot, SnapshotRefusal } from '../../live/snapshot.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import { RdbCopier } from '../../rdb/writer-copier.js';
import { seekable } from '../open-bytes.js';
import type { NotChecked } from '../report.js';
import type { OpenOptions, Source } from '../source.js';
import { dumpRefusal, type Via } from './choose.js';
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
  readonly origin: LiveOrigin;
}

async function reading(
  settings: ConnectionSettings,
  live: LiveAccess,
  signal: AbortSignal | null,
): Promise<Reading> {
  const { via } = live;
  const { database, label } = settings.address;
  let because = '';
  if (via === null || via === 'sync') {
    try {
      const snapshot = await LiveSnapshot.request(settings, signal);
      const bytes = database === null ? snapshot : oneDatabase(snapshot, database);
      return { bytes, origin: { via: 'sync', because, nodes: 1, notChecked: [] } };
    } catch (error) {
      if (!(error instanceof SnapshotRefusal)) throw error;
      because = `it refuses SYNC (${error.message})`;
      if (via === 'sync') throw noWay(label, because);
    }
  }
  const { facts, noDump } = await asked(settings);
  if (via !== 'type' && noDump === null) {
    const notChecked: NotChecked[] = [{ path: label, ...NO_SNAPSHOT }];
    const remark = (what: string, why: string): void => {
      notChecked.push({ path: label, what, why, routine: false });
      live.remark(`${label}: not read: ${what}: ${why}`);
    };
    return {
      bytes: scannedSource(settings, facts, { ...live, remark }),
      origin: { via: 'dump', because, nodes: 1, notChecked },
    };
  }
  throw noWay(label, `${because} and DUMP (${noDump})`);
}

const NO_SNAPSHOT = {
  what: 'that all keys are of one moment',
  why: 'SCAN is no snapshot: each key is as it was when it was read',
  routine: true,
};

async function asked(
  settings: ConnectionSettings,
): Promise<{ facts: ServerFacts | null; noDump: string | null }> {
  const { label } = settings.address;
  try {
    const connection = await ServerConnection.open(settings);
    try {
      const facts = await factsOf(connection).catch(() => null);
      return { facts, noDump: await dumpRefusal(connection) };
    } finally {
      connection.close();
    }
  } catch (error) {
    throw asInputError(error, label);
  }
}

function noWay(label: string, why: string): InputError {
  return new InputError('input/server', label, why, 'give a user whose ACL allows it, or leave out --via');
}

/** The same without the keys of other databases. */
function oneDatabase(source: ByteSource, database: number): ByteSource {
  return new PipeSource(source.label, async (into, signal) => {
    const copier = new RdbCopier(into, (head) => head.database === database);
    const decoder = new RdbDecoder(copier, { verifyChecksum: true, deep: false });
    await pumpSource(source, decoder, { signal, drain: () => copier.drain() });
  });
}
