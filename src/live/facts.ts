import { OutputError } from '../errors.js';
import { isKeydbVersion } from '../rdb/dialect.js';
import { isReplyError, type ServerConnection } from './connection.js';
import { replyErrorOf } from './failure.js';

/** What a server says of itself. */
export interface ServerFacts {
  readonly product: 'redis' | 'valkey' | 'keydb' | 'dragonfly';
  readonly version: string;
  /** The address of its master when it is a replica; null for a master. */
  readonly master: string | null;
  readonly isCluster: boolean;
  readonly loading: boolean;
  /** Keys by number of the database; those without keys are missing. */
  readonly keys: ReadonlyMap<number, number>;
}

/** Asks a server what it is. @throws OutputError when it does not tell */
export async function factsOf(connection: ServerConnection): Promise<ServerFacts> {
  let info: string;
  try {
    // One section a call: servers before 7.0 take no more.
    const sections: string[] = [];
    for (const name of ['server', 'replication', 'cluster', 'persistence', 'keyspace']) {
      sections.push(await connection.text('INFO', name));
    }
    info = sections.join('\r\n');
  } catch (error) {
    if (isReplyError(error)) throw replyErrorOf(error.message, connection.label, 'INFO');
    throw error;
  }
  const field = (name: string): string => new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1] ?? '';
  const redisVersion = field('redis_version');
  if (redisVersion === '') {
    throw new OutputError(connection.label, 'it does not say what version it is', 'is it a Redis or Valkey?');
  }
  const { product, version } = identity(field, redisVersion);
  const isReplica = /^(slave|replica)$/.test(field('role'));
  return {
    product,
    version,
    master: isReplica ? `${field('master_host')}:${field('master_port')}` : null,
    isCluster: field('cluster_enabled') === '1',
    loading: field('loading') === '1',
    keys: new Map(
      [...info.matchAll(/^db(\d+):keys=(\d+)/gm)].map(([, db, count]) => [Number(db), Number(count)]),
    ),
  };
}

function identity(
  field: (name: string) => string,
  redisVersion: string,
): Pick<ServerFacts, 'product' | 'version'> {
  const valkey = field('valkey_version');
  if (valkey !== '') return { product: 'valkey', version: valkey };
  if (field('dragonfly_version') !== '') return { product: 'dragonfly', version: redisVersion };
  if (field('mvcc_depth') !== '' || isKeydbVersion(redisVersion)) {
    return { product: 'keydb', version: redisVersion };
  }
  return { product: 'redis', version: redisVersion };
}
