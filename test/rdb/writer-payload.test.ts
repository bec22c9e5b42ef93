import { expect, test } from 'vitest';
import { type Depth, ITEMS, ItemSink, type KeyHead, RAW } from '../../src/model/handler.js';
import { PayloadWriter } from '../../src/rdb/writer-payload.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { corpusBytes } from '../support/corpus.js';
import { decodeInto } from '../support/rdb.js';
import { payload } from '../support/rdb-builder.js';
import { concat, int8, len, listpack, str, u8 } from '../support/rdb-bytes.js';
import { describeServer, withServer } from '../support/server.js';
import { listening, rdbDigest } from './writer-digest.js';
import { elements, type Item, raw, tellKey, text } from './writer-teller.js';

interface Dumped {
  readonly database: number;
  readonly key: Buffer;
  readonly expiresAtMs: number;
  readonly payload: Buffer;
}

/** Dumps every key it is told of. */
class Dumper extends ItemSink {
  readonly dumped: Dumped[] = [];
  readonly writer: PayloadWriter;

  constructor(
    server: string,
    private readonly copies: boolean,
  ) {
    super();
    this.writer = new PayloadWriter(RDB_TARGETS.get(server)!, true);
  }

  override key(head: KeyHead): Depth {
    if (this.copies) this.writer.copy(head);
    else this.writer.begin(head);
    return this.copies ? RAW : ITEMS;
  }

  override keyEnd(head: KeyHead): void {
    if (!this.writer.finish()) return;
    const expiresAtMs = head.hasExpiry ? Number(head.expiresAtMs) : 0;
    const bytes = Buffer.from(this.writer.payload());
    this.dumped.push({ database: head.database, key: head.key.copy(), expiresAtMs, payload: bytes });
  }
}

/** The dumper and its writer as one handler: keys go to the one, items to the other. */
function dumping(server: string, copies: boolean) {
  const dumper = new Dumper(server, copies);
  const handler = new Proxy(dumper, {
    get: (_, name) => {
      const owner = name === 'key' || name === 'keyEnd' || !(name in dumper.writer) ? dumper : dumper.writer;
      const found: unknown = Reflect.get(owner, name);
      return typeof found === 'function' ? found.bind(owner) : found;
    },
  });
  return { dumper, handler };
}

function dump(server: string, parts: Partial<Omit<KeyHead, 'key'>>, ...items: Item[]): Buffer {
  const { dumper, handler } = dumping(server, false);
  tellKey(handler, 'never in it', { hasExpiry: true, expiresAtMs: 5, ...parts }, ...items);
  return dumper.dumped[0]!.payload;
}

test('a payload is type, value, version and checksum', () => {
  expect(dump('redis-7.0', {}, text('hello')).toString('hex')).toBe('000568656c6c6f0a006372df766534200a');
  expect(dump('redis-7.0', {}, text('7'))).toEqual(payload(10, u8(0), int8(7)));
  expect(dump('redis-6.2', { kind: 'set' }, elements('a'))).toEqual(payload(9, u8(2), len(1), str('a')));
  expect(dump('valkey-9.1', { kind: 'set' }, elements('a'))).toEqual(payload(80, u8(20), str(listpack('a'))));
});

test('a module value is its bytes', () => {
  const bytes = concat(len(2 ** 60), len(0));
  expect(dump('redis-7.0', { kind: 'module', typeId: 7 }, raw(bytes))).toEqual(payload(10, u8(7), bytes));
});

test('one writer makes one payload after the other', () => {
  const { dumper, handler } = dumping('redis-7.0', false);
  const large = 'x'.repeat(200_000);
  tellKey(handler, 'a', { kind: 'set' }, elements('not an integer', large));
  tellKey(handler, 'empty', { kind: 'set' });
  tellKey(handler, 'b', {}, text('1'));
  expect(dumper.dumped.map(({ key }) => String(key))).toEqual(['a', 'b']);
  expect(dumper.dumped[1]!.payload).toEqual(payload(10, u8(0), int8(1)));
});

describeServer('a server restores', () => {
  test.each([false, true])('every payload (copied from the file: %s)', async (copies) => {
    const bytes = corpusBytes('redis-7.0.15', 'types.rdb');
    const { dumper, handler } = dumping('redis-7.0', copies);
    await decodeInto(listening(handler), bytes);
    expect(dumper.dumped.length).toBeGreaterThan(100);
    const settings = { 'replica-read-only': 'no', 'sanitize-dump-payload': 'yes' };
    await withServer({ settings }, async (server) => {
      const { client } = server;
      for (const { database, key, expiresAtMs, payload } of dumper.dumped) {
        await client.select(database);
        await client.call('RESTORE', key, expiresAtMs, payload, 'ABSTTL');
      }
      expect(await server.digest()).toBe(await rdbDigest(bytes));
    });
  });
});
