import { moduleField } from './rdb-builder.js';
import {
  concat,
  f64le,
  i64le,
  id,
  int8,
  len,
  len64,
  listpack,
  lzf,
  lzfRun,
  str,
  u8,
  u32le,
} from './rdb-bytes.js';

/** A value as it stands behind its key, with what a file must have for the type number to mean this. */
export interface DialectValue {
  readonly what: string;
  /** Magic and version. */
  readonly header: string;
  /** Opcodes in front of the key. */
  readonly before?: Buffer;
  readonly type: number;
  readonly value: Buffer;
  /** What a decoder tells of it item by item, in the words of RdbEvents. */
  readonly told: readonly string[];
}

const NOON = 1772366400000;

const REDIS_13 = 'REDIS0013';
const REDIS_14 = 'REDIS0014';
const REDIS_16 = 'REDIS0016';
const VALKEY_80 = 'VALKEY080';

const nodes = concat(len(1), str(id(1, 0)), str(listpack(2, 0, 1, 'f', 0, 2, 0, 0, 'x', 4, 2, 1, 0, 'y', 4)));
const counters = concat(len(2), len(2), len(0), len(1), len(0), len(0), len(0), len(2));
const entries = ['entry 1-0 1', 'entry-field "f" "x"', 'entry 2-0 1', 'entry-field "f" "y"'];
const meta = 'meta 2 1-0 2-0 0-0 2';

const group = concat(
  str('g'),
  len(2),
  len(0),
  len64(2n ** 64n - 1n),
  len(2),
  id(1, 0),
  i64le(NOON),
  len(1),
  id(2, 0),
  i64le(0),
  len(3),
  len(1),
  str('c'),
  i64le(NOON),
  i64le(-1),
  len(1),
  id(1, 0),
);
const groupTold = [
  'group "g" 2-0 -1',
  `pending 1-0 ${NOON} 1`,
  'pending 2-0 0 3',
  `consumer "c" ${NOON} -1`,
  'owns 1-0',
];

const producers = concat(
  len(100),
  len(10000),
  len(2),
  str('p1'),
  len(2),
  str('m1'),
  len(NOON),
  len(0),
  lzf('a message id that is long'),
  len(NOON),
  len(7),
  str('p2'),
  len(0),
  len(3),
  len(300),
);
const producersTold = [
  'idempotence 100 10000',
  'producer "p1"',
  `produced "m1" ${NOON}-0`,
  `produced "a message id that is long" ${NOON}-7`,
  'producer "p2"',
  'produced-totals 3 300',
];

/** The id of a module's type, as modules put their nine letters and ten bits of version together. */
export function moduleId(name: string, version: number): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  let value = 0n;
  for (const letter of name) value = (value << 6n) | BigInt(alphabet.indexOf(letter));
  return len64((value << 10n) | BigInt(version));
}

const f32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes;
};

/** Bits of two floats as one number: the range above, the length below. */
function rangeAndNorm(range: number, norm: number): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeFloatBE(range, 0);
  bytes.writeFloatBE(norm, 4);
  return bytes.readBigUInt64BE();
}

const { uint, string, end } = moduleField;
const parameters = (...numbers: (number | bigint)[]): Buffer =>
  concat(uint(numbers.length), ...numbers.map(uint));

export const VECTOR_SET_Q8 = concat(
  moduleId('vectorset', 0),
  uint(3),
  uint(2),
  uint(1 | (16 << 8)),
  uint(2),
  string('a'),
  string('{"year":1}'),
  string(u8(127, 0, 0x81)),
  parameters(1, 1 * 2 ** 24, 1, 32, 2, 0, rangeAndNorm(0.5, 4)),
  string('b'),
  string(''),
  string(u8(1, 2, 3)),
  parameters(2, 0, rangeAndNorm(1, 1)),
  end,
);

/** Every type that came after Redis 7.4, and what other products numbered for themselves; small enough to be taken apart. */
export const DIALECT_VALUES: readonly DialectValue[] = [
  {
    what: 'a stream of the fourth generation',
    header: REDIS_13,
    type: 26,
    value: concat(
      nodes,
      counters,
      len(1),
      concat(str('g'), len(2), len(0), len(1), len(1), id(1, 0), i64le(NOON), len(1), len(1), str('c')),
      concat(i64le(NOON), i64le(NOON), len(1), id(1, 0)),
      producers,
    ),
    told: [
      ...entries,
      meta,
      'group "g" 2-0 1',
      `pending 1-0 ${NOON} 1`,
      `consumer "c" ${NOON} ${NOON}`,
      'owns 1-0',
      ...producersTold,
    ],
  },
  {
    what: 'a stream of the fifth generation',
    header: REDIS_14,
    type: 27,
    value: concat(
      nodes,
      counters,
      len(2),
      group,
      len(1),
      id(2, 0),
      str('h'),
      len(0),
      len(0),
      len(0),
      len(0),
      len(0),
      len(0),
      producers,
    ),
    told: [...entries, meta, ...groupTold, 'released 2-0', 'group "h" 0-0 0', ...producersTold],
  },
  {
    what: 'an empty stream of the fifth generation',
    header: REDIS_14,
    type: 27,
    value: concat(
      len(0),
      len(0),
      len(0),
      len(0),
      len(0),
      len(0),
      len(0),
      len(0),
      len(0),
      len(0),
      len(100),
      len(100),
      len(0),
      len(0),
      len(0),
    ),
    told: ['meta 0 0-0 0-0 0-0 0', 'idempotence 100 100', 'produced-totals 0 0'],
  },
  {
    what: 'an array',
    header: REDIS_14,
    type: 28,
    value: concat(
      ...[len(7), len(1), len(70000)],
      ...[len(0), len(3), str('zz')],
      ...[len(1), len(0), lzfRun(700)],
      ...[len(5), len(1), i64le(-12)],
      ...[len(7), len(2), f64le(1.5)],
      ...[len(2n ** 40n), len(2), f64le(2)],
      ...[len(2n ** 63n), len(1), i64le(2n ** 61n - 1n)],
      ...[len(2n ** 64n - 2n), len(0), int8(7)],
    ),
    told: [
      'cursor 70000',
      'at 0 "zz"',
      `at 1 "${'a'.repeat(700)}"`,
      'at 5 "-12"',
      'at 7 "1.5"',
      'at 1099511627776 "2.0"',
      'at 9223372036854775808 "2305843009213693951"',
      'at 18446744073709551614 "7"',
    ],
  },
  {
    what: 'an array into which nothing was inserted',
    header: REDIS_14,
    type: 28,
    value: concat(len(1), len(0), len(3), len(3), str('')),
    told: ['cursor -1', 'at 3 ""'],
  },
  { what: 'a rate limit', header: REDIS_14, type: 29, value: len(NOON), told: [`text "${NOON}"`] },
  {
    what: 'a rate limit under its later number',
    header: REDIS_16,
    type: 33,
    value: len(2n ** 63n - 1n),
    told: ['text "9223372036854775807"'],
  },
  {
    what: 'a hash from a template, names one by one',
    header: REDIS_16,
    type: 29,
    value: concat(len(2), str('a'), str('bb'), str(listpack(1, 'x'))),
    told: ['field "a" "1"', 'field "bb" "x"'],
  },
  {
    what: 'a hash from a template, names in a listpack',
    header: REDIS_16,
    type: 29,
    value: concat(str(listpack('a', 'bb')), lzf(listpack(1, 'x'))),
    told: ['field "a" "1"', 'field "bb" "x"'],
  },
  {
    what: 'a hash that names its template in a listpack',
    header: REDIS_16,
    before: concat(u8(242), len(300), len(2), str('a'), str('bb')),
    type: 30,
    value: str(listpack(300, 'x', 5)),
    told: ['field "a" "x"', 'field "bb" "5"'],
  },
  {
    what: 'a hash from a template in pairs',
    header: REDIS_16,
    type: 31,
    value: concat(len(2), str('a'), int8(1), str('bb'), str('x')),
    told: ['field "a" "1"', 'field "bb" "x"'],
  },
  {
    what: 'a hash that names its template',
    header: REDIS_16,
    before: concat(u8(242), len(1), len(1), str('z'), u8(242), len(0), len(2), str('a'), str('bb')),
    type: 32,
    value: concat(len(0), str('x'), int8(5)),
    told: ['field "a" "x"', 'field "bb" "5"'],
  },
  {
    what: "a hash with times in Valkey's form",
    header: VALKEY_80,
    type: 22,
    value: concat(len(2), str('a'), int8(1), i64le(NOON), str('b'), lzf('xy'), i64le(-1)),
    told: [`field "a" "1" ${NOON}`, 'field "b" "xy"'],
  },
  {
    what: 'a job',
    header: 'REDIS0009',
    before: concat(u8(250), str('redis-ver'), str('6.3.4')),
    type: 64,
    value: concat(str('return 1'), i64le(NOON), i64le(-5), len(1), str('key'), len(2), str('x'), int8(7)),
    told: [`cron "return 1" ${NOON} -5 1`, 'element "key"', 'element "x"', 'element "7"'],
  },
  {
    what: 'a vector set of bytes, with attributes',
    header: REDIS_14,
    type: 7,
    value: VECTOR_SET_Q8,
    told: [
      'vector-set 3 2 q8 16 0',
      `vector "a" ${JSON.stringify('{"year":1}')} 7f0081 0.5 4`,
      'vector "b" "" 010203 1 1',
      `raw ${VECTOR_SET_Q8.toString('hex')}`,
    ],
  },
  vectorSetOf(
    'a projected vector set',
    concat(uint(1), uint(0), uint(1), uint(2), string(f32(1, 2))),
    'vector-set 1 1 fp32 16 2',
    f32(1),
  ),
  vectorSetOf(
    'a vector set of bits',
    concat(uint(65), uint(2 | (32 << 8)), uint(0)),
    'vector-set 65 1 binary 32 0',
    Buffer.alloc(16, 0xa5),
  ),
];

/** One element; the head is told without the number of elements, which comes second. */
function vectorSetOf(what: string, head: Buffer, told: string, blob: Buffer): DialectValue {
  const dimensions = head.subarray(0, 1 + len(head[1]! < 64 ? 1 : 65).length);
  const rest = head.subarray(dimensions.length);
  const value = concat(
    moduleId('vectorset', 0),
    ...[dimensions, uint(1), rest],
    ...[string('e'), string(blob), parameters(9, 0, 0, 0, rangeAndNorm(0, 2)), end],
  );
  return {
    what,
    header: REDIS_14,
    type: 7,
    value,
    told: [told, `vector "e" "" ${blob.toString('hex')} 0 2`, `raw ${value.toString('hex')}`],
  };
}

/** What modules attached to a key, with the opcode in front. */
export const KEY_METADATA = concat(
  u8(243),
  len(2),
  u32le(0x1234568),
  uint(5),
  end,
  u32le(7),
  string('text'),
  moduleField.double(1),
  end,
);
