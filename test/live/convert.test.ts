import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusPath, rdbCases } from '../support/corpus.js';
import { describeServer, TestServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const out = temporaryDirectory('converted');

async function converted(from: string, name: string, ...flags: string[]): Promise<string> {
  const path = join(out, name);
  expect(await runCli(['convert', from, path, ...flags])).toMatchObject({ exit: 0 });
  return path;
}

async function digestOf(path: string): Promise<string> {
  return (await runCli(['digest', path, '--as', 'redis-7.0'])).stdout.trim();
}

describeServer('what is converted, in a real server', () => {
  let server: TestServer;
  beforeAll(async () => (server = await TestServer.start({ settings: { 'replica-read-only': 'no' } })));
  afterAll(() => server.stop());

  it.each([
    ['redis-7.4.1', 'rdb'],
    ['valkey-9.1', 'rdb'],
    ['redis-8.8dev', 'rdb'],
    ['redis-6.2.16', 'ndjson'],
    ['redis-2.8.24', 'ndjson'],
  ])('the types of %s, through %s', async (name, form) => {
    const source = corpusPath(name, 'types.rdb');
    const between = form === 'rdb' ? source : await converted(source, `${name}.ndjson`);
    const path = await converted(between, `${name}.rdb`, '--for', 'redis-7.0');
    await server.load(path);
    expect(await server.digest()).toBe(await digestOf(path));
  });

  it('commands for redis-cli --pipe', async () => {
    const truth = rdbCases('redis-7.0.15').find((each) => each.name === 'types')!.truth;
    const path = await converted(corpusPath('redis-7.0.15', 'types.rdb'), 'types.resp');
    await server.client.flushall();
    await server.client.call('FUNCTION', 'FLUSH');
    const piped = spawnSync('redis-cli', ['-s', server.socket, '--pipe'], { input: readFileSync(path) });
    expect(piped.stdout.toString()).toMatch(/errors: 0,/);
    expect(await server.digest()).toBe(truth.digest);
  });

  it('a patch from one dataset to another', async () => {
    const a = corpusPath('redis-7.0.15', 'bulk.rdb');
    // What a client writes to a replica of nobody does expire there.
    const b = await converted(corpusPath('redis-7.0.15', 'seed-app'), 'app.ndjson', '--ttl', 'strip');
    const patch = join(out, 'patch.resp');
    expect((await runCli(['diff', a, b, '--summary', '--patch', patch])).exit).toBe(1);
    await server.load(a);
    expect(
      spawnSync('redis-cli', ['-s', server.socket, '--pipe'], {
        input: readFileSync(patch),
      }).stdout.toString(),
    ).toMatch(/errors: 0,/);
    expect(await server.digest()).toBe(await digestOf(b));
  });
});
