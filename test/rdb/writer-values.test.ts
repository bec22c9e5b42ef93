import { describe, expect, test } from 'vitest';
import { RdbBuilder } from '../support/rdb-builder.js';
import {
  concat,
  f64le,
  i64le,
  intset,
  len,
  len64,
  listpack,
  lp,
  str,
  u8,
  ziplist,
  zipmap,
  zl,
} from '../support/rdb-bytes.js';
import { eventsOf } from '../support/rdb-events.js';
import {
  elements,
  fields,
  members,
  plainRecord,
  record,
  tellKey,
  text,
  value,
  writing,
} from './writer-teller.js';

const AT = 1772366400000;

/** The type number that a value was written with. */
function typeOf(bytes: Buffer): number {
  return bytes[0]!;
}

const numbered = (count: number, width = 1): string[] =>
  Array.from({ length: count }, (_, i) => `m${i}`.padEnd(width, '.'));
const pairs = (count: number, width = 1): [string, string][] =>
  numbered(count, width).map((name) => [name, 'v']);
const scored = (count: number, width = 1): [string, number][] =>
  numbered(count, width).map((name, i): [string, number] => [name, i]);

describe('the form of a small value', () => {
  const set = { kind: 'set' } as const;
  const zset = { kind: 'zset' } as const;
  const hash = { kind: 'hash' } as const;
  const list = { kind: 'list' } as const;

  test.each([
    [
      'redis-2.4',
      value(9, str(zipmap([['f', '1']]))),
      value(12, str(ziplist(['a', zl.int16(1)]))),
      value(10, str(ziplist(['a']))),
    ],
    [
      'redis-2.8',
      value(13, str(ziplist(['f', 1]))),
      value(12, str(ziplist(['a', 1]))),
      value(10, str(ziplist(['a']))),
    ],
    [
      'redis-3.2',
      value(13, str(ziplist(['f', 1]))),
      value(12, str(ziplist(['a', 1]))),
      value(14, len(1), str(ziplist(['a']))),
    ],
    [
      'redis-7.0',
      value(16, str(listpack('f', 1))),
      value(17, str(listpack('a', 1))),
      value(18, len(1), len(2), str(listpack('a'))),
    ],
  ])('for %s', (server, hashBytes, zsetBytes, listBytes) => {
    expect(record(server, hash, fields(['f', '1']))).toEqual(hashBytes);
    expect(record(server, zset, members(['a', 1]))).toEqual(zsetBytes);
    expect(record(server, list, elements('a'))).toEqual(listBytes);
  });

  test('of a set: integers in order, a listpack since 7.2, else members as they come', () => {
    expect(record('redis-2.4', set, elements('5', '-1', '70000'))).toEqual(
      value(11, str(intset(4, -1, 5, 70000))),
    );
    expect(record('redis-7.2', set, elements('5', 'b', 'a'))).toEqual(value(20, str(listpack(5, 'b', 'a'))));
    expect(record('redis-7.0', set, elements('b', 'a'))).toEqual(value(2, len(2), str('b'), str('a')));
  });

  test('of a sorted set: by score, then by name', () => {
    const told = members(
      ['b', 1],
      ['inf', Number.POSITIVE_INFINITY],
      ['a', 1],
      ['none', Number.NEGATIVE_INFINITY],
      ['half', 0.5],
    );
    expect(record('redis-7.2', zset, told)).toEqual(
      value(17, str(listpack('none', '-inf', 'half', '0.5', 'a', 1, 'b', 1, 'inf', 'inf'))),
    );
  });

  test('of scores: as few digits as tell them apart, and a sign for zero', () => {
    const told = members(['a', -0], ['b', 0.1]);
    expect(record('redis-2.8', zset, told)).toEqual(value(12, str(ziplist(['a', '-0', 'b', '0.1']))));
    expect(record('redis-7.2', zset, told)).toEqual(value(17, str(listpack('a', '-0', 'b', '0.1'))));
  });
});

describe('thresholds', () => {
  test.each([
    ['redis-7.0', 512, 11, 16],
    ['redis-7.0', 513, 2, 4],
    ['redis-2.4', 512, 11, 9],
    ['redis-2.4', 513, 2, 4],
  ])('for %s, %i numbers in a set and as many fields in a hash', (server, count, setType, hashType) => {
    const numbers = Array.from({ length: count }, (_, i) => String(i));
    for (const told of [-1, count]) {
      expect(typeOf(record(server, { kind: 'set', count: told }, elements(...numbers)))).toBe(setType);
      expect(typeOf(record(server, { kind: 'hash', count: told }, fields(...pairs(count))))).toBe(hashType);
    }
  });

  test.each([
    [128, 64, 20, 17, 16],
    [129, 64, 2, 5, 16],
    [128, 65, 2, 5, 4],
    [1, 65, 2, 5, 4],
  ])('for 7.2, %i members of %i bytes', (count, width, setType, zsetType, hashType) => {
    for (const told of [-1, count]) {
      expect(
        typeOf(record('redis-7.2', { kind: 'set', count: told }, elements(...numbered(count, width)))),
      ).toBe(setType);
      expect(
        typeOf(record('redis-7.2', { kind: 'zset', count: told }, members(...scored(count, width)))),
      ).toBe(zsetType);
      expect(typeOf(record('redis-7.2', { kind: 'hash', count: told }, fields(...pairs(count, width))))).toBe(
        hashType,
      );
    }
  });

  test.each([
    [512, 64, 10],
    [513, 64, 1],
    [1, 65, 1],
  ])('for 2.8, %i list elements of %i bytes', (count, width, type) => {
    for (const told of [-1, count]) {
      expect(
        typeOf(record('redis-2.8', { kind: 'list', count: told }, elements(...numbered(count, width)))),
      ).toBe(type);
    }
  });

  test('a set whose hundredth member is no number has to turn round', () => {
    const told = elements(...Array.from({ length: 500 }, (_, i) => String(i)), 'x');
    expect(typeOf(record('redis-7.2', { kind: 'set' }, told))).toBe(2);
    const few = elements(...Array.from({ length: 100 }, (_, i) => String(i)), 'x');
    expect(typeOf(record('redis-7.2', { kind: 'set' }, few))).toBe(20);
    expect(typeOf(record('redis-7.2', { kind: 'set', count: 101 }, few))).toBe(20);
  });

  test('the number of items stands right, known up front or not', () => {
    for (const count of [-1, 600]) {
      const set = record('redis-7.0', { kind: 'set', count }, elements(...numbered(600)));
      expect(set.subarray(0, 5)).toEqual(value(2, len(600)));
      const hash = record('redis-7.0', { kind: 'hash', count }, fields(...pairs(600)));
      expect(hash.equals(value(4, len(600), ...pairs(600).flatMap(([f, v]) => [str(f), str(v)])))).toBe(true);
      const zset = record('redis-7.0', { kind: 'zset', count }, members(...scored(600)));
      expect(zset.equals(value(5, len(600), ...scored(600).map(([m, s]) => concat(str(m), f64le(s)))))).toBe(
        true,
      );
    }
  });
});

describe('nodes of a list', () => {
  const half = 'x'.repeat(4100);
  const giant = 'y'.repeat(8193);

  const listed = (server: string, count: number, ...all: string[]) =>
    plainRecord(server, { kind: 'list', count }, elements(...all));

  test.each([-1, 5])('hold 8 KiB at most, since 7.0 a larger element by itself (count %i)', (count) => {
    const wanted = value(
      18,
      len(4),
      concat(len(2), str(listpack(lp.str32(half), 'a'))),
      concat(len(2), str(listpack(lp.str32(half)))),
      concat(len(1), str(giant)),
      concat(len(2), str(listpack('b'))),
    );
    expect(listed('redis-7.0', count, half, 'a', half, giant, 'b').equals(wanted)).toBe(true);
  });

  test.each([-1, 5])('are ziplists before, whatever the element (count %i)', (count) => {
    const wanted = value(
      14,
      len(4),
      str(ziplist([half, 'a'])),
      str(ziplist([half])),
      str(ziplist([giant])),
      str(ziplist(['b'])),
    );
    expect(listed('redis-6.2', count, half, 'a', half, giant, 'b').equals(wanted)).toBe(true);
  });

  test('are done without for a list of known length beyond 32 MiB', () => {
    const all = Array.from({ length: 40 }, () => 'z'.repeat(1 << 20));
    const bytes = listed('redis-7.0', 40, ...all);
    expect(bytes.subarray(0, 4)).toEqual(value(1, len(40)));
    expect(bytes.length).toBe(4 + 40 * (5 + (1 << 20)));
  });
});

describe('TTLs of hash fields', () => {
  const head = { kind: 'hash', fieldsExpire: true } as const;
  const told = fields(['late', '1', AT + 500], ['never', '2'], ['soon', '3', AT]);

  test('stand in order in a small hash of 7.4, those without last', () => {
    expect(record('redis-7.4', head, told)).toEqual(
      value(25, i64le(AT), str(listpack('soon', 3, AT, 'late', 1, AT + 500, 'never', 2, 0))),
    );
  });

  test('count from the earliest in a large one', () => {
    const long = Array.from({ length: 70 }, (_, i) => String.fromCharCode(40 + i)).join('');
    const more = fields(['late', '1', AT + 500], [long, 'x'], ['soon', '3', AT]);
    expect(record('redis-7.4', head, more)).toEqual(
      value(
        24,
        concat(i64le(AT), len(3)),
        concat(len(501), str('late'), u8(0xc0, 1)),
        concat(len(0), str(long), str('x')),
        concat(len(1), str('soon'), u8(0xc0, 3)),
      ),
    );
  });

  test('follow the value in Valkey 9', () => {
    expect(record('valkey-9.1', head, told)).toEqual(
      value(
        22,
        len(3),
        concat(str('late'), u8(0xc0, 1), i64le(AT + 500)),
        concat(str('never'), u8(0xc0, 2), i64le(-1)),
        concat(str('soon'), u8(0xc0, 3), i64le(AT)),
      ),
    );
  });

  test('that no field has leave an ordinary hash', () => {
    expect(record('redis-7.4', head, fields(['f', 'v']))).toEqual(value(16, str(listpack('f', 'v'))));
  });

  test('are a loss anywhere else', () => {
    const { writer, bytes, losses } = writing('redis-7.2');
    tellKey(writer, 'h', head, told);
    tellKey(writer, 'plain', head, fields(['f', 'v']));
    writer.finish();
    expect(losses).toEqual(['field-expiry h']);
    expect(eventsOf(bytes()).filter((line) => line.startsWith('field'))).toHaveLength(4);
  });

  test('that Redis refuses to load are a loss there, and none in Valkey', () => {
    const late = fields(['late', '1', 2 ** 48], ['soon', '3', 2 ** 48 - 1]);
    const { writer, bytes, losses } = writing('redis-8.8');
    tellKey(writer, 'h', head, late);
    writer.finish();
    expect(losses).toEqual(['field-expiry h']);
    expect(eventsOf(bytes()).filter((line) => line.startsWith('field'))).toHaveLength(2);
    const valkey = writing('valkey-9.1');
    tellKey(valkey.writer, 'h', head, late);
    expect(valkey.losses).toEqual([]);
  });

  test('that come unannounced are a defect', () => {
    const { writer } = writing('redis-7.4');
    expect(() => tellKey(writer, 'h', { kind: 'hash' }, told)).toThrow('says so in its head');
  });
});

test('a count of zero leaves no trace, not even of the key', () => {
  const { writer, bytes, losses } = writing('redis-2.8');
  const head = { hasExpiry: true, expiresAtMs: 5 };
  tellKey(writer, 's', { kind: 'set', count: 0, ...head });
  tellKey(writer, 'z', { kind: 'zset', ...head });
  tellKey(writer, 'h', { kind: 'hash', ...head });
  writer.finish();
  expect(losses).toEqual(['empty s', 'empty z', 'empty h']);
  expect(bytes()).toEqual(new RdbBuilder('REDIS0006').database(0).end());
});

test.each([
  [63, len(63)],
  [64, len(64)],
  [16383, len(16383)],
  [16384, len(16384)],
  [2 ** 32 - 1, len(2 ** 32 - 1)],
  [2 ** 32, len64(2 ** 32)],
])('a length of %i takes its shortest form', (seconds, form) => {
  expect(record('redis-7.0', { idleSeconds: seconds }, text('v'))).toEqual(
    concat(u8(248), form, value(0, str('v'))),
  );
});
