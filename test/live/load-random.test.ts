import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { describeServer, TestServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

// Clients that do anything to a few keys, and a server that logs it: whatever form the server chose to log a command in,
// replay must come to the dataset that the server has.

const COMMANDS_A_RUN = THOROUGH ? 5000 : 1500;

type Arg = (random: Random) => string | Buffer;
type Form = readonly (string | Arg)[];

const key: Arg = (random) => `${random.pick(['s', 'l', 'S', 'z', 'h', 'x', 'b', 'g'])}${random.below(4)}`;
const of =
  (letter: string): Arg =>
  (random) =>
    random.once(12) ? String(key(random)) : `${letter}${random.below(5)}`;
const [s, l, S, z, h, x, b, g] = ['s', 'l', 'S', 'z', 'h', 'x', 'b', 'g'].map(of) as [
  Arg,
  Arg,
  Arg,
  Arg,
  Arg,
  Arg,
  Arg,
  Arg,
];
const flat: Arg = (random) => `flat${random.below(3)}`;
const small: Arg = (random) => String(random.between(-3, 6));
const count: Arg = (random) => String(random.between(1, 5));
const integer: Arg = (random) => String(random.pick([0, 1, -1, 17, 1000, -40000, 2 ** 31, 9007199254740991]));
const float: Arg = (random) => random.pick(['0.1', '-2.5', '1e10', '3', '1e-7', '123456.789', '-0']);
const score: Arg = (random) =>
  random.pick(['1', '2.5', '-7', '1e300', '0.1', 'inf', '-inf', String(random.below(50))]);
const far: Arg = (random) => String(4102444800000 + random.below(1e6));
const soon: Arg = (random) => String(random.between(1, 30));
const text: Arg = (random) =>
  random.pick<() => string | Buffer>([
    () => `v${random.below(30)}`,
    () => String(random.between(-300, 300)),
    () => random.bytes(random.pick([0, 1, 20, 65, 300])),
    () => 'same '.repeat(random.between(0, 60)),
  ])();
const member: Arg = (random) => random.pick([`m${random.below(12)}`, String(random.below(20))]);
const bit: Arg = (random) => String(random.below(2));
const offset: Arg = (random) => String(random.below(3000));
const longitude: Arg = (random) => (random.between(-1799999, 1799999) / 10000).toFixed(4);
const latitude: Arg = (random) => (random.between(-850000, 850000) / 10000).toFixed(4);
const id: Arg = (random) => (random.once(3) ? '*' : `${random.between(1, 90)}-${random.below(5)}`);
const someId: Arg = (random) => `${random.between(1, 90)}-${random.below(5)}`;
const group: Arg = (random) => `g${random.below(3)}`;
const consumer: Arg = (random) => `c${random.below(4)}`;
const side: Arg = (random) => random.pick(['LEFT', 'RIGHT']);
const database: Arg = (random) => String(random.below(3));
const aggregate: Arg = (random) => random.pick(['SUM', 'MIN', 'MAX']);

const FORMS: readonly Form[] = [
  ['SET', s, text],
  ['SET', s, text, 'PX', soon],
  ['SET', s, text, 'PXAT', far],
  ['SET', s, text, 'KEEPTTL'],
  ['SET', s, text, 'XX', 'GET'],
  ['SETEX', s, '1000', text],
  ['PSETEX', s, soon, text],
  ['SETNX', s, text],
  ['GETSET', s, text],
  ['GETDEL', s],
  ['GETEX', s, 'PXAT', far],
  ['GETEX', s, 'PERSIST'],
  ['APPEND', s, text],
  ['SETRANGE', s, offset, text],
  ['INCRBY', s, integer],
  ['DECR', s],
  ['INCRBYFLOAT', s, float],
  ['MSET', s, text, s, text],
  ['MSETNX', s, text, s, text],
  ['SETBIT', b, offset, bit],
  ['BITOP', 'XOR', b, b, b],
  ['BITFIELD', b, 'INCRBY', 'i13', offset, integer, 'OVERFLOW', 'SAT', 'SET', 'u5', '#3', integer],
  ['PFADD', 's9', member, member],
  ['PFMERGE', 's8', 's9'],
  ['LPUSH', l, text, text],
  ['RPUSH', l, text, text, text],
  ['RPUSHX', l, text],
  ['LINSERT', l, 'BEFORE', text, text],
  ['LSET', l, small, text],
  ['LREM', l, small, text],
  ['LTRIM', l, small, small],
  ['LPOP', l, count],
  ['RPOP', l],
  ['LMOVE', l, l, side, side],
  ['LMPOP', '2', l, l, side, 'COUNT', count],
  ['BLPOP', l, l, '0.001'],
  ['SADD', S, member, member],
  ['SREM', S, member],
  ['SPOP', S],
  ['SPOP', S, count],
  ['SMOVE', S, S, member],
  ['SUNIONSTORE', S, S, S],
  ['SINTERSTORE', S, S, S],
  ['SDIFFSTORE', S, S, S],
  ['ZADD', z, score, member, score, member],
  ['ZADD', z, 'GT', 'CH', score, member],
  ['ZADD', z, 'INCR', score, member],
  ['ZINCRBY', z, float, member],
  ['ZREM', z, member],
  ['ZPOPMIN', z],
  ['ZPOPMAX', z, count],
  ['ZMPOP', '1', z, 'MIN', 'COUNT', count],
  ['ZREMRANGEBYRANK', z, small, small],
  ['ZREMRANGEBYSCORE', z, '(1', '10'],
  // Ranges by member mean something only where all scores are equal: nothing else touches these sets.
  ['ZADD', flat, '0', member, '0', member, '0', member],
  ['ZREMRANGEBYLEX', flat, '[m1', '(m3'],
  ['ZUNIONSTORE', z, '2', z, z, 'WEIGHTS', '2', '0.5', 'AGGREGATE', aggregate],
  ['ZINTERSTORE', z, '2', z, S],
  ['ZDIFFSTORE', z, '2', z, z],
  ['ZRANGESTORE', z, z, '0', '3', 'REV'],
  ['GEOADD', g, longitude, latitude, member],
  ['GEOSEARCHSTORE', z, g, 'FROMLONLAT', longitude, latitude, 'BYRADIUS', '9000', 'km', 'ASC'],
  ['HSET', h, member, text, member, text],
  ['HSETNX', h, member, text],
  ['HDEL', h, member],
  ['HINCRBY', h, member, integer],
  ['HINCRBYFLOAT', h, member, float],
  ['XADD', x, id, member, text],
  ['XADD', x, 'MAXLEN', '~', '10', '*', member, text],
  ['XADD', x, 'NOMKSTREAM', '*', member, text, member, text],
  ['XTRIM', x, 'MAXLEN', '8'],
  ['XTRIM', x, 'MINID', someId],
  ['XDEL', x, someId, someId],
  ['XSETID', x, '999999999999999-1'],
  ['XGROUP', 'CREATE', x, group, '0', 'MKSTREAM'],
  ['XGROUP', 'CREATECONSUMER', x, group, consumer],
  ['XGROUP', 'DELCONSUMER', x, group, consumer],
  ['XGROUP', 'DESTROY', x, group],
  ['XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', x, '>'],
  ['XACK', x, group, someId],
  ['XCLAIM', x, group, consumer, '0', someId, someId],
  ['XAUTOCLAIM', x, group, consumer, '0', '0', 'COUNT', count],
  ['SORT', l, 'ALPHA', 'STORE', l],
  ['DEL', key],
  ['UNLINK', key, key],
  ['EXPIRE', key, '5000'],
  ['PEXPIRE', key, soon],
  ['PEXPIREAT', key, far],
  ['EXPIREAT', key, '1'],
  ['PERSIST', key],
  ['RENAME', key, key],
  ['RENAMENX', key, key],
  ['COPY', key, key, 'REPLACE'],
  ['COPY', key, key, 'DB', database],
  ['MOVE', key, database],
  ['SWAPDB', database, database],
  ['EVAL', "redis.call('INCRBY', KEYS[1], 3) return redis.call('RPUSH', KEYS[2], ARGV[1])", '2', s, l, text],
  ['EVAL', "redis.call('SPOP', KEYS[1]) redis.call('PEXPIRE', KEYS[1], 900000)", '1', S],
];

describeServer('whatever clients do', () => {
  test.each(seeds('clients'))('replay comes to what the server has (seed %i)', async (seed) => {
    const random = new Random(seed);
    const server = await TestServer.start({
      writable: true,
      settings: {
        appendonly: 'yes',
        appendfsync: 'no',
        'auto-aof-rewrite-percentage': '0',
        'aof-use-rdb-preamble': random.pick(['yes', 'no']),
        'aof-timestamp-enabled': 'yes',
      },
    });
    try {
      const done = await run(server, random);
      // The judge loads the log: what a server holds in memory need not survive it (a score of -0 in a skiplist).
      const data = join(temporaryDirectory('log'), 'data');
      cpSync(join(server.directory, 'appendonlydir'), join(data, 'appendonlydir'), { recursive: true });
      const digest = await withServer({ dataDirectory: data }, (judge) => judge.digest());
      expect(done / COMMANDS_A_RUN).toBeGreaterThan(0.5);
      const replayed = await runCli(['replay', data, '--json', '--as', 'redis-7.0']);
      expect(replayed).toMatchObject({ exit: 0, stderr: expect.not.stringMatching(/refused|skipped/) });
      expect(JSON.parse(replayed.stdout)).toMatchObject({ digest });
    } finally {
      await server.stop();
    }
  });
});

/** Resolves to the number of commands that the server did not refuse. */
async function run(server: TestServer, random: Random): Promise<number> {
  const { client } = server;
  let done = 0;
  for (let left = COMMANDS_A_RUN; left > 0; ) {
    const batch = Math.min(left, random.pick([1, 5, 40]));
    left -= batch;
    const pipeline = random.once(6) ? client.multi() : client.pipeline();
    if (random.once(5)) pipeline.select(random.below(3));
    for (let i = 0; i < batch; i++) {
      const [name, ...args] = random
        .pick(FORMS)
        .map((part) => (typeof part === 'string' ? part : part(random)));
      pipeline.call(String(name), ...args);
    }
    const replies = (await pipeline.exec()) ?? [];
    done += replies.filter(([error]) => error === null).length;
    if (random.once(150)) await client.bgrewriteaof().catch(() => {});
    if (random.once(400)) await client.flushdb();
  }
  // Nothing may be in flight, and nothing may expire, between the last command and the digest.
  await client.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  while ((await client.info('persistence')).includes('aof_rewrite_in_progress:1')) await client.ping();
  return done;
}
