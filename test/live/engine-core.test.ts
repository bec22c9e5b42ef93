import { expect, test } from 'vitest';
import { Engine } from '../../src/keyspace/engine.js';
import { KIND_NAMES } from '../../src/keyspace/forms.js';
import { Keyspace } from '../../src/keyspace/keyspace.js';
import { APPLIED } from '../../src/keyspace/outcome.js';
import { DigestHandler, digestFamilyOf } from '../../src/model/digest.js';
import { CommandSpans } from '../../src/resp/command.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { describeServer, type TestServer, withServer } from '../support/server.js';

// Commands as clients send them, not as servers log them: refused by the engine exactly when the server refuses them,
// and with the same effect otherwise. Values grow past every threshold of either side.

const BATCHES = THOROUGH ? 120 : 40;
const BATCH = 60;
const HOUR_MS = 3_600_000;
/** A server lets go of clients whose time to block is over when it wakes, which it does ten times a second. */
const OFTEN_AWAKE = { hz: '500', 'dynamic-hz': 'no' };

type Argument = string | Buffer;
type Make = (random: Random) => Argument[];

const LETTERS = ['s', 'l', 'S', 'z', 'h'] as const;
const NUMBERS = [
  '0',
  '1',
  '-1',
  '7',
  '-7',
  '100',
  '9223372036854775807',
  '-9223372036854775808',
  '12345678901',
];
const ODD = ['x', '', '1.5', '01', '+1', ' 1', '9223372036854775808', '-0', '1 '];
const FLOATS = ['0.1', '-2.5', '1e10', '3', '1e-7', '123456.789', '-0', '3.0e3', '.5', '17179869184.000001'];
const SCORES = [
  '1',
  '2.5',
  '-7',
  '1e300',
  '0.1',
  'inf',
  '-inf',
  '-0',
  '0',
  '+5',
  '1e5',
  '0x10',
  '3.3333333333333335',
];

const key = (random: Random): string => `${random.pick(LETTERS)}${random.below(4)}`;
const of =
  (letter: (typeof LETTERS)[number]) =>
  (random: Random): string =>
    random.once(15) ? key(random) : `${letter}${random.below(4)}`;
const [s, l, S, z, h] = LETTERS.map(of) as [
  (random: Random) => string,
  (random: Random) => string,
  (random: Random) => string,
  (random: Random) => string,
  (random: Random) => string,
];
/** Sorted sets of equal scores: ranges of members mean something there only. */
const e = (random: Random): string => `e${random.below(3)}`;
const integer = (random: Random): string =>
  random.once(12)
    ? random.pick(ODD)
    : random.once(4)
      ? random.pick(NUMBERS)
      : String(random.between(-20, 20));
const small = (random: Random): string =>
  random.once(20) ? random.pick(ODD) : String(random.between(-9, 9));
const float = (random: Random): string => random.pick(random.once(15) ? ODD : FLOATS);
const score = (random: Random): string =>
  random.once(25) ? random.pick(ODD) : random.once(3) ? random.pick(SCORES) : String(random.between(-50, 50));
const member = (random: Random): Argument => {
  if (random.once(60)) return random.bytes(random.pick([0, 63, 64, 65, 127, 128, 400]));
  return random.pick([`m${random.below(40)}`, String(random.below(400)), `member:${random.below(200)}`]);
};
const text = (random: Random): Argument => {
  if (random.once(3)) return String(random.between(-300, 300));
  if (random.once(40)) return random.bytes(random.pick([127, 128, 300, 3000, 9000, 20000]));
  return random.pick(['a', 'b', 'c', `v${random.below(30)}`, random.bytes(random.below(20)).toString('hex')]);
};
/** Few arguments mostly, many now and then. */
function some(random: Random, make: (random: Random) => Argument[]): Argument[] {
  const count = random.once(25) ? random.between(20, 300) : random.between(1, 4);
  return Array.from({ length: count }, () => make(random)).flat();
}
const keys = (random: Random, make: (random: Random) => string): string[] =>
  Array.from({ length: random.between(1, 4) }, () => make(random));
/** Relative times lie far apart, so that the few milliseconds between both sides cannot matter. */
const seconds = (random: Random): string => String(10_000 * random.between(1, 9));
const condition = (random: Random): string[] =>
  random.once(2) ? [] : [random.pick(['NX', 'xx', 'GT', 'Lt', 'ZZ'])];
const bound = (random: Random): string =>
  `${random.pick(['', '', '('])}${random.pick([score, small])(random)}`;
const lexBound = (random: Random): Argument =>
  random.once(4)
    ? random.pick(['-', '+', 'x', ''])
    : Buffer.from(`${random.pick(['[', '('])}m${random.below(40)}`);
const side = (random: Random): string => random.pick(['LEFT', 'right', 'RIGHT', 'Left']);
const limit = (random: Random): string[] => (random.once(2) ? [] : ['LIMIT', small(random), small(random)]);

function tail(random: Random, sources: number): string[] {
  const words: string[] = [];
  if (random.once(2)) {
    words.push(
      'WEIGHTS',
      ...Array.from({ length: sources }, () => random.pick(['1', '2', '-1', '0.5', 'inf', '0'])),
    );
  }
  if (random.once(2)) words.push('AGGREGATE', random.pick(['SUM', 'min', 'MAX']));
  return words;
}

const STRINGS: readonly Make[] = [
  (r) => ['SET', s(r), text(r)],
  (r) => [
    'SET',
    s(r),
    text(r),
    ...r.pick([['EX', seconds(r)], ['PX', `${seconds(r)}000`], ['KEEPTTL'], ['ex', '0']]),
  ],
  (r) => [
    'SET',
    s(r),
    text(r),
    r.pick(['NX', 'XX', 'GET']),
    ...r.pick([[], ['GET'], ['keepttl'], ['EX', seconds(r)]]),
  ],
  (r) => ['SET', s(r), text(r), 'PXAT', String(Date.now() + r.between(1, 9) * HOUR_MS)],
  (r) => [
    'SET',
    s(r),
    text(r),
    ...r.pick([['EX'], ['NX', 'XX'], ['KEEPTTL', 'EX', '10'], ['PXAT', 'x'], ['PERSIST']]),
  ],
  (r) => ['SETEX', s(r), r.once(5) ? small(r) : seconds(r), text(r)],
  (r) => ['PSETEX', s(r), `${seconds(r)}000`, text(r)],
  (r) => ['SETNX', s(r), text(r)],
  (r) => ['GETSET', s(r), text(r)],
  (r) => ['GETDEL', s(r)],
  (r) => ['GETEX', s(r), ...r.pick([[], ['PERSIST'], ['EX', seconds(r)], ['PERSIST', 'EX', '1'], ['NX']])],
  (r) => ['MSET', ...some(r, (q) => [s(q), text(q)])],
  (r) => ['MSETNX', ...some(r, (q) => [s(q), text(q)])],
  (r) => ['MSET', s(r), text(r), s(r)],
  (r) => ['APPEND', s(r), text(r)],
  (r) => ['SETRANGE', s(r), r.once(3) ? String(r.below(70000)) : small(r), text(r)],
  (r) => [r.pick(['INCR', 'decr']), s(r)],
  (r) => [r.pick(['INCRBY', 'DECRBY']), s(r), integer(r)],
  (r) => ['INCRBYFLOAT', s(r), float(r)],
];

const LISTS: readonly Make[] = [
  (r) => [r.pick(['LPUSH', 'RPUSH', 'LPUSHX', 'RPUSHX']), l(r), ...some(r, (q) => [text(q)])],
  (r) => [r.pick(['LPOP', 'RPOP']), l(r), ...r.pick([[], [small(r)], [String(r.below(40))]])],
  (r) => ['LINSERT', l(r), r.pick(['BEFORE', 'after', 'x']), text(r), text(r)],
  (r) => ['LSET', l(r), small(r), text(r)],
  (r) => ['LSET', l(r), String(r.between(-60, 60)), text(r)],
  (r) => ['LREM', l(r), small(r), text(r)],
  (r) => ['LREM', l(r), r.pick(['0', '1', '-2']), r.pick(['a', 'b', 'c'])],
  (r) => ['LTRIM', l(r), small(r), r.once(2) ? small(r) : String(r.between(-40, 200))],
  (r) => ['RPOPLPUSH', l(r), l(r)],
  (r) => ['LMOVE', l(r), l(r), side(r), side(r)],
  (r) => ['LMPOP', ...counted(keys(r, l)), side(r), ...r.pick([[], ['COUNT', small(r)]])],
  (r) => seldom(r, ['BLPOP', ...keys(r, l), '0.001'], ['LPUSH', l(r), text(r)]),
  (r) => seldom(r, ['BRPOPLPUSH', l(r), l(r), '0.001'], ['RPUSH', l(r), text(r)]),
  (r) => seldom(r, ['BLMPOP', '0.001', ...counted(keys(r, l)), side(r), 'COUNT', '3'], ['LPOP', l(r)]),
];

const SETS: readonly Make[] = [
  (r) => ['SADD', S(r), ...some(r, (q) => [member(q)])],
  (r) => ['SREM', S(r), ...some(r, (q) => [member(q)])],
  (r) => ['SMOVE', S(r), S(r), member(r)],
  (r) => [r.pick(['SUNIONSTORE', 'SINTERSTORE', 'SDIFFSTORE']), S(r), ...keys(r, S)],
];

const HASHES: readonly Make[] = [
  (r) => [r.pick(['HSET', 'hmset']), h(r), ...some(r, (q) => [member(q), text(q)])],
  (r) => ['HSET', h(r), member(r), text(r), member(r)],
  (r) => ['HSETNX', h(r), member(r), text(r)],
  (r) => ['HDEL', h(r), ...some(r, (q) => [member(q)])],
  (r) => ['HINCRBY', h(r), member(r), integer(r)],
  (r) => ['HINCRBYFLOAT', h(r), member(r), float(r)],
];

const ZSETS: readonly Make[] = [
  (r) => ['ZADD', z(r), ...some(r, (q) => [score(q), member(q)])],
  (r) => ['ZADD', z(r), ...some(r, (q) => [String(q.between(0, 3)), member(q)])],
  (r) => [
    'ZADD',
    z(r),
    ...condition(r),
    ...condition(r),
    ...r.pick([[], ['CH'], ['INCR']]),
    score(r),
    member(r),
  ],
  (r) => ['ZADD', e(r), ...some(r, (q) => ['0', member(q)])],
  (r) => ['ZINCRBY', z(r), score(r), member(r)],
  (r) => ['ZREM', z(r), ...some(r, (q) => [member(q)])],
  (r) => [r.pick(['ZPOPMIN', 'ZPOPMAX']), z(r), ...r.pick([[], [small(r)], [String(r.below(30))]])],
  (r) => ['ZMPOP', ...counted(keys(r, z)), r.pick(['MIN', 'max']), ...r.pick([[], ['COUNT', small(r)]])],
  (r) => seldom(r, [r.pick(['BZPOPMIN', 'BZPOPMAX']), ...keys(r, z), '0.001'], ['ZPOPMIN', z(r)]),
  (r) => ['ZREMRANGEBYRANK', z(r), small(r), small(r)],
  (r) => ['ZREMRANGEBYSCORE', z(r), bound(r), bound(r)],
  (r) => ['ZREMRANGEBYLEX', e(r), lexBound(r), lexBound(r)],
  (r) => ['ZRANGESTORE', z(r), z(r), small(r), small(r), ...r.pick([[], ['REV']])],
  (r) => ['ZRANGESTORE', z(r), z(r), bound(r), bound(r), 'BYSCORE', ...r.pick([[], ['REV']]), ...limit(r)],
  (r) => [
    'ZRANGESTORE',
    e(r),
    e(r),
    lexBound(r),
    lexBound(r),
    'BYLEX',
    ...r.pick([[], ['rev']]),
    ...limit(r),
  ],
  (r) => ['ZRANGESTORE', z(r), z(r), '0', '-1', ...limit(r)],
  (r) => {
    const sources = keys(r, r.once(3) ? S : z);
    return [r.pick(['ZUNIONSTORE', 'ZINTERSTORE']), z(r), ...counted(sources), ...tail(r, sources.length)];
  },
  (r) => ['ZDIFFSTORE', z(r), ...counted(keys(r, z))],
];

/** What would block waits for the server's next turn when there is nothing to take, and keeps the others waiting. */
function seldom(random: Random, blocking: Argument[], usual: Argument[]): Argument[] {
  return random.once(8) ? blocking : usual;
}

const KEYSPACE: readonly Make[] = [
  (r) => [r.pick(['DEL', 'UNLINK']), ...keys(r, key)],
  (r) => ['EXPIRE', key(r), seconds(r), ...condition(r)],
  (r) => ['PEXPIRE', key(r), `${seconds(r)}000`, ...condition(r), ...condition(r)],
  (r) => [
    'EXPIREAT',
    key(r),
    String(Math.floor(Date.now() / 1000) + r.between(1, 9) * 3600),
    ...condition(r),
  ],
  (r) => ['PEXPIREAT', key(r), String(Date.now() + r.between(1, 9) * HOUR_MS)],
  (r) => ['EXPIRE', key(r), r.pick(['x', '9223372036854775807', '9223372036854775', ''])],
  (r) => ['PERSIST', key(r)],
  (r) => [r.pick(['RENAME', 'RENAMENX']), key(r), key(r)],
  (r) => [
    'COPY',
    key(r),
    key(r),
    ...r.pick([[], ['REPLACE'], ['DB', String(r.below(3))], ['DB', '1', 'replace']]),
  ],
  (r) => ['MOVE', key(r), r.pick(['0', '1', '2', 'x', '-1'])],
  (r) => ['SWAPDB', r.pick(['0', '1', '2']), r.pick(['0', '1', 'x'])],
  (r) =>
    r.once(30) ? [r.pick(['FLUSHDB', 'FLUSHALL']), ...r.pick([[], ['ASYNC'], ['x']])] : ['PERSIST', key(r)],
  (r) => ['SELECT', r.pick(['0', '0', '1', '2', 'x', '-1'])],
];

function counted(names: readonly string[]): string[] {
  return [String(names.length), ...names];
}

const FAMILIES = { strings: STRINGS, lists: LISTS, sets: SETS, hashes: HASHES, 'sorted sets': ZSETS };

describeServer('commands of clients', () => {
  for (const [family, forms] of Object.entries(FAMILIES)) {
    // In a plain run one seed each: test/differential gives both sides commands of all families, too.
    test.each(THOROUGH ? seeds(family) : seeds(family).slice(1))(`${family} (seed %i)`, async (seed) => {
      const random = new Random(seed);
      await withServer({ writable: true, settings: OFTEN_AWAKE }, async (server) => {
        const engine = new Engine(new Keyspace(), { nowMs: Date.now(), scoreText: '17g', release: 700 });
        let refused = 0;
        for (let i = 0; i < BATCHES; i++) {
          const batch = Array.from({ length: BATCH }, () => {
            const from = random.once(8)
              ? KEYSPACE
              : random.once(8)
                ? random.pick(Object.values(FAMILIES))
                : forms;
            return random.pick(from)(random);
          });
          refused += await runBatch(server, engine, batch);
          await expectSameDataset(server, engine, batch);
        }
        expect(refused / (BATCHES * BATCH)).toBeLessThan(0.5);
      });
    });
  }
});

/** Gives both sides the same commands. Resolves to how many were refused. */
async function runBatch(server: TestServer, engine: Engine, batch: readonly Argument[][]): Promise<number> {
  const pipeline = server.client.pipeline();
  for (const [name, ...args] of batch) pipeline.call(name!.toString('latin1'), ...args.map(bytesOf));
  const replies = (await pipeline.exec())!;
  let refused = 0;
  batch.forEach((command, i) => {
    const refusal = replies[i]![0];
    const applied = engine.execute(CommandSpans.of(...command)) === APPLIED;
    if (!applied) refused++;
    if (applied === (refusal === null)) return;
    const said = `server: ${refusal?.message ?? 'fine'}\nengine: ${applied ? 'fine' : engine.lastError}`;
    expect(applied, `${wordsOf(command)}\n${said}`).toBe(refusal === null);
  });
  return refused;
}

const bytesOf = (argument: Argument): Buffer =>
  typeof argument === 'string' ? Buffer.from(argument, 'latin1') : argument;
const wordsOf = (command: Argument[]): string =>
  command
    .map((word) => word.toString('latin1').slice(0, 40))
    .join(' ')
    .slice(0, 200);

async function expectSameDataset(server: TestServer, engine: Engine, batch: Argument[][]): Promise<void> {
  const digest = new DigestHandler({ ...digestFamilyOf('redis', '7.0.15'), nowMs: null, onKey: null });
  engine.keyspace.walk(digest).run();
  const history = () => batch.map(wordsOf).join('\n');
  const names = LETTERS.flatMap((letter) => [0, 1, 2, 3].map((i) => `${letter}${i}`));
  const pipeline = server.client.pipeline();
  for (const name of names) pipeline.call('PEXPIRETIME', name);
  const [truths, served] = await Promise.all([pipeline.exec(), server.digest()]);
  if (digest.result() !== served) expect(await told(server, engine), history()).toEqual([]);
  for (const [i, name] of names.entries()) {
    const [error, reply] = truths![i]!;
    if (error !== null) throw error;
    const truth = Number(reply);
    const entry = engine.find(CommandSpans.of(name), 0);
    const own = entry < 0 ? -2 : engine.db.hasExpiry(entry) ? Number(engine.db.expiryAt(entry)) : -1;
    if (truth > 0 ? Math.abs(own - truth) < HOUR_MS / 60 : own === truth) continue;
    expect.fail(`expiry of ${name}: ${own}, on the server ${truth}\n${history()}`);
  }
}

/** The keys of the selected database that differ. */
async function told(server: TestServer, engine: Engine): Promise<string[]> {
  const digests = new Map<string, string | null>();
  const onKey = (head: { database: number; key: { latin1(): string } }, value: string | null): void => {
    if (head.database === engine.selected) digests.set(head.key.latin1(), value);
  };
  engine.keyspace.walk(new DigestHandler({ ...digestFamilyOf('redis', '7.0.15'), nowMs: null, onKey })).run();
  const names = new Set([...digests.keys(), ...(await server.client.keys('*'))]);
  const different = [`databases: ${engine.keyspace.indexes().join(' ')}`];
  for (const name of names) {
    const [truth] = (await server.client.call('DEBUG', 'DIGEST-VALUE', name)) as string[];
    const own = digests.get(name) ?? '0'.repeat(40);
    if (own === truth) continue;
    const entry = engine.find(CommandSpans.of(name), 0);
    const kind = entry < 0 ? 'missing' : KIND_NAMES[engine.db.kindAt(entry)];
    different.push(`${name}: ${kind}, on the server ${await server.client.type(name)}`);
  }
  return different;
}
