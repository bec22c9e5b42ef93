import { describe, expect, test } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { NdjsonDecoder } from '../../src/ndjson/decoder.js';
import { type NdjsonOptions, NdjsonWriter } from '../../src/ndjson/writer.js';
import { RdbRelay } from '../../src/tools/relay.js';
import { sampleDataset, tell } from '../property/sample.js';
import { ARCHIVED_SERVERS, corpusBytes, rdbCases } from '../support/corpus.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { decodeInto, expectSame } from '../support/rdb.js';
import { byPlace, Recorder } from '../support/recorder.js';

/** Hands on what stands around the dataset too. */
class Aside extends RdbRelay {
  constructor(private readonly writer: NdjsonWriter) {
    super(writer);
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    this.writer.aux(name, value);
  }

  override moduleAux(fragment: ByteSlice, last: boolean): void {
    this.writer.moduleAux(fragment, last);
  }
}

/** Takes vector sets as their bytes, as they stand in NDJSON. */
class ByteRecorder extends Recorder {
  override vectorSet(): void {}
  override vector(): void {}
}

async function written(rdb: Buffer, options: NdjsonOptions): Promise<Buffer> {
  const target = new MemoryTarget();
  const writer = new NdjsonWriter(target, options);
  await decodeInto(new Aside(writer), rdb);
  writer.finish();
  return target.bytes();
}

async function read(ndjson: Buffer, chunkBytes?: number): Promise<Recorder> {
  const reader = new Recorder();
  const decoder = new NdjsonDecoder(reader);
  await pumpSource(new MemorySource(ndjson), decoder, chunkBytes === undefined ? {} : { chunkBytes });
  return reader;
}

/** Files that hold what the others don't. */
const TELLING = /^(types|modules|array-sparse|cluster-multidb|evict-lfu)$/;

describe.each(ARCHIVED_SERVERS)('files of %s', (server) => {
  const names = rdbCases(server).map(({ name }) => name);
  test.each(names.filter((name) => THOROUGH || TELLING.test(name)))(
    '%s comes back as it was',
    async (name) => {
      const rdb = corpusBytes(server, `${name}.rdb`);
      const random = new Random(rdb.length);
      const ndjson = await written(rdb, { frame: 'lines', lineBytes: random.pick([200, 1 << 20]) });
      const lines = ndjson.toString('utf8').trimEnd().split('\n');
      for (const line of lines) JSON.parse(line);
      const expected = new ByteRecorder();
      await decodeInto(expected, rdb);
      const { keys, libraries } = await read(ndjson);
      expectSame(keys.sort(byPlace), expected.keys.sort(byPlace));
      expect(libraries.sort()).toEqual(expected.libraries.sort());
    },
  );
});

describe('generated datasets', () => {
  const kinds = ['string', 'list', 'set', 'zset', 'hash', 'stream'] as const;

  test.each(seeds('ndjson'))('come back whatever the lengths of lines and chunks (seed %i)', async (seed) => {
    const random = new Random(seed);
    const keys = sampleDataset(random, { kinds, fieldTtls: true, wholeSeconds: false }, 24);
    const target = new MemoryTarget();
    const [lineBytes, textBytes] = [random.pick([1, 50, 1000, 1 << 20]), random.pick([1, 7, 1 << 20])];
    const writer = new NdjsonWriter(target, { frame: 'lines', lineBytes, textBytes });
    tell(keys, writer, random);
    writer.finish();
    const recorder = new Recorder();
    tell(keys, recorder, new Random(0));
    const reader = await read(target.bytes(), random.pick([64, 1000, 1 << 19]));
    expectSame(reader.keys.sort(byPlace), recorder.keys.sort(byPlace));
    expect(writer.keys).toBe(recorder.keys.length);
  });

  test('in one document are the same records', async () => {
    const rdb = corpusBytes('redis-7.0.15', 'types.rdb');
    const document = JSON.parse((await written(rdb, { frame: 'document' })).toString('utf8'));
    const [header, ...lines] = (await written(rdb, { frame: 'lines', lineBytes: Number.POSITIVE_INFINITY }))
      .toString('utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(document).toEqual({ ...header, records: lines });
  });
});
