import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CORPUS_SERVERS, corpusBytes, rdbCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { decodeInto, memoryWriter } from '../support/rdb.js';
import { describeServer, officialCheck, TestServer } from '../support/server.js';
import { rdbDigest } from './writer-digest.js';

const TARGETS = ['redis-2.4', 'redis-2.8', 'redis-3.2', 'redis-4.0', 'redis-5.0', 'redis-6.2', 'redis-7.0'];
/** What never enters a digest. */
const UNSEEN = [
  ...['expiry-precision', 'eviction-hint', 'stream-counters', 'function', 'field-expiry'],
  ...['stream-pending', 'stream-producers', 'key-metadata', 'member-expiry'],
];

/** Every other server's files for one release and the rest for the next, which writes alike; all when there is time. */
function sourcesOf(target: string): string[] {
  const turn = TARGETS.indexOf(target);
  return CORPUS_SERVERS.filter((_, i) => THOROUGH || (i + turn) % 2 === 0);
}

// One server of 7.0 loads what is written for every release up to its own.
describeServer('a server loads what is written for', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ settings: { 'replica-read-only': 'no' } });
  });
  afterAll(() => server.stop());

  async function load(bytes: Buffer): Promise<string> {
    const path = join(server.directory, 'dump.rdb');
    writeFileSync(path, bytes);
    const verdict = officialCheck('redis-check-rdb', path);
    expect(verdict).toMatchObject({ code: 0, output: expect.stringContaining('RDB looks OK') });
    await server.client.call('FUNCTION', 'FLUSH');
    await server.client.call('DEBUG', 'RELOAD', 'NOSAVE');
    return server.digest();
  }

  // In a plain run every target takes every third of these: live/written-rdb loads files of all of them, too.
  for (const [turn, target] of TARGETS.entries()) {
    test.each(sourcesOf(target).filter((_, i) => THOROUGH || (i + turn) % 3 === 0))(
      `${target} from files of %s`,
      async (source) => {
        for (const { name, truth } of rdbCases(source)) {
          if (!['types', 'expired', 'cluster'].includes(name)) continue;
          const bytes = corpusBytes(source, `${name}.rdb`);
          const { writer, written } = memoryWriter(target);
          await decodeInto(writer, bytes);
          const result = written();
          const lost = result.losses.filter((loss) => !UNSEEN.includes(loss.what)).map((loss) => loss.place);
          expect(await load(result.bytes), name).toBe(await rdbDigest(bytes, new Set(lost)));
          expect(lost.length, name).toBeLessThan(truth.keys.length || 1);
        }
      },
    );
  }

  test('7.0, with the functions', async () => {
    const { writer, written } = memoryWriter('redis-7.0');
    await decodeInto(writer, corpusBytes('redis-7.2.6', 'types.rdb'));
    await load(written().bytes);
    const libraries = (await server.client.call('FUNCTION', 'LIST', 'WITHCODE')) as unknown[];
    expect(libraries.length).toBeGreaterThan(0);
  });
});
