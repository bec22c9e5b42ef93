import { tmpdir } from 'node:os';
import { PipeSource } from '../bytes/pipe.js';
import { pumpSource } from '../bytes/pump.js';
import type { ByteSource } from '../bytes/source.js';
import { InputError } from '../errors.js';
import { parseServerAddress } from '../live/address.js';
import { type ConnectionSettings, connectionSettings } from '../live/connection.js';
import { LiveSnapshot, SnapshotRefusal } from '../live/snapshot.js';
import { RdbDecoder } from '../rdb/decoder.js';
import { RdbCopier } from '../rdb/writer-copier.js';
import { seekable } from './open-bytes.js';
import type { OpenOptions, Source } from './source.js';

/** How live servers are reached that are named as sources. */
export interface LiveAccess {
  /** Whom to be at that address, and its certificates. @throws UsageError InputError */
  readonly settings: (address: string) => Promise<ConnectionSettings>;
}

/** As the address alone says: no certificates of our own. */
export const BY_ADDRESS: LiveAccess = {
  settings: (address) => connectionSettings(parseServerAddress(address, 'the source'), NO_CERTIFICATES),
};

const NO_CERTIFICATES = { caPath: null, certPath: null, keyPath: null, insecure: false } as const;

/**
 * A live server as a source: a fresh RDB as a replica gets it, streamed. Opens once, like a pipe; a caller that goes back
 * in it has it kept in a temporary file first.
 *
 * @throws InputError when the server can't be reached or gives no snapshot, UsageError for an address that is none
 */
export async function openLive(address: string, options: OpenOptions): Promise<Source> {
  const settings = await (options.live ?? BY_ADDRESS).settings(address);
  const { label, database } = settings.address;
  const snapshot = await requested(settings, options.signal);
  const wanted = database === null ? snapshot : oneDatabase(snapshot, database);
  const unpacking = { temporaryDirectory: tmpdir(), ...options };
  const bytes = options.again === true ? await seekable(wanted, unpacking) : wanted;
  return { path: label, choice: '', isDirectory: false, kind: 'rdb', bytes };
}

async function requested(settings: ConnectionSettings, signal: AbortSignal | null): Promise<ByteSource> {
  try {
    return await LiveSnapshot.request(settings, signal);
  } catch (error) {
    if (!(error instanceof SnapshotRefusal)) throw error;
    const { label } = settings.address;
    throw new InputError('input/server', label, `gives no snapshot: it answered ${error.message}`);
  }
}

/** The same without the keys of other databases. */
function oneDatabase(source: ByteSource, database: number): ByteSource {
  return new PipeSource(source.label, async (into, signal) => {
    const copier = new RdbCopier(into, (head) => head.database === database);
    const decoder = new RdbDecoder(copier, { verifyChecksum: true, deep: false });
    await pumpSource(source, decoder, { signal, drain: () => copier.drain() });
  });
}
