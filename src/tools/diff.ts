import { FileTarget } from '../bytes/target.js';
import { UsageError } from '../errors.js';
import type { ValueKind } from '../model/kind.js';
import type { DialectName } from '../rdb/dialect.js';
import type { RdbTarget } from '../rdb/writer-target.js';
import type { ToolContext } from './context.js';
import type { Inside } from './diff/changes.js';
import { DatasetComparison } from './diff/comparison.js';
import type { Seeds } from './diff/names.js';
import type { KeyConditions } from './filter.js';
import { realPlace } from './output-place.js';
import type { DatasetSource } from './source.js';
import type { Told } from './tell-source.js';
import type { Loss } from './write-dataset.js';

/** One difference. Texts of the dataset have one character per byte. */
export type Difference =
  | {
      readonly op: 'added' | 'removed' | 'changed';
      readonly database: number;
      readonly key: string;
      /** The kind it has, or had when it was removed. */
      readonly kind: ValueKind;
      /** The kind it had, when that is another; null else. */
      readonly kindBefore: ValueKind | null;
      readonly valueChanged: boolean;
      /** Milliseconds since the epoch, null: never. Both are there when the TTL changed. */
      readonly ttl: { readonly before: number | null; readonly after: number | null } | null;
      /** What changed inside the value, when that was asked for and can be told. */
      readonly inside: Inside | null;
    }
  | { readonly op: 'added' | 'removed'; readonly library: string };

/** Who takes the differences, one by one. */
export interface DiffListener {
  difference(difference: Difference): void;
  /** True: keys need not be told, the numbers are enough. */
  readonly silent?: boolean;
  readonly full: boolean;
  drain(): Promise<void>;
}

export interface DiffOptions {
  readonly conditions: KeyConditions;
  /** TTLs that differ by no more are the same. */
  readonly toleranceMs: number;
  /** Tell what changed inside values: takes further passes over both sides. */
  readonly values: boolean;
  /** Where to write the commands that turn the first side into the second; null: nowhere. */
  readonly patch: {
    readonly path: string;
    readonly force: boolean;
    readonly target: RdbTarget | null;
  } | null;
  readonly dialect: DialectName | null;
  readonly onUnknown: 'stop' | 'skip';
  readonly listener: DiffListener;
  /** False: everything on one thread. */
  readonly threads?: boolean;
  /** Where goes what the memory of the context does not take. Default: the system's place. */
  readonly temporaryDirectory?: string;
  /** Drawn at random when missing. */
  readonly seeds?: Seeds;
}

export interface DiffReport {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly same: number;
  /** By side: it has keys, and the conditions mean none of them. */
  readonly unmatched: readonly [boolean, boolean];
  /** Function libraries that only one side has. */
  readonly libraries: number;
  /** Names that stand twice on a side; the last of them counts. */
  readonly duplicates: number;
  readonly patch: {
    readonly path: string;
    readonly target: string;
    readonly bytes: number;
    readonly lost: readonly Loss[];
  } | null;
  /** Bytes of the hashes of all keys. */
  readonly entryBytes: number;
  /** How many of them went to disk. */
  readonly spilledBytes: number;
  /** Bytes of the largest table of keys that had to be looked at again. */
  readonly tableBytes: number;
  /** By side, what executing its log left to say; null when nothing had to be executed. */
  readonly told: readonly [Told | null, Told | null];
}

/**
 * Compares two datasets, whatever files and encodings they stand in: meaning counts. Holds 18 bytes for each key of either
 * side and at most 48 for each that differs, as far as the memory of the context goes, and the datasets of logs.
 *
 * @throws DamageError when a side is damaged, UsageError for a patch that cannot be, OutputError when writing it fails
 */
export async function diff(
  before: DatasetSource,
  after: DatasetSource,
  options: DiffOptions,
  context: ToolContext,
): Promise<DiffReport> {
  const comparison = new DatasetComparison(before, after, options, context);
  if (options.patch === null) return comparison.run(null);
  for (const { path } of [before, after]) {
    if ((await realPlace(path)) === (await realPlace(options.patch.path))) {
      throw new UsageError(`--patch: ${path} is a source`, 'write somewhere else: a source is never changed');
    }
  }
  const target = await FileTarget.create(options.patch.path, { force: options.patch.force });
  try {
    return await comparison.run(target);
  } finally {
    await target.discard();
  }
}
