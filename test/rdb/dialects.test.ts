import { describe, expect, test } from 'vitest';
import { FormatError } from '../../src/errors.js';
import { type Depth, ITEMS, RAW, SKIP } from '../../src/model/handler.js';
import { dialectOf } from '../../src/rdb/dialect.js';
import { inParts } from '../support/chop.js';
import { THOROUGH } from '../support/effort.js';
import { RdbBuilder } from '../support/rdb-builder.js';
import { concat, f64le, i64le, id, len, listpack, str, u8, u32le } from '../support/rdb-bytes.js';
import { errorOf, eventSubject, eventsOf, valueEvents } from '../support/rdb-events.js';
import { DIALECT_VALUES, KEY_METADATA, moduleId, VECTOR_SET_Q8 } from '../support/rdb-new-values.js';
import { same } from '../support/same.js';

function fileOf(header: string, before: Buffer | undefined, type: number, value: Buffer): RdbBuilder {
  return new RdbBuilder(header).raw(before ?? '').key(type, 'k', value);
}

/** How a file ends that comes as a whole. */
function endOf(bytes: Buffer, depth: Depth): string | undefined {
  return inParts(bytes, eventSubject({ depth }, false), [bytes.length]).error?.code;
}

const CHANGES = [0x01, 0x20, 0x80, 0xff];

describe.each(DIALECT_VALUES)('$what', ({ header, before, type, value, told }) => {
  const bytes = fileOf(header, before, type, value).key(0, 'next', str('1')).end();
  const valueAt = header.length + (before?.length ?? 0) + 3;

  test('is told item by item', () => {
    expect(valueEvents(bytes)).toEqual(told);
  });

  test('taken raw is the bytes as they stand', () => {
    expect(valueEvents(bytes, { depth: RAW })).toEqual([`raw ${value.toString('hex')}`]);
  });

  test('skipped or not, the next key is where it is', () => {
    const next = (depth: Depth) => eventsOf(bytes, { depth }).filter((line) => line.startsWith('key "next"'));
    expect(next(SKIP)).toEqual(next(ITEMS));
    expect(next(SKIP)).toHaveLength(1);
  });

  test('cut anywhere is a truncation, at every depth', () => {
    const whole = fileOf(header, before, type, value).bytes();
    for (let end = valueAt; end < whole.length; end++) {
      for (const depth of [SKIP, RAW, ITEMS] as const) {
        same(endOf(whole.subarray(0, end), depth), 'rdb/truncated', `cut at ${end}, depth ${depth}`);
      }
    }
  });

  test('with any byte changed is read, or refused with an offset inside the file', () => {
    for (let at = valueAt; at < valueAt + value.length; at++) {
      for (const bit of THOROUGH ? CHANGES : [CHANGES[at % CHANGES.length]!]) {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= bit;
        for (const depth of [SKIP, ITEMS] as const) {
          const { error } = inParts(damaged, eventSubject({ depth }, false), [damaged.length]);
          if (error === null) continue;
          same(error instanceof FormatError, true);
          same(error.offset >= 0 && error.offset <= damaged.length, true);
        }
      }
    }
  });

  test('with a length that promises anything is refused before memory is taken', () => {
    const promise = u8(0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    for (let at = 0; at < value.length; at++) {
      const lying = concat(value.subarray(0, at), promise, value.subarray(at + 1));
      const bytes = fileOf(header, before, type, lying).bytes();
      for (const depth of [SKIP, ITEMS] as const) endOf(bytes, depth);
    }
    expect(process.memoryUsage().rss).toBeLessThan(2 ** 30);
  });
});

describe('what is wrong with', () => {
  const error = (header: string, type: number, ...value: Buffer[]): string =>
    errorOf(fileOf(header, undefined, type, concat(...value)).end());
  const NODELESS = concat(len(0), len(0), len(0), len(0), len(0), len(0), len(0), len(0), len(0));
  const GROUP = concat(str('g'), len(0), len(0), len(0), len(1), id(1, 0), i64le(0), len(1), len(0));

  test.each([
    ['an unknown flag', concat(len(1), len(2)), 'rdb/bad-array at 13 > array > element 0'],
    ['an unknown tag', concat(len(1), len(0), len(0), len(4)), 'rdb/bad-array at 15 > array > element 0'],
    [
      'indexes that do not ascend',
      concat(len(2), len(0), len(3), len(3), str('a'), len(3), len(3), str('b')),
      'rdb/bad-array at 18 > array > element 1',
    ],
    [
      'the one index that stands for none',
      concat(len(1), len(0), len(2n ** 64n - 1n), len(3), str('a')),
      'rdb/bad-array at 14 > array > element 0',
    ],
    [
      'a short text that is long',
      concat(len(1), len(0), len(0), len(3), str('12345678')),
      'rdb/bad-array at 16 > array > element 0',
    ],
  ])('an array: %s', (_, value, expected) => {
    expect(error('REDIS0014', 28, value)).toBe(expected);
  });

  test('an array without elements is worth a warning', () => {
    const bytes = fileOf('REDIS0014', undefined, 28, concat(len(0), len(0))).end();
    expect(valueEvents(bytes)).toEqual(['warning rdb/empty-value 12 array sliced-array']);
  });

  test.each([
    ['a released entry that is not pending', concat(len(1), id(2, 0)), 'part -1'],
    ['a pending entry of nobody that is not listed', concat(len(0)), 'part -1'],
  ])('a stream: %s', (_, released) => {
    const value = concat(NODELESS, len(1), GROUP, released, len(100), len(100), len(0), len(0), len(0));
    expect(error('REDIS0014', 27, value)).toMatch(/^rdb\/bad-stream at \d+ > stream$/);
  });

  test.each([
    ['a duration of nothing', len(0), len(100)],
    ['a duration of two days', len(172800), len(100)],
    ['room for no message', len(100), len(0)],
    ['room for too many', len(100), len(10001)],
  ])('producers: %s', (_, duration, size) => {
    const value = concat(NODELESS, len(0), duration, size, len(0), len(0), len(0));
    expect(error('REDIS0013', 26, value)).toBe('rdb/bad-stream at 22 > stream');
  });

  const { length } = moduleId('vectorset', 0);
  test.each([
    ['no dimension', concat(moduleId('vectorset', 0), len(2), len(0)), length],
    ['a text for a number', concat(moduleId('vectorset', 0), len(5), str('3')), length],
    [
      'an unknown quantization',
      concat(moduleId('vectorset', 0), len(2), len(3), len(2), len(0), len(2), len(9)),
      length + 4,
    ],
  ])('a vector set: %s', (_, value, at) => {
    expect(error('REDIS0014', 7, value)).toMatch(new RegExp(`^rdb/bad-vector-set at ${12 + at} > module`));
  });

  test('a vector set: a vector of another size, or too few numbers about a node', () => {
    const damaged = Buffer.from(VECTOR_SET_Q8);
    const dimensions = length + 1;
    damaged[dimensions] = 4;
    expect(error('REDIS0014', 7, damaged)).toMatch(/^rdb\/bad-vector-set at \d+ > module > element 0$/);
    const few = Buffer.from(VECTOR_SET_Q8);
    few[few.lastIndexOf(concat(len(2), len(3))) + 1] = 2;
    expect(error('REDIS0014', 7, few)).toMatch(/^rdb\/bad-vector-set at \d+ > module > element 1$/);
  });

  test('a vector set of a later version is a module value like others', () => {
    const value = concat(moduleId('vectorset', 1), len(5), str('new'), len(0));
    expect(valueEvents(fileOf('REDIS0014', undefined, 7, value).end())).toEqual([
      `raw ${value.toString('hex')}`,
    ]);
  });

  test.each([
    ['no such template', 32, concat(len(5), str('x'))],
    ['no such template', 30, str(listpack(5, 'x'))],
    ['no number', 30, str(listpack('x'))],
    ['more values than names', 29, concat(str(listpack('a')), str(listpack(1, 2)))],
    ['fewer values than names', 29, concat(str(listpack('a', 'b')), str(listpack(1)))],
  ])('a template: %s (type %i)', (_, type, value) => {
    expect(error('REDIS0016', type, value)).toContain('rdb/bad-template at ');
  });

  test.each([
    ['below -1', i64le(-2)],
    ['beyond every clock', i64le(2n ** 60n)],
  ])("a time in Valkey's hashes: %s", (_, time) => {
    const value = concat(len(1), str('a'), str('b'), time);
    expect(error('VALKEY080', 22, value)).toBe('rdb/bad-field-expiry at 17 > hash > field 0');
  });

  test('a rate limit of 64 bits', () => {
    expect(error('REDIS0014', 29, len(2n ** 63n))).toBe('rdb/bad-length at 12 > gcra');
  });
});

describe('what modules attach to a key', () => {
  const file = (metadata: Buffer): RdbBuilder =>
    new RdbBuilder('REDIS0014').expiryMs(5).raw(metadata).key(0, 'k', str('v')).key(0, 'l', str('w'));

  test('stands in the head of that key alone', () => {
    expect(eventsOf(file(KEY_METADATA).end()).filter((line) => line.startsWith('key'))).toEqual([
      `key "k" db 0 string embstr type 0 at 9 expires 5 metadata ${KEY_METADATA.subarray(1).toString('hex')}`,
      expect.stringMatching(/^key "l" db 0 string embstr type 0 at \d+$/),
    ]);
  });

  test.each([
    ['too many', concat(u8(243), len(8)), 'rdb/bad-metadata at 19'],
    ['an unknown tag', concat(u8(243), len(1), u32le(0), len(9)), 'rdb/bad-metadata at 24'],
  ])('is refused: %s', (_, metadata, expected) => {
    expect(errorOf(file(metadata).end())).toBe(expected);
  });

  test('cut anywhere is a truncation', () => {
    const whole = file(KEY_METADATA).bytes();
    for (let end = 19; end < 18 + KEY_METADATA.length; end++) {
      expect(errorOf(whole.subarray(0, end))).toMatch(/^rdb\/truncated/);
    }
  });
});

describe('a slot that was being imported', () => {
  const file = (...ranges: [number, number][]): Buffer =>
    new RdbBuilder('VALKEY080')
      .raw(u8(243), str('j'.repeat(40)), len(ranges.length), ...ranges.flat().map((slot) => len(slot)))
      .key(0, 'k', str('v'))
      .end();

  test('is told with how many slots there are', () => {
    expect(eventsOf(file([0, 9], [16383, 16383]))).toContain(`slot-import "${'j'.repeat(40)}" 11`);
  });

  test.each([[[9, 0]], [[0, 16384]]] as [number, number][][])('is no range: %j', (range) => {
    expect(errorOf(file(range))).toBe('rdb/bad-length at 52');
  });
});

describe('numbers mean what the product says', () => {
  test.each([
    ['redis', 11, 22, undefined],
    ['redis', 12, 22, 'hash'],
    ['valkey', 11, 22, undefined],
    ['valkey', 80, 22, 'hash'],
    ['redis', 12, 26, undefined],
    ['redis', 14, 29, 'gcra'],
    ['redis', 15, 29, 'hash'],
    ['redis', 16, 33, 'gcra'],
    ['redis', 9, 64, undefined],
    ['keydb', 9, 64, 'cron'],
  ] as const)('%s %i: type %i is %s', (name, version, type, kind) => {
    expect(dialectOf(name, version)!.typeOf[type]?.kind).toBe(kind);
  });

  test.each([
    ['redis', 12, 243, undefined],
    ['redis', 13, 243, 'key-metadata'],
    ['valkey', 80, 243, 'slot-import'],
    ['valkey', 11, 244, undefined],
    ['redis', 14, 242, undefined],
    ['redis', 15, 242, 'hash-template'],
    ['redis', 9, 121, undefined],
    ['redis-enterprise', 9, 121, 'ignored-length'],
    ['redis-enterprise', 12, 107, 'ignored-length'],
  ] as const)('%s %i: opcode %i is %s', (name, version, opcode, rule) => {
    expect(dialectOf(name, version)!.opcodeOf[opcode]).toBe(rule);
  });

  test.each([
    ['redis', 17],
    ['redis', 0],
    ['valkey', 12],
    ['valkey', 79],
    ['valkey', 81],
    ['keydb', 12],
  ] as const)('%s %i is not known', (name, version) => {
    expect(dialectOf(name, version)).toBeNull();
  });

  test.each([
    ['REDIS0017', 'rdb/unsupported-version at 5'],
    ['REDIS0080', 'rdb/unsupported-version at 5'],
    ['VALKEY011', 'rdb/unsupported-version at 6'],
    ['VALKEY081', 'rdb/unsupported-version at 6'],
  ])('%s is not read', (header, expected) => {
    expect(errorOf(new RdbBuilder(header).end())).toBe(expected);
  });

  test('what Redis Enterprise adds is passed over when asked for', () => {
    const bytes = new RdbBuilder('REDIS0009')
      .raw(u8(121), len(300), u8(107), len(5))
      .key(0, 'k', str('v'))
      .end();
    expect(errorOf(bytes)).toBe('rdb/unknown-type at 9');
    expect(eventsOf(bytes, { dialect: 'redis-enterprise' })).toContain('text "v"');
  });

  test('a float among doubles is not confused with an integer', () => {
    const array = concat(len(2), len(0), len(0), len(2), f64le(-0), len(1), len(2), f64le(2 ** 62));
    expect(valueEvents(fileOf('REDIS0014', undefined, 28, array).end())).toEqual([
      'cursor -1',
      'at 0 "-0.0"',
      'at 1 "4611686018427387904.0"',
    ]);
  });
});
