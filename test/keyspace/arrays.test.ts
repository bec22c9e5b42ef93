import { describe, expect, test } from 'vitest';
import type { Long } from '../../src/bytes/int64.js';
import { ByteSlice } from '../../src/bytes/slice.js';
import { ArrayValue, NO_CURSOR } from '../../src/keyspace/array/array.js';
import { APPLIED, FAILED } from '../../src/keyspace/outcome.js';
import { ItemSink } from '../../src/model/handler.js';
import { seeds } from '../support/effort.js';
import { Random } from '../support/random.js';
import { answerAlike } from './answers.js';
import { EngineDriver } from './engine-driver.js';

class Elements extends ItemSink {
  readonly told: [Long, string][] = [];
  cursor: Long = NO_CURSOR;

  override arrayCursor(index: Long): void {
    this.cursor = index;
  }

  override arrayElement(index: Long, value: ByteSlice): void {
    this.told.push([index, value.latin1()]);
  }
}

function elementsOf(array: ArrayValue): [Long, string][] {
  const elements = new Elements();
  array.tell(elements);
  return elements.told;
}

function put(array: ArrayValue, index: Long, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  array.set(index, bytes, 0, bytes.length);
}

test('a server of 8.8 answers the same, and dumps the same bytes', () => {
  expect(answerAlike('redis-8.8dev-arrays.json.gz')).toMatchObject({ commands: 901, refused: 93, dumps: 93 });
});

describe.each(seeds('array'))('seed %i', (seed) => {
  test('an array holds what a plain list of pairs would', () => {
    const random = new Random(seed);
    const array = new ArrayValue();
    const model = new Map<number, string>();
    const spread = [40, 3000, 100_000][random.below(3)]!;
    for (let i = 0; i < 4000; i++) {
      const index = random.below(spread);
      const action = random.below(10);
      if (action < 7) {
        const text = random.once(200) ? 'x'.repeat(random.below(300_000)) : `${i}`.repeat(random.below(4));
        put(array, index, text);
        model.set(index, text);
      } else if (action < 9) {
        expect(array.delete(index)).toBe(model.delete(index));
      } else if (random.once(4)) {
        const to = index + random.below(spread / 4);
        array.deleteRange(index, to);
        for (const held of [...model.keys()]) if (held >= index && held <= to) model.delete(held);
      }
    }
    const expected = [...model].sort(([a], [b]) => a - b);
    expect(elementsOf(array)).toEqual(expected);
    expect(array.count).toBe(model.size);
    expect(array.length).toBe((expected.at(-1)?.[0] ?? -1) + 1);
    const slice = new ByteSlice();
    for (const [index, text] of expected.slice(0, 50)) {
      expect(array.get(index, slice)).toBe(true);
      expect(slice.latin1()).toBe(text);
    }
  });
});

test('elements that come from the last to the first fill leaves as others do', () => {
  const array = new ArrayValue();
  for (let index = 5000; index >= 0; index--) put(array, index, `${index}`);
  array.deleteRange(1000, 4999);
  expect(elementsOf(array).map(([index]) => index)).toEqual([...Array(1000).keys(), 5000]);
});

test('a copy goes its own way', () => {
  const array = new ArrayValue();
  for (let index = 0; index < 2000; index++) put(array, index * 7, `${index}`);
  const copy = array.clone();
  const before = elementsOf(array);
  array.deleteRange(0, 7000);
  put(array, 3, 'new');
  expect(elementsOf(copy)).toEqual(before);
});

test('the highest indexes cost what the lowest do', () => {
  const driver = new EngineDriver();
  expect(driver.run('ARMSET a 18446744073709551614 z 0 x 9223372036854775808 y')).toBe(APPLIED);
  expect(driver.run('ARRING a 9223372036854775807 w')).toBe(APPLIED);
  expect(driver.run('ARSET a 18446744073709551614 p q')).toBe(FAILED);
  expect(driver.engine.lastError).toBe('ERR array index overflow');
  expect(driver.run('ARSEEK a 18446744073709551615')).toBe(APPLIED);
  expect(driver.run('ARINSERT a v')).toBe(FAILED);
  expect(driver.run('ARDELRANGE a 1 18446744073709551614')).toBe(APPLIED);
  expect(driver.run('ARDELRANGE a 18446744073709551614 0')).toBe(APPLIED);
  expect(driver.engine.db.size).toBe(0);
});

describe('GCRASETVALUE', () => {
  const driver = new EngineDriver();

  test('holds the time, and lets the key expire then', () => {
    expect(driver.run('GCRASETVALUE limit 1772366400123456')).toBe(APPLIED);
    expect(driver.expiry('limit')).toBe(1_772_366_400_123);
    expect(driver.run('GCRASETVALUE limit 9223372036854775807')).toBe(APPLIED);
    expect(driver.expiry('limit')).toBe(9_223_372_036_854_775n);
  });

  test.each([
    ['GCRASETVALUE limit -1', 'ERR Invalid negative TaT value'],
    ['GCRASETVALUE limit soon', 'ERR Invalid TaT value'],
    ['GCRASETVALUE text 5', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
  ])('%s is refused', (command, message) => {
    driver.run('SET text x');
    expect(driver.run(command)).toBe(FAILED);
    expect(driver.engine.lastError).toBe(message);
  });
});
