import { describe, expect, test } from 'vitest';
import { fileWith, moduleField, redis } from '../support/rdb-builder.js';
import {
  concat,
  int8,
  int16,
  intset,
  len,
  len64,
  listpack,
  lzf,
  str,
  u8,
  ziplist,
  zl,
} from '../support/rdb-bytes.js';
import { errorOf, valueEvents } from '../support/rdb-events.js';

/** Values of each type start here in `fileWith`. */
const AT = 12;

const elements = (...texts: string[]): string[] => texts.map((text) => `element ${JSON.stringify(text)}`);

describe('lists', () => {
  test.each([
    ['type 1: elements', 1, concat(len(3), str('a'), int8(-5), lzf('compressed')), ['a', '-5', 'compressed']],
    ['type 10: a ziplist', 10, str(ziplist(['a', 7, -70000])), ['a', '7', '-70000']],
    ['type 10: a compressed ziplist', 10, lzf(ziplist(['a', 'b'])), ['a', 'b']],
    ['type 14: ziplists', 14, concat(len(2), str(ziplist(['a'])), lzf(ziplist(['b', 'c']))), ['a', 'b', 'c']],
    [
      'type 18: listpacks and plain nodes',
      18,
      concat(len(3), len(2), str(listpack('a', 5)), len(1), str('plain'), len(2), lzf(listpack(''))),
      ['a', '5', 'plain', ''],
    ],
    ['type 18: a plain node that is an integer', 18, concat(len(1), len(1), int16(3000)), ['3000']],
  ])('%s', (_, type, value, expected) => {
    expect(valueEvents(fileWith(12, type, value))).toEqual(elements(...expected));
  });

  test('type 18: an empty node among others is worth a warning', () => {
    const value = concat(len(2), len(2), str(listpack()), len(1), str('x'));
    expect(valueEvents(fileWith(12, 18, value))).toEqual([
      ...elements('x'),
      `warning rdb/empty-node ${AT} 1`,
    ]);
  });

  test.each([
    [1, concat(len(0)), 'list linkedlist'],
    [10, str(ziplist([])), 'list ziplist'],
    [14, len(0), 'list quicklist'],
    [14, concat(len(1), str(ziplist([]))), 'list quicklist'],
    [18, len(0), 'list quicklist'],
    [18, concat(len(2), len(2), str(listpack()), len(2), str(listpack())), 'list quicklist'],
  ])('type %i without elements is worth a warning', (type, value, words) => {
    expect(valueEvents(fileWith(12, type, value))).toEqual([`warning rdb/empty-value ${AT} ${words}`]);
  });

  test.each([
    [
      'a node of an unknown container',
      18,
      concat(len(1), len(3), str('x')),
      'rdb/bad-quicklist at 13 > list > node 0',
    ],
    [
      'a damaged node',
      18,
      concat(len(2), len(1), str('x'), len(2), str(concat(listpack('a').subarray(0, 8), u8(9, 255)))),
      'rdb/bad-listpack at 24 > list > node 1 > listpack > entry 0',
    ],
    [
      'a damaged node that is compressed',
      14,
      concat(len(1), lzf(concat(ziplist(['a', 'b']).subarray(0, 13), u8(9, 1, 98, 255)))),
      'rdb/bad-ziplist at 13 > list > node 0 > ziplist > entry 1',
    ],
  ])('%s is refused', (_, type, value, error) => {
    expect(errorOf(fileWith(12, type, value))).toBe(error);
  });
});

describe('sets', () => {
  test.each([
    ['type 2: members', 2, concat(len(2), str('a'), int8(1)), ['a', '1']],
    ['type 11: an intset', 11, str(intset(2, -3, 0, 500)), ['-3', '0', '500']],
    [
      'type 11: a wide intset',
      11,
      lzf(intset(8, -(2n ** 63n), 2n ** 63n - 1n)),
      ['-9223372036854775808', '9223372036854775807'],
    ],
    ['type 20: a listpack', 20, str(listpack('a', 1, 'b')), ['a', '1', 'b']],
  ])('%s', (_, type, value, expected) => {
    expect(valueEvents(fileWith(12, type, value))).toEqual(elements(...expected));
  });

  test.each([
    [2, len(0), 'set hashtable'],
    [20, str(listpack()), 'set listpack'],
  ])('type %i without members is worth a warning', (type, value, words) => {
    expect(valueEvents(fileWith(12, type, value))).toEqual([`warning rdb/empty-value ${AT} ${words}`]);
  });

  test.each([
    ['an intset of nothing', 11, str(intset(2)), 'rdb/bad-intset at 17 > set > intset'],
    [
      'a member twice',
      2,
      concat(len(3), str('1'), str('b'), int8(1)),
      'rdb/duplicate-member at 17 > set > member 2',
    ],
    [
      'a packed member twice',
      20,
      str(listpack('5', 'a', 5)),
      'rdb/duplicate-member at 25 > set > listpack > entry 2',
    ],
  ])('%s is refused', (_, type, value, error) => {
    expect(errorOf(fileWith(12, type, value))).toBe(error);
  });

  test('a member twice passes where the walk is not deep', () => {
    const bytes = fileWith(12, 2, len(2), str('1'), str('1'));
    expect(valueEvents(bytes, { deep: false })).toEqual(elements('1', '1'));
  });

  test('members are told apart in a set that is large', () => {
    const members = Array.from({ length: 1100 }, (_, i) => str(`member ${i}`));
    const good = redis(9)
      .key(2, 'k', len(1100), ...members)
      .end();
    expect(valueEvents(good)).toHaveLength(1100);
    const twice = redis(9)
      .key(2, 'k', len(1101), ...members, str('member 7'))
      .end();
    expect(errorOf(twice)).toMatch(/^rdb\/duplicate-member at \d+ > set > member 1100$/);
  });
});

describe('module values', () => {
  const value = concat(
    len64(0x2d3c4d5e6f708192n),
    moduleField.uint(2n ** 64n - 1n),
    moduleField.sint(5),
    moduleField.float(u8(0, 0, 128, 63)),
    moduleField.double(2.5),
    moduleField.string('text'),
    len(5),
    lzf('compressed text'),
    len(5),
    int8(5),
    moduleField.end,
  );

  test('are handed over as they stand', () => {
    expect(valueEvents(fileWith(12, 7, value))).toEqual([`raw ${value.toString('hex')}`]);
    expect(valueEvents(fileWith(12, 7, len(1), moduleField.end))).toEqual(['raw 0100']);
  });

  test('with an unknown field are refused', () => {
    const bytes = fileWith(12, 7, concat(len(1), moduleField.uint(1), len(6)));
    expect(errorOf(bytes)).toBe('rdb/bad-module at 15 > module');
  });

  test('of release candidates of 4.0 have no known form', () => {
    expect(errorOf(fileWith(12, 6, len(1)))).toBe('rdb/unknown-type at 9');
  });
});

test('an entry of a ziplist may be any integer the servers write', () => {
  const parts = [zl.immediate(0), zl.immediate(12), zl.int8(-128), zl.int16(-32768), zl.int24(-8388608)];
  const wide = [zl.int32(2147483647), zl.int64(-(2n ** 63n)), zl.int64(2n ** 63n - 1n), zl.int64(12345)];
  expect(valueEvents(fileWith(6, 10, str(ziplist([...parts, ...wide]))))).toEqual(
    elements(
      '0',
      '12',
      '-128',
      '-32768',
      '-8388608',
      '2147483647',
      '-9223372036854775808',
      '9223372036854775807',
      '12345',
    ),
  );
});
