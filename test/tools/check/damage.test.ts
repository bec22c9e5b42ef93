import { describe, expect, test } from 'vitest';
import { type ByteSource, MemorySource } from '../../../src/bytes/source.js';
import { checkFile } from '../../../src/tools/check/file.js';
import { redis } from '../../support/rdb-builder.js';
import { concat, len, str, u8 } from '../../support/rdb-bytes.js';
import { resp } from '../../support/resp.js';
import { testContext } from '../context.js';

async function check(
  bytes: Buffer | string,
  form: 'rdb' | 'aof',
  more: Partial<ByteSource> = {},
  last = true,
) {
  const content = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  const memory = new MemorySource(content, form === 'rdb' ? 'dump.rdb' : 'appendonly.aof');
  const source: ByteSource = {
    label: memory.label,
    size: memory.size,
    open: (at) => memory.open(at),
    ...more,
  };
  const { file, notChecked } = await checkFile(
    source,
    { form, last, quick: false, dialect: null },
    testContext(),
  );
  const findings = file.findings.map(({ code, where, preview }) => {
    const { offset, start = offset, length } = where;
    return { code, offset, start, length, preview };
  });
  return { file, findings, notes: notChecked.filter(({ routine }) => !routine).map(({ what }) => what) };
}

/** So many commands that set keys of their own. */
const sets = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, i) => resp(`SET ${name}${i} value${i}`));

describe('a log with damage in two places', () => {
  const first = sets(20, 'a').join('');
  const second = sets(20, 'b').join('');
  const third = sets(20, 'c').join('');
  const broken = resp('SET x 1').replace('$1\r\nx', '%1\r\nx');
  const lost = 'nothing of this is a command';
  const log = first + broken + second + lost + third;
  const secondDamage = first.length + broken.length + second.length;

  test('is read to its end: a finding for each, and every other command counts', async () => {
    const { file, findings } = await check(log, 'aof');
    expect(findings).toEqual([
      {
        code: 'aof/bad-prefix',
        offset: first.length + 13,
        start: first.length,
        length: broken.length,
        preview: broken.slice(13),
      },
      {
        code: 'aof/bad-prefix',
        offset: secondDamage,
        start: secondDamage,
        length: lost.length,
        preview: lost.slice(0, 24),
      },
    ]);
    expect(file).toMatchObject({
      commands: 60,
      validBytes: first.length,
      damagedBytes: broken.length + lost.length,
      doubtful: 0,
    });
  });

  test('from a pipe is read to the first, and says that it ends there', async () => {
    const { file, findings, notes } = await check(log, 'aof', { once: true });
    expect(findings).toMatchObject([{ code: 'aof/bad-prefix', offset: first.length + 13 }]);
    expect(file).toMatchObject({ commands: 20, validBytes: first.length });
    expect(notes).toEqual(['what stands behind the damage']);
  });
});

describe('transactions around damage', () => {
  const start = sets(10, 'a').join('');
  const end = sets(10, 'z').join('');

  test('one that lost its EXEC or its MULTI is not told a second time', async () => {
    const opened = `${start}${resp('MULTI', 'SET m 1')}damage${resp('MULTI', 'SET n 1', 'EXEC')}${end}`;
    expect((await check(opened, 'aof')).findings.map(({ code }) => code)).toEqual(['aof/bad-prefix']);
    const closed = `${start}damage${resp('SET m 1', 'EXEC')}${end}`;
    expect((await check(closed, 'aof')).findings.map(({ code }) => code)).toEqual(['aof/bad-prefix']);
  });

  test('the log is valid up to the MULTI around the damage', async () => {
    const { file } = await check(`${start}${resp('MULTI', 'SET m 1')}damage${resp('EXEC')}${end}`, 'aof');
    expect(file.validBytes).toBe(start.length);
  });

  test('one that is open at the end is told, whatever was damaged before', async () => {
    const { findings } = await check(`${start}damage${end}${resp('MULTI', 'SET m 1')}`, 'aof');
    expect(findings.map(({ code }) => code)).toEqual(['aof/bad-prefix', 'aof/open-transaction']);
  });
});

test('a torn tail is one finding, and fatal in a file that others follow', async () => {
  const start = sets(10, 'a').join('');
  const torn = resp('SET k value').slice(0, -4);
  const last = await check(start + torn, 'aof');
  expect(last.findings).toMatchObject([{ code: 'aof/torn-tail', offset: start.length, length: torn.length }]);
  const followed = await check(start + torn, 'aof', {}, false);
  expect(followed.findings).toMatchObject([{ code: 'aof/truncated', offset: start.length }]);
  expect(followed.file).toMatchObject({ commands: 10, validBytes: start.length });
});

test('commands that may be the content of a damaged value are doubtful', async () => {
  const start = sets(10, 'a').join('');
  const inside = sets(10, 'inside').join('');
  const holder = `*3\r\n$3\r\nSET\r\n$1\r\nh\r\n$${inside.length}\r\n${inside}\r\n`;
  const damaged = holder.replace('\r\n$1\r\nh', '\r\n$1\rXh');
  const { file, findings } = await check(start + damaged + sets(10, 'z').join(''), 'aof');
  expect(findings.map(({ code }) => code)).toContain('aof/doubtful-records');
  expect(file).toMatchObject({ commands: 20, doubtful: 10, validBytes: start.length });
});

describe('an RDB', () => {
  const hash = (name: string) =>
    concat(u8(4), str(`user:${name}`), len(2), str('name'), str(`Name of ${name}`), str('city'), str('Oslo'));
  const many = (name: string, count: number) =>
    concat(...Array.from({ length: count }, (_, i) => hash(`${name}${i}`)));
  const start = redis(10).database(0).raw(many('a', 30)).bytes();
  const damage = concat(u8(99), str('a'), str('b'));

  test('is read behind its damage, and its keys are whole but not proven', async () => {
    const whole = redis(10).database(0).raw(many('a', 30), many('b', 30)).end();
    const file = Buffer.concat([start, damage, whole.subarray(start.length)]);
    const { file: report, findings } = await check(file, 'rdb');
    expect(findings).toMatchObject([
      { code: 'rdb/unknown-type', start: start.length, length: damage.length, preview: 'c\x01a\x01b' },
    ]);
    expect(report).toMatchObject({
      keys: 60,
      unprovenKeys: 60,
      validBytes: start.length,
      damagedBytes: damage.length,
    });
  });

  test('whose checksum alone is wrong has all its keys', async () => {
    const file = Buffer.from(redis(10).database(0).raw(many('a', 30)).end());
    file[file.length - 1]! ^= 1;
    const { file: report, findings } = await check(file, 'rdb');
    expect(findings.map(({ code }) => code)).toEqual(['rdb/checksum-mismatch']);
    expect(report).toMatchObject({
      keys: 30,
      unprovenKeys: 30,
      damagedBytes: 0,
      validBytes: file.length - 8,
    });
  });

  test('in front of a log: both are read to their ends', async () => {
    const preamble = Buffer.from(redis(10).database(0).raw(many('a', 30)).end());
    preamble[preamble.length - 1]! ^= 1;
    const log = `${sets(10, 'k').join('')}damage${sets(10, 'l').join('')}`;
    const { file, findings } = await check(Buffer.concat([preamble, Buffer.from(log)]), 'aof');
    expect(findings.map(({ code }) => code)).toEqual(['rdb/checksum-mismatch', 'aof/bad-prefix']);
    expect(file).toMatchObject({ format: 'aof', keys: 30, unprovenKeys: 30, commands: 20 });
    expect(file.validBytes).toBe(preamble.length - 8);
  });
});
