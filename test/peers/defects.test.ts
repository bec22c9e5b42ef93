import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusBytes, corpusPath } from '../support/corpus.js';
import { resp } from '../support/resp.js';
import { describeServer, withServer } from '../support/server.js';
import { asNobody, fileOf, logDirectory, NOBODY, ORIGINALS_HERE, official } from './originals.js';

// What the official checkers do, where they are, and then what rekindle does with the very same file.

interface Problem {
  readonly code: string;
  readonly severity: string;
  readonly offset: number | null;
}

async function problemsOf(path: string): Promise<{ exit: number; problems: Problem[] }> {
  const { exit, stdout } = await runCli(['check', path, '--json']);
  const { files } = JSON.parse(stdout) as { files: { problems: Problem[] }[] };
  return { exit, problems: files.flatMap((file) => file.problems) };
}

describe('a length for which no memory is there', () => {
  const whole = resp('SET a 1');
  const log = `${whole}*1\r\n$999999999999999\r\nab\r\n`;

  it.runIf(ORIGINALS_HERE)('kills the original', () => {
    expect(official('redis-check-aof', [fileOf(log)])).toMatchObject({ code: null, signal: 'SIGSEGV' });
  });

  it('is told with its place, in no time and no memory', async () => {
    const before = process.memoryUsage().rss;
    const path = fileOf(log);
    const { exit, problems } = await problemsOf(path);
    expect(exit).toBe(1);
    expect(problems[0]!.code).toMatch(/^aof\//);
    const official = await runCli(['check-aof', path]);
    expect(official.exit).toBe(1);
    expect(official.stdout).toContain(`ok_up_to=${whole.length}`);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });
});

describe('a log that may only be read', () => {
  function readOnly(bytes: string): string {
    const path = fileOf(bytes);
    chmodSync(path, 0o444);
    chmodSync(dirname(path), 0o555);
    return path;
  }

  it.runIf(ORIGINALS_HERE)('can not be checked by the original', () => {
    const uid = process.getuid?.() === 0 ? { uid: NOBODY } : {};
    const ran = official('redis-check-aof', [readOnly(resp('SET a 1'))], uid);
    expect(ran.code).toBe(1);
    expect(ran.output).toContain('Permission denied');
  });

  it.each([
    ['check', resp('SET a 1'), 0],
    ['check-aof', resp('SET a 1'), 0],
    ['check', `${resp('SET a 1')}*`, 1],
    ['check-aof', `${resp('SET a 1')}*`, 1],
    ['info', resp('SET a 1'), 0],
    ['digest', resp('SET a 1'), 0],
    ['replay', resp('SET a 1'), 0],
  ])('can be read by %s', async (command, bytes, exit) => {
    const path = readOnly(bytes);
    await runCli([command, '--help']); // its modules may be where only this user can read
    const ran = await asNobody(() => runCli([command, path]));
    expect(ran).toMatchObject({ exit });
    expect(readFileSync(path, 'latin1')).toBe(bytes);
  });

  it('is refused by --fix before anything is asked', async () => {
    const path = readOnly(`${resp('SET a 1')}*`);
    const ran = await asNobody(() => runCli(['check-aof', '--fix', '--yes', path]));
    expect(ran.exit).toBe(1);
    expect(readdirSync(dirname(path))).toEqual(['appendonly.aof']);
  });
});

describe('a log cut in place', () => {
  const torn = `${resp('SET a 1')}*1\r\n$9\r\nx`;

  it.runIf(ORIGINALS_HERE)('leaves no way back with the original', () => {
    const path = fileOf(torn);
    expect(official('redis-check-aof', ['--fix', path], { answer: 'y\n' }).code).toBe(0);
    expect(readdirSync(dirname(path))).toEqual(['appendonly.aof']);
    expect(statSync(path).size).toBe(27);
  });

  it.runIf(ORIGINALS_HERE)('asks on standard input, and gives up where nobody is', () => {
    expect(official('redis-check-aof', ['--fix', fileOf(torn)]).code).toBe(1);
  });

  it('has a backup with a checksum that was read back', async () => {
    const path = fileOf(torn);
    const { exit, stderr } = await runCli(['check-aof', '--fix', '--yes', path]);
    expect(exit).toBe(0);
    expect(readFileSync(path, 'latin1')).toBe(resp('SET a 1'));
    const [backup] = readdirSync(dirname(path)).filter((name) => name.includes('.bak-'));
    expect(readFileSync(join(dirname(path), backup!), 'latin1')).toBe(torn);
    expect(stderr).toMatch(/SHA-256 [0-9a-f]{64}/);
  });

  it('tells what is wrong by more than one exit code', async () => {
    const codes = [
      [fileOf(resp('SET a 1'))],
      [fileOf(torn)],
      ['--no-such-option', fileOf(torn)],
      [join(dirname(fileOf(torn)), 'nowhere')],
    ].map(async (words) => (await runCli(['check', ...words])).exit);
    expect(await Promise.all(codes)).toEqual([0, 1, 2, 3]);
  });
});

describe('a command that no server executes', () => {
  const logs = [
    ['an unknown one', resp('SET a 1', 'STE b 2', 'SET c 3'), 'aof/unknown-command'],
    ['an empty one', `${resp('SET a 1')}*1\r\n$0\r\n\r\n${resp('SET c 3')}`, 'aof/unknown-command'],
    ['one without its value', resp('SET a 1', 'SET b', 'SET c 3'), 'aof/wrong-arity'],
    ['one in a transaction', resp('MULTI', 'SET a 1', 'STE b 2', 'EXEC'), 'aof/unknown-command'],
    ['DISCARD in a transaction', resp('MULTI', 'SET a 1', 'DISCARD', 'EXEC'), 'aof/discard-in-multi'],
  ] as const;

  it.runIf(ORIGINALS_HERE).each(logs)('%s is valid to the original', (_, log) => {
    const ran = official('redis-check-aof', [fileOf(log)]);
    expect(ran.code).toBe(0);
    expect(ran.output).toContain('is valid');
  });

  it.each(logs)('%s is told with its place', async (_, log, code) => {
    const { exit, problems } = await problemsOf(fileOf(log));
    expect(exit).toBe(1);
    expect(problems).toMatchObject([{ code, severity: 'error', offset: expect.any(Number) }]);
  });
});

describeServer('a server', () => {
  it('does not start on an unknown command that its checker calls valid', async () => {
    const { directory, log } = logDirectory(resp('SET a 1', 'STE b 2'));
    expect(official('redis-check-aof', [log]).code).toBe(0);
    await expect(withServer({ dataDirectory: directory }, async () => {})).rejects.toThrow(
      /Unknown command 'STE'/,
    );
  });
});

describeServer('a log that ends inside MULTI', () => {
  const kept = resp('SET a 1');
  const torn = `${kept}${resp('MULTI', 'SET b 2')}*3\r\n$3\r\nSET\r\n`;

  async function restart(directory: string, write: string): Promise<string[]> {
    return withServer({ dataDirectory: directory, writable: true }, async (server) => {
      await server.client.set(write, 'x');
      const keys = (await server.client.keys('*')).sort();
      await server.client.call('SHUTDOWN', 'NOSAVE').catch(() => {}); // it answers by closing
      expect(server.log()).toContain('Redis is now ready to exit');
      writeFileSync(
        join(directory, LOG),
        readFileSync(join(server.directory, LOG)), // the server had a copy
      );
      return keys;
    });
  }
  const LOG = join('appendonlydir', 'appendonly.aof.1.incr.aof');

  it('loses what is written after the server has cut it itself', async () => {
    const { directory } = logDirectory(torn);
    expect(await restart(directory, 'later')).toEqual(['a', 'later']);
    expect(await restart(directory, 'last')).toEqual(['a', 'last']); // acknowledged, and gone
  });

  it('loses nothing after --fix', async () => {
    const { directory, log } = logDirectory(torn);
    expect(await runCli(['check-aof', '--fix', '--yes', log])).toMatchObject({ exit: 0 });
    expect(readFileSync(log, 'latin1')).toBe(kept);
    expect(await restart(directory, 'later')).toEqual(['a', 'later']);
    expect(await restart(directory, 'last')).toEqual(['a', 'last', 'later']);
  });

  it('is cut before MULTI by a time inside, where the original cuts behind it', async () => {
    const log = `${kept}${resp('MULTI', 'SET b 2', '#TS:1700000009', 'SET c 3', 'EXEC')}`;
    const [theirs, ours] = [logDirectory(log), logDirectory(log)];
    const manifest = (directory: string) => join(directory, 'appendonlydir', 'appendonly.aof.manifest');
    const words = ['--truncate-to-timestamp', '1700000000'];
    expect(official('redis-check-aof', [...words, manifest(theirs.directory)]).code).toBe(0);
    expect(readFileSync(theirs.log, 'latin1')).toBe(`${kept}${resp('MULTI', 'SET b 2')}`);
    expect((await runCli(['check-aof', ...words, manifest(ours.directory)])).exit).toBe(0);
    expect(readFileSync(ours.log, 'latin1')).toBe(kept);
  });
});

describe('a base of Valkey 9', () => {
  const tail = `${resp('SET a 1')}*`;
  const bytes = Buffer.concat([corpusBytes('valkey-9.1', 'small.rdb'), Buffer.from(tail)]);

  it.runIf(ORIGINALS_HERE)('is emptied by the original', () => {
    const path = fileOf(bytes);
    expect(official('redis-check-aof', ['--fix', path], { answer: 'y\n' }).code).toBe(0);
    expect(statSync(path).size).toBe(0);
  });

  it('keeps every byte', async () => {
    const path = fileOf(bytes);
    await runCli(['check-aof', '--fix', '--yes', path]);
    expect(statSync(path).size).toBeGreaterThanOrEqual(bytes.length - 1);
  });

  it('is valid, as the log behind it is', async () => {
    const directory = corpusPath('valkey-9.1', 'workload');
    expect(await problemsOf(directory)).toEqual({ exit: 0, problems: [] });
    const manifest = join(directory, 'appendonlydir', 'appendonly.aof.manifest');
    const ran = await runCli(['check-aof', manifest]);
    expect(ran.exit).toBe(0);
    expect(ran.stdout).toContain('All AOF files and manifest are valid');
  });
});
