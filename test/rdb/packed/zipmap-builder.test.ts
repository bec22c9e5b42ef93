import { expect, test } from 'vitest';
import { ZipmapBuilder } from '../../../src/rdb/packed/zipmap-builder.js';
import { zipmap } from '../../support/rdb-bytes.js';

function built(...pairs: [string, string][]): Buffer {
  const builder = new ZipmapBuilder();
  for (const text of pairs.flat()) builder.append(Buffer.from(text), 0, text.length);
  return Buffer.from(builder.finish());
}

test('pairs stand one after the other', () => {
  expect(built(['a', '1'], ['', ''], ['field', 'value'])).toEqual(
    zipmap([
      ['a', '1'],
      ['', ''],
      ['field', 'value'],
    ]),
  );
});

test.each([253, 254, 300])('a text of %i bytes tells its length', (size) => {
  const text = 'x'.repeat(size);
  expect(built([text, 'short'], ['short', text])).toEqual(
    zipmap([
      [text, 'short'],
      ['short', text],
    ]),
  );
});

test.each([253, 254, 400])('%i pairs are counted as far as a byte reaches', (count) => {
  const pairs = Array.from({ length: count }, (_, i): [string, string] => [`f${i}`, `${i}`]);
  expect(built(...pairs)).toEqual(zipmap(pairs));
});
