import { describe, expect, test } from 'vitest';
import { type ByteSource, MemorySource } from '../../../src/bytes/source.js';
import { checkFile } from '../../../src/tools/check/file.js';
import { NameMemory } from '../../../src/tools/check/names.js';
import { fileWith, type RdbBuilder, redis } from '../../support/rdb-builder.js';
import { concat, len, str, u8 } from '../../support/rdb-bytes.js';
import { testContext } from '../context.js';

async function check(bytes: Buffer, options: { quick?: boolean; heldBytes?: number } = {}) {
  const source: ByteSource = new MemorySource(bytes, 'dump.rdb');
  const { quick = false, heldBytes = 0 } = options;
  const { file, notChecked } = await checkFile(
    source,
    { form: 'rdb', last: true, quick, dialect: null },
    testContext({ memoryBytes: 1000, heldBytes: () => heldBytes }),
  );
  const findings = file.findings.map(({ code, where, detail }) => ({ code, ...where, ...detail }));
  return { file, findings, notes: notChecked.map(({ what, why }) => `${what}: ${why}`) };
}

const keys = (builder: RdbBuilder, ...names: string[]): RdbBuilder =>
  names.reduce((each, name) => each.key(0, name, str('v')), builder);

describe('keys that stand twice', () => {
  test('are told with both places', async () => {
    const start = redis(10).database(3);
    const before = keys(start, 'a', 'b').bytes().length;
    const file = keys(start, 'c', 'b', 'a', 'a').end();
    const { findings } = await check(file);
    expect(findings).toMatchObject([
      { code: 'rdb/duplicate-key', offset: before + 5, key: 'b', database: 3, firstOffset: before - 5 },
      { code: 'rdb/duplicate-key', offset: before + 10, key: 'a', firstOffset: before - 10 },
      { code: 'rdb/duplicate-key', offset: before + 15, key: 'a', firstOffset: before - 10 },
    ]);
  });

  test('in two databases are two keys', async () => {
    const file = keys(keys(redis(10).database(0), 'a', 'b').database(1), 'a', 'b').end();
    expect((await check(file)).findings).toEqual([]);
  });

  test('are found whatever their form: an integer and its text are one name', async () => {
    const file = redis(10)
      .database(0)
      .raw(u8(0, 0xc0, 7), str('v'))
      .key(0, '7', str('v'))
      .end();
    expect((await check(file)).findings).toMatchObject([{ code: 'rdb/duplicate-key', key: '7' }]);
  });

  test('--quick does not look for them, nor does a check without the memory, and both say so', async () => {
    const file = keys(redis(10).database(0), 'a', 'a').end();
    const quick = await check(file, { quick: true });
    expect(quick.findings).toEqual([]);
    expect(quick.notes).toContain('values and names of keys: --quick walks past them');
    const poor = await check(file, { heldBytes: 1001 });
    expect(poor.findings).toEqual([]);
    expect(poor.notes).toContain('duplicate keys: their names take more than --memory allows');
  });
});

describe('names remembered as hashes', () => {
  const add = (names: NameMemory, name: string, database = 0) =>
    names.add(database, Buffer.from(name), 0, name.length);

  test('only what came twice is a suspect', () => {
    const names = new NameMemory();
    for (let i = 0; i < 200_000; i++) add(names, `user:${i}:session`);
    for (const i of [0, 65_535, 65_536, 199_999]) add(names, `user:${i}:session`);
    for (let i = 0; i < 1000; i++) add(names, `user:${i}:session`, 1);
    const suspects = names.suspects()!;
    expect(suspects.size).toBe(4);
    const has = (name: string, database = 0) => suspects.has(database, Buffer.from(name), 0, name.length);
    const found = Array.from({ length: 200_000 }, (_, i) => i).filter((i) => has(`user:${i}:session`));
    expect(found).toEqual([0, 65_535, 65_536, 199_999]);
    expect(has('user:0:session', 1)).toBe(false);
  });

  test('short names, long names and names of zeros are told apart', () => {
    const names = new NameMemory();
    for (let length = 0; length < 300; length++) {
      add(names, '\0'.repeat(length));
      add(names, 'x'.repeat(length + 1));
      for (const c of 'abc') add(names, `${'y'.repeat(length)}${c}`);
    }
    expect(names.suspects()!.size).toBe(0);
  });

  test('takes less than eight bytes a key', () => {
    const names = new NameMemory();
    for (let i = 0; i < 1 << 19; i++) add(names, String(i));
    expect(names.heldBytes).toBeGreaterThan(7 << 19);
    expect(names.heldBytes).toBeLessThan(8 << 19);
  });
});

describe('times of expiry that make no sense', () => {
  const at = (ms: number | bigint) => redis(10).database(0).expiryMs(ms).key(0, 'k', str('v')).end();

  test.each([
    -1,
    0,
    1_772_366_400,
    Date.UTC(2008, 11, 31),
    Date.UTC(10_000, 0, 1),
    2n ** 63n - 1n,
    -(2n ** 63n),
  ])('%s', async (ms) => {
    const expiresAtMs = typeof ms === 'number' ? ms : String(ms);
    expect((await check(at(ms))).findings).toMatchObject([
      { code: 'rdb/odd-expiry', key: 'k', database: 0, offset: 11, expiresAtMs },
    ]);
  });

  test.each([Date.UTC(2009, 0, 1), Date.UTC(2026, 2, 1), Date.UTC(9999, 11, 31)])('%s is one', async (ms) => {
    expect((await check(at(ms))).findings).toEqual([]);
  });

  test('a hash is told once, with the first such field', async () => {
    const field = (name: string, ms: number) => concat(len(ms), str(name), str('v'));
    // Type 22, of a release candidate of 7.4: absolute times, plus one.
    const file = fileWith(12, 22, len(3), field('a', 0), field('b', 5001), field('c', 6001));
    expect((await check(file)).findings).toMatchObject([
      { code: 'rdb/odd-expiry', key: 'k', field: 'b', expiresAtMs: 5001 },
    ]);
  });
});

describe('numbers of keys that were announced', () => {
  const expiring = (builder: RdbBuilder, name: string) =>
    builder.expiryMs(Date.UTC(2030, 0, 1)).key(0, name, str('v'));

  test('are held to those that came', async () => {
    const right = expiring(keys(redis(10).database(0).resize(3, 1), 'a', 'b'), 'c');
    expect((await check(keys(right.database(1).resize(1, 0), 'a').end())).findings).toEqual([]);
  });

  test.each([
    [2, 1, { of: 'database 0', announced: 2, came: 3 }],
    [4, 1, { of: 'database 0', announced: 4, came: 3 }],
    [3, 0, { of: 'database 0', announcedExpiring: 0, came: 1 }],
  ])('%i and %i with an expiry', async (all, some, detail) => {
    const file = expiring(keys(redis(10).database(0).resize(all, some), 'a', 'b'), 'c').end();
    expect((await check(file)).findings).toMatchObject([
      { code: 'rdb/count-differs', offset: 11, ...detail },
    ]);
  });

  test('servers before 5.0 announced what had expired, and KeyDB counts members that expire', async () => {
    expect((await check(keys(redis(8).database(0).resize(3, 1), 'a').end())).findings).toEqual([]);
    const keydb = redis(9).aux('mvcc-tstamp', '1').database(0).resize(1, 5);
    expect((await check(keys(keydb, 'a').end())).findings).toEqual([]);
  });

  test('of each slot, too', async () => {
    const start = redis(12).database(0).resize(3, 0).slotInfo(1, 1, 0);
    const file = keys(keys(start, 'a').slotInfo(2, 1, 0), 'b', 'c').end();
    expect((await check(file)).findings).toMatchObject([
      { code: 'rdb/count-differs', of: 'slot 2', announced: 1, came: 2 },
    ]);
  });
});
