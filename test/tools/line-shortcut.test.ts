import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { FormatError } from '../../src/errors.js';
import { type NdjsonOptions, NdjsonWriter } from '../../src/ndjson/writer.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import type { Shortcut } from '../../src/rdb/shortcut.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { LineShortcut } from '../../src/tools/convert/line-shortcut.js';
import { RdbRelay } from '../../src/tools/relay.js';
import { sampleDataset, tell } from '../property/sample.js';
import { ARCHIVED_SERVERS, CORRUPT_SERVERS, corpusBytes, corruptCases, rdbCases } from '../support/corpus.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { memoryWriter } from '../support/rdb.js';
import { redis } from '../support/rdb-builder.js';
import { concat, f64le, len32, str, u8 } from '../support/rdb-bytes.js';

/** Full at every other look. */
class HesitantWriter extends NdjsonWriter {
  private asked = 0;
  override get full(): boolean {
    return ++this.asked % 2 === 0;
  }
}

class Lines extends RdbRelay {
  constructor(
    readonly writer: NdjsonWriter,
    readonly shortcut: Shortcut | null,
  ) {
    super(writer);
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    this.writer.aux(name, value);
  }

  override moduleAux(fragment: ByteSlice, last: boolean): void {
    this.writer.moduleAux(fragment, last);
  }

  override get full(): boolean {
    return this.writer.full;
  }
}

interface Way {
  readonly options?: NdjsonOptions;
  readonly chunkBytes?: number;
  readonly hesitant?: boolean;
}

interface Outcome {
  readonly text: string;
  readonly keys: number;
  readonly error: unknown;
  /** Keys that the shortcut completed. */
  readonly short: number;
}

const LINES: NdjsonOptions = { frame: 'lines' };

async function written(rdb: Buffer, short: boolean, way: Way): Promise<Outcome> {
  const target = new MemoryTarget();
  const Writer = way.hesitant ? HesitantWriter : NdjsonWriter;
  const writer = new Writer(target, way.options ?? LINES);
  const shortcut = short ? LineShortcut.create(writer)! : null;
  const taken = { keys: 0 };
  const counting = shortcut && counted(shortcut, taken);
  const decoder = new RdbDecoder(new Lines(writer, counting), { verifyChecksum: true, deep: false });
  let error: unknown = null;
  try {
    await pumpSource(new MemorySource(rdb), decoder, {
      drain: async () => {},
      ...(way.chunkBytes !== undefined && { chunkBytes: way.chunkBytes }),
    });
    writer.finish();
  } catch (thrown) {
    if (!(thrown instanceof FormatError)) throw thrown;
    const { code, offset, trail } = thrown;
    error = { code, offset, trail, detail: { ...thrown.detail, available: 0 } };
  }
  return { text: target.bytes().latin1Slice(), keys: writer.keys, error, short: taken.keys };
}

function counted(shortcut: LineShortcut, taken: { keys: number }): Shortcut {
  return {
    get keys() {
      return shortcut.keys;
    },
    take(cursor, database, dialect) {
      const progress = shortcut.take(cursor, database, dialect);
      taken.keys += shortcut.keys;
      return progress;
    },
    leave: () => shortcut.leave(),
  };
}

/** Both ways; the same text, or the same error. Returns the number of keys that went the short way. */
async function same(rdb: Buffer, way: Way = {}): Promise<number> {
  const long = await written(rdb, false, way);
  const { short, ...outcome } = await written(rdb, true, way);
  expect(outcome.error).toEqual(long.error);
  if (outcome.error !== null) return short;
  // Comparing large texts costs more when it is left to `expect`.
  if (outcome.text !== long.text) expect(outcome.text.split('\n')).toEqual(long.text.split('\n'));
  expect(outcome.keys).toBe(long.keys);
  return short;
}

const WAYS: readonly Way[] = [
  {},
  { options: { frame: 'lines', lineBytes: 150 } },
  { options: { frame: 'document' } },
  { chunkBytes: 1000, hesitant: true },
  { options: { frame: 'lines', lineBytes: 40 }, chunkBytes: 37 },
];

/** Files that hold what the others don't. */
const TELLING = /^(types|evict-lfu)$/;

describe.each(ARCHIVED_SERVERS)('files of %s', (server) => {
  const names = rdbCases(server).map(({ name }) => name);
  test.each(names.filter((name) => THOROUGH || TELLING.test(name)))('%s', async (name) => {
    const rdb = corpusBytes(server, `${name}.rdb`);
    // Where lines of modules break depends on how their bytes come.
    const ways = name === 'modules' ? WAYS.slice(0, -1) : [...WAYS];
    for (const way of THOROUGH ? ways : [new Random(name.length + server.length).pick(ways)]) {
      await same(rdb, way);
    }
  });
});

test('most keys of a common file go the short way', async () => {
  expect(await same(corpusBytes('redis-7.0.15', 'types.rdb'))).toBeGreaterThan(100);
});

describe.each(CORRUPT_SERVERS)('damaged files of %s', (server) => {
  const rdbs = corruptCases(server).filter(({ name }) => name.endsWith('.rdb'));
  test('end with the same error', async () => {
    const step = THOROUGH ? 1 : 12;
    for (let i = 0; i < rdbs.length; i += step) {
      const rdb = readFileSync(rdbs[i]!.path);
      await same(rdb, WAYS[i % WAYS.length]);
    }
  });
});

describe.each([...RDB_TARGETS.keys()].filter((_, i) => THOROUGH || i % 5 === 0))('made for %s', (name) => {
  const { stream, fieldExpiry, millisecondExpiry } = RDB_TARGETS.get(name)!;
  test.each(seeds(`lines ${name}`))('seed %i', async (seed) => {
    const random = new Random(seed);
    const kinds = ['string', 'list', 'set', 'zset', 'hash'] as const;
    const ingredients = {
      kinds: stream === null ? kinds : [...kinds, 'stream' as const],
      fieldTtls: fieldExpiry !== 'none',
      wholeSeconds: !millisecondExpiry,
    };
    const { writer, written: made } = memoryWriter(name, { compress: random.once(2) });
    tell(sampleDataset(random, ingredients, 24), writer, random);
    writer.finish();
    await same(made().bytes, random.pick([...WAYS]));
  });
});

describe('values', () => {
  test('texts of every byte, and of every two', async () => {
    const file = redis(11);
    for (let byte = 0; byte < 256; byte++) {
      file.key(0, u8(byte), str(concat('text before it 0123', u8(byte), 'and behind')));
    }
    const random = new Random(7);
    for (let i = 0; i < 4096; i++) {
      const lead = 0xc0 + random.below(64);
      const tail = Array.from({ length: random.below(4) }, () => 0x70 + random.below(0x90));
      file.key(
        0,
        `k${i}`,
        str(concat('é'.repeat(random.below(3)), u8(lead, ...tail), 'z'.repeat(random.below(20)))),
      );
    }
    for (const text of ['𐀀𝄞\u{10ffff}', '\u0080\u009f\u00a0', '퟿\ue000', '"\\\b\f\n\r\t\x7f']) {
      file.key(0, text, str(text));
    }
    file.key(0, 'surrogate', str(u8(0xed, 0xa0, 0x80)));
    expect(await same(file.endUnchecked())).toBe(256 + 4096 + 5);
  });

  test('scores as digits, whatever they are', async () => {
    const random = new Random(11);
    const scores = [
      0,
      -0,
      1e8,
      1e15,
      123456789e8,
      2 ** 53,
      2 ** 53 + 2,
      1e21,
      5e-324,
      1.7976931348623157e308,
      0.1,
      1 / 3,
    ];
    scores.push(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-7, 1.5e-6, -2.5);
    for (let i = 0; i < 500; i++)
      scores.push((random.below(2 ** 32) - 2 ** 31) / 16, random.below(5000) / 8, -i / 4);
    const words = new DataView(new ArrayBuffer(8));
    for (let i = 0; i < 6000; i++) {
      words.setUint32(0, random.below(2 ** 32));
      words.setUint32(4, random.below(2 ** 32));
      const value = words.getFloat64(0);
      if (!Number.isNaN(value)) scores.push(value);
      scores.push(
        random.below(1e9) / 10 ** random.below(9),
        (random.below(2e9) - 1e9) * 10 ** random.below(20),
      );
    }
    const members = scores.map((score, i) => concat(str(`m${i}`), f64le(score)));
    const texts = scores
      .slice(0, 3000)
      .map((score) => concat(str('m'), str(String(score).replace('Infinity', 'inf'))));
    const file = redis(11)
      .key(5, 'binary', len32(members.length), ...members)
      .key(3, 'texts', len32(texts.length), ...texts);
    expect(await same(file.endUnchecked())).toBe(2);
  });

  test('numbers of every size in listpacks, ziplists and intsets', async () => {
    const edges = [0, 127, 128, 4095, 4096, 32767, 32768, 8388607, 8388608, 2147483647, 2147483648].flatMap(
      (edge) => [edge, -edge, -edge - 1],
    );
    const elements = [
      ...edges.map(String),
      '9223372036854775807',
      '-9223372036854775808',
      'x'.repeat(70),
      'y'.repeat(5000),
    ];
    for (const server of ['redis-2.8', 'redis-7.4']) {
      const { writer, written: made } = memoryWriter(server, { compress: false });
      const random = new Random(3);
      const value = { kind: 'list' as const, elements: elements.map((each) => Buffer.from(each)) };
      tell([{ db: 0, key: Buffer.from('l'), expiresAtMs: -1, value }], writer, random);
      writer.finish();
      await same(made().bytes);
    }
  });
});
