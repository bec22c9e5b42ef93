import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recover } from '../../src/tools/library.js';
import { THOROUGH } from '../support/effort.js';
import { RECOVERY_CASES, recoveryDirectory } from '../support/recovery.js';
import { describeServer, TestServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

// What rekindle says Redis does with a crashed directory, and what it writes for it, asked of a real server.

/** Those whose way to the output differs; all of them where there is time. */
const SOME = [
  'enabling-aof',
  'manifest-lost',
  'preamble-damaged',
  'rewrite-6-history-damaged',
  'legacy-rewrite',
];
const settingsOf = (directory: string) => ({ dataDirectory: directory });

describeServer('what recover writes', () => {
  it.each(THOROUGH ? RECOVERY_CASES : SOME)('%s: a server holds what was promised', async (name) => {
    const out = join(temporaryDirectory('out'), 'new');
    const { output, effective } = await recover(recoveryDirectory(name), {
      output: { path: out, force: false },
    });
    const settings = effective.appendOnly ? {} : { appendonly: 'no' };
    await withServer({ ...settingsOf(out), settings }, async (server) => {
      expect(await server.digest()).toBe(output?.digest);
    });
  });

  it('a salvaged log: the server holds what was promised', async () => {
    const directory = recoveryDirectory('preamble-damaged');
    const base = join(directory, 'appendonlydir/appendonly.aof.2.base.rdb');
    const bytes = readFileSync(base);
    writeFileSync(base, bytes.fill(0x99, 700, 764));
    const out = join(temporaryDirectory('out'), 'new');
    const { output } = await recover(directory, { strategy: 'skip', output: { path: out, force: false } });
    await withServer(settingsOf(out), async (server) => {
      expect(await server.digest()).toBe(output?.digest);
    });
  });

  it('for a server whose settings nobody knows: both a log and an RDB', async () => {
    const directory = recoveryDirectory('everysec-kill');
    rmSync(join(directory, 'redis.conf'));
    const out = join(temporaryDirectory('out'), 'new');
    const { output } = await recover(directory, { output: { path: out, force: false } });
    for (const appendonly of ['yes', 'no']) {
      await withServer({ ...settingsOf(out), settings: { appendonly } }, async (server) => {
        expect(await server.digest()).toBe(output?.digest);
      });
    }
  });
});

describeServer('what recover says of starts', () => {
  const writable = { writable: true } as const;

  it('files of a log without manifest are appended to, replaced and emptied', async () => {
    const first = recoveryDirectory('manifest-lost-first');
    expect((await recover(first)).starts[0]?.effects).toEqual(['appends-to-strays', 'replaces-base']);
    const old = readFileSync(join(first, 'appendonlydir/appendonly.aof.1.incr.aof'));
    await withServer({ ...settingsOf(first), ...writable }, async (server) => {
      await server.client.set('new', 'write');
      const after = readFileSync(join(server.directory, 'appendonlydir/appendonly.aof.1.incr.aof'));
      expect(after.length).toBeGreaterThan(old.length);
      expect(after.subarray(0, old.length).equals(old)).toBe(true);
    });

    const later = recoveryDirectory('manifest-lost');
    expect((await recover(later)).starts[0]?.effects).toEqual(['rewrites-over-strays']);
    await withServer({ ...settingsOf(later), ...writable }, async (server) => {
      await server.client.call('BGREWRITEAOF');
      await until(async () =>
        (await server.client.info('persistence')).includes('aof_rewrite_in_progress:0'),
      );
      const path = join(server.directory, 'appendonlydir/appendonly.aof.2.incr.aof');
      expect(readFileSync(path).length).toBe(0);
    });
  });

  it('a cut behind an open MULTI costs what is written after it', async () => {
    const directory = recoveryDirectory('everysec-power');
    expect((await recover(directory)).starts[0]?.effects).toContain('leaves-open-multi');
    const first = await TestServer.start({ ...settingsOf(directory), ...writable });
    await first.client.set('written', 'after the start');
    await first.stop();
    rmSync(first.socket);
    await withServer({ ...settingsOf(first.directory), ...writable }, async (server) => {
      expect(await server.client.get('written')).toBeNull();
    });
  });

  it('without a log the RDB is replaced at a normal shutdown', async () => {
    const directory = recoveryDirectory('aof-deleted');
    const settings = { save: '3600 1' };
    const conf = join(temporaryDirectory('conf'), 'redis.conf');
    writeFileSync(conf, 'appendonly yes\n');
    expect((await recover(directory, { config: conf })).starts[0]?.effects).toEqual(['overwrites-rdb']);
    await withServer({ ...settingsOf(directory), ...writable, settings }, async (server) => {
      expect(await server.client.dbsize()).toBe(0);
      await server.client.set('only', 'key');
      await server.client.shutdown().catch(() => {});
      await until(async () =>
        (await recover(server.directory)).candidates.some(({ rdbKeys }) => rdbKeys === 1),
      );
    });
  });

  it.each([
    [
      'a damaged RDB',
      'aof-deleted',
      { appendonly: 'no' },
      (directory: string) => flip(join(directory, 'dump.rdb'), 900),
    ],
    [
      'an empty RDB',
      'aof-deleted',
      { appendonly: 'no' },
      (directory: string) => writeFileSync(join(directory, 'dump.rdb'), ''),
    ],
    [
      'a file that the manifest names and that is not there',
      'everysec-kill',
      {},
      (directory: string) => rmSync(join(directory, 'appendonlydir/appendonly.aof.2.incr.aof')),
    ],
    [
      'a manifest that breaks off',
      'everysec-kill',
      {},
      (directory: string) =>
        writeFileSync(join(directory, 'appendonlydir/appendonly.aof.manifest'), 'file x seq'),
    ],
  ])('%s: it refuses to start', async (_what, name, settings, harm) => {
    const directory = recoveryDirectory(name);
    harm(directory);
    const conf = join(temporaryDirectory('conf'), 'redis.conf');
    writeFileSync(conf, 'appendonly' in settings ? 'appendonly no\n' : 'appendonly yes\n');
    expect((await recover(directory, { config: conf })).starts[0]?.outcome).toBe('refuses');
    await expect(TestServer.start({ ...settingsOf(directory), settings })).rejects.toThrow('did not start');
  });

  it('an RDB with a wrong checksum is loaded with rdbchecksum no', async () => {
    const directory = recoveryDirectory('aof-deleted');
    const path = join(directory, 'dump.rdb');
    flip(path, readFileSync(path).length - 3);
    const conf = join(temporaryDirectory('conf'), 'redis.conf');
    writeFileSync(conf, 'appendonly no\nrdbchecksum no\n');
    const [start] = (await recover(directory, { config: conf })).starts;
    expect(start).toMatchObject({ outcome: 'loads', reason: 'snapshot' });
    await withServer(
      { ...settingsOf(directory), settings: { appendonly: 'no', rdbchecksum: 'no' } },
      async (server) => {
        expect(await server.client.dbsize()).toBe(96);
      },
    );
  });
});

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset]! ^= 0x55;
  writeFileSync(path, bytes);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await holds().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come about within five seconds');
}
