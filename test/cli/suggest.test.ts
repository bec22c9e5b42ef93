import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary.js';
import { runCli } from './memory-io.js';

const directory = temporaryDirectory('suggest');
mkdirSync(join(directory, 'redis'));
writeFileSync(join(directory, 'dump.rdb'), 'REDIS0009');

it.each([
  [['chekc', 'dump.rdb'], 'rekindle check'],
  [['fix', 'dump.rdb'], 'rekindle repair'],
  [['help', 'salvage'], 'rekindle repair'],
  [['frobnicate'], 'rekindle help\n'],
  [[join(directory, 'dump.rdb')], `rekindle info ${join(directory, 'dump.rdb')}`],
  [['check', '--quik', 'x'], 'did you mean --quick?'],
  [['check', '--quik', 'x'], 'rekindle help check'],
  [['repair', 'x', '--strategy', 'skp'], 'did you mean skip?'],
  [['convert', 'x', 'y.rdb', '--for', 'redis-62'], 'did you mean redis-6.2?'],
  [['convert', 'x', 'y', '--to', 'jsn'], 'did you mean json?'],
  [['check', 'x', '--dialect', 'valky'], 'did you mean valkey?'],
])('%s', async (argv, hint) => {
  const { exit, stderr, stdout } = await runCli(argv);
  expect(stderr).toContain(hint);
  expect(stdout).toBe('');
  expect(exit).toBe(2);
});

it.each([
  [['check', join(directory, 'dmup.rdb')], join(directory, 'dump.rdb')],
  [['info', join(directory, 'reddis', 'dump.rdb')], join(directory, 'redis')],
])('a file that is not there: %s', async (argv, near) => {
  const { exit, stderr } = await runCli(argv);
  expect(stderr).toContain(`did you mean ${near}?`);
  expect(exit).toBe(3);
});
