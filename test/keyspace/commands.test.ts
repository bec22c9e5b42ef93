import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/keyspace/commands/table.js';
import { APPLIED, FAILED, UNKNOWN } from '../../src/keyspace/outcome.js';
import { EngineDriver, NOW_MS } from './engine-driver.js';
import { Picture } from './picture.js';

type Values = Picture['values'];

/** Commands, one a line, and what database 0 and others hold after them. */
type Case = readonly [commands: string, values: Values];

function afterRunning(
  commands: string,
  options: ConstructorParameters<typeof EngineDriver>[0] = {},
): Picture {
  const driver = new EngineDriver(options);
  for (const line of commands.split(' | ')) {
    expect(driver.run(line), `${line}: ${driver.engine.lastError}`).toBe(APPLIED);
  }
  return Picture.of(driver.engine.keyspace);
}

const STRINGS: readonly Case[] = [
  ['SET a 1 | SET a two', { '0 a': 'two' }],
  ['SET a 1 NX | SET a 2 NX | SET b 3 XX', { '0 a': '1' }],
  ['SET a 1 | SET a 2 XX GET', { '0 a': '2' }],
  ['SET a 1 | SET a 2 IFEQ x | SET b 1 | SET b 2 ifeq 1', { '0 a': '1', '0 b': '2' }],
  ['SET a 1 | SET a 2 IFNE 1 | SET b 2 IFNE 1 | SET c 1 IFEQ 1', { '0 a': '1', '0 b': '2' }],
  ['SET a 1 IFNE x NX | SET a 2 IFNE x NX | SET b 1 IFNE x XX | SET a 3 IFNE x XX', { '0 a': '3' }],
  ['RPUSH a 1 | SET a 2 IFEQ 1 NX | SET b 1 | SET b 2 IFEQ 1 XX', { '0 a': ['1'], '0 b': '2' }],
  ['MSETEX 2 a 1 b 2 EX 10 | MSETEX 2 a 3 c 3 NX | MSETEX 1 b 4 XX', { '0 a': '1', '0 b': '4' }],
  ['SETNX a 1 | SETNX a 2', { '0 a': '1' }],
  ['SETEX a 10 x | PSETEX b 10 y', { '0 a': 'x', '0 b': 'y' }],
  ['SET a 1 | GETSET a 2 | GETSET b 3', { '0 a': '2', '0 b': '3' }],
  ['SET a 1 | GETDEL a | GETDEL b', {}],
  ['MSET a 1 b 2 a 3', { '0 a': '3', '0 b': '2' }],
  ['SET b x | MSETNX a 1 b 2', { '0 b': 'x' }],
  ['MSETNX a 1 b 2', { '0 a': '1', '0 b': '2' }],
  ['APPEND a x | APPEND a yz', { '0 a': 'xyz' }],
  ['SETRANGE a 3 xy | SET b hello | SETRANGE b 1 EL', { '0 a': '\0\0\0xy', '0 b': 'hELlo' }],
  ['INCR a | INCRBY a 10 | DECR a | DECRBY a 4', { '0 a': '6' }],
  [
    'SET a 9007199254740993 | INCR a | SET b -9223372036854775807 | DECR b',
    {
      '0 a': '9007199254740994',
      '0 b': '-9223372036854775808',
    },
  ],
  ['INCRBYFLOAT a 3.0e3 | INCRBYFLOAT a 0.1', { '0 a': '3000.10000000000000009' }],
];

const LISTS: readonly Case[] = [
  ['RPUSH a 1 2 | LPUSH a 0 -1', { '0 a': ['-1', '0', '1', '2'] }],
  ['LPUSHX a 1 | RPUSHX a 1', {}],
  ['RPUSH a 1 2 3 | LPOP a | RPOP a', { '0 a': ['2'] }],
  ['RPUSH a 1 2 3 | LPOP a 5', {}],
  ['RPUSH a 1 2 3 | LPOP a 0 | RPOP a 2', { '0 a': ['1'] }],
  [
    'RPUSH a 1 2 | LINSERT a BEFORE 2 x | LINSERT a after 2 y | LINSERT a before z q',
    {
      '0 a': ['1', 'x', '2', 'y'],
    },
  ],
  ['RPUSH a 1 2 3 | LSET a 0 x | LSET a -1 longer', { '0 a': ['x', '2', 'longer'] }],
  ['RPUSH a x y x y x | LREM a 1 x | LREM a -1 y', { '0 a': ['y', 'x', 'x'] }],
  ['RPUSH a x x | LREM a 0 x', {}],
  ['RPUSH a 0 1 2 3 4 | LTRIM a 1 -2', { '0 a': ['1', '2', '3'] }],
  ['RPUSH a 0 1 | LTRIM a 5 9', {}],
  ['RPUSH a 1 2 | RPOPLPUSH a b | RPOPLPUSH a a', { '0 a': ['1'], '0 b': ['2'] }],
  ['RPUSH a 1 2 3 | LMOVE a a LEFT RIGHT | LMOVE a b RIGHT RIGHT', { '0 a': ['2', '3'], '0 b': ['1'] }],
  ['RPUSH a 1 | LMOVE a b LEFT LEFT | LMOVE none b LEFT LEFT', { '0 b': ['1'] }],
  ['RPUSH b 1 2 3 | LMPOP 2 a b RIGHT COUNT 2', { '0 b': ['1'] }],
  ['RPUSH b 1 2 3 | BLPOP a b 0 | BRPOP b 0 | BRPOPLPUSH b c 0 | BLMOVE c d LEFT LEFT 0', { '0 d': ['2'] }],
  ['RPUSH b 1 2 3 | BLMPOP 0 2 a b LEFT COUNT 2', { '0 b': ['3'] }],
];

const SETS: readonly Case[] = [
  ['SADD a x y x | SREM a x z', { '0 a': ['y'] }],
  ['SADD a x | SREM a x', {}],
  ['SADD a x y | SMOVE a b x | SMOVE a b z | SMOVE a a y', { '0 a': ['y'], '0 b': ['x'] }],
  [
    'SADD a 1 2 3 | SADD b 2 3 4 | SUNIONSTORE u a b | SINTERSTORE i a b | SDIFFSTORE d a b',
    {
      '0 a': ['1', '2', '3'],
      '0 b': ['2', '3', '4'],
      '0 d': ['1'],
      '0 i': ['2', '3'],
      '0 u': ['1', '2', '3', '4'],
    },
  ],
  ['SADD a 1 | SET d x | SINTERSTORE d a none', { '0 a': ['1'] }],
  ['SADD a 1 2 | SADD b 2 | SDIFFSTORE a a b', { '0 a': ['1'], '0 b': ['2'] }],
];

const HASHES: readonly Case[] = [
  ['HSET a x 1 y 2 | HMSET a x 3', { '0 a': { x: '3', y: '2' } }],
  ['HSETNX a x 1 | HSETNX a x 2', { '0 a': { x: '1' } }],
  ['HSET a x 1 y 2 | HDEL a x z', { '0 a': { y: '2' } }],
  ['HSET a x 1 | HDEL a x', {}],
  ['HINCRBY a x 5 | HINCRBY a x -7', { '0 a': { x: '-2' } }],
  ['HINCRBYFLOAT a x 0.5 | HINCRBYFLOAT a x 0.7', { '0 a': { x: '1.2' } }],
  ['HSET a x 1 y 2 | HPEXPIREAT a 5000 FIELDS 2 x z', { '0 a': { x: '1 until 5000', y: '2' } }],
  ['HSET a x 1 | HEXPIREAT a 5 FIELDS 1 x | HSET a x 2', { '0 a': { x: '2' } }],
  ['HSET a x 1 | HEXPIREAT a 5 FIELDS 1 x | HINCRBY a x 2', { '0 a': { x: '3 until 5000' } }],
  ['HSET a x 1 | HEXPIREAT a 5 FIELDS 1 x | HPERSIST a FIELDS 1 x', { '0 a': { x: '1' } }],
  ['HSET a x 1 | HPEXPIRE a 7 FIELDS 1 x', { '0 a': { x: `1 until ${NOW_MS + 7}` } }],
  [
    'HSET a x 1 | HEXPIRE a 7 NX FIELDS 1 x | HEXPIRE a 9 nx FIELDS 1 x',
    {
      '0 a': { x: `1 until ${NOW_MS + 7000}` },
    },
  ],
  ['HSET a x 1 | HPEXPIREAT a 9 XX FIELDS 1 x | HPEXPIREAT a 9 GT FIELDS 1 x', { '0 a': { x: '1' } }],
  ['HSET a x 1 | HPEXPIREAT a 9 LT FIELDS 1 x | HPEXPIREAT a 8 GT FIELDS 1 x', { '0 a': { x: '1 until 9' } }],
  ['HPEXPIREAT a 9 FIELDS 1 x | HPERSIST a FIELDS 1 x', {}],
  [
    'HSETEX a PXAT 9 FIELDS 2 x 1 y 2 | HSETEX a KEEPTTL FIELDS 1 x 3 | HSETEX a FIELDS 1 y 4',
    {
      '0 a': { x: '3 until 9', y: '4' },
    },
  ],
  [
    'HSETEX a FNX FIELDS 1 x 1 | HSETEX a FNX FIELDS 2 x 2 y 2 | HSETEX a FXX FIELDS 2 x 3 y 3',
    {
      '0 a': { x: '1' },
    },
  ],
  [
    'HSET a x 1 y 2 | HGETEX a EXAT 9 FIELDS 1 x | HGETEX a FIELDS 1 x',
    { '0 a': { x: '1 until 9000', y: '2' } },
  ],
  ['HSETEX a PXAT 9 FIELDS 1 x 1 | HGETEX a PERSIST FIELDS 1 x', { '0 a': { x: '1' } }],
  ['HSET a x 1 y 2 | HGETDEL a FIELDS 2 x z', { '0 a': { y: '2' } }],
  ['HSET a x 1 | HGETDEL a FIELDS 1 x', {}],
];

const SORTED_SETS: readonly Case[] = [
  [
    'ZADD a 2 x 1 y 2 b',
    {
      '0 a': [
        ['y', 1],
        ['b', 2],
        ['x', 2],
      ],
    },
  ],
  [
    'ZADD a 1 x | ZADD a NX 5 x 6 y | ZADD a XX 7 x 8 z',
    {
      '0 a': [
        ['y', 6],
        ['x', 7],
      ],
    },
  ],
  [
    'ZADD a 5 x | ZADD a GT 4 x 1 y | ZADD a lt ch 9 x',
    {
      '0 a': [
        ['y', 1],
        ['x', 5],
      ],
    },
  ],
  ['ZADD a INCR 5 x | ZINCRBY a 2.5 x | ZADD a XX INCR 1 none', { '0 a': [['x', 7.5]] }],
  ['ZADD a XX 1 x', {}],
  ['ZADD a 1 x 2 y | ZREM a x z', { '0 a': [['y', 2]] }],
  ['ZADD a 1 x | ZREM a x', {}],
  ['ZADD a 1 x 2 y 3 z | ZPOPMIN a | ZPOPMAX a', { '0 a': [['y', 2]] }],
  ['ZADD a 1 x 2 y 3 z | ZPOPMAX a 2 | ZPOPMIN a 0', { '0 a': [['x', 1]] }],
  ['ZADD b 1 x 2 y 3 z | ZMPOP 2 a b MIN | BZPOPMAX a b 0', { '0 b': [['y', 2]] }],
  ['ZADD b 1 x 2 y 3 z | BZMPOP 0 2 a b max COUNT 2 | BZPOPMIN b 0', {}],
  ['ZADD a 1 x 2 y 3 z | ZREMRANGEBYRANK a 0 -2', { '0 a': [['z', 3]] }],
  [
    'ZADD a 1 x 2 y 3 z | ZREMRANGEBYSCORE a (1 2',
    {
      '0 a': [
        ['x', 1],
        ['z', 3],
      ],
    },
  ],
  ['ZADD a 0 x 0 y 0 z | ZREMRANGEBYLEX a [y +', { '0 a': [['x', 0]] }],
  [
    'ZADD a 1 x 2 y 3 z | ZRANGESTORE b a 0 1 | ZRANGESTORE c a (3 1 BYSCORE REV LIMIT 0 1',
    {
      '0 a': [
        ['x', 1],
        ['y', 2],
        ['z', 3],
      ],
      '0 b': [
        ['x', 1],
        ['y', 2],
      ],
      '0 c': [['y', 2]],
    },
  ],
  [
    'ZADD a 0 x 0 y | ZRANGESTORE b a - (y BYLEX | ZRANGESTORE b none 0 -1',
    {
      '0 a': [
        ['x', 0],
        ['y', 0],
      ],
    },
  ],
  [
    'ZADD a 1 x 2 y | SADD b y z | ZUNIONSTORE u 2 a b WEIGHTS 2 10 | ZINTERSTORE i 2 a b AGGREGATE MAX',
    {
      '0 a': [
        ['x', 1],
        ['y', 2],
      ],
      '0 b': ['y', 'z'],
      '0 i': [['y', 2]],
      '0 u': [
        ['x', 2],
        ['z', 10],
        ['y', 14],
      ],
    },
  ],
  ['ZADD a 1 x 2 y | SADD b y | ZDIFFSTORE a 2 a b', { '0 a': [['x', 1]], '0 b': ['y'] }],
  ['ZADD a inf x | ZADD b -inf x | ZUNIONSTORE a 2 a b', { '0 a': [['x', 0]], '0 b': [['x', -Infinity]] }],
];

const KEYS: readonly Case[] = [
  ['SET a 1 | SET b 2 | DEL a c | UNLINK b', {}],
  ['SET a 1 | SET b 2 | SET c 3 | DELIFEQ a 1 | DELEX b IFNE 2 | DELEX c IFEQ 3', { '0 b': '2' }],
  ['SET a 1 | RPUSH b 2 | RENAME a b', { '0 b': '1' }],
  ['SET a 1 | SET b 2 | RENAMENX a b | RENAMENX a c', { '0 b': '2', '0 c': '1' }],
  ['SET a 1 | RENAME a a', { '0 a': '1' }],
  ['SET a 1 | MOVE a 3 | SET a 2 | MOVE a 3', { '0 a': '2', '3 a': '1' }],
  [
    'RPUSH a 1 | COPY a b | RPUSH b 2 | COPY a b | COPY a c DB 2',
    {
      '0 a': ['1'],
      '0 b': ['1', '2'],
      '2 c': ['1'],
    },
  ],
  ['SET a 1 | SADD b 2 | COPY a b REPLACE', { '0 a': '1', '0 b': '1' }],
  ['SET a 1 | SELECT 1 | SET b 2 | SWAPDB 0 1 | SET c 3', { '0 b': '2', '1 a': '1', '1 c': '3' }],
  ['SET a 1 | SELECT 4 | SET a 2 | FLUSHDB | SET b 1', { '0 a': '1', '4 b': '1' }],
  ['SET a 1 | SELECT 4 | SET a 2 | FLUSHALL ASYNC', {}],
  ['SET a 1 | PING | PUBLISH c m | SCRIPT LOAD x | REPLCONF GETACK *', { '0 a': '1' }],
];

const FAMILIES = { STRINGS, LISTS, SETS, HASHES, SORTED_SETS, KEYS };

describe.each(Object.entries(FAMILIES))('%s', (_, cases) => {
  test.each(cases)('%s', (commands, values) => {
    expect(afterRunning(commands).values).toEqual(values);
  });
});

describe('expiry', () => {
  test.each([
    ['SET a 1 EX 10', NOW_MS + 10_000],
    ['SET a 1 PX 10', NOW_MS + 10],
    ['SET a 1 EXAT 10', 10_000],
    ['SET a 1 PXAT 10', 10],
    ['SET a 1 PXAT 10 | SET a 2 KEEPTTL', 10],
    ['SETEX a 10 1', NOW_MS + 10_000],
    ['SET a 1 | EXPIRE a 10', NOW_MS + 10_000],
    ['SET a 1 | PEXPIREAT a -5', -5],
    ['SET a 1 | EXPIREAT a 7 | PEXPIREAT a 6000 GT | PEXPIREAT a 9000 NX | PEXPIREAT a 8000 XX', 8000],
    ['SET a 1 | PEXPIREAT a 9223372036854775807', 9223372036854775807n],
    ['SET a 1 PXAT 10 | INCR a | APPEND a 1 | SETRANGE a 0 2', 10],
    ['SET a 1 PXAT 10 | INCRBYFLOAT a 0.5', 10],
    ['RPUSH a 1 | PEXPIREAT a 10 | LPUSH a 2', 10],
    ['SET b 1 PXAT 10 | RENAME b a', 10],
    ['SET b 1 PXAT 10 | COPY b a | DEL b', 10],
    ['SET a 1 | GETEX a PXAT 20', 20],
  ])('%s', (commands, moment) => {
    expect(afterRunning(commands).expiries).toEqual({ '0 a': moment });
  });

  test.each([
    'SET a 1 PXAT 10 | SET a 2',
    'SET a 1 PXAT 10 | GETSET a 2',
    'SET a 1 PXAT 10 | MSET a 2',
    'SET a 1 PXAT 10 | PERSIST a',
    'SET a 1 PXAT 10 | GETEX a PERSIST',
    'SET a 1 | PEXPIREAT a 5 XX | PEXPIREAT a 5 GT',
    'SET a 1 PXAT 10 | SADD b 1 | SUNIONSTORE a b',
    'ZADD a 1 x | PEXPIREAT a 5 | ZUNIONSTORE a 1 a',
    'SET a 1 PXAT 10 | DEL a | INCR a',
  ])('goes: %s', (commands) => {
    expect(afterRunning(commands).expiries).toEqual({});
  });
});

test('before 7.0 the least number is taken away as if it were added', () => {
  // Asked of 2.8.24, 3.2.12, 4.0.14, 5.0.14 and 6.2.16.
  const driver = new EngineDriver({ release: 602 });
  expect(driver.run('DECRBY a -9223372036854775808')).toBe(APPLIED);
  expect(driver.string('a')?.latin1Slice()).toBe('-9223372036854775808');
  driver.run('SET a 5');
  driver.run('DECRBY a -9223372036854775808');
  expect(driver.string('a')?.latin1Slice()).toBe('-9223372036854775803');
  driver.run('SET a -5');
  expect(driver.run('DECRBY a -9223372036854775808')).toBe(FAILED);
});

describe('what a server refuses changes nothing', () => {
  const WRONG = 'WRONGTYPE Operation against a key holding the wrong kind of value';
  test.each([
    ['SET a', "ERR wrong number of arguments for 'set' command"],
    ['SET a 1 EX 0', "ERR invalid expire time in 'set' command"],
    ['SET a 1 EX 9223372036854775807', "ERR invalid expire time in 'set' command"],
    ['SET a 1 NX XX', 'ERR syntax error'],
    ['ZRANGESTORE text none 4 0 REV REV', 'ERR syntax error'],
    ['SET a 1 PX 10 KEEPTTL', 'ERR syntax error'],
    ['SET list 1 GET', WRONG],
    ['MSET a 1 b', "ERR wrong number of arguments for 'mset' command"],
    ['INCR text', 'ERR value is not an integer or out of range'],
    ['INCR list', WRONG],
    ['INCRBY number 9223372036854775807', 'ERR increment or decrement would overflow'],
    ['DECRBY number -9223372036854775808', 'ERR decrement would overflow'],
    ['INCRBYFLOAT number inf', 'ERR increment would produce NaN or Infinity'],
    ['SETRANGE text -1 x', 'ERR offset is out of range'],
    ['SETRANGE text 536870912 x', 'ERR string exceeds maximum allowed size (proto-max-bulk-len)'],
    ['LPUSH text x', WRONG],
    ['LSET list 9 x', 'ERR index out of range'],
    ['LSET none 0 x', 'ERR no such key'],
    ['LMOVE list text LEFT LEFT', WRONG],
    ['RPOPLPUSH list text', WRONG],
    ['LMPOP 0 list LEFT', 'ERR numkeys should be greater than 0'],
    ['SADD list x', WRONG],
    ['SMOVE set text m', WRONG],
    ['SUNIONSTORE d set text', WRONG],
    ['SPOP set', 'ERR SPOP takes random members: its effect cannot be replayed'],
    ['HSET set f v', WRONG],
    ['HINCRBY hash f 1', 'ERR hash value is not an integer'],
    ['HINCRBYFLOAT hash f 1', 'ERR hash value is not a float'],
    ['HPEXPIREAT hash 5 FIELDS 2 f', 'ERR The `numfields` parameter must match the number of arguments'],
    ['HPEXPIREAT hash -5 FIELDS 1 f', 'ERR invalid expire time, must be >= 0'],
    ['HPEXPIREAT hash 70368744177664 FIELDS 1 f', "ERR invalid expire time in 'hpexpireat' command"],
    ['HSETEX hash EX -1 FIELDS 1 f v', 'ERR invalid expire time, must be >= 0'],
    [
      'HSETEX hash EX 5 KEEPTTL FIELDS 1 f v',
      'ERR Only one of EX, PX, EXAT, PXAT, KEEPTTL or PERSIST arguments can be specified',
    ],
    ['HSETEX hash FIELDS 2 f v', 'ERR The `numfields` parameter must match the number of arguments'],
    ['MSETEX 1 a 1 GET', 'ERR syntax error'],
    ['ZADD zset 1 x y', 'ERR syntax error'],
    ['ZADD zset 1 x nan y', 'ERR value is not a valid float'],
    ['ZADD zset NX XX 1 x', 'ERR XX and NX options at the same time are not compatible'],
    ['ZADD zset NX GT 1 x', 'ERR GT, LT, and/or NX options at the same time are not compatible'],
    ['ZINCRBY zset -inf high', 'ERR resulting score is not a number (NaN)'],
    ['ZADD set 1 x', WRONG],
    ['ZUNIONSTORE d 2 zset', 'ERR syntax error'],
    ['ZUNIONSTORE d 0 zset', "ERR at least 1 input key is needed for 'zunionstore' command"],
    ['ZUNIONSTORE d 1 zset WEIGHTS x', 'ERR weight value is not a float'],
    ['ZDIFFSTORE d 1 zset AGGREGATE MIN', 'ERR syntax error'],
    ['ZREMRANGEBYSCORE zset x 1', 'ERR min or max is not a float'],
    ['ZREMRANGEBYLEX zset x +', 'ERR min or max not valid string range item'],
    ['RENAME none x', 'ERR no such key'],
    ['MOVE text 0', 'ERR source and destination objects are the same'],
    ['COPY text text', 'ERR source and destination objects are the same'],
    ['EXPIRE text 9223372036854775807', "ERR invalid expire time in 'expire' command"],
    ['EXPIRE text 1 NX GT', 'ERR NX and XX, GT or LT options at the same time are not compatible'],
    ['SELECT -1', 'ERR invalid DB index'],
    ['FLUSHALL NOW', 'ERR syntax error'],
  ])('%s', (command, refusal) => {
    const driver = new EngineDriver();
    const setup =
      'SET text hello | SET number 9223372036854775807 | RPUSH list a b | SADD set m | HSET hash f x | ZADD zset inf high';
    for (const line of setup.split(' | ')) driver.run(line);
    const before = Picture.of(driver.engine.keyspace);
    expect(driver.run(command)).toBe(FAILED);
    expect(driver.engine.lastError).toBe(refusal);
    expect(Picture.of(driver.engine.keyspace)).toEqual(before);
  });

  test('what no server knows is unknown', () => {
    const driver = new EngineDriver();
    expect(driver.run('FROBNICATE x')).toBe(UNKNOWN);
    expect(driver.engine.lastError).toBe("ERR unknown command 'FROBNICATE'");
    expect(driver.run('')).toBe(UNKNOWN);
  });

  test('a name is known in any case, and no other', () => {
    const driver = new EngineDriver();
    expect(driver.run('sEt a 1')).toBe(APPLIED);
    expect(driver.run('RESTORE\rASKING a 0 x')).toBe(UNKNOWN);
  });
});

test('names are in upper case, and none stands twice', () => {
  const names = COMMANDS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(names.map((name) => name.toUpperCase()));
});
