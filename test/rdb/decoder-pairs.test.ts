import { describe, expect, test } from 'vitest';
import { fileWith, redis } from '../support/rdb-builder.js';
import {
  concat,
  f64le,
  i64le,
  int8,
  len,
  len64,
  listpack,
  lp,
  lzf,
  str,
  TEXT_INFINITY,
  TEXT_MINUS_INFINITY,
  TEXT_NAN,
  textDouble,
  ziplist,
  zipmap,
} from '../support/rdb-bytes.js';
import { errorOf, eventsOf, valueEvents } from '../support/rdb-events.js';

/** Values of each type start here in `fileWith`. */
const AT = 12;

describe('hashes', () => {
  const ab = ['field "a" "1"', 'field "b" "2"'];
  test.each([
    ['type 4: fields', 4, concat(len(2), str('a'), int8(1), str('b'), lzf('2')), ab],
    [
      'type 9: a zipmap',
      9,
      str(
        zipmap([
          ['a', '1'],
          ['b', '2'],
        ]),
      ),
      ab,
    ],
    [
      'type 9: a zipmap with room',
      9,
      str(
        zipmap(
          [
            ['a', '1'],
            ['b', '2'],
          ],
          3,
        ),
      ),
      ab,
    ],
    ['type 13: a ziplist', 13, str(ziplist(['a', 1, 'b', '2'])), ab],
    ['type 16: a listpack', 16, lzf(listpack('a', 1, 'b', '2')), ab],
    [
      'type 22: absolute times',
      22,
      concat(len(2), len64(1772366400123), str('a'), str('1'), len(0), str('b'), str('2')),
      ['field "a" "1" 1772366400123', 'field "b" "2"'],
    ],
    [
      'type 23: a listpack',
      23,
      str(listpack('a', 1, 1772366400123, 'b', 2, 0)),
      ['field "a" "1" 1772366400123', 'field "b" "2"'],
    ],
    [
      'type 24: times from the smallest',
      24,
      concat(
        i64le(1772366400000),
        len(3),
        len(1),
        str('a'),
        str('1'),
        len(0),
        str('b'),
        str('2'),
        len(501),
        str('c'),
        str('3'),
      ),
      ['field "a" "1" 1772366400000', 'field "b" "2"', 'field "c" "3" 1772366400500'],
    ],
    [
      'type 25: a listpack in the order of times',
      25,
      concat(i64le(5), str(listpack('a', 1, 1000, 'b', 2, 1000, 'c', 3, 281474976710655, 'd', 4, 0))),
      ['field "a" "1" 1000', 'field "b" "2" 1000', 'field "c" "3" 281474976710655', 'field "d" "4"'],
    ],
    [
      'type 25: no field has a time any more',
      25,
      concat(i64le(1772366400000), str(listpack('a', 1, 0))),
      ['field "a" "1"'],
    ],
  ])('%s', (_, type, value, expected) => {
    expect(valueEvents(fileWith(12, type, value))).toEqual(expected);
  });

  test.each([
    [4, len(0), 'hash hashtable'],
    [9, str(zipmap([])), 'hash zipmap'],
    [13, str(ziplist([])), 'hash ziplist'],
    [16, str(listpack()), 'hash listpack'],
    [24, concat(i64le(0), len(0)), 'hash hashtable'],
    [25, concat(i64le(0), str(listpack())), 'hash listpackex'],
  ])('type %i without fields is worth a warning', (type, value, words) => {
    expect(valueEvents(fileWith(12, type, value))).toEqual([`warning rdb/empty-value ${AT} ${words}`]);
  });

  const listpackError = (entry: number) => ` > hash > listpack > entry ${entry}`;
  test.each([
    [
      'a field twice',
      4,
      concat(len(2), str('a'), str('1'), str('a'), str('2')),
      'rdb/duplicate-member at 17 > hash > field 1',
    ],
    [
      'a zipmap field twice',
      9,
      str(
        zipmap([
          ['a', '1'],
          ['a', '2'],
        ]),
      ),
      'rdb/duplicate-member at 19 > hash > zipmap > entry 1',
    ],
    [
      'a ziplist field twice',
      13,
      str(ziplist(['a', 1, 'a', 2])),
      'rdb/duplicate-member at 28 > hash > ziplist > entry 2',
    ],
    [
      'a listpack field twice',
      16,
      str(listpack('a', 1, 'a', 2)),
      `rdb/duplicate-member at 24${listpackError(2)}`,
    ],
    ['a field without value', 16, str(listpack('a', 1, 'b')), `rdb/bad-listpack at 24${listpackError(2)}`],
    [
      'a ziplist field without value',
      13,
      str(ziplist(['a', 1, 'b'])),
      'rdb/bad-ziplist at 28 > hash > ziplist > entry 2',
    ],
    [
      'a field without time',
      25,
      concat(i64le(0), str(listpack('a', 1))),
      `rdb/bad-listpack at 30${listpackError(1)}`,
    ],
    [
      'a time that is a text',
      25,
      concat(i64le(0), str(listpack('a', 1, 'x'))),
      `rdb/bad-field-expiry at 32${listpackError(2)}`,
    ],
    [
      'a time before the last',
      25,
      concat(i64le(0), str(listpack('a', 1, 9, 'b', 1, 8))),
      `rdb/bad-field-expiry at 39${listpackError(5)}`,
    ],
    [
      'a time after none',
      25,
      concat(i64le(0), str(listpack('a', 1, 0, 'b', 1, 8))),
      `rdb/bad-field-expiry at 39${listpackError(5)}`,
    ],
    [
      'a time below zero',
      25,
      concat(i64le(0), str(listpack('a', 1, -1))),
      `rdb/bad-field-expiry at 32${listpackError(2)}`,
    ],
    ['a time too late', 23, str(listpack('a', 1, 2 ** 48)), `rdb/bad-field-expiry at 24${listpackError(2)}`],
    ['a smallest time too late', 24, concat(i64le(2 ** 48), len(0)), 'rdb/bad-field-expiry at 12 > hash'],
    ['a smallest time below zero', 24, concat(i64le(-1), len(0)), 'rdb/bad-field-expiry at 12 > hash'],
    [
      'a relative time too late',
      24,
      concat(i64le(2 ** 48 - 1), len(1), len(2), str('a'), str('1')),
      'rdb/bad-field-expiry at 21 > hash > field 0',
    ],
  ])('%s is refused', (_, type, value, error) => {
    expect(errorOf(fileWith(12, type, value))).toBe(error);
  });

  test('the head says whether fields may expire, and how many there are where the file does', () => {
    const bytes = redis(12)
      .key(4, 'table', len(1), str('a'), str('1'))
      .key(16, 'packed', str(listpack('a', 1)))
      .key(24, 'expiring', i64le(0), len(1), len(0), str('a'), str('1'))
      .key(25, 'small', i64le(0), str(listpack('a', 1, 0)))
      .end();
    expect(eventsOf(bytes).filter((line) => line.startsWith('key'))).toEqual([
      'key "table" db 0 hash hashtable type 4 at 9 count 1',
      'key "packed" db 0 hash listpack type 16 at 21',
      'key "expiring" db 0 hash hashtable type 24 at 42 count 1 fields expire',
      'key "small" db 0 hash listpackex type 25 at 66 fields expire',
    ]);
  });
});

describe('sorted sets', () => {
  test.each([
    [
      'type 3: scores as text',
      3,
      concat(
        len(4),
        str('a'),
        textDouble('1.5'),
        str('b'),
        textDouble('-3e+20'),
        str('c'),
        TEXT_INFINITY,
        str('d'),
        TEXT_MINUS_INFINITY,
      ),
      ['"a" 1.5', '"b" -300000000000000000000', '"c" Infinity', '"d" -Infinity'],
    ],
    [
      'type 5: binary scores',
      5,
      concat(len(3), str('a'), f64le(0.1), str('b'), f64le(-0), str('c'), f64le(Number.POSITIVE_INFINITY)),
      ['"a" 0.1', '"b" -0', '"c" Infinity'],
    ],
    [
      'type 12: a ziplist',
      12,
      str(ziplist(['n', '-inf', 'm', -5, 'a', '0.10000000000000001', 'b', 7])),
      ['"n" -Infinity', '"m" -5', '"a" 0.1', '"b" 7'],
    ],
    [
      'type 17: a listpack',
      17,
      lzf(listpack('a', -1, 'b', '1.5', 'c', '1e+20', 'd', 'inf')),
      ['"a" -1', '"b" 1.5', '"c" 100000000000000000000', '"d" Infinity'],
    ],
    [
      'type 17: an integer beyond 2^53',
      17,
      str(listpack('a', lp.int64(2n ** 53n + 1n))),
      ['"a" 9007199254740992'],
    ],
    ['type 17: members of equal score', 17, str(listpack('a', 1, 'b', 1)), ['"a" 1', '"b" 1']],
  ])('%s', (_, type, value, expected) => {
    expect(valueEvents(fileWith(12, type, value))).toEqual(expected.map((line) => `member ${line}`));
  });

  test.each([
    [3, len(0), 'zset skiplist'],
    [5, len(0), 'zset skiplist'],
    [12, str(ziplist([])), 'zset ziplist'],
    [17, str(listpack()), 'zset listpack'],
  ])('type %i without members is worth a warning', (type, value, words) => {
    expect(valueEvents(fileWith(12, type, value))).toEqual([`warning rdb/empty-value ${AT} ${words}`]);
  });

  test.each([
    [
      'a score that is no number',
      3,
      concat(len(1), str('a'), textDouble('1.5x')),
      'rdb/bad-double at 15 > zset > member 0',
    ],
    ['an empty score', 3, concat(len(1), str('a'), textDouble('')), 'rdb/bad-double at 15 > zset > member 0'],
    ['not a number as text', 3, concat(len(1), str('a'), TEXT_NAN), 'rdb/bad-double at 15 > zset > member 0'],
    [
      'not a number',
      5,
      concat(len(1), str('a'), f64le(Number.NaN)),
      'rdb/bad-double at 15 > zset > member 0',
    ],
    [
      'a packed score that is no number',
      17,
      str(listpack('a', 'x')),
      'rdb/bad-double at 22 > zset > listpack > entry 1',
    ],
    [
      'a member twice',
      5,
      concat(len(2), str('a'), f64le(1), str('a'), f64le(2)),
      'rdb/duplicate-member at 23 > zset > member 1',
    ],
    [
      'a packed member twice',
      17,
      str(listpack('a', 1, 'a', 2)),
      'rdb/duplicate-member at 24 > zset > listpack > entry 2',
    ],
    ['a member without score', 17, str(listpack('a')), 'rdb/bad-listpack at 19 > zset > listpack > entry 0'],
    [
      'scores out of order',
      17,
      str(listpack('a', 2, 'b', 1)),
      'rdb/bad-listpack at 27 > zset > listpack > entry 3',
    ],
    [
      'ziplist scores out of order',
      12,
      str(ziplist(['a', 2, 'b', 1])),
      'rdb/bad-ziplist at 31 > zset > ziplist > entry 3',
    ],
  ])('%s is refused', (_, type, value, error) => {
    expect(errorOf(fileWith(12, type, value))).toBe(error);
  });

  test('scores out of order pass where the walk is not deep', () => {
    const bytes = fileWith(12, 17, str(listpack('a', 2, 'b', 1)));
    expect(valueEvents(bytes, { deep: false })).toEqual(['member "a" 2', 'member "b" 1']);
  });
});
