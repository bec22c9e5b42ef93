import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { formatManifest } from '../../src/aof/manifest.js';
import { runCli } from '../cli/memory-io.js';
import { builtProgram } from '../support/built.js';
import { THOROUGH } from '../support/effort.js';
import { resp } from '../support/resp.js';
import { temporaryDirectory } from '../support/temporary.js';
import { tree } from '../support/tree.js';

// The real process, killed at moments spread over its work: 100 of each kind in a long run. Then an output is whole or absent,
// and what was left does not stand in the way.

const RUNS = THOROUGH ? 100 : 2;
const HALF = 1_000_000;
const OTHER_RUNS = THOROUGH ? 30 : 1;
const LOG = Array.from({ length: 25_000 }, (_, i) => resp(`SET key:${i} ${'v'.repeat(60)}${i}`)).join('');
let program = '';

beforeAll(() => (program = builtProgram()), 120_000);

/** A log large enough for its repair to take a while, with damage in the middle of the first of its two files. */
function damaged(): { room: string; source: string } {
  const room = temporaryDirectory('repair-kill');
  const source = join(room, 'data');
  const log = join(source, 'appendonlydir');
  mkdirSync(log, { recursive: true });
  const half = resp('SET key value-of-some-length').repeat(HALF / 50);
  writeFileSync(join(log, 'a.aof.1.incr.aof'), `${half}!!${half}`);
  writeFileSync(join(log, 'a.aof.2.incr.aof'), half);
  const increments = [1, 2].map((seq) => ({ name: `a.aof.${seq}.incr.aof`, seq, type: 'i' as const }));
  writeFileSync(join(log, 'a.aof.manifest'), formatManifest({ base: null, increments }));
  return { room, source };
}

/** Runs a repair; resolves to how long it took. */
function run(args: readonly string[], killAfterMs: number): Promise<number> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [program, 'repair', ...args], { stdio: 'ignore' });
    const timer = Number.isFinite(killAfterMs)
      ? setTimeout(() => child.kill('SIGKILL'), killAfterMs)
      : undefined;
    child.once('exit', () => {
      clearTimeout(timer);
      resolve(performance.now() - startedAt);
    });
  });
}

/** The last two thirds of a run are work, the rest is starting. */
const moment = (whole: number, i: number): number => whole * (0.3 + (0.75 * i) / RUNS);

const isIntact = async (path: string): Promise<boolean> =>
  (await runCli(['check', path, '--quick'])).exit === 0;

it('repair --out leaves the input as it was and the output whole or absent', {
  timeout: 3_600_000,
}, async () => {
  const { room, source } = damaged();
  const before = tree(source);
  const whole = await run([source, '--out', join(room, 'whole')], Number.POSITIVE_INFINITY);
  const result = tree(join(room, 'whole'));
  expect(Object.keys(result)).toHaveLength(2);
  for (let i = 0; i < RUNS; i++) {
    const out = join(room, `out-${i}`);
    await run([source, '--out', out], moment(whole, i));
    expectSame(tree(source), before);
    if (existsSync(out)) expectSame(tree(out), result);
  }
});

it('repair --in-place leaves every byte of the input somewhere, and never a mixture', {
  timeout: 3_600_000,
}, async () => {
  let whole = 0;
  let result: Record<string, Buffer> = {};
  for (let i = -1; i < RUNS; i++) {
    const { source } = damaged();
    const before = tree(source);
    const took = await run(
      [source, '--in-place', '--yes'],
      i < 0 ? Number.POSITIVE_INFINITY : moment(whole, i),
    );
    const after = tree(source);
    const live = Object.fromEntries(Object.entries(after).filter(([name]) => name in before));
    if (i < 0) {
      whole = took;
      result = live;
      expect(Object.keys(live)).toHaveLength(2);
    }
    for (const [name, bytes] of Object.entries(before)) {
      const copies = Object.entries(after).filter(
        ([each]) => each === name || each.startsWith(`${name}.bak-`),
      );
      expect(copies.some(([, copy]) => copy.equals(bytes))).toBe(true);
    }
    if (await isIntact(source)) expectSame(live, result);
  }
});

function expectSame(is: Record<string, Buffer>, was: Record<string, Buffer>): void {
  expect(Object.keys(is)).toEqual(Object.keys(was));
  for (const [name, bytes] of Object.entries(is)) expect(bytes.equals(was[name]!), name).toBe(true);
}

/** Kills the process so many milliseconds after something showed up in the directory; true when it was at work by then. */
async function killed(args: readonly string[], directory: string, afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [program, ...args], { stdio: 'ignore' });
  const end = new Promise((resolve) => child.once('exit', resolve));
  while (child.exitCode === null && readdirSync(directory).length === 0) await after(1);
  await after(afterMs);
  const atWork = child.exitCode === null;
  child.kill('SIGKILL');
  await end;
  return atWork;
}

const digestOf = async (path: string): Promise<string> => {
  const { exit, stdout } = await runCli(['digest', path, '--quiet']);
  return `${exit} ${stdout}`;
};

it.each([
  ['convert', 'out.rdb', (from: string, to: string) => ['convert', from, to, '--for', 'redis-7.2']],
  [
    'convert',
    'data',
    (from: string, to: string) => ['convert', from, to, '--to', 'aofdir', '--for', 'redis-7.2'],
  ],
  ['replay', 'out.aof', (from: string, to: string) => ['replay', from, '--out', to]],
  ['compact', 'data', (from: string, to: string) => ['compact', from, '--out', to]],
] as const)('%s to %s', { timeout: 3_600_000 }, async (_command, name, argv) => {
  const room = temporaryDirectory('kill');
  const source = join(room, 'appendonly.aof');
  writeFileSync(source, LOG);
  const wanted = await digestOf(source);
  let atWork = 0;
  for (let i = 0; i < OTHER_RUNS; i++) {
    const directory = join(room, `out-${i}`);
    mkdirSync(directory);
    const out = join(directory, name);
    if (await killed(argv(source, out), directory, i * 4)) atWork++;
    if (existsSync(out)) expect(await digestOf(out)).toBe(wanted);
    else expect((await runCli(argv(source, out))).exit).toBe(0);
    expect(await digestOf(out)).toBe(wanted);
  }
  expect(atWork).toBeGreaterThan(0);
  expect(readFileSync(source, 'latin1')).toBe(LOG);
});
