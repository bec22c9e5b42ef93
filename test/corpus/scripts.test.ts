import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { testdata } from '../support/corpus.js';
import { readTarGz } from '../support/tar.js';
import { temporaryDirectory } from '../support/temporary.js';
import { digestName, sizeOf } from '../support/verdict.js';

/** What the server told that loaded the log it had written. */
interface LogTruth {
  readonly server: string;
  readonly digest: string;
  readonly dbsize: Readonly<Record<string, number>>;
}

const files = readTarGz(readFileSync(testdata('scripts', 'logs.tar.gz')));
const directory = temporaryDirectory('scripts');
for (const [path, bytes] of files) {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), bytes);
}
const logs = [...files.keys()].filter((path) => path.endsWith('.aof'));

describe('a log that holds scripts as they were called', () => {
  test.each(logs)('%s leads to what its server has', async (path) => {
    const truth = JSON.parse(files.get(path.replace('.aof', '.truth.json'))!.toString('utf8')) as LogTruth;
    const ran = await runCli(['replay', join(directory, path), '--json', '--as', digestName(truth.server)]);
    expect(ran).toMatchObject({ exit: 0 });
    expect(JSON.parse(ran.stdout)).toMatchObject({ digest: truth.digest, keys: sizeOf(truth.dbsize) });
  });

  test('holds a sliding window that refused, a lock that was missed, and scripts by their SHA1', () => {
    const limiter = files.get('redis-4.0.14/rate-limiter.aof')!.toString('latin1');
    const lock = files.get('redis-4.0.14/lock.aof')!.toString('latin1');
    expect(limiter).toContain('ZREMRANGEBYSCORE');
    expect(limiter.split('\r\nEVALSHA\r\n').length).toBeGreaterThan(100);
    expect(lock).toContain(`if redis.call('get', KEYS[1]) == ARGV[1] then`);
    expect(lock).toContain('\r\nMULTI\r\n');
  });
});

function command(...args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}

function written(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, 'latin1');
  return path;
}

describe('replay of scripts that cannot be executed', () => {
  const path = written(
    'stopping.aof',
    command(
      'EVAL',
      'redis.call("SET", KEYS[1], 1) redis.call("OBJECT", "ENCODING", KEYS[1])',
      '1',
      'before',
    ) +
      command('EVALSHA', 'f'.repeat(40), '0') +
      command('EVAL', 'redis.call("SET", KEYS[1], 1) redis.call("INCR")', '1', 'half') +
      command('SET', 'after', '1'),
  );

  test('stops at the first and says what it called', async () => {
    const ran = await runCli(['replay', path]);
    expect(ran.exit).toBe(1);
    expect(ran.stderr).toMatch(/aof\/script-command at offset 0 .*calls OBJECT/s);
  });

  test('goes on if it may, lists what was left out, and keeps what was written before', async () => {
    const ran = await runCli(['replay', path, '--on-unknown', 'skip', '--json']);
    expect(ran.exit).toBe(0);
    const report = JSON.parse(ran.stdout) as { keys: number; skipped: { reason: string }[] };
    expect(report.keys).toBe(3);
    expect(report.skipped.map(({ reason }) => reason)).toEqual([
      'aof/script-command OBJECT',
      `aof/unknown-script ${'f'.repeat(40)}`,
    ]);
  });
});

test('EVALSHA finds the scripts that an RDB before the log brings along', async () => {
  const body = 'return redis.call("SET", KEYS[1], ARGV[1])';
  const sha = createHash('sha1').update(body).digest('hex');
  const preamble = `REDIS0009\xfa\x03lua${String.fromCharCode(body.length)}${body}\xff${'\0'.repeat(8)}`;
  const path = written('aux.aof', preamble + command('SELECT', '0') + command('EVALSHA', sha, '1', 'k', 'v'));
  const ran = await runCli(['replay', path, '--json']);
  expect(ran).toMatchObject({ exit: 0 });
  expect(JSON.parse(ran.stdout)).toMatchObject({ keys: 1, skipped: [] });
});
