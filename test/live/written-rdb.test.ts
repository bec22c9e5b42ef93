import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleDataset, tell } from '../property/sample.js';
import { CORPUS_SERVERS, corpusBytes, rdbCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { decodeInto, memoryWriter } from '../support/rdb.js';
import { describeServer, officialCheck, TestServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

/** Those whose files Redis 7.0 loads, so that it can say what it makes of them. */
const LOADABLE = CORPUS_SERVERS.filter((server) => /^redis-(2|3|4|5|6|7\.0)\./.test(server));

/** Some of their values are of kinds that Redis 7.0 has not: test/rdb/writer-live.test.ts says what is left. */
const OWN_KINDS: ReadonlySet<string> = new Set(['keydb-6.3.4', 'redis-8.8dev']);

interface Loaded {
  readonly digest: string;
  readonly sizes: Record<string, number>;
}

describeServer('an RDB written for Redis 7.0', () => {
  const directory = temporaryDirectory('written');

  // Values are verified as if they came from a stranger.
  const settings = { 'sanitize-dump-payload': 'yes' };
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ settings });
  });
  afterAll(() => server.stop());

  /** What the server makes of files that are compared more than once, by path. */
  const originals = new Map<string, Loaded>();

  async function loaded(rdb: string): Promise<Loaded> {
    await server.load(rdb);
    return { digest: await server.digest(), sizes: await server.sizes() };
  }

  function save(name: string, bytes: Buffer): string {
    const path = join(directory, `${name}.rdb`);
    writeFileSync(path, bytes);
    return path;
  }

  const WAYS = [
    ['rebuilt', false],
    ['copied where possible', true],
  ] as const;

  for (const [turn, origin] of LOADABLE.entries()) {
    for (const [i, { name, title, path }] of rdbCases(origin).entries()) {
      if (name === 'bulk' && origin !== 'redis-7.0.15') continue; // many keys of kinds that are all in the others
      // In a plain run one way for each file, and the other for that of the same name of the next release.
      const ways = WAYS.filter((_, way) => THOROUGH || name === 'types' || (way + i + turn) % 2 === 0);
      test.each(ways)(`loads as ${title} does, values %s`, async (_how, copyValues) => {
        const { writer, written } = memoryWriter('redis-7.0', { copyValues });
        await decodeInto(writer, corpusBytes(origin, `${name}.rdb`));
        const copy = save(`${origin}-${name}-${copyValues}`, written().bytes);
        expect(written().losses).toEqual([]);
        expect(officialCheck('redis-check-rdb', copy)).toMatchObject({ code: 0 });
        const original = originals.get(path) ?? (await loaded(path));
        originals.set(path, original);
        expect(await loaded(copy)).toEqual(original);
      });
    }
  }

  for (const origin of CORPUS_SERVERS.filter((name) => !LOADABLE.includes(name) && !OWN_KINDS.has(name))) {
    for (const { name, truth } of rdbCases(origin).filter(
      (one) => one.name !== 'modules' && one.name !== 'bulk',
    )) {
      test(`loads with every key of ${origin}/${name}`, async () => {
        const { writer, written } = memoryWriter('redis-7.0');
        await decodeInto(writer, corpusBytes(origin, `${name}.rdb`));
        const copy = save(`${origin}-${name}`, written().bytes);
        const lost = written().losses.map((loss) => loss.what);
        expect(lost.filter((what) => what !== 'field-expiry' && what !== 'stream-counters')).toEqual([]);
        expect(officialCheck('redis-check-rdb', copy)).toMatchObject({ code: 0 });
        expect((await loaded(copy)).sizes).toEqual(truth.dbsize);
      });
    }
  }

  test.each(THOROUGH ? [1, 2, 3, 4, 5, 6, 7, 8] : [1, 2, 3])(
    'loads as generated (seed %i), however it was packed',
    async (seed) => {
      const kinds = ['string', 'list', 'set', 'zset', 'hash', 'stream'] as const;
      const ingredients = { kinds, fieldTtls: false, wholeSeconds: false };
      const keys = sampleDataset(new Random(seed), ingredients, 60);
      const results = [];
      // Counts told or not, compressed or not: other paths through the writer, the same dataset.
      for (const variant of [1, 2]) {
        const { writer, written } = memoryWriter('redis-7.0', { compress: variant === 1 });
        tell(keys, writer, new Random(variant));
        writer.finish();
        results.push(await loaded(save(`seed-${seed}-${variant}`, written().bytes)));
      }
      expect(results[0]).toEqual(results[1]);
      expect(Object.values(results[0]!.sizes).reduce((sum, size) => sum + size, 0)).toBe(keys.length);
    },
  );
});
