import { describe, expect, it } from 'vitest';
import { NO_CUT } from '../../../src/aof/cut.js';
import { findDangers } from '../../../src/tools/log/dangerous.js';
import { EVERY_COMMAND, type LogConditions } from '../../../src/tools/log/filter.js';
import { memorySet, record } from '../../support/log.js';
import { resp } from '../../support/resp.js';
import { testContext } from '../context.js';

async function find(files: Record<string, string>, massKeys = 3, conditions: Partial<LogConditions> = {}) {
  const set = await memorySet(files);
  const options = { cut: NO_CUT, conditions: { ...EVERY_COMMAND, ...conditions }, dialect: null, massKeys };
  const report = await findDangers(set, options, testContext());
  const lines = report.dangers.map(
    ({ kind, number, keys, before }) =>
      `${kind} #${number} ${keys} before ${before.command} ${before.file}:${before.offset}`,
  );
  return { set, report, lines };
}

describe('what takes much away', () => {
  it('is found under every name, in any case, and nothing else is', async () => {
    const dangerous = [
      ...['FLUSHALL', 'flushdb ASYNC', 'DEL a b c', 'unlink a b c d', 'Rename a b', 'SWAPDB 0 1'],
      ...['SCRIPT FLUSH', 'FUNCTION DELETE f', 'TRIMSLOTS RANGES 1 0 5', 'SFLUSH 0 5', 'CLUSTER FLUSHSLOT 5'],
    ];
    const harmless = [
      'SET a 1',
      'DEL a',
      'RENAMENX a b',
      'CLUSTER INFO',
      'FLUSHALX',
      'SCRIPX x',
      'EVAL x 0',
      'evalsha x 0',
      'FCALL f 0',
    ];
    const log = resp(...harmless, ...dangerous);
    const { report } = await find({ x: log });
    expect(report.dangers.map(({ kind }) => kind)).toEqual([
      ...['flushall', 'flushdb', 'delete', 'delete', 'rename', 'swapdb'],
      ...['script', 'function', 'flushslots', 'flushslots', 'flushslots'],
    ]);
    expect(report.scriptsRun).toBe(3);
    expect(report.end.commands).toBe(harmless.length + dangerous.length);
  });

  it('is told with the point before it, in front of a transaction', async () => {
    const { lines } = await find({
      'a.base.aof': resp('SET a 1', 'FLUSHALL'),
      'a.incr.aof': resp('#TS:100', 'MULTI', 'SELECT 3', 'FLUSHDB', 'EXEC'),
    });
    expect(lines).toEqual(['flushall #2 0 before 1 a.base.aof:27', 'flushdb #5 0 before 2 a.incr.aof:9']);
  });

  it('leads replay to that point by number and by offset', async () => {
    const files = {
      x: resp('SELECT 2', 'SET a 1', 'MULTI', 'DEL a b c', 'EXEC', 'SET b 1', 'FLUSHALL', 'SET c 1'),
    };
    const { set, report } = await find(files);
    for (const { before } of report.dangers) {
      const byNumber = await record(set, { commands: before.command });
      const byOffset = await record(set, { offset: { file: before.file, bytes: before.offset } });
      expect(byOffset.recorder.lines).toEqual(byNumber.recorder.lines);
      expect(byNumber.end.stoppedAt).toMatchObject({ command: before.command, offset: before.offset });
    }
    expect(report.dangers.map(({ before }) => before.command)).toEqual([2, 6]);
  });
});

describe('deletions in a row', () => {
  it('are one, whatever stands between them now and then', async () => {
    const log = resp('SET a 1', 'DEL a', 'SET x 1', 'UNLINK b', 'DEL c d', 'MULTI', 'DEL e', 'EXEC');
    const { report } = await find({ x: log }, 5);
    expect(report.dangers).toMatchObject([
      { kind: 'deletes', number: 2, lastNumber: 7, commands: 4, keys: 5 },
    ]);
  });

  it('end where others prevail', async () => {
    const quiet = Array.from({ length: 40 }, (_, i) => `SET k${i} 1`);
    const spread = await find({
      x: resp(...['a', 'b', 'c', 'd'].flatMap((key) => [`DEL ${key}`, ...quiet])),
    });
    expect(spread.lines).toEqual([]);
    const twice = await find({ x: resp('DEL a', 'DEL b', 'DEL c', ...quiet, 'DEL d', 'DEL e', 'DEL f') });
    expect(twice.report.dangers.map(({ number, lastNumber }) => [number, lastNumber])).toEqual([
      [1, 3],
      [44, 46],
    ]);
  });
});

it('lists the first of each kind, counts all, and keeps to the filter', async () => {
  const log = resp('FLUSHALL').repeat(1500) + resp('SELECT 1', 'FLUSHDB');
  const { report } = await find({ x: log });
  expect(report.dangers).toHaveLength(1001);
  expect(report.counts).toEqual(
    new Map([
      ['flushall', 1500],
      ['flushdb', 1],
    ]),
  );
  const { report: narrow } = await find({ x: log }, 3, { databases: [1] });
  expect(narrow.dangers).toMatchObject([
    { kind: 'flushdb', number: 1502, words: [{ text: 'FLUSHDB', bytes: 7 }] },
  ]);
});
