import { describe, expect, test } from 'vitest';
import type { ByteReader, ByteSource } from '../../src/bytes/source.js';
import { MemorySource } from '../../src/bytes/source.js';
import type { KeyRecord } from '../../src/model/value.js';
import { type ReadRdbOptions, readRdb } from '../../src/rdb/records.js';
import { corpusBytes } from '../support/corpus.js';
import { redis } from '../support/rdb-builder.js';
import { concat, i64le, len, listpack, lzf, str, u8 } from '../support/rdb-bytes.js';
import { VALUES } from '../support/rdb-values.js';
import { alike } from '../support/same.js';

const options: ReadRdbOptions = { verifyChecksum: true, deep: true, batchRecords: 100, batchBytes: 1 << 20 };

async function batchesOf(source: ByteSource, more: Partial<ReadRdbOptions> = {}): Promise<KeyRecord[][]> {
  const batches: KeyRecord[][] = [];
  for await (const batch of readRdb(source, { ...options, ...more })) batches.push(batch);
  return batches;
}

async function valuesOf(type: number, value: Buffer): Promise<KeyRecord['value']> {
  const [batch] = await batchesOf(new MemorySource(redis(12).key(type, 'k', value).end()));
  return batch![0]!.value;
}

const b = (text: string): Buffer => Buffer.from(text);

describe('a record', () => {
  test('says all there is to know of its key', async () => {
    const bytes = redis(9)
      .database(3)
      .expiryMs(1772366400123)
      .idle(60)
      .key(0, 'a', str('text'))
      .freq(7)
      .key(1, 'b', len(1), str('x'))
      .end();
    expect(await batchesOf(new MemorySource(bytes))).toEqual([
      [
        {
          database: 3,
          key: b('a'),
          value: { kind: 'string', text: b('text') },
          expiresAtMs: 1772366400123,
          idleSeconds: 60,
          freq: null,
          metadata: null,
          encoding: 'embstr',
          offset: 11,
        },
        {
          database: 3,
          key: b('b'),
          value: { kind: 'list', elements: [b('x')] },
          expiresAtMs: null,
          idleSeconds: null,
          freq: 7,
          metadata: null,
          encoding: 'linkedlist',
          offset: 30,
        },
      ],
    ]);
  });

  test.each([
    ['string', 0, lzf('compressed'), { kind: 'string', text: b('compressed') }],
    [
      'list',
      18,
      concat(len(2), len(2), str(listpack('a', 5)), len(1), str('b')),
      { kind: 'list', elements: [b('a'), b('5'), b('b')] },
    ],
    ['set', 20, str(listpack('a', 1)), { kind: 'set', members: [b('a'), b('1')] }],
    [
      'zset',
      17,
      str(listpack('a', 1, 'b', '1.5')),
      {
        kind: 'zset',
        members: [
          { member: b('a'), score: 1 },
          { member: b('b'), score: 1.5 },
        ],
      },
    ],
    [
      'hash',
      25,
      concat(i64le(0), str(listpack('a', 1, 5000, 'b', 2, 0))),
      {
        kind: 'hash',
        fields: [
          { name: b('a'), value: b('1'), expiresAtMs: 5000 },
          { name: b('b'), value: b('2'), expiresAtMs: null },
        ],
      },
    ],
    [
      'module',
      7,
      concat(len(300), u8(0)),
      {
        kind: 'module',
        name: '',
        version: 0,
        raw: concat(len(300), u8(0)),
        vectorSet: null,
        decoded: null,
        undecoded: 'unknown-module',
      },
    ],
  ])('holds a %s', async (_, type, value, expected) => {
    expect(await valuesOf(type, value)).toEqual(expected);
  });

  test('holds a stream with its groups', async () => {
    const { type, value } = VALUES.find(({ what }) => what === 'a stream of the third generation')!;
    const short = (ms: number, seq: number) => ({ msHigh: 0, msLow: ms, seqHigh: 0, seqLow: seq });
    expect(await valuesOf(type, value)).toEqual({
      kind: 'stream',
      entries: [
        {
          id: short(1, 0),
          fields: [
            [b('f'), b('x')],
            [b('g'), b('5')],
          ],
        },
        { id: expect.objectContaining({ msLow: 3, seqLow: 0xffffffff }), fields: [[b('own'), b('z')]] },
        { id: short(9, 9), fields: [[b('f'), b('1772366400000')]] },
      ],
      meta: expect.objectContaining({ length: 3, entriesAdded: 4 }),
      groups: [
        {
          name: b('g'),
          lastId: short(1, 0),
          entriesRead: null,
          pending: [
            { id: short(1, 0), deliveredAtMs: 1772366400000, deliveryCount: 1 },
            { id: short(9, 9), deliveredAtMs: 1772366400000, deliveryCount: 300 },
          ],
          consumers: [
            { name: b('c'), seenAtMs: 1772366400000, activeAtMs: null, pending: [short(1, 0)] },
            { name: b('d'), seenAtMs: 1772366400000, activeAtMs: 1772366400000, pending: [short(9, 9)] },
          ],
          released: [],
        },
        { name: b('h'), lastId: short(0, 0), entriesRead: 0, pending: [], consumers: [], released: [] },
      ],
      producers: null,
    });
  });

  test('owns its bytes: later reading does not change it', async () => {
    const source = new MemorySource(corpusBytes('redis-7.2.6', 'bulk.rdb'));
    const records = (await batchesOf(source, { batchRecords: 10 })).flat();
    const again = (await batchesOf(source, { batchRecords: 1000 })).flat();
    alike(records, again);
    expect(records).toHaveLength(4998);
  });
});

describe('batches', () => {
  const strings = (count: number, size: number): Buffer => {
    const builder = redis(9);
    for (let i = 0; i < count; i++) builder.key(0, `key ${i}`, str('x'.repeat(size)));
    return builder.end();
  };

  test('have as many records as asked for, the last what is left', async () => {
    const batches = await batchesOf(new MemorySource(strings(25, 10)), { batchRecords: 10 });
    expect(batches.map((batch) => batch.length)).toEqual([10, 10, 5]);
    expect(batches.flat().map(({ key }) => key.toString())).toEqual(
      Array.from({ length: 25 }, (_, i) => `key ${i}`),
    );
  });

  test('end with the record that fills them', async () => {
    const batches = await batchesOf(new MemorySource(strings(6, 1000)), { batchBytes: 2000 });
    expect(batches.map((batch) => batch.length)).toEqual([2, 2, 2]);
  });

  test('of an empty file are none', async () => {
    expect(await batchesOf(new MemorySource(redis(9).end()))).toEqual([]);
  });

  test('before the damage come first, then the error', async () => {
    const bytes = concat(strings(15, 5).subarray(0, -9), u8(99));
    const seen: number[] = [];
    const reading = (async () => {
      for await (const batch of readRdb(new MemorySource(bytes), { ...options, batchRecords: 10 }))
        seen.push(batch.length);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'rdb/unknown-type' });
    expect(seen).toEqual([10, 5]);
  });
});

describe('the source', () => {
  class Watched implements ByteSource {
    readonly label = 'watched';
    readonly size: number;
    opened = 0;
    closed = 0;
    bytesRead = 0;

    constructor(private readonly bytes: Buffer) {
      this.size = bytes.length;
    }

    async open(): Promise<ByteReader> {
      this.opened++;
      const reader = await new MemorySource(this.bytes).open();
      return {
        read: async (into) => {
          const count = await reader.read(into);
          this.bytesRead += count;
          return count;
        },
        close: async () => {
          this.closed++;
        },
      };
    }
  }

  const large = (() => {
    const builder = redis(9);
    for (let i = 0; i < 300; i++) builder.key(0, `key ${i}`, str('x'.repeat(16000)));
    return builder.endUnchecked();
  })();

  test('is closed at the end', async () => {
    const source = new Watched(large);
    await batchesOf(source);
    expect(source).toMatchObject({ opened: 1, closed: 1, bytesRead: large.length });
  });

  test('is closed, and not read to its end, when the loop is left', async () => {
    const source = new Watched(large);
    for await (const batch of readRdb(source, { ...options, batchRecords: 5 })) {
      expect(batch).toHaveLength(5);
      break;
    }
    expect(source).toMatchObject({ opened: 1, closed: 1 });
    expect(source.bytesRead).toBeLessThan(large.length / 2);
  });

  test('is closed after an abort', async () => {
    const source = new Watched(large);
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _ of readRdb(source, { ...options, batchRecords: 5, signal: controller.signal })) {
        controller.abort(new Error('enough'));
      }
    })();
    await expect(reading).rejects.toThrow('enough');
    expect(source.closed).toBe(1);
  });
});

test('what stands around the keys goes to those who ask', async () => {
  const bytes = redis(10).aux('redis-ver', '7.0.15').library('#!lua name=a\nx').key(4, 'k', len(0)).end();
  const heard: unknown[] = [];
  await batchesOf(new MemorySource(bytes), {
    onHeader: ({ version }) => heard.push(version),
    onAux: (name, value) => heard.push([name, value]),
    onLibrary: (code) => heard.push(code.toString()),
    onWarning: (code) => heard.push(code),
    onEnd: ({ keys, checksum }) => heard.push([keys, checksum]),
  });
  expect(heard).toEqual([10, ['redis-ver', '7.0.15'], '#!lua name=a\nx', 'rdb/empty-value', [1, 'ok']]);
});
