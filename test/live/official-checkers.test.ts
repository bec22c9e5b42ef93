import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { disagreements, officialLines } from '../support/checker-lines.js';
import { corpusBytes } from '../support/corpus.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { redis } from '../support/rdb-builder.js';
import { concat, len, listpack, str } from '../support/rdb-bytes.js';
import { resp } from '../support/resp.js';
import { describeServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const HOME = temporaryDirectory('side-by-side');
const NOW = Date.now();
let count = 0;

interface Outcome {
  readonly exit: number | null;
  readonly lines: string[];
  /** What stood in the file afterwards. */
  readonly left: Buffer;
}

interface Pair {
  readonly theirs: Outcome;
  readonly ours: Outcome;
}

/** Runs both programs on a copy each, with a yes on standard input. Paths of the copies read the same in the lines. */
async function both(command: 'check-aof' | 'check-rdb', bytes: Buffer, ...options: string[]): Promise<Pair> {
  const paths = ['theirs', 'ours'].map((whose) => {
    const directory = join(HOME, `${count}-${whose}`);
    mkdirSync(directory);
    writeFileSync(join(directory, 'file'), bytes);
    return join(directory, 'file');
  });
  count++;
  const [theirPath, ourPath] = paths as [string, string];
  const official = spawnSync(`redis-${command}`, [...options, theirPath], { encoding: 'utf8', input: 'y\n' });
  const ran = await runCli([command, ...options, ourPath], { stdin: Buffer.from('y\n'), nowMs: NOW });
  const backups = readdirSync(join(ourPath, '..')).filter((name) => name !== 'file');
  const left = readFileSync(ourPath);
  expect(backups).toHaveLength(left.equals(bytes) ? 0 : 1);
  for (const name of backups) expect(readFileSync(join(ourPath, '..', name)).equals(bytes)).toBe(true);
  return {
    theirs: {
      exit: official.status,
      lines: officialLines(official.stdout.replaceAll(theirPath, '<file>')),
      left: readFileSync(theirPath),
    },
    ours: { exit: ran.exit, lines: officialLines(ran.stdout.replaceAll(ourPath, '<file>')), left },
  };
}

function expectAgreement({ theirs, ours }: Pair, what: string): void {
  expect(disagreements(theirs.lines, ours.lines), what).toEqual([]);
  expect(ours.exit, what).toBe(theirs.exit);
  expect(ours.left.equals(theirs.left), `${what}: what is left`).toBe(true);
}

const PIECES = [
  ...['*', '$', '#', '\r\n', '\n', '\r', '\0', '\x80', '*0\r\n', '*-1\r\n', '$-1\r\n', '$99999\r\n'],
  ...[
    '$9223372036854775806\r\n',
    '*99999999999999999999\r\n',
    '#TS:x\r\n',
    '#x',
    '*\r\n',
    '* 1\r\n',
    '$+1\r\n',
  ],
  ...[resp('multi'), resp('EXEC'), '*1\r\n$7\r\nmulti\0x\r\n', `#${'y'.repeat(1030)}\n`, '#TS:1700000003'],
  `*${'0'.repeat(140)}1\r\n`,
];

/** A short log with times and transactions; times only outside of these: cuts inside are not agreed on. */
function someLog(random: Random): Buffer {
  let log = '';
  let seconds = 1700000000;
  for (let i = random.between(1, 12); i > 0; i--) {
    if (random.once(5)) log += `#TS:${(seconds += random.below(5))}\r\n`;
    else if (random.once(6)) log += resp('MULTI', 'SET a b', 'EXEC');
    else log += resp(`SET k${random.below(9)} ${random.pick(['v', 'a\r\nb', 'x'.repeat(300), '\x00\xff'])}`);
  }
  return Buffer.from(log, 'latin1');
}

function damaged(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const before = bytes.subarray(0, at);
  switch (random.below(4)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, Buffer.from(random.pick(PIECES), 'latin1'), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([before, bytes.subarray(at + random.below(20))]);
    default:
      return Buffer.concat([before, random.bytes(1), bytes.subarray(at + 1)]);
  }
}

describeServer('beside redis-check-aof', () => {
  it.each(seeds('check-aof'))('damaged logs, seed %i', async (seed) => {
    const random = new Random(seed);
    for (let round = 0; round < (THOROUGH ? 100 : 10); round++) {
      let log = someLog(random);
      for (let i = random.below(4); i > 0; i--) log = damaged(log, random);
      const time = `${1700000000 + random.below(20)}`;
      const options = random.pick([[], ['--fix'], ['--truncate-to-timestamp', time]]);
      const pair = await both('check-aof', log, ...options);
      const what = `${options.join(' ')} ${JSON.stringify(log.latin1Slice())}`;
      // Damage can move a time into a transaction.
      const cutsLess = options.length === 2 && pair.ours.left.length < pair.theirs.left.length;
      if (cutsLess) expect(pair.ours.exit, what).toBe(0);
      else expectAgreement(pair, what);
    }
  });

  it('cuts before a transaction where the original cuts inside and leaves it open', async () => {
    const log = Buffer.from(resp('SET a 1', 'MULTI', 'SET b 2', '#TS:1700000009', 'SET c 3', 'EXEC'));
    const { theirs, ours } = await both('check-aof', log, '--truncate-to-timestamp', '1700000000');
    expect(disagreements(theirs.lines, ours.lines)).toEqual([]);
    expect(theirs.left.toString()).toBe(resp('SET a 1', 'MULTI', 'SET b 2'));
    expect((await both('check-aof', theirs.left)).theirs.exit).toBe(1);
    expect(ours.left.toString()).toBe(resp('SET a 1'));
  });

  it('takes a log for a log when a value starts like a manifest, as the original does not', async () => {
    const { theirs, ours } = await both('check-aof', Buffer.from(resp('SET file:1 v')));
    expect(theirs.lines[0]).toBe('Start checking Multi Part AOF');
    expect(theirs.exit).toBe(1);
    expect(ours).toMatchObject({ exit: 0 });
  });

  it('refuses a length for which the original crashes', async () => {
    const log = Buffer.from(`${resp('SET a 1')}*1\r\n$1000000000000000000\r\nab\r\n`);
    const { theirs, ours } = await both('check-aof', log);
    expect(theirs.lines.join('\n')).toContain('OUT OF MEMORY');
    expect(ours.lines[1]).toBe('0x              35: Expected to read 1000000000000000002 bytes, got 4 bytes');
    expect(ours.exit).toBe(1);
  });
});

describeServer('beside redis-check-rdb', () => {
  const FILES = ['redis-7.0.15', 'redis-6.2.16', 'redis-2.8.24'].map(
    (server) => [server, corpusBytes(server, 'types.rdb')] as const,
  );

  it.each(FILES)('the types of %s, cut anywhere', async (server, bytes) => {
    for (const seed of seeds(`check-rdb ${server}`)) {
      const random = new Random(seed);
      for (let round = 0; round < (THOROUGH ? 60 : 4); round++) {
        const at = random.below(bytes.length);
        const pair = await both('check-rdb', bytes.subarray(0, at));
        // Where a string of a stream or library is cut, the original words it as a defect of that.
        const { theirs, ours } = pair;
        const worded = theirs.lines.findIndex((line) => /Internal error|Failed loading library/.test(line));
        if (worded >= 0) theirs.lines[worded] = ours.lines[worded]!;
        expectAgreement(pair, `cut at ${at}`);
      }
    }
  });

  it.each(FILES)('the types of %s, a byte changed: whatever it finds is found', async (server, bytes) => {
    for (const seed of seeds(`check-rdb flip ${server}`)) {
      const random = new Random(seed);
      for (let round = 0; round < (THOROUGH ? 60 : 4); round++) {
        const changed = Buffer.from(bytes);
        const at = random.below(bytes.length - 8);
        changed[at] = random.below(256);
        // Without a checksum the damage has to be seen where it is.
        changed.fill(0, bytes.length - 8);
        const { theirs, ours } = await both('check-rdb', changed);
        if (theirs.exit === 0 && ours.exit === 1) {
          expect(ours.lines.join('\n'), `byte ${at}`).toMatch(
            /a score must be a number|reason (node-keys-)?not-ascending/,
          );
        } else {
          expect(ours.exit, `byte ${at}`).toBe(theirs.exit);
        }
      }
    }
  });

  it('sees scores out of order, which the original does not look at', async () => {
    const bytes = redis(10)
      .key(17, 'z', str(listpack('a', 2, 'b', 1)))
      .end();
    const { theirs, ours } = await both('check-rdb', bytes);
    expect([theirs.exit, ours.exit]).toEqual([0, 1]);
  });

  it('sees nodes of a stream out of order, which the original does not look at and sorts', async () => {
    const node = (ms: number) => {
      const key = Buffer.alloc(16);
      key.writeBigUInt64BE(BigInt(ms));
      return concat(str(key), str(listpack(1, 0, 1, 'f', 0, 2, 0, 0, 'v', 4)));
    };
    const stream = (first: number, second: number) =>
      concat(len(2), node(first), node(second), len(2), len(200), len(0), len(0));
    const results = [];
    for (const value of [stream(100, 200), stream(200, 100)]) {
      const { theirs, ours } = await both('check-rdb', redis(9).key(15, 's', value).end());
      results.push([theirs.exit, ours.exit]);
    }
    expect(results).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });

  it('says what is wrong with a collection without elements, where the original speaks of the end', async () => {
    const bytes = redis(10).key(16, 'h', str(listpack())).end();
    const { theirs, ours } = await both('check-rdb', bytes);
    expect([theirs.exit, ours.exit]).toEqual([1, 1]);
    expect(theirs.lines.join('\n')).toContain('Unexpected EOF reading RDB file');
    expect(ours.lines.join('\n')).toContain('a collection without elements stands here');
  });
});
