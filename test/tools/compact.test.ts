import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localDisk } from '../../src/bytes/disk.js';
import { type CompactOptions, compact } from '../../src/tools/compact.js';
import { openSource } from '../../src/tools/library.js';
import { targetNamed } from '../../src/tools/target-choice.js';
import { aofCases, corpusPath } from '../support/corpus.js';
import { resp } from '../support/resp.js';
import { describeServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testContext } from './context.js';

function options(path: string, given: Partial<CompactOptions> = {}): CompactOptions {
  const form = path.endsWith('.aof') ? 'aof' : 'aofdir';
  const output = { path, form, force: false, refuseLoss: false } as const;
  return { output, target: null, preamble: true, dialect: null, ...given };
}

const truthOf = (server: string, name: string) => aofCases(server).find((each) => each.name === name)!.truth;
const room = () => join(temporaryDirectory('compact'), 'out');

it('leaves a base and an empty increment, numbered on, with the digest of the log', async () => {
  const out = room();
  const source = await openSource(corpusPath('redis-7.0.15', 'workload'));
  const { before, after, output, target } = await compact(source, options(out), testContext());
  const { digest } = truthOf('redis-7.0.15', 'workload');
  expect([before.digest, after.digest]).toEqual([digest, digest]);
  expect(after).toMatchObject({ files: 2, commands: 0, keys: before.keys });
  expect({ published: output.published, target }).toEqual({ published: true, target: 'redis-7.0' });
  expect(readdirSync(join(out, 'appendonlydir')).sort()).toEqual([
    'appendonly.aof.3.base.rdb',
    'appendonly.aof.4.incr.aof',
    'appendonly.aof.manifest',
  ]);
  expect(readFileSync(join(out, 'appendonlydir/appendonly.aof.manifest'), 'latin1')).toBe(
    'file appendonly.aof.3.base.rdb seq 3 type b\nfile appendonly.aof.4.incr.aof seq 4 type i\n',
  );
});

describe('what cannot be', () => {
  it('is one file for a server with directories only in their place, and a directory for one without', async () => {
    const source = await openSource(corpusPath('redis-2.8.24', 'workload-norewrite.aof'));
    const target = targetNamed('redis-3.2', '--for');
    await expect(compact(source, options(room(), { target }), testContext())).rejects.toThrow(
      'redis-3.2 has no append-only directories',
    );
    const out = `${room()}.aof`;
    const { before, after } = await compact(source, options(out, { target }), testContext());
    expect(after).toMatchObject({ files: 1, keys: before.keys, digest: before.digest });
    expect(readFileSync(out, 'latin1')).toMatch(/^\*2\r\n\$6\r\nSELECT/);
  });

  it('leaves nothing behind: inside the source, in the way, no room, a damaged log', async () => {
    const directory = temporaryDirectory('compact');
    const path = join(directory, 'appendonly.aof');
    writeFileSync(path, `${resp('SET a 1', 'SET b 2')}!!!${resp('SET c 3')}`);
    const damaged = compact(await openSource(path), options(join(directory, 'out')), testContext());
    await expect(damaged).rejects.toMatchObject({ finding: { code: 'aof/bad-prefix' } });

    const set = corpusPath('redis-7.0.15', 'workload');
    const inside = compact(await openSource(set), options(join(set, 'out')), testContext());
    await expect(inside).rejects.toThrow('is inside the source');

    const full = { ...localDisk, freeBytes: async () => 10 };
    const noRoom = compact(await openSource(set), options(join(directory, 'out')), testContext(), full);
    await expect(noRoom).rejects.toThrow(/alone has \d+ bytes, the file system has 10 free/);

    mkdirSync(join(directory, 'taken'));
    writeFileSync(join(directory, 'taken', 'x'), '');
    const taken = compact(await openSource(set), options(join(directory, 'taken')), testContext());
    await expect(taken).rejects.toThrow('exists and is not empty');
    expect(readdirSync(directory).sort()).toEqual(['appendonly.aof', 'taken']);
  });
});

it('is refused with --strict when something would be lost, and told otherwise', async () => {
  const path = join(temporaryDirectory('compact'), 'appendonly.aof');
  writeFileSync(path, resp('HSET h f 1', 'HPEXPIREAT h 4102444800000 FIELDS 1 f'));
  const target = targetNamed('redis-7.0', '--for');
  const out = room();
  const strict = { path: out, form: 'aofdir', force: false, refuseLoss: true } as const;
  const refused = await compact(
    await openSource(path),
    options(out, { target, output: strict }),
    testContext(),
  );
  expect(refused.output).toMatchObject({ published: false, lostCount: 1 });
  expect(existsSync(out)).toBe(false);
  const { before, after, output } = await compact(
    await openSource(path),
    options(out, { target }),
    testContext(),
  );
  expect(output).toMatchObject({ published: true, lostCount: 1 });
  expect(after.digest).not.toBe(before.digest);
});

describeServer('a compacted log', () => {
  it.each([true, false])('is one that Redis 7.0 starts from (preamble: %s)', async (preamble) => {
    const out = room();
    const source = await openSource(corpusPath('redis-7.0.15', 'seed-app'));
    const { after } = await compact(source, options(out, { preamble }), testContext());
    expect(after.digest).toBe(truthOf('redis-7.0.15', 'seed-app').digest);
    await withServer({ dataDirectory: out }, async (server) => {
      expect(await server.digest()).toBe(after.digest);
    });
  });
});
