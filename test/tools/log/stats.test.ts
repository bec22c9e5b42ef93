import { describe, expect, it } from 'vitest';
import { NO_CUT } from '../../../src/aof/cut.js';
import { openAofSet } from '../../../src/aof/set.js';
import { EVERY_COMMAND } from '../../../src/tools/log/filter.js';
import { FrequentKeys } from '../../../src/tools/log/frequent-keys.js';
import { countLog } from '../../../src/tools/log/stats.js';
import { Timeline } from '../../../src/tools/log/timeline.js';
import { corpusPath } from '../../support/corpus.js';
import { memorySet, record } from '../../support/log.js';
import { resp } from '../../support/resp.js';
import { testContext } from '../context.js';

const ALL = { cut: NO_CUT, conditions: EVERY_COMMAND, dialect: null };

describe('counts of a log', () => {
  it('are those of its commands', async () => {
    const set = await openAofSet(corpusPath('redis-7.0.15', 'workload'));
    const { recorder } = await record(set);
    const names = new Map<string, number>();
    for (const inFile of recorder.names.values()) {
      for (const [name, count] of inFile) names.set(name, (names.get(name) ?? 0) + count);
    }
    const stats = await countLog(set, ALL, testContext());
    expect(new Map(stats.names.map(({ name, commands }) => [name, commands]))).toEqual(names);
    expect(stats.names.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(stats.bytes);
    expect(stats.transactions).toBe(names.get('EXEC'));
    expect(stats.rate.counts.reduce((sum, count) => sum + count, 0)).toBe(stats.commands);
    const longest = recorder.lines
      .map((line) => /^\d+ @(\d+)\+(\d+)/.exec(line))
      .map((match) => Number(match?.[2] ?? 0));
    expect(stats.largest[0]!.bytes).toBe(Math.max(...longest));
  });

  it('tell keys that are written from those that are read', async () => {
    const log = resp(
      'SUNIONSTORE d a b',
      'COPY a e',
      'MSET f 1 f 2',
      'SORT a',
      'BITOP AND d a b',
      'DEL d f',
      'STRANGE d x',
    );
    const { keys, keysError, distinctKeys } = await countLog(await memorySet({ x: log }), ALL, testContext());
    const counts = keys.map(({ key, count }) => `${key} ${count}`);
    expect(counts).toEqual(['d 4', 'f 3', 'a 1', 'e 1']);
    expect({ keysError, distinctKeys }).toEqual({ keysError: 0, distinctKeys: 4 });
  });

  it('go by the second where there are annotations', async () => {
    const log = resp(
      'SET a 1',
      '#TS:100',
      'SET b 1',
      'SET c 1',
      '#TS:102',
      'MULTI',
      'SET d 1',
      'EXEC',
      '#TS:110',
      'SET e 1',
    );
    const stats = await countLog(await memorySet({ x: log }), ALL, testContext());
    expect(stats.rate).toEqual({
      by: 'time',
      start: 100,
      width: 1,
      counts: [2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1],
    });
    expect(stats).toMatchObject({ perSecond: 0.6, busiest: { seconds: 102, commands: 3 } });
    expect(stats.longest).toMatchObject([{ commands: 3, number: 4 }]);
    const plain = await countLog(await memorySet({ x: resp('SET a 1').repeat(1000) }), ALL, testContext());
    expect(plain.rate.by).toBe('offset');
    expect(plain.rate.counts.reduce((a, b) => a + b)).toBe(1000);
    const empty = await countLog(await memorySet({ x: '' }), ALL, testContext());
    expect(empty).toMatchObject({ commands: 0, perSecond: null, busiest: null, rate: { counts: [] } });
  });
});

describe('frequent keys', () => {
  it('are counted exactly while there is room', () => {
    const keys = new FrequentKeys();
    const add = (name: string, database: number) =>
      keys.add(Buffer.from(`<${name}>`), 1, name.length + 1, database);
    for (let i = 0; i < 1000; i++) add(`key:${i % 10}`, i % 2);
    expect(keys.top(100)).toHaveLength(10);
    expect(keys.top(1)).toEqual([{ database: 0, key: 'key:0', length: 5, count: 100 }]);
    add('x'.repeat(1000), 0);
    expect(keys.top(11)[10]).toMatchObject({ key: 'x'.repeat(256), length: 1000, count: 1 });
    expect(keys.distinct).toBe(11);
  });

  it('stay within the error they tell when many keys come', () => {
    const keys = new FrequentKeys();
    const bytes = Buffer.alloc(8);
    const add = (name: number) => {
      bytes.writeDoubleLE(name);
      keys.add(bytes, 0, 8, 0);
    };
    for (let i = 0; i < 150_000; i++) {
      add(i + 10);
      if (i % 4 === 0) add(1);
      if (i % 10 === 0) add(2);
    }
    const [first, second] = keys.top(2);
    expect(keys.error).toBeGreaterThan(0);
    expect(keys.distinct).toBeNull();
    for (const [found, count] of [
      [first!, 37_500],
      [second!, 15_000],
    ] as const) {
      expect(found.count).toBeLessThanOrEqual(count);
      expect(found.count + keys.error).toBeGreaterThanOrEqual(count);
    }
  });
});

it('a timeline widens its buckets and loses nothing', () => {
  const line = new Timeline(1, 4);
  for (const at of [0, 1, 2, 3, 3.5, 9, -1]) line.add(at);
  expect(line).toMatchObject({ width: 4, counts: [6, 0, 1] });
});
