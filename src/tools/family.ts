import { UsageError } from '../errors.js';
import { type DigestFamily, digestFamilyOf } from '../model/digest.js';
import { type DialectName, isKeydbVersion } from '../rdb/dialect.js';

/** A server by product and version: the one that wrote a file, or the one that is meant. */
export interface Server {
  readonly product: string;
  readonly version: string;
}

/** The digest's family, and why it is that one. */
export interface ChosenFamily {
  readonly family: DigestFamily;
  /** `redis-7.0.15`. */
  readonly name: string;
  readonly because: string;
}

/** What today's Redis is, for files that don't say who wrote them. */
export const TODAY: Server = { product: 'redis', version: '8.8' };

/**
 * The release as major * 100 + minor: 602 for 6.2. Candidates number themselves below their release (7.3.240 is one of
 * 7.4, 7.9.224 one of 8.0), development builds 255.255.255.
 */
export function releaseOf(server: Server): number {
  const [major = 0, minor = 0, patch = 0] = server.version
    .split('.')
    .map((part) => Number.parseInt(part, 10) || 0);
  if (major >= 255) return 9999;
  if (patch < 200) return major * 100 + minor;
  return minor >= 9 ? (major + 1) * 100 : major * 100 + minor + 1;
}

/** Whose numbers a server uses where its files do not say. */
export function productOf({ product }: Server): DialectName {
  return product === 'valkey' || product === 'keydb' || product === 'dragonfly' ? product : 'redis';
}

/** `redis-7.0`, `valkey-9.1`, `keydb-6.3`. @throws UsageError for anything else */
export function serverNamed(text: string, option: string): Server {
  const match = /^(redis|valkey|keydb)-(\d+(?:\.\d+){0,2})$/i.exec(text);
  if (match === null) {
    throw new UsageError(
      `${option}: '${text}' is no server and version`,
      'give redis-7.0, valkey-9.1, keydb-6.3, …',
    );
  }
  return { product: match[1]!.toLowerCase(), version: match[2]! };
}

/**
 * Told, else by the file's own words, else today's Redis. The version of an RDB whose writer left no name is a hint for
 * the user, no more: nothing else is taken for it.
 */
export function chooseFamily(
  told: Server | null,
  producer: Server | null,
  rdbVersion: number | null = null,
): ChosenFamily {
  const server = told ?? producer ?? TODAY;
  return {
    family: digestFamilyOf(server.product, server.version),
    name: `${server.product}-${server.version}`,
    because: told !== null ? 'as asked for' : producer !== null ? 'the file says so' : untold(rdbVersion),
  };
}

function untold(rdbVersion: number | null): string {
  const unknown = 'the file does not say who wrote it';
  if (rdbVersion === null || rdbVersion > 6) return `${unknown}; if you know, say it with --as`;
  const [name, range] =
    rdbVersion === 6 ? ['redis-2.8', 'Redis 2.6 to 3.0'] : ['redis-2.4', 'Redis 2.4 and before'];
  return `${unknown}; RDB version ${rdbVersion} is that of ${range}: --as ${name}`;
}

/** Collects from aux fields who wrote a file. */
export class ProducerAux {
  server: Server | null = null;
  /** When the file was saved, in milliseconds since the epoch. */
  savedAtMs: number | null = null;

  /** One character per byte. */
  take(name: string, value: string): void {
    if (name === 'ctime' && /^\d{1,12}$/.test(value)) this.savedAtMs = Number(value) * 1000;
    else if (name === 'valkey-ver') this.server = { product: 'valkey', version: value };
    else if (name === 'redis-ver' && this.server === null) {
      this.server = { product: isKeydbVersion(value) ? 'keydb' : 'redis', version: value };
    } else if ((name === 'mvcc-tstamp' || name === 'repl-masters') && this.server?.product === 'redis') {
      this.server = { product: 'keydb', version: this.server.version };
    }
  }
}
