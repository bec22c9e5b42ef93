import { describe, expect, test } from 'vitest';
import type { RdbSurvey } from '../../src/salvage/rdb-report.js';
import { isFlawless } from '../../src/salvage/rdb-report.js';
import { CORPUS_SERVERS, corpusBytes, rdbCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { recordRdb } from '../support/rdb.js';
import { redis } from '../support/rdb-builder.js';
import { concat, len, str, u8 } from '../support/rdb-bytes.js';
import { namesIn, saved, savedNames, surveyed } from './rdb-salvage.js';

/** Keys in two databases, enough for their names to be known by how they begin. */
function dataset(count: number) {
  const builder = redis(9).aux('redis-ver', '6.2.16').database(0);
  for (let i = 0; i < count; i++) {
    if (i === Math.floor((count * 3) / 4)) builder.database(3);
    builder.key(0, `user:${1000 + i}`, str(`value number ${i}`));
  }
  return builder;
}

const namesOf = (count: number): string[] =>
  Array.from(
    { length: count },
    (_, i) => `${i < Math.floor((count * 3) / 4) ? 0 : 3} user:${1000 + i}`,
  ).sort();

const changed = (bytes: Buffer, at: number, ...values: number[]): Buffer => {
  const copy = Buffer.from(bytes);
  copy.set(values, at);
  return copy;
};

describe.each(CORPUS_SERVERS)('an intact RDB of %s', (server) => {
  const names = rdbCases(server).flatMap(({ name }) => (/^(types|small|empty)$/.test(name) ? [name] : []));
  test.each(names)('%s is found flawless and written as it is', async (name) => {
    const bytes = corpusBytes(server, `${name}.rdb`);
    const { survey, bytes: again, written } = await saved(bytes);
    expect(isFlawless(survey)).toBe(true);
    expect(again.equals(bytes)).toBe(true);
    expect(written.keysWritten).toBe((await recordRdb(bytes)).keys.length);
  });
});

describe('damage in an RDB', () => {
  const whole = dataset(40).end();
  const unchecked = dataset(40).endUnchecked();

  test('of one byte is put right by the checksum, wherever it is', async () => {
    for (let at = 9; at < whole.length; at += 31) {
      const damaged = changed(whole, at, whole[at]! ^ 0x21);
      const { survey, bytes } = await saved(damaged);
      expect([at, survey.checksum, survey.keys.proven]).toEqual([at, 'corrected', 40]);
      expect(survey.corrections).toEqual([{ offset: at, from: damaged[at], to: whole[at] }]);
      expect(bytes.equals(whole)).toBe(true);
    }
  });

  test('of one byte costs one key at most where there is no checksum', async () => {
    for (let at = 40; at < unchecked.length - 9; at += 11) {
      const names = await savedNames(changed(unchecked, at, unchecked[at]! ^ 0x21));
      const missing = namesOf(40).filter((name) => !names.includes(name));
      // What is right of the database behind a changed SELECTDB nobody can know.
      if (missing.length > 2) expect([at, missing[0]]).toEqual([at, '3 user:1030']);
    }
  });

  test('says that keys are whole and not proven', async () => {
    const { keys, checksum } = await surveyed(changed(whole, 60, 1, 2, 3, 4), {});
    expect(checksum).toBe('mismatch');
    expect(keys.proven).toBe(0);
    expect(keys.whole).toBeGreaterThan(37);
  });

  test('tells of the damaged key its name, and where the damage was noticed', async () => {
    const at = whole.indexOf('user:1010');
    const { damaged } = await surveyed(changed(whole, at + 9, 0xbf, 0xbf, 0xbf, 0xbf));
    expect(damaged).toMatchObject([
      { start: at - 2, end: whole.indexOf('user:1011') - 2, code: 'rdb/bad-length', key: 'user:1010' },
    ]);
  });

  test('that makes a value longer does not take the keys it swallowed along', async () => {
    const at = unchecked.indexOf('user:1010') + 9;
    for (const grown of [0x20, 0x3f, 0x41, 0x43]) {
      const names = await savedNames(changed(unchecked, at, grown));
      const missing = namesOf(40).filter((name) => !names.includes(name));
      expect([grown, ...missing].length).toBeLessThan(5);
      expect(names.filter((name) => !namesOf(40).includes(name))).toEqual([]);
    }
  });

  test('that makes a value shorter does not turn the rest of it into keys', async () => {
    const at = unchecked.indexOf('user:1010') + 9;
    for (let length = 0; length < 14; length++) {
      const names = await savedNames(changed(unchecked, at, length));
      expect(names.filter((name) => !namesOf(40).includes(name))).toEqual([]);
      expect(names.length).toBeGreaterThanOrEqual(38);
    }
  });

  test('of zeros is no run of keys without a name', async () => {
    const from = unchecked.indexOf('user:1010') - 2;
    const to = unchecked.indexOf('user:1020') + 3;
    const { survey, bytes } = await saved(Buffer.from(unchecked).fill(0, from, to));
    const names = await namesIn(bytes);
    expect(names.filter((name) => !namesOf(40).includes(name))).toEqual([]);
    expect(names.length).toBe(29);
    expect(survey.damaged[0]).toMatchObject({ start: from, code: 'rdb/implausible-record' });
  });

  test('leaves no keys behind when all is zeros', async () => {
    const { keys, damaged } = await surveyed(Buffer.alloc(100_000));
    expect(keys.whole).toBe(0);
    expect(damaged).toHaveLength(1);
  });

  test('that took a SELECTDB makes the database a guess', async () => {
    const at = unchecked.indexOf(Buffer.from([254, 3]));
    const { segments, keys } = await surveyed(changed(unchecked, at, 0xc8, 0xc8));
    expect(keys.guessedDatabase).toBe(10);
    expect(segments.at(-1)).toMatchObject({ database: 0, databaseGuessed: true, keys: 10 });
  });

  test('finds the next database when the numbers of keys give it away', async () => {
    const builder = redis(9).database(0).resize(20, 0);
    for (let i = 0; i < 40; i++) {
      if (i === 20) builder.database(1).resize(20, 0);
      builder.key(0, `user:${1000 + i}`, str(`value ${i}`));
    }
    const bytes = builder.endUnchecked();
    const at = bytes.indexOf(Buffer.from([254, 1]));
    const { segments } = await surveyed(changed(bytes, at, 0xc8, 0xc8));
    expect(segments.at(-1)).toMatchObject({ database: 1, databaseGuessed: true });
  });
});

describe('the edges of an RDB', () => {
  const whole = dataset(30).endUnchecked();

  test('a damaged header is assumed from what follows', async () => {
    for (const header of ['XEDIS0009', 'REDIS00x9', '\0\0\0\0\0\0\0\0\0']) {
      const { survey, bytes } = await saved(changed(whole, 0, ...Buffer.from(header)));
      expect(survey.header).toMatchObject({ magic: 'REDIS0009', version: 9, intact: false });
      expect((await namesIn(bytes)).sort()).toEqual(namesOf(30));
    }
  });

  test('a lost head costs what it held', async () => {
    const { survey, bytes } = await saved(whole.subarray(whole.indexOf('user:1004')));
    expect(survey.header.intact).toBe(false);
    expect((await namesIn(bytes)).length).toBe(25);
  });

  test('a missing end is told, and written', async () => {
    const cut = whole.subarray(0, whole.length - 20);
    const { survey, bytes } = await saved(cut);
    expect(survey).toMatchObject({ endSeen: false, checksum: 'absent' });
    expect(survey.damaged.at(-1)).toMatchObject({ code: 'rdb/truncated', end: cut.length });
    expect((await namesIn(bytes)).length).toBe(29);
  });

  test('bytes behind the end belong to nothing', async () => {
    const { survey, bytes } = await saved(concat(whole, 'what is this'));
    expect(survey).toMatchObject({ endSeen: true, end: whole.length, trailingBytes: 12 });
    expect(bytes.equals(whole)).toBe(true);
  });

  const log = Buffer.from('*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n');

  test('of a preamble is where the commands begin', async () => {
    const survey = await surveyed(concat(whole, log), { preamble: true });
    expect(survey).toMatchObject({ end: whole.length, endSeen: true, trailingBytes: 0 });
    expect(isFlawless(survey)).toBe(true);
  });

  test('of a preamble is where they begin though its middle is damaged', async () => {
    const start = Math.floor(whole.length / 2);
    for (let at = start; at < start + 40; at++) {
      const survey = await surveyed(changed(concat(whole, log), at, whole[at]! ^ 0x55), { preamble: true });
      const alone = await surveyed(changed(whole, at, whole[at]! ^ 0x55), {});
      expect(survey).toMatchObject({ end: whole.length, endSeen: true });
      expect(survey.keys).toEqual(alone.keys);
      const places = ({ damaged }: RdbSurvey) =>
        damaged.map(({ start, end, code }) => ({ start, end, code }));
      expect(places(survey)).toEqual(places(alone));
    }
  });

  test('of a preamble is found when its end mark is damaged', async () => {
    const damaged = changed(concat(whole, log), whole.length - 9, 0x2f);
    const survey = await surveyed(damaged, { preamble: true });
    expect(survey).toMatchObject({ end: whole.length, endSeen: false });
    expect(survey.keys.whole).toBe(30);
  });
});

describe('names that come twice', () => {
  test('are written once, the first of them, in each database', async () => {
    const bytes = redis(9)
      .key(0, 'a', str('first'))
      .key(0, 'b', str('x'))
      .key(0, 'a', str('second'))
      .database(1)
      .key(0, 'a', str('other'))
      .end();
    const { survey, written, bytes: again } = await saved(bytes);
    expect(survey.keys).toMatchObject({ whole: 3, duplicate: 1 });
    expect(written.duplicatesDropped).toBe(1);
    const { keys } = await recordRdb(again);
    expect(keys.filter(({ db }) => db === 0).map(({ value }) => value)).toContain(
      Buffer.from('first').toString('base64'),
    );
    const twice = await saved(again);
    expect(isFlawless(twice.survey)).toBe(true);
    expect(twice.bytes.equals(again)).toBe(true);
  });
});

describe('a damaged collection', () => {
  const elements = Array.from({ length: 30 }, (_, i) => str(`element ${i}`));
  const builder = () => {
    const made = redis(9);
    for (let i = 0; i < 12; i++) made.key(0, `user:${i}`, str(`v${i}`));
    made.key(2, 'a set', len(30), ...elements);
    for (let i = 12; i < 24; i++) made.key(0, `user:${i}`, str(`v${i}`));
    return made.endUnchecked();
  };

  test('is left out, or written up to its damage', async () => {
    const bytes = builder();
    const damaged = changed(bytes, bytes.indexOf('element 20') - 1, 0xbf);
    const without = await saved(damaged);
    expect(without.survey.partial).toMatchObject([{ key: 'a set', items: 20, database: 0 }]);
    expect((await namesIn(without.bytes)).length).toBe(24);
    const { keys } = await recordRdb((await saved(damaged, { partial: true })).bytes);
    const set = keys.find(({ key }) => Buffer.from(key, 'base64').toString() === 'a set');
    expect(set).toMatchObject({ type: 'set' });
    expect((set!.value as string[]).length).toBe(20);
  });

  test('of every kind and release is written in part so that it reads again', async () => {
    for (const server of THOROUGH ? CORPUS_SERVERS : ['redis-2.8.24', 'redis-7.4.1']) {
      const bytes = corpusBytes(server, 'small.rdb');
      const { keys } = await recordRdb(bytes);
      const large = keys.filter(({ type }) => type !== 'string');
      for (const { key } of large) {
        const name = Buffer.from(key, 'base64');
        const at = bytes.indexOf(name);
        if (at < 0) continue;
        const damaged = changed(bytes, Math.min(bytes.length - 20, at + name.length + 40), 0xbf, 0xbf, 0xbf);
        const names = await namesIn((await saved(damaged, { partial: true, doubtful: true })).bytes);
        expect(new Set(names).size).toBe(names.length);
      }
    }
  });
});

describe('a header opcode that claims too much', () => {
  test('is left out', async () => {
    const bytes = redis(9)
      .database(0)
      .raw(u8(251, 0x80, 0xff, 0xff, 0xff, 0xff), len(0));
    for (let i = 0; i < 10; i++) bytes.key(0, `user:${i}`, str(`v${i}`));
    const { survey, bytes: again } = await saved(bytes.endUnchecked());
    expect(survey.damaged).toMatchObject([{ code: 'rdb/bad-length', detail: { reason: 'resize' } }]);
    expect((await namesIn(again)).length).toBe(10);
  });
});

describe('a survey that is handed over to', () => {
  test('takes what was checked by its layout, and looks into the rest', async () => {
    const builder = redis(10);
    for (let i = 0; i < 12; i++) builder.key(0, `user:${i}`, str(`v${i}`));
    const bad = builder.bytes().length;
    // A listpack whose length differs from what it says.
    builder.key(16, 'user:bad', str(u8(9, 0, 0, 0, 2, 0, 0x81, 0x61, 2, 0x81, 0x62, 2, 0xff)));
    for (let i = 12; i < 24; i++) builder.key(0, `user:${i}`, str(`v${i}`));
    const bytes = builder.endUnchecked();
    const whole = await surveyed(bytes);
    const handed = await surveyed(bytes, { trustedTo: bad });
    expect(whole.damaged).toMatchObject([{ start: bad, code: 'rdb/bad-listpack', key: 'user:bad' }]);
    expect(handed).toEqual(whole);
  });
});
