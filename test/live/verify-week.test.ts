import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { describeServer, TestServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';
import { writeSavedAt } from '../support/verify.js';

// A week in cron: every night at three a real server's backup is verified by the same line. The server's clock is that
// of the machine, so the time in its file is set to that of the night.

const DAY = 86_400;
const FIRST = Date.UTC(2026, 2, 2, 3) / 1000;

describeServer('a week in cron', () => {
  let server: TestServer;
  const room = temporaryDirectory('week');
  const backup = join(room, 'dump.rdb');
  const state = join(room, 'state.json');
  const metrics = join(room, 'orders.prom');

  beforeAll(async () => {
    server = await TestServer.start({ writable: true });
  });
  afterAll(() => server.stop());

  /** The server has so many orders, and saves them in the night. */
  async function save(night: number, orders: number): Promise<void> {
    await server.client.flushall();
    if (orders > 0)
      await server.client.mset(Array.from({ length: orders }, (_, i) => [`order:${i}`, 'paid']).flat());
    await server.client.save();
    writeSavedAt(backup, readFileSync(join(server.directory, 'dump.rdb')), FIRST + night * DAY - 3600);
  }

  async function verify(night: number) {
    const now = String(FIRST + night * DAY);
    const rules = ['--max-age', '26h', '--max-shrink', '20%', '--quiet'];
    const ran = await runCli(
      [
        'verify',
        backup,
        '--name',
        'orders',
        '--state',
        state,
        '--prometheus',
        metrics,
        '--now',
        now,
        ...rules,
      ],
      { nowMs: Number(now) * 1000 },
    );
    const remembered = JSON.parse(readFileSync(state, 'utf8')).sources[0];
    const text = readFileSync(metrics, 'utf8');
    const metric = (name: string): number | null => {
      const value = new RegExp(`^rekindle_verify_${name}\\{source="orders"\\} (.*)$`, 'm').exec(text)?.[1];
      return value === undefined ? null : Number(value);
    };
    return {
      exit: ran.exit,
      said: ran.both,
      failed: remembered.runs.at(-1).failed,
      runs: remembered.runs.length,
      comparedWith: (remembered.baseline.atMs / 1000 - FIRST) / DAY,
      ok: metric('ok'),
      keys: metric('keys'),
      lastGood: (metric('last_success_timestamp_seconds')! - FIRST) / DAY,
    };
  }

  it('each verdict is right, and good nights are silent', async () => {
    await save(0, 1000);
    const good = { exit: 0, said: '', failed: [], ok: 1 };
    expect(await verify(0)).toEqual({ ...good, runs: 1, comparedWith: 0, keys: 1000, lastGood: 0 });
    await save(1, 1010);
    expect(await verify(1)).toEqual({ ...good, runs: 2, comparedWith: 1, keys: 1010, lastGood: 1 });
    const whole = readFileSync(backup);

    const bad = { exit: 1, ok: 0, comparedWith: 1, lastGood: 1 };
    await save(2, 0);
    expect(await verify(2)).toEqual({
      ...bad,
      said: expect.stringMatching(
        /FAIL min-keys: 0 keys, at least 1\n.*FAIL shrink-keys: 0 keys, 100% less than the 1,010 keys/,
      ),
      failed: ['min-keys', 'shrink-keys', 'shrink-bytes'],
      runs: 3,
      keys: 0,
    });
    await save(3, 505);
    expect(await verify(3)).toEqual({
      ...bad,
      said: expect.stringContaining(
        'FAIL shrink-keys: 505 keys, 50% less than the 1,010 keys of 2026-03-03 03:00:00 UTC',
      ),
      failed: ['shrink-keys', 'shrink-bytes'],
      runs: 4,
      keys: 505,
    });
    await save(4, 1020);
    const broken = readFileSync(backup);
    broken[broken.length >> 1]! ^= 1;
    writeFileSync(backup, broken);
    expect(await verify(4)).toMatchObject({
      ...bad,
      said: expect.stringMatching(/FAIL intact: \d+ errors?, the first rdb\//),
      failed: expect.arrayContaining(['intact']),
      runs: 5,
    });
    writeFileSync(backup, whole);
    expect(await verify(5)).toEqual({
      ...bad,
      said: expect.stringContaining(
        'FAIL age: 4 days old (made 2026-03-03 02:00:00 UTC by the time in the file), at most 26h 00m',
      ),
      failed: ['age'],
      runs: 6,
      keys: 1010,
    });
    unlinkSync(backup);
    expect(await verify(6)).toEqual({
      ...bad,
      exit: 3,
      said: expect.stringContaining('FAIL readable: no such file or directory'),
      failed: ['readable'],
      runs: 7,
      keys: null,
    });
    await save(7, 1000);
    expect(await verify(7)).toEqual({ ...good, runs: 8, comparedWith: 7, keys: 1000, lastGood: 7 });
  });

  it('a drill in a real server and a comparison with the live one agree', async () => {
    await save(8, 1000);
    const address = `unix://${server.socket}`;
    const asked = ['--drill', 'server', '--against', address, '--json', '--now', String(FIRST + 8 * DAY)];
    const { stdout, exit } = await runCli(['verify', backup, ...asked]);
    expect(exit).toBe(0);
    const { rules } = JSON.parse(stdout);
    expect(rules.map((rule: { name: string; ok: boolean }) => [rule.name, rule.ok])).toEqual([
      ['intact', true],
      ['min-keys', true],
      ['drill', true],
      ['against', true],
    ]);
    await server.client.del('order:1', 'order:2');
    await server.client.set('order:3', 'sent');
    await server.client.rpush('new', 'a');
    const whole = await runCli(['verify', backup, '--against', address, '--json']);
    expect(whole.exit).toBe(1);
    expect(JSON.parse(whole.stdout).sources[0].against).toMatchObject({
      missing: 2,
      changed: 1,
      added: 1,
      compared: 1000,
    });
    const sample = await runCli([
      'verify',
      backup,
      '--against',
      address,
      '--sample',
      '2000',
      '--max-drift',
      '1%',
      '--json',
    ]);
    expect(sample.exit).toBe(0);
    expect(JSON.parse(sample.stdout).sources[0].against).toMatchObject({
      missing: 2,
      changed: 1,
      added: null,
      compared: 1000,
    });
  });

  it('a live server is a source itself', async () => {
    const { exit, stdout } = await runCli([
      'verify',
      `unix://${server.socket}`,
      '--min-keys',
      '999',
      '--expect',
      'redis-7.0',
    ]);
    expect([exit, stdout]).toEqual([0, expect.stringContaining('999 keys')]);
  });
});
