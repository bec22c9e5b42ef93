import { describe, expect, test } from 'vitest';
import { ByteSlice } from '../../../src/bytes/slice.js';
import { FormatError } from '../../../src/errors.js';
import { type PackedBlob, PackedEntry } from '../../../src/rdb/packed/entry.js';
import { ListpackReader } from '../../../src/rdb/packed/listpack.js';
import { backLength, concat, listpack, listpackOf, lp, u8 } from '../../support/rdb-bytes.js';

/** The bytes as they would stand in a file from offset 1000 on, after a head of three bytes. */
function blobOf(bytes: Buffer): PackedBlob {
  return {
    slice: new ByteSlice().set(concat('xxx', bytes, 'yyy'), 3, 3 + bytes.length),
    offset: 997,
    origin: 1000,
  };
}

function walk(bytes: Buffer): (string | number | bigint)[] {
  const reader = new ListpackReader();
  const entry = new PackedEntry();
  const found: (string | number | bigint)[] = [];
  reader.open(blobOf(bytes));
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

const entryOf = (encoded: Buffer): Buffer => concat(encoded, backLength(encoded.length));
const one = (encoded: Buffer): Buffer => listpackOf(1, entryOf(encoded));

test.each([
  ['nothing', listpack(), []],
  ['7 bits', listpack(lp.uint7(0), lp.uint7(127)), [0, 127]],
  ['13 bits', listpack(lp.int13(-4096), lp.int13(-1), lp.int13(4095)), [-4096, -1, 4095]],
  ['16 bits', listpack(lp.int16(-32768), lp.int16(32767)), [-32768, 32767]],
  ['24 bits', listpack(lp.int24(-8388608), lp.int24(8388607)), [-8388608, 8388607]],
  ['32 bits', listpack(lp.int32(-2147483648), lp.int32(2147483647)), [-2147483648, 2147483647]],
  ['64 bits', listpack(lp.int64(-(2n ** 63n)), lp.int64(2n ** 63n - 1n)), [-(2n ** 63n), 2n ** 63n - 1n]],
  ['64 bits that would fit fewer', listpack(lp.int64(5), lp.int64(-5)), [5, -5]],
  ['short strings', listpack(lp.str6(''), lp.str6('x'.repeat(63))), ['', 'x'.repeat(63)]],
  ['longer strings', listpack(lp.str12(''), lp.str12('x'.repeat(4095))), ['', 'x'.repeat(4095)]],
  ['any strings', listpack(lp.str32(''), lp.str32('x'.repeat(70000))), ['', 'x'.repeat(70000)]],
  ['an unknown count', listpackOf(65535, concat(entryOf(lp.uint7(1)), entryOf(lp.str6('a')))), [1, 'a']],
])('holds %s', (_, bytes, expected) => {
  expect(walk(bytes)).toEqual(expected);
});

test.each([126, 127, 128, 16382, 16383, 16384, 2097151, 2097152])(
  'an entry of %i bytes has its back length',
  (size) => {
    const text = 'x'.repeat(size - 5);
    expect(walk(one(lp.str32(text)))[0]).toHaveLength(size - 5);
  },
);

describe('refuses', () => {
  test.each([
    ['too few bytes', u8(6, 0, 0, 0, 0, 0), '1000 listpack: too-short'],
    ['another size', concat(listpack('a'), u8(255)), '1000 listpack: total-differs'],
    ['another end', concat(listpack('a').subarray(0, -1), u8(254)), '1009 listpack: no-end-mark'],
    ['fewer entries', listpackOf(2, entryOf(lp.uint7(1))), '1004 listpack: count-differs'],
    ['more entries', listpackOf(0, entryOf(lp.uint7(1))), '1004 listpack: count-differs'],
    ['an end mark inside', listpackOf(1, concat(u8(255, 1))), '1006 listpack > entry 0: unknown-encoding'],
    ['an unknown encoding', one(u8(0xf5)), '1006 listpack > entry 0: unknown-encoding'],
    ['an integer that is cut', listpackOf(1, u8(0xf4, 1, 2)), '1006 listpack > entry 0: entry-overrun'],
    ['a string that is cut', listpackOf(1, u8(0x85, 97, 98)), '1006 listpack > entry 0: entry-overrun'],
    ['a longer string that is cut', listpackOf(1, u8(0xe1, 0, 97)), '1006 listpack > entry 0: entry-overrun'],
    [
      'a string of 4 GiB',
      listpackOf(1, u8(0xf0, 255, 255, 255, 255, 97, 6)),
      '1006 listpack > entry 0: entry-overrun',
    ],
    [
      'a head of a string that is cut',
      listpackOf(1, u8(0xf0, 1, 0)),
      '1006 listpack > entry 0: entry-overrun',
    ],
    ['no room for the back length', listpackOf(1, u8(0x81, 97)), '1006 listpack > entry 0: entry-overrun'],
    ['a wrong back length', listpackOf(1, u8(0x81, 97, 3)), '1006 listpack > entry 0: back-length-differs'],
  ])('%s', (_, bytes, expected) => {
    expect(faultOf(bytes)).toBe(`rdb/bad-listpack at ${expected}`);
  });

  test('wrong marks in a back length of two bytes', () => {
    const encoded = lp.str12('x'.repeat(200));
    for (const wrong of [u8(0x81, 0xca), u8(0x01, 0x4a), u8(0x01, 0xcb), u8(0x00, 0xca)]) {
      expect(faultOf(listpackOf(1, concat(encoded, wrong)))).toContain('entry 0: back-length-differs');
    }
    expect(faultOf(listpackOf(1, concat(encoded, u8(0x01, 0xca))))).toBe('none');
  });

  test('damage in compressed bytes where the string stands', () => {
    const reader = new ListpackReader();
    const { slice } = blobOf(listpackOf(1, u8(0x81, 97, 3)));
    reader.open({ slice, offset: 4000, origin: -1 });
    expect(() => reader.next(new PackedEntry())).toThrow(
      expect.objectContaining({
        offset: 4000,
        detail: expect.objectContaining({ compressed: 1, position: 6 }),
      }),
    );
  });

  test('one entry too many after those that are there', () => {
    const text = faultOf(listpackOf(3, concat(entryOf(lp.uint7(1)), entryOf(lp.uint7(2)))));
    expect(text).toBe('rdb/bad-listpack at 1004 listpack: count-differs');
  });
});
