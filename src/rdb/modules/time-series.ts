import type { Long } from '../../bytes/int64.js';
import type { TimeSeries, TimeSeriesRule } from '../../model/module-value.js';
import { MODULE_DOUBLE, MODULE_UINT } from '../constants.js';
import type { ModuleFields } from './fields.js';
import { longAt, readCompressedSamples } from './gorilla.js';

/** Encodings, by what they brought. */
const WITH_OPTIONS = 1;
const WITH_CHUNKS = 2;
const WITH_POLICY = 3;
const WITH_OVERFLOW = 4;
const WITH_ALIGNMENT = 6;
const WITH_EMPTY_BUCKETS = 7;
const WITH_IGNORED = 8;
const WITH_NAN = 9;

const UNCOMPRESSED = 1;
const POLICIES = ['none', 'block', 'last', 'first', 'min', 'max', 'sum'] as const;
const AGGREGATIONS = [
  'none',
  'min',
  'max',
  'sum',
  'avg',
  'count',
  'first',
  'last',
  'range',
  'std.p',
  'std.s',
  'var.p',
  'var.s',
  'twa',
  'countnan',
  'countall',
] as const;

/** The least that things take: two texts; a text and four numbers; two numbers; a number and a double. */
const LABEL_BYTES_MIN = 4;
const RULE_BYTES_MIN = 10;
const SAMPLE_BYTES_MIN = 11;
const CHUNK_BYTES_MIN = 8;
/** A sample as C holds it: a timestamp and a double. */
const SAMPLE_BYTES = 16;

/** Settings of a series that come before its labels. */
type Head = Pick<
  TimeSeries,
  'key' | 'retentionMs' | 'chunkBytes' | 'compressed' | 'duplicatePolicy' | 'source'
>;

export function timeSeries(fields: ModuleFields, version: number): TimeSeries {
  const head = readHead(fields, version);
  const labels = Array.from(
    { length: fields.count(LABEL_BYTES_MIN) },
    () => [fields.text(), fields.text()] as const,
  );
  const rules = Array.from({ length: fields.count(RULE_BYTES_MIN) }, () => readRule(fields, version));
  const samples = new Samples(fields);
  const chunks = version >= WITH_CHUNKS ? samples.chunks(head.compressed) : null;
  if (chunks === null) samples.plain();
  const { timestampsMs, values } = samples;
  return { type: 'time-series', ...head, labels, rules, chunks, timestampsMs, values };
}

function readHead(fields: ModuleFields, version: number): Head {
  const key = fields.text();
  const retentionMs = fields.unsigned();
  const size = fields.unsigned();
  const options = version >= WITH_OPTIONS ? fields.small() : UNCOMPRESSED;
  // Counted in samples until there were chunks.
  const chunkBytes = version >= WITH_CHUNKS ? size : Number(size) * SAMPLE_BYTES;
  const compressed = (options & UNCOMPRESSED) === 0;
  let duplicatePolicy: string | null = null;
  let source: Buffer | null = null;
  if (version >= WITH_CHUNKS) {
    // Time and value of the last sample, and how many there are.
    fields.unsigned();
    fields.double();
    fields.unsigned();
    if (version >= WITH_POLICY) duplicatePolicy = policyOf(fields.unsigned());
    if (fields.unsigned() !== 0) source = fields.text();
  }
  if (version >= WITH_IGNORED) {
    // How near in time and value a sample may be to be ignored.
    fields.unsigned();
    fields.double();
  }
  return { key, retentionMs, chunkBytes, compressed, duplicatePolicy, source };
}

function readRule(fields: ModuleFields, version: number): TimeSeriesRule {
  const destination = fields.text();
  const bucketMs = fields.unsigned();
  const alignMs = version >= WITH_ALIGNMENT ? fields.unsigned() : 0;
  const aggregation = named(AGGREGATIONS, fields.unsigned());
  // Start of the bucket at hand, which the first releases did not save: what follows starts with a double.
  if (fields.peek() === MODULE_UINT) fields.unsigned();
  if (version >= WITH_NAN) fields.unsigned();
  skipState(fields, version, aggregation);
  return { destination, aggregation, bucketMs, alignMs };
}

/** Passes over what an aggregation has gathered of the bucket at hand. */
function skipState(fields: ModuleFields, version: number, aggregation: string): void {
  fields.double();
  switch (aggregation) {
    case 'avg':
      fields.double();
      if (version >= WITH_OVERFLOW) fields.unsigned();
      return;
    case 'std.p':
    case 'std.s':
    case 'var.p':
    case 'var.s':
      fields.double();
      fields.unsigned();
      return;
    case 'min':
    case 'max':
    case 'range':
      fields.double();
      if (version < WITH_ALIGNMENT) fields.text();
      return;
    case 'twa':
      // The first release that had it begins with an average.
      skip(fields, fields.peek() === MODULE_DOUBLE ? 'duduuduuuuuddu' : 'uduuuuuuu');
      return;
    case 'first':
      if (version >= WITH_POLICY) fields.unsigned();
      return;
    default:
      if (version >= WITH_POLICY && version < WITH_EMPTY_BUCKETS) fields.unsigned();
  }
}

/** Passes over numbers and doubles. */
function skip(fields: ModuleFields, kinds: string): void {
  for (const kind of kinds) {
    if (kind === 'u') fields.unsigned();
    else fields.double();
  }
}

/** Null: none of its own, so that of the server holds. */
function policyOf(value: Long): string | null {
  return value === 0 ? null : named(POLICIES, value);
}

function named(names: readonly string[], value: Long): string {
  return names[Number(value)] ?? String(value);
}

class Samples {
  readonly timestampsMs: Long[] = [];
  readonly values: number[] = [];

  constructor(private readonly fields: ModuleFields) {}

  /** Samples one by one. */
  plain(): void {
    const { fields } = this;
    const count = fields.count(SAMPLE_BYTES_MIN);
    for (let i = 0; i < count; i++) this.add(fields.unsigned(), fields.double());
  }

  /** @returns how many chunks there are */
  chunks(compressed: boolean): number {
    const count = this.fields.count(CHUNK_BYTES_MIN);
    for (let i = 0; i < count; i++) {
      if (compressed) this.compressedChunk();
      else this.plainChunk();
    }
    return count;
  }

  private plainChunk(): void {
    const { fields } = this;
    // Time of the first sample.
    fields.unsigned();
    const count = fields.small();
    const size = fields.unsigned();
    const data = fields.text();
    if (data.length !== size || count * SAMPLE_BYTES > size) throw this.bad(count, data);
    fields.take(count);
    for (let i = 0; i < count; i++) {
      this.add(longAt(data, i * SAMPLE_BYTES), data.readDoubleLE(i * SAMPLE_BYTES + 8));
    }
  }

  private compressedChunk(): void {
    const { fields } = this;
    const size = fields.unsigned();
    const count = fields.small();
    const bits = fields.unsigned();
    const [valueHigh, valueLow] = fields.bits();
    const timestamp = fields.unsigned();
    // Where the next sample would go on from: time, step, value, and the zeros around its last block.
    skip(fields, 'uuuuu');
    const data = fields.text();
    // Each sample but the first takes two bits at the least.
    if (data.length !== size || bits > data.length * 8 || 2 * (count - 1) > bits) throw this.bad(count, data);
    fields.take(count);
    const start = { count, timestamp, valueHigh, valueLow, bits: Number(bits) };
    if (!readCompressedSamples(data, start, (time, value) => this.add(time, value))) {
      throw this.bad(count, data);
    }
  }

  private add(timestampMs: Long, value: number): void {
    this.timestampsMs.push(timestampMs);
    this.values.push(value);
  }

  private bad(count: number, data: Buffer): Error {
    return this.fields.bad({ reason: 'chunk-size', samples: count, bytes: data.length });
  }
}
