import { describe, expect, test } from 'vitest';
import { sliceOf } from '../../src/bytes/slice.js';
import { SKIP } from '../../src/model/handler.js';
import { decodeInto, memoryWriter } from '../support/rdb.js';
import { RdbBuilder } from '../support/rdb-builder.js';
import { concat, f64le, i64le, id, len, listpack, str, u8 } from '../support/rdb-bytes.js';
import { KEY_METADATA } from '../support/rdb-new-values.js';
import {
  counters,
  type Item,
  idFrom,
  members,
  plainRecord,
  record,
  tellKey,
  value,
  writing,
} from './writer-teller.js';

const AT = 1772366400000;
const STREAM = { kind: 'stream' } as const;
const ARRAY = { kind: 'array' } as const;

const array = (cursor: number | bigint, ...elements: [index: number | bigint, text: string][]): Item => {
  return (handler) => {
    handler.arrayCursor(cursor);
    for (const [index, text] of elements) handler.arrayElement(index, sliceOf(text));
  };
};

// Every expected form here is what DUMP of a server of 8.8 gave for the same text.
describe('an element of an array', () => {
  const integer = (value: number | bigint): Buffer => concat(len(1), i64le(value));
  const double = (value: number): Buffer => concat(len(2), f64le(value));
  const short = (text: string): Buffer => concat(len(3), str(text));
  const long = (text: string): Buffer => concat(len(0), str(text));

  test.each([
    ['12', integer(12)],
    ['-1', integer(-1)],
    ['2305843009213693951', integer(2n ** 61n - 1n)],
    ['-2305843009213693952', integer(-(2n ** 61n))],
    ['2305843009213693952', long('2305843009213693952')],
    ['007', short('007')],
    ['-', short('-')],
    ['', short('')],
    ['abcdefg', short('abcdefg')],
    ['abcdefgh', long('abcdefgh')],
    ['1.5', double(1.5)],
    ['1.0', double(1)],
    ['-0.0', double(-0)],
    ['4611686018427387904.0', double(2 ** 62)],
    ['6179249466276458496.0', long('6179249466276458496.0')],
    ['1.50', short('1.50')],
    ['.5', short('.5')],
    ['5.', short('5.')],
    ['1e5', short('1e5')],
    ['0.1.2', short('0.1.2')],
  ])('is held in the form that the server chooses: %j', (text, form) => {
    const bytes = plainRecord('redis-8.8', { ...ARRAY, count: 1 }, array(-1, [5, text]));
    expect(bytes).toEqual(value(28, len(1), len(0), len(5), form));
  });

  test('of which two bits would be lost stays a text', () => {
    const bytes = plainRecord('redis-8.8', ARRAY, array(-1, [0, '0.1'], [1, '0.30000000000000004']));
    expect(bytes).toEqual(
      value(28, len(2), len(0), len(0), short('0.1'), len(1), double(0.30000000000000004)),
    );
  });
});

describe('an array', () => {
  test('is the same whether its size is known up front or not', () => {
    const told = array(2n ** 40n, [0, 'a'], [2n ** 63n, 'b']);
    const expected = value(
      28,
      ...[len(2), len(1), len(2n ** 40n), len(0), len(3), str('a'), len(2n ** 63n), len(3), str('b')],
    );
    expect(plainRecord('redis-8.8', ARRAY, told)).toEqual(expected);
    expect(plainRecord('redis-8.8', { ...ARRAY, count: 2 }, told)).toEqual(expected);
  });

  test('without elements leaves nothing behind', () => {
    const { writer, losses } = writing('redis-8.8');
    tellKey(writer, 'k', ARRAY, array(-1));
    expect([writer.keys, losses]).toEqual([0, ['empty k']]);
  });

  test.each(['redis-8.6', 'valkey-9.1', 'keydb-6.3'])('is a loss for %s', (server) => {
    const { writer, losses } = writing(server);
    expect(tellKey(writer, 'k', ARRAY, array(-1, [0, 'a']))).toBe(SKIP);
    expect(losses).toEqual(['array k']);
  });
});

test('a job is written for KeyDB, and for nobody else', () => {
  const job: Item = (handler) => {
    handler.cron(sliceOf('return 1'), { startMs: AT, interval: -5 }, 1);
    for (const text of ['key', 'x', '7']) handler.element(sliceOf(text));
  };
  expect(plainRecord('keydb-6.3', { kind: 'cron' }, job)).toEqual(
    value(64, str('return 1'), i64le(AT), i64le(-5), len(1), str('key'), len(2), str('x'), u8(0xc0, 7)),
  );
  const { writer, losses } = writing('redis-6.2');
  tellKey(writer, 'k', { kind: 'cron' }, job);
  expect(losses).toEqual(['cron k']);
});

test('scores that are whole are integers as far as the server takes them for such', () => {
  const told = members(['a', 2 ** 60], ['b', 2 ** 63]);
  const text = '9223372036854776000';
  expect(record('redis-7.2', { kind: 'zset' }, told)).toEqual(
    value(17, str(listpack('a', 2n ** 60n, 'b', text))),
  );
  expect(record('redis-7.0', { kind: 'zset' }, members(['a', 1e17]))).toEqual(
    value(17, str(listpack('a', '1e+17'))),
  );
});

describe('a stream', () => {
  const released = (text: string): Item => {
    return (handler) => handler.streamReleased(idFrom(text));
  };
  const pendingOfNobody = (text: string): Item => {
    return (handler) => handler.streamPending(idFrom(text), 0, 3);
  };
  const group: Item = (handler) => handler.streamGroup(sliceOf('g'), idFrom('9-0'), 0);
  const producers: Item = (handler) => {
    handler.streamIdempotence({ durationSeconds: 50, entriesMax: 7 });
    handler.streamProducer(sliceOf('p'));
    handler.streamProduced(sliceOf('m'), idFrom('9-0'));
    handler.streamProducer(sliceOf('q'));
    handler.streamProducedTotals(5, 1);
  };
  const empty = concat(len(0), len(0), len(9), len(0), len(0), len(0), len(0), len(0), len(0));
  const held = concat(
    ...[len(1), str('g'), len(9), len(0), len(0), len(2)],
    ...[id(3, 0), i64le(0), len(3), id(4, 0), i64le(0), len(3), len(0)],
  );
  const told = [counters(0, '9-0'), group, pendingOfNobody('3-0'), pendingOfNobody('4-0')];

  test('keeps the order of what was given back; what nobody listed comes last', () => {
    const none = concat(len(100), len(100), len(0), len(0), len(0));
    expect(plainRecord('redis-8.8', STREAM, ...told, released('4-0'), released('3-0'))).toEqual(
      value(27, empty, held, len(2), id(4, 0), id(3, 0), none),
    );
    expect(plainRecord('redis-8.8', STREAM, ...told, released('4-0'))).toEqual(
      value(27, empty, held, len(2), id(4, 0), id(3, 0), none),
    );
  });

  test('keeps producers since 8.6', () => {
    const expected = concat(
      ...[
        len(50),
        len(7),
        len(2),
        str('p'),
        len(1),
        str('m'),
        len(9),
        len(0),
        str('q'),
        len(0),
        len(5),
        len(1),
      ],
    );
    expect(plainRecord('redis-8.6', STREAM, counters(0, '9-0'), producers)).toEqual(
      value(26, empty, len(0), expected),
    );
  });

  test.each([
    ['redis-8.6', ['stream-pending k']],
    ['redis-8.4', ['stream-pending k', 'stream-producers k']],
    ['valkey-9.1', ['stream-pending k', 'stream-producers k']],
  ])('for %s loses what it has no place for, and says so', (server, expected) => {
    const { writer, losses } = writing(server);
    tellKey(writer, 'k', STREAM, ...told, released('4-0'), released('3-0'), producers);
    expect(losses).toEqual(expected);
  });
});

describe('what stands beside keys', () => {
  const source = new RdbBuilder('REDIS0014').expiryMs(5).raw(KEY_METADATA).key(0, 'k', str('v')).end();

  test('metadata goes where it is known, and is a loss elsewhere', async () => {
    const known = memoryWriter('redis-8.6');
    await decodeInto(known.writer, source);
    expect(known.written().losses).toEqual([]);
    expect(known.written().bytes.includes(concat(KEY_METADATA, u8(0), str('k'), str('v')))).toBe(true);
    const elsewhere = memoryWriter('valkey-9.1');
    await decodeInto(elsewhere.writer, source);
    expect(elsewhere.written().losses).toMatchObject([{ what: 'key-metadata' }]);
  });

  test("times of members stay behind their key in KeyDB's files", async () => {
    const times = concat(
      u8(250),
      str('keydb-subexpire-key'),
      str('m'),
      u8(250),
      str('keydb-subexpire-when'),
      str('12'),
    );
    const bytes = new RdbBuilder('REDIS0009')
      .key(2, 'k', len(1), str('m'))
      .raw(times)
      .key(0, 'l', str('v'))
      .end();
    const kept = memoryWriter('keydb-6.3');
    await decodeInto(kept.writer, bytes);
    expect(kept.written().losses).toEqual([]);
    expect(kept.written().bytes.includes(times.subarray(0, 22))).toBe(true);
    expect(kept.written().bytes.indexOf('keydb-subexpire-when')).toBeLessThan(
      kept.written().bytes.lastIndexOf('l'),
    );
    const lost = memoryWriter('redis-6.2');
    await decodeInto(lost.writer, bytes);
    expect(lost.written().losses).toEqual([{ what: 'member-expiry', place: '' }]);
  });

  test('a slot import is a loss that concerns no key', async () => {
    const { writer, written } = memoryWriter('valkey-9.1');
    await decodeInto(
      writer,
      new RdbBuilder('VALKEY080').raw(u8(243), str('j'), len(1), len(0), len(5)).end(),
    );
    expect(written().losses).toEqual([{ what: 'slot-import', place: '' }]);
  });
});
