import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLineOf } from '../../src/cli/invocation.js';
import { corpusPath } from '../support/corpus.js';
import { redis } from '../support/rdb-builder.js';
import { str } from '../support/rdb-bytes.js';
import { resp } from '../support/resp.js';
import { temporaryDirectory } from '../support/temporary.js';
import { runCli } from './memory-io.js';

const HOME = temporaryDirectory('checkers');
const SMALL = corpusPath('redis-7.0.15', 'small.rdb');
const TORN = `${resp('SET k v')}*1\r\n$9\r\n`;

function torn(): string {
  const path = join(mkdtempSync(join(HOME, 'log-')), 'appendonly.aof');
  writeFileSync(path, TORN, 'latin1');
  return path;
}

const lastLine = (stdout: string): string => stdout.trimEnd().split('\n').at(-1)!;

describe('check-aof --fix', () => {
  it.each(['y\n', 'Y', 'yes\n'])('goes on when the answer is %j', async (answer) => {
    const path = torn();
    const ran = await runCli(['check-aof', '--fix', path], { stdin: Buffer.from(answer) });
    expect(ran.exit).toBe(0);
    expect(lastLine(ran.stdout)).toBe(`Continue? [y/N]: Successfully truncated AOF ${path}`);
    expect(ran.stderr).toMatch(/^backup: .*\.bak-\d{8}T\d{6}Z \(SHA-256 [0-9a-f]{64}\)\n$/);
    expect(readFileSync(path, 'latin1')).toBe(resp('SET k v'));
  });

  it.each(['n\n', '\n', ' y'])('stops when the answer is %j', async (answer) => {
    const path = torn();
    const ran = await runCli(['check-aof', '--fix', path], { stdin: Buffer.from(answer) });
    expect(ran.exit).toBe(1);
    expect(lastLine(ran.stdout)).toBe('Continue? [y/N]: Aborting...');
    expect(readFileSync(path, 'latin1')).toBe(TORN);
  });

  it('stops when nobody answers, and says how not to be asked', async () => {
    const path = torn();
    const ran = await runCli(['check-aof', '--fix', path]);
    expect(ran).toMatchObject({ exit: 1, stderr: 'nobody answered: --yes fixes without asking\n' });
    expect(readFileSync(path, 'latin1')).toBe(TORN);
  });

  it('does not ask with --yes, wherever it stands', async () => {
    for (const order of [
      ['--fix', '--yes'],
      ['--yes', '--fix'],
    ]) {
      const path = torn();
      const ran = await runCli(['check-aof', ...order, path], { stdin: Buffer.from('n\n') });
      expect(ran.exit).toBe(0);
      expect(ran.stdout).not.toContain('Continue?');
      expect(readFileSync(path, 'latin1')).toBe(resp('SET k v'));
    }
  });

  it('gives one object with --json', async () => {
    const path = torn();
    const ran = await runCli(['check-aof', '--fix', '--yes', path, '--json']);
    const report = JSON.parse(ran.stdout);
    expect(report).toMatchObject({ schemaVersion: 1, ok: true, exitCode: 0 });
    expect(report.lines.at(-1)).toBe(`Successfully truncated AOF ${path}`);
  });
});

describe('usage', () => {
  it.each([
    [[]],
    [['a', 'b']],
    [['--fix']],
    [['--fixx', 'a']],
    [['--fix', '--truncate-to-timestamp', '1', 'a']],
    [['a', '--truncate-to-timestamp']],
  ])('of check-aof: %j is none, with exit code 1 as in the original', async (words) => {
    const ran = await runCli(['check-aof', ...words]);
    expect(ran.exit).toBe(1);
    expect(ran.stdout).toMatch(
      /^Usage: .*check-aof \[--fix \[--yes\]\|--truncate-to-timestamp \$timestamp\] <file\.manifest\|file\.aof>\n$/,
    );
  });

  it.each(['x', '12x', '99999999999999999999'])('of check-aof: %s is no timestamp', async (time) => {
    const ran = await runCli(['check-aof', '--truncate-to-timestamp', time, torn()]);
    expect(ran).toMatchObject({ exit: 1, stdout: 'Invalid timestamp, aborting...\n' });
  });

  it.each([[[]], [['a', 'b']], [['--fix', 'a']]])('of check-rdb: %j is none', async (words) => {
    const ran = await runCli(['check-rdb', ...words]);
    expect(ran).toMatchObject({ exit: 1, stdout: '' });
    expect(ran.stderr).toMatch(/^Usage: .*check-rdb <rdb-file-name>\n$/);
  });
});

describe('check-rdb', () => {
  it('shows keys without what a terminal would act on', async () => {
    const path = join(HOME, 'keys.rdb');
    writeFileSync(
      path,
      redis(10)
        .aux('a\u001b[2J', Buffer.from('ü'))
        .raw(Buffer.from([0]), str('k\r\u00ff'), 'x')
        .bytes(),
    );
    const { stdout } = await runCli(['check-rdb', path]);
    expect(stdout).toContain("AUX FIELD a\\x1b[2J = 'ü'\n");
    expect(stdout).not.toMatch(/[^\n\x20-\x7eü]/);
  });

  it('hides keys with --redact', async () => {
    const path = join(HOME, 'hidden.rdb');
    writeFileSync(path, redis(10).key(4, 'secret', 'x').bytes());
    expect((await runCli(['check-rdb', path])).stdout).toContain("Reading key 'secret'");
    expect((await runCli(['check-rdb', '--redact', path])).stdout).not.toContain('secret');
  });

  it('gives one object with --json', async () => {
    const report = JSON.parse((await runCli(['check-rdb', SMALL, '--json'])).stdout);
    expect(report).toMatchObject({ ok: true, exitCode: 0 });
    expect(report.lines[0]).toBe(`[offset 0] Checking RDB file ${SMALL}`);
    expect(report.lines).toContain('[info] 19 keys read');
  });
});

describe('the name of the program', () => {
  it.each([
    ['redis-check-aof', 'check-aof'],
    ['valkey-check-aof', 'check-aof'],
    ['rekindle-check-aof', 'check-aof'],
    ['redis-check-rdb', 'check-rdb'],
    ['valkey-check-rdb', 'check-rdb'],
    ['rekindle-check-rdb.js', 'check-rdb'],
  ])('%s stands for %s', (name, command) => {
    expect(commandLineOf(['node', join(HOME, name), '--fix', 'a'])).toEqual([command, '--fix', 'a']);
  });

  it('else stands for nothing', () => {
    expect(commandLineOf(['node', join(HOME, 'rekindle.js'), 'info', 'a'])).toEqual(['info', 'a']);
  });

  it('is known to the package', () => {
    const { bin } = JSON.parse(readFileSync('package.json', 'utf8'));
    // The other is what a single executable starts with.
    const programs = readdirSync('bin').flatMap((name) => /^(rekindle.*)\.ts$/.exec(name)?.[1] ?? []);
    expect(Object.keys(bin).sort()).toEqual(programs.sort());
    for (const name of programs) expect(bin[name]).toBe(`dist/bin/${name}.js`);
  });
});
