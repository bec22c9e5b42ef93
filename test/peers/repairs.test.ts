import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { commandsIn } from '../corpus/plain-log.js';
import { corpusBytes, corruptCases } from '../support/corpus.js';
import { redis } from '../support/rdb-builder.js';
import { str } from '../support/rdb-bytes.js';
import { resp } from '../support/resp.js';
import { alike } from '../support/same.js';
import { describeServer, withServer } from '../support/server.js';
import { tree } from '../support/tree.js';
import { fileOf, ORIGINALS_HERE, official, place } from './originals.js';

// What the official checkers throw away, refuse or call well, and what repair makes of it; what repair promises.

interface Plan {
  readonly ok: boolean;
  readonly intact: boolean;
  readonly actions: readonly { readonly from: number; readonly to: number; readonly lostBytes: number }[];
  readonly strategies: readonly { readonly name: string; readonly unprovenKeys: number }[];
}

async function repaired(
  path: string,
  ...options: string[]
): Promise<{ exit: number; plan: Plan; stderr: string }> {
  const { exit, stdout, stderr } = await runCli(['repair', path, '--json', ...options]);
  return { exit, plan: (stdout === '' ? {} : JSON.parse(stdout)) as Plan, stderr };
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('one bad byte in the fifth command of a thousand', () => {
  const commands = Array.from({ length: 1000 }, (_, i) => `SET key:${i} v${i}`);
  const log = Buffer.from(resp(...commands));
  log[log.indexOf('key:4\r\n') - 1] = 0x78;

  it.runIf(ORIGINALS_HERE)('costs 996 commands with the original', () => {
    const path = fileOf(log);
    expect(official('redis-check-aof', ['--fix', path], { answer: 'y\n' }).code).toBe(0);
    expect(commandsIn(readFileSync(path))).toHaveLength(4);
  });

  it('costs one command, and each way out says beforehand what it costs', async () => {
    const path = fileOf(log);
    const out = join(place(), 'fixed.aof');
    const { stdout } = await runCli(['repair', path]);
    expect(stdout).toMatch(/truncate \(default\) .*996 commands/);
    expect(stdout).toMatch(/skip .*1 command\b/);
    expect(await repaired(path, '--strategy', 'skip', '--out', out)).toMatchObject({ exit: 0 });
    const others = commands.filter((_, i) => i !== 4);
    expect(commandsIn(readFileSync(out))).toEqual(others.map((command) => resp(command)));
  });

  it('is one finding of a check that goes on to the end', async () => {
    const { stdout } = await runCli(['check', fileOf(log), '--json']);
    const [file] = (JSON.parse(stdout) as { files: { commands: number; problems: unknown[] }[] }).files;
    expect(file!.commands).toBe(999);
    expect(file!.problems).toHaveLength(1);
  });
});

describe('an RDB that looks well', () => {
  const good = redis(10).key(0, 'a', str('1'));
  const files = [
    ['a key twice', good.key(0, 'a', str('2')).end(), 'rdb/duplicate-key', 1],
    [
      'bytes behind the end',
      Buffer.concat([redis(10).key(0, 'a', str('1')).end(), Buffer.from('junk')]),
      'rdb/trailing-bytes',
      0,
    ],
    ['a time before 1970', redis(10).expiryMs(-5).key(0, 'a', str('1')).end(), 'rdb/odd-expiry', 0],
  ] as const;

  it.runIf(ORIGINALS_HERE).each(files)('to the original: %s', (_, bytes) => {
    const ran = official('redis-check-rdb', [fileOf(bytes, 'dump.rdb')]);
    expect(ran.code).toBe(0);
    expect(ran.output).toContain('RDB looks OK');
  });

  it.each(files)('is told what it has: %s', async (_, bytes, code, exit) => {
    const ran = await runCli(['check', fileOf(bytes, 'dump.rdb'), '--json']);
    expect(ran.exit).toBe(exit);
    expect(JSON.parse(ran.stdout)).toMatchObject({ files: [{ problems: [{ code }] }] });
  });
});

describeServer('a key twice in an RDB', () => {
  const bytes = redis(10).key(0, 'a', str('1')).key(0, 'b', str('2')).key(0, 'a', str('3')).end();

  it('aborts the server; repaired, it starts', async () => {
    const path = fileOf(bytes, 'dump.rdb');
    await expect(withServer({ rdb: path }, async () => {})).rejects.toThrow(/duplicated key 'a'/);
    const out = join(place(), 'dump.rdb');
    expect(await repaired(path, '--out', out)).toMatchObject({ exit: 0 });
    const keys = await withServer({ rdb: out }, (server) => server.client.keys('*'));
    expect(keys.sort()).toEqual(['a', 'b']);
  });
});

describe('a damaged preamble', () => {
  const [damaged] = corruptCases('redis-6.2.16').filter(({ name }) => name === 'preamble-truncated');
  const preamble = Buffer.from(corpusBytes('redis-6.2.16', 'small.rdb'));
  preamble.fill(0, preamble.length - 200, preamble.length - 100);
  const log = Buffer.concat([preamble, Buffer.from(resp('SELECT 0', 'SET later 1', 'SET last 2'))]);

  it.runIf(ORIGINALS_HERE)('makes the original refuse the whole file', () => {
    const ran = official('redis-check-aof', ['--fix', fileOf(log)], { answer: 'y\n' });
    expect(ran.code).toBe(1);
    expect(ran.output).toContain('RDB ERROR DETECTED');
  });

  it('keeps its own keys and the commands behind it', async () => {
    const out = join(place(), 'fixed.aof');
    expect(await repaired(fileOf(log), '--strategy', 'skip', '--out', out)).toMatchObject({ exit: 0 });
    const result = readFileSync(out);
    expect(result.subarray(0, 5).toString()).toBe('REDIS');
    expect(result.subarray(-50).toString('latin1')).toContain(resp('SET last 2'));
    const { stdout } = await runCli(['digest', out, '--per-key', '--json']);
    expect(stdout).toContain('"key":"last"');
    expect(stdout.split('\n').length).toBeGreaterThan(8);
  });

  it('is said to hold no state that existed', async () => {
    const { exit, plan } = await repaired(damaged!.path, '--out', join(place(), 'fixed.aof'));
    expect(exit).toBe(1);
    expect(plan).toMatchObject({ ok: false, refusal: 'obstacle' });
  });
});

describe('a repair', () => {
  const kept = resp('SELECT 0', 'SET a 1');
  const damage = 'garbage in the middle';
  const log = `${kept}${damage}${resp('MULTI', 'SET b 2', 'EXEC', 'SET c 3')}`;

  it('changes nothing and writes nothing unless it is told to', async () => {
    const path = fileOf(log);
    const before = statSync(path).mtimeMs;
    expect((await repaired(path)).exit).toBe(1);
    expect(readdirSync(dirname(path))).toEqual(['appendonly.aof']);
    expect(readFileSync(path, 'latin1')).toBe(log);
    expect(statSync(path).mtimeMs).toBe(before);
  });

  it('in place leaves a backup with the bytes that were there', async () => {
    const path = fileOf(log);
    expect((await repaired(path, '--in-place', '--yes')).exit).toBe(0);
    expect(readFileSync(path, 'latin1')).toBe(kept);
    const [backup] = readdirSync(dirname(path)).filter((name) => name.includes('.bak-'));
    expect(sha256(readFileSync(join(dirname(path), backup!)))).toBe(sha256(Buffer.from(log)));
  });

  it('overwrites nothing without --force', async () => {
    const out = fileOf('something dear', 'out.aof');
    const path = fileOf(log);
    expect((await repaired(path, '--out', out)).exit).toBe(2);
    expect(readFileSync(out, 'latin1')).toBe('something dear');
    expect((await repaired(path, '--out', out, '--force')).exit).toBe(0);
    expect(readFileSync(out, 'latin1')).toBe(kept);
  });

  it.each(['truncate', 'skip'])(
    'by %s accounts for every byte, and keeps the dropped ones',
    async (strategy) => {
      const [path, out] = [fileOf(log), join(place(), 'fixed.aof')];
      const quarantine = join(dirname(out), 'lost');
      const words = ['--strategy', strategy, '--out', out, '--quarantine', quarantine];
      const { plan } = await repaired(path, ...words);
      const dropped = plan.actions.map(({ from, to }) => log.slice(from, to)).join('');
      expect(readFileSync(quarantine, 'latin1')).toBe(dropped);
      expect(plan.actions.reduce((sum, { lostBytes }) => sum + lostBytes, 0)).toBe(dropped.length);
      expect(statSync(out).size + dropped.length).toBe(log.length);
      if (strategy === 'skip') expect(dropped).toBe(damage);
    },
  );

  it('by default leaves a state that existed, by salvage one that is said to be none', async () => {
    const { stdout } = await runCli(['repair', fileOf(log)]);
    expect(stdout).toContain('truncate (default)');
    expect(stdout).toMatch(/truncate.*a state that really existed/);
    expect(stdout).toMatch(/skip.*may have built on what is gone/);
  });

  it('loses no more than it may', async () => {
    const out = join(place(), 'fixed.aof');
    const path = fileOf(log);
    expect((await repaired(path, '--out', out, '--max-loss', '21')).exit).toBe(1);
    expect(existsSync(out)).toBe(false);
    expect((await repaired(path, '--strategy', 'skip', '--out', out, '--max-loss', '21')).exit).toBe(0);
  });

  it('applies a transaction whole or not at all', async () => {
    const path = fileOf(`${kept}${resp('MULTI', 'SET b 2', 'SET c 3')}*3\r\n$3\r\nSET`);
    const out = join(place(), 'fixed.aof');
    expect((await repaired(path, '--out', out)).exit).toBe(0);
    expect(readFileSync(out, 'latin1')).toBe(kept);
  });

  it('calls keys whole, not proven, where a checksum failed', async () => {
    const bytes = Buffer.from(corpusBytes('redis-7.0.15', 'small.rdb'));
    bytes.fill(0x55, 1700, 1705);
    const { plan } = await repaired(fileOf(bytes, 'dump.rdb'));
    expect(plan.strategies[0]!.unprovenKeys).toBeGreaterThan(5);
  });

  it('of what is repaired says so and changes no byte', async () => {
    const out = join(place(), 'fixed.aof');
    await repaired(fileOf(log), '--strategy', 'skip', '--out', out);
    const once = tree(dirname(out));
    expect(await repaired(out, '--in-place', '--yes')).toMatchObject({
      exit: 0,
      plan: { intact: true, actions: [] },
    });
    alike(tree(dirname(out)), once);
    writeFileSync(`${out}.copy`, readFileSync(out));
    expect((await runCli(['check', `${out}.copy`])).exit).toBe(0);
  });
});
