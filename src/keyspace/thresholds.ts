/**
 * Settings of the server that decide what a log leads to. Only those are here whose effect can be seen in the data:
 * a score of -0 is kept or becomes 0 by the encoding of its sorted set, and a sparse HyperLogLog turns dense by size.
 */
export interface Thresholds {
  readonly zsetMaxPackedEntries: number;
  /** Bytes of the longest member of a packed sorted set. */
  readonly zsetMaxPackedValue: number;
  readonly hllSparseMaxBytes: number;
}

export const DEFAULT_THRESHOLDS: Thresholds = {
  zsetMaxPackedEntries: 128,
  zsetMaxPackedValue: 64,
  hllSparseMaxBytes: 3000,
};

/** Before this release a packed sorted set knew -0: for our purpose none was ever packed. */
const SIGNLESS_ZERO = 700;

/** The settings of a release (major * 100 + minor), but for what is given. */
export function thresholdsOf(release: number, given: Partial<Thresholds> = {}): Thresholds {
  const zsetMaxPackedEntries = release < SIGNLESS_ZERO ? 0 : DEFAULT_THRESHOLDS.zsetMaxPackedEntries;
  return { ...DEFAULT_THRESHOLDS, zsetMaxPackedEntries, ...given };
}
