import { describe, expect, test } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import { FileSource } from '../../src/bytes/source.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { CORPUS_SERVERS, rdbCases } from '../support/corpus.js';
import { expectSame } from '../support/rdb.js';
import { asFarAsTold, byPlace, Recorder, recordedTruth } from '../support/recorder.js';

/**
 * A time beyond 2038, written in 32 bits of seconds, reads as one before 1970: the servers find the key long expired
 * and leave it out while loading.
 */
const OVERFLOWED: Readonly<Record<string, readonly string[]>> = { 'redis-2.4/types': ['ttl:expireat-sec'] };

describe.each(CORPUS_SERVERS)('%s', (server) => {
  for (const { name, title, path, truth } of rdbCases(server)) {
    test(`${name}: every key, value and time as the server told them`, async () => {
      const recorder = new Recorder();
      const warnings: string[] = [];
      const decoder = new RdbDecoder(recorder, {
        verifyChecksum: true,
        deep: true,
        onWarning: (code, offset) => warnings.push(`${code} at ${offset}`),
      });
      await pumpSource(await FileSource.at(path), decoder);
      expect(warnings).toEqual([]);
      const overflowed = recorder.keys.filter((key) => key.pexpiretime !== null && key.pexpiretime < 0);
      expect(overflowed.map((key) => Buffer.from(key.key, 'base64').toString())).toEqual(
        OVERFLOWED[title] ?? [],
      );
      const recorded = recorder.keys.filter((key) => !overflowed.includes(key)).sort(byPlace);
      expect(recorded.map(({ db, key }) => [db, key])).toEqual(
        truth.keys.map(({ db, key }) => [db, key]).sort(byDatabaseAndName),
      );
      const keyed = new Map(recorded.map((key) => [`${key.db} ${key.key}`, key]));
      for (const told of truth.keys) {
        const key = keyed.get(`${told.db} ${told.key}`)!;
        if (key.pexpiretime !== told.pexpiretime)
          expect([told.key, key.pexpiretime]).toEqual(told.pexpiretime);
        const expected = recordedTruth(told);
        if (expected !== null) expectSame(asFarAsTold(key, expected), expected);
      }
      const libraries = (truth.functions ?? []).map((library) => library.code);
      expect(recorder.libraries.sort()).toEqual(libraries.sort());
    });
  }
});

function byDatabaseAndName(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  return byPlace({ db: a[0], key: a[1] } as never, { db: b[0], key: b[1] } as never);
}
