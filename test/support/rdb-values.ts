import { moduleField } from './rdb-builder.js';
import {
  concat,
  f64le,
  i64le,
  id,
  int8,
  int16,
  int32,
  intset,
  len,
  len64,
  listpack,
  lp,
  lzf,
  lzfRun,
  str,
  TEXT_INFINITY,
  textDouble,
  ziplist,
  zipmap,
} from './rdb-bytes.js';

/** A value as it stands behind its key. */
export interface SampleValue {
  readonly what: string;
  readonly type: number;
  readonly value: Buffer;
}

const NOON = 1772366400000;

const nodes = concat(
  len(2),
  str(id(1, 0)),
  str(listpack(2, 1, 2, 'f', 'g', 0, 2, 0, 0, 'x', 5, 5, 3, 1, 0, 'y', 6, 5, 0, 2, -1, 1, 'own', 'z', 6)),
  str(id(9, 9)),
  lzf(listpack(1, 0, 1, 'f', 0, 2, 0, 0, lp.int64(NOON), 4)),
);
const counters = concat(len(3), len(9), len(9), len(1), len(0), len(2), len(0), len(4));
const pending = concat(len(2), id(1, 0), i64le(NOON), len(1), id(9, 9), i64le(NOON), len(300));

/** Every type with every encoding that Redis 2.4 to 7.4 writes, small enough to be taken apart byte by byte. */
export const VALUES: readonly SampleValue[] = [
  { what: 'a string', type: 0, value: str('some text') },
  { what: 'a string that is an integer', type: 0, value: int32(-1234567) },
  { what: 'a compressed string', type: 0, value: lzfRun(700) },
  { what: 'a list', type: 1, value: concat(len(3), str('a'), int8(1), lzf('abcdefgh')) },
  { what: 'a set', type: 2, value: concat(len(2), str('a'), int16(300)) },
  {
    what: 'a sorted set with text',
    type: 3,
    value: concat(len(2), str('a'), textDouble('1.5'), str('b'), TEXT_INFINITY),
  },
  { what: 'a hash', type: 4, value: concat(len(2), str('a'), int8(1), str('b'), lzf('xy')) },
  { what: 'a sorted set', type: 5, value: concat(len(2), str('a'), f64le(1.5), str('b'), f64le(-7)) },
  {
    what: 'a module value',
    type: 7,
    value: concat(
      len64(0x2d3c4d5e6f708192n),
      moduleField.uint(300),
      moduleField.sint(1),
      moduleField.float('abcd'),
      moduleField.double(1),
      moduleField.string('text'),
      moduleField.end,
    ),
  },
  {
    what: 'a zipmap',
    type: 9,
    value: str(
      zipmap(
        [
          ['a', '1'],
          ['b', 'x'.repeat(260)],
        ],
        2,
      ),
    ),
  },
  { what: 'a ziplist', type: 10, value: str(ziplist(['a', 5, -300, 70000, 2n ** 40n, 'x'.repeat(70)])) },
  { what: 'an intset', type: 11, value: str(intset(4, -70000, 0, 70000)) },
  { what: 'a sorted set in a ziplist', type: 12, value: str(ziplist(['a', -1, 'b', '1.5'])) },
  { what: 'a hash in a ziplist', type: 13, value: lzf(ziplist(['a', 1, 'b', '2'])) },
  {
    what: 'a quicklist of ziplists',
    type: 14,
    value: concat(len(2), str(ziplist(['a'])), lzf(ziplist(['b', 1]))),
  },
  {
    what: 'a stream of the first generation',
    type: 15,
    value: concat(
      nodes,
      len(3),
      len(9),
      len(9),
      len(1),
      str('g'),
      len(1),
      len(0),
      pending,
      len(1),
      str('c'),
      i64le(NOON),
      len(2),
      id(1, 0),
      id(9, 9),
    ),
  },
  { what: 'a hash in a listpack', type: 16, value: str(listpack('a', 1, 'b', 'x'.repeat(70))) },
  { what: 'a sorted set in a listpack', type: 17, value: str(listpack('a', -5000, 'b', '1.5', 'c', 70000)) },
  {
    what: 'a quicklist',
    type: 18,
    value: concat(len(2), len(2), str(listpack('a', 1)), len(1), str('plain')),
  },
  {
    what: 'a stream of the second generation',
    type: 19,
    value: concat(
      nodes,
      counters,
      len(1),
      str('g'),
      len(1),
      len(0),
      len(2),
      pending,
      len(1),
      str('c'),
      i64le(NOON),
      len(2),
      id(1, 0),
      id(9, 9),
    ),
  },
  { what: 'a set in a listpack', type: 20, value: str(listpack('a', 1, 'b')) },
  {
    what: 'a stream of the third generation',
    type: 21,
    value: concat(
      nodes,
      counters,
      len(2),
      concat(str('g'), len(1), len(0), len64(2n ** 64n - 1n), pending, len(2)),
      concat(str('c'), i64le(NOON), i64le(-1), len(1), id(1, 0)),
      concat(str('d'), i64le(NOON), i64le(NOON), len(1), id(9, 9)),
      concat(str('h'), len(0), len(0), len(0), len(0), len(0)),
    ),
  },
  {
    what: 'a hash whose fields expire',
    type: 24,
    value: concat(i64le(NOON), len(2), len(1), str('a'), str('1'), len(0), str('b'), str('2')),
  },
  {
    what: 'a small hash whose fields expire',
    type: 25,
    value: concat(i64le(NOON), str(listpack('a', 1, NOON, 'b', 2, 0))),
  },
];
