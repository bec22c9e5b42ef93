import { describe, expect, test } from 'vitest';
import { concat, i64le, id, len, len64, listpack, str, u8 } from '../support/rdb-bytes.js';
import { eventsOf } from '../support/rdb-events.js';
import {
  consumer,
  counters,
  entry,
  group,
  type Item,
  pending,
  plainRecord,
  tellKey,
  value,
  writing,
} from './writer-teller.js';

const STREAM = { kind: 'stream' } as const;
const ALL_ONES = u8(0x81, ...Array.from({ length: 8 }, () => 0xff));

/** What is lost of a stream for a server. */
function lossesOf(server: string, ...items: Item[]): string[] {
  const { writer, losses } = writing(server);
  tellKey(writer, 'k', STREAM, ...items);
  return losses;
}

describe('entries', () => {
  const node = (...parts: Parameters<typeof listpack>) => concat(str(id(5, 1)), str(listpack(...parts)));
  const rest = concat(len(4), len(8), len(0), len(5), len(1), len(0), len(0), len(4), len(0));

  test('share the field names of the first, and count from its id', () => {
    const told = [
      entry('5-1', ['a', '1'], ['b', '2']),
      entry('5-2', ['a', 'x'], ['b', '']),
      entry('7-0', ['a', '1']),
      entry('8-0', ['b', '1'], ['a', '2']),
      counters(4, '8-0', { first: '5-1' }),
    ];
    const packed = node(
      ...[4, 0, 2, 'a', 'b', 0],
      ...[2, 0, 0, 1, 2, 5],
      ...[2, 0, 1, 'x', '', 5],
      ...[0, 2, -1, 1, 'a', 1, 6],
      ...[0, 3, -1, 2, 'b', 1, 'a', 2, 8],
    );
    expect(plainRecord('redis-7.0', STREAM, ...told)).toEqual(value(19, len(1), packed, rest));
  });

  test('of any id keep every bit', () => {
    const most = '18446744073709551615-18446744073709551615';
    const { writer, bytes } = writing('redis-7.0');
    tellKey(
      writer,
      'k',
      STREAM,
      entry('0-1', ['f', 'v']),
      entry('0-18446744073709551615', ['f', 'v']),
      entry('9223372036854775808-0', ['f', 'v']),
      entry(most, ['f', 'v']),
      counters(4, most, { first: '0-1', deleted: '9223372036854775807-5' }),
    );
    writer.finish();
    const ids = eventsOf(bytes()).filter((line) => /^(entry|meta|counters)/.test(line));
    expect(ids.join('\n')).toContain(most);
    expect(ids.join('\n')).toContain('0-18446744073709551615');
    expect(ids.join('\n')).toContain('9223372036854775808-0');
  });

  test.each([
    [100, 1],
    [101, 2],
    [250, 3],
  ])('%i fill %i nodes of a hundred', (count, nodes) => {
    const told = Array.from({ length: count }, (_, i) => entry(`${i + 1}-0`, ['f', 'v']));
    const bytes = plainRecord('redis-7.0', STREAM, ...told, counters(count, `${count}-0`));
    expect(bytes.subarray(0, 4)).toEqual(value(19, len(nodes)));
  });

  test('fill nodes of 4096 bytes, a larger one by itself', () => {
    const sizes = [2000, 2000, 2000, 5000, 10];
    const told = sizes.map((size, i) => entry(`${i + 1}-0`, ['f', 'v'.repeat(size)]));
    const bytes = plainRecord('redis-7.0', STREAM, ...told, counters(5, '5-0'));
    expect(bytes.subarray(0, 4)).toEqual(value(19, len(4)));
  });

  test('there may be none', () => {
    const told = counters(0, '9-1', { deleted: '9-1', added: 3 });
    expect(plainRecord('redis-7.0', STREAM, told)).toEqual(
      value(19, len(0), len(0), len(9), len(1), len(0), len(0), len(9), len(1), len(3), len(0)),
    );
  });
});

describe('groups', () => {
  const told = [
    counters(0, '9-0', { added: 0 }),
    group('g', '5-0', 4),
    pending('3-0', 1000, 2),
    pending('4-0', 2000, 2 ** 40),
    consumer('alice', 1500, 1400, '4-0', '3-0'),
    consumer('bob', 1600, -1),
    group('none', '0-0'),
  ];
  const pendings = concat(
    concat(len(2), id(3, 0), i64le(1000), len(2)),
    concat(id(4, 0), i64le(2000), len64(2 ** 40)),
  );
  const ids = concat(len(2), id(4, 0), id(3, 0));

  test('have counters since 7.0 and active times since 7.2', () => {
    const of = (type: number, meta: Buffer, read: Buffer, active: (at: number) => Buffer, noRead: Buffer) =>
      value(
        type,
        concat(len(0), len(0), len(9), len(0), meta, len(2)),
        concat(str('g'), len(5), len(0), read, pendings, len(2)),
        concat(str('alice'), i64le(1500), active(1400), ids),
        concat(str('bob'), i64le(1600), active(-1), len(0)),
        concat(str('none'), len(0), len(0), noRead, len(0), len(0)),
      );
    const zeros = concat(len(0), len(0), len(0), len(0), len(0));
    const nothing = Buffer.alloc(0);
    expect(plainRecord('redis-7.2', STREAM, ...told)).toEqual(of(21, zeros, len(4), i64le, ALL_ONES));
    expect(plainRecord('redis-7.0', STREAM, ...told)).toEqual(of(19, zeros, len(4), () => nothing, ALL_ONES));
    expect(plainRecord('redis-5.0', STREAM, ...told)).toEqual(
      of(15, nothing, nothing, () => nothing, nothing),
    );
  });

  test('lose pending entries that no consumer has', () => {
    const items = [
      counters(0, '9-0'),
      group('g', '5-0', 0),
      pending('1-0', 1, 1),
      pending('2-0', 2, 1),
      pending('3-0', 3, 1),
      consumer('c', 5, 5, '2-0'),
    ];
    const bytes = plainRecord('redis-7.2', STREAM, ...items);
    const left = concat(
      len(1),
      id(2, 0),
      i64le(2),
      len(1),
      len(1),
      str('c'),
      i64le(5),
      i64le(5),
      len(1),
      id(2, 0),
    );
    expect(bytes.subarray(-left.length)).toEqual(left);
    expect(lossesOf('redis-7.2', ...items)).toEqual(['stream-pending k']);
  });
});

describe('counters are a loss', () => {
  test.each([
    ['none', ['redis-5.0', 'redis-7.0'], [counters(2, '2-0'), group('g', '2-0', 2), consumer('c', 5, 5)]],
    ['deleted entries', ['redis-7.0'], [counters(2, '2-0', { deleted: '1-0' })]],
    ['entries added', ['redis-7.0'], [counters(2, '2-0', { added: 7 })]],
    ['entries read', ['redis-7.0'], [counters(2, '2-0'), group('g', '1-0', 1)]],
    ['active times', ['redis-7.2'], [counters(2, '2-0'), group('g', '1-0'), consumer('c', 5, -1)]],
  ] as const)('where they are not held: %s', (_what, holders, items) => {
    for (const server of ['redis-5.0', 'redis-7.0', 'redis-7.2']) {
      const held = holders.some((holder) => holder <= server);
      expect(lossesOf(server, ...items)).toEqual(held ? [] : ['stream-counters k']);
    }
  });

  test('a stream needs them to be told', () => {
    const { writer } = writing('redis-7.0');
    expect(() => tellKey(writer, 'k', STREAM, entry('1-0', ['f', 'v']))).toThrow('told with its counters');
  });
});
