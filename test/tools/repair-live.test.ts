import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusPath } from '../support/corpus.js';
import { describeServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';
import { tree } from '../support/tree.js';

/** A data directory that a server wrote. */
function written(): string {
  const directory = temporaryDirectory('written');
  cpSync(corpusPath('redis-7.0.15', 'workload'), directory, { recursive: true });
  return directory;
}

const log = (directory: string, name: string) => join(directory, 'appendonlydir', `appendonly.aof.${name}`);
const repair = (...args: string[]) => runCli(['repair', ...args]);

describeServer('a repaired dataset and a server', () => {
  it('that runs: a repair in place is refused; one that has ended is served what it wrote', async () => {
    let directory = '';
    let digest = '';
    await withServer({ dataDirectory: written(), writable: true }, async (server) => {
      directory = server.directory;
      await server.client.set('last', 'word');
      digest = await server.digest();
      const before = tree(join(directory, 'appendonlydir'));
      writeFileSync(join(directory, 'appendonlydir', 'appendonly.aof.manifest'), '');
      const ran = await repair(directory, '--in-place', '--yes');
      expect(ran.exit).toBe(4);
      expect(ran.stderr).toMatch(/is in use by redis-server \(process \d+\): nothing was changed/);
      writeFileSync(
        join(directory, 'appendonlydir', 'appendonly.aof.manifest'),
        before['appendonly.aof.manifest']!,
      );
    });
    // The server is gone, and so is the manifest.
    const lost = temporaryDirectory('lost');
    cpSync(join(directory, 'appendonlydir'), join(lost, 'appendonlydir'), { recursive: true });
    rmSync(join(lost, 'appendonlydir', 'appendonly.aof.manifest'));
    expect((await repair(lost, '--in-place', '--yes')).exit).toBe(0);
    await withServer({ dataDirectory: lost, writable: true }, async (server) => {
      expect(await server.digest()).toBe(digest);
    });
  });

  it('goes on in what was cut, and starts again with what it added', async () => {
    const source = written();
    const last = readdirSync(join(source, 'appendonlydir'))
      .filter((name) => name.endsWith('.incr.aof'))
      .sort()
      .at(-1)!;
    const path = join(source, 'appendonlydir', last);
    const bytes = readFileSync(path);
    // A transaction that the crash cut short: a server that appends behind it would lose what it appends.
    writeFileSync(
      path,
      `${bytes.latin1Slice()}*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1`,
      'latin1',
    );
    const out = join(temporaryDirectory('cut'), 'out');
    expect((await repair(source, '--out', out)).exit).toBe(0);
    let directory = '';
    let digest = '';
    await withServer({ dataDirectory: out, writable: true }, async (server) => {
      directory = server.directory;
      await server.client.set('acknowledged', 'write');
      digest = await server.digest();
      expect(server.log()).not.toMatch(/Truncating the AOF|Revert incomplete/);
    });
    rmSync(join(directory, 'redis.sock'), { force: true });
    await withServer({ dataDirectory: directory, writable: true }, async (server) => {
      expect(await server.digest()).toBe(digest);
      expect(await server.client.get('acknowledged')).toBe('write');
    });
  });

  it('starts from a base that was salvaged and the log behind it', async () => {
    const source = written();
    const names = readdirSync(join(source, 'appendonlydir'));
    const base = join(source, 'appendonlydir', names.find((name) => name.endsWith('.base.rdb'))!);
    const bytes = readFileSync(base);
    bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 64);
    writeFileSync(base, bytes);
    const out = join(temporaryDirectory('salvaged'), 'out');
    expect((await repair(source, '--out', out)).exit).toBe(1);
    expect(existsSync(out)).toBe(false);
    expect((await repair(source, '--out', out, '--strategy', 'skip')).exit).toBe(0);
    await withServer({ dataDirectory: out }, async (server) => {
      expect(Object.values(await server.sizes()).reduce((sum, size) => sum + size, 0)).toBeGreaterThan(10);
    });
    expect(existsSync(log(out, 'manifest'))).toBe(true);
  });
});
