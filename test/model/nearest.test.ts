import { expect, it } from 'vitest';
import { didYouMean, nearest } from '../../src/model/nearest.js';

it.each([
  ['redis-62', ['redis-6.0', 'redis-6.2'], 'redis-6.2'],
  ['ndjsn', ['json', 'ndjson'], 'ndjson'],
  ['skpi', ['truncate', 'skip'], 'skip'],
  ['trunc', ['truncate', 'skip'], 'truncate'],
  ['DUMP.RDB', ['dump.rdb', 'dump.rdb.gz'], 'dump.rdb'],
  ['dmup.rdb', ['appendonlydir', 'dump.rdb'], 'dump.rdb'],
])('%s is near', (given, words, meant) => {
  expect(nearest(given, words)).toBe(meant);
});

it.each([
  ['x', ['rdb', 'aof']],
  ['frobnicate', ['check', 'convert', 'truncate']],
  ['', ['rdb']],
])('%s is near to nothing', (given, words) => {
  expect(nearest(given, words)).toBeNull();
  expect(didYouMean(given, words)).toBe('');
});

it('takes no longer for long words than for names', () => {
  const long = 'a'.repeat(1_000_000);
  expect(nearest(long, [`${long}b`])).toBe(`${long}b`);
});
