import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EVERY_KEY } from '../../src/tools/filter.js';
import { memory } from '../../src/tools/library/memory.js';
import type { LargeKey } from '../../src/tools/memory/top-keys.js';
import { describeServer, TestServer } from '../support/server.js';

const text = (length: number, i: number): string =>
  'abcdefghijklmnopqrstuvwxyz'.charAt(i % 26).repeat(length - 4) + String(1000 + (i % 9000));

const many = <T>(count: number, each: (i: number) => T[]): T[] =>
  Array.from({ length: count }, (_, i) => each(i)).flat();

describeServer('memory of a server', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ writable: true });
    const { client } = server;
    for (const length of [5, 20, 44, 45, 100, 300, 5000, 70_000])
      await client.set(`text:${length}`, text(length, 1));
    for (const number of ['7', '-12345', '99999999999']) await client.set(`number:${number}`, number);
    await client.set(`long${'x'.repeat(300)}`, 'name');
    for (const count of [1, 10, 500])
      await client.hset(`hash:packed:${count}`, ...many(count, (i) => [`f${i}`, text(10, i)]));
    for (const count of [5, 600, 5000])
      await client.hset(`hash:table:${count}`, ...many(count, (i) => [`f${i}`, text(80, i)]));
    for (const count of [1, 500]) await client.sadd(`set:numbers:${count}`, ...many(count, (i) => [i * 300]));
    for (const count of [1, 100, 3000])
      await client.sadd(`set:table:${count}`, ...many(count, (i) => [`member:${i}`]));
    for (const count of [1, 128])
      await client.zadd(`zset:packed:${count}`, ...many<number | string>(count, (i) => [i * 1.5, `m${i}`]));
    for (const count of [129, 3000])
      await client.zadd(`zset:list:${count}`, ...many<number | string>(count, (i) => [i / 7, `member:${i}`]));
    for (const count of [1, 100, 3000])
      await client.rpush(`list:${count}`, ...many(count, (i) => [text(20, i)]));
    await client.rpush('list:large', text(9000, 1), text(20_000, 2), 'x');
    for (const count of [1, 100, 2500]) {
      const pipeline = client.pipeline();
      for (let i = 0; i < count; i++)
        pipeline.xadd(`stream:${count}`, '*', 'temperature', i, 'name', text(12, i));
      await pipeline.exec();
    }
    await client.xgroup('CREATE', 'stream:2500', 'workers', '0');
    await client.xreadgroup('GROUP', 'workers', 'ann', 'COUNT', 300, 'STREAMS', 'stream:2500', '>');
    await client.xreadgroup('GROUP', 'workers', 'bob', 'COUNT', 20, 'STREAMS', 'stream:2500', '>');
    await client.pfadd('hyperloglog', ...many(2000, (i) => [`e${i}`]));
    // Loaded anew, nothing has room to spare: what a server makes of the file.
    await client.save();
    await client.call('DEBUG', 'RELOAD', 'NOSAVE');
  });

  afterAll(() => server.stop());

  /** How far each estimate is from what the server says, by encoding: the largest, as a part of it. */
  async function errorsOf(keys: readonly LargeKey[]): Promise<Map<string, number>> {
    const errors = new Map<string, number>();
    for (const { key, kind, memoryBytes } of keys) {
      const [usage, encoding] = await Promise.all([
        server.client.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'),
        server.client.call('OBJECT', 'ENCODING', key),
      ]);
      const error = Math.abs(memoryBytes / Number(usage) - 1);
      const name = `${kind} ${encoding}`;
      errors.set(name, Math.max(errors.get(name) ?? 0, error));
    }
    return errors;
  }

  const ENCODINGS = [
    'hash hashtable',
    'hash listpack',
    'list quicklist',
    'set hashtable',
    'set intset',
  ].concat(
    ...['stream stream', 'string embstr', 'string int', 'string raw', 'zset listpack', 'zset skiplist'],
  );

  it('is what MEMORY USAGE says, within six hundredths for every encoding', async () => {
    const report = await memory(join(server.directory, 'dump.rdb'), { top: 1000 });
    const errors = await errorsOf(report.biggest);
    expect([...errors.keys()].sort()).toEqual(ENCODINGS);
    for (const [encoding, error] of errors) expect(error, encoding).toBeLessThan(0.06);
  });

  it('is that within a sixth where only items are told', async () => {
    const conditions = { ...EVERY_KEY, minSizeBytes: 1 };
    const report = await memory(join(server.directory, 'dump.rdb'), { top: 1000, conditions });
    for (const [encoding, error] of await errorsOf(report.biggest))
      expect(error, encoding).toBeLessThan(1 / 6);
  });
});
