import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { RdbSink } from '../../src/rdb/handler.js';
import { DEFAULT_LIMITS } from '../../src/rdb/value-reader.js';
import { isFlawless } from '../../src/salvage/rdb-report.js';
import { surveyRdb } from '../../src/salvage/rdb-survey.js';
import { writeSalvagedRdb } from '../../src/salvage/rdb-write.js';
import { CORPUS_SERVERS, CORRUPT_SERVERS, corpusBytes, corruptCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { namesIn, saved, type surveyed } from './rdb-salvage.js';

const SMALL = THOROUGH ? CORPUS_SERVERS : ['redis-2.4', 'redis-7.0.15'];

const withoutDatabase = (name: string): string => name.slice(name.indexOf(' ') + 1);
const isBadMagic = ({ name }: { readonly name: string }): boolean => name === 'rdb-bad-magic';

/** A range of the damaged file in which a record's own bytes may be wrong, its name among them. */
type Touched = readonly [start: number, end: number];

/** Names that the salvaged file has and the original had not, those of touched records aside. */
async function inventedIn(damaged: Buffer, original: Set<string>, touched: Touched): Promise<string[]> {
  const { survey, bytes } = await saved(damaged);
  const again = await saved(bytes);
  expect(isFlawless(again.survey)).toBe(true);
  expect(again.bytes.equals(bytes)).toBe(true);
  const around = await namesAround(damaged, survey, touched);
  return (await namesIn(bytes)).filter((name) => !original.has(name) && !around.has(name));
}

/** Names of whole records that share a byte with a range. */
async function namesAround(
  damaged: Buffer,
  survey: Awaited<ReturnType<typeof surveyed>>,
  [start, end]: Touched,
): Promise<Set<string>> {
  const names = new Set<string>();
  for (const segment of survey.segments) {
    if (segment.end <= start || segment.start >= end) continue;
    const records = await namesIn((await only(damaged, survey, segment)).bytes);
    // Which of a segment's records it is does not matter here: one of them is touched.
    for (const name of records) if (!(await elsewhere(damaged, name, [start, end]))) names.add(name);
  }
  return names;
}

async function only(damaged: Buffer, survey: Awaited<ReturnType<typeof surveyed>>, segment: object) {
  const target = new MemoryTarget();
  const one = {
    ...survey,
    segments: [segment as (typeof survey.segments)[number]],
    partial: [],
    doubtful: [],
  };
  const how = { doubtful: false, partial: false, signal: new AbortController().signal, progress: () => {} };
  await writeSalvagedRdb(new MemorySource(damaged), one, target, how);
  return { bytes: Buffer.from(target.bytes()) };
}

/** Whether a name stands somewhere outside of a range and its surroundings. */
function elsewhere(damaged: Buffer, name: string, [start, end]: Touched): Promise<boolean> {
  const bytes = Buffer.from(name.slice(name.indexOf(' ') + 1), 'latin1');
  const at = damaged.indexOf(bytes);
  return Promise.resolve(at >= 0 && (at + bytes.length < start - 32 || at > end));
}

describe.each(SMALL)('a small RDB of %s', (server) => {
  const whole = corpusBytes(server, 'small.rdb');

  test('cut anywhere gives the keys in front of the cut', async () => {
    const names = await namesIn(whole);
    const step = THOROUGH ? 1 : 37;
    let most = 0;
    for (let length = 0; length < whole.length; length += step) {
      const back = await namesIn((await saved(whole.subarray(0, length))).bytes);
      expect([length, ...back.filter((name) => !names.includes(name))]).toEqual([length]);
      expect(back.length).toBeGreaterThanOrEqual(most);
      most = back.length;
    }
    expect(most).toBeGreaterThanOrEqual(names.length - 2);
  });

  test('with bytes changed gives no name that it did not hold', async () => {
    const random = new Random(whole.length);
    const names = new Set(await namesIn(whole));
    for (let run = 0; run < (THOROUGH ? 400 : 25); run++) {
      const damaged = Buffer.from(whole);
      const at = random.below(whole.length);
      const length = Math.min(random.pick([1, 3, 16]), whole.length - at);
      for (let i = 0; i < length; i++) damaged[at + i] = random.below(256);
      expect([at, length, ...(await inventedIn(damaged, names, [at, at + length]))]).toEqual([at, length]);
    }
  });
});

describe('damaged RDBs that real servers were given', () => {
  for (const server of THOROUGH ? CORRUPT_SERVERS : ['redis-6.2.16', 'redis-7.4.1']) {
    test(`of ${server} give no name but those of the intact file`, async () => {
      const cases = corruptCases(server).filter((one) => one.truth.kind === 'rdb');
      // One letter of its magic is wrong, which the checksum puts right: the intact file is not in the archive.
      const { bytes: intact, survey } = await saved(readFileSync(cases.find(isBadMagic)!.path));
      expect(survey.keys.whole).toBeGreaterThan(10);
      const small = new Set((await namesIn(intact)).map(withoutDatabase));
      for (const { name, path, truth } of cases) {
        const { survey, bytes } = await saved(readFileSync(path));
        const invented = (await namesIn(bytes)).map(withoutDatabase).filter((key) => !small.has(key));
        // A name changed in place is the name of its record; a file may be made on purpose around a key of its own.
        expect([name, truth.what, Math.max(1, invented.length)]).toEqual([name, truth.what, 1]);
        expect(survey.keys.whole).toBeLessThanOrEqual(small.size + 1);
      }
    });
  }
});

describe('hostile bytes', () => {
  const quiet = { signal: new AbortController().signal, progress: () => {} };
  const options = {
    dialect: null,
    limits: DEFAULT_LIMITS,
    end: null,
    preamble: false,
    trustedTo: 0,
    correct: false,
  };
  const SIZE = THOROUGH ? 16 << 20 : 1 << 18;

  test.each<readonly [string, (at: number) => number]>([
    ['ones', () => 1],
    ['lists of lists', (at) => [1, 1, 0x7f, 0xff][at % 4]!],
    ['names that all but run on', (at) => [0, 2, 0x61, 0x61 + (at % 23), 1, 0x30][at % 6]!],
    ['long lengths', (at) => [0, 1, 0x61, 0x80, 0, 8, 0, 0][at % 8]!],
    ['end marks', () => 255],
    ['a short pattern', (at) => [0, 3, 0x61, 0x62, 0x63, 2, 1, 4][at % 8]!],
    ['noise', (at) => Math.imul(at ^ (at >>> 7), 0x9e3779b1) >>> 24],
  ])('%s take time by their number', async (_name, byteAt) => {
    const bytes = Buffer.concat([
      Buffer.from('REDIS0009'),
      Buffer.from(Uint8Array.from({ length: SIZE }, (_, at) => byteAt(at))),
    ]);
    const startedAt = process.cpuUsage();
    await surveyRdb(new MemorySource(bytes), options, quiet);
    const { user } = process.cpuUsage(startedAt);
    expect(user / 1e6).toBeLessThan(THOROUGH ? 30 : 3);
  });

  test('a survey stops when told to', async () => {
    const context = { signal: AbortSignal.abort(new Error('stop')), progress: () => {} };
    await expect(surveyRdb(new MemorySource(Buffer.alloc(100)), options, context)).rejects.toThrow('stop');
  });
});

test('what is written decodes to as many keys as are told', async () => {
  const bytes = Buffer.from(corpusBytes('redis-7.0.15', 'small.rdb'));
  bytes.fill(0x5a, 300, 340);
  const { written, bytes: output } = await saved(bytes);
  let keys = 0;
  class Count extends RdbSink {
    override keyEnd(): void {
      keys++;
    }
  }
  await pumpSource(
    new MemorySource(output),
    new RdbDecoder(new Count(), { verifyChecksum: true, deep: true }),
  );
  expect(keys).toBe(written.keysWritten);
});
