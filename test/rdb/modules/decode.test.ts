import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ModuleData } from '../../../src/model/module-value.js';
import type { KeyRecord } from '../../../src/model/value.js';
import { ValueCollector } from '../../../src/model/value-collector.js';
import { decodeModuleValue, MODULE_LIMITS } from '../../../src/rdb/modules/decode.js';
import { RdbRelay } from '../../../src/tools/relay.js';
import { testdata } from '../../support/corpus.js';
import { seeds } from '../../support/effort.js';
import { processorMs } from '../../support/processor.js';
import { Random } from '../../support/random.js';
import { decodeInto } from '../../support/rdb.js';
import { redis } from '../../support/rdb-builder.js';
import { concat, len, len64, lzf, u8 } from '../../support/rdb-bytes.js';
import { readTarGz } from '../../support/tar.js';
import { double, moduleValue, string, uint } from './values.js';

const FAMILIES = ['json', 'redisbloom', 'redistimeseries'] as const;

/** The values of one release of each module, as their bytes stand. */
const RELEASES: Readonly<Record<(typeof FAMILIES)[number], readonly string[]>> = {
  json: ['redisjson-1.0.8', 'valkey-json-1.0.2'],
  redisbloom: ['2.0.3', '8.8.0'],
  redistimeseries: ['1.2.7', '1.8.0', '8.6.0'],
};

async function valuesOf(family: string, release: string, chunkBytes?: number): Promise<Map<string, Buffer>> {
  const bytes = readTarGz(readFileSync(testdata('modules', `${family}.tar.gz`))).get(`${release}.rdb`)!;
  const values = new Map<string, Buffer>();
  const take = ({ key, value }: KeyRecord) =>
    value.kind === 'module' && values.set(key.toString(), value.raw);
  await decodeInto(new RdbRelay(new ValueCollector(take)), bytes, chunkBytes);
  return values;
}

const all = await Promise.all(
  FAMILIES.flatMap((family) => RELEASES[family].map((release) => valuesOf(family, release))),
);
/** Real values, each short enough to be cut everywhere. */
const samples = all.flatMap((values) => [...values]).filter(([, raw]) => raw.length < 3000);

describe('real values', () => {
  test('are enough', () => expect(samples.length).toBeGreaterThan(60));

  test('come out the same when the file is read byte by byte', async () => {
    const whole = await valuesOf('redisbloom', '1.0.3');
    const single = await valuesOf('redisbloom', '1.0.3', 1);
    expect([...single]).toEqual([...whole]);
  });

  test('cut anywhere are malformed, never an error', () => {
    for (const [key, raw] of samples) {
      const step = Math.max(1, raw.length >> 5);
      for (let end = 9; end < raw.length; end += step) {
        const { problem } = decodeModuleValue(raw.subarray(0, end));
        if (problem !== 'malformed') expect([key, end, problem]).toEqual([key, end, 'malformed']);
      }
    }
  });

  test('with more behind them are malformed', () => {
    for (const [, raw] of samples) {
      const more = concat(raw.subarray(0, -1), uint(1), len(0));
      expect(decodeModuleValue(more).problem).toBe('malformed');
      expect(decodeModuleValue(concat(raw, len(0))).problem).toBe('malformed');
    }
  });

  test.each(seeds('module-bytes'))(
    'changed anywhere decode or are refused in short time (seed %i)',
    (seed) => {
      const random = new Random(seed);
      for (const [, raw] of samples) {
        for (let i = 0; i < 4; i++) {
          const changed = Buffer.from(raw);
          for (let n = random.between(1, 3); n > 0; n--)
            changed[random.between(9, raw.length - 1)] = random.word();
          const before = processorMs();
          const { data, problem } = decodeModuleValue(changed);
          expect(data === null).toBe(problem !== null);
          expect(processorMs() - before).toBeLessThan(500);
        }
      }
    },
  );

  test('beyond the limits are too large', () => {
    for (const [key, raw] of samples) {
      const data = decodeModuleValue(raw).data!;
      if (itemsIn(data) > 2) {
        expect(decodeModuleValue(raw, { ...MODULE_LIMITS, itemsMax: 2 }).problem, key).toBe('too-large');
      }
    }
  });
});

function itemsIn(data: ModuleData): number {
  if (data.type === 'time-series') return data.values.length;
  if (data.type === 't-digest') return data.centroids.length;
  if (data.type === 'top-k') return data.k;
  if (data.type === 'count-min-sketch') return data.counters.length;
  return 0;
}

describe('what is not known', () => {
  test.each([
    ['another module', moduleValue('hellotype', 0, uint(1)), 'unknown-module'],
    ['an encoding of tomorrow', moduleValue('TSDB-TYPE', 10, uint(1)), 'unknown-encoding'],
    ['an encoding that never was', moduleValue('ReJSON-RL', 1, string('{}')), 'unknown-encoding'],
    ['an id of another form', concat(len(300), Buffer.alloc(20)), 'unknown-module'],
    ['hardly anything', u8(0x81, 0), 'unknown-module'],
  ])('%s', (_name, raw, problem) => {
    expect(decodeModuleValue(raw)).toEqual({ data: null, problem });
  });
});

const MANY = 2n ** 62n;
const seriesHead = (version: number, compressed: boolean) => [
  string('k'),
  uint(0),
  uint(4096),
  ...(version >= 1 ? [uint(compressed ? 0 : 1)] : []),
  ...(version >= 2 ? [uint(1), double(1), uint(1), ...(version >= 3 ? [uint(0)] : []), uint(0)] : []),
  ...(version >= 8 ? [uint(0), double(0)] : []),
];
const chunk = (samples: number | bigint, bits: number | bigint, data: Buffer) => [
  uint(data.length),
  uint(samples),
  uint(bits),
  ...Array.from({ length: 7 }, () => uint(0)),
  string(data),
];

describe('counts that promise more than there is', () => {
  const bloom = (count: number | bigint) =>
    moduleValue('MBbloom--', 4, uint(1), uint(count), uint(0), uint(2));
  test.each([
    ['layers of a Bloom filter', bloom(MANY)],
    ['a few layers too many', bloom(1)],
    ['bits of a Bloom filter', moduleValue('MBbloom--', 1, ...bloomLayer(uint(MANY)))],
    ['layers of a cuckoo filter', moduleValue('MBbloomCF', 4, uint(MANY), uint(1), uint(1))],
    ['buckets of a cuckoo filter', moduleValue('MBbloomCF', 3, uint(1), uint(MANY), uint(1), string('ab'))],
    ['counters', moduleValue('CMSk-TYPE', 0, uint(2 ** 31), uint(2 ** 31), uint(0), string('abcd'))],
    [
      'cells of a top-k list',
      moduleValue('TopK-TYPE', 0, uint(2), uint(MANY), uint(1), double(1), string('')),
    ],
    [
      'places of a top-k list',
      moduleValue('TopK-TYPE', 0, uint(9), uint(0), uint(0), double(1), string(''), string('')),
    ],
    [
      'centroids',
      moduleValue('TDIS-TYPE', 0, double(1), double(0), double(0), uint(1), uint(MANY), uint(0), uint(0)),
    ],
    ['labels', moduleValue('TSDB-TYPE', 9, ...seriesHead(9, true), uint(MANY))],
    ['rules', moduleValue('TSDB-TYPE', 9, ...seriesHead(9, true), uint(0), uint(MANY))],
    [
      'samples one by one',
      moduleValue('TSDB-TYPE', 0, ...seriesHead(0, false), uint(0), uint(0), uint(MANY)),
    ],
    ['chunks', moduleValue('TSDB-TYPE', 9, ...seriesHead(9, true), uint(0), uint(0), uint(MANY))],
    ['samples of a chunk', series(...chunk(2 ** 31, 64, Buffer.alloc(8)))],
    ['bits of a chunk', series(...chunk(3, MANY, Buffer.alloc(8)))],
    ['more bits than the samples left', series(...chunk(5, 9, Buffer.alloc(2, 0xff)))],
    ['members of an object', moduleValue('ReJSON-RL', 0, uint(32), uint(MANY))],
    ['values of an array', moduleValue('ReJSON-RL', 0, uint(64), uint(MANY))],
    ['a map in CBOR', moduleValue('ReJSON-RL', 4, string(concat(u8(0xbb), Buffer.alloc(8, 0xff))))],
    ['a text in CBOR', moduleValue('ReJSON-RL', 4, string(u8(0x7a, 0xff, 0xff, 0xff, 0xff, 0x61)))],
  ])('%s', (_name, raw) => {
    expect(decodeModuleValue(raw)).toEqual({ data: null, problem: 'malformed' });
  });

  test('a text that unpacks beyond the limit is refused before it is unpacked', () => {
    // LZF: 1 kB that claims 200 kB.
    const packed = concat(len(5), u8(0xc3), len(1000), len(200_000), Buffer.alloc(1000));
    const raw = moduleValue('ReJSON-RL', 3, packed);
    expect(decodeModuleValue(raw, { bytesMax: 100_000, itemsMax: 10 }).data).toBeNull();
    const fine = moduleValue('ReJSON-RL', 3, concat(len(5), lzf('[1,2,3]')));
    expect(decodeModuleValue(fine).data).toEqual({ type: 'json', text: '[1,2,3]' });
  });
});

function bloomLayer(bits: Buffer): Buffer[] {
  return [uint(1), uint(1), uint(9), double(0.1), uint(1), double(1), bits, uint(0), string('abc'), uint(1)];
}

function series(...fields: Buffer[]): Buffer {
  return moduleValue('TSDB-TYPE', 9, ...seriesHead(9, true), uint(0), uint(0), uint(1), ...fields);
}

describe('documents', () => {
  const text = (raw: Buffer) => (decodeModuleValue(raw).data as { text: string } | null)?.text;
  const deep = (depth: number) =>
    moduleValue('ReJSON-RL', 0, ...Array.from({ length: depth }, () => concat(uint(64), uint(1))), uint(1));

  test('nested deeply need no stack, and end at a limit', () => {
    expect(text(deep(3000))).toBe(`${'['.repeat(3000)}null${']'.repeat(3000)}`);
    expect(decodeModuleValue(deep(20_000)).problem).toBe('too-large');
    const cbor = (depth: number) =>
      moduleValue('ReJSON-RL', 4, string(concat(Buffer.alloc(depth, 0x81), u8(0xf6))));
    expect(text(cbor(3000))).toBe(text(deep(3000)));
    expect(decodeModuleValue(cbor(100_000)).problem).toBe('too-large');
  });

  test('node by node: kinds that are none, and members that are none', () => {
    expect(decodeModuleValue(moduleValue('ReJSON-RL', 0, uint(3))).problem).toBe('malformed');
    expect(decodeModuleValue(moduleValue('ReJSON-RL', 0, uint(128), string('a'))).problem).toBe('malformed');
    const noMember = moduleValue('ReJSON-RL', 0, uint(32), uint(1), uint(8), uint(5), uint(8));
    expect(decodeModuleValue(noMember).problem).toBe('malformed');
  });

  test('node by node: what JSON makes of each kind', () => {
    const nodes = [
      concat(uint(8), uint(2n ** 64n - 5n)),
      concat(uint(4), double(2)),
      concat(uint(4), double(1e21)),
      concat(uint(4), double(Number.NaN)),
      concat(uint(16), string('1')),
      concat(uint(16), string('0')),
      concat(uint(2), string(Buffer.from('a"\u00e9\n'))),
      concat(uint(32), uint(0)),
      concat(uint(64), uint(0)),
    ];
    const raw = moduleValue('ReJSON-RL', 0, uint(64), uint(nodes.length), ...nodes);
    expect(text(raw)).toBe('[-5,2.0,1e21,null,true,false,"a\\"é\\n",{},[]]');
  });

  test('with the index that previews knew', () => {
    expect(text(moduleValue('ReJSON-RL', 2, string('{}'), uint(0)))).toBe('{}');
    expect(text(moduleValue('ReJSON-RL', 2, string('{}'), uint(1), string('i'), string('p')))).toBe('{}');
  });

  // Items as RFC 8949 lists them in its appendix A, and arrays of one type as RFC 8746 tags them.
  test.each([
    ['00', '0'],
    ['17', '23'],
    ['1818', '24'],
    ['1903e8', '1000'],
    ['1bffffffffffffffff', '18446744073709551615'],
    ['20', '-1'],
    ['3bffffffffffffffff', '-18446744073709551616'],
    ['f90000', '0.0'],
    ['f98000', '-0.0'],
    ['f93e00', '1.5'],
    ['f90001', '5.960464477539063e-8'],
    ['fa47c35000', '100000.0'],
    ['fb7e37e43c8800759c', '1e300'],
    ['fb3ff199999999999a', '1.1'],
    ['f97c00', 'null'],
    ['f4', 'false'],
    ['f5', 'true'],
    ['f6', 'null'],
    ['60', '""'],
    ['62225c', '"\\"\\\\"'],
    ['62c3bc', '"ü"'],
    ['80', '[]'],
    ['8301820203820405', '[1,[2,3],[4,5]]'],
    ['a26161016162820203', '{"a":1,"b":[2,3]}'],
    ['826161a161626163', '["a",{"b":"c"}]'],
    ['d8404301ff00', '[1,255,0]'],
    ['d8484301ff00', '[1,-1,0]'],
    ['d8454401000002', '[1,512]'],
    ['d84d44ffff0080', '[-1,-32768]'],
    ['d8464401000000', '[1]'],
    ['d84e44feffffff', '[-2]'],
    ['d84748ffffffffffffffff', '[18446744073709551615]'],
    ['d84f48ffffffffffffffff', '[-1]'],
    ['d8544600340035cd34', '[0.25,0.3125,0.3]'],
    ['d85448ff7b0068000000fc', '[65504.0,2048.0,0.0,null]'],
    ['d855480000c03fcdcccc3d', '[1.5,0.1]'],
    ['d856489a9999999999f13f', '[1.1]'],
    ['da0001000044803f9a3e', '[1.0,0.3]'],
  ])('CBOR %s is %s', (hex, json) => {
    expect(text(moduleValue('ReJSON-RL', 4, string(Buffer.from(hex, 'hex'))))).toBe(json);
  });

  test.each([
    ['cut short', '1903'],
    ['more than one item', '0000'],
    ['nothing', ''],
    ['an indefinite length', '9f01ff'],
    ['bytes', '4101'],
    ['a tag that is not known', 'c100'],
    ['a tag without bytes', 'd84000'],
    ['an array that does not come out even', 'd85543010203'],
    ['a name that is no text', 'a10102'],
    ['a simple value that is none', 'f7'],
  ])('CBOR that is refused: %s', (_name, hex) => {
    expect(decodeModuleValue(moduleValue('ReJSON-RL', 4, string(Buffer.from(hex, 'hex')))).problem).toBe(
      'malformed',
    );
  });
});

describe('compressed samples', () => {
  /** Bits are put from the lowest of each byte up. */
  const bits = (...parts: readonly (readonly [value: bigint, width: number])[]) => {
    let all = 0n;
    let at = 0n;
    for (const [value, width] of parts) {
      all |= BigInt.asUintN(width, value) << at;
      at += BigInt(width);
    }
    const data = Buffer.alloc(8 * Math.max(1, Math.ceil(Number(at) / 64)));
    for (let i = 0; i < data.length; i++) data[i] = Number((all >> BigInt(8 * i)) & 255n);
    return { data, count: Number(at) };
  };
  const decoded = (samples: number, first: bigint, { data, count }: { data: Buffer; count: number }) => {
    const [size, number, used, , , ...rest] = chunk(samples, count, data);
    const raw = series(size!, number!, used!, uint(0x3ff0000000000000n), uint(first), ...rest);
    return decodeModuleValue(raw);
  };

  test('steps of 64 bits go around the corner as they do in C', () => {
    const same = [0n, 1] as const;
    const step = (change: bigint) => [[0x3fn, 6] as const, [change, 64] as const, same] as const;
    const { data } = decoded(3, 5n, bits(...step(2n ** 63n), ...step(2n ** 63n)));
    expect(data).toMatchObject({ timestampsMs: [5, 2n ** 63n + 5n, 2n ** 63n + 5n], values: [1, 1, 1] });
  });

  test('every width of step, up and down', () => {
    const widths = [5, 8, 11, 15, 32];
    const parts = widths.flatMap((width, i) => {
      const mark = [BigInt(2 ** (i + 1) - 1), i + 2] as const;
      const most = 2n ** BigInt(width - 1);
      return [
        mark,
        [most - 1n, width] as const,
        [0n, 1] as const,
        mark,
        [1n - most, width] as const,
        [0n, 1] as const,
      ];
    });
    const { data } = decoded(11, 1000n, bits(...parts));
    const expected = [1000];
    for (const width of widths) {
      const step = 2 ** (width - 1) - 1;
      expected.push(expected.at(-1)! + step, expected.at(-1)! + step);
    }
    expect(data).toMatchObject({ timestampsMs: expected });
  });

  test('blocks that are wider than a value are refused', () => {
    const wide = bits([0n, 1], [3n, 2], [31n, 5], [63n, 6], [0n, 64]);
    expect(decoded(2, 0n, wide).problem).toBe('malformed');
  });
});

test('a value in a file is decoded, or kept with the reason', async () => {
  const told: unknown[] = [];
  const sink = new ValueCollector(
    ({ value }) =>
      value.kind === 'module' && told.push([value.name, value.version, value.decoded, value.undecoded]),
    (raw) => decodeModuleValue(raw),
  );
  const file = redis(9)
    .key(7, 'json', moduleValue('ReJSON-RL', 3, string('[1]')))
    .key(7, 'odd', moduleValue('ReJSON-RL', 9, string('[1]')))
    .key(7, 'other', len64(7), len(0))
    .end();
  await decodeInto(new RdbRelay(sink), file);
  expect(told).toEqual([
    ['ReJSON-RL', 3, { type: 'json', text: '[1]' }, null],
    ['ReJSON-RL', 9, null, 'unknown-encoding'],
    ['AAAAAAAAA', 7, null, 'unknown-module'],
  ]);
});
