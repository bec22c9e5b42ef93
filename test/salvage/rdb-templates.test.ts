import { describe, expect, test } from 'vitest';
import { isFlawless } from '../../src/salvage/rdb-report.js';
import { recordRdb } from '../support/rdb.js';
import { RdbBuilder } from '../support/rdb-builder.js';
import { concat, len, listpack, str, u8 } from '../support/rdb-bytes.js';
import { saved, surveyed } from './rdb-salvage.js';

// Built from a description: no file with hash templates of a real server is at hand.

const template = (id: number, ...names: string[]) =>
  concat(u8(242), len(id), len(names.length), ...names.map(str));

/** Forty hashes of template 7 in both forms, and twenty of template 8, user:21000 and on, which stands in the middle. */
function file(): { bytes: Buffer; at: (mark: string) => number } {
  const builder = new RdbBuilder('REDIS0016').aux('redis-ver', '8.9.0').aux('redis-bits', '64').database(0);
  builder.raw(template(7, 'name', 'visits'));
  for (let i = 1000; i < 1020; i++) {
    builder.key(30, `user:${i}`, str(listpack(7, `somebody ${i}`, i)));
    builder.key(32, `more:${i}`, len(7), str(`another ${i}`), str(`${i} times`));
  }
  builder.raw(template(8, 'street'));
  for (let i = 1000; i < 1020; i++) builder.key(32, `user:2${i}`, len(8), str(`the street with number ${i}`));
  const bytes = builder.endUnchecked();
  return { bytes, at: (mark) => bytes.indexOf(mark) };
}

const { bytes: whole, at } = file();

const damaged = (offset: number, ...values: number[]): Buffer => {
  const copy = Buffer.from(whole);
  copy.set(values, offset);
  return copy;
};

const read = async (bytes: Buffer) => {
  const { keys } = await recordRdb(bytes);
  return new Map(keys.map(({ key, value }) => [Buffer.from(key, 'base64').toString(), value]));
};

describe('hashes that name their template', () => {
  test('are found whole, and written as they are', async () => {
    const { survey, bytes } = await saved(whole);
    expect(isFlawless(survey)).toBe(true);
    expect(survey.keys.whole).toBe(60);
    expect(bytes.equals(whole)).toBe(true);
  });

  test.each([
    ['a name', 'user:1003', [0xbf, 0xff]],
    ['a value', 'somebody 1003', [0xff, 0xff, 0xff]],
    ['a listpack', 'more:1003', [0x00, 0x80, 0xff]],
    ['the record before another template', 'more:1019', [0xbf, 0xbf]],
  ])('are saved behind damage in %s, with the fields of their template', async (_what, mark, values) => {
    const { bytes } = await saved(damaged(at(mark) - 1, ...values));
    const [before, after] = [await read(whole), await read(bytes)];
    expect(after.size).toBeGreaterThan(56);
    for (const [key, value] of after) expect([key, value]).toEqual([key, before.get(key)]);
    expect(after.has('user:21010')).toBe(true);
    expect(after.has('user:1010')).toBe(true);
  });

  test('are lost with it, and no others', async () => {
    const { bytes } = await saved(damaged(at('street') - 3, 0xee, 0xee));
    const names = [...(await read(bytes)).keys()];
    expect(names.filter((name) => name.startsWith('user:2'))).toEqual([]);
    expect(names.length).toBe(40);
  });

  test('of another template that damage looks like are not believed', async () => {
    // A template of the same number, three names long, inside of a damaged value.
    const inner = template(7, 'a', 'b', 'c');
    const start = at('the street with number 1004');
    const copy = damaged(start - 1, 0xff);
    inner.copy(copy, start);
    const survey = await surveyed(copy);
    expect(survey.damaged.length).toBe(1);
    const after = await read((await saved(copy)).bytes);
    expect(after.get('user:21019')).toEqual((await read(whole)).get('user:21019'));
    expect(after.size).toBeGreaterThan(57);
  });

  test('are written in part where that is asked for', async () => {
    const mark = at('15 times');
    const { written } = await saved(damaged(whole.lastIndexOf('1015 times') - 1, 0xff), { partial: true });
    expect(mark).toBeGreaterThan(0);
    expect(written.partialWritten).toBe(1);
  });
});
