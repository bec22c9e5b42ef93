import { expect, test } from 'vitest';
import { sliceOf } from '../../src/bytes/slice.js';
import { MemorySource } from '../../src/bytes/source.js';
import type { KeyRecord } from '../../src/model/value.js';
import { unpackVector, vectorBytes } from '../../src/model/vector.js';
import { readRdb } from '../../src/rdb/records.js';
import { corpusBytes, type KeyTruth, rdbCases } from '../support/corpus.js';

/** As the server told of it: the numbers of VEMB. */
interface VectorSetTruth {
  readonly members: readonly (readonly [element: string, numbers: readonly string[]])[];
}

async function recordsOf(bytes: Buffer): Promise<KeyRecord[]> {
  const records: KeyRecord[] = [];
  const options = { verifyChecksum: true, deep: true, batchRecords: 1000, batchBytes: 1 << 20 };
  for await (const batch of readRdb(new MemorySource(bytes), options)) records.push(...batch);
  return records;
}

test('vectors are the numbers that the server has for them', async () => {
  const { truth } = rdbCases('redis-8.8dev').find(({ name }) => name === 'types')!;
  const records = new Map(
    (await recordsOf(corpusBytes('redis-8.8dev', 'types.rdb'))).map((record) => [
      record.key.toString('base64'),
      record,
    ]),
  );
  const sets = truth.keys.filter((key: KeyTruth) => key.type === 'vectorset');
  expect(sets).toHaveLength(4);
  for (const { key, value: told } of sets) {
    const { value } = records.get(key)!;
    if (value.kind !== 'module' || value.vectorSet === null) throw new Error(`${key} is no vector set`);
    const vectors = new Map(
      value.vectorSet.vectors.map((one) => [one.element.toString('base64'), one.vector]),
    );
    const { members } = told as VectorSetTruth;
    expect(vectors.size).toBe(members.length);
    for (const [element, numbers] of members) {
      const vector = vectors.get(element)!;
      expect(vector).toHaveLength(numbers.length);
      // The server computes with 24 bits.
      for (const [i, number] of numbers.entries()) expect(vector[i]).toBeCloseTo(Number(number), 5);
    }
  }
});

test('bits come in words of 64, the lowest first', () => {
  const blob = sliceOf(`\x01${'\0'.repeat(7)}\x02${'\0'.repeat(7)}`);
  const shape = { dimensions: 66, quantization: 'binary' } as const;
  const vector = unpackVector(shape, { blob, range: 0, norm: 3 });
  expect(vector.flatMap((sign, i) => (sign === 1 ? [i] : []))).toEqual([0, 65]);
  expect([vectorBytes(64, 'binary'), vectorBytes(65, 'binary'), vectorBytes(3, 'fp32')]).toEqual([8, 16, 12]);
});

test('arrays, jobs and what streams remember are records like others', async () => {
  const { truth } = rdbCases('redis-8.8dev').find(({ name }) => name === 'array-sparse')!;
  const [array] = await recordsOf(corpusBytes('redis-8.8dev', 'array-sparse.rdb'));
  const told = truth.keys.find(({ key }) => key === array!.key.toString('base64'))!.value as {
    count: number;
  };
  expect(array!.value).toMatchObject({ kind: 'array' });
  expect(array!.value.kind === 'array' && array!.value.elements.length).toBe(told.count);
  const jobs = (await recordsOf(corpusBytes('keydb-6.3.4', 'types.rdb'))).filter(
    ({ value }) => value.kind === 'cron',
  );
  expect(jobs).toMatchObject([{ value: { kind: 'cron', script: expect.any(Buffer) } }]);
  const streams = await recordsOf(corpusBytes('redis-8.8dev', 'types.rdb'));
  const remembered = streams.flatMap(({ value }) =>
    value.kind === 'stream' ? (value.producers?.producers ?? []) : [],
  );
  expect(remembered.length).toBeGreaterThan(0);
  const released = streams.flatMap(({ value }) =>
    value.kind === 'stream' ? value.groups.flatMap((group) => group.released) : [],
  );
  expect(released.length).toBeGreaterThan(0);
});
