import { describe, expect, test } from 'vitest';
import { lastTimestamp } from '../../src/aof/timestamps.js';
import { CommandPattern } from '../../src/resp/pattern.js';
import { corpusBytes, rdbCases } from '../support/corpus.js';
import { dribbling, memorySet, record } from '../support/log.js';
import { resp } from '../support/resp.js';

const before = (...patterns: string[]) => ({ before: patterns.map((text) => new CommandPattern(text)) });
const at = (bytes: number, file: string | null = null) => ({ offset: { file, bytes } });
const PING = 14; // bytes of one
const SMALL_KEYS = rdbCases('redis-7.0.15').find(({ name }) => name === 'small')!.truth.keys.length;

/** The texts of the commands applied. */
async function applied(files: Record<string, string | Buffer>, cut = {}): Promise<string[]> {
  const { recorder } = await record(await memorySet(files), cut);
  return recorder.lines
    .filter((line) => !line.startsWith('file'))
    .map((line) => line.replace(/^.*? db\d+ /, ''));
}

async function stopOf(files: Record<string, string | Buffer>, cut = {}) {
  const { end } = await record(await memorySet(files), cut);
  const { file, offset, command, timeMs, reason } = end.stoppedAt;
  expect(end.applied).toBe(command);
  return [file?.name, offset, command, timeMs < 0 ? null : timeMs / 1000, reason];
}

describe('what is told', () => {
  const files = {
    'a.base.aof': resp('#TS:100', 'SELECT 2', 'SET a 1'),
    'a.1.incr.aof': '',
    'a.2.incr.aof': resp(
      'SET b 2',
      '#TS:101',
      'MULTI',
      'SELECT 5',
      'INCR c',
      'EXEC',
      'SET d 3',
      'SELECT x',
      'PING',
    ),
  };
  const wanted = [
    'file a.base.aof',
    '1 @9+23 t100 db0 SELECT 2',
    '2 @32+27 t100 db2 SET a 1',
    'file a.1.incr.aof',
    'file a.2.incr.aof',
    '3 @0+27 t100 db0 SET b 2',
    '4 @36+15 t101 db0 multi MULTI',
    '5 @51+23 t101 db0 multi SELECT 5',
    '6 @74+21 t101 db5 multi INCR c',
    '7 @95+14 t101 db5 multi EXEC',
    '8 @109+27 t101 db5 SET d 3',
    '9 @136+23 t101 db5 SELECT x',
    '10 @159+14 t101 db5 PING',
  ];

  test('each command once, with file, place, number, time and database', async () => {
    const { recorder, end } = await record(await memorySet(files));
    expect(recorder.lines).toEqual(wanted);
    expect(end).toMatchObject({
      stoppedAt: { offset: 173, command: 10, timeMs: 101_000, reason: 'end' },
      applied: 10,
      annotations: 2,
      findings: [],
    });
    expect(end.stoppedAt.file?.name).toBe('a.2.incr.aof');
  });

  test.each([
    ['byte by byte', [1], {}],
    ['in small windows', [5, 2], { chunkBytes: 3 }],
    ['paused after every command', [1 << 20], { pauses: true }],
    ['paused, byte by byte', [1], { pauses: true, chunkBytes: 1 }],
  ])('the same %s', async (_, sizes, options) => {
    const set = dribbling(await memorySet(files), ...sizes);
    const { recorder } = await record(set, {}, options);
    expect(recorder.lines).toEqual(wanted);
    if ('pauses' in options) expect(recorder.drains).toBeGreaterThanOrEqual(10);
  });

  test('a set without files', async () => {
    expect(await stopOf({})).toEqual([undefined, 0, 0, null, 'end']);
  });

  test('an EXEC alone and a MULTI inside are told and noted', async () => {
    const set = await memorySet({ f: resp('EXEC', 'MULTI', 'MULTI', 'EXEC') });
    const { recorder, end } = await record(set);
    expect(recorder.lines.slice(1)).toEqual([
      '1 @0+14 t- db0 EXEC',
      '2 @14+15 t- db0 multi MULTI',
      '3 @29+15 t- db0 multi MULTI',
      '4 @44+14 t- db0 multi EXEC',
    ]);
    expect(end.findings.map(({ code, where }) => [code, where.file, where.offset])).toEqual([
      ['aof/exec-without-multi', 'f', 0],
      ['aof/nested-multi', 'f', 29],
    ]);
  });

  test('a large transaction is handed over while the handler pauses', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `SET k${i} ${'v'.repeat(i % 50)}x`);
    const files = { f: resp('MULTI', ...many, 'EXEC', 'PING') };
    const { recorder } = await record(await memorySet(files), {}, { pauses: true });
    expect(recorder.lines).toHaveLength(3004);
    expect(recorder.lines[3000]).toBe(`3000 @${recorder.lines[3000]!.split('@')[1]}`);
    expect(recorder.lines.at(-1)).toMatch(/^3003 @\d+\+14 t- db0 PING$/);
  });
});

describe('the tail', () => {
  const torn = resp('PING', 'SET a 1').slice(0, -3);
  const open = resp('PING', 'MULTI', 'INCR a');

  test.each([
    ['a torn record', torn, 'aof/torn-tail', 14, { safeCut: 14, end: 38, missing: 3 }],
    ['an open transaction', open, 'aof/open-transaction', 14, { safeCut: 14, end: 50, queued: 1 }],
    ['a record torn inside a transaction', open.slice(0, -1), 'aof/torn-tail', 29, { safeCut: 14 }],
    ['a cut MULTI', open.slice(0, 20), 'aof/torn-tail', 14, { safeCut: 14 }],
  ])('%s at the end of the last file ends the log before it', async (_, text, code, offset, detail) => {
    const { recorder, end } = await record(await memorySet({ 'a.aof': resp('PING'), 'b.aof': text }));
    expect(recorder.lines.map((line) => line.split(' ').at(-1))).toEqual(['a.aof', 'PING', 'b.aof', 'PING']);
    expect(end.stoppedAt).toMatchObject({ offset: 14, command: 2, reason: 'torn-tail' });
    expect(end.findings).toMatchObject([{ code, where: { file: 'b.aof', offset }, detail }]);
  });

  test.each([
    ['aof/truncated', torn],
    ['aof/open-transaction', open],
  ])('%s: in an earlier file it is an error', async (code, text) => {
    const set = await memorySet({ 'a.aof': text, 'b.aof': resp('PING') });
    await expect(record(set)).rejects.toMatchObject({ code, file: 'a.aof', offset: 14 });
  });

  test('but not when nothing behind that file is wanted', async () => {
    const files = { 'a.aof': torn, 'b.aof': resp('PING') };
    expect(await stopOf(files, at(1000, 'a.aof'))).toEqual(['a.aof', 14, 1, null, 'torn-tail']);
    expect(await stopOf(files, at(14, 'a.aof'))).toEqual(['a.aof', 14, 1, null, 'offset']);
  });

  test('damage is an error with its file, unless the cut comes before it', async () => {
    const files = { 'a.aof': `${resp('PING', 'PING')}garbage` };
    await expect(record(await memorySet(files))).rejects.toMatchObject({
      code: 'aof/bad-prefix',
      file: 'a.aof',
      offset: 28,
    });
    expect(await stopOf(files, { commands: 2 })).toEqual(['a.aof', 28, 2, null, 'command']);
    expect(await stopOf(files, at(28))).toEqual(['a.aof', 28, 2, null, 'offset']);
  });

  test('an annotation without its end is noted, and the cut is before it', async () => {
    const { end } = await record(await memorySet({ f: `${resp('PING')}#TS:1` }));
    expect(end.stoppedAt.reason).toBe('end');
    expect(end.findings.map(({ code }) => code)).toEqual(['aof/torn-annotation']);
  });
});

describe('until an offset', () => {
  const files = {
    'a.aof': resp('PING', 'PING'),
    'b.aof': resp('PING', 'MULTI', 'INCR a', 'EXEC', 'PING'),
  };

  test.each([
    [0, 0],
    [13, 0],
    [14, 14],
    [15, 14],
    [63, 14],
    [64, 64],
    [77, 64],
    [78, 78],
  ])('%d: up to %d in the last file', async (bytes, offset) => {
    const reason = 'offset';
    const commands = { 0: 2, 14: 3, 64: 6, 78: 7 }[offset];
    expect(await stopOf(files, at(bytes))).toEqual(['b.aof', offset, commands, null, reason]);
  });

  test('beyond the end is all of it', async () => {
    expect(await stopOf(files, at(1000))).toEqual(['b.aof', 78, 7, null, 'end']);
  });

  test('in an earlier file leaves out the later ones', async () => {
    expect(await stopOf(files, at(14, 'a.aof'))).toEqual(['a.aof', 14, 1, null, 'offset']);
    expect(await stopOf(files, at(28, 'a.aof'))).toEqual(['a.aof', 28, 2, null, 'offset']);
    expect(await stopOf(files, at(99, 'dir/a.aof'))).toEqual(['a.aof', 28, 2, null, 'offset']);
  });

  test('the last file may be empty', async () => {
    expect(await stopOf({ ...files, 'c.aof': '' }, at(0))).toEqual(['c.aof', 0, 7, null, 'offset']);
  });

  test('in a file that is not there', async () => {
    await expect(record(await memorySet(files), at(5, 'c.aof'))).rejects.toThrow('no file c.aof');
  });

  test('in a file that is only history', async () => {
    const set = await memorySet(files);
    const past = { ...set, history: [{ ...set.files[0]!, name: 'old.aof', role: 'history' as const }] };
    await expect(record(past, at(5, 'old.aof'))).rejects.toThrow('old.aof is history');
  });

  test('inside a preamble is refused, at its end is not', async () => {
    const rdb = corpusBytes('redis-7.0.15', 'empty.rdb');
    const preamble = { 'a.base.rdb': Buffer.concat([rdb, Buffer.from(resp('PING'))]) };
    const size = rdb.length;
    for (const bytes of [0, 5, size - 1]) {
      await expect(record(await memorySet(preamble), at(bytes))).rejects.toThrow('inside the RDB preamble');
    }
    expect(await stopOf(preamble, at(size))).toEqual(['a.base.rdb', size, 0, null, 'offset']);
    expect(await stopOf(preamble, at(size + PING - 1))).toEqual(['a.base.rdb', size, 0, null, 'offset']);
    expect(await stopOf(preamble, at(size + PING))).toEqual(['a.base.rdb', size + PING, 1, null, 'offset']);
  });
});

describe('until a time', () => {
  const files = {
    'a.aof': resp('PING', '#TS:100', 'PING'),
    'b.aof': resp('PING', '#TS:102', 'PING', '#TS:101', 'PING', '#HDR:x', '#TS:103', 'PING'),
  };

  test.each([
    [99, ['a.aof', 14, 1, null, 'time']],
    [100, ['b.aof', 14, 3, 100, 'time']],
    [101, ['b.aof', 14, 3, 100, 'time']],
    [102, ['b.aof', 68, 5, 101, 'time']],
    [103, ['b.aof', 91, 6, 103, 'end']],
  ])('%d', async (seconds, stop) => {
    const [name, offset, command, time, reason] = stop;
    expect(await stopOf(files, { seconds })).toEqual([name, offset, command, time, reason]);
  });

  test('an annotation inside a transaction drops it whole', async () => {
    const text = resp('PING', 'MULTI', 'INCR a', '#TS:200', 'INCR b', 'EXEC');
    expect(await stopOf({ f: text }, { seconds: 150 })).toEqual(['f', 14, 1, null, 'time']);
    expect(await stopOf({ f: text }, { seconds: 200 })).toEqual(['f', text.length, 5, 200, 'end']);
  });

  test('annotations that cannot be read do not count, and are noted', async () => {
    const { end } = await record(await memorySet({ f: resp('#TS:9x', 'PING') }), { seconds: 1 });
    expect(end.stoppedAt.reason).toBe('end');
    expect(end.annotations).toBe(0);
    expect(end.findings.map(({ code }) => code)).toEqual(['aof/bad-annotation']);
  });

  test('the last time of a log, for times that count back from it', async () => {
    const last = async (contents: Record<string, string | Buffer>) =>
      lastTimestamp(await memorySet(contents));
    expect(await last(files)).toBe(103);
    expect(await last({ ...files, 'c.aof': resp('PING') })).toBe(103);
    expect(await last({ f: resp('PING') })).toBe(null);
    expect(await last({ f: `${resp('#TS:5', 'PING')}garbage#TS:9\r\n` })).toBe(5);
    const value = `\r\n${resp('#TS:999')}`;
    expect(await last({ f: `${resp('#TS:7')}*1\r\n$${value.length}\r\n${value}\r\n` })).toBe(7);
  });
});

describe('until a command', () => {
  const files = { 'a.aof': resp('PING', '#TS:1', 'PING'), 'b.aof': resp('MULTI', 'INCR a', 'EXEC', 'PING') };

  test.each([
    [0, ['a.aof', 0, 0, null, 'command']],
    [1, ['a.aof', 14, 1, null, 'command']],
    [2, ['a.aof', 35, 2, 1, 'command']],
    [3, ['b.aof', 0, 2, null, 'command']],
    [4, ['b.aof', 0, 2, null, 'command']],
    [5, ['b.aof', 50, 5, 1, 'command']],
    [6, ['b.aof', 64, 6, 1, 'command']],
    [7, ['b.aof', 64, 6, 1, 'end']],
  ])('%d', async (commands, stop) => {
    const [name, offset, command, time, reason] = stop;
    const found = await stopOf(files, { commands });
    expect([found[0], found[1], found[2], found[4]]).toEqual([name, offset, command, reason]);
    if (time !== null) expect(found[3]).toBe(time);
  });
});

describe('before a pattern', () => {
  const files = {
    f: resp('SET user:1 a', 'DEL x user:1', 'MULTI', 'del user:1 x', 'EXEC', 'flushall ASYNC'),
  };

  test.each([
    [['FLUSHALL'], 5],
    [['FlushAll sync'], 6],
    [['FlushAll a*'], 6],
    [['flush* A*'], 5],
    [['DEL user:*'], 2],
    [['DEL'], 1],
    [['FLUSHALL', 'SET'], 0],
    [['"DEL" \'x\' user:?'], 1],
    [['EXEC'], 2],
    [['DEL user:1 x y'], 6],
  ])('%j: %d commands', async (patterns, count) => {
    const found = await stopOf(files, before(...patterns));
    expect([found[2], found[4]]).toEqual([count, count === 6 ? 'end' : 'pattern']);
  });

  test('no pattern at all is refused', () => {
    expect(() => new CommandPattern('  ')).toThrow('not a command pattern');
    expect(() => new CommandPattern('DEL "x')).toThrow('not a command pattern');
  });
});

test('of several limits the earliest wins', async () => {
  const files = { f: resp('SET a 1', '#TS:50', 'SET b 2', 'SET c 3', 'SET d 4') };
  const cut = { commands: 3, seconds: 60, ...at(1000), ...before('SET d') };
  expect(await stopOf(files, cut)).toEqual(['f', 89, 3, 50, 'command']);
  expect(await stopOf(files, { ...cut, ...before('SET b') })).toEqual(['f', 35, 1, 50, 'pattern']);
  expect(await stopOf(files, { ...cut, seconds: 49 })).toEqual(['f', 27, 1, null, 'time']);
  expect(await stopOf(files, { ...cut, ...at(30) })).toEqual(['f', 27, 1, null, 'offset']);
});

test('commands after the cut are not told even when they came in the same bytes', async () => {
  expect(await applied({ f: resp('SET a 1', 'SET b 2', 'SET c 3') }, { commands: 1 })).toEqual(['SET a 1']);
});

describe('preambles', () => {
  test('are told to the RDB handler, by their bytes and not their name', async () => {
    const rdb = corpusBytes('redis-7.0.15', 'small.rdb');
    const set = await memorySet({ 'x.aof': Buffer.concat([rdb, Buffer.from(resp('PING'))]) });
    for (const sizes of [[1 << 20], [1], [100, 7]]) {
      const { recorder, end } = await record(dribbling(set, ...sizes));
      expect(recorder.lines[1]).toBe(`1 @${rdb.length}+14 t- db0 PING`);
      expect(end.stoppedAt.offset).toBe(rdb.length + 14);
      expect(recorder.rdb.keys).toBe(SMALL_KEYS);
    }
  });

  test('a cut one is an error even in the last file', async () => {
    const rdb = corpusBytes('redis-7.0.15', 'small.rdb');
    for (const length of [9, 40, rdb.length - 1]) {
      const set = await memorySet({ 'x.aof': rdb.subarray(0, length) });
      await expect(record(set)).rejects.toMatchObject({ code: 'rdb/truncated', file: 'x.aof' });
    }
  });

  test('what only begins like one is a damaged log', async () => {
    for (const text of ['R', 'REDI', 'RESP', 'VALKE', 'VALUE']) {
      await expect(record(await memorySet({ f: text }))).rejects.toMatchObject({ code: 'aof/bad-prefix' });
    }
  });
});
