import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../cli/memory-io.js';
import { builtProgram } from '../../support/built.js';
import { THOROUGH } from '../../support/effort.js';
import { Random } from '../../support/random.js';
import { temporaryDirectory } from '../../support/temporary.js';

/** Large values make a log that is worth two threads, and cost next to nothing. */
const BLOBS = 66;
const BLOB = 'v'.repeat(1 << 20);
const SMALL = 2000;

function record(...args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}

/** `kept`: how many of the large values are left in the end. */
function writeLog(path: string, kept: number): void {
  const random = new Random(7);
  const key = (): string => `key:${random.below(SMALL)}`;
  const out = openSync(path, 'w');
  for (let i = 0; i < BLOBS; i++) writeSync(out, record('SET', `blob:${i % kept}`, BLOB));
  for (let i = 0; i < SMALL; i++) {
    const pick = random.below(7);
    let text = record('INCR', key());
    if (pick === 0) text = record('RPUSH', key(), 'a', String(i));
    else if (pick === 1) text = record('MSET', key(), 'x', key(), String(i));
    else if (pick === 2) text = record('DEL', key(), key(), key());
    else if (pick === 3) text = record('SELECT', String(random.below(3)));
    else if (pick === 4) text = record('MULTI') + record('SET', key(), 'a') + record('EXEC');
    else if (pick === 5) text = record('SWAPDB', '0', '1');
    writeSync(out, text);
  }
  closeSync(out);
}

interface Ran {
  readonly digest: string;
  readonly keys: number;
  readonly refused: number;
  readonly applied: number;
}

function resultOf(text: string): Ran {
  const { digest, keys, refused, applied } = JSON.parse(text) as Ran;
  return { digest, keys, refused, applied };
}

function replayed(path: string, ...options: readonly string[]): Ran {
  const args = [builtProgram(), 'replay', path, '--json', '--as', 'redis-7.0', ...options];
  return resultOf(
    execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
  );
}

/** One thread: of the sources themselves no second one is started. */
async function inOneThread(log: string): Promise<Ran> {
  return resultOf((await runCli(['replay', log, '--json', '--as', 'redis-7.0'])).stdout);
}

describe.skipIf(availableParallelism() < 2)('a replay in threads', () => {
  const log = join(temporaryDirectory('threads'), 'appendonly.aof');
  const out = join(temporaryDirectory('threads'), 'out.rdb');

  async function expectSame(...options: readonly string[]): Promise<void> {
    const one = await inOneThread(log);
    expect(one.refused).toBeGreaterThan(0);
    expect(replayed(log, '--out', out, '--force', ...options)).toEqual(one);
    const digest = await runCli(['digest', out, '--as', 'redis-7.0', '--json']);
    expect(JSON.parse(digest.stdout)).toMatchObject({ digest: one.digest, keys: one.keys });
  }

  it('comes to the same as in one, and writes all keys', async () => {
    writeLog(log, 4);
    await expectSame();
  });

  it.runIf(THOROUGH)('one part of the keys after the other does, too', async () => {
    writeLog(log, BLOBS);
    await expectSame('--memory', '160MB');
  });
});
