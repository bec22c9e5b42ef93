import { expect, test } from 'vitest';
import { ListpackBuilder } from '../../../src/rdb/packed/listpack-builder.js';
import { backLength, concat, listpack, listpackOf, lp } from '../../support/rdb-bytes.js';

function built(...texts: string[]): Buffer {
  const builder = new ListpackBuilder();
  for (const text of texts) append(builder, text);
  return Buffer.from(builder.finish());
}

function append(builder: ListpackBuilder, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  builder.append(bytes, 0, bytes.length);
}

test('nothing is a header and an end', () => {
  expect(built()).toEqual(listpack());
});

test.each([
  ['0', lp.uint7(0)],
  ['127', lp.uint7(127)],
  ['128', lp.int13(128)],
  ['-1', lp.int13(-1)],
  ['4095', lp.int13(4095)],
  ['-4096', lp.int13(-4096)],
  ['4096', lp.int16(4096)],
  ['-4097', lp.int16(-4097)],
  ['32767', lp.int16(32767)],
  ['-32768', lp.int16(-32768)],
  ['32768', lp.int24(32768)],
  ['-32769', lp.int24(-32769)],
  ['8388607', lp.int24(8388607)],
  ['-8388608', lp.int24(-8388608)],
  ['8388608', lp.int32(8388608)],
  ['-8388609', lp.int32(-8388609)],
  ['2147483647', lp.int32(2147483647)],
  ['-2147483648', lp.int32(-2147483648)],
  ['2147483648', lp.int64(2147483648)],
  ['-2147483649', lp.int64(-2147483649)],
  ['9223372036854775807', lp.int64(9223372036854775807n)],
  ['-9223372036854775808', lp.int64(-9223372036854775808n)],
])('%s becomes an integer of its width', (text, entry) => {
  expect(built(text)).toEqual(listpack(entry));
});

test.each(['', '-0', '+1', '01', '1 ', '9223372036854775808', '-9223372036854775809', '1e3', 'inf'])(
  '%j stays text',
  (text) => {
    expect(built(text)).toEqual(listpack(lp.str6(text)));
  },
);

test.each([
  [63, lp.str6('x'.repeat(63))],
  [64, lp.str12('x'.repeat(64))],
  [4095, lp.str12('x'.repeat(4095))],
  [4096, lp.str32('x'.repeat(4096))],
  [126, lp.str12('x'.repeat(126))],
  [16378, lp.str32('x'.repeat(16378))],
  [16379, lp.str32('x'.repeat(16379))],
  [2097146, lp.str32('x'.repeat(2097146))],
  [2097147, lp.str32('x'.repeat(2097147))],
])('text of %i bytes takes the shortest form, its length readable from behind', (size, entry) => {
  const wanted = listpackOf(1, concat(entry, backLength(entry.length)));
  expect(built('x'.repeat(size)).equals(wanted)).toBe(true);
});

test('integers can be given as numbers and as words', () => {
  const builder = new ListpackBuilder();
  builder.appendInteger(-5);
  builder.appendInteger(2 ** 40);
  builder.appendInteger(2n ** 63n - 1n);
  builder.appendWords(0xffffffff, 0xfffffffe);
  expect(Buffer.from(builder.finish())).toEqual(listpack(-5, lp.int64(2 ** 40), 2n ** 63n - 1n, -2));
});

test('a count above the field’s range is left to be walked', () => {
  const builder = new ListpackBuilder();
  for (let i = 0; i < 65536; i++) builder.appendInteger(1);
  expect(builder.count).toBe(65536);
  expect(builder.finish().readUInt16LE(4)).toBe(65535);
  expect(builder.finish().length).toBe(7 + 2 * 65536);
});

test('size is that of the finished bytes, and reset starts over', () => {
  const builder = new ListpackBuilder();
  append(builder, 'first');
  expect(builder.size).toBe(builder.finish().length);
  builder.reset();
  append(builder, '7');
  builder.setFirst(9);
  expect(Buffer.from(builder.finish())).toEqual(listpack(9));
});
