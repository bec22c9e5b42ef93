import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusPath } from '../support/corpus.js';
import { describeServer, TestServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const TYPES = corpusPath('redis-7.0.15', 'types.rdb');
const WIDE = { databases: '32', 'repl-diskless-sync-delay': '0', 'repl-diskless-sync': 'yes' };

const run = (...args: string[]) => runCli(args, { nowMs: Date.now() });
const urlOf = (server: TestServer): string => `unix://${server.socket}`;

/** An RDB of so many strings, made from NDJSON. */
async function stringsOf(count: number): Promise<string> {
  const directory = temporaryDirectory('strings');
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({ db: 0, key: `key:${i}`, type: 'string', value: `value ${i}` }),
  );
  const ndjson = join(directory, 'strings.ndjson');
  writeFileSync(ndjson, `{"rekindle":1,"origin":[["redis-ver","7.0.15"]]}\n${lines.join('\n')}\n`);
  return ndjson;
}

describeServer('convert into a live server', () => {
  it('brings all that a file holds, and says what is in the way', async () => {
    await withServer({ writable: true, settings: WIDE }, async (server) => {
      const url = urlOf(server);
      const { stdout } = await run('digest', TYPES, '-q');
      expect(await run('convert', TYPES, url)).toMatchObject({ exit: 0 });
      expect(`${await server.digest()}\n`).toBe(stdout);
      expect(((await server.client.call('FUNCTION', 'LIST')) as unknown[]).length).toBe(2);

      const refused = await run('convert', TYPES, url);
      expect(refused).toMatchObject({ exit: 2 });
      expect(refused.stderr).toMatch(/already has 161 of the 161 keys: .*nothing was written/);

      await server.client.set('str:int:125', 'newer');
      const kept = await run('convert', TYPES, url, '--keep-existing', '--json');
      expect(JSON.parse(kept.stdout)).toMatchObject({
        ok: true,
        keys: 161,
        target: { kept: 161, written: 0 },
      });
      expect(await server.client.get('str:int:125')).toBe('newer');
      expect(await run('convert', TYPES, url, '--match', 'nothing:like:this')).toMatchObject({
        exit: 1,
        stderr: 'no key matches\n',
      });
      expect(await run('convert', TYPES, url, '--replace', '--match', 'str:int:125')).toMatchObject({
        exit: 0,
      });
      expect(await server.client.get('str:int:125')).toBe('125');
    });
  });

  it('goes from server to server, filtered and changed, and diff finds and mends what differs', async () => {
    await withServer({ writable: true, rdb: TYPES, settings: WIDE }, async (from) => {
      await withServer({ writable: true, settings: WIDE }, async (to) => {
        const [a, b] = [urlOf(from), urlOf(to)];
        expect(await run('convert', a, b, '--match', 'zset:*', '--rename', '^zset:=copy:')).toMatchObject({
          exit: 0,
        });
        expect(await to.client.zcard('copy:300')).toBe(300);
        await to.client.flushall();
        expect(await run('convert', a, b)).toMatchObject({ exit: 0 });
        expect(await run('diff', a, b, '--summary')).toMatchObject({ exit: 0 });

        await from.client.del('zset:300');
        await from.client.hset('only:here', 'f', 'v');
        await from.client.pexpireat('list:plain', 4_000_000_000_000);
        const patch = join(temporaryDirectory('patch'), 'b-to-a.resp');
        const found = await run('diff', b, a, '--patch', patch, '--summary');
        expect(found).toMatchObject({
          exit: 1,
          stdout: expect.stringContaining('1 added, 1 removed, 1 changed'),
        });
        const piped = spawnSync('redis-cli', ['-s', to.socket, '--pipe'], { input: readFileSync(patch) });
        expect(piped.stdout.toString()).toContain('errors: 0');
        expect(await to.digest()).toBe(await from.digest());
      });
    });
  });

  it('says how far it got when the server goes away, and goes on from there', async () => {
    const source = await stringsOf(30_000);
    const server = await TestServer.start({ writable: true });
    const running = run('convert', source, urlOf(server), '--rate-limit', '20000keys');
    while ((await server.client.dbsize()) < 1000) await sleep(10);
    await server.stop();
    const ran = await running;
    expect(ran).toMatchObject({ exit: 4 });
    expect(ran.stderr).toMatch(/; \d+ of 30000 keys are in\n.*run it again with --keep-existing to go on/);
  });

  it('lists what an older server has no place for, and with --strict takes no key', async () => {
    await withServer({ writable: true, settings: WIDE }, async (server) => {
      const newer = corpusPath('redis-7.4.1', 'types.rdb');
      const strict = await run('convert', newer, urlOf(server), '--strict', '--expired', 'drop');
      expect(strict).toMatchObject({ exit: 1 });
      expect(strict.stderr).toContain('nothing was written: --strict allows no loss');
      expect(await server.client.dbsize()).toBe(0);
      const ran = await run('convert', newer, urlOf(server), '--json', '--expired', 'drop');
      const { lost, for: whom } = JSON.parse(ran.stdout) as { lost: { what: string }[]; for: string };
      expect(whom).toBe('redis-7.0.15');
      expect(new Set(lost.map(({ what }) => what))).toEqual(new Set(['field-expiry', 'stream-counters']));
    });
  });
});
