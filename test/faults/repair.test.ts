import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatManifest } from '../../src/aof/manifest.js';
import { InputError, OutputError } from '../../src/errors.js';
import { check } from '../../src/tools/check.js';
import { applyRepair, planRepair, type RepairOptions, type RepairOutput } from '../../src/tools/repair.js';
import { openSource } from '../../src/tools/source.js';
import { corpusPath } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { resp } from '../support/resp.js';
import { alike } from '../support/same.js';
import { temporaryDirectory } from '../support/temporary.js';
import { tree } from '../support/tree.js';
import { testContext } from '../tools/context.js';
import { CountedDisk, type Fault } from './counted-disk.js';

// Every step of the file system that a repair takes is made to fail, and the process is killed in every one of them.

const CONTEXT = testContext();
const PLAN = { partial: false, doubtful: false, dialect: null } as const;
const home = temporaryDirectory('repair-faults');
let count = 0;

/** A log whose first increment is damaged, and whose second one truncation leaves out. */
function damaged(): { room: string; source: string } {
  const room = join(home, String(count++));
  const source = join(room, 'data');
  const log = join(source, 'appendonlydir');
  mkdirSync(log, { recursive: true });
  cpSync(corpusPath('redis-7.0.15', 'small.rdb'), join(log, 'a.aof.1.base.rdb'));
  writeFileSync(join(log, 'a.aof.1.incr.aof'), `${resp('SELECT 0', 'SET a 1')}!!${resp('SET b 2')}`);
  writeFileSync(join(log, 'a.aof.2.incr.aof'), resp('SELECT 0', 'SET a 3', 'SET c 3'));
  const line = (name: string, seq: number, type: 'b' | 'i') => ({ name: `a.aof.${name}`, seq, type });
  const increments = [line('1.incr.aof', 1, 'i'), line('2.incr.aof', 2, 'i')];
  const text = formatManifest({ base: line('1.base.rdb', 1, 'b'), increments });
  writeFileSync(join(log, 'a.aof.manifest'), text);
  return { room, source };
}

interface Trial {
  readonly room: string;
  readonly source: string;
  readonly disk: CountedDisk;
  /** 'done', 'killed', or what was thrown. */
  readonly outcome: unknown;
}

async function trial(output: 'out' | 'in-place', nth: number, fault: Fault): Promise<Trial> {
  const { room, source } = damaged();
  const disk = new CountedDisk(nth, fault);
  const where: RepairOutput =
    output === 'out'
      ? { kind: 'path', path: join(room, 'out'), link: false }
      : { kind: 'in-place', trusted: true };
  const options: RepairOptions = {
    ...PLAN,
    strategy: 'truncate',
    maxLossBytes: null,
    output: where,
    quarantinePath: join(room, 'lost'),
    force: false,
  };
  const plan = await planRepair(await open(source), PLAN, CONTEXT);
  const work = applyRepair(plan, options, CONTEXT, disk.disk).then(
    () => 'done',
    (error: unknown) => error,
  );
  return { room, source, disk, outcome: await Promise.race([work, disk.killed]) };
}

const open = (path: string) => openSource(path, { prefer: null, stdin: null, signal: null });

async function isIntact(path: string): Promise<boolean> {
  const { files } = await check(await open(path), { quick: false, dialect: null }, CONTEXT);
  return files.flatMap(({ findings }) => findings).every(({ code }) => code === 'set/stray-file');
}

const FAULTS = ['ENOSPC', 'EIO', 'short'] as const;

/**
 * Runs a trial for every step there is; in a short run for some of them with one of the faults, and for fewer with
 * a kill: commands.test.ts fails the calls that they are made of.
 */
async function everyStep(
  output: 'out' | 'in-place',
  fault: Fault,
  judge: (trial: Trial) => Promise<void> | void,
): Promise<number> {
  const first = fault === 'killed' ? 1 : 3 * FAULTS.indexOf(fault) + 1;
  const stride = THOROUGH ? 1 : fault === 'killed' ? 17 : 5 * FAULTS.length;
  for (let nth = THOROUGH ? 1 : first; ; nth += stride) {
    const each = await trial(output, nth, fault);
    if (each.disk.failed === '') {
      expect(each.outcome).toBe('done');
      return nth;
    }
    await judge(each);
  }
}

const { source: original } = damaged();
const BEFORE = tree(original);
const LIVE = Object.keys(BEFORE).map((name) => basename(name));

describe.each(FAULTS)('%s', (fault) => {
  it('at any step of --out leaves the input as it was and the output whole or absent', async () => {
    const steps = await everyStep('out', fault, async ({ room, source, disk, outcome }) => {
      alike(tree(source), BEFORE, disk.failed);
      if (outcome !== 'done')
        expect([OutputError, InputError], disk.failed).toContain((outcome as Error).constructor);
      const out = join(room, 'out');
      if (existsSync(out)) expect(await isIntact(out), disk.failed).toBe(true);
      // What cannot be removed is all that may stay.
      if (!/unlink|removeTree/.test(disk.failed)) {
        expect(readdirSync(room).filter((name) => name.includes('.partial-'))).toEqual([]);
      }
      if (!existsSync(out) && !/unlink/.test(disk.failed)) expect(readdirSync(room)).toEqual(['data']);
    });
    expect(steps).toBeGreaterThan(30);
  });

  it('at any step of --in-place leaves every file as it was, or its backup', async () => {
    const steps = await everyStep('in-place', fault, ({ source, disk, outcome }) => {
      if (outcome !== 'done')
        expect([OutputError, InputError], disk.failed).toContain((outcome as Error).constructor);
      const after = tree(source);
      expectBackups(after, disk.failed);
      // What was undone is undone whole: the old dataset stands again.
      if (outcome !== 'done' && !/unlink/.test(disk.failed)) {
        alike(live(after), BEFORE, disk.failed);
        expect(Object.keys(after).filter((name) => name.includes('.partial-'))).toEqual([]);
      }
    });
    expect(steps).toBeGreaterThan(30);
  });
});

describe('killed', () => {
  it('at any step of --out leaves the input as it was and the output whole or absent', async () => {
    await everyStep('out', 'killed', async ({ room, source, disk }) => {
      alike(tree(source), BEFORE, disk.failed);
      const out = join(room, 'out');
      if (existsSync(out)) expect(await isIntact(out), disk.failed).toBe(true);
    });
  });

  it('at any step of --in-place leaves the old dataset, the new one, or one that no server starts from', async () => {
    await everyStep('in-place', 'killed', async ({ source, disk }) => {
      const after = tree(source);
      expectBackups(after, disk.failed);
      if (await isIntact(source)) {
        const log = after['appendonlydir/a.aof.1.incr.aof']!.latin1Slice();
        expect(log, disk.failed).toBe(resp('SELECT 0', 'SET a 1'));
        expect(after['appendonlydir/a.aof.manifest']!.latin1Slice()).not.toContain('a.aof.2');
      }
    });
  });
});

const live = (files: Record<string, Buffer>) =>
  Object.fromEntries(Object.entries(files).filter(([name]) => LIVE.includes(basename(name))));

/** Every byte of the input stands somewhere: under its name or that of its backup. */
function expectBackups(after: Record<string, Buffer>, step: string): void {
  for (const [name, bytes] of Object.entries(BEFORE)) {
    const copies = Object.entries(after).filter(([each]) => each === name || each.startsWith(`${name}.bak-`));
    expect(
      copies.some(([, copy]) => copy.equals(bytes)),
      `${step}: ${name}`,
    ).toBe(true);
  }
}

it('without room nothing is begun', async () => {
  const { room, source } = damaged();
  const { disk } = new CountedDisk(0, 'EIO');
  const plan = await planRepair(await open(source), PLAN, CONTEXT);
  const options: RepairOptions = {
    ...PLAN,
    strategy: 'truncate',
    maxLossBytes: null,
    output: { kind: 'in-place', trusted: true },
    quarantinePath: null,
    force: false,
  };
  const crowded = { ...disk, freeBytes: () => Promise.resolve(1000) };
  await expect(applyRepair(plan, options, CONTEXT, crowded)).rejects.toThrow(
    /the backup and the repaired files take \d+ bytes, 1000 are free: nothing was changed/,
  );
  alike(tree(source), BEFORE);
  expect(readdirSync(room)).toEqual(['data']);
  expect(readFileSync(join(source, 'appendonlydir/a.aof.2.incr.aof'), 'latin1')).toContain('SET');
});
