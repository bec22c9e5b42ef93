import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { check } from '../../src/tools/check.js';
import { openSource } from '../../src/tools/source.js';
import { runCli } from '../cli/memory-io.js';
import { corpusBytes } from '../support/corpus.js';
import { gzip } from '../support/pack.js';
import { BUCKET, S3Server } from '../support/s3.js';
import { tar } from '../support/tar-writer.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testContext } from './context.js';

const SET = 'redis-7.0.15';
const RDB = corpusBytes(SET, 'small.rdb');
const FILES = ['appendonly.aof.2.base.rdb', 'appendonly.aof.2.incr.aof', 'appendonly.aof.manifest'].map(
  (name) => [`redis/appendonlydir/${name}`, corpusBytes(SET, `seed-app/appendonlydir/${name}`)] as const,
);

let server: S3Server;
beforeAll(async () => {
  server = await S3Server.start();
  for (const [name, bytes] of FILES) await server.put(name, bytes);
  await server.put('dump.rdb', RDB);
  await server.put('dump.rdb.gz', gzip(RDB));
  await server.put('nightly.tar', tar(FILES.map(([name, bytes]) => ({ name, bytes }))));
  for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
});
afterAll(() => server.stop());

const ENV = { REKINDLE_S3_PATH_STYLE: '1' };
const digestOf = async (path: string) => (await runCli(['digest', path, '--quiet'], { env: ENV })).stdout;

it('objects, packed ones, archives and prefixes are read like files and directories', async () => {
  const local = join(temporaryDirectory('s3'), 'dump.rdb');
  writeFileSync(local, RDB);
  const expected = await digestOf(local);
  expect(expected).toMatch(/^[0-9a-f]{40}\n$/);
  expect(await digestOf(`s3://${BUCKET}/dump.rdb`)).toBe(expected);
  expect(await digestOf(`s3://${BUCKET}/dump.rdb.gz`)).toBe(expected);
  const archived = join(temporaryDirectory('s3'), 'nightly.tar');
  writeFileSync(archived, tar(FILES.map(([name, bytes]) => ({ name, bytes }))));
  const log = await digestOf(archived);
  for (const place of ['nightly.tar', 'nightly.tar:/redis', 'redis/', 'redis', 'redis/appendonlydir']) {
    expect(await digestOf(`s3://${BUCKET}/${place}`)).toBe(log);
  }
});

it('messages name objects by their addresses', async () => {
  const options = { prefer: null, stdin: null, signal: null, s3: { pathStyle: true } };
  const source = await openSource(`s3://${BUCKET}/redis/`, options);
  const report = await check(source, { quick: false, dialect: null }, testContext());
  const names = ['manifest', '2.base.rdb', '2.incr.aof'].map((name) => `appendonly.aof.${name}`);
  expect(report.files.map(({ path }) => path).sort()).toEqual(
    names.map((name) => `s3://${BUCKET}/redis/appendonlydir/${name}`).sort(),
  );
  const missing = await runCli(['info', `s3://${BUCKET}/none.rdb`], { env: ENV });
  expect([missing.exit, missing.stderr]).toEqual([
    3,
    `rekindle: s3://${BUCKET}/none.rdb: no such object\n  try: check the name: aws s3 ls s3://${BUCKET}/\n`,
  ]);
});
