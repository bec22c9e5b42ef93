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
