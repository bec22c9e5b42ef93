import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { saved } from '../salvage/rdb-salvage.js';
import { CORPUS_SERVERS, corpusBytes } from '../support/corpus.js';
import { Random } from '../support/random.js';
import { describeServer, officialCheck, TestServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

/** Those whose files Redis 7.0 loads. */
const LOADABLE = CORPUS_SERVERS.filter((server) => /^redis-(2|3|4|5|6|7\.0)\.\d/.test(server));

describeServer('a salvaged RDB', () => {
  const directory = temporaryDirectory('salvaged');
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ settings: { 'sanitize-dump-payload': 'yes' } });
  });
  afterAll(() => server.stop());

  test.each(LOADABLE)('of %s loads in Redis 7.0 with every key that is told', async (origin) => {
    const whole = corpusBytes(origin, 'small.rdb');
    const random = new Random(whole.length);
    for (let run = 0; run < 6; run++) {
      const damaged = Buffer.from(whole);
      const at = 20 + random.below(whole.length - 40);
      for (let i = 0; i < 12; i++) damaged[at + i] = random.below(256);
      const { bytes, written } = await saved(damaged, { partial: run % 2 === 1, doubtful: run % 3 === 2 });
      const path = join(directory, `${origin}-${run}.rdb`);
      writeFileSync(path, bytes);
      expect(officialCheck('redis-check-rdb', path)).toMatchObject({ code: 0 });
      await server.load(path);
      const sizes = Object.values(await server.sizes());
      expect([at, sizes.reduce((sum, size) => sum + size, 0)]).toEqual([at, written.keysWritten]);
    }
  });
});
