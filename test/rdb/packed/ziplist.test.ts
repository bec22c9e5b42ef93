import { describe, expect, test } from 'vitest';
import { ByteSlice } from '../../../src/bytes/slice.js';
import { FormatError } from '../../../src/errors.js';
import { PackedEntry } from '../../../src/rdb/packed/entry.js';
import { ZiplistReader } from '../../../src/rdb/packed/ziplist.js';
import { concat, u8, u16le, u32le, ziplist, zl } from '../../support/rdb-bytes.js';

function walk(bytes: Buffer): (string | number | bigint)[] {
  const reader = new ZiplistReader();
  const entry = new PackedEntry();
  const found: (string | number | bigint)[] = [];
  const slice = new ByteSlice().set(concat('xxx', bytes, 'yyy'), 3, 3 + bytes.length);
  reader.open({ slice, offset: 997, origin: 1000 });
  while (reader.next(entry)) found.push(entry.integer ? entry.long() : entry.text().latin1());
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

/** A ziplist around these entries, previous-lengths included. */
const ziplistOf = (count: number, tail: number, entries: Buffer): Buffer =>
  concat(u32le(entries.length + 11), u32le(tail), u16le(count), entries, u8(255));

test.each([
  ['nothing', ziplist([]), []],
  ['immediate integers', ziplist([zl.immediate(0), zl.immediate(12)]), [0, 12]],
  ['8 bits', ziplist([zl.int8(-128), zl.int8(127)]), [-128, 127]],
  ['16 bits', ziplist([zl.int16(-32768), zl.int16(32767)]), [-32768, 32767]],
  ['24 bits', ziplist([zl.int24(-8388608), zl.int24(8388607)]), [-8388608, 8388607]],
  ['32 bits', ziplist([zl.int32(-2147483648), zl.int32(2147483647)]), [-2147483648, 2147483647]],
  ['64 bits', ziplist([zl.int64(-(2n ** 63n)), zl.int64(2n ** 63n - 1n)]), [-(2n ** 63n), 2n ** 63n - 1n]],
  ['short strings', ziplist([zl.str6(''), zl.str6('x'.repeat(63))]), ['', 'x'.repeat(63)]],
  ['longer strings', ziplist([zl.str14(''), zl.str14('x'.repeat(16383))]), ['', 'x'.repeat(16383)]],
  ['any strings', ziplist([zl.str32(''), zl.str32('x'.repeat(70000)), 'z']), ['', 'x'.repeat(70000), 'z']],
  ['long previous-lengths of short entries', ziplist(['a', 5, 'b'], true), ['a', 5, 'b']],
  [
    'entries around 254 bytes',
    ziplist(['x'.repeat(250), 'a', 'y'.repeat(251), 'b']),
    ['x'.repeat(250), 'a', 'y'.repeat(251), 'b'],
  ],
  ['a string whose first byte has other low bits', ziplist([concat(u8(0xbf, 0, 0, 0, 1), 'a')]), ['a']],
  ['an unknown count', ziplistOf(65535, 10, concat(u8(0), zl.str6('a'))), ['a']],
])('holds %s', (_, bytes, expected) => {
  expect(walk(bytes)).toEqual(expected);
});

describe('refuses', () => {
  const a = concat(u8(0), zl.str6('a'));
  test.each([
    ['too few bytes', u8(10, 0, 0, 0, 10, 0, 0, 0, 0, 0), '1000 ziplist: too-short'],
    ['another size', concat(ziplist(['a']), u8(255)), '1000 ziplist: total-differs'],
    ['another end', concat(ziplist(['a']).subarray(0, -1), u8(254)), '1013 ziplist: no-end-mark'],
    ['fewer entries', ziplistOf(2, 10, a), '1008 ziplist: count-differs'],
    ['another tail', ziplistOf(1, 11, a), '1004 ziplist: tail-differs'],
    ['a tail of an empty one', ziplistOf(0, 11, Buffer.alloc(0)), '1004 ziplist: tail-differs'],
    [
      'a previous-length of the first',
      ziplistOf(1, 10, concat(u8(1), zl.str6('a'))),
      '1010 ziplist > entry 0: previous-length-differs',
    ],
    [
      'a wrong previous-length',
      ziplistOf(2, 13, concat(a, u8(4), zl.str6('b'))),
      '1013 ziplist > entry 1: previous-length-differs',
    ],
    [
      'a wrong long previous-length',
      ziplistOf(2, 13, concat(a, u8(254, 4, 0, 0, 0), zl.str6('b'))),
      '1013 ziplist > entry 1: previous-length-differs',
    ],
    ['an end mark inside', ziplistOf(1, 10, u8(255)), '1010 ziplist > entry 0: entry-overrun'],
    ['an unknown encoding', ziplistOf(1, 10, u8(0, 0xc1)), '1010 ziplist > entry 0: unknown-encoding'],
    ['an end mark as encoding', ziplistOf(1, 10, u8(0, 255)), '1010 ziplist > entry 0: unknown-encoding'],
    ['an integer that is cut', ziplistOf(1, 10, u8(0, 0xe0, 1, 2)), '1010 ziplist > entry 0: entry-overrun'],
    ['a string that is cut', ziplistOf(1, 10, u8(0, 5, 97)), '1010 ziplist > entry 0: entry-overrun'],
    [
      'a string of 4 GiB',
      ziplistOf(1, 10, u8(0, 0x80, 255, 255, 255, 255, 97)),
      '1010 ziplist > entry 0: entry-overrun',
    ],
    [
      'a head of a string that is cut',
      ziplistOf(1, 10, u8(0, 0x80, 0, 0)),
      '1010 ziplist > entry 0: entry-overrun',
    ],
    [
      'a long previous-length that is cut',
      ziplistOf(1, 10, u8(254, 0, 0)),
      '1010 ziplist > entry 0: entry-overrun',
    ],
  ])('%s', (_, bytes, expected) => {
    expect(faultOf(bytes)).toBe(`rdb/bad-ziplist at ${expected}`);
  });
});
