import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { NO_CUT } from '../../../src/aof/cut.js';
import { type AofSet, openAofSet, singleFileSet } from '../../../src/aof/set.js';
import { MemorySource } from '../../../src/bytes/source.js';
import { StreamSource } from '../../../src/bytes/stream-source.js';
import { UnpackedSource } from '../../../src/bytes/unpack.js';
import { CommandPattern } from '../../../src/resp/pattern.js';
import { EVERY_KEY } from '../../../src/tools/filter.js';
import { EVERY_COMMAND, type LogConditions } from '../../../src/tools/log/filter.js';
import { type LogEntry, type LogOptions, type LogRecord, listLog } from '../../../src/tools/log/list.js';
import type { LogPassEnd } from '../../../src/tools/log/pass.js';
import { corpusPath } from '../../support/corpus.js';
import { memorySet, record } from '../../support/log.js';
import { resp } from '../../support/resp.js';
import { testContext } from '../context.js';

interface Listed {
  readonly entries: LogEntry[];
  readonly records: LogRecord[];
  /** The commands as words. */
  readonly words: string[];
  readonly end: LogPassEnd;
}

async function list(set: AofSet, options: Partial<LogOptions> = {}): Promise<Listed> {
  const all = { cut: NO_CUT, conditions: EVERY_COMMAND, dialect: null, batch: 7, ...options };
  const listing = listLog(set, all, testContext());
  const entries: LogEntry[] = [];
  for (;;) {
    const { value, done } = await listing.next();
    if (done === true) {
      const records = entries.filter((entry) => entry.kind === 'command');
      return { entries, records, words: records.map(wordsOf), end: value };
    }
    entries.push(...value);
  }
}

const wordsOf = ({ args }: LogRecord): string => args.map((arg) => arg.latin1Slice()).join(' ');
const where = (conditions: Partial<LogConditions>) => ({ conditions: { ...EVERY_COMMAND, ...conditions } });
const patterns = (...texts: string[]) => texts.map((text) => new CommandPattern(text));

describe.each([
  ['redis-7.0.15', 'workload'],
  ['redis-2.8.24', 'workload-norewrite.aof'],
  ['valkey-9.1', 'workload-plain'],
])('a log of %s', (server, name) => {
  it('is told as replay reads it', async () => {
    const set = await openAofSet(corpusPath(server, name));
    const { recorder, end: replayed } = await record(set);
    const { entries, end } = await list(set);
    const lines = entries.flatMap((entry) => {
      if (entry.kind === 'file') return [`file ${entry.file.name}`];
      if (entry.kind !== 'command') return [];
      const { number, offset, length, timeMs, database, inTransaction } = entry;
      const time = timeMs === null ? '-' : timeMs / 1000;
      return [
        `${number} @${offset}+${length} t${time} db${database}${inTransaction ? ' multi' : ''} ${wordsOf(entry)}`,
      ];
    });
    expect(lines).toEqual(recorder.lines);
    expect(end.stoppedAt).toMatchObject(replayed.stoppedAt);
    expect(end.findings).toEqual([]);
  });
});

it('ends where replay ends, transactions aside', async () => {
  const set = await openAofSet(corpusPath('redis-7.0.15', 'seed-app'));
  const cuts = [
    { commands: 0 },
    { commands: 12 },
    { seconds: 1772366420 },
    { offset: { file: null, bytes: 5000 } },
    { before: patterns('DEL session:1e983cb04b347ca6') },
  ];
  for (const given of cuts) {
    const cut = { ...NO_CUT, ...given };
    const { recorder, end: replayed } = await record(set, cut);
    const { records, end } = await list(set, { cut });
    expect(end.stoppedAt.reason).toBe(replayed.stoppedAt.reason);
    const told = recorder.lines.filter((line) => !line.startsWith('file')).length;
    const inOpen =
      end.stoppedAt.openTransaction === 0 ? 0 : records.length - end.stoppedAt.openTransaction + 1;
    expect(records.length).toBe(told + inOpen);
  }
});

describe('filters', () => {
  const LOG = {
    'a.base.aof': resp('SET a 1', 'SELECT 2', 'SET b 2', 'DEL a b'),
    'a.incr.aof': resp(
      '#TS:100',
      'RPUSH ab x y',
      '#TS:200',
      'MULTI',
      'INCR a',
      'EXEC',
      'ZUNIONSTORE z 2 ab b',
    ),
  };
  const listed = async (conditions: Partial<LogConditions>) =>
    (await list(await memorySet(LOG), where(conditions))).words;
  const keys = (given: Partial<LogConditions['keys']>) => ({ keys: { ...EVERY_KEY, ...given } });

  it.each<[string, Partial<LogConditions>, string[]]>([
    ['names', { commands: patterns('del', 'R*') }, ['DEL a b', 'RPUSH ab x y']],
    ['arguments', { commands: patterns('SET b') }, ['SET b 2']],
    ['databases', { databases: [2] }, ['SET b 2', 'DEL a b']],
    ['keys', keys({ match: ['b'] }), ['SET b 2', 'DEL a b', 'ZUNIONSTORE z 2 ab b']],
    ['keys that pass every glob', keys({ match: ['a*', '*b'] }), ['RPUSH ab x y', 'ZUNIONSTORE z 2 ab b']],
    ['keys that do not match', keys({ notMatch: ['?'] }), ['RPUSH ab x y', 'ZUNIONSTORE z 2 ab b']],
    ['expressions', keys({ regex: [/^z$/u] }), ['ZUNIONSTORE z 2 ab b']],
    ['time', { sinceSeconds: 101 }, ['MULTI', 'INCR a', 'EXEC', 'ZUNIONSTORE z 2 ab b']],
    ['number', { fromCommand: 8 }, ['EXEC', 'ZUNIONSTORE z 2 ab b']],
    ['offset in the last file', { fromOffset: { file: null, bytes: 1 } }, LAST],
    ['offset in another file', { fromOffset: { file: 'a.base.aof', bytes: 70 } }, ['DEL a b', ...LAST]],
    ['offset behind a file', { fromOffset: { file: 'a.base.aof', bytes: 7000 } }, LAST],
    ['all of them', { databases: [0], commands: patterns('INCR'), sinceSeconds: 200 }, ['INCR a']],
  ])('by %s', async (_, conditions, expected) => expect(await listed(conditions)).toEqual(expected));

  it('refuse a file that is not in the log', async () => {
    const listing = listed({ fromOffset: { file: 'b', bytes: 1 } });
    await expect(listing).rejects.toMatchObject({ message: 'no file b in this log' });
  });
});

const LAST = ['RPUSH ab x y', 'MULTI', 'INCR a', 'EXEC', 'ZUNIONSTORE z 2 ab b'];

describe('damage', () => {
  const [a, b, c] = [resp('SET a 1', 'SET b 2'), resp('SET c 3', 'SET d 4'), resp('SET e 5')];

  it('is told in its place, and what stands behind it, too', async () => {
    const { entries, words, end } = await list(await memorySet({ x: `${a}!!!${b}`, y: c }));
    expect(words).toEqual(['SET a 1', 'SET b 2', 'SET c 3', 'SET d 4', 'SET e 5']);
    expect(entries.map(({ kind }) => kind).join(' ')).toBe(
      'file command command finding command command file command',
    );
    expect(end.findings).toMatchObject([
      { code: 'aof/bad-prefix', where: { file: 'x', offset: 54, length: 3 } },
    ]);
    expect(end.commands).toBe(5);
  });

  it('of a length that swallows what follows hides nothing', async () => {
    const { words, end } = await list(await memorySet({ x: `${a.replace('$1\r\n2', '$9999\r\n2')}${b}` }));
    expect(words).toEqual(['SET a 1', 'SET c 3', 'SET d 4']);
    expect(end.findings).toHaveLength(1);
  });

  it('ends the reading of a pipe, which says so', async () => {
    const bytes = Buffer.from(`${a}!!!${b}`);
    const set = await singleFileSet(new StreamSource(pieces(bytes, 10)));
    const { words, end } = await list(set);
    expect(words).toEqual(['SET a 1', 'SET b 2']);
    expect(end.notChecked).toMatchObject([{ what: 'what stands behind the damage' }]);
  });

  it('in a packed file is read past', async () => {
    const packed = new MemorySource(gzipSync(Buffer.from(`${a}!!!${b}`)), 'x.gz');
    const { words, end } = await list(await singleFileSet(new UnpackedSource(packed, 'gzip')));
    expect(words).toEqual(['SET a 1', 'SET b 2', 'SET c 3', 'SET d 4']);
    expect(end.findings).toMatchObject([{ code: 'aof/bad-prefix', where: { offset: 54 } }]);
  });

  it('of an RDB preamble leaves the commands behind it', async () => {
    const rdb = Buffer.from('REDIS0010\xfe\x00\x00\x01a\x01b\x63\x63\x63', 'latin1');
    const log = resp(...Array.from({ length: 20 }, (_, i) => `SET key:${i} value`));
    const { words, end } = await list(await memorySet({ x: Buffer.concat([rdb, Buffer.from(log)]) }));
    expect(words).toHaveLength(20);
    expect(end.findings[0]?.code).toMatch(/^rdb\//);
  });

  it('at the end leaves unfinished transactions listed', async () => {
    const open = await list(await memorySet({ x: `${a}${resp('MULTI', 'INCR a')}` }));
    expect(open.words.slice(2)).toEqual(['MULTI', 'INCR a']);
    expect(open.end.stoppedAt).toMatchObject({ openTransaction: 3, command: 4 });
    expect(open.end.findings).toMatchObject([{ code: 'aof/open-transaction' }]);
    const torn = await list(await memorySet({ x: `${a}${c.slice(0, -3)}` }));
    expect(torn.words).toHaveLength(2);
    expect(torn.end.findings).toMatchObject([{ code: 'aof/torn-tail' }]);
    const before = await list(await memorySet({ x: `${a}${c.slice(0, -3)}`, y: c }));
    expect(before.words).toHaveLength(3);
    expect(before.end.findings).toMatchObject([{ code: 'aof/truncated' }]);
  });
});

it('hands over a transaction under the number of its MULTI', async () => {
  const { records } = await list(
    await memorySet({ x: resp('SET a 1', 'MULTI', 'INCR a', 'EXEC', 'SET b 1') }),
  );
  expect(records.map(({ transaction }) => transaction)).toEqual([null, 2, 2, 2, null]);
});

it('can be left early', async () => {
  const set = await memorySet({ x: resp('SET a 1').repeat(10_000) });
  const options = { cut: NO_CUT, conditions: EVERY_COMMAND, dialect: null, batch: 10 };
  for await (const batch of listLog(set, options, testContext())) {
    expect(batch).toHaveLength(10);
    break;
  }
  const gone = new AbortController();
  gone.abort(new Error('enough'));
  const aborted = listLog(set, options, testContext({ signal: gone.signal }));
  await expect(aborted.next()).rejects.toThrow('enough');
});

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
