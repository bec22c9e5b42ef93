import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MemoryTarget } from '../../src/bytes/target.js';
import { CommandEmitter } from '../../src/keyspace/emit.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { listening, rdbDigest } from '../rdb/writer-digest.js';
import { CORPUS_SERVERS, corpusBytes } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { decodeInto, recordRdb } from '../support/rdb.js';
import type { RecordedKey, RecordedStream } from '../support/recorder.js';
import { describeServer, officialCheck, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const BASE = 'appendonly.aof.1.base.aof';

/** Kinds of values that Redis 7.0 has not. */
const OWN_KINDS: ReadonlySet<string> = new Set(['array', 'gcra', 'cron', 'module', 'vectorset']);

/** What the types of a release have that commands for 7.0 cannot say: streams since 5.0, field TTLs since 7.4. */
function lostFrom(server: string): string[] {
  if (server === 'keydb-6.3.4') return ['stream-pending', 'cron'];
  if (server === 'redis-8.8dev')
    return ['stream-pending', 'field-expiry', 'stream-producers', 'array', 'module'];
  if (/^redis-[234]/.test(server)) return [];
  return /^redis-(7\.4|8)|^valkey-9/.test(server) ? ['stream-pending', 'field-expiry'] : ['stream-pending'];
}

async function emit(bytes: Buffer, server: string): Promise<{ commands: Buffer; losses: string[] }> {
  const memory = new MemoryTarget();
  const losses: string[] = [];
  const emitter = new CommandEmitter(memory, {
    target: RDB_TARGETS.get(server)!,
    onLoss: (_head, what) => losses.push(what),
  });
  await decodeInto(listening(emitter), bytes);
  emitter.finish();
  return { commands: memory.bytes(), losses };
}

/** A data directory whose log has the commands as its base. */
function directoryOf(commands: Buffer): string {
  const directory = temporaryDirectory('emit');
  const log = join(directory, 'appendonlydir');
  mkdirSync(log);
  writeFileSync(join(log, BASE), commands);
  writeFileSync(join(log, 'appendonly.aof.manifest'), `file ${BASE} seq 1 type b\n`);
  return directory;
}

/**
 * Without what commands cannot bring back on 7.0: field TTLs, pending entries that are deleted or of nobody,
 * what is remembered of producers.
 */
function comparable(key: RecordedKey): unknown {
  if (key.type === 'stream') {
    const stream = key.value as RecordedStream;
    const ids = new Set(stream.entries.map(([id]) => id));
    const groups = stream.groups.map((group) => ({
      ...group,
      pending: group.pending.filter(([id, consumer]) => ids.has(id) && consumer !== ''),
    }));
    return { ...key, value: { ...stream, groups, producers: undefined } };
  }
  if (key.type !== 'hash') return key;
  const pairs = (key.value as [string, string][]).map(([first, second]) => [first, second]);
  return { ...key, value: pairs };
}

describeServer('a server runs the commands emitted', () => {
  test.each(CORPUS_SERVERS)('from the types of %s, and has the same dataset', async (source) => {
    const bytes = corpusBytes(source, 'types.rdb');
    const { commands, losses } = await emit(bytes, 'redis-7.0');
    const dataDirectory = directoryOf(commands);
    const base = join(dataDirectory, 'appendonlydir', BASE);
    expect(officialCheck('redis-check-aof', base)).toMatchObject({ code: 0 });
    await withServer({ dataDirectory }, async (server) => {
      expect(server.log()).not.toMatch(/CRITICAL|unknown command/i);
      await server.client.call('SAVE');
      const saved = await recordRdb(readFileSync(join(server.directory, 'dump.rdb')));
      const told = await recordRdb(bytes);
      expect(saved.libraries).toEqual(told.libraries);
      const sayable = told.keys.filter(({ type }) => !OWN_KINDS.has(type));
      expect(saved.keys.map(comparable)).toEqual(sayable.map(comparable));
    });
    expect(new Set(losses)).toEqual(new Set(lostFrom(source)));
  });

  test('and keeps the sign of every -0 that a server keeps', async () => {
    const long = 'm'.repeat(65);
    const many = Array.from({ length: 130 }, (_, i) => ['-0', `m${i}`]).flat();
    const made = await withServer({}, async (server) => {
      const { client } = server;
      await client.call('CONFIG', 'SET', 'replica-read-only', 'no');
      await client.call('ZADD', 'unpacked', '1', long, '-0', 'a', '-0', long, '2', 'b');
      await client.call('ZADD', 'unpacked once', '1', long, '-0', 'a', '3', 'b');
      await client.call('ZREM', 'unpacked once', long);
      await client.call('ZADD', 'packed', '-0', 'a', '1', 'b');
      await client.call('ZADD', 'many', '1', long, ...many);
      await client.call('ZREM', 'many', long);
      await client.call('SAVE');
      const file = readFileSync(join(server.directory, 'dump.rdb'));
      return { digest: await server.digest(), file };
    });
    const { commands } = await emit(made.file, 'redis-7.0');
    await withServer({ dataDirectory: directoryOf(commands) }, async (server) => {
      expect(await server.client.call('ZSCORE', 'unpacked', 'a')).toBe('-0');
      expect(await server.digest()).toBe(made.digest);
    });
  });

  // The small files are alike: in a plain run every third.
  test.each(CORPUS_SERVERS.filter((_, i) => THOROUGH || i % 3 === 0))(
    'from the small file of %s, and has the same digest',
    async (source) => {
      const bytes = corpusBytes(source, 'small.rdb');
      const { commands } = await emit(bytes, 'redis-7.0');
      await withServer({ dataDirectory: directoryOf(commands) }, async (server) => {
        expect(await server.digest()).toBe(await rdbDigest(bytes));
      });
    },
  );
});
