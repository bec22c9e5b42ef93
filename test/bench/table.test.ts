import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary.js';

interface Part {
  readonly what: string;
  readonly asked: number;
  readonly got: number;
  readonly met: boolean;
}
type Row = Readonly<Record<string, unknown>>;

const { judge, goalCell } = (await import('./goals.mjs' as string)) as {
  judge(goal: Row, measured: Row, baseBytes: number): Part[];
  goalCell(parts: readonly Part[] | undefined): string;
};
interface Grown {
  readonly worst: { seconds: number; share: number } | null;
  readonly linear: boolean | null;
  readonly linearOwn: boolean | null;
  readonly linearWall: boolean | null;
  readonly memory: { kept: boolean; got: number } | null;
}
const { judgeGrowth } = (await import('./growth.mjs' as string)) as {
  judgeGrowth(job: string, rows: readonly Row[], start: Row): Grown;
};
const { growthTable, pairTable } = (await import('./table.mjs' as string)) as {
  pairTable(report: Row, form?: string): string;
  growthTable(report: Row, form?: string): string;
};
const { damageLog } = (await import('./jobs.mjs' as string)) as {
  damageLog(from: string, to: string): number;
};

const side = (seconds: number, peakBytes: number) => ({ seconds, cpuSeconds: seconds, peakBytes });
const machine = { cpu: 'A processor', cores: 2, node: 'v20' };

describe('goals', () => {
  it('are met or not, each by itself', () => {
    const goal = { speed: 4, peakBytes: 100e6, peakRatio: 1.1, bytesPerKey: 48 };
    const measured = { ours: side(2, 120e6), theirs: side(9, 110e6), keys: 1e6 };
    const parts = judge(goal, measured, 80e6);
    expect(parts.map(({ what, got, met }) => [what, Number(got.toFixed(3)), met])).toEqual([
      ['speed', 4.5, true],
      ['peakBytes', 120e6, false],
      ['peakRatio', 1.091, true],
      ['bytesPerKey', 40, true],
    ]);
    expect(goalCell(parts)).toBe('4x, 100 MB, 1.1x memory, 48 B a key: not met (120 MB)');
    expect(goalCell(parts.filter(({ met }) => met))).toBe('4x, 1.1x memory, 48 B a key: met');
  });

  it('are asked of large inputs, on which starting does not count', () => {
    const measured = (inputBytes: number, seconds: number) => ({
      inputBytes,
      ours: side(seconds, 90e6),
      theirs: side(6, 1e6),
    });
    const goal = { atBytes: 1e9, speed: 12, peakBytes: 96e6 };
    const cell = (inputBytes: number, seconds: number) =>
      goalCell(judge(goal, measured(inputBytes, seconds), 0));
    expect(cell(99e6, 9)).toBe('12x, 96 MB at 1 GB');
    expect(cell(990e6, 0.5)).toBe('12x, 96 MB: met');
    expect(cell(1e10, 0.51)).toBe('12x, 96 MB: not met (11.8x)');
    expect(judge(goal, measured(99e6, 9), 0)[0]).toEqual({
      what: 'speed',
      asked: 12,
      got: 6 / 9,
      met: null,
      atBytes: 1e9,
    });
  });

  it('that nothing was measured for are no goals', () => {
    const ours = { seconds: 1, cpuSeconds: null, peakBytes: null };
    expect(judge({ speed: 2, peakBytes: 1, bytesPerKey: 1 }, { ours, keys: 0 }, 0)).toEqual([]);
    expect(goalCell([])).toBe('-');
    expect(goalCell(undefined)).toBe('-');
  });
});

describe('growth', () => {
  const start = { seconds: 0.1, cpuSeconds: 0.1 };
  const row = (inputBytes: number, cpuSeconds: number, peakBytes = 70e6, seconds = cpuSeconds) => ({
    inputBytes,
    seconds,
    cpuSeconds,
    kernelSeconds: 0.1,
    peakBytes,
    keys: inputBytes / 100,
  });
  const judged = (...rows: Row[]) => judgeGrowth('convert', rows, start);

  it('is linear when the sizes between lie on the line, whatever starting takes', () => {
    const { worst, linear } = judged(row(1e7, 0.3), row(1e8, 1.1), row(1e9, 10.2));
    expect(worst!.share).toBeCloseTo(-0.083, 3);
    expect(linear).toBe(true);
  });

  it('is not when ten times the bytes take thirteen times as long', () => {
    expect(judged(row(1e8, 1.1), row(1e9, 11), row(1e10, 143)).linear).toBe(false);
    expect(judged(row(1e8, 1.1), row(1e9, 14.1)).linear).toBe(null);
  });

  it('may bend by what is paid once, and by no more than that', () => {
    expect(judged(row(1e7, 0.1), row(1e8, 0.2), row(1e9, 1)).linear).toBe(true);
    expect(judged(row(1e7, 0.1), row(1e8, 0.25), row(1e9, 1)).linear).toBe(false);
    expect(judged(row(1e7, 0.1), row(1e8, 0.17), row(1e9, 1.4), row(1e10, 10)).linear).toBe(false);
  });

  it('is judged by processor time, and by the wall clock beside it', () => {
    const busy = judged(row(1e7, 1), row(1e8, 10, 70e6, 20), row(1e9, 100));
    expect([busy.linear, busy.linearWall]).toEqual([true, false]);
  });

  it("that is the kernel's alone is told apart", () => {
    const rows = [row(1e7, 0.2), row(1e8, 1.1), { ...row(1e9, 14.1), kernelSeconds: 4.1 }];
    const { linear, linearOwn } = judgeGrowth('convert', rows, start);
    expect([linear, linearOwn]).toEqual([false, true]);
    const unknown = rows.map((each) => ({ ...each, cpuSeconds: null, kernelSeconds: null }));
    expect(judgeGrowth('convert', unknown, start).linearOwn).toBe(false);
  });

  it('of memory is none where that is promised, and so many bytes a key elsewhere', () => {
    const rows = (peaks: number[]) => peaks.map((peak, i) => row(10 ** (8 + i), 10 ** i, peak));
    const memory = (job: string, ...peaks: number[]) => judgeGrowth(job, rows(peaks), start).memory;
    expect(memory('digest', 50e6, 80e6, 90e6)).toMatchObject({ kept: true });
    expect(memory('digest', 50e6, 80e6, 93e6)).toMatchObject({ kept: false });
    expect(memory('check-rdb-small', 50e6, 80e6, 80e6 + 7 * 9e7)).toMatchObject({ kept: true, got: 7 });
    expect(memory('check-rdb-small', 50e6, 80e6, 80e6 + 8 * 9e7)).toMatchObject({ kept: false, got: 8 });
    expect(memory('replay', 50e6, 80e6, 800e6)).toBe(null);
    // Below, a second thread comes in.
    expect(memory('digest', 50e6, 80e6)).toBe(null);
  });

  it('is shown by job and size', () => {
    const rows = [row(1e7, 0.2), row(1e8, 1.1), row(1e9, 14.1, 90e6)];
    const growth = [{ job: 'convert', ...judgeGrowth('convert', rows, start) }];
    const table = growthTable({ growth, machine, runs: 3 }, 'markdown');
    expect(table).toContain('|  | 100 | 1.10 | 1.10 | 0.10 | 91 | 10.00 | 70 |  |  |  |  |');
    const miss = '-25 % (-364 ms) (!)';
    const own = '-27 % (-364 ms) (!)';
    expect(table).toContain(
      `|  | 1000 | 14.10 | 14.10 | 0.10 | 71 | 14.00 | 90 |  | ${miss} | ${own} | ${miss} |`,
    );
  });
});

it('shows a job beside the program it is measured with, as text and as Markdown', () => {
  const goal = [{ what: 'speed', asked: 12, got: 12.5, met: true }];
  const ours = side(0.4, 80e6);
  const job = { job: 'check-aof', program: 'redis-check-aof', inputBytes: 1e9, ours, goal };
  const report = { jobs: [{ ...job, theirs: side(5, 4e6), speed: 12.5 }], machine, runs: 5 };
  expect(pairTable(report)).toMatch(/check-aof +1000 +0\.40 .* 12\.50x +redis-check-aof +12x: met\n$/);
  expect(pairTable(report, 'markdown')).toContain(
    '| check-aof | 1000 | 0.40 | 0.40 | 2500 | 80 | 5.00 | 5.00 | 4 | 12.50x | redis-check-aof | 12x: met |',
  );
  expect(pairTable({ ...report, jobs: [job] })).toMatch(/check-aof .* - +redis-check-aof +12x: met\n$/);
});

it('changes one byte in the middle of a log, where a record begins', () => {
  const place = temporaryDirectory('bench');
  const log = join(place, 'log');
  writeFileSync(log, '*1\r\n$4\r\nPING\r\n'.repeat(50));
  const at = damageLog(log, `${log}.damaged`);
  const [before, after] = [readFileSync(log), readFileSync(`${log}.damaged`)];
  expect(at % 14).toBe(0);
  expect(String.fromCharCode(before[at]!, after[at]!)).toBe('*+');
  after[at] = before[at]!;
  expect(after.equals(before)).toBe(true);
});
