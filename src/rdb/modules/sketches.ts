import type { Long } from '../../bytes/int64.js';
import type {
  BloomFilter,
  BloomLayer,
  Centroid,
  CountMinSketch,
  CuckooFilter,
  CuckooLayer,
  TDigest,
  TopK,
  TopKItem,
} from '../../model/module-value.js';
import type { ModuleFields } from './fields.js';

/** Encodings of Bloom filters that brought something. */
const WITH_BITS = 1;
const WITH_OPTIONS = 2;
const WITH_EXPANSION = 4;
/** Before the factor was saved every layer was twice as large as the last. */
const EXPANSION_BEFORE = 2;
const NO_SCALING = 8;
/** Fields of one layer: six numbers and an empty text at the least. */
const LAYER_BYTES_MIN = 30;

export function bloomFilter(fields: ModuleFields, version: number): BloomFilter {
  const items = fields.unsigned();
  const count = fields.count(LAYER_BYTES_MIN);
  const options = version >= WITH_OPTIONS ? fields.small() : 0;
  const expansion = version >= WITH_EXPANSION ? fields.unsigned() : EXPANSION_BEFORE;
  const layers: BloomLayer[] = [];
  for (let i = 0; i < count; i++) layers.push(bloomLayer(fields, version));
  const scales = (options & NO_SCALING) === 0;
  return { type: 'bloom-filter', items, expansion: scales ? expansion : null, layers };
}

function bloomLayer(fields: ModuleFields, version: number): BloomLayer {
  const capacity = fields.unsigned();
  const errorRate = fields.double();
  const hashes = fields.unsigned();
  const bitsPerItem = fields.double();
  let bits: Long = Math.trunc(Number(capacity) * bitsPerItem);
  if (version >= WITH_BITS) {
    bits = fields.unsigned();
    // The logarithm of the number of bits, where they are a power of two.
    fields.unsigned();
  }
  const data = fields.text();
  if (!(Number(bits) <= data.length * 8)) {
    throw fields.bad({ reason: 'filter-size', bits: Number(bits), bytes: data.length });
  }
  return { capacity, errorRate, hashes, bitsPerItem, bits, items: fields.unsigned(), data };
}

/** Before bucket sizes were saved, all had two places. */
const BUCKET_BEFORE = 2;
const CUCKOO_WITH_SETTINGS = 4;

export function cuckooFilter(fields: ModuleFields, version: number): CuckooFilter {
  const detailed = version >= CUCKOO_WITH_SETTINGS;
  const count = fields.count(2);
  const buckets = fields.unsigned();
  const items = fields.unsigned();
  const deletes = detailed ? fields.unsigned() : null;
  const bucketSize = detailed ? fields.small() : BUCKET_BEFORE;
  const maxIterations = detailed ? fields.unsigned() : null;
  const expansion = detailed ? fields.unsigned() : null;
  const layers: CuckooLayer[] = [];
  for (let i = 0; i < count; i++) {
    const own = detailed ? fields.unsigned() : buckets;
    const data = fields.text();
    if (data.length !== Number(own) * bucketSize) {
      throw fields.bad({ reason: 'filter-size', buckets: Number(own), bytes: data.length });
    }
    layers.push({ buckets: own, data });
  }
  return { type: 'cuckoo-filter', buckets, bucketSize, items, deletes, maxIterations, expansion, layers };
}

export function countMinSketch(fields: ModuleFields): CountMinSketch {
  const width = fields.small();
  const depth = fields.small();
  const count = fields.unsigned();
  const table = fields.text();
  const cells = table.length / 4;
  if (width * depth !== cells) throw fields.bad({ reason: 'table-size', width, depth, bytes: table.length });
  fields.take(cells);
  const counters = new Uint32Array(cells);
  for (let i = 0; i < cells; i++) counters[i] = table.readUInt32LE(4 * i);
  return { type: 'count-min-sketch', width, depth, count, counters };
}

/** A cell of the table: fingerprint and count. */
const TOP_K_CELL = 8;
/** A place of the heap as C lays it out: fingerprint, length, pointer, count, padding. */
const TOP_K_PLACE = 24;
const PLACE_COUNT_AT = 16;

export function topK(fields: ModuleFields): TopK {
  const k = fields.small();
  const width = fields.small();
  const depth = fields.small();
  const decay = fields.double();
  const table = fields.text();
  if (table.length !== width * depth * TOP_K_CELL) {
    throw fields.bad({ reason: 'table-size', width, depth, bytes: table.length });
  }
  const heap = fields.text();
  if (heap.length !== k * TOP_K_PLACE) throw fields.bad({ reason: 'heap-size', k, bytes: heap.length });
  fields.take(k);
  const items: TopKItem[] = [];
  for (let i = 0; i < k; i++) {
    // Ends with a zero byte; that alone is a free place.
    const text = fields.text();
    const count = heap.readUInt32LE(i * TOP_K_PLACE + PLACE_COUNT_AT);
    if (text.length > 1) items.push({ item: text.subarray(0, text.length - 1), count });
  }
  items.sort((a, b) => b.count - a.count || a.item.compare(b.item));
  return { type: 'top-k', k, width, depth, decay, items };
}

/** A mean and a weight, each a tag and eight bytes. */
const CENTROID_BYTES = 18;

export function tDigest(fields: ModuleFields): TDigest {
  const compression = fields.double();
  const min = fields.double();
  const max = fields.double();
  const capacity = fields.unsigned();
  const merged = fields.small();
  // Observations that wait to be merged: every digest is merged before it is saved.
  fields.unsigned();
  const compressions = fields.unsigned();
  const weight = fields.double() + fields.double();
  fields.demand(merged, CENTROID_BYTES);
  const means: number[] = [];
  for (let i = 0; i < merged; i++) means.push(fields.double());
  const centroids: Centroid[] = [];
  for (const mean of means) centroids.push({ mean, weight: fields.double() });
  return { type: 't-digest', compression, capacity, min, max, weight, compressions, centroids };
}
