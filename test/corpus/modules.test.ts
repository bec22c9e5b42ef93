import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/source.js';
import { DigestHandler, digestFamilyOf } from '../../src/model/digest.js';
import type {
  BloomFilter,
  CountMinSketch,
  CuckooFilter,
  JsonDocument,
  ModuleData,
  TDigest,
  TimeSeries,
  TopK,
} from '../../src/model/module-value.js';
import type { RedisValue } from '../../src/model/value.js';
import { decodeModuleValue } from '../../src/rdb/modules/decode.js';
import { readRdb } from '../../src/rdb/records.js';
import { RdbRelay } from '../../src/tools/relay.js';
import { moduleValue, string } from '../rdb/modules/values.js';
import { testdata } from '../support/corpus.js';
import { decodeInto } from '../support/rdb.js';
import { readTarGz } from '../support/tar.js';

/** One question to the server that wrote the file, and its answer. */
interface Answer {
  readonly command: readonly string[];
  readonly reply?: unknown;
  /** Of all chunks of a dump but the header. */
  readonly sha256?: string;
}

type Truth = Readonly<Record<string, readonly Answer[]>>;
type ModuleValue = Extract<RedisValue, { kind: 'module' }>;

/** Encodings that the files must hold, so that none is lost when they are made anew. */
const ENCODINGS: Readonly<Record<string, readonly string[]>> = {
  json: ['ReJSON-RL 0', 'ReJSON-RL 3'],
  redisbloom: [
    'CMSk-TYPE 0',
    'MBbloom-- 1',
    'MBbloom-- 3',
    'MBbloom-- 4',
    'MBbloomCF 1',
    'MBbloomCF 3',
    'MBbloomCF 4',
    'TDIS-TYPE 0',
    'TopK-TYPE 0',
  ],
  redistimeseries: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((version) => `TSDB-TYPE ${version}`),
};

describe.each(Object.entries(ENCODINGS))('%s', (family, encodings) => {
  const files = readTarGz(readFileSync(testdata('modules', `${family}.tar.gz`)));
  const releases = [...files.keys()].filter((path) => path.endsWith('.rdb'));
  const met = new Set<string>();

  test.each(releases)('%s: every value is what the module told of it', async (path) => {
    const truth = JSON.parse(files.get(path.replace('.rdb', '.truth.json'))!.toString()) as Truth;
    const values = await valuesOf(files.get(path)!);
    expect([...values.keys()].sort()).toEqual(Object.keys(truth).sort());
    for (const [key, { name, version, decoded, undecoded }] of values) {
      expect(undecoded, key).toBeNull();
      met.add(`${name} ${version}`);
      compare(key, decoded!, new Answers(truth[key]!));
    }
  });

  test('the files hold every encoding that is claimed to be proven', () => {
    expect([...met].sort()).toEqual([...encodings].sort());
  });
});

/** DEBUG DIGEST of the servers, each with its module, after loading the file. */
const DIGESTS = [
  ['json', 'redisjson-1.0.8', 'b063ed3cbec01220f5ac3a875f7aaa7f15cef563'],
  ['redisbloom', '2.4.20', '7f419347f5e950ad31091d946ca79efe7999a2dc'],
  ['redisbloom', '8.8.0', '7f419347f5e950ad31091d946ca79efe7999a2dc'],
  ['redistimeseries', '1.8.1', 'b7d54c909aa737bcb94b8c0be90f827a146cde71'],
  ['redistimeseries', '8.6.0', '8e2e8bea483630b2e38c45aa6d77c1baae9ce0c1'],
] as const;
/** DEBUG DIGEST-VALUE of every key in them. */
const VALUE_DIGEST = '865b1024b47cf7b38672487172782cb7502865bb';

test.each(DIGESTS)(
  '%s %s: modules without a digest of their own digest as servers do',
  async (family, name, digest) => {
    const told = await digestOf(family, name);
    expect(told.result).toBe(digest);
    expect([...told.values]).toEqual([VALUE_DIGEST]);
    expect(told.opaque).toBe(0);
  },
);

test('documents of valkey-json have a digest that only their module knows', async () => {
  const told = await digestOf('json', 'valkey-json-1.0.2');
  expect(told.opaque).toBe(18);
  expect([...told.values]).toEqual([null]);
});

test('documents that RedisJSON encodes since 8.8 are the text that it prints of them', () => {
  const lines = readFileSync(testdata('modules', 'ijson.tsv'), 'utf8').trim().split('\n');
  expect(lines.length).toBeGreaterThan(100);
  for (const line of lines) {
    const [, hex, text] = line.split('\t');
    const value = moduleValue('ReJSON-RL', 4, string(Buffer.from(hex!, 'hex')));
    expect(decodeModuleValue(value)).toEqual({ data: { type: 'json', text }, problem: null });
  }
});

async function digestOf(family: string, name: string) {
  const bytes = readTarGz(readFileSync(testdata('modules', `${family}.tar.gz`))).get(`${name}.rdb`)!;
  const values = new Set<string | null>();
  const product = name.startsWith('valkey') ? 'valkey' : 'redis';
  const handler = new DigestHandler({
    ...digestFamilyOf(product, '7.0'),
    nowMs: null,
    onKey: (_head, value) => values.add(value),
  });
  await decodeInto(new RdbRelay(handler), bytes);
  return { result: handler.result(), opaque: handler.opaque, values };
}

async function valuesOf(bytes: Buffer): Promise<Map<string, ModuleValue>> {
  const found = new Map<string, ModuleValue>();
  const options = { verifyChecksum: true, deep: true, batchRecords: 1000, batchBytes: 1 << 20 };
  for await (const batch of readRdb(new MemorySource(bytes), options)) {
    for (const { key, value } of batch) if (value.kind === 'module') found.set(key.toString(), value);
  }
  return found;
}

class Answers {
  constructor(private readonly all: readonly Answer[]) {}

  of(name: string, more = ''): Answer | undefined {
    return this.all.find(({ command }) => command[0] === name && command.join(' ').includes(more));
  }

  /** An answer made of names and values; undefined where the release has no such command. */
  map(name: string): Readonly<Record<string, unknown>> | undefined {
    const answer = this.of(name);
    if (answer === undefined) return undefined;
    const list = answer.reply as unknown[];
    return Object.fromEntries(
      Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i], list[2 * i + 1]]),
    );
  }
}

function compare(key: string, data: ModuleData, answers: Answers): void {
  switch (data.type) {
    case 'json':
      compareJson(key, data, answers);
      break;
    case 'bloom-filter':
      compareBloom(key, data, answers);
      break;
    case 'cuckoo-filter':
      compareCuckoo(key, data, answers);
      break;
    case 'count-min-sketch':
      compareCounts(key, data, answers);
      break;
    case 'top-k':
      compareTopK(key, data, answers);
      break;
    case 't-digest':
      compareDigest(key, data, answers);
      break;
    case 'time-series':
      compareSeries(key, data, answers);
      break;
  }
}

function compareJson(key: string, { text }: JsonDocument, answers: Answers): void {
  const told = answers.of('JSON.GET')!.reply as string;
  // With NOESCAPE the first release leaves control characters as they are, and without it takes bytes for characters.
  const escaped = Array.from(told, (c) => (c < ' ' ? JSON.stringify(c).slice(1, -1) : c)).join('');
  expect(JSON.parse(text), key).toEqual(JSON.parse(escaped));
  // JSON.parse rounds these; the first release prints them as they are.
  if (/^-?\d+$/.test(told)) expect(text.replace(/\.0$/, '')).toBe(told);
}

const sha256 = (parts: readonly Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest('hex');

function compareBloom(key: string, filter: BloomFilter, answers: Answers): void {
  expect(sha256(filter.layers.map(({ data }) => data)), key).toBe(answers.of('BF.SCANDUMP')!.sha256);
  expect(filter.layers.reduce((sum, { items }) => sum + Number(items), 0)).toBe(filter.items);
  const told = answers.map('BF.INFO');
  if (told === undefined) return;
  const { items, layers, expansion } = filter;
  const capacity = layers.reduce((sum, layer) => sum + Number(layer.capacity), 0);
  expect([capacity, layers.length, items].map(String), key).toEqual([
    told.Capacity,
    told['Number of filters'],
    told['Number of items inserted'],
  ]);
  expect(expansion === null ? null : String(expansion), key).toBe(told['Expansion rate']);
}

function compareCuckoo(key: string, filter: CuckooFilter, answers: Answers): void {
  expect(sha256(filter.layers.map(({ data }) => data)), key).toBe(answers.of('CF.SCANDUMP')!.sha256);
  const told = answers.map('CF.INFO');
  if (told === undefined) return;
  const { buckets, layers, items, deletes, bucketSize, expansion, maxIterations } = filter;
  expect({
    'Number of buckets': String(buckets),
    'Number of filters': String(layers.length),
    'Number of items inserted': String(items),
    'Number of items deleted': String(deletes),
    'Bucket size': String(bucketSize),
    'Expansion rate': String(expansion),
    'Max iterations': String(maxIterations),
    Size: told.Size,
  }).toEqual(told);
}

function compareCounts(key: string, sketch: CountMinSketch, answers: Answers): void {
  const { width, depth, count, counters } = sketch;
  expect({ width: String(width), depth: String(depth), count: String(count) }, key).toEqual(
    answers.map('CMS.INFO'),
  );
  const { command, reply } = answers.of('CMS.QUERY')!;
  const counted = command.slice(2).map((item) => {
    const rows = Array.from({ length: depth }, (_, row) => row);
    return Math.min(...rows.map((row) => counters[row * width + (murmur2(item, row) % width)]!));
  });
  expect(counted.map(String), key).toEqual(reply);
}

/** MurmurHash2 of 32 bits, by which the sketch places its items. */
function murmur2(text: string, seed: number): number {
  const bytes = Buffer.from(text);
  const mix = (word: number) => {
    const product = Math.imul(word, 0x5bd1e995);
    return Math.imul(product ^ (product >>> 24), 0x5bd1e995);
  };
  let hash = seed ^ bytes.length;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) hash = Math.imul(hash, 0x5bd1e995) ^ mix(bytes.readUInt32LE(at));
  const rest = bytes.length - at;
  if (rest > 0) hash = Math.imul(hash ^ bytes.readUIntLE(at, rest), 0x5bd1e995);
  hash = Math.imul(hash ^ (hash >>> 13), 0x5bd1e995);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function compareTopK(key: string, { k, width, depth, decay, items }: TopK, answers: Answers): void {
  const told = answers.map('TOPK.INFO')!;
  expect([k, width, depth].map(String), key).toEqual([told.k, told.width, told.depth]);
  expect(decay).toBe(Number(told.decay));
  const counts = answers.of('TOPK.LIST', 'WITHCOUNT')?.reply as string[] | undefined;
  if (counts === undefined) {
    // Free places are told as well, and the first releases list the heap as it stands.
    const listed = answers.of('TOPK.LIST')!.reply as (string | null)[];
    const names = listed.filter((name) => name !== null).sort();
    expect(items.map(({ item }) => item.toString()).sort(), key).toEqual(names);
    return;
  }
  const pairs = Array.from({ length: counts.length / 2 }, (_, i) => `${counts[2 * i]} ${counts[2 * i + 1]}`);
  expect(items.map(({ item, count }) => `${item} ${count}`).sort(), key).toEqual(pairs.sort());
}

function compareDigest(key: string, digest: TDigest, answers: Answers): void {
  const { compression, capacity, centroids, weight, min, max } = digest;
  const told = answers.map('TDIGEST.INFO')!;
  expect([compression, capacity, weight].map(Number), key).toEqual(
    [told.Compression, told.Capacity, told.Observations ?? told['Merged weight']].map(Number),
  );
  expect(centroids.reduce((sum, centroid) => sum + centroid.weight, 0)).toBe(weight);
  expect([...centroids].sort((a, b) => a.mean - b.mean)).toEqual(centroids);
  const least = answers.of('TDIGEST.MIN');
  if (least !== undefined) expect(min).toBe(Number(least.reply));
  const greatest = answers.of('TDIGEST.MAX');
  if (greatest !== undefined) expect(max).toBe(Number(greatest.reply));
  if (centroids.length === 0) expect(min).toBeGreaterThan(max);
  const ranked = answers.of('TDIGEST.BYRANK');
  // As few observations as these have a centroid each.
  if (ranked !== undefined) {
    expect(centroids.map(({ mean }) => mean)).toEqual((ranked.reply as string[]).map(Number));
  }
}

function compareSeries(key: string, series: TimeSeries, answers: Answers): void {
  const samples = answers.of('TS.RANGE')!.reply as [string, string][];
  expect(series.timestampsMs.map(String), key).toEqual(samples.map(([time]) => time));
  // Old releases print 15 digits.
  const printed = samples.map(([, text], i) => {
    const value = series.values[i]!;
    return Number(value.toPrecision(15)) === Number(text) ? value : Number(text);
  });
  expect(series.values, key).toEqual(printed);
  compareSettings(key, series, answers.map('TS.INFO')!);
}

function compareSettings(key: string, series: TimeSeries, told: Readonly<Record<string, unknown>>): void {
  expect(String(series.retentionMs), key).toBe(told.retentionTime);
  expect(series.labels.flat().map(String), key).toEqual((told.labels as unknown[]).flat());
  const rules = series.rules.map(({ destination, bucketMs, aggregation, alignMs }) =>
    [destination, bucketMs, aggregation.toUpperCase(), alignMs].join(' '),
  );
  expect(rules.sort(), key).toEqual(rulesTold(told.rules as unknown[]).sort());
  expect(series.key.toString()).toBe(key);
  // The first two encodings have neither chunks nor a source.
  if (series.chunks === null) return;
  expect(String(series.chunks), key).toBe(told.chunkCount);
  expect(series.source?.toString() ?? null, key).toBe(told.sourceKey);
  expect(String(series.chunkBytes), key).toBe(told.chunkSize);
  if (told.chunkType !== undefined) {
    expect(series.compressed ? 'compressed' : 'uncompressed', key).toBe(told.chunkType);
  }
  // Before RedisTimeSeries 1.6.1 the policy is not saved.
  if (series.duplicatePolicy !== null) expect(series.duplicatePolicy).toBe(told.duplicatePolicy);
}

/** Rules are lists, or names with lists behind them; alignments came later. */
function rulesTold(list: readonly unknown[]): string[] {
  const rules: string[] = [];
  for (const item of list) {
    if (typeof item === 'string') rules.push(item);
    else
      rules.push(
        [rules.length > 0 && !rules.at(-1)!.includes(' ') ? rules.pop() : [], item].flat(2).join(' '),
      );
  }
  return rules.map((rule) => (rule.split(' ').length === 3 ? `${rule} 0` : rule));
}
