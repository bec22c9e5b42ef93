import { describe, expect, test } from 'vitest';
import { ByteSlice } from '../../../src/bytes/slice.js';
import { FormatError } from '../../../src/errors.js';
import { PackedEntry } from '../../../src/rdb/packed/entry.js';
import { ZipmapReader } from '../../../src/rdb/packed/zipmap.js';
import { type Bytes, concat, u8, zipmap } from '../../support/rdb-bytes.js';

function walk(bytes: Buffer): [string, string][] {
  const reader = new ZipmapReader();
  const name = new PackedEntry();
  const value = new PackedEntry();
  const found: [string, string][] = [];
  const slice = new ByteSlice().set(concat('xxx', bytes, 'yyy'), 3, 3 + bytes.length);
  reader.open({ slice, offset: 997, origin: 1000 });
  while (reader.next(name, value)) found.push([name.text().latin1(), value.text().latin1()]);
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

const pairs = (count: number): [string, string][] =>
  Array.from({ length: count }, (_, i) => [`f${i}`, `${i}`]);
const raw = (...parts: Bytes[]): Buffer => concat(...parts, u8(255));

test.each([
  ['nothing', zipmap([]), []],
  ['a pair', zipmap([['a', '1']]), [['a', '1']]],
  ['empty texts', zipmap([['', '']]), [['', '']]],
  [
    'unused bytes behind values',
    zipmap(
      [
        ['a', '1'],
        ['b', '2'],
      ],
      7,
    ),
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  [
    'lengths up to 253 in one byte',
    zipmap([['a'.repeat(253), 'b'.repeat(253)]]),
    [['a'.repeat(253), 'b'.repeat(253)]],
  ],
  [
    'lengths from 254 in five',
    zipmap([['a'.repeat(254), 'b'.repeat(300)]]),
    [['a'.repeat(254), 'b'.repeat(300)]],
  ],
  ['short lengths in five', raw(u8(1, 254, 1, 0, 0, 0), 'a', u8(1, 0), 'b'), [['a', 'b']]],
  ['253 pairs', zipmap(pairs(253)), pairs(253)],
  ['254 pairs, counted by walking', zipmap(pairs(254)), pairs(254)],
  ['more pairs, counted by walking', zipmap(pairs(300)), pairs(300)],
])('holds %s', (_, bytes, expected) => {
  expect(walk(bytes)).toEqual(expected);
});

describe('refuses', () => {
  test.each([
    ['too few bytes', u8(255), '1000 zipmap: too-short'],
    ['another end', u8(0, 254), '1001 zipmap: no-end-mark'],
    ['fewer pairs', concat(u8(2), zipmap([['a', '1']]).subarray(1)), '1000 zipmap: count-differs'],
    ['more pairs', concat(u8(0), zipmap([['a', '1']]).subarray(1)), '1000 zipmap: count-differs'],
    ['an end mark inside', raw(u8(1, 255, 0)), '1001 zipmap > entry 0: bad-length'],
    ['a long length that is cut', raw(u8(1, 254, 1)), '1001 zipmap > entry 0: bad-length'],
    ['a field that is cut', raw(u8(1, 5), 'ab'), '1001 zipmap > entry 0: entry-overrun'],
    ['a field without value', raw(u8(1, 1), 'a'), '1001 zipmap > entry 0: entry-overrun'],
    ['a value that is cut', raw(u8(1, 1), 'a', u8(9, 0), 'b'), '1001 zipmap > entry 0: entry-overrun'],
    ['unused bytes that are cut', raw(u8(1, 1), 'a', u8(1, 9), 'b'), '1001 zipmap > entry 0: entry-overrun'],
    ['a length of 4 GiB', raw(u8(1, 254, 255, 255, 255, 255), 'abc'), '1001 zipmap > entry 0: entry-overrun'],
    [
      'damage in its second pair',
      raw(u8(2, 1), 'a', u8(1, 0), 'b', u8(9)),
      '1006 zipmap > entry 1: entry-overrun',
    ],
  ])('%s', (_, bytes, expected) => {
    expect(faultOf(bytes)).toBe(`rdb/bad-zipmap at ${expected}`);
  });
});
