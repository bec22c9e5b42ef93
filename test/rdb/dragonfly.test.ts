import { describe, expect, it } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import { MemorySource } from '../../src/bytes/source.js';
import { FormatError } from '../../src/errors.js';
import { SKIP } from '../../src/model/handler.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { inParts } from '../support/chop.js';
import { LZ4_VARIANTS, lz4Frame, zstdFrame } from '../support/pack.js';
import { decodeInto, memoryWriter } from '../support/rdb.js';
import { RdbBuilder } from '../support/rdb-builder.js';
import { type Bytes, concat, f64le, i64le, len, str, u8, u32le } from '../support/rdb-bytes.js';
import { type EventOptions, eventSubject, RdbEvents } from '../support/rdb-events.js';

// Built from a description: no file of a real Dragonfly is at hand.

const BASE_MS = 1675209600000;

const dragonfly = (): RdbBuilder =>
  new RdbBuilder('REDIS0009').aux('redis-ver', '6.2.11').aux('df-ver', 'df-v1.30.0').database(0);

const file = (...records: Bytes[]): Buffer =>
  dragonfly()
    .raw(...records)
    .endUnchecked();
const record = (type: number, key: string, ...value: Bytes[]): Buffer => concat(u8(type), str(key), ...value);
const blob = (opcode: number, frame: Buffer): Buffer => concat(u8(opcode), len(frame.length), frame);

/** A frame as Dragonfly writes it: a single segment with its size, here in four bytes. */
function zstdSized(plain: Buffer, claimed = plain.length): Buffer {
  return concat(Buffer.from('28b52ffda0', 'hex'), u32le(claimed), zstdFrame([plain]).subarray(6));
}

const RECORDS = concat(
  record(0, 'text', str('x'.repeat(300))),
  u8(254, 3),
  concat(u8(252), i64le(1772366400123)),
  concat(u8(220), u32le(3), u32le(7)),
  record(0, 'expiring', str('value')),
  record(4, 'hash', len(2), str('a'), str('1'), str('b'), str('2')),
  record(1, 'list', len(30), ...Array.from({ length: 30 }, (_, i) => str(`element ${i}`))),
);
const PACKED: readonly (readonly [what: string, packed: Buffer])[] = [
  ...LZ4_VARIANTS.map(
    (options) => [`LZ4 ${JSON.stringify(options)}`, blob(202, lz4Frame(RECORDS, options))] as const,
  ),
  ['zstd', blob(201, zstdSized(RECORDS))],
];

/**
 * What is told of a file, and the error that ends it: whole, byte by byte, split, and pausing after each item, which
 * inside a blob moves nothing in the file.
 */
async function decoded(
  bytes: Buffer,
  options: EventOptions = {},
): Promise<{ lines: string[]; error: string }> {
  const ends = [[bytes.length], Array.from(bytes, (_, i) => i + 1)];
  for (let i = 1; i < 12; i++) ends.push([Math.floor((i * bytes.length) / 12), bytes.length]);
  const ways = ends.map((parts) => {
    const { outcome, error } = inParts(bytes, eventSubject(options, false), parts);
    return { lines: outcome, error: error === null ? '' : `${error.code} at ${error.offset}` };
  });
  const events = new RdbEvents(options.depth, true);
  const machine = new RdbDecoder(events, { verifyChecksum: true, deep: true, onWarning: events.warn });
  const ended = await pumpSource(new MemorySource(bytes), machine, { drain: async () => {} }).catch(
    (error: FormatError) => error,
  );
  const error = ended instanceof FormatError ? `${ended.code} at ${ended.offset}` : '';
  ways.push({ lines: events.lines, error });
  for (const way of ways) expect(way).toEqual(ways[0]);
  return ways[0]!;
}

/** Events without the places of keys, which inside a blob are counted otherwise. */
async function told(bytes: Buffer, options: EventOptions = {}): Promise<string[]> {
  const { lines, error } = await decoded(bytes, options);
  expect(error).toBe('');
  return lines.map((line) => line.replace(/ at \d+/, '').replace(/ to \d+/, ''));
}

const errorOf = async (bytes: Buffer): Promise<string> => (await decoded(bytes)).error;

describe('a blob', () => {
  it.each(PACKED)('of %s tells what stands in it', async (_what, packed) => {
    const after = record(0, 'after', str('1'));
    expect(await told(file(packed, after))).toEqual(await told(file(RECORDS, after)));
    expect(await told(file(packed, packed))).toEqual(await told(file(RECORDS, RECORDS)));
    expect(await told(file(packed), { depth: SKIP })).toEqual(await told(file(RECORDS), { depth: SKIP }));
  });

  it('leaves the attributes of a key to the key after it', async () => {
    const expiry = concat(u8(252), i64le(5000));
    const key = record(0, 'k', str('v'));
    expect(await told(file(blob(202, lz4Frame(expiry)), key))).toEqual(await told(file(expiry, key)));
  });

  const frame = lz4Frame(RECORDS, { blockChecksums: true, contentChecksum: true, contentSize: true });
  const start = dragonfly().bytes().length;
  const changed = (at: number) => {
    const bytes = Buffer.from(frame);
    bytes.writeUInt8(bytes[at]! ^ 1, at);
    return bytes;
  };

  it.each([
    ['a changed block', blob(202, changed(40))],
    ['a changed header', blob(202, changed(5))],
    ['a changed content checksum', blob(202, changed(frame.length - 1))],
    ['half a frame', blob(202, frame.subarray(0, frame.length >> 1))],
    ['a frame and a rest', blob(202, concat(frame, u8(0)))],
    ['two frames', blob(202, concat(frame, frame))],
    ['a legacy frame', blob(202, concat(u32le(0x184c2102), frame))],
    ['a zstd frame in the place of an LZ4 frame', blob(202, zstdSized(RECORDS))],
    ['zstd without a size', blob(201, zstdFrame([RECORDS]))],
    ['zstd that claims 4 GB', blob(201, zstdSized(RECORDS, 0xffffffff))],
    ['zstd that claims one byte more', blob(201, zstdSized(RECORDS, RECORDS.length + 1))],
    ['zstd that claims one byte less', blob(201, zstdSized(RECORDS, RECORDS.length - 1))],
    ['half a zstd frame', blob(201, zstdSized(RECORDS).subarray(0, 100))],
    ['nothing', blob(201, Buffer.alloc(0))],
  ])('of %s is refused', async (_what, packed) => {
    expect(await errorOf(file(packed))).toBe(`rdb/bad-blob at ${start}`);
  });

  it.each([
    ['an item cut', RECORDS.subarray(0, 100), 'rdb/truncated'],
    ['a value cut', RECORDS.subarray(0, RECORDS.length - 3), 'rdb/truncated'],
    ['an end mark', concat(RECORDS, u8(255)), 'rdb/unknown-opcode'],
    ['a blob in a blob', blob(202, lz4Frame(RECORDS)), 'rdb/unknown-opcode'],
    ['a length beyond its end', record(0, 'k', len(1000)), 'rdb/'],
    ['a number that is none', u8(99), 'rdb/unknown-type'],
  ])('with %s is refused at its own offset', async (_what, plain, code) => {
    expect(await errorOf(file(blob(202, lz4Frame(Buffer.from(plain)))))).toContain(code);
    expect(await errorOf(file(blob(202, lz4Frame(Buffer.from(plain)))))).toContain(` at ${start}`);
  });
});

describe('types', () => {
  it('with expiring fields and members', async () => {
    const hash = record(31, 'h', len(2), str('a'), str('1'), str('-1'), str('b'), str('2'), str('86400'));
    const set = record(32, 's', len(2), str('m'), str('-1'), str('n'), str('5'));
    const lines = await told(file(hash, set));
    expect(lines).toContain(`field "b" "2" ${BASE_MS + 86400_000}`);
    expect(lines).toContain('field "a" "1"');
    expect(lines.filter((line) => line.startsWith('element'))).toEqual(['element "m"', 'element "n"']);
    expect((await told(file(hash, set), { depth: SKIP })).at(-1)).toContain('keys 2');
    for (const time of ['', 'x', '-2', '99999999999', '1.5']) {
      expect(await errorOf(file(record(31, 'h', len(1), str('a'), str('1'), str(time))))).toContain(
        'rdb/bad-field-expiry',
      );
      expect(await errorOf(file(record(32, 's', len(1), str('a'), str(time))))).toContain(
        'rdb/bad-field-expiry',
      );
    }
    expect(await errorOf(file(record(32, 's', len(2), str('a'), str('-1'), str('a'), str('-1'))))).toContain(
      'rdb/duplicate-member',
    );
  });

  const filter = [len(0), f64le(2), f64le(0.01), len(0), len(10), len(100), len(1), len(7)];
  const OPAQUE: readonly (readonly [what: string, type: number, value: Buffer])[] = [
    ['json', 30, str('{"a":[1,2,3]}')],
    ['sbf', 33, concat(...filter, str('bits'))],
    ['sbf', 34, concat(...filter, len(5), len(2), 'ab', len(3), 'cde')],
    ['cms', 35, concat(len(2), len(3), len(9), ...Array.from({ length: 6 }, (_, i) => i64le(i)))],
    [
      'topk',
      36,
      concat(
        len(0),
        len(3),
        len(8),
        len(7),
        f64le(0.9),
        len(1),
        str('item'),
        len(5),
        len(8),
        u32le(1),
        u32le(2),
      ),
    ],
    [
      'cuckoo',
      37,
      concat(len(1), len(2), len(3), len(4), len(5), len(6), len(2), len(2), len(2), 'xy', len(0)),
    ],
  ];

  it.each(OPAQUE)('%s (%i) is kept as it stands', async (encoding, type, value) => {
    const lines = await told(file(record(type, 'k', value), record(0, 'after', str('1'))));
    expect(lines).toContain(`key "k" db 0 module ${encoding} type ${type}`);
    expect(lines).toContain(`raw ${value.toString('hex')}`);
    expect(lines).toContain('key "after" db 0 string int type 0'.replace('int', 'embstr'));
  });

  it.each(OPAQUE)(
    '%s (%i) is written for no other server, and named as lost',
    async (_encoding, type, value) => {
      const { writer, written } = memoryWriter('redis-8.0');
      await decodeInto(writer, file(record(type, 'k', value), record(0, 'after', str('1'))));
      writer.finish();
      expect(written().losses.map(({ what }) => what)).toEqual(['module']);
      expect(written().bytes.includes('after')).toBe(true);
    },
  );

  it('with lengths that lie', async () => {
    const chunk = (...chunks: Bytes[]) => errorOf(file(record(34, 'k', ...filter, ...chunks)));
    expect(await chunk(len(5), len(6), 'abcdef')).toContain('rdb/bad-length');
    expect(await chunk(len(5), len(0))).toContain('rdb/bad-length');
    expect(await chunk(len(2 ** 40), len(2 ** 39))).toContain('rdb/truncated');
    const wide = record(35, 'k', len(2 ** 32 - 1), len(2 ** 32 - 1), len(0));
    expect(await errorOf(file(wide))).toContain('rdb/truncated');
  });
});

describe('records around the keys', () => {
  const key = record(0, 'k', str('v'));

  it('are read past', async () => {
    const node = concat(u32le(1), i64le(2), u32le(1), u32le(2), u32le(5), u32le(6), u32le(0));
    const records = concat(
      u8(200),
      i64le(0),
      u8(211),
      i64le(77),
      concat(u8(222), str('index:field'), len(0), len(2), node, node),
      concat(u8(223), len(0), str('index'), len(2), str('a'), len(1), str('b'), len(2)),
      concat(u8(220), u32le(1)),
    );
    expect(await told(file(records, key))).toEqual(await told(file(key)));
  });

  it('that hold changes are told', async () => {
    const journal = concat(u8(210), len(3), str('entries'));
    const lines = await told(file(journal, key));
    const warning = lines.find((line) => line.startsWith('warning'));
    expect(warning?.replace(/ \d+/, '')).toBe('warning rdb/journal-entries 3 7');
    expect(lines.filter((line) => !line.startsWith('warning'))).toEqual(await told(file(key)));
  });

  it('are bounded by what is there', async () => {
    const huge = [
      concat(u8(222), str('i'), len(0), len(2 ** 40), u32le(1)),
      concat(u8(222), str('i'), len(0), len(1), u32le(1), i64le(2), u32le(0xffffffff)),
      concat(u8(222), str('i'), len(0), len(1), u32le(1), i64le(2), u32le(0), u32le(0xffffffff)),
      concat(u8(223), len(0), str('index'), len(2 ** 40), str('a'), len(1)),
      concat(u8(210), len(2 ** 40), len(2 ** 30)),
    ];
    for (const bytes of huge)
      expect(await errorOf(concat(dragonfly().bytes(), bytes))).toContain('rdb/truncated');
  });

  it('mean nothing in the files of others', async () => {
    const redis = new RdbBuilder('REDIS0009')
      .database(0)
      .raw(blob(202, lz4Frame(RECORDS)))
      .endUnchecked();
    expect(await errorOf(redis)).toContain('rdb/unknown-opcode');
  });
});

describe('records in chunks', () => {
  const chunk = (number: number, bytes: Buffer) => concat(u8(224), u32le(number), u32le(bytes.length), bytes);
  const chunks = (number: number, bytes: Buffer, size: number) =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      chunk(number, bytes.subarray(i * size, (i + 1) * size)),
    );
  const list = concat(
    concat(u8(252), i64le(1772366400123)),
    record(1, 'list', len(30), ...Array.from({ length: 30 }, (_, i) => str(`element ${i}`))),
  );
  const hash = record(4, 'hash', len(2), str('a'), str('1'), str('b'), str('x'.repeat(200)));
  const text = record(0, 'text', str('some text'));

  it.each([1, 7, 50, 1000])(
    'of %i bytes tell what they make together, where the last one stands',
    async (size) => {
      expect(await told(file(...chunks(9, list, size), text))).toEqual(await told(file(list, text)));
      expect(await told(file(...chunks(9, list, size)), { depth: SKIP })).toEqual(
        await told(file(list), { depth: SKIP }),
      );
    },
  );

  it('may stand among others, and a number may come again', async () => {
    const [first, ...rest] = chunks(1, list, 60);
    const [other, ...more] = chunks(2, hash, 60);
    const mixed = file(first!, text, other!, ...more, ...rest, ...chunks(1, text, 3));
    expect(await told(mixed)).toEqual(await told(file(text, hash, list, text)));
  });

  it('belong to the database in which the first one stands', async () => {
    const [first, ...rest] = chunks(1, hash, 60);
    const third = concat(u8(254, 3));
    const lines = await told(file(first!, third, text, ...rest, text));
    const keys = lines.filter((line) => line.startsWith('key'));
    expect(keys.map((line) => line.slice(0, 15))).toEqual([
      'key "text" db 3',
      'key "hash" db 0',
      'key "text" db 3',
    ]);
  });

  it('may be compressed', async () => {
    const [first, ...rest] = chunks(4, list, 100);
    const packed = blob(202, lz4Frame(concat(text, first!, hash)));
    const last = blob(202, lz4Frame(concat(...rest, text)));
    expect(await told(file(packed, last))).toEqual(await told(file(text, hash, text, list)));
  });

  const start = dragonfly().bytes().length;
  it.each([
    ['without a number', file(chunk(0, text)), 'rdb/bad-chunk'],
    ['without a byte', file(chunk(1, Buffer.alloc(0))), 'rdb/bad-chunk'],
    ['of a record that does not end', file(...chunks(1, list.subarray(0, 90), 40), text), 'rdb/bad-chunk'],
    ['of no record', file(chunk(1, Buffer.from([99, 1, 65]))), 'rdb/unknown-type'],
    ['with an end mark in them', file(chunk(1, concat(u8(255), text))), 'rdb/bad-chunk'],
    ['that hold chunks', file(chunk(1, chunk(2, text))), 'rdb/unknown-opcode'],
    [
      'that claim 4 GB',
      concat(dragonfly().bytes(), u8(224), u32le(1), u32le(0xffffffff), 'xx'),
      'rdb/bad-chunk',
    ],
    [
      'that claim more than is there',
      concat(dragonfly().bytes(), u8(224), u32le(1), u32le(999), 'xx'),
      'rdb/truncated',
    ],
  ])('%s are refused at their offset', async (_what, bytes, code) => {
    expect(await errorOf(bytes)).toBe(`${code} at ${start}`);
  });

  it('are written for others as what they make', async () => {
    const { writer, written } = memoryWriter('redis-7.2');
    await decodeInto(writer, file(...chunks(1, hash, 30), ...chunks(2, list, 30)));
    const plain = memoryWriter('redis-7.2');
    await decodeInto(plain.writer, file(hash, list));
    expect(written().losses).toEqual([]);
    expect(written().bytes.equals(plain.written().bytes)).toBe(true);
  });
});
