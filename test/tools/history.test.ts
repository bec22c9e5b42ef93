import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { history, loadDataset } from '../../src/index.js';
import type { HistoryEntry } from '../../src/tools/history.js';
import { Random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary.js';
import { type Folded, fold } from './history-fold.js';

function logOf(...commands: readonly (readonly (string | number)[])[]): string {
  const path = join(temporaryDirectory('history'), 'appendonly.aof');
  const records = commands.map((args) => {
    const words = args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`);
    return `*${args.length}\r\n${words.join('')}`;
  });
  writeFileSync(path, records.join(''));
  return path;
}

async function entriesOf(path: string, pattern: string): Promise<HistoryEntry[]> {
  const entries: HistoryEntry[] = [];
  for await (const entry of history(path, pattern, { nowMs: 1 })) entries.push(entry);
  return entries;
}

const brief = ({ number, op, database, key, transaction, caller }: HistoryEntry): string =>
  `${number} ${op} ${database} ${key}${transaction === null ? '' : ` in ${transaction}`}${caller === null ? '' : ' by script'}`;

test('follows names through what renames, moves, copies and empties', async () => {
  const script = "redis.call('INCR', KEYS[1]) redis.call('RENAME', KEYS[1], 'b')";
  const path = logOf(
    ['SET', 'a', 1],
    ['EVAL', script, 1, 'a'],
    ['SET', 'other', 1],
    ['SWAPDB', 0, 3],
    ['SELECT', 3],
    ['MULTI'],
    ['COPY', 'b', 'a'],
    ['MOVE', 'a', 5],
    ['EXEC'],
    ['SET', 'b', 2],
    ['SET', 'b', 2],
    ['PEXPIREAT', 'b', 4102444800000],
    ['PERSIST', 'b'],
    ['LPUSH', 'b', 'refused'],
    ['FLUSHALL'],
  );
  const entries = await entriesOf(path, '[ab]');
  expect(entries.map(brief)).toEqual([
    '1 created 0 a',
    '2 changed 0 a by script',
    '2 removed 0 a by script',
    '2 created 0 b by script',
    '4 created 3 b',
    '4 removed 0 b',
    '7 created 3 a in 6',
    '8 removed 3 a in 6',
    '8 created 5 a in 6',
    '12 changed 3 b',
    '13 changed 3 b',
    '15 removed 3 b',
    '15 removed 5 a',
  ]);
});

/** Commands on collections too large to be copied for each of them. */
function busyCommands(random: Random): (string | number)[][] {
  const fill = Array.from({ length: 400 }, (_, i) => i);
  const commands: (string | number)[][] = [
    ['HSET', 'k:hash', ...fill.flatMap((i) => [`f${i}`, i])],
    ['ZADD', 'k:zset', ...fill.flatMap((i) => [i % 7, `m${i}`])],
    ['SADD', 'k:set', ...fill.map((i) => `m${i}`)],
    ['RPUSH', 'k:list', ...fill],
    ...fill.map((i) => ['XADD', 'k:stream', `${i + 1}-1`, 'n', i]),
    ['XGROUP', 'CREATE', 'k:stream', 'g', '0'],
  ];
  let next = 1000;
  for (let i = 0; i < 300; i++) {
    const n = random.below(500);
    commands.push(
      ...random.pick<(string | number)[][]>([
        [['HSET', 'k:hash', `f${n}`, i, `f${n + 1}`, i]],
        [['HDEL', 'k:hash', `f${n}`]],
        [
          ['ZADD', 'k:zset', 'GT', random.below(9), `m${n}`],
          ['ZINCRBY', 'k:zset', 1, `m${n + 3}`],
        ],
        [
          ['ZREM', 'k:zset', `m${n}`],
          ['ZREMRANGEBYRANK', 'k:zset', 3, 4],
        ],
        [
          ['SADD', 'k:set', `m${n}`],
          ['SREM', 'k:set', `m${n + 1}`],
          ['SMOVE', 'k:set', 'k:other', `m${n + 2}`],
        ],
        [
          ['LPUSH', 'k:list', i, i],
          ['LTRIM', 'k:list', 1, -2],
          ['RPUSH', 'k:list', i],
        ],
        [
          ['LMOVE', 'k:list', 'k:list', 'LEFT', 'RIGHT'],
          ['RPOP', 'k:list', 2],
          ['RPUSH', 'k:list', n, n, n],
        ],
        [
          ['LINSERT', 'k:list', 'BEFORE', 50, 'x'],
          ['LSET', 'k:list', n % 99, 'y'],
          ['LREM', 'k:list', 1, 'x'],
        ],
        [
          ['XADD', 'k:stream', `${next++}-1`, 'n', i],
          ['XTRIM', 'k:stream', 'MAXLEN', 390],
        ],
        [
          ['XDEL', 'k:stream', `${n}-1`],
          ['XCLAIM', 'k:stream', 'g', 'c', 0, `${n}-1`, 'FORCE', 'JUSTID'],
        ],
      ]),
    );
  }
  return commands;
}

test('tells of large collections what changed, as exactly as of small ones', async () => {
  const path = logOf(...busyCommands(new Random(11)));
  const folded = new Map<string, Folded | null>();
  let partial = 0;
  for (const entry of await entriesOf(path, 'k:*')) {
    const name = entry.key.toString();
    folded.set(name, fold(folded.get(name) ?? null, entry));
    if (entry.after?.value === null) partial++;
  }
  expect(partial).toBeGreaterThan(300);
  for (const { key, value, expiresAtMs } of (await loadDataset(path, { nowMs: 1 })).records()) {
    expect(comparable(folded.get(key.toString())!.value), key.toString()).toEqual(comparable(value));
    expect(expiresAtMs).toBeNull();
  }
});

/** Collections without an order of their own, in one. */
function comparable(value: Folded['value']): unknown {
  if (value.kind === 'set') return value.members.map(String).sort();
  if (value.kind === 'hash') return value.fields.map(({ name, value: text }) => `${name} ${text}`).sort();
  if (value.kind === 'zset') return value.members.map(({ member, score }) => `${score} ${member}`);
  return value;
}
