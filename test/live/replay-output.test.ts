import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusPath } from '../support/corpus.js';
import { describeServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const SOURCE = corpusPath('redis-7.0.15', 'seed-app');

interface Report {
  readonly digest: string;
  readonly keys: number;
  readonly output: string;
}

/** Replays the application's log up to the middle of its run and writes what comes out. */
async function replayTo(path: string, ...options: string[]): Promise<Report> {
  const ran = await runCli([
    ...['replay', SOURCE, '--until-time', '1772366415', '--out', path, '--as', 'redis-7.0', '--json'],
    ...options,
  ]);
  expect(ran).toMatchObject({ exit: 0 });
  return JSON.parse(ran.stdout) as Report;
}

describeServer('what replay writes, in a real server', () => {
  it('an RDB', async () => {
    const { digest, keys, output } = await replayTo(join(temporaryDirectory('out'), 'out.rdb'));
    await withServer({ rdb: output }, async (server) => {
      expect(await server.digest()).toBe(digest);
      expect(await server.sizes()).toEqual({ 0: keys });
    });
  });

  it('a working directory with an append-only directory in it', async () => {
    const { digest, output } = await replayTo(join(temporaryDirectory('out'), 'restored'));
    expect(readdirSync(output)).toEqual(['appendonlydir']);
    await withServer({ dataDirectory: output }, async (server) => {
      expect(await server.digest()).toBe(digest);
    });
  });

  it('an append-only directory by itself', async () => {
    const data = temporaryDirectory('out');
    const { digest } = await replayTo(join(data, 'appendonlydir'));
    await withServer({ dataDirectory: data }, async (server) => {
      expect(await server.digest()).toBe(digest);
    });
  });

  it.each(['redis-7.0', 'redis-6.2', 'redis-3.2'])('one append-only file for %s', async (target) => {
    const data = temporaryDirectory('out');
    const { digest } = await replayTo(join(data, 'appendonly.aof'), '--for', target);
    // A server from 7.0 on makes a directory of the file it finds.
    await withServer({ dataDirectory: data }, async (server) => {
      expect(await server.digest()).toBe(digest);
    });
  });

  it('an RDB for an older server', async () => {
    const { digest, output } = await replayTo(
      join(temporaryDirectory('out'), 'out.rdb'),
      '--for',
      'redis-2.8',
    );
    await withServer({ rdb: output }, async (server) => {
      expect(await server.digest()).toBe(digest);
    });
  });
});
