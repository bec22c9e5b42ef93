import { describe, expect, test } from 'vitest';
import { MemoryTarget } from '../../../src/bytes/target.js';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import { KeyspaceLoader } from '../../../src/keyspace/load.js';
import { Walk } from '../../../src/keyspace/walk.js';
import type { KeyRecord } from '../../../src/model/value.js';
import { ValueCollector } from '../../../src/model/value-collector.js';
import { RdbCopier } from '../../../src/rdb/writer-copier.js';
import { RdbRelay } from '../../../src/tools/relay.js';
import { saved } from '../../salvage/rdb-salvage.js';
import { seeds } from '../../support/effort.js';
import { Random } from '../../support/random.js';
import { decodeInto, memoryWriter } from '../../support/rdb.js';
import { moduleField, redis } from '../../support/rdb-builder.js';
import { concat, len, len32, len64, lzf, str, u8 } from '../../support/rdb-bytes.js';

/** Fields in any order, numbers in any width, texts packed or not. */
function fields(random: Random): Buffer {
  const text = () => {
    if (random.once(3)) return concat(len(5), lzf('a'.repeat(random.between(21, 300))));
    return moduleField.string(random.bytes(random.pick([0, 1, 63, 64, 5000])));
  };
  const number = () => random.pick([len(random.below(64)), len32(random.word()), len64(random.word())]);
  const one = () =>
    random.pick([
      () => concat(len(1), number()),
      () => concat(len(2), number()),
      () => moduleField.float(random.bytes(4)),
      () => concat(len(4), random.bytes(8)),
      text,
    ])();
  return concat(...Array.from({ length: random.below(30) }, one), u8(0));
}

/** A file of modules and other keys, with what modules keep before and after them. */
function sample(random: Random): Buffer {
  const id = () => len64((BigInt(random.word()) << 32n) | BigInt(random.word()));
  const aux = (when: number) => concat(u8(247), id(), len(2), len(when), fields(random));
  const builder = redis(11).aux('redis-ver', '7.2.6');
  for (let n = random.below(3); n > 0; n--) builder.raw(aux(1));
  builder.database(0);
  const keys = random.between(4, 20);
  for (let i = 0; i < keys; i++) {
    if (i === keys >> 1) builder.database(3);
    if (random.once(3)) builder.expiryMs(4102444800000 + i);
    if (random.once(4)) builder.key(0, `text:${i}`, str(`value ${i}`));
    else builder.key(7, `module:${i}`, id(), fields(random));
  }
  for (let n = random.below(3); n > 0; n--) builder.raw(aux(2));
  return builder.end();
}

async function recordsOf(bytes: Buffer): Promise<KeyRecord[]> {
  const records: KeyRecord[] = [];
  await decodeInto(new RdbRelay(new ValueCollector((record) => records.push(record))), bytes);
  const place = ({ database, key }: KeyRecord) => `${database} ${key}`;
  return records.sort((a, b) => (place(a) < place(b) ? -1 : 1)).map((each) => ({ ...each, offset: 0 }));
}

describe.each(seeds('opaque-modules'))('values that nobody understands (seed %i)', (seed) => {
  const bytes = sample(new Random(seed));

  test('are copied byte for byte', async () => {
    const copy = new MemoryTarget();
    await decodeInto(new RdbCopier(copy, () => true), bytes, 64);
    expect(copy.bytes().equals(bytes)).toBe(true);
  });

  test('are salvaged byte for byte', async () => {
    expect((await saved(bytes)).bytes.equals(bytes)).toBe(true);
  });

  test('are written as they are', async () => {
    const { writer, written } = memoryWriter('redis-7.2');
    await decodeInto(writer, bytes, 7);
    expect(written().losses).toEqual([]);
    expect(await recordsOf(written().bytes)).toEqual(await recordsOf(bytes));
    // What stands beside the keys, too.
    const again = memoryWriter('redis-7.2');
    await decodeInto(again.writer, written().bytes);
    expect(again.written().bytes.equals(written().bytes)).toBe(true);
  });

  test('are kept in a keyspace as they are', async () => {
    const keyspace = new Keyspace();
    await decodeInto(new KeyspaceLoader(keyspace), bytes);
    const { writer, written } = memoryWriter('redis-7.2');
    new Walk(keyspace, writer).run();
    writer.finish();
    expect(await recordsOf(written().bytes)).toEqual(await recordsOf(bytes));
  });
});
