import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { aofCases, CORPUS_SERVERS, rdbCases, testdata } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { describeServer, officialCheck, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';
import { sizeOf } from '../support/verdict.js';

/** What is written for 7.0 digests there as it did in the servers that print scores alike. */
const ALIKE = CORPUS_SERVERS.filter((server) => server >= 'redis-5' && server < 'redis-7.2');

describeServer('what replay writes for Redis 7.0', () => {
  const home = temporaryDirectory('replayed');
  let count = 0;

  /** Replays into a data directory of its own and resolves to the path of that directory. */
  async function dataDirectory(path: string, ...options: string[]): Promise<string> {
    const out = join(home, `data-${count++}`);
    const ran = await runCli(['replay', path, '--out', out, '--for', 'redis-7.0', '--json', ...options]);
    expect(ran).toMatchObject({ exit: 0 });
    expect(
      officialCheck('redis-check-aof', join(out, 'appendonlydir', 'appendonly.aof.manifest')),
    ).toMatchObject({
      code: 0,
      output: expect.stringContaining('All AOF files and manifest are valid'),
    });
    return out;
  }

  async function loadsAs(
    data: string,
    digest: string,
    dbsize: Readonly<Record<string, number>>,
  ): Promise<void> {
    await withServer({ dataDirectory: data }, async (server) => {
      expect(await server.sizes()).toEqual(dbsize);
      expect(await server.digest()).toBe(digest);
    });
  }

  for (const [turn, server] of ALIKE.entries()) {
    for (const [i, { name, title, path, truth }] of [...aofCases(server), ...rdbCases(server)].entries()) {
      if (name === 'bulk' && server !== 'redis-7.0.15') continue;
      // In a plain run each server's files take turns with those of the next, whose cases have the same names.
      if (!THOROUGH && (i + turn) % 3 !== 1) continue;
      test(`a directory from ${title} loads as the original did`, async () => {
        await loadsAs(await dataDirectory(path), truth.digest, truth.dbsize);
      });
    }
  }

  const logs = aofCases('redis-7.0.15');
  for (const { name, path, truth } of logs) {
    const points = (truth.checkpoints ?? []).filter((_, i) => i % (THOROUGH ? 4 : 12) === 1);
    if (points.length === 0) continue;
    test(`directories from points of ${name} load as the log cut there`, async () => {
      for (const { file, offset, digest, dbsize } of points) {
        await loadsAs(await dataDirectory(path, '--until-offset', `${file}:${offset}`), digest, dbsize);
      }
    });
  }

  test('a directory from the crashed one, up to the command that emptied it, has everything back', async () => {
    const data = await dataDirectory(testdata('crashed'), '--before', 'FLUSHALL');
    await withServer({ dataDirectory: data }, async (server) => {
      expect(sizeOf(await server.sizes())).toBe(185);
      // What the server itself digests when its last log is cut at that command by hand.
      expect(await server.digest()).toBe('bd2ea1171fdef4021b9ef238f3b260c0586b343b');
    });
  });

  for (const { title, path, truth } of logs.filter((_, i) => THOROUGH || i % 2 === 0)) {
    test(`one RDB, and one log as before 7.0, from ${title} load as the original did`, async () => {
      const rdb = join(home, `${count++}.rdb`);
      expect(await runCli(['replay', path, '--out', rdb, '--for', 'redis-7.0'])).toMatchObject({ exit: 0 });
      expect(officialCheck('redis-check-rdb', rdb)).toMatchObject({ code: 0 });
      await withServer({ rdb }, async (server) => expect(await server.digest()).toBe(truth.digest));

      const data = join(home, `legacy-${count++}`);
      mkdirSync(data);
      const log = join(data, 'appendonly.aof');
      expect(await runCli(['replay', path, '--out', log, '--for', 'redis-7.0'])).toMatchObject({ exit: 0 });
      await loadsAs(data, truth.digest, truth.dbsize);
    });
  }
});
