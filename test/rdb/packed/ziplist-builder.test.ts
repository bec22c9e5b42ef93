import { expect, test } from 'vitest';
import { ZiplistBuilder } from '../../../src/rdb/packed/ziplist-builder.js';
import { type PackedPart, ziplist, zl } from '../../support/rdb-bytes.js';

function built(wideOnly: boolean, ...texts: string[]): Buffer {
  const builder = new ZiplistBuilder(wideOnly);
  for (const text of texts) {
    const bytes = Buffer.from(text, 'latin1');
    builder.append(bytes, 0, bytes.length);
  }
  return Buffer.from(builder.finish());
}

test('nothing is a header and an end', () => {
  expect(built(false)).toEqual(ziplist([]));
});

const NARROW: [string, PackedPart][] = [
  ['0', zl.immediate(0)],
  ['12', zl.immediate(12)],
  ['13', zl.int8(13)],
  ['-1', zl.int8(-1)],
  ['127', zl.int8(127)],
  ['-128', zl.int8(-128)],
  ['128', zl.int16(128)],
  ['-32768', zl.int16(-32768)],
  ['32768', zl.int24(32768)],
  ['-8388608', zl.int24(-8388608)],
  ['8388607', zl.int24(8388607)],
  ['8388608', zl.int32(8388608)],
  ['-2147483648', zl.int32(-2147483648)],
  ['2147483648', zl.int64(2147483648)],
  ['-9223372036854775808', zl.int64(-9223372036854775808n)],
];

test.each(NARROW)('%s becomes an integer of its width', (text, entry) => {
  expect(built(false, text)).toEqual(ziplist([entry]));
});

test.each([
  ['0', zl.int16(0)],
  ['-1', zl.int16(-1)],
  ['127', zl.int16(127)],
  ['32768', zl.int32(32768)],
  ['-8388608', zl.int32(-8388608)],
  ['2147483648', zl.int64(2147483648)],
])('%s becomes one that servers before 2.6 know', (text, entry) => {
  expect(built(true, text)).toEqual(ziplist([entry]));
});

test.each(['', '-0', '+1', '01', '9223372036854775808', '00000000000000000000000000000001'])(
  '%j stays text',
  (text) => {
    expect(built(false, text)).toEqual(ziplist([zl.str6(text)]));
  },
);

test.each([
  [63, zl.str6('x'.repeat(63))],
  [64, zl.str14('x'.repeat(64))],
  [16383, zl.str14('x'.repeat(16383))],
  [16384, zl.str32('x'.repeat(16384))],
])('text of %i bytes takes the shortest form', (size, entry) => {
  expect(built(false, 'x'.repeat(size))).toEqual(ziplist([entry]));
});

test.each([251, 252, 253, 254])('an entry after one of %i bytes of text tells its size', (size) => {
  const long = 'x'.repeat(size);
  expect(built(false, 'a', long, 'b', '5')).toEqual(ziplist(['a', long, 'b', 5]));
});

test('reset starts over', () => {
  const builder = new ZiplistBuilder(false);
  builder.append(Buffer.alloc(300, 'x'), 0, 300);
  expect(builder.size).toBe(builder.finish().length);
  builder.reset();
  builder.append(Buffer.from('y'), 0, 1);
  expect(builder.count).toBe(1);
  expect(Buffer.from(builder.finish())).toEqual(ziplist(['y']));
});
