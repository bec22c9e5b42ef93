import { describe, expect, test } from 'vitest';
import { sliceOf } from '../../src/bytes/slice.js';
import { ITEMS, RAW, SKIP } from '../../src/model/handler.js';
import { dialectOf } from '../../src/rdb/dialect.js';
import { decodeInto } from '../support/rdb.js';
import { moduleField, RdbBuilder, redis } from '../support/rdb-builder.js';
import {
  concat,
  f64le,
  i64le,
  int8,
  int16,
  int32,
  len,
  listpack,
  lzfRun,
  str,
  u8,
  ziplist,
} from '../support/rdb-bytes.js';
import { eventsOf } from '../support/rdb-events.js';
import { elements, fields, members, raw, record, tellKey, text, value, writing } from './writer-teller.js';

describe('the frame', () => {
  const aux = (builder: RdbBuilder, ...pairs: [string, Buffer | string][]) =>
    pairs.reduce((all, [name, text]) => all.aux(name, text, typeof text !== 'string'), builder);
  const ctime = int32(1772366400);

  test.each([
    ['redis-2.4', concat('REDIS0002', u8(255))],
    ['redis-2.8', redis(6).end()],
    [
      'redis-3.2',
      aux(
        redis(7),
        ['redis-ver', '3.2.13'],
        ['redis-bits', int8(64)],
        ['ctime', ctime],
        ['used-mem', int8(0)],
      ).end(),
    ],
    [
      'redis-6.2',
      aux(
        redis(9),
        ['redis-ver', '6.2.16'],
        ['redis-bits', int8(64)],
        ['ctime', ctime],
        ['used-mem', int8(0)],
        ['aof-preamble', int8(0)],
      ).end(),
    ],
    [
      'valkey-9.1',
      aux(
        new RdbBuilder('VALKEY080'),
        ['valkey-ver', '9.1.0'],
        ['redis-bits', int8(64)],
        ['ctime', ctime],
        ['used-mem', int8(0)],
        ['aof-base', int8(0)],
      ).end(),
    ],
  ])('of %s', (server, wanted) => {
    const { writer, bytes } = writing(server);
    writer.finish();
    expect(bytes()).toEqual(wanted);
  });

  test('takes time and memory from the source, and says that it is a base', async () => {
    const source = aux(
      redis(9),
      ['redis-ver', '5.0.14'],
      ['ctime', int32(5)],
      ['used-mem', int32(99999)],
      ['x', 'y'],
    ).end();
    const { writer, bytes } = writing('redis-7.0', { aofBase: true });
    await decodeInto(writer, source);
    expect(eventsOf(bytes()).filter((line) => line.startsWith('aux'))).toEqual([
      'aux "redis-ver" "7.0.15"',
      'aux "redis-bits" "64"',
      'aux "ctime" "5"',
      'aux "used-mem" "99999"',
      'aux "aof-base" "1"',
    ]);
  });

  test('keeps cached scripts where they are loaded, before and after the keys', async () => {
    const source = redis(9).aux('lua', 'return 1').key(0, 'k', str('v')).aux('lua', 'return 2').end();
    const lua = async (server: string) => {
      const { writer, bytes } = writing(server);
      await decodeInto(writer, source);
      return eventsOf(bytes()).filter((line) => line.startsWith('aux "lua"'));
    };
    expect(await lua('redis-6.2')).toEqual(['aux "lua" "return 1"', 'aux "lua" "return 2"']);
    expect(await lua('redis-7.0')).toEqual([]);
  });

  test('has a zero trailer when no checksum is wanted', () => {
    const { writer, bytes } = writing('redis-2.8', { checksum: false });
    writer.finish();
    expect(bytes()).toEqual(redis(6).endUnchecked());
  });

  test('selects databases that have keys, with their sizes where such are told', () => {
    const { writer, bytes } = writing('redis-7.0');
    writer.database(0);
    writer.resize(5, 1);
    writer.database(3);
    writer.resize(1, 0);
    tellKey(writer, 'a', { database: 3 }, text('1'));
    tellKey(writer, 'b', { database: 7 }, text('2'));
    writer.database(9);
    writer.finish();
    expect(eventsOf(bytes()).filter((line) => /^(database|resize)/.test(line))).toEqual([
      'database 3',
      'resize 1 0',
      'database 7',
    ]);
    expect(writer.keys).toBe(2);
  });

  test('leaves sizes out before 3.2', () => {
    const { writer, bytes } = writing('redis-2.8');
    writer.database(0);
    writer.resize(1, 0);
    tellKey(writer, 'a', {}, text('1'));
    writer.finish();
    expect(bytes()).toEqual(redis(6).database(0).key(0, 'a', int8(1)).end());
  });
});

describe('attributes', () => {
  const head = { hasExpiry: true, expiresAtMs: 1772366400123, idleSeconds: 70, freq: 5 };

  test('are all there for 5.0', () => {
    expect(record('redis-5.0', head, text('v'))).toEqual(
      concat(u8(252), i64le(1772366400123), u8(248), len(70), u8(249, 5), value(0, str('v'))),
    );
  });

  test('are seconds for 2.4, rounded up, and a loss', () => {
    const { writer, bytes, losses } = writing('redis-2.4');
    tellKey(writer, 'k', head, text('v'));
    tellKey(writer, 'whole', { hasExpiry: true, expiresAtMs: -5000 }, text('v'));
    tellKey(writer, 'far', { hasExpiry: true, expiresAtMs: 2n ** 62n }, text('v'));
    writer.finish();
    expect(bytes()).toEqual(
      concat(
        redis(2)
          .database(0)
          .expirySeconds(1772366401)
          .key(0, 'k', str('v'))
          .expirySeconds(-5)
          .key(0, 'whole', str('v'))
          .expirySeconds(0x7fffffff)
          .key(0, 'far', str('v'))
          .bytes(),
        u8(255),
      ),
    );
    expect(losses).toEqual(['expiry-precision k', 'eviction-hint k', 'expiry-precision far']);
  });

  test('of 64 bits keep every bit', () => {
    const far = { hasExpiry: true, expiresAtMs: 2n ** 63n - 1n };
    expect(record('redis-7.0', far, text('v')).subarray(0, 9)).toEqual(
      concat(u8(252), i64le(2n ** 63n - 1n)),
    );
  });
});

describe('strings', () => {
  const tenth = 'ten bytes ';
  test.each([
    ['0', int8(0)],
    ['-128', int8(-128)],
    ['128', int16(128)],
    ['-32769', int32(-32769)],
    ['2147483647', int32(2147483647)],
    ['-2147483648', int32(-2147483648)],
    ['2147483648', str('2147483648')],
    ['-0', str('-0')],
    ['', str('')],
    ['a'.repeat(20), str('a'.repeat(20))],
    ['a'.repeat(100), lzfRun(100)],
    ['abcdefghijklmnopqrstuvwxyz', str('abcdefghijklmnopqrstuvwxyz')],
  ])('%j', (content, wanted) => {
    expect(record('redis-7.0', {}, text(content))).toEqual(value(0, wanted));
  });

  test('are not compressed unless that is wanted', () => {
    const { writer, bytes } = writing('redis-2.8', { compress: false });
    tellKey(writer, 'k', {}, text(tenth.repeat(300)));
    writer.finish();
    expect(bytes()).toEqual(
      redis(6)
        .database(0)
        .key(0, 'k', str(tenth.repeat(300)))
        .end(),
    );
  });

  test('larger than every buffer come out whole', () => {
    const { writer, bytes } = writing('redis-2.8', { compress: false });
    const large = 'x'.repeat(300_000);
    tellKey(writer, large, {}, text(large));
    tellKey(writer, 'after', {}, text('1'));
    writer.finish();
    expect(
      bytes().equals(redis(6).database(0).key(0, large, str(large)).key(0, 'after', int8(1)).end()),
    ).toBe(true);
  });
});

describe('a server that lacks a kind of value', () => {
  test('is told of the rest, and the caller of the loss', () => {
    const { writer, bytes, losses } = writing('redis-3.2');
    tellKey(writer, 'set', { kind: 'set' }, elements('a'));
    expect(tellKey(writer, 's', { kind: 'stream', database: 4 }, elements('never'))).toBe(SKIP);
    expect(tellKey(writer, 'm', { kind: 'module', typeId: 7 }, raw(u8(0)))).toBe(SKIP);
    writer.functionLibrary(sliceOf('#!lua name=x'));
    tellKey(writer, 'list', { kind: 'list' });
    tellKey(writer, 'end', {}, text('1'));
    writer.finish();
    expect(losses).toEqual(['stream s', 'module m', 'function', 'empty list']);
    expect(eventsOf(bytes()).filter((line) => line.startsWith('key')).length).toBe(2);
    expect(writer.keys).toBe(2);
  });

  test('loses what modules keep beside the keys', async () => {
    const source = redis(9)
      .raw(u8(247), len(2 ** 40), len(2), len(1), moduleField.string('state'), len(0))
      .end();
    const { writer, losses } = writing('redis-4.0');
    await decodeInto(writer, source);
    expect(losses).toEqual(['module-aux']);
    const kept = writing('redis-5.0');
    await decodeInto(kept.writer, source);
    expect(eventsOf(kept.bytes()).filter((line) => line.startsWith('module-aux'))).toEqual(
      eventsOf(source).filter((line) => line.startsWith('module-aux')),
    );
  });

  test('loses TTLs of members that KeyDB keeps', async () => {
    const source = redis(9)
      .key(2, 's', len(1), str('m'))
      .aux('keydb-subexpire-key', 'm')
      .aux('keydb-subexpire-when', '1772366400000')
      .end();
    const { writer, losses } = writing('redis-7.0');
    await decodeInto(writer, source);
    expect(losses).toEqual(['member-expiry']);
  });
});

describe('module values', () => {
  /** An id as modules make it: nine characters of six bits, ten bits of version. */
  function moduleId(name: string, version: number): Buffer {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const bits = [...name].reduce((all, char) => (all << 6n) | BigInt(alphabet.indexOf(char)), 0n);
    return len((bits << 10n) | BigInt(version));
  }
  const vectors = concat(moduleId('vectorset', 0), moduleField.uint(3), len(0));
  const filter = concat(moduleId('MBbloom--', 4), moduleField.string('bits'), len(0));
  const head = { kind: 'module', typeId: 7 } as const;

  test('are copied byte for byte, in whatever fragments they come', () => {
    for (let cut = 0; cut <= filter.length; cut++) {
      const parts = [filter.subarray(0, cut), filter.subarray(cut)];
      expect(record('redis-4.0', head, raw(...parts))).toEqual(value(7, filter));
    }
  });

  test('that every server of a release has are refused to those before', () => {
    for (let cut = 0; cut <= vectors.length; cut++) {
      const { writer, losses } = writing('redis-7.4');
      tellKey(writer, 'v', head, raw(vectors.subarray(0, cut), vectors.subarray(cut)));
      expect(losses).toEqual(['module v']);
      expect(writer.keys).toBe(0);
    }
    expect(record('redis-8.0', head, raw(vectors))).toEqual(value(7, vectors));
  });
});

describe('values that the target loads as they are', () => {
  const listOf18 = concat(len(1), len(2), str(listpack('a', 5)));

  test('are copied', async () => {
    const source = redis(10).database(0).key(18, 'k', listOf18).end();
    const { writer, bytes } = writing('redis-7.2');
    await decodeInto(writer, source);
    expect(bytes().includes(concat(u8(18), str('k'), listOf18))).toBe(true);
  });

  test.each([
    ['redis-7.0', 18, RAW],
    ['redis-6.2', 18, ITEMS],
    ['valkey-8.1', 18, RAW],
    ['valkey-9.1', 22, ITEMS],
    ['redis-7.4', 22, RAW],
    ['redis-7.2', 25, ITEMS],
    ['keydb-6.3', 14, RAW],
  ])('for %s, type %i', (server, typeId, depth) => {
    const { writer } = writing(server);
    writer.header({ magic: 'REDIS', version: 12, dialect: dialectOf('redis', 12)! });
    const kind = typeId === 22 || typeId === 25 ? 'hash' : 'list';
    expect(tellKey(writer, 'k', { kind, typeId }, depth === RAW ? raw(u8(0)) : () => {})).toBe(depth);
  });

  test('are taken apart when that is wanted', async () => {
    const { writer, bytes } = writing('redis-7.0', { copyValues: false });
    const twoNodes = concat(len(2), len(2), str(listpack('a')), len(2), str(listpack('b')));
    await decodeInto(writer, redis(10).database(0).key(18, 'k', twoNodes).end());
    const oneNode = concat(len(1), len(2), str(listpack('a', 'b')));
    expect(bytes().includes(concat(u8(18), str('k'), oneNode))).toBe(true);
  });

  test('hold no integers that 2.4 does not know', async () => {
    const source = redis(6)
      .database(0)
      .key(10, 'l', str(ziplist(['a', 5])))
      .end();
    const { writer, bytes } = writing('redis-2.4');
    await decodeInto(writer, source);
    const wanted = ziplist(['a', concat(u8(0xc0), u8(5, 0))]);
    expect(bytes()).toEqual(concat(redis(2).database(0).key(10, 'l', str(wanted)).bytes(), u8(255)));
  });
});

test('scores go as text before 4.0, then as eight bytes', () => {
  // Seventy different characters: too long to pack, nothing to compress.
  const long = Array.from({ length: 70 }, (_, i) => String.fromCharCode(40 + i)).join('');
  const scores: [string, number, string | Buffer][] = [
    [long, 1, concat(u8(1), '1')],
    ['a', 0.1, concat(u8(3), '0.1')],
    ['b', Number.POSITIVE_INFINITY, u8(254)],
    ['c', Number.NEGATIVE_INFINITY, u8(255)],
    ['d', -0, concat(u8(2), '-0')],
  ];
  const head = { kind: 'zset', count: 5 } as const;
  const told = members(...scores.map(([member, score]): [string, number] => [member, score]));
  expect(record('redis-3.2', head, told)).toEqual(
    value(3, len(5), ...scores.map(([member, , form]) => concat(str(member), form))),
  );
  expect(record('redis-4.0', head, told)).toEqual(
    value(5, len(5), ...scores.map(([member, score]) => concat(str(member), f64le(score)))),
  );
});

test('a string told without its text is a defect', () => {
  const { writer } = writing('redis-7.0');
  expect(() => tellKey(writer, 'k', {})).toThrow('a string is told with its text');
});

test('a value of another size than it said is a defect', () => {
  const { writer } = writing('redis-7.0');
  const many = Array.from({ length: 200 }, (_, i) => [`${'f'.repeat(70)}${i}`, 'v'] as [string, string]);
  expect(() => tellKey(writer, 'k', { kind: 'hash', count: 201 }, fields(...many))).toThrow(
    '201 items came with 200',
  );
});
