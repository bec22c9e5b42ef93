import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/source.js';
import { valueLines } from '../../src/cli/render/value.js';
import { readRdb } from '../../src/rdb/records.js';
import { testdata } from '../support/corpus.js';
import { readTarGz } from '../support/tar.js';

async function linesOf(family: string, release: string, wanted: string): Promise<string[]> {
  const bytes = readTarGz(readFileSync(testdata('modules', `${family}.tar.gz`))).get(`${release}.rdb`)!;
  const options = { verifyChecksum: false, deep: false, batchRecords: 1000, batchBytes: 1 << 20 };
  for await (const batch of readRdb(new MemorySource(bytes), options)) {
    const found = batch.find(({ key }) => key.toString() === wanted);
    if (found === undefined) continue;
    const { length, line } = valueLines(found.value, (text) => Buffer.from(text, 'latin1').toString());
    return Array.from({ length }, (_, i) => line(i));
  }
  throw new Error(`no ${wanted}`);
}

test.each([
  ['json', 'valkey-json-1.0.2', 'json:max', ['9223372036854775807']],
  [
    'redisbloom',
    '8.8.0',
    'bf:grown',
    [
      'Bloom filter with 896 items',
      'layer 0: 50 of 50 items, error rate 0.0005, 104 B',
      'layer 1: 150 of 150 items, error rate 0.00025, 328 B',
      'layer 2: 450 of 450 items, error rate 0.000125, 1.1 kB',
      'layer 3: 246 of 1,350 items, error rate 0.0000625, 3.4 kB',
    ],
  ],
  ['redisbloom', '8.8.0', 'cf:small', ['cuckoo filter with 39 items', 'layer 0: 16 buckets of 4, 64 B']],
  ['redisbloom', '8.8.0', 'cms:dim', ['count-min sketch, 50 wide, 4 deep, counted 4,294,967,052']],
  ['redisbloom', '8.8.0', 'topk:part', ['top 10', 'a  2', 'b  1', 'ünï  1']],
  [
    'redisbloom',
    '8.8.0',
    'td:few',
    [
      't-digest of weight 5',
      '1  weight 1',
      '2  weight 1',
      '3  weight 1',
      '4  weight 1',
      '10000000000  weight 1',
    ],
  ],
  [
    'redistimeseries',
    '8.6.0',
    'ts:policy',
    ['time series of 2 samples', '2023-11-14 22:13:19.995 UTC  7', '2023-11-14 22:13:20 UTC  5'],
  ],
])('%s %s: %s is shown', async (family, release, key, lines) => {
  expect(await linesOf(family, release, key)).toEqual(lines);
});

test('labels and rules of a series come before its samples', async () => {
  const lines = await linesOf('redistimeseries', '8.6.0', 'ts:from');
  expect(lines.slice(0, 3)).toEqual(['time series of 60 samples', 'label sensor  ünï', 'label area  32']);
  expect(lines).toContain('rule std.p over 7,000 ms to ts:to:std.p');
});
