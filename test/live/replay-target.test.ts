import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusPath } from '../support/corpus.js';
import { freePort } from '../support/port.js';
import { describeServer, TestServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const APP = corpusPath('redis-7.0.15', 'seed-app');
const TYPES = corpusPath('redis-7.0.15', 'types.rdb');

interface Report {
  readonly digest: string;
  readonly keys: number;
  readonly target: {
    readonly written: number;
    readonly resumed: number;
    readonly kept: number;
    readonly functions: number;
    readonly keptKeys: readonly { readonly key: string }[];
  };
}

/** Replays what is not past its TTL by the clock of the machine, which is the server's too. */
const replayTo = (url: string, source: string, ...options: string[]) =>
  runCli(['replay', source, '--target', url, '--expired', 'drop', ...options], { nowMs: Date.now() });

async function report(url: string, source: string, ...options: string[]): Promise<Report> {
  const ran = await replayTo(url, source, '--json', '--digest', ...options);
  expect(ran).toMatchObject({ exit: 0 });
  return JSON.parse(ran.stdout) as Report;
}

const urlOf = (server: TestServer): string => `unix://${server.socket}`;

/** A log of so many strings. */
function logOf(count: number): string {
  const path = join(temporaryDirectory('log'), 'many.aof');
  const command = (...words: string[]) =>
    `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
  writeFileSync(
    path,
    Array.from({ length: count }, (_, i) => command('SET', `key:${i}`, `value ${i}`)).join(''),
  );
  return path;
}

describeServer('replay into a live server', () => {
  it('brings every type, TTLs and databases, as payloads or as commands', async () => {
    await withServer({ writable: true, settings: { databases: '32' } }, async (server) => {
      for (const how of [[], ['--as-commands']]) {
        const { digest, keys, target } = await report(urlOf(server), TYPES, ...how);
        expect(target.written).toBe(keys);
        expect(await server.digest()).toBe(digest);
        await server.client.flushall();
      }
    });
  });

  it('brings functions when everything is meant, and leaves those alone that are there', async () => {
    const source = corpusPath('redis-7.0.15', 'workload');
    await withServer({ writable: true }, async (server) => {
      const first = await runCli(['replay', source, '--target', urlOf(server), '--json']);
      expect(first.exit).toBe(0);
      const { target } = JSON.parse(first.stdout) as Report;
      const libraries = (await server.client.call('FUNCTION', 'LIST')) as unknown[];
      expect(target.functions).toBe(libraries.length);
      const again = await runCli(['replay', source, '--target', urlOf(server), '--json', '--replace']);
      expect(JSON.parse(again.stdout)).toMatchObject({
        target: { functions: 0, functionsKept: libraries.length },
      });
    });
  });

  it('writes nothing where keys are in the way, unless told to keep or to replace them', async () => {
    await withServer({ writable: true }, async (server) => {
      const url = urlOf(server);
      const { digest, keys } = await report(url, APP);
      await server.client.set('user:1:name', 'newer');
      const [mine] = await server.client.keys('user:*:profile');
      await server.client.del(mine!);
      await server.client.set(mine!, 'newer');
      await server.client.del('leaderboard:daily');

      const refused = await replayTo(url, APP);
      expect(refused.exit).toBe(2);
      expect(refused.stderr).toMatch(
        /already has \d+ of the \d+ keys: .*; nothing was written\n {2}try: give --keep-existing/,
      );
      expect(await server.client.get(mine!)).toBe('newer');

      const kept = await report(url, APP, '--keep-existing');
      expect(kept.target.written + kept.target.kept).toBe(keys);
      expect(await server.client.get(mine!)).toBe('newer');

      await server.client.del('user:1:name');
      expect((await report(url, APP, '--replace')).target.written).toBe(keys);
      expect(await server.digest()).toBe(digest);
    });
  });

  it('keeps a string that came to be there only while others are written', async () => {
    await withServer({ writable: true }, async (server) => {
      const monitor = await server.client.monitor();
      const path = logOf(12_000);
      // The first look finds nothing; the key comes with the first command that writes.
      let came: Promise<unknown> | null = null;
      monitor.on('monitor', (_time: string, args: string[]) => {
        if (args[0] === 'MSETNX') came ??= server.client.set('key:11990', 'newer');
      });
      const ran = await runCli([
        'replay',
        path,
        '--target',
        urlOf(server),
        '--rate-limit',
        '20000keys',
        '--json',
      ]);
      await came;
      monitor.disconnect();
      expect(ran).toMatchObject({ exit: 1 });
      expect(JSON.parse(ran.stdout)).toMatchObject({
        target: { written: 11_999, surprises: 1, keptKeys: [{ db: 0, key: 'key:11990' }] },
      });
      expect(await server.client.get('key:11990')).toBe('newer');
      expect(await server.client.dbsize()).toBe(12_000);
    });
  });

  it('brings only keys that pass the filters, into one database', async () => {
    await withServer({ writable: true }, async (server) => {
      const { keys, digest } = await report(`${urlOf(server)}?db=3`, APP, '--type', 'zset');
      expect(await server.sizes()).toEqual({ 3: keys });
      await server.client.call('SWAPDB', '0', '3');
      expect(await server.digest()).toBe(digest);
      const several = await replayTo(`${urlOf(server)}?db=3`, TYPES);
      expect(several).toMatchObject({ exit: 2 });
      expect(several.stderr).toMatch(/names database 3, and the keys are in databases/);
    });
  });

  it('goes no faster than it may', async () => {
    await withServer({ writable: true }, async (server) => {
      const path = logOf(600);
      const started = Date.now();
      const ran = await runCli(['replay', path, '--target', urlOf(server), '--rate-limit', '1000keys'], {});
      expect(ran.exit).toBe(0);
      expect(Date.now() - started).toBeGreaterThan(400);
      expect(await server.sizes()).toEqual({ 0: 600 });
    });
  });

  it('goes on where a run was interrupted', async () => {
    await withServer({ writable: true }, async (server) => {
      const path = logOf(25_000);
      const progress = join(temporaryDirectory('progress'), 'progress.json');
      const stop = new AbortController();
      const watching = (async () => {
        while (!existsSync(progress) || !/"done":[1-9]/.test(readFileSync(progress, 'utf8'))) {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        stop.abort(new Error('stop'));
      })();
      const line = ['replay', path, '--target', urlOf(server), '--resume', progress, '--json', '--digest'];
      const stopped = await runCli(line, { signal: stop.signal });
      await watching;
      expect(stopped.exit).not.toBe(0);
      const some = await server.client.dbsize();
      expect(some).toBeGreaterThan(0);

      const other = await runCli(['replay', logOf(10), '--target', urlOf(server), '--resume', progress]);
      expect(other).toMatchObject({ exit: 2 });
      expect(other.stderr).toMatch(/the progress in .* is of another transfer/);

      const resumed = await runCli(line);
      expect(resumed).toMatchObject({ exit: 0 });
      const { target, digest } = JSON.parse(resumed.stdout) as Report;
      expect(target.resumed).toBeGreaterThan(0);
      expect(target.written + target.resumed).toBe(25_000);
      expect(await server.digest()).toBe(digest);
      expect(existsSync(progress)).toBe(false);
    });
  });

  it('says how far it got when the target dies, and goes on from its own record', async () => {
    const server = await TestServer.start({ writable: true, settings: { appendonly: 'yes' } });
    const path = logOf(40_000);
    try {
      const url = urlOf(server);
      const line = [
        'replay',
        path,
        '--target',
        url,
        '--resume',
        'key:progress',
        '--rate-limit',
        '100000keys',
      ];
      const running = runCli([...line, '--json', '--digest'], { nowMs: Date.now() });
      while ((await server.client.dbsize()) < 12_000) await new Promise((resolve) => setTimeout(resolve, 2));
      process.kill(Number(/process_id:(\d+)/.exec(await server.client.info('server'))![1]), 'SIGKILL');
      const ran = await running;
      expect(ran.exit).toBe(4);
      expect(ran.stderr).toMatch(
        /(connection broke|closed the connection|connection failed).*; \d+ of 40000 keys are in/,
      );
      expect(ran.stderr).toContain('run it again with the same --resume');
    } finally {
      await server.stop();
    }
    rmSync(server.socket, { force: true });
    await withServer({ writable: true, dataDirectory: server.directory }, async (again) => {
      const line = [
        'replay',
        path,
        '--target',
        urlOf(again),
        '--resume',
        'key:progress',
        '--json',
        '--digest',
      ];
      const ran = await runCli(line);
      expect(ran).toMatchObject({ exit: 0 });
      expect(await again.digest()).toBe((JSON.parse(ran.stdout) as Report).digest);
    });
  });
});

describeServer('a target that refuses', () => {
  it('names the key that did not fit its memory', async () => {
    await withServer({ writable: true, settings: { maxmemory: '1mb' } }, async (server) => {
      const ran = await replayTo(urlOf(server), APP);
      expect(ran.exit).toBe(4);
      expect(ran.stderr).toMatch(
        /key user:\S+: its memory is full \(maxmemory\) .*; \d+ of \d+ keys are in/s,
      );
    });
  });

  it('says of a replica where its master is', async () => {
    await withServer({}, async (server) => {
      const ran = await replayTo(urlOf(server), APP);
      expect(ran).toMatchObject({ exit: 4 });
      expect(ran.stderr).toMatch(
        /is a replica and takes no writes .*; 0 of \d+ keys are in\n {2}try: give the address of its master \(127\.0\.0\.1:1\)/,
      );
    });
  });

  it('asks for users and passwords, and never shows one', async () => {
    await withServer({ writable: true }, async (server) => {
      await server.client.config('SET', 'requirepass', 'secret');
      await server.client.call('ACL', 'SETUSER', 'writer', 'on', '>hidden', '~*', '+@all');
      await server.client.call(
        'ACL',
        'SETUSER',
        'reader',
        'on',
        '>hidden',
        '~*',
        '+@read',
        '+info',
        '+select',
      );
      const url = urlOf(server);
      const path = logOf(3);
      const run = (env: Record<string, string>, ...options: string[]) =>
        runCli(['replay', path, '--replace', ...options], { env });
      expect(await run({}, '--target', url)).toMatchObject({
        exit: 4,
        stderr: expect.stringContaining('it wants a password') as string,
      });
      const wrong = await run({ REKINDLE_PASSWORD: 'wrong1' }, '--target', url);
      expect(wrong.exit).toBe(4);
      expect(wrong.stderr).toContain('user or password is wrong');
      expect(wrong.stderr).not.toContain('wrong1');
      expect(await run({ REKINDLE_PASSWORD: 'secret' }, '--target', url)).toMatchObject({ exit: 0 });
      const asWriter = await run({ REKINDLE_PASSWORD: 'hidden' }, '--target', url, '--user', 'writer');
      expect(asWriter).toMatchObject({ exit: 0 });
      const inUrl = await run({}, '--target', url.replace('://', '://writer:hidden@'));
      expect(inUrl).toMatchObject({ exit: 0 });
      expect(inUrl.stdout + inUrl.stderr).not.toContain('hidden');
      const asReader = await run({ REKINDLE_PASSWORD: 'hidden' }, '--target', url, '--user', 'reader');
      expect(asReader.exit).toBe(4);
      expect(asReader.stderr).toMatch(/key key:0: the user may not do that \(it answered: NOPERM/);
    });
  });

  it('tells of a server that is not there', async () => {
    const port = await freePort();
    const ran = await replayTo(`redis://someone:hidden@127.0.0.1:${port}`, APP);
    expect(ran).toMatchObject({ exit: 4 });
    expect(ran.stderr).toContain(`redis://127.0.0.1:${port}: nobody listens there`);
    expect(ran.stderr).not.toContain('hidden');
    const missing = await replayTo('unix:///nowhere/at.sock', APP);
    expect(missing).toMatchObject({ exit: 4 });
    expect(missing.stderr).toContain('there is no such socket');
  });
});
