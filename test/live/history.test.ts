import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NO_CUT } from '../../src/aof/cut.js';
import { DigestHandler, digestFamilyOf } from '../../src/model/digest.js';
import { type HistoryEntry, history } from '../../src/tools/history.js';
import { contextOf, openSource, readRdb } from '../../src/tools/library.js';
import { RecordTeller } from '../../src/tools/tell-record.js';
import { aofCases } from '../support/corpus.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { describeServer, TestServer } from '../support/server.js';
import { type Folded, fold } from '../tools/history-fold.js';

const SERVER = 'redis-7.0.15';
/** Keys whose history is followed, and places at which a server is asked for their values. */
const KEYS = THOROUGH ? 100 : 12;
const CUTS = THOROUGH ? 200 : 3;

describeServer('the history of random keys', () => {
  const cases = aofCases(SERVER).filter(({ name }) => THOROUGH || name === 'workload');

  test.each(cases)('of $title is what a server shows at each step', async ({ path, truth }) => {
    const random = new Random(seeds('history')[0]!);
    const entries = await historyOf(path, '*', []);
    const names = [...new Set(entries.map(identify))];
    const chosen = new Set(shuffled(random, names).slice(0, KEYS));
    const mine = entries.filter((entry) => chosen.has(identify(entry)));
    await sameAsAlone(mine, path, random);
    const steps = mine.filter(
      ({ file, transaction }) => file === truth.last_file.name && transaction === null,
    );
    const cuts = shuffled(random, steps).slice(0, CUTS);
    cuts.sort((a, b) => b.number - a.number);
    await compareAt(cuts, mine, path, truth.last_file.name);
  });
});

/** Cuts the last file ever shorter and compares what a server loads with the entries up to there. */
async function compareAt(
  cuts: readonly HistoryEntry[],
  entries: readonly HistoryEntry[],
  path: string,
  lastFile: string,
): Promise<void> {
  const server = await TestServer.start({ dataDirectory: path });
  try {
    const log = join(server.directory, 'appendonlydir', lastFile);
    for (const { offset, length, number } of cuts) {
      truncateSync(log, offset! + length!);
      await server.client.call('DEBUG', 'LOADAOF');
      const folded = new Map<string, Folded | null>();
      for (const entry of entries) {
        const name = identify(entry);
        if (entry.number <= number) folded.set(name, fold(folded.get(name) ?? null, entry));
        else if (!folded.has(name)) folded.set(name, null);
      }
      await compare(server, folded, `after command ${number}`);
    }
  } finally {
    await server.stop();
  }
}

async function compare(
  server: TestServer,
  folded: ReadonlyMap<string, Folded | null>,
  when: string,
): Promise<void> {
  const expiries = await expiriesOf(server);
  for (const [name, expected] of folded) {
    const [, db, hex] = /^(\d+) (.*)$/.exec(name)!;
    const key = Buffer.from(hex!, 'hex');
    await server.client.select(Number(db));
    const shown = {
      digest: ((await server.client.call('DEBUG', 'DIGEST-VALUE', key)) as string[])[0],
      expiresAtMs: expiries.get(name) ?? null,
    };
    const told = {
      digest: expected === null ? '0'.repeat(40) : digestOf(Number(db), key, expected),
      expiresAtMs: expected?.expiresAtMs ?? null,
    };
    expect(told, `${key.toString('latin1')} of database ${db} ${when}`).toEqual(shown);
  }
}

/** When keys expire, as the server saves them: asked for keys past their time, it says that they are not there. */
async function expiriesOf(server: TestServer): Promise<Map<string, number | bigint>> {
  await server.client.call('SAVE');
  const expiries = new Map<string, number | bigint>();
  for await (const batch of readRdb(join(server.directory, 'dump.rdb'))) {
    for (const { database, key, expiresAtMs } of batch) {
      if (expiresAtMs !== null) expiries.set(`${database} ${key.toString('hex')}`, expiresAtMs);
    }
  }
  return expiries;
}

function digestOf(database: number, key: Buffer, { value, expiresAtMs }: Folded): string {
  let digest = '';
  const handler = new DigestHandler({
    ...digestFamilyOf('redis', '7.0.15'),
    nowMs: null,
    onKey: (_head, valueDigest) => (digest = valueDigest!),
  });
  const rest = { idleSeconds: null, freq: null, metadata: null, encoding: '', offset: 0 };
  new RecordTeller(handler).tell({ database, key, value, expiresAtMs, ...rest });
  return digest;
}

/** Asked for by its name alone, a key has the history it has among all keys. */
async function sameAsAlone(entries: readonly HistoryEntry[], path: string, random: Random): Promise<void> {
  const [name] = shuffled(random, [...new Set(entries.map(identify))]);
  const { database, key } = entries.find((entry) => identify(entry) === name)!;
  const alone = await historyOf(path, key.toString('latin1').replace(/[*?[\\]/g, '\\$&'), [database]);
  const among = entries.filter((entry) => identify(entry) === name);
  expect(alone.map(({ number, op }) => `${number} ${op}`)).toEqual(
    among.map(({ number, op }) => `${number} ${op}`),
  );
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const order = items.map((item) => ({ item, at: random.word() }));
  return order.sort((a, b) => a.at - b.at).map(({ item }) => item);
}

const identify = ({ database, key }: HistoryEntry): string => `${database} ${key.toString('hex')}`;

async function historyOf(
  path: string,
  pattern: string,
  databases: readonly number[],
): Promise<HistoryEntry[]> {
  const cut = { ...NO_CUT, backMs: null };
  const options = { pattern, databases, cut, as: null, onUnknown: 'stop', dialect: null } as const;
  const entries: HistoryEntry[] = [];
  for await (const batch of history(await openSource(path), options, contextOf())) entries.push(...batch);
  return entries;
}
