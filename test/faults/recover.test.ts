import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { InputError, OutputError } from '../../src/errors.js';
import { recover } from '../../src/tools/library.js';
import { builtProgram } from '../support/built.js';
import { THOROUGH } from '../support/effort.js';
import { recoveryDirectory } from '../support/recovery.js';
import { alike } from '../support/same.js';
import { temporaryDirectory } from '../support/temporary.js';
import { tree } from '../support/tree.js';
import { CountedDisk, type Fault } from './counted-disk.js';

// Every step of the file system that `recover --out` takes is made to fail, the process is killed in every one of them,
// and a real process at any moment.

const home = temporaryDirectory('recover-faults');
let count = 0;

interface Trial {
  readonly room: string;
  readonly out: string;
  readonly source: string;
  readonly disk: CountedDisk;
  readonly outcome: unknown;
}

function room(name: string): { room: string; source: string } {
  const place = join(home, String(count++));
  return { room: place, source: recoveryDirectory(name, join(place, 'data')) };
}

async function trial(name: string, nth: number, fault: Fault): Promise<Trial> {
  const place = room(name);
  const out = join(place.room, 'out');
  const disk = new CountedDisk(nth, fault);
  const options = { output: { path: out, force: false }, disk: disk.disk };
  const work = recover(place.source, options).then(
    () => 'done',
    (error: unknown) => error,
  );
  return { ...place, out, disk, outcome: await Promise.race([work, disk.killed]) };
}

/**
 * In a thorough run each step fails in all of these ways, else every third in one: each takes its turn.
 * commands.test.ts fails the calls that the steps are made of.
 */
const FAULTS: readonly Fault[] = ['ENOSPC', 'EIO', 'short', 'killed'];

/** Runs a trial for every step there is, and says how many there are. */
async function everyStep(
  name: string,
  fault: Fault,
  judge: (trial: Trial) => Promise<void> | void,
): Promise<number> {
  const before = tree(room(name).source);
  const stride = THOROUGH ? 1 : 3 * FAULTS.length;
  for (let nth = 1 + (stride === 1 ? 0 : 3 * FAULTS.indexOf(fault)); ; nth += stride) {
    const each = await trial(name, nth, fault);
    alike(tree(each.source), before, each.disk.failed);
    if (each.disk.failed === '') {
      expect(each.outcome).toBe('done');
      return nth - 1;
    }
    await judge(each);
  }
}

async function expectWhole(path: string, step: string): Promise<void> {
  expect((await recover(path)).verdict, step).toBe('ready');
}

describe.each(['ENOSPC', 'EIO', 'short'] as const)('%s', (fault) => {
  it('at any step leaves the input as it was and the output whole or absent', async () => {
    const steps = await everyStep(
      'manifest-lost-first',
      fault,
      async ({ room: place, out, disk, outcome }) => {
        if (outcome !== 'done')
          expect([OutputError, InputError], disk.failed).toContain((outcome as Error).constructor);
        if (existsSync(out)) await expectWhole(out, disk.failed);
        if (!existsSync(out) && disk.failed !== 'removeTree') expect(readdirSync(place)).toEqual(['data']);
      },
    );
    expect(steps).toBeGreaterThan(25);
  });
});

it('killed at any step leaves the input as it was and the output whole or absent', async () => {
  const steps = await everyStep('manifest-lost-first', 'killed', async ({ out, disk }) => {
    if (existsSync(out)) await expectWhole(out, disk.failed);
  });
  expect(steps).toBeGreaterThan(25);
});

it('without room nothing is begun', async () => {
  const { room: place, source } = room('manifest-lost');
  const { disk } = new CountedDisk(0, 'EIO');
  const crowded = { ...disk, freeBytes: () => Promise.resolve(1000) };
  const options = { output: { path: join(place, 'out'), force: false }, disk: crowded };
  await expect(recover(source, options)).rejects.toThrow(/needs up to \d+ bytes, the file system has 1000/);
  expect(readdirSync(place)).toEqual(['data']);
});

describe('a process killed', () => {
  let program = '';
  beforeAll(() => {
    program = builtProgram();
  });

  const run = (source: string, out: string, killAfterMs: number | null) =>
    new Promise<number>((resolve) => {
      const started = performance.now();
      const child = spawn(process.execPath, [program, 'recover', source, '--out', out], { stdio: 'ignore' });
      const timer = killAfterMs === null ? null : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      child.once('exit', () => {
        if (timer !== null) clearTimeout(timer);
        resolve(performance.now() - started);
      });
    });

  it('at any moment leaves the input as it was and the output whole or absent', async () => {
    const { room: place, source } = room('enabling-aof');
    const before = tree(source);
    const whole = await run(source, join(place, 'whole'), null);
    await expectWhole(join(place, 'whole'), 'not killed');
    const runs = THOROUGH ? 200 : 2;
    for (let i = 0; i < runs; i++) {
      const out = join(place, `out-${i}`);
      // The work on the output is in the last third.
      await run(source, out, whole * (0.6 + (0.5 * i) / runs));
      alike(tree(source), before);
      if (existsSync(out)) await expectWhole(out, String(i));
    }
  }, 3_600_000);
});
