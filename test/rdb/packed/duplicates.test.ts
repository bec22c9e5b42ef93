import { describe, expect, test } from 'vitest';
import { ByteSlice, sliceOf } from '../../../src/bytes/slice.js';
import { DuplicateFinder } from '../../../src/rdb/packed/duplicates.js';
import { same } from '../../support/same.js';

describe('texts in one value', () => {
  test('are new once', () => {
    const finder = new DuplicateFinder();
    finder.reset();
    expect(['a', 'b', '', 'a', '', 'ab', 'b'].map((text) => finder.add(sliceOf(text)))).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
      false,
    ]);
  });

  test('are forgotten with it', () => {
    const finder = new DuplicateFinder();
    for (let value = 0; value < 5000; value++) {
      finder.reset();
      same(finder.add(sliceOf('a')), true);
      same(finder.add(sliceOf('a')), false);
    }
  });

  test('are told apart however many and long there are', () => {
    const finder = new DuplicateFinder();
    for (let value = 0; value < 2; value++) {
      finder.reset();
      const texts = Array.from({ length: 100_000 }, (_, i) =>
        sliceOf(i % 1000 === 0 ? `${'x'.repeat(3000)}${i}` : `member:${i}`),
      );
      expect(texts.filter((text) => !finder.add(text))).toHaveLength(0);
      expect(texts.filter((text) => finder.add(text))).toHaveLength(0);
    }
  });

  test('are kept, not borrowed', () => {
    const finder = new DuplicateFinder();
    const bytes = Buffer.from('abc');
    finder.reset();
    expect(finder.add(new ByteSlice().set(bytes, 0, 3))).toBe(true);
    bytes.write('xyz');
    expect(finder.add(new ByteSlice().set(bytes, 0, 3))).toBe(true);
    expect(finder.add(sliceOf('abc'))).toBe(false);
  });
});
