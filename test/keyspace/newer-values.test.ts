import { describe, expect, test } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { CommandEmitter } from '../../src/keyspace/emit.js';
import { Keyspace } from '../../src/keyspace/keyspace.js';
import { KeyspaceLoader } from '../../src/keyspace/load.js';
import { APPLIED, UNKNOWN } from '../../src/keyspace/outcome.js';
import { Walk } from '../../src/keyspace/walk.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import type { RdbHandler } from '../../src/rdb/handler.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { memoryWriter, recordRdb } from '../support/rdb.js';
import { payload, RdbBuilder } from '../support/rdb-builder.js';
import { concat, i64le, len, str, u8 } from '../support/rdb-bytes.js';
import { DIALECT_VALUES, KEY_METADATA } from '../support/rdb-new-values.js';
import { byPlace, type RecordedKey, Recorder } from '../support/recorder.js';
import { EngineDriver } from './engine-driver.js';

const fileOf = ({ header, before, type, value }: (typeof DIALECT_VALUES)[number]): Buffer =>
  new RdbBuilder(header)
    .raw(before ?? '')
    .key(type, 'k', value)
    .end();

async function decoded(bytes: Buffer, into: RdbHandler): Promise<void> {
  await pumpSource(new MemorySource(bytes), new RdbDecoder(into, { verifyChecksum: true, deep: true }));
}

async function loaded(bytes: Buffer): Promise<Keyspace> {
  const keyspace = new Keyspace();
  await decoded(bytes, new KeyspaceLoader(keyspace));
  return keyspace;
}

function told(keyspace: Keyspace): RecordedKey[] {
  const recorder = new Recorder();
  new Walk(keyspace, recorder).run();
  return recorder.keys.sort(byPlace);
}

/** The newest server of those whose files have this magic. */
function targetOf(header: string): string {
  if (header.startsWith('VALKEY')) return 'valkey-9.1';
  return header === 'REDIS0009' ? 'keydb-6.3' : 'redis-8.8';
}

describe.each(DIALECT_VALUES)('$what', (value) => {
  const bytes = fileOf(value);

  test('is held, and told as the file told it', async () => {
    const recorder = new Recorder();
    await decoded(bytes, recorder);
    expect(told(await loaded(bytes))).toEqual(recorder.keys);
  });

  test('is written from memory, unless its kind is in no release', async () => {
    const keyspace = await loaded(bytes);
    const { writer, written } = memoryWriter(targetOf(value.header));
    new Walk(keyspace, writer).run();
    writer.finish();
    const { bytes: again, losses } = written();
    if (value.what.includes('rate limit')) {
      expect(losses.map(({ what }) => what)).toEqual(['gcra']);
      return;
    }
    expect(losses).toEqual([]);
    const kept = (keys: readonly RecordedKey[]) =>
      keys.map((key) => [key.key, key.type, withDefaults(key.value)]);
    expect(kept((await recordRdb(again)).keys)).toEqual(kept(told(keyspace)));
  });
});

/** A server that knows producers assumes this of a stream without any. */
function withDefaults(value: unknown): unknown {
  const defaults = {
    durationSeconds: 100,
    entriesMax: 100,
    producers: 0,
    messages: 0,
    added: 0,
    duplicates: 0,
  };
  const stream = value as { entries?: unknown; producers?: unknown; lastId?: string };
  return stream.lastId === undefined ? value : { ...stream, producers: stream.producers ?? defaults };
}

test.each(['a job', 'a vector set of bytes, with attributes'])('%s is restored by a log', async (what) => {
  const value = DIALECT_VALUES.find((one) => one.what === what)!;
  const keyspace = await loaded(fileOf(value));
  const target = RDB_TARGETS.get(targetOf(value.header))!;
  const memory = new MemoryTarget();
  const losses: string[] = [];
  const emitter = new CommandEmitter(memory, { target, onLoss: (_head, loss) => losses.push(loss) });
  new Walk(keyspace, emitter).run();
  emitter.finish();
  const parts = memory.bytes().latin1Slice().split('\r\n');
  const restore = parts.indexOf('RESTORE');
  const start = memory.bytes().indexOf('\r\n', memory.bytes().lastIndexOf('$')) + 2;
  expect([losses, parts[restore + 2], parts[restore + 4]]).toEqual([[], 'k', '0']);
  const driver = new EngineDriver({ product: target.product });
  expect(driver.run('RESTORE', 'k', '0', memory.bytes().subarray(start, -2))).toBe(APPLIED);
  expect(told(driver.engine.keyspace)).toEqual(told(keyspace));
});

test('an array is built again by the commands of a log', async () => {
  const value = DIALECT_VALUES.find((one) => one.what === 'an array')!;
  const keyspace = await loaded(fileOf(value));
  const memory = new MemoryTarget();
  const losses: string[] = [];
  const target = RDB_TARGETS.get('redis-8.8')!;
  const emitter = new CommandEmitter(memory, { target, onLoss: (_head, loss) => losses.push(loss) });
  new Walk(keyspace, emitter).run();
  emitter.finish();
  const driver = new EngineDriver();
  const commands = memory
    .bytes()
    .latin1Slice()
    .split(/\*\d+\r\n/)
    .slice(1);
  for (const command of commands)
    driver.run(...command.split(/\$\d+\r\n|\r\n/).filter((_, i) => i % 2 === 1));
  expect(losses).toEqual([]);
  expect(commands.map((command) => command.split('\r\n')[1])).toEqual(['SELECT', 'ARMSET', 'ARSEEK']);
  expect(told(driver.engine.keyspace)).toEqual(told(keyspace));
});

describe('a payload in a log', () => {
  const restored = (bytes: Buffer, product?: 'keydb' | 'valkey'): RecordedKey[] => {
    const driver = new EngineDriver(product === undefined ? {} : { product });
    expect(driver.run('RESTORE', 'k', '0', bytes)).toBe(APPLIED);
    return told(driver.engine.keyspace);
  };
  const job = concat(u8(64), str('x'), i64le(1), i64le(2), len(0), len(0));

  test('uses the numbers of whoever wrote the log', () => {
    expect(restored(payload(9, job), 'keydb')).toMatchObject([{ type: 'cron' }]);
    expect(new EngineDriver().run('RESTORE', 'k', '0', payload(9, job))).toBe(UNKNOWN);
  });

  test('of a version that one product alone has uses its numbers', () => {
    const valkeyHash = concat(u8(22), len(1), str('a'), str('b'), i64le(-1));
    expect(restored(payload(80, valkeyHash))).toMatchObject([{ type: 'hash' }]);
    const redisHash = concat(u8(22), len(1), len(0), str('a'), str('b'));
    expect(restored(payload(12, redisHash), 'valkey')).toMatchObject([{ type: 'hash' }]);
  });

  test('may carry what modules attached to its key', () => {
    expect(restored(payload(14, KEY_METADATA, u8(0), str('v')))).toMatchObject([{ type: 'string' }]);
    expect(new EngineDriver().run('RESTORE', 'k', '0', payload(14, KEY_METADATA))).not.toBe(APPLIED);
  });
});
