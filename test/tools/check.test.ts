import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAofSet } from '../../src/aof/set.js';
import { check } from '../../src/tools/check.js';
import { resp } from '../support/resp.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testContext } from './context.js';

/** Checks a set of these files, named by the kinds and numbers that the manifest gives them. */
async function findings(files: Readonly<Record<string, string>>) {
  const directory = join(temporaryDirectory('set'), 'appendonlydir');
  mkdirSync(directory);
  const lines = Object.keys(files).map((name) => {
    const [, seq, kind] = /^a\.(\d+)\.(base|incr)\./.exec(name)!;
    return `file ${name} seq ${seq} type ${kind === 'base' ? 'b' : 'i'}\n`;
  });
  writeFileSync(join(directory, 'a.manifest'), lines.join(''));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const set = await openAofSet(directory);
  const source = { kind: 'aof', path: directory, choice: '', set } as const;
  const report = await check(source as never, { quick: false, dialect: null }, testContext());
  return report.files.flatMap((file) => file.findings).map(({ code, detail }) => ({ code, ...detail }));
}

const log = resp('SELECT 0', 'SET a 1');

test('increments whose numbers leave one out', async () => {
  expect(await findings({ 'a.1.incr.aof': log, 'a.2.incr.aof': log })).toEqual([]);
  expect(await findings({ 'a.7.incr.aof': log, 'a.9.incr.aof': log })).toEqual([
    { code: 'set/sequence-gap', line: 2, before: '7', after: '9' },
  ]);
});

test('a base that is an RDB and empty; one of commands may be', async () => {
  expect(await findings({ 'a.1.base.rdb': '', 'a.1.incr.aof': log })).toEqual([
    { code: 'set/empty-base', line: 1, name: 'a.1.base.rdb' },
  ]);
  expect(await findings({ 'a.1.base.aof': '', 'a.1.incr.aof': log })).toEqual([]);
});

test('an increment may be empty anywhere', async () => {
  expect(await findings({ 'a.1.incr.aof': log, 'a.2.incr.aof': '', 'a.3.incr.aof': log })).toEqual([]);
});
