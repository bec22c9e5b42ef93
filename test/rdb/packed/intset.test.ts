import { describe, expect, test } from 'vitest';
import { ByteSlice } from '../../../src/bytes/slice.js';
import { FormatError } from '../../../src/errors.js';
import { PackedEntry } from '../../../src/rdb/packed/entry.js';
import { IntsetReader } from '../../../src/rdb/packed/intset.js';
import { concat, intset, u32le } from '../../support/rdb-bytes.js';

function walk(bytes: Buffer): (number | bigint)[] {
  const reader = new IntsetReader();
  const entry = new PackedEntry();
  const found: (number | bigint)[] = [];
  reader.open({ slice: new ByteSlice().set(bytes, 0, bytes.length), offset: 998, origin: 1000 });
  while (reader.next(entry)) found.push(entry.long());
  return found;
}

function faultOf(bytes: Buffer): string {
  try {
    walk(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return `${error.code} at ${error.offset} ${error.trail.join(' > ')}: ${error.detail['reason']}`;
  }
  return 'none';
}

const LOW = -(2n ** 63n);
const HIGH = 2n ** 63n - 1n;

test.each([
  ['16 bits', intset(2, -32768, -1, 0, 1, 32767), [-32768, -1, 0, 1, 32767]],
  [
    '32 bits',
    intset(4, -2147483648, -65536, -1, 0, 65535, 2147483647),
    [-2147483648, -65536, -1, 0, 65535, 2147483647],
  ],
  [
    '64 bits',
    intset(8, LOW, -4294967296, -1, 0, 4294967295, 4294967296, HIGH),
    [LOW, -4294967296, -1, 0, 4294967295, 4294967296, HIGH],
  ],
])('holds integers of %s', (_, bytes, expected) => {
  expect(walk(bytes)).toEqual(expected);
});

describe('refuses', () => {
  test.each([
    ['too few bytes', u32le(2), '1000 intset: too-short'],
    ['a width of its own', concat(u32le(3), u32le(1), 'abc'), '1000 intset: unknown-width'],
    ['more integers than bytes', concat(u32le(2), u32le(2), 'ab'), '1004 intset: count-differs'],
    [
      'more integers than there can be',
      concat(u32le(8), u32le(0xffffffff), 'ab'),
      '1004 intset: count-differs',
    ],
    ['fewer integers than bytes', concat(u32le(2), u32le(1), 'abcd'), '1004 intset: count-differs'],
    ['no integers', intset(4), '1004 intset: empty'],
    ['an integer twice', intset(2, 1, 5, 5), '1012 intset > entry 2: not-ascending'],
    ['descending integers', intset(4, 1, -1), '1012 intset > entry 1: not-ascending'],
    ['descending upper words', intset(8, 2n ** 33n, 2n ** 32n + 5n), '1016 intset > entry 1: not-ascending'],
    [
      'descending lower words',
      intset(8, 2n ** 32n + 5n, 2n ** 32n + 4n),
      '1016 intset > entry 1: not-ascending',
    ],
  ])('%s', (_, bytes, expected) => {
    expect(faultOf(bytes)).toBe(`rdb/bad-intset at ${expected}`);
  });
});
