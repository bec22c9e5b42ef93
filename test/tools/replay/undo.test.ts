import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../cli/memory-io.js';
import { temporaryDirectory } from '../../support/temporary.js';

/** A log of commands given as lines of words. */
function logOf(...lines: string[]): string {
  const path = join(temporaryDirectory('undo'), 'a.aof');
  const records = lines.map((line) => {
    if (line.startsWith('#')) return `${line}\r\n`;
    const words = line.split(' ');
    return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
  });
  writeFileSync(path, records.join(''));
  return path;
}

interface Undone {
  readonly exit: number;
  readonly keys: readonly string[];
  readonly undo: { readonly number: number; readonly matchesBefore: number; readonly matchesBehind: number };
}

/** Undoes a command; `keys` is what is brought back, as `db:key`. */
async function undo(path: string, pattern: string, ...options: string[]): Promise<Undone> {
  const out = join(temporaryDirectory('undo'), 'out.resp');
  const ran = await runCli(['replay', path, '--undo', pattern, '--out', out, '--json', ...options]);
  const report = JSON.parse(ran.stdout) as { undo: Undone['undo']; output: string | null };
  if (report.output === null) return { exit: ran.exit, keys: [], undo: report.undo };
  const told = await runCli(['digest', out, '--per-key', '--json']);
  const keys = told.stdout
    .split('\n')
    .filter((line) => line.includes('"key"'))
    .map((line) => JSON.parse(line) as { db: number; key: string })
    .map(({ db, key }) => `${db}:${key}`);
  return { exit: ran.exit, keys: keys.sort(), undo: report.undo };
}

const BEFORE = ['SET a 1', 'SET b 2', 'RPUSH l x', 'SELECT 1', 'SET a 3', 'SELECT 0'];

describe('what --undo brings back', () => {
  it.each([
    ['DEL a nothing l', ['0:a', '0:l']],
    ['UNLINK b', ['0:b']],
    ['FLUSHDB', ['0:a', '0:b', '0:l']],
    ['FLUSHALL ASYNC', ['0:a', '0:b', '0:l', '1:a']],
    ['RENAME a b', ['0:a', '0:b']],
    ['RENAME a c', ['0:a']],
    ['MOVE b 1', ['0:b']],
    ['LPOP l', ['0:l']],
    ['GETDEL a', ['0:a']],
    ['SET a other', ['0:a']],
    ['COPY a b REPLACE', ['0:b']],
    ['SINTERSTORE a nothing', ['0:a']],
  ])('%s', async (command, keys) => {
    const path = logOf(...BEFORE, command, 'SET later 1');
    const undone = await undo(path, command.split(' ')[0]!);
    expect(undone).toMatchObject({
      exit: 0,
      keys,
      undo: { number: 7, matchesBefore: command.startsWith('SET') ? 3 : 0 },
    });
  });

  it.each(['LTRIM l 0 0', 'MOVE a 1', 'SWAPDB 0 1', 'APPEND a x', 'RENAME gone b', 'FLUSHALL wrong'])(
    '%s removed nothing',
    async (command) => {
      const path = logOf(...BEFORE, command);
      expect(await undo(path, command)).toMatchObject({ exit: 1, keys: [], undo: { matchesBefore: 1 } });
    },
  );

  it('a command inside a transaction, with what that did before it', async () => {
    const path = logOf('SET a 1', 'MULTI', 'SET b 2', 'FLUSHALL', 'SET c 3', 'EXEC', 'SET d 4');
    expect(await undo(path, 'flushall')).toMatchObject({ keys: ['0:a', '0:b'], undo: { number: 4 } });
  });

  it('the first that removed something, from the point in time on', async () => {
    const path = logOf('FLUSHALL', 'SET a 1', 'FLUSHALL', '#TS:100', 'SET b 2', '#TS:200', 'FLUSHALL');
    expect(await undo(path, 'FLUSHALL')).toMatchObject({
      keys: ['0:a'],
      undo: { number: 3, matchesBefore: 1, matchesBehind: 1 },
    });
    for (const from of [
      ['--until-command', '3'],
      ['--until-time', '150'],
      ['--before', 'SET b'],
      ['--until-offset', '90'],
    ]) {
      expect((await undo(path, 'FLUSHALL', ...from)).keys).toEqual(['0:b']);
    }
  });

  it('keys as they were, filtered', async () => {
    const path = logOf('SET a 1', 'PEXPIREAT a 9999999999999', 'SET b 1', 'DEL a b');
    expect((await undo(path, 'DEL', '--match', 'a')).keys).toEqual(['0:a']);
    const whole = await runCli(['replay', path, '--until-command', '2', '--json']);
    const undone = await runCli(['replay', path, '--undo', 'DEL', '--match', 'a', '--json']);
    const digestOf = (text: string) => (JSON.parse(text) as { digest: string }).digest;
    expect(digestOf(undone.stdout)).toBe(digestOf(whole.stdout));
  });

  it('is not kept from it by damage behind the command', async () => {
    const path = logOf('SET a 1', 'DEL a', 'SET b 1', '#TS:1', 'SET c 1');
    const { readFileSync } = await import('node:fs');
    writeFileSync(path, readFileSync(path, 'latin1').replace('#TS:1', 'XXXXX'), 'latin1');
    const ran = await runCli(['replay', path, '--undo', 'DEL']);
    expect(ran.exit).toBe(0);
    expect(ran.stderr).toContain('warning');
    expect(ran.stdout).toMatch(/keys +1 removed in 1 database|keys +1 in 1 database/);
  });

  it('says when nothing matches', async () => {
    const ran = await runCli(['replay', logOf('SET a 1'), '--undo', 'FLUSHALL']);
    expect(ran.exit).toBe(1);
    expect(ran.stderr).toContain('no command matches --undo: there is nothing to bring back');
  });
});
