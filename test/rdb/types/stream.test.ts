import { describe, expect, test } from 'vitest';
import { fileWith } from '../../support/rdb-builder.js';
import {
  type Bytes,
  concat,
  i64le,
  id,
  len,
  len64,
  listpack,
  lp,
  type PackedPart,
  str,
  u8,
} from '../../support/rdb-bytes.js';
import { errorOf, valueEvents } from '../../support/rdb-events.js';

const SAME = 2;
const DELETED = 1;

/** Live and deleted entries, field names, end mark of the master entry. */
const master = (live: number, deleted: number, ...names: PackedPart[]): PackedPart[] => [
  live,
  deleted,
  names.length,
  ...names,
  0,
];

/** An entry with the master's field names. */
const same = (flags: number, ms: PackedPart, seq: PackedPart, ...values: PackedPart[]): PackedPart[] => [
  SAME | flags,
  ms,
  seq,
  ...values,
  values.length + 3,
];

/** An entry with field names of its own. */
const own = (flags: number, ms: PackedPart, seq: PackedPart, ...fields: PackedPart[]): PackedPart[] => [
  flags,
  ms,
  seq,
  fields.length / 2,
  ...fields,
  fields.length + 4,
];

const node = (key: Buffer, ...parts: PackedPart[][]): Buffer =>
  concat(str(key), str(listpack(...parts.flat())));

interface StreamParts {
  nodes?: Buffer[];
  length?: number;
  last?: [number | bigint, number | bigint];
  first?: [number | bigint, number | bigint];
  deleted?: [number | bigint, number | bigint];
  added?: number;
  groups?: Buffer[];
}

function stream(generation: 1 | 2 | 3, parts: StreamParts): Buffer {
  const nodes = parts.nodes ?? [];
  const groups = parts.groups ?? [];
  const pair = ([ms, seq]: [number | bigint, number | bigint]) => concat(len(ms), len(seq));
  return concat(
    len(nodes.length),
    ...nodes,
    len(parts.length ?? 0),
    pair(parts.last ?? [0, 0]),
    ...(generation === 1
      ? []
      : [pair(parts.first ?? [0, 0]), pair(parts.deleted ?? [0, 0]), len(parts.added ?? 0)]),
    len(groups.length),
    ...groups,
  );
}

const pending = (ms: number, seq: number, at: number, count: number): Buffer =>
  concat(id(ms, seq), i64le(at), len(count));

function group(name: string, last: Bytes, pel: Buffer[], consumers: Buffer[]): Buffer {
  return concat(str(name), last, len(pel.length), ...pel, len(consumers.length), ...consumers);
}

const consumer = (name: string, times: Bytes, ...ids: Buffer[]): Buffer =>
  concat(str(name), times, len(ids.length), ...ids);

const TYPE = { 1: 15, 2: 19, 3: 21 } as const;

const events = (generation: 1 | 2 | 3, parts: StreamParts): string[] =>
  valueEvents(fileWith(12, TYPE[generation], stream(generation, parts)));

const fault = (generation: 1 | 2 | 3, parts: StreamParts): string =>
  errorOf(fileWith(12, TYPE[generation], stream(generation, parts)));

describe('entries', () => {
  test('of the form in the description of the format', () => {
    const only = node(
      id(5, 1),
      master(3, 1, 'a', 'b'),
      same(0, 0, 0, 1, 2),
      same(DELETED, 0, 1, 1, 3),
      own(0, 2, -1, 'q', 'z'),
      own(0, 1795331708662, -1, 'k', 'v'),
    );
    const lines = events(3, {
      nodes: [only],
      length: 3,
      last: [1795331708667, 0],
      first: [5, 1],
      deleted: [5, 2],
      added: 4,
    });
    expect(lines).toEqual([
      'entry 5-1 2',
      'entry-field "a" "1"',
      'entry-field "b" "2"',
      'entry 7-0 1',
      'entry-field "q" "z"',
      'entry 1795331708667-0 1',
      'entry-field "k" "v"',
      'meta 3 5-1 1795331708667-0 5-2 4',
    ]);
  });

  test('ids count from the key of their node, modulo 2^64', () => {
    const top = 2n ** 64n - 1n;
    const lines = events(3, {
      nodes: [
        node(id(1, top), master(2, 0, 'f'), same(0, 0, 0, 'x'), same(0, 1, lp.int64(-(2n ** 63n)), 'y')),
        node(id(2n ** 32n, 2n ** 32n - 1n), master(2, 0, 'f'), same(0, 0, 0, 'x'), same(0, 0, 1, 'y')),
        node(id(top, top - 1n), master(2, 0, 'f'), same(0, 0, 0, 'x'), same(0, 0, 1, 'y')),
      ],
      length: 6,
      last: [top, top],
      first: [1, top],
      added: 6,
    });
    expect(lines.filter((line) => line.startsWith('entry '))).toEqual([
      'entry 1-18446744073709551615 1',
      'entry 2-9223372036854775807 1',
      'entry 4294967296-4294967295 1',
      'entry 4294967296-4294967296 1',
      'entry 18446744073709551615-18446744073709551614 1',
      'entry 18446744073709551615-18446744073709551615 1',
    ]);
  });

  test('field names and values may be integers, long or empty', () => {
    const long = 'v'.repeat(300);
    const lines = events(3, {
      nodes: [node(id(1, 0), master(1, 0, 7, ''), same(0, 0, 0, -4096, long))],
      length: 1,
      last: [1, 0],
      first: [1, 0],
      added: 1,
    });
    expect(lines.slice(0, 3)).toEqual(['entry 1-0 2', 'entry-field "7" "-4096"', `entry-field "" "${long}"`]);
  });

  test('a node whose entries are all deleted is passed over', () => {
    const gone = node(id(1, 0), master(0, 2, 'f'), same(DELETED, 0, 0, 'x'), own(DELETED, 0, 1, 'g', 'y'));
    expect(events(2, { nodes: [gone], last: [1, 1], added: 2 })).toEqual(['meta 0 0-0 1-1 0-0 2']);
  });
});

describe('counters', () => {
  test('an empty stream is an ordinary one', () => {
    expect(events(3, { last: [3, 3], deleted: [3, 3], added: 1 })).toEqual(['meta 0 0-0 3-3 3-3 1']);
  });

  test('the first generation has few: the others are what a server assumes', () => {
    const nodes = [node(id(1, 0), master(1, 1, 'f'), same(DELETED, 0, 0, 'x'), same(0, 1, 5, 'y'))];
    expect(events(1, { nodes, length: 1, last: [9, 9] }).at(-1)).toBe('meta 1 2-5 9-9 0-0 1');
  });

  test('the first generation without live entries: the first id is the largest there is', () => {
    const largest = '18446744073709551615-18446744073709551615';
    expect(events(1, { last: [3, 3] })).toEqual([`meta 0 ${largest} 3-3 0-0 0`]);
  });

  test('values beyond 2^53 are exact', () => {
    const value = concat(len(0), len(0), len64(2n ** 64n - 2n), len64(2n ** 63n + 1n), len(0));
    expect(valueEvents(fileWith(9, 15, value))[0]).toContain(' 18446744073709551614-9223372036854775809 ');
  });
});

describe('groups', () => {
  const nodes = [
    node(id(1, 0), master(3, 0, 'f'), same(0, 0, 0, 'x'), same(0, 1, 0, 'y'), same(0, 2, 0, 'z')),
  ];
  const counters: StreamParts = { nodes, length: 3, last: [3, 0], first: [1, 0], added: 3 };
  const last = (ms: number, seq: number, read: Bytes) => concat(len(ms), len(seq), read);

  test('with pending entries and consumers, third generation', () => {
    const groups = [
      group(
        'g1',
        last(2, 0, len(2)),
        [pending(1, 0, 1000, 1), pending(2, 0, 2000, 7)],
        [
          consumer('alice', concat(i64le(5000), i64le(4000)), id(2, 0)),
          consumer('bob', concat(i64le(6000), i64le(-1)), id(1, 0)),
          consumer('idle', concat(i64le(7000), i64le(-1))),
        ],
      ),
      group('g2', last(0, 0, len64(2n ** 64n - 1n)), [], []),
    ];
    expect(events(3, { ...counters, groups }).slice(7)).toEqual([
      'group "g1" 2-0 2',
      'pending 1-0 1000 1',
      'pending 2-0 2000 7',
      'consumer "alice" 5000 4000',
      'owns 2-0',
      'consumer "bob" 6000 -1',
      'owns 1-0',
      'consumer "idle" 7000 -1',
      'group "g2" 0-0 -1',
    ]);
  });

  test('before the third generation a consumer was active when it was seen', () => {
    const one = group('g', last(3, 0, len(3)), [], [consumer('c', i64le(5000))]);
    expect(events(2, { ...counters, groups: [one] }).slice(-2)).toEqual([
      'group "g" 3-0 3',
      'consumer "c" 5000 5000',
    ]);
  });

  test.each([
    ['before the first entry: nothing', [0, 5], 0],
    ['at the first entry: one', [1, 0], 1],
    ['between: unknown', [2, 0], -1],
    ['at the last entry: all', [3, 0], 3],
    ['beyond: unknown', [4, 0], -1],
  ])('what a group of the first generation has read: %s', (_, [ms, seq], expected) => {
    const one = group('g', concat(len(ms!), len(seq!)), [], []);
    expect(events(1, { ...counters, groups: [one] }).at(-1)).toBe(`group "g" ${ms}-${seq} ${expected}`);
  });

  test('what a group of the first generation has read of an empty stream: nothing', () => {
    const one = group('g', concat(len(3), len(3)), [], []);
    expect(events(1, { last: [3, 3], groups: [one] }).at(-1)).toBe('group "g" 3-3 0');
  });

  const times = concat(i64le(0), i64le(0));
  const faultOf = (...groups: Buffer[]) => fault(3, { ...counters, groups });
  const g = (pel: Buffer[], ...consumers: Buffer[]) => group('g', last(0, 0, len(0)), pel, consumers);

  test.each([
    ['an entry that nobody holds', [g([pending(1, 0, 0, 1)])]],
    [
      'an entry that two hold',
      [g([pending(1, 0, 0, 1)], consumer('a', times, id(1, 0)), consumer('b', times, id(1, 0)))],
    ],
    ['an entry that one holds twice', [g([pending(1, 0, 0, 1)], consumer('a', times, id(1, 0), id(1, 0)))]],
    ['an entry that is not pending', [g([pending(1, 0, 0, 1)], consumer('a', times, id(1, 0), id(2, 0)))]],
    ['entries out of order', [g([pending(2, 0, 0, 1), pending(1, 0, 0, 1)])]],
    ['an entry twice', [g([pending(1, 0, 0, 1), pending(1, 0, 0, 1)])]],
    ['a consumer twice', [g([], consumer('a', times), consumer('a', times))]],
    ['a group twice', [g([]), g([])]],
  ])('%s: refused', (_, groups) => {
    expect(faultOf(...groups)).toMatch(/^rdb\/bad-stream at \d+ > stream$/);
  });
});

describe('damaged nodes', () => {
  const broken = (parts: PackedPart[][], key = id(1, 0), length = 1) =>
    fault(3, { nodes: [node(key, ...parts)], length, last: [1, 0], first: [1, 0], added: 1 });

  test.each([
    ['without entries', [], 'rdb/bad-stream'],
    ['that ends in the master entry', [[1, 0, 1]], 'rdb/bad-stream'],
    ['with a master entry that does not end', [[1, 0, 1, 'f', 1]], 'rdb/bad-stream'],
    [
      'with a count that is a text',
      [['1', 0, 1, 'f', 0]].map(([, ...rest]) => ['x', ...rest!]),
      'rdb/bad-stream',
    ],
    ['with fewer than no fields', [[1, 0, -1, 0]], 'rdb/bad-stream'],
    ['with more fields than bytes', [[1, 0, 1000000, 0]], 'rdb/bad-stream'],
    ['with fewer entries than no entries', [master(-1, 0, 'f')], 'rdb/bad-stream'],
    ['with fewer entries than it says', [master(2, 0, 'f'), same(0, 0, 0, 'x')], 'rdb/bad-stream'],
    [
      'with more entries than it says',
      [master(1, 0, 'f'), same(0, 0, 0, 'x'), same(0, 1, 0, 'y')],
      'rdb/bad-stream',
    ],
    ['with fewer live entries than it says', [master(1, 0, 'f'), same(DELETED, 0, 0, 'x')], 'rdb/bad-stream'],
    [
      'with entries out of order',
      [master(2, 0, 'f'), same(0, 1, 0, 'x'), same(0, 0, 0, 'y')],
      'rdb/bad-stream',
    ],
    ['with an id that is a text', [master(1, 0, 'f'), same(0, 'x', 0, 'x')], 'rdb/bad-stream'],
    ['with a wrong count behind an entry', [master(1, 0, 'f'), [SAME, 0, 0, 'x', 5]], 'rdb/bad-stream'],
    [
      'with a wrong count behind an entry of its own fields',
      [master(1, 0, 'f'), [0, 0, 0, 1, 'f', 'x', 5]],
      'rdb/bad-stream',
    ],
    ['with an entry that is cut', [master(1, 0, 'f'), [SAME, 0, 0]], 'rdb/bad-stream'],
  ])('%s: refused', (_, parts, code) => {
    expect(broken(parts as PackedPart[][])).toMatch(new RegExp(`^${code} at \\d+ > stream > listpack`));
  });

  const good = [master(1, 0, 'f'), same(0, 0, 0, 'x')];
  test.each([
    ['a key of another size', [concat(str('fifteen bytes..'), str(listpack(...good.flat())))], 1],
    ['keys out of order', [node(id(2, 0), ...good), node(id(1, 0), ...good)], 2],
    ['keys that are equal', [node(id(2, 0), ...good), node(id(2, 0), ...good)], 2],
    ['a length that differs from the entries', [node(id(1, 0), ...good)], 2],
  ])('%s: refused', (_, nodes, length) => {
    const error = fault(3, { nodes, length, last: [2, 0], first: [1, 0], added: 2 });
    expect(error).toMatch(/^rdb\/bad-stream at \d+ > stream$/);
  });

  test('the trail leads to the entry', () => {
    const bytes = fileWith(
      12,
      21,
      len(1),
      str(id(1, 0)),
      str(concat(listpack(...good.flat()).subarray(0, 10), u8(99))),
    );
    expect(errorOf(bytes)).toBe('rdb/bad-listpack at 31 > stream > listpack');
  });
});
