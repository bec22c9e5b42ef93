import { expect, test } from 'vitest';
import { IntsetBuilder } from '../../../src/rdb/packed/intset-builder.js';
import { intset } from '../../support/rdb-bytes.js';

function built(...texts: string[]): Buffer | null {
  const builder = new IntsetBuilder();
  for (const text of texts) expect(builder.append(Buffer.from(text), 0, text.length)).toBe(true);
  expect(builder.count).toBe(texts.length);
  return builder.finish();
}

test('values are in ascending order, as signed numbers', () => {
  expect(built('3', '-1', '0', '-32768', '32767')).toEqual(intset(2, -32768, -1, 0, 3, 32767));
});

test.each([
  ['32768', 4],
  ['-32769', 4],
  ['2147483647', 4],
  ['-2147483648', 4],
  ['2147483648', 8],
  ['-2147483649', 8],
  ['9223372036854775807', 8],
  ['-9223372036854775808', 8],
] as const)('all are as wide as %s needs', (text, width) => {
  const sorted = [BigInt(text), 5n].sort((a, b) => (a < b ? -1 : 1));
  expect(built('5', text)).toEqual(intset(width, ...sorted));
});

test('values that differ only above 2^53 stay apart and in order', () => {
  expect(built('9007199254740993', '9007199254740992', '-9007199254740993')).toEqual(
    intset(8, -9007199254740993n, 9007199254740992n, 9007199254740993n),
  );
});

test('a value that comes twice fits in no intset', () => {
  expect(built('1', '2', '1')).toBeNull();
});

test('text that is no canonical integer is refused and not added', () => {
  const builder = new IntsetBuilder();
  for (const text of ['', '01', '-0', '1.0', '9223372036854775808']) {
    expect(builder.append(Buffer.from(text), 0, text.length)).toBe(false);
  }
  expect(builder.count).toBe(0);
});

test('reset starts over', () => {
  const builder = new IntsetBuilder();
  builder.append(Buffer.from('70000'), 0, 5);
  builder.reset();
  builder.append(Buffer.from('7'), 0, 1);
  expect(builder.finish()).toEqual(intset(2, 7));
});
