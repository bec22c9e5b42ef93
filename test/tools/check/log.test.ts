import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../../src/bytes/source.js';
import { checkFile } from '../../../src/tools/check/file.js';
import { resp } from '../../support/resp.js';
import { testContext } from '../context.js';

const START = resp('SELECT 0', 'SET a 1');

async function check(text: string, quick = false) {
  const source = new MemorySource(Buffer.from(text, 'latin1'), 'appendonly.aof');
  const { file, notChecked } = await checkFile(
    source,
    { form: 'aof', last: true, quick, dialect: null },
    testContext(),
  );
  const findings = file.findings.map(({ code, where, detail }) => ({
    code,
    offset: where.offset,
    length: where.length,
    detail,
  }));
  return { file, findings, notChecked: notChecked.filter(({ routine }) => !routine).map(({ what }) => what) };
}

describe('a command that no server loads', () => {
  test.each([
    ['aof/unknown-command', 'NOSUCH x', { found: 'NOSUCH' }],
    ['aof/unknown-command', 'SEU a 1', { found: 'SEU' }],
    ['aof/unknown-command', 'XGROUP NOSUCH k g', { found: 'XGROUP NOSUCH' }],
    ['aof/wrong-arity', 'SET a', { command: 'SET', arguments: 1, least: 2 }],
    ['aof/wrong-arity', 'INCR a b', { command: 'INCR', arguments: 2, wanted: 1 }],
    ['aof/wrong-arity', 'SELECT', { command: 'SELECT', arguments: 0, wanted: 1 }],
    ['aof/bad-select', 'SELECT zero', { found: 'zero' }],
    ['aof/bad-select', 'SELECT -1', { found: '-1' }],
  ])('%s: %s', async (code, command, detail) => {
    const record = resp(command);
    const { file, findings } = await check(START + record + resp('SET z 1'));
    const { length: offset } = START;
    expect(findings).toEqual([
      { code, offset, length: record.length, detail: { ...detail, safeCut: offset } },
    ]);
    expect(file).toMatchObject({ validBytes: offset, commands: 4, bytes: offset + record.length + 27 });
  });

  test('an empty name is one, an empty command is damage', async () => {
    const unnamed = await check(`${START}*1\r\n$0\r\n\r\n`);
    expect(unnamed.findings).toMatchObject([{ code: 'aof/unknown-command', offset: START.length }]);
    const empty = await check(`${START}*0\r\n`);
    expect(empty.findings).toMatchObject([{ code: 'aof/bad-argument-count', offset: START.length }]);
  });

  test('inside a transaction the log is valid up to its MULTI', async () => {
    const { file, findings } = await check(START + resp('MULTI', 'SET b 2', 'NOSUCH', 'EXEC', 'NOSUCH'));
    expect(file.validBytes).toBe(START.length);
    expect(findings.map(({ code }) => code)).toEqual(['aof/unknown-command', 'aof/unknown-command']);
    expect(findings.map(({ detail }) => detail['safeCut'])).toEqual([START.length, START.length]);
  });

  test('DISCARD is one inside a transaction alone', async () => {
    const { findings } = await check(START + resp('MULTI', 'SET b 2', 'DISCARD', 'EXEC'));
    expect(findings.map(({ code }) => code)).toEqual(['aof/discard-in-multi']);
    expect((await check(START + resp('DISCARD'))).findings).toEqual([]);
  });

  test('more than twenty are counted, not listed', async () => {
    const { file, notChecked } = await check(START + resp(...Array(25).fill('NOSUCH')));
    expect(file.findings).toHaveLength(20);
    expect(notChecked).toEqual(['5 more findings of aof/unknown-command']);
  });
});

test('commands of modules are noted, whatever their arguments', async () => {
  const { file, findings, notChecked } = await check(
    START + resp('JSON.SET d $ 1', 'bf.add f x', 'KEYDB.CRON a'),
  );
  expect(file).toMatchObject({ commands: 5 });
  expect(findings.map(({ code }) => code)).toEqual(['aof/wrong-arity']);
  expect(notChecked).toEqual(['2 commands of modules, the first JSON.SET']);
});

test('what any release of any product takes is taken', async () => {
  const log = resp(
    'set k v',
    'HSET h f v g w',
    'XTRIM s',
    'RESTORE-ASKING k 0 v',
    'VADD v 1',
    'FUNCTION load x',
  );
  expect((await check(START + log)).findings).toEqual([]);
});

test('--quick looks at the framing alone, and says so', async () => {
  const { file, findings, notChecked } = await check(START + resp('NOSUCH', 'SET a', 'JSON.SET d $ 1'), true);
  expect(findings).toEqual([]);
  expect(file.validBytes).toBe(file.bytes);
  expect(notChecked).toEqual(['names and arguments of commands']);
});
