import type { Connection, Reply } from './connection.js';
import type { Supplies } from './draw.js';
import type { Judge } from './judge.js';
import type { Known } from './workload.js';

/** What COMMAND says, containers by their subcommands, too: `xgroup|create`. */
export async function commandsOf(client: Connection): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  const add = (rows: readonly Reply[]): void => {
    for (const row of rows as Reply[][]) {
      const name = String(row[0]).toLowerCase();
      const flags = (row[2] as Reply[]).map(String);
      known.set(name, {
        arity: Number(row[1]),
        writes: flags.includes('write') || flags.includes('may_replicate'),
      });
      if (Array.isArray(row[9])) add(row[9]);
    }
  };
  add((await client.call('COMMAND')) as Reply[]);
  return known;
}

/** Values and libraries as this server dumps them. */
export async function suppliesOf(judge: Judge): Promise<Pick<Supplies, 'payloads' | 'libraries'>> {
  const { client } = judge;
  await client.batch([
    ['SET', 'a', 'text'],
    ['SET', 'b', '12345'],
    ['RPUSH', 'c', '1', 'two', 'x'.repeat(100)],
    ['SADD', 'd', '1', '2', '3'],
    ['SADD', 'e', 'm1', 'm2'],
    ['ZADD', 'f', '1', 'm1', '2.5', 'm2'],
    ['HSET', 'g', 'm1', 'v', 'm2', '7'],
    ['XADD', 'h', '1-1', 'a', 'b'],
    ['XADD', 'h', '2-1', 'a', 'b', 'c', 'd'],
    ['XGROUP', 'CREATE', 'h', 'g0', '0'],
    ['XREADGROUP', 'GROUP', 'g0', 'alice', 'COUNT', '1', 'STREAMS', 'h', '>'],
    ['SADD', 'i', ...Array.from({ length: 600 }, (_, i) => `member ${i}`)],
    ['SET', 'j', 'same '.repeat(100)],
  ]);
  const dumps = await client.batch([...'abcdefghij'].map((key) => ['DUMP', key]));
  const payloads = dumps.filter((dump) => Buffer.isBuffer(dump));
  const libraries: Buffer[] = [];
  if (judge.hasManifest) {
    for (const name of ['lib0', 'lib1']) {
      const own = `function(keys, args) return redis.call('INCR', keys[1]) end`;
      await client.call(
        'FUNCTION',
        'LOAD',
        `#!lua name=${name}\nredis.register_function('r_${name}', ${own})`,
      );
      libraries.push((await client.call('FUNCTION', 'DUMP')) as Buffer);
    }
  }
  await client.call('FLUSHALL');
  return { payloads, libraries };
}
