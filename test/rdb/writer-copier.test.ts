import { expect, test } from 'vitest';
import { MemoryTarget } from '../../src/bytes/target.js';
import type { KeyHead } from '../../src/model/handler.js';
import { RdbCopier } from '../../src/rdb/writer-copier.js';
import { decodeInto } from '../support/rdb.js';
import { moduleField, type RdbBuilder, redis } from '../support/rdb-builder.js';
import { concat, i64le, len, len32, listpack, lzf, str, u8 } from '../support/rdb-bytes.js';

async function copied(
  bytes: Buffer,
  keeps: (head: KeyHead) => boolean,
  chunkBytes?: number,
): Promise<Buffer> {
  const memory = new MemoryTarget();
  await decodeInto(new RdbCopier(memory, keeps), bytes, chunkBytes);
  return memory.bytes();
}

const without =
  (...names: string[]) =>
  (head: KeyHead): boolean =>
    !names.includes(head.key.latin1());

const moduleRecord = (name: number, text: string) =>
  concat(u8(247), len(name), len(2), len(1), moduleField.string(text), len(0));

/** Forms that no writer of today would choose, and every kind of record. */
function odd(builder: RdbBuilder, key: (builder: RdbBuilder) => RdbBuilder): RdbBuilder {
  const start = builder
    .aux('redis-ver', '7.4.1')
    .raw(u8(250), lzf('a name that is compressed'), len32(1), 'v')
    .raw(moduleRecord(2 ** 41, 'before'))
    .library('#!lua name=lib\nredis.register_function("f", function() end)')
    .database(0)
    .raw(u8(251), len32(2), len32(1))
    .slotInfo(5, 1, 0);
  return key(start.key(0, 'first', lzf('plain')))
    .database(3)
    .key(16, 'last', lzf(listpack('f', 'v')))
    .raw(moduleRecord(2 ** 41, '\xfc after'));
}

const middle = (builder: RdbBuilder) =>
  builder.raw(u8(253), u8(1, 2, 3, 0), u8(249, 7), u8(0), len32(6), 'middle', lzf('value'));

test.each([1, 7, undefined])('a file kept whole is the same, read %s bytes at a time', async (chunk) => {
  const bytes = odd(redis(12), middle).end();
  expect(await copied(bytes, () => true, chunk)).toEqual(bytes);
});

test('the trailer is as the source has it', async () => {
  for (const bytes of [
    redis(6).key(0, 'k', str('v')).endUnchecked(),
    concat(redis(3).key(0, 'k', str('v')).bytes(), u8(255)),
  ]) {
    expect(await copied(bytes, () => true)).toEqual(bytes);
  }
});

test.each([1, undefined])(
  'a key that goes takes its attributes with it, read %s bytes at a time',
  async (chunk) => {
    const bytes = odd(redis(12), middle).end();
    expect(await copied(bytes, without('middle'), chunk)).toEqual(odd(redis(12), (builder) => builder).end());
  },
);

test('a key that goes takes along what KeyDB says of it, before and after', async () => {
  const key = (name: string) => (builder: RdbBuilder) =>
    builder
      .raw(u8(252), i64le(5))
      .aux('mvcc-tstamp', '99')
      .key(2, name, len(1), str('m'))
      .aux('keydb-subexpire-key', 'm')
      .aux('keydb-subexpire-when', '77');
  const start = () => redis(9).aux('repl-masters', 'x').database(0);
  const bytes = key('two')(key('one')(start())).aux('lua', 'return 1').end();
  expect(await copied(bytes, () => true)).toEqual(bytes);
  expect(await copied(bytes, without('one'))).toEqual(key('two')(start()).aux('lua', 'return 1').end());
  expect(await copied(bytes, without('two'))).toEqual(key('one')(start()).aux('lua', 'return 1').end());
  expect(await copied(bytes, () => false)).toEqual(start().aux('lua', 'return 1').end());
});
