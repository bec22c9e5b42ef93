import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { CORRUPT_SERVERS, corruptCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { describeServer, type TestServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

// What repair makes of damaged files, loaded by Redis 7.0. Without REKINDLE_FUZZ_RUNS one in forty.

const HOME = temporaryDirectory('loaded');

/** Servers whose files Redis 7.0 loads when they are whole. */
const LOADABLE = CORRUPT_SERVERS.filter((server) => /^(redis-([2-6]\.|7\.0\.)|keydb-)/.test(server));

/** One server for all files: it reads each from its own directory, strictly, and ends if it can't. */
async function digestInServer(server: TestServer, path: string): Promise<string> {
  if (extname(path) === '.rdb') {
    await server.load(path);
    return server.digest();
  }
  const directory = join(server.directory, 'appendonlydir');
  rmSync(directory, { recursive: true, force: true });
  if (extname(path) === '.aof') {
    mkdirSync(directory);
    cpSync(path, join(directory, 'appendonly.aof.1.base.aof'));
    writeFileSync(
      join(directory, 'appendonly.aof.manifest'),
      'file appendonly.aof.1.base.aof seq 1 type b\n',
    );
  } else {
    cpSync(join(path, 'appendonlydir'), directory, { recursive: true });
  }
  await server.client.call('DEBUG', 'LOADAOF');
  return server.digest();
}

describeServer('what repair left', () => {
  const origins = LOADABLE.map((origin, i) => [origin, (i * 7) % 40] as const);

  it.each(origins)(
    'of files of %s loads in Redis 7.0, and is the same there',
    { timeout: 900_000 },
    async (origin, turn) => {
      const all = corruptCases(origin);
      const cases = THOROUGH ? all : all.filter((_, i) => i % 40 === turn);
      // A base of commands may hold SELECT 99, and is loaded strictly.
      const settings = { appendonly: 'yes', 'aof-load-truncated': 'no', databases: '100' };
      await withServer({ settings }, async (server) => {
        let loaded = 0;
        for (const one of cases) {
          for (const strategy of ['truncate', 'skip']) {
            const what = `${one.title} by ${strategy}`;
            const out = join(HOME, `${one.server}-${one.name}-${strategy}${extname(one.path)}`);
            const { exit } = await runCli(['repair', one.path, '--out', out, '--strategy', strategy]);
            if (exit !== 0) continue; // test/corpus/repair.test.ts knows when that is right
            const told = await runCli(['digest', out, '--json', '--as', 'redis-7.0']);
            expect(told.exit, what).toBe(0);
            const { digest } = JSON.parse(told.stdout) as { digest: string };
            expect(await digestInServer(server, out).catch(String), what).toBe(digest);
            loaded++;
          }
        }
        expect(loaded).toBeGreaterThan(cases.length);
      });
    },
  );
});
