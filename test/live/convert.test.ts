import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { type SampleKey, tell } from '../property/sample.js';
import { CORPUS_SERVERS, corpusPath, rdbCases } from '../support/corpus.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { mutated, smallDataset } from '../support/mutations.js';
import { type Picture, pictureOf } from '../support/picture.js';
import { Random } from '../support/random.js';
import { expectSame, memoryWriter } from '../support/rdb.js';
import { describeServer, TestServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const out = temporaryDirectory('converted');

async function converted(from: string, name: string, ...flags: string[]): Promise<string> {
  const path = join(out, name);
  expect(await runCli(['convert', from, path, ...flags])).toMatchObject({ exit: 0 });
  return path;
}

interface Lost {
  readonly db: number | null;
  readonly key: unknown;
}

/** Servers whose types are loaded every day, and what is between the file and the server. */
const DAILY: ReadonlyMap<string, string> = new Map([
  ['redis-7.4.1', 'rdb'],
  ['valkey-9.1', 'rdb'],
  ['redis-8.8dev', 'rdb'],
  ['redis-6.2.16', 'ndjson'],
  ['redis-2.8.24', 'ndjson'],
]);
const PIPED: ReadonlySet<string> = new Set(['redis-7.0.15', 'redis-8.8dev']);

/** What the server writes when it is told to save. */
async function savedBy({ client, directory }: TestServer): Promise<Buffer> {
  await client.save();
  return readFileSync(join(directory, 'dump.rdb'));
}

function pipe({ socket }: TestServer, path: string): string {
  return spawnSync('redis-cli', ['-s', socket, '--pipe'], { input: readFileSync(path) }).stdout.toString();
}

function withoutHints({ keys, functions }: Picture): unknown {
  return [
    functions,
    [...keys].map(([id, { idleSeconds: _idle, freq: _freq, ...key }]) => [id, JSON.stringify(key)]).sort(),
  ];
}

async function digestOf(path: string): Promise<string> {
  return (await runCli(['digest', path, '--as', 'redis-7.0'])).stdout.trim();
}

describeServer('what is converted, in a real server', () => {
  let server: TestServer;
  beforeAll(async () => (server = await TestServer.start({ settings: { 'replica-read-only': 'no' } })));
  afterAll(() => server.stop());

  const migrated = CORPUS_SERVERS.flatMap((name) =>
    rdbCases(name)
      .filter((each) => THOROUGH || (each.name === 'types' && DAILY.has(name)))
      .filter((each) => each.name !== 'modules')
      .map((each) => [name, each.name, each.path] as const),
  );

  it.each(migrated)('%s/%s is loaded, and saved as it was written', async (name, file, source) => {
    const form = DAILY.get(name) ?? 'rdb';
    const between = form === 'rdb' ? source : await converted(source, `${name}-${file}.ndjson`);
    const path = await converted(between, `${name}-${file}.rdb`, '--for', 'redis-7.0');
    await server.load(path);
    expect(await server.digest()).toBe(await digestOf(path));
    const [written, saved] = [await pictureOf(readFileSync(path)), await pictureOf(await savedBy(server))];
    // A server says of every key when it was last used, as it sees it.
    expectSame(withoutHints(saved), withoutHints(written));
  });

  const piped = CORPUS_SERVERS.flatMap((name) =>
    rdbCases(name)
      .filter((each) => (THOROUGH ? each.name !== 'modules' : each.name === 'types' && PIPED.has(name)))
      .map((each) => [name, each.name, each.path] as const),
  );

  it.each(piped)('%s/%s through redis-cli --pipe keeps digests and times', async (name, file, source) => {
    // What a client writes to a replica of nobody does expire there: times of the corpus are long past.
    const later = await converted(source, `${name}-${file}-later.rdb`, '--ttl', 'shift:3000000000');
    const path = join(out, `${name}-${file}.resp`);
    const ran = await runCli(['convert', later, path, '--for', 'redis-7.0', '--json']);
    expect(ran).toMatchObject({ exit: 0 });
    const lost = new Set(
      JSON.parse(ran.stdout).lost.map(({ db, key }: Lost) => `${db} ${JSON.stringify(key)}`),
    );
    await server.client.flushall();
    await server.client.call('FUNCTION', 'FLUSH');
    expect(pipe(server, path)).toMatch(/errors: 0,/);
    const kept = join(out, `${name}-${file}-kept.rdb`);
    writeFileSync(kept, await savedBy(server));
    const { stdout } = await runCli(['diff', later, kept, '--json']);
    const told = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const unnamed = told
      .slice(0, -1)
      .filter(({ db, key }: Lost) => !lost.has(`${db} ${JSON.stringify(key)}`));
    expect(unnamed).toEqual([]);
    const digest = await runCli(['digest', later, '--as', 'redis-7.0']);
    // Where a score of -0 is packed it loses its sign, which a digest shows and no command does.
    const wanted =
      lost.size === 0 && !/of -0:/.test(digest.stderr) ? digest.stdout.trim() : await digestOf(kept);
    expect(await server.digest()).toBe(wanted);
  });

  it('a patch from one dataset to another', async () => {
    const a = corpusPath('redis-7.0.15', 'bulk.rdb');
    // What a client writes to a replica of nobody does expire there.
    const b = await converted(corpusPath('redis-7.0.15', 'seed-app'), 'app.ndjson', '--ttl', 'strip');
    const patch = join(out, 'patch.resp');
    expect((await runCli(['diff', a, b, '--summary', '--patch', patch])).exit).toBe(1);
    await server.load(a);
    expect(pipe(server, patch)).toMatch(/errors: 0,/);
    expect(await server.digest()).toBe(await digestOf(b));
  });

  it.each(seeds('patched').slice(THOROUGH ? 0 : 1, 20))(
    'a patch for all kinds of values there are in 7.0 (seed %i)',
    async (seed) => {
      const random = new Random(seed);
      const kinds = ['string', 'list', 'set', 'zset', 'hash', 'stream'] as const;
      const plain = (keys: SampleKey[]): SampleKey[] => keys.map(withoutFieldTtls);
      const keys = plain(smallDataset(kinds, 600, random));
      const changed = plain(
        keys.map((key) => (random.once(2) ? key : { ...key, value: mutated(key.value, random) })),
      );
      const [a, b] = [written(keys, `${seed}-a.rdb`), written(changed, `${seed}-b.rdb`)];
      const patch = join(out, `${seed}.resp`);
      const ran = await runCli(['diff', a, b, '--summary', '--patch', patch, '--json']);
      expect(JSON.parse(ran.stdout).summary).toMatchObject({ added: 0, removed: 0, lost: [] });
      expect(JSON.parse(ran.stdout).summary.changed).toBeGreaterThan(150);
      await server.load(a);
      expect(pipe(server, patch)).toMatch(/errors: 0,/);
      const kept = join(out, `${seed}-kept.rdb`);
      writeFileSync(kept, await savedBy(server));
      expect((await runCli(['diff', kept, b])).stdout).toBe(
        `0 added, 0 removed, 0 changed, ${keys.length} the same\n`,
      );
      expect(await server.digest()).toBe(await digestOf(b));
    },
  );
});

function withoutFieldTtls(key: SampleKey): SampleKey {
  const { value } = key;
  if (value.kind !== 'hash') return key;
  return { ...key, value: { ...value, fields: value.fields.map(([name, text]) => [name, text, -1]) } };
}

function written(keys: readonly SampleKey[], name: string): string {
  const { writer, written } = memoryWriter('redis-7.0');
  tell(keys, writer, new Random(1));
  writer.finish();
  const path = join(out, name);
  writeFileSync(path, written().bytes);
  return path;
}
