import { describe, expect, test } from 'vitest';
import { sliceOf } from '../../src/bytes/slice.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { CommandEmitter } from '../../src/keyspace/emit.js';
import { SKIP } from '../../src/model/handler.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import {
  consumer,
  counters,
  elements,
  entry,
  fields,
  group,
  type HeadParts,
  type Item,
  members,
  pending,
  raw,
  tellKey,
  text,
} from '../rdb/writer-teller.js';
import { moduleField, payload } from '../support/rdb-builder.js';
import { concat, len, u8 } from '../support/rdb-bytes.js';

const AT = 1772366400000;

function emitting(server = 'redis-7.4', nowMs = Number.POSITIVE_INFINITY) {
  const memory = new MemoryTarget();
  const losses: string[] = [];
  const emitter = new CommandEmitter(memory, {
    target: RDB_TARGETS.get(server)!,
    nowMs,
    onLoss: (head, what) => losses.push(head === null ? what : `${what} ${head.key.latin1()}`),
  });
  const commands = () => {
    emitter.finish();
    return parse(memory.bytes());
  };
  return { emitter, losses, commands, bytes: () => memory.bytes() };
}

/** The commands in strict RESP: the first of them by its words, one character per byte. */
function parse(bytes: Buffer): string[][] {
  const commands: string[][] = [];
  let at = 0;
  const line = (mark: string): number => {
    const end = bytes.indexOf('\r\n', at);
    const content = bytes.latin1Slice(at, end);
    at = end + 2;
    expect(content).toMatch(mark === '*' ? /^\*[1-9]\d*$/ : /^\$(0|[1-9]\d*)$/);
    return Number(content.slice(1));
  };
  while (at < bytes.length) {
    const words: string[] = [];
    for (let left = line('*'); left > 0; left--) {
      const length = line('$');
      words.push(bytes.latin1Slice(at, at + length));
      at += length;
      expect(bytes.latin1Slice(at, at + 2)).toBe('\r\n');
      at += 2;
    }
    commands.push(words);
  }
  return commands;
}

/** The commands of one key `k` in database 0, the SELECT before them left out, and what was lost. */
function emitted(server: string, head: HeadParts, ...items: Item[]) {
  const { emitter, losses, commands } = emitting(server);
  tellKey(emitter, 'k', head, ...items);
  return { commands: commands().slice(1), losses };
}

test('bytes are those of a server', () => {
  const { emitter, bytes } = emitting();
  tellKey(emitter, 'k', { database: 10 }, text('v\r\n\x00'));
  emitter.finish();
  expect(bytes().latin1Slice()).toBe(
    '*2\r\n$6\r\nSELECT\r\n$2\r\n10\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\nv\r\n\x00\r\n',
  );
});

test('functions come first, a database is selected when it has keys, expiry is last', () => {
  const { emitter, commands } = emitting();
  emitter.functionLibrary(sliceOf('#!lua name=x\n'));
  emitter.database(0);
  emitter.database(2);
  tellKey(emitter, 'a', { database: 2, hasExpiry: true, expiresAtMs: AT }, text('1'));
  tellKey(emitter, 'b', { database: 2, hasExpiry: true, expiresAtMs: -1 }, elements());
  tellKey(emitter, 'c', { database: 5, hasExpiry: true, expiresAtMs: 2n ** 63n - 1n }, text(''));
  expect(commands()).toEqual([
    ['FUNCTION', 'LOAD', '#!lua name=x\n'],
    ['SELECT', '2'],
    ['SET', 'a', '1'],
    ['PEXPIREAT', 'a', `${AT}`],
    ['SELECT', '5'],
    ['SET', 'c', ''],
    ['PEXPIREAT', 'c', '9223372036854775807'],
  ]);
  expect(emitter.keys).toBe(2);
});

describe('collections', () => {
  test('by command', () => {
    expect(emitted('redis-7.4', { kind: 'list' }, elements('a', '', 'a')).commands).toEqual([
      ['RPUSH', 'k', 'a', '', 'a'],
    ]);
    expect(emitted('redis-7.4', { kind: 'set' }, elements('a', 'b')).commands).toEqual([
      ['SADD', 'k', 'a', 'b'],
    ]);
    expect(emitted('redis-7.4', { kind: 'hash' }, fields(['f', 'v'], ['g', ''])).commands).toEqual([
      ['HMSET', 'k', 'f', 'v', 'g', ''],
    ]);
  });

  test('scores with as few digits as tell them apart', () => {
    const told = members(['a', 0.1], ['b', Number.POSITIVE_INFINITY], ['c', -1e300], ['d', 3]);
    expect(emitted('redis-7.2', { kind: 'zset' }, told).commands).toEqual([
      ['ZADD', 'k', '0.1', 'a', 'inf', 'b', '-1e+300', 'c', '3', 'd'],
    ]);
  });

  test('a score of -0 behind a member that no server packs, which goes again unless it was there', () => {
    const told = members(['a', 1], ['b', -0], ['c', -0]);
    const [first, filler, rest, removal] = emitted('redis-7.4', { kind: 'zset' }, told).commands;
    const long = filler![3]!;
    expect(long.length).toBeGreaterThan(1024);
    expect([first, filler, rest, removal]).toEqual([
      ['ZADD', 'k', '1', 'a'],
      ['ZADD', 'k', '0', long],
      ['ZADD', 'k', '-0', 'b', '-0', 'c'],
      ['ZREM', 'k', long],
    ]);
    const own = (...pairs: [string, number][]) =>
      emitted('redis-7.4', { kind: 'zset' }, members(...pairs)).commands;
    expect(own([long, 5], ['b', -0])).toEqual([['ZADD', 'k', '5', long, '-0', 'b']]);
    expect(own(['b', -0], [long, -0])).toEqual([
      ['ZADD', 'k', '0', long],
      ['ZADD', 'k', '-0', 'b', '-0', long],
    ]);
  });

  test.each([64, 65, 128, 200])('%i items, 64 to a command', (count) => {
    const names = Array.from({ length: count }, (_, i) => `n${i}`);
    const { commands } = emitted('redis-7.4', { kind: 'set' }, elements(...names));
    expect(commands.flatMap((words) => words.slice(2))).toEqual(names);
    expect(commands.map((words) => words.length - 2)).toEqual(
      Array.from({ length: Math.ceil(count / 64) }, (_, i) => Math.min(64, count - 64 * i)),
    );
    const pairs = names.map((name): [string, string] => [name, 'v']);
    const hash = emitted('redis-7.4', { kind: 'hash' }, fields(...pairs)).commands;
    expect(hash.map((words) => (words.length - 2) / 2)).toEqual(commands.map((words) => words.length - 2));
  });

  test('large items in commands of their own', () => {
    const large = 'x'.repeat(300_000);
    const { commands } = emitted('redis-7.4', { kind: 'list' }, elements('a', large, large, 'b'));
    expect(commands.map((words) => words.length - 2)).toEqual([2, 1, 1]);
    expect(commands.flatMap((words) => words.slice(2)).join('') === `a${large}${large}b`).toBe(true);
  });

  test('empty ones are none', () => {
    const { commands, losses } = emitted('redis-7.4', { kind: 'list', hasExpiry: true, expiresAtMs: 5 });
    expect(commands).toEqual([]);
    expect(losses).toEqual(['empty k']);
  });
});

describe('TTLs of fields', () => {
  const told = fields(['a', '1'], ['b', '2', AT], ['c', '3'], ['d', '4']);

  test('follow the field', () => {
    expect(emitted('redis-7.4', { kind: 'hash' }, told)).toEqual({
      commands: [
        ['HMSET', 'k', 'a', '1', 'b', '2'],
        ['HPEXPIREAT', 'k', `${AT}`, 'FIELDS', '1', 'b'],
        ['HMSET', 'k', 'c', '3', 'd', '4'],
      ],
      losses: [],
    });
  });

  test('are a loss where its commands refuse them', () => {
    const late = fields(['a', '1', 2 ** 46]);
    expect(emitted('redis-8.8', { kind: 'hash' }, late).losses).toEqual(['field-expiry k']);
    expect(emitted('valkey-9.1', { kind: 'hash' }, late).losses).toEqual([]);
  });

  test('are a loss where no server knows them', () => {
    expect(emitted('redis-7.2', { kind: 'hash' }, told)).toEqual({
      commands: [['HMSET', 'k', 'a', '1', 'b', '2', 'c', '3', 'd', '4']],
      losses: ['field-expiry k'],
    });
  });
});

describe('streams', () => {
  const STREAM = { kind: 'stream' } as const;
  const told = [
    entry('5-1', ['f', 'v'], ['g', '']),
    entry('6-0', ['f', 'w']),
    counters(2, '9-9', { deleted: '9-9', added: 3 }),
    group('g', '6-0', 2),
    pending('5-1', 1000, 3),
    pending('9-9', 2000, 1),
    consumer('alice', 1, 1, '5-1'),
    consumer('bob', 1, 1),
    consumer('carol', 1, 1, '9-9'),
    group('h', '0-0'),
  ];

  test('with counters, consumers and what is pending', () => {
    expect(emitted('redis-7.0', STREAM, ...told)).toEqual({
      commands: [
        ['XADD', 'k', '5-1', 'f', 'v', 'g', ''],
        ['XADD', 'k', '6-0', 'f', 'w'],
        ['XSETID', 'k', '9-9', 'ENTRIESADDED', '3', 'MAXDELETEDID', '9-9'],
        ['XGROUP', 'CREATE', 'k', 'g', '6-0', 'ENTRIESREAD', '2'],
        ['XCLAIM', 'k', 'g', 'alice', '0', '5-1', 'TIME', '1000', 'RETRYCOUNT', '3', 'JUSTID', 'FORCE'],
        ['XGROUP', 'CREATECONSUMER', 'k', 'g', 'bob'],
        ['XGROUP', 'CREATECONSUMER', 'k', 'g', 'carol'],
        ['XGROUP', 'CREATE', 'k', 'h', '0-0', 'ENTRIESREAD', '-1'],
      ],
      losses: ['stream-pending k'],
    });
  });

  test('as far as older servers go', () => {
    expect(emitted('redis-5.0', STREAM, ...told)).toEqual({
      commands: [
        ['XADD', 'k', '5-1', 'f', 'v', 'g', ''],
        ['XADD', 'k', '6-0', 'f', 'w'],
        ['XSETID', 'k', '9-9'],
        ['XGROUP', 'CREATE', 'k', 'g', '6-0'],
        ['XCLAIM', 'k', 'g', 'alice', '0', '5-1', 'TIME', '1000', 'RETRYCOUNT', '3', 'JUSTID', 'FORCE'],
        ['XCLAIM', 'k', 'g', 'carol', '0', '9-9', 'TIME', '2000', 'RETRYCOUNT', '1', 'JUSTID', 'FORCE'],
        ['XGROUP', 'CREATE', 'k', 'h', '0-0'],
      ],
      losses: ['stream-counters k', 'stream-consumer k'],
    });
  });

  test('pending entries of nobody are a loss', () => {
    const items = [entry('1-0', ['f', 'v']), counters(1, '1-0'), group('g', '1-0'), pending('1-0', 1, 1)];
    expect(emitted('redis-7.0', STREAM, ...items).losses).toEqual(['stream-pending k']);
  });

  test('that are empty stay keys, and expire', () => {
    const head = { ...STREAM, hasExpiry: true, expiresAtMs: AT };
    expect(emitted('redis-7.0', head, counters(0, '0-0'))).toEqual({
      commands: [
        ['XADD', 'k', 'MAXLEN', '0', '0-1', 'x', 'y'],
        ['XSETID', 'k', '0-0', 'ENTRIESADDED', '0', 'MAXDELETEDID', '0-0'],
        ['PEXPIREAT', 'k', `${AT}`],
      ],
      losses: [],
    });
  });

  test('one after the other do not mix', () => {
    const { emitter, commands, losses } = emitting('redis-7.0');
    tellKey(emitter, 'a', STREAM, ...told);
    tellKey(emitter, 'b', STREAM, entry('9-9', ['f', 'v']), counters(1, '9-9'));
    expect(commands().slice(-2)).toEqual([
      ['XADD', 'b', '9-9', 'f', 'v'],
      ['XSETID', 'b', '9-9', 'ENTRIESADDED', '1', 'MAXDELETEDID', '0-0'],
    ]);
    expect(losses).toEqual(['stream-pending a']);
  });

  test('an entry without fields cannot be told', () => {
    expect(emitted('redis-7.0', STREAM, entry('1-0'), counters(1, '1-0'))).toEqual({
      commands: [
        ['XADD', 'k', 'MAXLEN', '0', '0-1', 'x', 'y'],
        ['XSETID', 'k', '1-0', 'ENTRIESADDED', '1', 'MAXDELETEDID', '0-0'],
      ],
      losses: ['stream-entry k'],
    });
  });

  test('what no command takes is left out by name, and what is around it is there', () => {
    const huge = 2n ** 63n;
    const items = [
      entry('0-0', ['f', 'v']),
      entry('1-0', ['f', 'v']),
      entry('2-0', ['f', 'v']),
      counters(3, '2-0', { added: huge }),
      group('g', '1-0', huge),
      ...[pending('1-0', AT + 1, 1), pending('2-0', 5, huge)],
      consumer('c', 5, 5, '1-0', '2-0'),
    ];
    const { emitter, commands, losses } = emitting('redis-7.0', AT);
    tellKey(emitter, 'k', STREAM, ...items);
    expect(commands().slice(1)).toEqual([
      ['XADD', 'k', '1-0', 'f', 'v'],
      ['XADD', 'k', '2-0', 'f', 'v'],
      ['XSETID', 'k', '2-0'],
      ['XGROUP', 'CREATE', 'k', 'g', '1-0'],
      ['XCLAIM', 'k', 'g', 'c', '0', '1-0', 'TIME', `${AT + 1}`, 'RETRYCOUNT', '1', 'JUSTID', 'FORCE'],
    ]);
    const lost = ['stream-entry', 'stream-counters', 'stream-times', 'stream-pending'];
    expect(losses).toEqual(lost.map((what) => `${what} k`));
  });
});

test('module values are restored from their bytes', () => {
  const bytes = concat(len(2 ** 60), moduleField.string('state'), len(0));
  const head = { kind: 'module', typeId: 7, hasExpiry: true, expiresAtMs: AT } as const;
  const { commands } = emitted('redis-6.2', head, raw(bytes.subarray(0, 3), bytes.subarray(3)));
  expect(commands).toEqual([
    ['RESTORE', 'k', '0', payload(9, u8(7), bytes).latin1Slice()],
    ['PEXPIREAT', 'k', `${AT}`],
  ]);
});

test('what a server has no place for is told to the caller and to nobody else', () => {
  const { emitter, commands, losses } = emitting('redis-3.2');
  tellKey(emitter, 'set', { kind: 'set' }, elements('a'));
  expect(tellKey(emitter, 's', { kind: 'stream', database: 4 })).toBe(SKIP);
  expect(tellKey(emitter, 'm', { kind: 'module' })).toBe(SKIP);
  emitter.functionLibrary(sliceOf('#!lua'));
  tellKey(emitter, 'end', {}, text('1'));
  expect(commands()).toEqual([
    ['SELECT', '0'],
    ['SADD', 'set', 'a'],
    ['SET', 'end', '1'],
  ]);
  expect(losses).toEqual(['stream s', 'module m', 'function']);
  expect(emitter.keys).toBe(2);
});
