import { pumpSource } from '../../bytes/pump.js';
import type { ByteSlice } from '../../bytes/slice.js';
import type { ByteTarget } from '../../bytes/target.js';
import { InputError } from '../../errors.js';
import { ClusterConnection, type ClusterMap } from '../../live/cluster.js';
import { type ConnectionSettings, withConnection } from '../../live/connection.js';
import { asInputError } from '../../live/input-error.js';
import { LiveSnapshot } from '../../live/snapshot.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import type { RdbHeader } from '../../rdb/handler.js';
import { RdbWriter } from '../../rdb/writer.js';
import type { RdbTarget } from '../../rdb/writer-target.js';
import { RdbRelay } from '../relay.js';

/** The masters of a cluster, which must not change while they are read one after the other. */
export class ClusterMasters {
  private constructor(
    private readonly entrance: ConnectionSettings,
    private readonly map: ClusterMap,
    readonly settings: readonly ConnectionSettings[],
  ) {}

  /** @throws InputError when the cluster does not tell who holds what */
  static async of(settings: ConnectionSettings): Promise<ClusterMasters> {
    return withCluster(settings, async (cluster) => {
      const map = await cluster.map();
      return new ClusterMasters(
        settings,
        map,
        map.masters.map((master) => cluster.settingsOf(master)),
      );
    });
  }

  /** Slots that are on the move between two masters now. @throws InputError when a master does not tell */
  async openSlots(): Promise<number> {
    let open = 0;
    for (const settings of this.settings) {
      const nodes = await withConnection(settings, (connection) => connection.text('CLUSTER', 'NODES')).catch(
        (error) => {
          throw asInputError(error, settings.address.label);
        },
      );
      const own = nodes.split('\n').find((line) => line.includes('myself')) ?? '';
      open += own.match(/\[\d+->-/g)?.length ?? 0;
    }
    return open;
  }

  /** @throws InputError when slots have moved meanwhile: what was on its way may be missing */
  async assertSame(): Promise<void> {
    const before = this.map;
    const { masters, owners } = await withCluster(this.entrance, (cluster) => cluster.map());
    let moved = 0;
    for (const [slot, owner] of owners.entries()) {
      if (masters[owner] !== before.masters[before.owners[slot]!]) moved++;
    }
    if (moved === 0) return;
    throw new InputError(
      'input/server',
      this.entrance.address.label,
      `${moved} slots of the cluster moved while it was read: their keys may be missing`,
      'run this again when nothing is on the move (redis-cli --cluster check)',
    );
  }
}

async function withCluster<T>(
  settings: ConnectionSettings,
  body: (cluster: ClusterConnection) => Promise<T>,
): Promise<T> {
  try {
    const cluster = await ClusterConnection.open(settings);
    try {
      return await body(cluster);
    } finally {
      cluster.close();
    }
  } catch (error) {
    throw asInputError(error, settings.address.label);
  }
}

/**
 * Writes the snapshots of several masters as one RDB, values as they stand. The first one has been asked for already.
 *
 * @throws InputError FormatError
 */
export async function joinSnapshots(
  first: LiveSnapshot,
  others: readonly ConnectionSettings[],
  target: RdbTarget,
  into: ByteTarget,
  signal: AbortSignal,
): Promise<void> {
  const writer = new RdbWriter(into, {
    target,
    compress: true,
    checksum: true,
    copyValues: true,
    aofBase: false,
    nowSeconds: Math.floor(Date.now() / 1000),
    onLoss: () => {},
  });
  const tell = async (snapshot: LiveSnapshot, isFirst: boolean): Promise<void> => {
    const decoder = new RdbDecoder(new Joining(writer, isFirst), { verifyChecksum: true, deep: false });
    await pumpSource(snapshot, decoder, { signal, drain: () => writer.drain() });
  };
  await tell(first, true);
  for (const node of others) await tell(await LiveSnapshot.request(node, signal), false);
  writer.finish();
  await into.drain();
}

/** One of several RDBs on its way into one: what stands around the keys is that of the first. */
class Joining extends RdbRelay {
  constructor(
    private readonly writer: RdbWriter,
    private readonly first: boolean,
  ) {
    super(writer);
  }

  override header(header: RdbHeader): void {
    this.writer.header(header);
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    if (this.first) this.writer.aux(name, value);
  }

  override moduleAux(fragment: ByteSlice, last: boolean): void {
    if (this.first) this.writer.moduleAux(fragment, last);
  }

  override functionLibrary(code: ByteSlice): void {
    if (this.first) super.functionLibrary(code);
  }

  override get full(): boolean {
    return this.writer.full;
  }
}
