import { UsageError } from '../errors.js';
import { didYouMean } from '../model/nearest.js';
import { RDB_TARGETS, type RdbTarget } from '../rdb/writer-target.js';
import { releaseOf, type Server } from './family.js';

/**
 * The server that `text` names: `redis-6.2`, `redis-7.0.15`, `valkey-9` (the first of its minor releases, which all
 * later ones load).
 *
 * @throws UsageError when there is none
 */
export function targetNamed(text: string, option: string): RdbTarget {
  const match = /^([a-z]+)-(\d+)(?:\.(\d+)(?:\.\d+)?)?$/i.exec(text);
  if (match !== null) {
    const [, product, major, minor] = match;
    const stem = `${product!.toLowerCase()}-${major}.`;
    const exact = RDB_TARGETS.get(`${stem}${minor ?? ''}`);
    if (exact !== undefined) return exact;
    if (minor === undefined) {
      for (const [name, target] of RDB_TARGETS) if (name.startsWith(stem)) return target;
    }
  }
  const names = [...RDB_TARGETS.keys()];
  throw new UsageError(
    `${option}: '${text}' is no server that can be written for`,
    `${didYouMean(text, names)} one of ${names.join(', ')}`.trim(),
  );
}

/** The newest target of the same product that is not newer than the server; null when there is none. */
export function targetOf(server: Server): RdbTarget | null {
  const release = releaseOf(server);
  let best: RdbTarget | null = null;
  for (const [name, target] of RDB_TARGETS) {
    const [product, version] = name.split('-') as [string, string];
    if (product !== server.product || releaseOf({ product, version }) > release) continue;
    best = target;
  }
  return best;
}

/** What can be said of a dataset whose writer is unknown. */
export interface Traits {
  /** Its log is a directory with a manifest, or has time annotations: from 7.0 on. */
  readonly fromManifest: boolean;
  /** Some hash field has a TTL: from 7.4 on. */
  readonly fieldTtls: boolean;
}

/** The oldest server that takes a dataset as it is, when nobody says who wrote it. */
export function oldestTarget(traits: Traits): RdbTarget {
  return RDB_TARGETS.get(traits.fieldTtls ? 'redis-7.4' : traits.fromManifest ? 'redis-7.0' : 'redis-6.2')!;
}

/** The RDB version of Valkey 9, after which compressed streams come. */
const FIRST_VERSION_WITH_STREAM = 80;

/** @throws UsageError for a server that never reads a compressed stream; `option` asked for one */
export function assertReadsStream({ name, product, version }: RdbTarget, option: string, hint: string): void {
  if (product === 'valkey' && version >= FIRST_VERSION_WITH_STREAM) return;
  throw new UsageError(`${option}: ${name} does not read compressed streams`, hint);
}
