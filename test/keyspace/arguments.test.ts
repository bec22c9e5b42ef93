import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/keyspace/commands/table.js';
import { APPLIED, FAILED } from '../../src/keyspace/outcome.js';
import { type Depth, ITEMS, ItemSink } from '../../src/model/handler.js';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { EngineDriver } from './engine-driver.js';

const KEYS = ['text', 'list', 'set', 'zset', 'hash', 'stream', 'hll', 'number', 'missing', ''];
const NUMBERS = [
  '0',
  '1',
  '2',
  '-1',
  '7',
  '100',
  '9007199254740993',
  '-9223372036854775808',
  '18446744073709551615',
];
const ODD = [
  'x',
  '',
  '1.5',
  'inf',
  'nan',
  '*',
  '$',
  '>',
  '-',
  '+',
  '(1',
  '[a',
  '1-1',
  '1-*',
  '5-5',
  'u8',
  'i64',
  '#1',
  '~',
  '=',
];
/** Every word that an option or subcommand can be. */
const WORDS = (
  'NX XX GT LT CH INCR EX PX EXAT PXAT KEEPTTL GET PERSIST COUNT MATCH LIMIT BY STORE ASC DESC ALPHA MAXLEN MINID ' +
  'NOMKSTREAM ENTRIESADDED MAXDELETEDID CREATE SETID DESTROY CREATECONSUMER DELCONSUMER MKSTREAM ENTRIESREAD GROUP STREAMS ' +
  'NOACK FORCE JUSTID IDLE TIME RETRYCOUNT LASTID SET INCRBY OVERFLOW WRAP SAT FAIL AND OR XOR NOT LEFT RIGHT BEFORE AFTER ' +
  'WEIGHTS AGGREGATE SUM MIN MAX BYSCORE BYLEX REV WITHSCORES FROMMEMBER FROMLONLAT BYRADIUS BYBOX STOREDIST ANY m km FIELDS ' +
  'REPLACE DB ASYNC SYNC LOAD DELETE FLUSH RESTORE TODENSE ABSTTL FREQ'
).split(' ');

const ROUNDS = THOROUGH ? 12 : 4;

class WholeDataset extends ItemSink {
  override key(): Depth {
    return ITEMS;
  }
}

function filled(): EngineDriver {
  const driver = new EngineDriver();
  for (const command of [
    'SET text some-text',
    'SET number 41',
    'RPUSH list a b 3',
    'SADD set a b 3',
    'ZADD zset 1 a 2 b 3479099956230698 place',
    'HSET hash a 1 b text',
    'XADD stream 1-1 a b',
    'XADD stream 5-5 a b',
    'XGROUP CREATE stream 1 0',
    'XCLAIM stream 1 a 0 1-1 FORCE',
    'PFADD hll a b c',
  ]) {
    driver.run(command);
  }
  return driver;
}

describe.each(COMMANDS.map(({ name, arity }) => ({ name, arity })))('$name', ({ name, arity }) => {
  test('takes any arguments without a fault, and refuses too few', () => {
    const random = new Random(name.length * 131 + arity + name.charCodeAt(0));
    const least = Math.abs(arity) - 1;
    for (let round = 0; round < ROUNDS; round++) {
      const driver = filled();
      for (let i = 0; i < 25; i++) {
        const count = arity >= 0 ? least : least + random.below(9);
        const words = Array.from({ length: count }, () =>
          random.pick(random.pick([KEYS, KEYS, NUMBERS, ODD, WORDS])),
        );
        driver.run(name, ...words);
      }
      // Whatever they did, the dataset can still be told.
      driver.engine.keyspace.walk(new WholeDataset()).run();
    }
    if (least > 0) expect(new EngineDriver().run(name)).toBe(FAILED);
    else expect(new EngineDriver().run(name)).toBe(APPLIED);
  });
});
