import { existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localDisk } from '../../src/bytes/disk.js';
import { verify as verifyFromProgram } from '../../src/index.js';
import { RunLock as Locks, type RunLock } from '../../src/tools/verify/lock.js';
import { PrefixCounter } from '../../src/tools/verify/prefixes.js';
import { PLAIN_RULES, type VerifyRules } from '../../src/tools/verify/rules.js';
import { RUNS_MAX, readState, VerifyState, writeState } from '../../src/tools/verify/state.js';
import { type VerifyOptions, verify } from '../../src/tools/verify.js';
import { CORPUS_NOW } from '../support/corpus.js';
import { redis } from '../support/rdb-builder.js';
import { str, u8 } from '../support/rdb-bytes.js';
import { resp } from '../support/resp.js';
import { temporaryDirectory } from '../support/temporary.js';
import { backupOf, someProcess, verifyOptions, verifyTarget } from '../support/verify.js';
import { testContext } from './context.js';

const NOW = CORPUS_NOW * 1000;
const HOUR = 3600;

function write(bytes: Buffer | string, name = 'dump.rdb'): string {
  const path = join(temporaryDirectory('verify'), name);
  writeFileSync(path, bytes);
  return path;
}

/** The rules that a backup was held to and what came of them, by name. */
async function judged(
  path: string,
  rules: Partial<VerifyRules>,
  more: Partial<Parameters<typeof verifyTarget>[0]> = {},
) {
  const report = await verify(
    verifyOptions({ path, rules: { ...PLAIN_RULES, ...rules }, ...more }),
    testContext(),
  );
  return Object.fromEntries(report.sources[0]!.rules.map(({ name, ok, value }) => [name, [ok, value]]));
}

describe('rules', () => {
  it('tell the age by the time in the file, and by its own where there is none', async () => {
    const path = write(backupOf(1, CORPUS_NOW - 25 * HOUR));
    expect(await judged(path, { maxAgeMs: 26 * HOUR * 1000 })).toMatchObject({ age: [true, 25 * HOUR] });
    expect(await judged(path, { maxAgeMs: 24 * HOUR * 1000 })).toMatchObject({ age: [false, 25 * HOUR] });
    const bare = write(redis(9).database(0).key(0, 'k', str('v')).end());
    utimesSync(bare, CORPUS_NOW, CORPUS_NOW - 60);
    expect(await judged(bare, { maxAgeMs: 61_000 })).toMatchObject({ age: [true, 60] });
  });

  it('take a backup from the future for a wrong clock', async () => {
    const path = write(backupOf(1, CORPUS_NOW + HOUR));
    expect(await judged(path, { maxAgeMs: 26 * HOUR * 1000 })).toMatchObject({ age: [false, -HOUR] });
  });

  it('tell the age of a log by its last annotation', async () => {
    const path = write(
      `#TS:${CORPUS_NOW - 900}\r\n${resp('SET a 1')}#TS:${CORPUS_NOW - 600}\r\n${resp('SET b 2')}`,
      'a.aof',
    );
    expect(await judged(path, { maxAgeMs: 600_000 })).toMatchObject({ age: [true, 600] });
  });

  it('know who wrote it', async () => {
    const path = write(backupOf(1, CORPUS_NOW));
    const server = (product: string, version: string) => judged(path, { server: { product, version } });
    expect((await server('redis', ''))['server']).toEqual([true, 'redis-7.0.15']);
    expect((await server('redis', '7'))['server']).toEqual([true, 'redis-7.0.15']);
    expect((await server('redis', '7.0'))['server']).toEqual([true, 'redis-7.0.15']);
    expect((await server('redis', '7.2'))['server']).toEqual([false, 'redis-7.0.15']);
    expect((await server('valkey', ''))['server']).toEqual([false, 'redis-7.0.15']);
    expect(await judged(path, { rdbVersion: 11 })).toMatchObject({ 'rdb-version': [false, 10] });
  });

  it('look at TTLs, and for keys that must be there', async () => {
    const at = (ms: number) => redis(11).database(0).expiryMs(ms).key(0, 'session:1', str('x'));
    const past = at(NOW - 1)
      .expiryMs(NOW + 1000)
      .key(0, 'session:2', str('x'))
      .key(0, 'user:1', str('x'));
    const path = write(
      past
        .expiryMs(NOW + 9e12)
        .key(0, 'far', str('x'))
        .end(),
    );
    const rules = {
      maxExpired: 0.2,
      maxTtlMs: 1e12,
      required: [
        { pattern: 'session:*', least: 2 },
        { pattern: 'user:*', least: 2 },
      ],
    };
    const { expired, ttl, require } = await judged(path, rules);
    expect([expired, ttl, require]).toEqual([
      [false, 0.25],
      [false, 1],
      [false, 1],
    ]);
    expect(await judged(path, { maxExpired: 0.25, maxTtlMs: 1e13 })).toMatchObject({
      expired: [true, 0.25],
      ttl: [true, 0],
    });
  });

  it('cannot be met by what is not known: a log tells its keys once it is executed', async () => {
    const path = write(resp('SET a 1') + resp('SET b 2') + resp('DEL a'), 'a.aof');
    expect(await judged(path, { minKeys: 1 })).toEqual({ intact: [true, 0] });
    expect(await judged(path, { minKeys: 2 })).toMatchObject({ 'min-keys': [false, null] });
    const drilled = await judged(path, { minKeys: 1 }, { drill: { kind: 'embedded', program: null } });
    expect(drilled).toMatchObject({
      'min-keys': [true, 1],
      drill: [true, expect.stringMatching(/^[0-9a-f]{40}$/)],
    });
  });

  it('a drill that fails says why', async () => {
    const path = write(resp('SET a 1') + resp('INCR'), 'a.aof');
    expect(await judged(path, {}, { drill: { kind: 'embedded', program: null } })).toMatchObject({
      intact: [false, 1],
    });
    const whole = write(backupOf(2, CORPUS_NOW));
    const report = await verify(
      verifyOptions({ path: whole, drill: { kind: 'server', program: '/no/such/server' } }),
      testContext(),
    );
    expect(report.ok).toBe(false);
    expect(report.sources[0]!.drill!.why).toContain('/no/such/server');
  });

  it('compare with the last good run, prefix by prefix', async () => {
    const statePath = join(temporaryDirectory('verify'), 's.json');
    const rules = { ...PLAIN_RULES, maxShrink: 0.3, maxGrowth: 1, maxPrefixShrink: 0.3 };
    const both = (orders: number, users: number): Buffer => {
      const builder = redis(11).database(0);
      for (let i = 0; i < orders; i++) builder.raw(u8(0), str(`order:${i}`), str('v'));
      for (let i = 0; i < users; i++) builder.raw(u8(0), str(`user:${i}`), str('v'));
      return builder.end();
    };
    const night = async (bytes: Buffer, changes: Partial<VerifyOptions> = {}) => {
      const options = verifyOptions({ path: write(bytes), rules }, { statePath, ...changes });
      const { sources } = await verify(options, testContext());
      return sources[0]!.rules.filter(({ ok }) => !ok).map(({ name, of, value }) => [name, of, value]);
    };
    expect(await night(both(1000, 200))).toEqual([]);
    expect(await night(both(1000, 100))).toEqual([['shrink-prefix', 'user', 0.5]]);
    expect(await night(both(2500, 200))).toEqual([
      ['growth-keys', '', 1.25],
      ['growth-bytes', '', expect.any(Number)],
    ]);
    expect(await night(both(500, 200), { accept: true })).toHaveLength(3);
    expect(await night(both(500, 200))).toEqual([]);
  });
});

it('takes a path and nothing else from a program', async () => {
  const path = write(backupOf(2, CORPUS_NOW));
  const { ok, sources } = await verifyFromProgram(path);
  expect([ok, sources[0]!.name, sources[0]!.facts!.keys]).toEqual([true, path, 2]);
  const strict = await verifyFromProgram([{ path, name: 'orders', rules: { minKeys: 3 } }], { nowMs: NOW });
  expect([strict.ok, strict.sources[0]!.rules.at(-1)]).toEqual([
    false,
    expect.objectContaining({ name: 'min-keys', value: 2 }),
  ]);
});

describe('a run', () => {
  it('has a time to keep to, and tells of what it did not come to', async () => {
    const report = await verify(
      { ...verifyOptions({}), targets: [verifyTarget({ path: write(backupOf(1, 1)) })], timeoutMs: 0.0001 },
      testContext({ progress: () => {} }),
    ).catch((error) => error);
    // So short a time may be over at any point; when it is, the rule says so.
    const failed = report.sources[0].rules.filter((rule: { ok: boolean }) => !rule.ok);
    expect(failed.every((rule: { name: string }) => rule.name === 'in-time')).toBe(true);
  });

  it('refuses sources of one name', async () => {
    const targets = [verifyTarget({ path: 'a' }), verifyTarget({ path: 'b' })];
    await expect(verify({ ...verifyOptions({}), targets }, testContext())).rejects.toThrow(
      'two sources are called orders',
    );
  });

  it('raises an alarm with what failed, and says when that failed', async () => {
    const room = temporaryDirectory('alarm');
    const alarm = { timeoutMs: 5000, environment: { PATH: process.env['PATH'] } };
    const told = { ...alarm, command: `cat > ${room}/told; echo "$REKINDLE_FAILED" > ${room}/failed` };
    const missing = verifyOptions({ path: '/no/such.rdb', name: 'a "b"' }, { alarm: told });
    expect((await verify(missing, testContext())).remarks).toEqual([]);
    expect(readFileSync(join(room, 'told'), 'utf8')).toBe('FAILED a "b": readable\n');
    expect(readFileSync(join(room, 'failed'), 'utf8')).toBe('a "b"\n');
    const broken = verifyOptions({ path: '/no/such.rdb' }, { alarm: { ...alarm, command: 'exit 7' } });
    expect((await verify(broken, testContext())).remarks).toEqual([
      { kind: 'alarm-failed', why: 'it ended with 7' },
    ]);
  });
});

describe('the lock', () => {
  const take = (
    path: string,
    pid: number,
    alive: number[] = [],
    host = 'here',
    nowMs = NOW,
  ): Promise<RunLock> => Locks.take(path, someProcess(pid, alive, host), nowMs, HOUR * 1000, localDisk);

  it('is held by one run; the second says so and changes nothing', async () => {
    const room = temporaryDirectory('lock');
    const statePath = join(room, 'state.json');
    const path = write(backupOf(1, 1));
    const lock = await take(`${statePath}.lock`, 11, [11]);
    const second = verify(
      verifyOptions({ path }, { statePath, owner: someProcess(12, [11]) }),
      testContext(),
    );
    await expect(second).rejects.toThrow(
      'another verification is running: process 11 on here, since 2026-03-01 12:00:00 UTC',
    );
    expect(readdirSync(room)).toEqual(['state.json.lock']);
    await lock.release();
    expect(readdirSync(room)).toEqual([]);
  });

  it('of a dead process is taken over, by one of many', async () => {
    const path = join(temporaryDirectory('lock'), 'l');
    await take(path, 11);
    const alive = [21, 22, 23, 24, 25];
    const tries = await Promise.allSettled(alive.map((pid) => take(path, pid, alive)));
    const won = tries.filter((each) => each.status === 'fulfilled');
    expect(won).toHaveLength(1);
    expect((won[0] as PromiseFulfilledResult<RunLock>).value.tookOverFrom).toBe(11);
  });

  it('of another machine counts until its time is over; of our own number, when it is ours', async () => {
    const path = join(temporaryDirectory('lock'), 'l');
    await take(path, 11, [], 'there');
    await expect(take(path, 11)).rejects.toThrow('process 11 on there');
    const later = await take(path, 11, [], 'here', NOW + 2 * HOUR * 1000);
    await expect(take(path, 11)).rejects.toThrow('process 11 on here');
    await later.release();
    writeFileSync(path, '{"pid":11,"host":"here","sinceMs":1,"untilMs":2,"nonce":"of a container before"}');
    expect((await take(path, 11)).tookOverFrom).toBe(11);
    for (const rubbish of ['', 'x', '[]', '{"pid":"__proto__"}', '\0'.repeat(1000)]) {
      writeFileSync(path, rubbish);
      expect((await take(path, 12)).tookOverFrom).toBe(0);
    }
  });
});

describe('the state', () => {
  it('remembers 400 runs', async () => {
    const path = join(temporaryDirectory('state'), 's');
    const state = new VerifyState();
    const run = { ok: true, bytes: 1, keys: 1, savedAtMs: 1, durationMs: 1, failed: [] };
    for (let i = 0; i < RUNS_MAX + 5; i++) state.remember('__proto__', { ...run, atMs: i }, null);
    await writeState(path, state, localDisk);
    const again = (await readState(path, localDisk)).of('__proto__');
    expect([again.runs.length, again.runs[0]!.atMs, again.lastGoodMs]).toEqual([400, 5, 404]);
  });

  it.each([
    ['', 'it is empty'],
    ['{"format":', 'it is no JSON'],
    ['[]', 'it is no object'],
    ['{"format":"x"}', 'it is no state of rekindle verify'],
    [
      '{"format":"rekindle-verify-state","version":2,"sources":[]}',
      'it is of version 2, and this rekindle knows up to 1',
    ],
    ['{"format":"rekindle-verify-state","version":1,"sources":{"__proto__":1}}', 'sources is no list'],
    [
      '{"format":"rekindle-verify-state","version":1,"sources":[{"name":"a","baseline":null,"lastGoodMs":"x","runs":[]}]}',
      'sources[0].lastGoodMs is no number',
    ],
    [
      '{"format":"rekindle-verify-state","version":1,"sources":[{"name":"a","baseline":{},"lastGoodMs":null,"runs":[]}]}',
      'sources[0].baseline.atMs is no number',
    ],
  ])('%s is put aside, and said', async (text, why) => {
    const statePath = write(text, 'state.json');
    writeFileSync(`${statePath}.bad`, 'of another day');
    const report = await verify(verifyOptions({ path: write(backupOf(1, 1)) }, { statePath }), testContext());
    expect(report.ok).toBe(true);
    expect(report.remarks).toEqual([
      { kind: 'state-unusable', path: statePath, why, keptAs: `${statePath}.bad-2` },
    ]);
    expect(readFileSync(`${statePath}.bad-2`, 'utf8')).toBe(text);
    expect(readFileSync(`${statePath}.bad`, 'utf8')).toBe('of another day');
    expect((await readState(statePath, localDisk)).of('orders').runs).toHaveLength(1);
  });

  it('that is huge is not read', async () => {
    const statePath = write('', 'state.json');
    truncateSync(statePath, 65 * 1024 * 1024);
    const { remarks } = await verify(
      verifyOptions({ path: write(backupOf(1, 1)) }, { statePath }),
      testContext(),
    );
    expect(remarks).toMatchObject([
      { kind: 'state-unusable', why: expect.stringContaining('it has 68157440 bytes') },
    ]);
    expect(existsSync(`${statePath}.bad`)).toBe(true);
  });
});

it('prefixes are counted exactly up to so many, and then together', () => {
  const counter = new PrefixCounter(58);
  for (let i = 0; i < 5000; i++) {
    for (const text of [`p${i}:x`, `plain${i}`]) counter.add(Buffer.from(text), 0, text.length);
  }
  expect(counter.of('')).toBe(5000);
  expect(counter.of('p17')).toBe(1);
  expect(counter.others).toBe(5001 - 4096);
  expect(counter.largest(2)).toEqual([
    { prefix: '', keys: 5000 },
    { prefix: 'p0', keys: 1 },
  ]);
});
