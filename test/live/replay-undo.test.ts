import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusPath } from '../support/corpus.js';
import { describeServer, type TestServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const APP = corpusPath('redis-7.0.15', 'seed-app');

/** DEBUG DIGEST-VALUE and time of expiry of each of the keys. */
async function picture({ client }: TestServer, keys: readonly string[]): Promise<Record<string, string>> {
  const digests = (await client.call('DEBUG', 'DIGEST-VALUE', ...keys)) as string[];
  const times = await Promise.all(keys.map((key) => client.call('PEXPIRETIME', key)));
  return Object.fromEntries(keys.map((key, i) => [key, `${digests[i]} ${String(times[i])}`]));
}

describeServer('undoing in a live server', () => {
  it('a FLUSHALL: all keys are back as they were, and newer keys stay', async () => {
    const settings = { appendonly: 'yes', 'aof-timestamp-enabled': 'yes' };
    await withServer({ writable: true, settings }, async (server) => {
      const { client, socket, directory } = server;
      const filled = await runCli(['replay', APP, '--target', `unix://${socket}`, '--expired', 'drop'], {
        nowMs: Date.now(),
      });
      expect(filled.exit).toBe(0);
      const keys = await client.keys('*');
      const before = await picture(server, keys);
      await client.flushall();
      await client.mset('newer', 'x', keys[0]!, 'newer');
      const ran = await runCli(['replay', directory, '--undo', 'FLUSHALL', '--target', `unix://${socket}`], {
        nowMs: Date.now(),
      });
      expect(ran.exit).toBe(0);
      expect(ran.stderr).toContain('1 key stayed as the target has them');
      expect(await client.mget('newer', keys[0]!)).toEqual(['x', 'newer']);
      const { [keys[0]!]: _, ...rest } = before;
      expect(await picture(server, keys.slice(1))).toEqual(rest);
      expect(await client.dbsize()).toBe(keys.length + 1);

      const replaced = await runCli(
        [
          'replay',
          directory,
          '--undo',
          'FLUSHALL',
          '--match',
          keys[0]!,
          '--target',
          `unix://${socket}`,
          '--replace',
        ],
        { nowMs: Date.now() },
      );
      expect(replaced.exit).toBe(0);
      expect(await picture(server, keys)).toEqual(before);
    });
  });
});

describeServer('a cut that is not executed', () => {
  const source = corpusPath('redis-7.0.15', 'workload');

  it('has the bytes of the source, and loads as replay says', async () => {
    const at = ['--until-command', '300'];
    const out = join(temporaryDirectory('cut'), 'cut');
    const ran = await runCli(['replay', source, ...at, '--no-execute', '--out', out, '--json']);
    expect(ran).toMatchObject({ exit: 0 });
    const cut = JSON.parse(ran.stdout) as { stoppedAt: { file: string; offset: number }; keys: null };
    const replayed = await runCli(['replay', source, ...at, '--json']);
    const { digest, stoppedAt } = JSON.parse(replayed.stdout) as { digest: string; stoppedAt: unknown };
    expect(cut.stoppedAt).toEqual(stoppedAt);
    for (const name of readdirSync(join(out, 'appendonlydir'))) {
      if (name.endsWith('.manifest')) continue;
      const copy = readFileSync(join(out, 'appendonlydir', name));
      const whole = readFileSync(join(source, 'appendonlydir', name));
      const bytes = name === cut.stoppedAt.file ? cut.stoppedAt.offset : whole.length;
      expect(copy.equals(whole.subarray(0, bytes)), name).toBe(true);
    }
    await withServer({ dataDirectory: out }, async (server) => {
      expect(await server.digest()).toBe(digest);
    });
  });

  it.each([
    [['--match', 'a*'], 'keys cannot be chosen'],
    [['--undo', 'DEL'], '--undo needs them executed'],
    [['--engine', 'server'], '--engine needs them executed'],
    [['--to', 'rdb'], 'nothing is made of them'],
    [['--to', 'aof'], 'nothing is made of them'],
  ])('is not asked for what needs execution: %j', async (options, words) => {
    const out = join(temporaryDirectory('cut'), 'cut');
    const ran = await runCli(['replay', source, '--no-execute', '--out', out, ...options]);
    expect(ran).toMatchObject({ exit: 2 });
    expect(ran.stderr).toContain(words);
  });
});

describeServer('a private server', () => {
  it('comes to the same, leaves nothing behind, and says what differs', async () => {
    const source = temporaryDirectory('prove');
    cpSync(corpusPath('redis-7.0.15', 'workload'), source, { recursive: true });
    const place = temporaryDirectory('place');
    vi.stubEnv('TMPDIR', place);
    const equal = await runCli(['replay', source, '--until-command', '400', '--engine', 'server', '--json']);
    expect(equal).toMatchObject({ exit: 0 });
    expect(JSON.parse(equal.stdout)).toMatchObject({ proof: { equal: true, differences: 0 } });
    expect(readdirSync(place)).toEqual([]);
    const none = await runCli(['replay', source, '--engine', 'server', '--server', '/bin/true']);
    expect(none).toMatchObject({ exit: 2 });
    expect(none.stderr).toContain('/bin/true is no Redis or Valkey server');
    vi.unstubAllEnvs();
  });
});
