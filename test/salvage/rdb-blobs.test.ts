import { describe, expect, test } from 'vitest';
import { isFlawless } from '../../src/salvage/rdb-report.js';
import { lz4Frame } from '../support/pack.js';
import { RdbBuilder } from '../support/rdb-builder.js';
import { concat, len, str, u8, u32le } from '../support/rdb-bytes.js';
import { saved, savedNames, surveyed } from './rdb-salvage.js';

// Built from a description: no file of a real Dragonfly is at hand.

const key = (number: number) => concat(u8(0), str(`user:${1000 + number}`), str(`the value of ${number}`));
const keys = (from: number, to: number) =>
  concat(...Array.from({ length: to - from }, (_, i) => key(from + i)));
const blob = (plain: Buffer) => {
  const frame = lz4Frame(plain, { blockChecksums: true, contentSize: true });
  return concat(u8(202), len(frame.length), frame);
};
const start = () =>
  new RdbBuilder('REDIS0009').aux('redis-ver', '6.2.11').aux('df-ver', 'df-v1.30.0').database(0);

/** Thirty keys as they are, then blobs of ten keys each, one key behind each. */
const BLOBS = 6;
const whole = start()
  .raw(
    keys(0, 30),
    ...Array.from({ length: BLOBS }, (_, i) => concat(blob(keys(100 + 10 * i, 110 + 10 * i)), key(30 + i))),
  )
  .endUnchecked();

const changed = (at: number, ...values: number[]) => {
  const copy = Buffer.from(whole);
  copy.set(values, at);
  return copy;
};

describe('records compressed by Dragonfly', () => {
  test('are found whole, and written as they are', async () => {
    const { survey, bytes } = await saved(whole);
    expect(isFlawless(survey)).toBe(true);
    expect(bytes.equals(whole)).toBe(true);
  });

  test('behind damage are saved', async () => {
    const names = await savedNames(changed(whole.indexOf('user:1012') - 1, 0xbf, 0xff));
    expect(names.length).toBe(30 + BLOBS + 10 * BLOBS - 1);
  });

  test('are lost where a byte of one is changed, and no others', async () => {
    const third = whole.indexOf('user:1120');
    const { survey, bytes } = await saved(changed(third + 3, 0xff));
    expect(survey.damaged.length).toBe(1);
    const names = await savedNames(bytes);
    expect(names.length).toBe(30 + BLOBS + 10 * (BLOBS - 1));
    expect(names).toContain('0 user:1155');
  });

  test('are found right behind damage, without any key between', async () => {
    const bytes = start()
      .raw(keys(0, 30), ...Array.from({ length: BLOBS }, (_, i) => blob(keys(100 + 10 * i, 110 + 10 * i))))
      .endUnchecked();
    bytes[bytes.indexOf('user:1110') + 2]! ^= 0xff;
    const names = await savedNames(bytes);
    expect(names.length).toBe(30 + 10 * (BLOBS - 1));
  });

  test('and split are left out of what is saved, and said to be damage', async () => {
    const chunk = (part: Buffer) => concat(u8(224), u32le(1), u32le(part.length), part);
    const value = key(500);
    const bytes = start()
      .raw(keys(0, 30), chunk(value.subarray(0, 9)), keys(30, 40), chunk(value.subarray(9)), keys(40, 60))
      .endUnchecked();
    expect((await surveyed(bytes)).damaged.length).toBe(2);
    expect((await savedNames(bytes)).length).toBe(60);
  });
});
