import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HashLanes } from '../../src/model/value-hash.js';
import { KeyTable, PLACE_BYTES } from '../../src/tools/diff/key-table.js';
import { runCli } from '../cli/memory-io.js';
import { type SampleKey, type SampleValue, sampleDataset, tell } from '../property/sample.js';
import { CORPUS_SERVERS, corpusPath, rdbCases } from '../support/corpus.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { memoryWriter } from '../support/rdb.js';
import { temporaryDirectory } from '../support/temporary.js';

const room = temporaryDirectory('diff');
let places = 0;

function place(name: string): string {
  mkdirSync(join(room, String(++places)));
  return join(room, String(places), name);
}

interface Told {
  readonly exit: number;
  readonly differences: readonly Record<string, unknown>[];
  readonly summary: Record<string, unknown>;
}

async function diff(...args: string[]): Promise<Told> {
  const { exit, stdout, stderr } = await runCli(['diff', ...args, '--json']);
  expect(exit, stderr).toBeLessThan(2);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { exit, differences: lines.slice(0, -1), summary: lines.at(-1).summary };
}

async function digest(path: string): Promise<string> {
  return (await runCli(['digest', path, '--as', 'redis-7.4'])).stdout;
}

const SMALL = corpusPath('redis-7.0.15', 'small.rdb');
const TYPES = corpusPath('redis-7.0.15', 'types.rdb');

test.each(CORPUS_SERVERS)('types of %s in another form or encoding differ in nothing', async (server) => {
  const cases = rdbCases(server).filter(({ name }) => THOROUGH || name === 'types');
  for (const { path } of cases) {
    const lines = place('a.ndjson');
    expect((await runCli(['convert', path, lines])).exit).toBe(0);
    const { exit, differences, summary } = await diff(path, lines);
    expect(differences).toEqual([]);
    expect([exit, summary]).toMatchObject([0, { added: 0, removed: 0, changed: 0, libraries: 0 }]);
  }
});

test('a file written plain and one written packed differ in nothing', async () => {
  const told = await diff(TYPES, corpusPath('redis-7.0.15', 'types-nocompress.rdb'), '--type', 'hash');
  expect(told.summary).toMatchObject({ added: 0, removed: 0, changed: expect.any(Number) });
  expect((await diff(TYPES, TYPES, '--quiet')).exit).toBe(0);
});

describe('generated datasets', () => {
  const KINDS = ['string', 'list', 'set', 'zset', 'hash', 'stream'] as const;

  test.each(seeds('diff'))(
    'what was changed is found, and nothing else; the patch undoes it (seed %i)',
    async (seed) => {
      const random = new Random(seed);
      // Commands cannot make every stream, so a patch is proven without them.
      const patched = seed % 2 === 0;
      const kinds = patched ? KINDS.filter((kind) => kind !== 'stream') : KINDS;
      const keys = sampleDataset(
        random,
        { kinds, fieldTtls: true, wholeSeconds: false },
        THOROUGH ? 200 : 60,
      );
      const { after, expected } = mutated(keys, random);
      const [a, b] = [write(keys, random), write(after, random)];
      const patch = place('patch.resp');
      const { exit, differences, summary } = await diff(a, b, '--patch', patch);
      const told = differences.map(({ op, db, key, value, ttl }) =>
        op === 'changed' ? [op, db, key, value, ttl !== null] : [op, db, key],
      );
      expect(sorted(told)).toEqual(sorted(expected));
      expect(exit).toBe(expected.length > 0 ? 1 : 0);
      const counted = await diff(a, b, '--summary');
      expect(counted.differences).toEqual([]);
      expect(summary).toMatchObject(counted.summary);
      expect(summary['same']).toBe(keys.length - expected.filter(([op]) => op !== 'added').length);
      if (patched) await expectPatched(a, b, patch, '--for', 'redis-7.4');
    },
  );
});

/** Applies a patch behind the first side and compares with the second. */
async function expectPatched(a: string, b: string, patch: string, ...target: string[]): Promise<void> {
  const log = place('patched.aof');
  expect((await runCli(['convert', a, log, '--to', 'resp', ...target])).exit).toBe(0);
  writeFileSync(log, Buffer.concat([readFileSync(log), readFileSync(patch)]));
  const { differences } = await diff(log, b);
  expect(differences).toEqual([]);
  expect(await digest(log)).toBe(await digest(b));
}

const sorted = (items: readonly unknown[]): string[] => items.map((item) => JSON.stringify(item)).sort();

const nameOf = (key: Buffer): unknown => {
  const text = key.toString('utf8');
  return Buffer.from(text, 'utf8').equals(key) ? text : { base64: key.toString('base64') };
};

function write(keys: readonly SampleKey[], random: Random): string {
  const { writer, written } = memoryWriter('redis-7.4', { compress: random.once(2) });
  tell(keys, writer, random);
  writer.finish();
  const path = place('side.rdb');
  writeFileSync(path, written().bytes);
  return path;
}

function mutated(keys: readonly SampleKey[], random: Random): { after: SampleKey[]; expected: unknown[][] } {
  const after: SampleKey[] = [];
  const expected: unknown[][] = [];
  for (const key of keys) {
    const name = nameOf(key.key);
    const chance = random.below(12);
    if (chance === 0) {
      expected.push(['removed', key.db, name]);
    } else if (chance === 1) {
      const fresh = { ...key, key: Buffer.concat([key.key, Buffer.from(' new')]) };
      after.push(key, fresh);
      expected.push(['added', key.db, nameOf(fresh.key)]);
    } else if (chance <= 4) {
      const ttl = chance === 4;
      const expiresAtMs = ttl ? (key.expiresAtMs < 0 ? 4102444800000 : key.expiresAtMs + 1) : key.expiresAtMs;
      after.push({ ...key, expiresAtMs, value: changed(key.value, random) });
      expected.push(['changed', key.db, name, true, ttl]);
    } else if (chance === 5) {
      after.push({ ...key, expiresAtMs: key.expiresAtMs < 0 ? 4102444800000 : -1 });
      expected.push(['changed', key.db, name, false, true]);
    } else {
      after.push(key);
    }
  }
  return { after, expected };
}

/** The smallest change of a value. */
function changed(value: SampleValue, random: Random): SampleValue {
  const other = Buffer.from(`other ${random.below(1e9)}`);
  switch (value.kind) {
    case 'string':
      return { kind: 'string', text: other };
    case 'list':
    case 'set':
      return { kind: value.kind, elements: [...value.elements.slice(1), other] };
    case 'zset':
      return {
        kind: 'zset',
        members: value.members.map(([member, score], i) => [member, i === 0 ? (score === 7 ? 8 : 7) : score]),
      };
    case 'hash':
      return {
        kind: 'hash',
        fields: value.fields.map(([name, text, ttl], i) =>
          i > 0
            ? [name, text, ttl]
            : random.once(2)
              ? [name, other, ttl]
              : [name, text, ttl < 0 ? 4102444800000 : ttl + 1],
        ),
      };
    case 'stream':
      return { ...value, lastId: { ...value.lastId, seqLow: value.lastId.seqLow ^ 1 } };
    case 'array':
      return value;
  }
}

const HEADER = '{"rekindle":1,"origin":[["redis-ver","7.2.4"]]}';

function lines(...records: string[]): string {
  const path = place('side.ndjson');
  writeFileSync(path, [HEADER, ...records].join('\n'));
  return path;
}

const key = (name: string, type: string, value: unknown, rest = ''): string =>
  `{"key":${JSON.stringify(name)},"type":"${type}"${rest},"value":${JSON.stringify(value)}}`;

describe('what is told', () => {
  const before = lines(
    key('same', 'string', 'x'),
    key('text', 'string', 'old'),
    key('list', 'list', ['a', 'b', 'c', 'd']),
    key('set', 'set', ['a', 'b']),
    key('zset', 'zset', [
      ['a', 1],
      ['b', 2],
      ['z', -0],
    ]),
    key('hash', 'hash', [
      ['a', '1'],
      ['b', '2'],
      ['c', '3', 4102444800000],
    ]),
    key('kind', 'list', ['a']),
    key('soon', 'string', 'x', ',"expiresAtMs":4102444800000'),
    key('gone\u0007', 'string', 'x'),
    '{"function":"#!lua name=lib\\nreturn 1"}',
  );
  const after = lines(
    key('soon', 'string', 'x', ',"expiresAtMs":4102444800900'),
    key('same', 'string', 'x'),
    key('text', 'string', 'new'),
    key('list', 'list', ['a', 'c', 'x', 'd']),
    key('set', 'set', ['c', 'b']),
    key('zset', 'zset', [
      ['c', 1],
      ['b', 2.5],
      ['z', 0],
    ]),
    key('hash', 'hash', [
      ['a', '1'],
      ['b', '3'],
      ['c', '3'],
    ]),
    key('kind', 'set', ['a']),
    key('come', 'string', 'x'),
    '{"function":"#!lua name=lib\\nreturn 2"}',
  );

  test('by people', async () => {
    const { stdout, exit } = await runCli(['diff', before, after, '--values']);
    expect(exit).toBe(1);
    expect(stdout.split('\n')).toEqual([
      '~ db 0 string soon: TTL 2100-01-01 00:00:00 UTC -> 2100-01-01 00:00:00.900 UTC',
      '~ db 0 set kind: was a list',
      '+ db 0 string come',
      '- function library lib',
      '+ function library lib',
      '- db 0 string "gone\\x07"',
      '~ db 0 string text: value',
      '    ~ value: old -> new',
      '~ db 0 list list: value',
      '    - index 1: b',
      '    + index 2: x',
      '~ db 0 set set: value',
      '    - member a',
      '    + member c',
      '~ db 0 zset zset: value',
      '    - member a: 1',
      '    ~ member b: 2 -> 2.5',
      '    + member c: 1',
      '~ db 0 hash hash: value',
      '    ~ field b: 2 -> 3',
      '    ~ field c: "3 (until 4102444800000)" -> 3',
      '1 added, 1 removed, 7 changed, 1 the same, 2 function libraries different',
      '',
    ]);
  });

  test('by numbers alone, within a tolerance', async () => {
    const { stdout } = await runCli(['diff', before, after, '--summary', '--ttl-tolerance', '900']);
    expect(stdout).toBe('1 added, 1 removed, 6 changed, 2 the same, 2 function libraries different\n');
    const { summary } = await diff(before, after, '--summary', '--match', '*e*');
    expect(summary).toMatchObject({ added: 1, removed: 1, changed: 3, same: 1 });
  });

  test('by a patch that makes one side the other', async () => {
    const patch = place('patch.resp');
    const { summary } = await diff(before, after, '--patch', patch);
    expect(summary).toMatchObject({ patch, patchFor: 'redis-7.2', lost: [] });
    await expectPatched(before, after, patch);
    expect((await runCli(['diff', before, after, '--patch', patch])).exit).toBe(2);
    expect((await runCli(['diff', before, after, '--patch', before, '--force'])).exit).toBe(2);
  });

  test('of a stream is entries and groups', async () => {
    const stream = (fields: string, last: string, pending: string) =>
      `{"key":"s","type":"stream","value":[{"entry":"1-1","fields":[["f","${fields}"]]},{"length":1,"lastId":"${last}","firstId":"1-1","maxDeletedId":"0-0","entriesAdded":1},{"group":"g","lastId":"1-1","entriesRead":1}${pending}]}`;
    const held =
      ',{"pending":"1-1","deliveredAtMs":5,"deliveryCount":1},{"consumer":"c","seenAtMs":5,"activeAtMs":5},{"holds":"1-1"}';
    const { differences } = await diff(
      lines(stream('a', '1-1', '')),
      lines(stream('b', '2-0', held)),
      '--values',
    );
    expect(differences).toMatchObject([
      {
        op: 'changed',
        changes: [
          { what: 'entry', name: '1-1', before: 'f=a', after: 'f=b' },
          { what: 'last-id', before: '1-1', after: '2-0' },
          { what: 'group', name: 'g', after: 'last 1-1; pending 1-1 5 1; consumers c:1-1' },
        ],
      },
    ]);
  });
});

test('a side that has keys, none of which passes the filters, is warned of', async () => {
  const [some, none, log] = [lines(key('a', 'string', 'x')), lines(), place('log.aof')];
  writeFileSync(log, '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nx\r\n');
  const warned = async (...args: string[]): Promise<readonly [number, readonly string[]]> => {
    const { exit, stderr } = await runCli(args);
    return [exit, [...stderr.matchAll(/^warning: no key of (.*) matches$/gm)].map(([, path]) => path!)];
  };
  expect(await warned('diff', some, none, '--match', 'b*')).toEqual([0, [some]]);
  expect(await warned('diff', none, log, '--db', '1')).toEqual([0, [log]]);
  expect(await warned('diff', some, log, '--min-size', '2')).toEqual([0, [some, log]]);
  expect(await warned('diff', some, log, '--match', 'a')).toEqual([0, []]);
  expect(await warned('diff', some, none)).toEqual([1, []]);
  expect(await warned('digest', some, '--match', 'b*')).toEqual([1, [some]]);
  expect(await warned('digest', log, '--min-size', '2', '--json')).toEqual([1, [log]]);
  expect(await warned('digest', none, '--match', 'b*')).toEqual([0, []]);
  expect(await warned('digest', none)).toEqual([0, []]);
});

test('a side that is damaged is told, and no patch is left', async () => {
  const damaged = place('cut.rdb');
  writeFileSync(damaged, readFileSync(TYPES).subarray(0, 5000));
  const patch = place('patch.resp');
  const ran = await runCli(['diff', SMALL, damaged, '--patch', patch]);
  expect(ran).toMatchObject({ exit: 1, stderr: expect.stringContaining('rdb/truncated') });
  expect(existsSync(patch)).toBe(false);
  expect((await runCli(['diff', '-', '-'])).exit).toBe(2);
  expect((await runCli(['diff', SMALL, join(room, 'none')])).exit).toBe(3);
});

test('the table keeps every name apart in at most 48 bytes for each', () => {
  const table = new KeyTable();
  const random = new Random(11);
  const names = Array.from(
    { length: 60_000 },
    () => [random.below(2 ** 32) | 0, random.below(2 ** 32) | 0] as const,
  );
  const lanes = new HashLanes();
  const at = ([a, b]: readonly [number, number]): HashLanes => Object.assign(lanes, { a, b });
  for (const [i, name] of names.entries()) {
    expectSame(table.insert(at(name), i), true);
    table.set(at([i, ~i]), i % 10, i);
  }
  expect(table.size).toBe(names.length);
  expect(table.bytes / table.size).toBeGreaterThan(PLACE_BYTES);
  expect(table.bytes / table.size).toBeLessThan(48);
  for (const [i, name] of names.entries()) {
    expectSame(table.find(at(name), i), true);
    expectSame(table.hasValue(at([i, ~i])), true);
    expectSame(table.expiresAtMs * 10 + table.kind, i * 10 + (i % 10));
    expectSame(table.find(at(name), i + 1), false);
  }
});

test('the table takes names in the order of their parts as fast as in any', () => {
  const random = new Random(12);
  // All in one of its partitions.
  const names = Array.from({ length: 40_000 }, (_, i) => {
    const part = Math.floor((i / 40_000) * 256);
    return [random.below(2 ** 24) << 8, (part << 24) | random.below(2 ** 24)] as const;
  });
  const lanes = new HashLanes();
  const cpuOf = (order: typeof names): number => {
    const table = new KeyTable();
    const from = process.cpuUsage();
    for (const [a, b] of order) {
      table.insert(Object.assign(lanes, { a, b }), 0);
      table.setLone();
    }
    expect(table.size).toBe(names.length);
    return process.cpuUsage(from).user;
  };
  const mixed = cpuOf([...names].sort(([a], [b]) => a - b));
  // A search through all that is there takes eighty times as long.
  expect(cpuOf(names)).toBeLessThan(8 * mixed);
});

function expectSame(actual: unknown, expected: unknown): void {
  if (actual !== expected) expect(actual).toBe(expected);
}
