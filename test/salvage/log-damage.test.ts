import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aofCases, corpusBytes, corruptCases } from '../support/corpus.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { salvaged } from './log-recorder.js';

interface Part {
  readonly at: number;
  readonly length: number;
  readonly from: number;
}

interface Comparison {
  readonly untouched: number;
  readonly kept: number;
  readonly repeated: number;
  readonly changed: number;
  readonly swallowed: number;
  readonly invented: readonly [number, number][];
  readonly missing: readonly number[];
}

const { DAMAGES, damageLog, recordsOf, compareLog } = (await import(
  '../bench/salvage-log.mjs' as string
)) as {
  DAMAGES: readonly string[];
  damageLog(bytes: Buffer, from: number, kind: string, random: Random): { damaged: Buffer; parts: Part[] };
  recordsOf(bytes: Buffer, start: number): [number, number][];
  compareLog(records: [number, number][], parts: Part[], told: [number, number][]): Comparison;
};

/** Logs of the oldest server, of one that wrote a single file, and of an application under load. */
const LOGS: readonly [string, Buffer][] = [
  ['redis-2.8.24/workload-norewrite', corpusBytes('redis-2.8.24', 'workload-norewrite.aof')],
  ['redis-5.0.14/workload-norewrite', corpusBytes('redis-5.0.14', 'workload-norewrite.aof')],
  ['redis-7.0.15/workload', lastIncrement('redis-7.0.15', 'workload')],
  ['redis-7.0.15/seed-app', lastIncrement('redis-7.0.15', 'seed-app')],
  ['redis-7.4.1/workload', lastIncrement('redis-7.4.1', 'workload')],
];

function lastIncrement(server: string, name: string): Buffer {
  const directory = join(aofCases(server).find((one) => one.name === name)!.path, 'appendonlydir');
  const files = readdirSync(directory).filter((file) => file.endsWith('.incr.aof'));
  return readFileSync(join(directory, files.sort().at(-1)!));
}

const PLACES = THOROUGH ? 4 : 1;

describe.each(LOGS)('%s', (name, bytes) => {
  const start = bytes.latin1Slice(0, 5) === 'REDIS' ? bytes.indexOf('*2\r\n$6\r\nSELECT') : 0;
  const log = bytes.subarray(start);
  const records = recordsOf(log, 0);

  test.each(DAMAGES)('keeps what was not touched and invents nothing: %s', async (kind) => {
    for (const seed of seeds(`${name} ${kind}`)) {
      const random = new Random(seed);
      for (let i = 0; i < PLACES; i++) {
        const { damaged, parts } = damageLog(log, 0, kind, random);
        const { ranges, doubts } = await salvaged(damaged);
        const { invented, missing, untouched, kept, swallowed } = compareLog(records, parts, ranges);
        const doubted = missing.filter((at) => doubts.some(({ start, end }) => start <= at && at < end));
        const where = `seed ${seed}, place ${i}`;
        expect([where, invented]).toEqual([where, []]);
        // At each place a last argument that seems to belong to the record before it takes that one along.
        expect([where, missing.length - doubted.length <= 3]).toEqual([where, true]);
        expect(kept + swallowed + missing.length).toBe(untouched);
      }
    }
  });
});

describe.each(['redis-7.0.15', 'redis-2.8.24'])('damaged logs of %s', (server) => {
  const cases = corruptCases(server).filter(({ name }) => name.startsWith('aof-'));
  const whole = logIn(cases.find(({ name }) => name === 'aof-intact')!.path);
  const records = recordsOf(whole, 0);
  const known = new Set(records.map(([from, to]) => whole.latin1Slice(from, to)));

  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const bytes = logIn(one.path);
    const { ranges, damages, doubts } = await salvaged(bytes);
    const { same, sameEnd } = alike(whole, bytes);
    const starts = new Set(ranges.map(([from]) => from));
    const shift = bytes.length - whole.length;
    const missing = records.filter(([from, to]) => {
      if (to <= same) return !starts.has(from);
      return from >= whole.length - sameEnd && !starts.has(from + shift);
    });
    expect(missing).toEqual([]);
    // Where nothing was changed, nothing else is told.
    const invented = ranges.filter(
      ([from, to]) =>
        (to <= same || from >= bytes.length - sameEnd) && !known.has(bytes.latin1Slice(from, to)),
    );
    expect(invented).toEqual([]);
    let end = 0;
    for (const range of [...damages, ...doubts].sort((a, b) => a.start - b.start)) {
      expect(range.start >= end && range.end > range.start && range.end <= bytes.length).toBe(true);
      end = range.end;
    }
  });
});

/** Bytes that two files have in common at the start and at the end. */
function alike(a: Buffer, b: Buffer): { same: number; sameEnd: number } {
  const most = Math.min(a.length, b.length);
  let same = 0;
  while (same < most && a[same] === b[same]) same++;
  let sameEnd = 0;
  while (sameEnd < most - same && a[a.length - 1 - sameEnd] === b[b.length - 1 - sameEnd]) sameEnd++;
  return { same, sameEnd };
}

function logIn(path: string): Buffer {
  if (path.endsWith('.aof')) return readFileSync(path);
  const directory = join(path, 'appendonlydir');
  const files = readdirSync(directory).filter((file) => file.endsWith('.incr.aof'));
  return readFileSync(join(directory, files.sort().at(-1)!));
}
