import type { Cluster } from 'ioredis';
import { OutputError } from '../errors.js';
import { SLOTS } from '../kernels/crc16.js';
import { type ConnectionSettings, clientOptions, isReplyError, withoutPassword } from './connection.js';
import { connectionErrorOf } from './failure.js';

/** The masters of a cluster, and which of them holds which slot. */
export interface ClusterMap {
  /** `host:port`. */
  readonly masters: readonly string[];
  /** By slot the place of its master in that list. */
  readonly owners: Int16Array;
}

const REFRESH_TIMEOUT_MS = 10_000;

/**
 * A cluster by way of ioredis, which finds its nodes and follows MOVED and ASK. What goes in large blocks goes to each
 * master directly, by the map; what the map was wrong about comes back here.
 */
export class ClusterConnection {
  private constructor(
    readonly label: string,
    private readonly settings: ConnectionSettings,
    private readonly cluster: Cluster,
  ) {}

  /** @throws OutputError when no node answers */
  static async open(settings: ConnectionSettings): Promise<ClusterConnection> {
    const { Cluster: Client } = await import('ioredis');
    const { place, label } = settings.address;
    if (place.kind === 'unix') {
      throw new OutputError(
        label,
        'a cluster is not reached by a socket',
        'give redis://host:port of one node',
      );
    }
    const { host: _host, port: _port, lazyConnect: _lazy, ...redisOptions } = clientOptions(settings);
    const cluster = new Client([{ host: place.host, port: place.port }], {
      redisOptions,
      lazyConnect: true,
      enableReadyCheck: true,
      clusterRetryStrategy: () => null,
      slotsRefreshTimeout: REFRESH_TIMEOUT_MS,
      dnsLookup: (address, callback) => callback(null, address),
    });
    let last: unknown = null;
    cluster.on('error', (error) => {
      last = error;
    });
    cluster.on('node error', (error) => {
      last = error;
    });
    try {
      await cluster.connect();
    } catch (error) {
      cluster.disconnect();
      throw connectionErrorOf(withoutPassword(last ?? error, settings.address.password), label);
    }
    return new ClusterConnection(label, settings, cluster);
  }

  /** Who holds what now. @throws OutputError when slots belong to nobody */
  async map(): Promise<ClusterMap> {
    await new Promise<void>((resolve, reject) => {
      this.cluster.refreshSlotsCache((error) => {
        if (error) reject(connectionErrorOf(error, this.label));
        else resolve();
      });
    });
    const masters: string[] = [];
    const owners = new Int16Array(SLOTS);
    for (let slot = 0; slot < SLOTS; slot++) {
      const master: string | undefined = this.cluster.slots[slot]?.[0];
      if (master === undefined) {
        throw new OutputError(
          this.label,
          `no node of the cluster holds slot ${slot}`,
          '`redis-cli --cluster check` tells what is missing, `--cluster fix` mends it',
        );
      }
      let place = masters.indexOf(master);
      if (place < 0) place = masters.push(master) - 1;
      owners[slot] = place;
    }
    return { masters, owners };
  }

  /** How to reach one master directly. */
  settingsOf(master: string): ConnectionSettings {
    const colon = master.lastIndexOf(':');
    const place = {
      kind: 'tcp',
      host: master.slice(0, colon),
      port: Number(master.slice(colon + 1)),
    } as const;
    const scheme = this.settings.address.tls ? 'rediss' : 'redis';
    const address = { ...this.settings.address, place, label: `${scheme}://${master}` };
    return { ...this.settings, address };
  }

  /**
   * Sends one command to whoever holds its key, wherever that has moved.
   *
   * @throws ReplyError of ioredis for an error of the server's, OutputError when no server can be reached
   */
  async send(args: readonly (Buffer | string)[]): Promise<unknown> {
    const [name, ...rest] = args;
    try {
      return await this.cluster.callBuffer(name!.toString(), rest);
    } catch (error) {
      throw isReplyError(error) ? error : connectionErrorOf(error, this.label);
    }
  }

  close(): void {
    this.cluster.disconnect();
  }
}
