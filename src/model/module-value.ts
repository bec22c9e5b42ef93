import type { Long } from '../bytes/int64.js';

/** A document of RedisJSON or valkey-json. */
export interface JsonDocument {
  readonly type: 'json';
  /** The document as JSON. Bytes in strings that are not UTF-8 stand as U+FFFD. */
  readonly text: string;
}

/** One filter of a scalable Bloom filter. */
export interface BloomLayer {
  /** Items it was made for. */
  readonly capacity: Long;
  /** Probability of a false positive, from 0 to 1. */
  readonly errorRate: number;
  readonly hashes: Long;
  readonly bitsPerItem: number;
  readonly bits: Long;
  /** Items added to it. */
  readonly items: Long;
  readonly data: Buffer;
}

export interface BloomFilter {
  readonly type: 'bloom-filter';
  /** Items added to all layers. */
  readonly items: Long;
  /** How much larger than the last the next layer becomes; null: no more layers are made. */
  readonly expansion: Long | null;
  readonly layers: readonly BloomLayer[];
}

export interface CuckooLayer {
  readonly buckets: Long;
  /** Fingerprints of one byte, bucket by bucket; 0: free. */
  readonly data: Buffer;
}

export interface CuckooFilter {
  readonly type: 'cuckoo-filter';
  /** Buckets of the first layer. */
  readonly buckets: Long;
  readonly bucketSize: number;
  readonly items: Long;
  /** Null where the encoding does not tell. */
  readonly deletes: Long | null;
  /** Null where the encoding does not tell. */
  readonly maxIterations: Long | null;
  /** Null where the encoding does not tell. */
  readonly expansion: Long | null;
  readonly layers: readonly CuckooLayer[];
}

export interface CountMinSketch {
  readonly type: 'count-min-sketch';
  readonly width: number;
  readonly depth: number;
  /** Sum of all increments. */
  readonly count: Long;
  /** Rows of `width` counters, one after the other. */
  readonly counters: Uint32Array;
}

export interface TopKItem {
  readonly item: Buffer;
  readonly count: number;
}

export interface TopK {
  readonly type: 'top-k';
  readonly k: number;
  readonly width: number;
  readonly depth: number;
  readonly decay: number;
  /** Items of the list now, most frequent first. */
  readonly items: readonly TopKItem[];
}

export interface Centroid {
  readonly mean: number;
  readonly weight: number;
}

export interface TDigest {
  readonly type: 't-digest';
  readonly compression: number;
  /** Centroids there is room for. */
  readonly capacity: Long;
  /** Above `max` when nothing was added. */
  readonly min: number;
  readonly max: number;
  /** Weight of all observations. */
  readonly weight: number;
  readonly compressions: Long;
  /** By ascending mean. */
  readonly centroids: readonly Centroid[];
}

export interface TimeSeriesRule {
  readonly destination: Buffer;
  /** As TS.INFO names it, in lower case: `avg`, `std.p`. */
  readonly aggregation: string;
  readonly bucketMs: Long;
  readonly alignMs: Long;
}

/** What a series holds. Chunks and samples come by ascending time. */
export interface TimeSeries {
  readonly type: 'time-series';
  /** The key as the series itself remembers it. */
  readonly key: Buffer;
  /** 0: samples are kept for ever. */
  readonly retentionMs: Long;
  readonly chunkBytes: Long;
  readonly compressed: boolean;
  /** As TS.INFO names it; null: that of the server, or the encoding does not tell. */
  readonly duplicatePolicy: string | null;
  /** Key of the series this one is compacted from; null: none, or the encoding does not tell. */
  readonly source: Buffer | null;
  readonly labels: readonly (readonly [name: Buffer, value: Buffer])[];
  readonly rules: readonly TimeSeriesRule[];
  /** Null where the encoding keeps samples without their chunks. */
  readonly chunks: number | null;
  /** Milliseconds since the epoch, of each sample; values stand at the same index of `values`. */
  readonly timestampsMs: readonly Long[];
  readonly values: readonly number[];
}

/** What the value of a module means, owned. */
export type ModuleData =
  | JsonDocument
  | BloomFilter
  | CuckooFilter
  | CountMinSketch
  | TopK
  | TDigest
  | TimeSeries;

/**
 * Why there is no meaning: the type of the module or the number of its encoding is not known here, the fields are not
 * those the module writes, or the value is beyond the limits.
 */
export type ModuleProblem = 'unknown-module' | 'unknown-encoding' | 'malformed' | 'too-large';

export type ModuleReading =
  | { readonly data: ModuleData; readonly problem: null }
  | { readonly data: null; readonly problem: ModuleProblem };
