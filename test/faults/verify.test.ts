import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localDisk } from '../../src/bytes/disk.js';
import { readState } from '../../src/tools/verify/state.js';
import { type VerifyOptions, verify } from '../../src/tools/verify.js';
import { CORPUS_NOW } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { temporaryDirectory } from '../support/temporary.js';
import { backupOf, someProcess, verifyOptions } from '../support/verify.js';
import { testContext } from '../tools/context.js';
import { CountedDisk, type Fault } from './counted-disk.js';

// Every step that a verification takes on the disk fails, or the process is killed in it. State and metrics are then as
// they were before or as the run leaves them, and the next run goes on from there.

interface Room {
  readonly path: string;
  readonly state: string;
  readonly metrics: string;
  readonly options: (changes?: Partial<VerifyOptions>) => VerifyOptions;
}

function makeRoom(): Room {
  const path = temporaryDirectory('verify-fault');
  const backup = join(path, 'dump.rdb');
  writeFileSync(backup, backupOf(3, CORPUS_NOW));
  const [state, metrics] = [join(path, 'state.json'), join(path, 'orders.prom')];
  const options = (changes: Partial<VerifyOptions> = {}): VerifyOptions =>
    verifyOptions({ path: backup }, { statePath: state, metricsPath: metrics, ...changes });
  return { path, state, metrics, options };
}

/** Runs remembered, and lines of metrics; -1 where there is no file. Throws for a file that is neither whole. */
async function look({ state, metrics }: Room): Promise<readonly [runs: number, lines: number]> {
  const remembered = await readState(state, localDisk);
  expect(remembered.unusable).toBe('');
  const runs = existsSync(state) ? (remembered.sources.get('orders')?.runs.length ?? 0) : -1;
  const text = existsSync(metrics) ? readFileSync(metrics, 'utf8') : '';
  if (text !== '') expect(text).toMatch(/^rekindle_verify_rule_ok\{.*\} 1\n$/m);
  return [runs, text === '' ? -1 : text.split('\n').length];
}

/** How a run ends: with its report, with an error, or by being killed. */
async function end(run: Promise<unknown>, disk: CountedDisk): Promise<unknown> {
  return Promise.race([run.catch((error: unknown) => error), disk.killed]);
}

/** In a short run they take turns at the steps, so that each step fails in one of these ways. */
const FAULTS: readonly Fault[] = ['killed', 'ENOSPC', 'EIO'];
const stepsFailed = new Map<number, string>();

describe.each(FAULTS)('%s', (fault) => {
  it('leaves state and metrics whole, whatever step it is', async () => {
    const stride = THOROUGH ? 1 : FAULTS.length;
    for (let step = THOROUGH ? 1 : FAULTS.indexOf(fault) + 1; ; step += stride) {
      const room = makeRoom();
      await verify(room.options(), testContext());
      const before = await look(room);
      expect(before[0]).toBe(1);
      const counted = new CountedDisk(step, fault);
      await end(verify(room.options({ disk: counted.disk }), testContext()), counted);
      if (counted.failed === '') break;
      stepsFailed.set(step, counted.failed);
      const after = await look(room);
      expect(after[1]).toBe(before[1]);
      expect([1, 2]).toContain(after[0]);
      // The next night: nobody of that number lives any more, and nothing is left lying about.
      const next = await verify(room.options({ owner: someProcess(2000) }), testContext());
      expect([next.ok, next.failures]).toEqual([true, []]);
      expect((await look(room))[0]).toBe(after[0] + 1);
      const left = readdirSync(room.path).filter(
        (name) => !/^(dump\.rdb|state\.json|orders\.prom)$/.test(name),
      );
      expect(left.filter((name) => !name.startsWith('state.json.lock.partial-'))).toEqual([]);
    }
    expect(stepsFailed.size).toBeGreaterThan(5);
  });
});

it('no step was left out', () => {
  const failed = [...stepsFailed.values()];
  expect(failed.filter((name) => name === 'rename').length).toBe(2);
  expect(failed.length).toBeGreaterThan(18);
  expect(Math.max(...stepsFailed.keys())).toBe(failed.length);
});

it('what cannot be written is told, and the verdict is there all the same', async () => {
  const { options, path } = makeRoom();
  const away = join(path, 'no-such-directory');
  const report = await verify(
    options({ lockPath: join(path, 'lock'), statePath: join(away, 's'), metricsPath: join(away, 'm.prom') }),
    testContext(),
  );
  expect(report.ok).toBe(true);
  expect(report.failures.map((failure) => failure.path)).toEqual([join(away, 's'), join(away, 'm.prom')]);
});
