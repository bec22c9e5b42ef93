import { describe, expect, test } from 'vitest';
import { NO_CUT } from '../../src/aof/cut.js';
import { openAofSet } from '../../src/aof/set.js';
import { pumpSource } from '../../src/bytes/pump.js';
import { FileSource } from '../../src/bytes/source.js';
import { Walk } from '../../src/keyspace/walk.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { serverNamed } from '../../src/tools/family.js';
import { rebuild } from '../../src/tools/rebuild.js';

import { still } from '../faults/damage.js';
import { aofCases, CORPUS_SERVERS, type KeyTruth, rdbCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { expectSame } from '../support/rdb.js';
import { asFarAsTold, recordedTruth } from '../support/recorded-truth.js';
import { byPlace, type RecordedKey, type RecordedStream, Recorder } from '../support/recorder.js';
import { digestName } from '../support/verdict.js';

const LARGE_FROM = /^(redis-(2\.8|7\.0\.15)|valkey-9|keydb)/;

/**
 * A time beyond 2038, written in 32 bits of seconds, reads as one before 1970: the servers find the key long expired
 * and leave it out while loading.
 */
const OVERFLOWED: Readonly<Record<string, readonly string[]>> = { 'redis-2.4/types': ['ttl:expireat-sec'] };

describe.each(CORPUS_SERVERS)('%s', (server) => {
  for (const { name, title, path, truth } of rdbCases(server)) {
    // Many keys of kinds that are all in the other files: those of some servers stand for the rest.
    if (name === 'bulk' && !THOROUGH && !LARGE_FROM.test(server)) continue;
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
      expectTold(
        recorder.keys.filter((key) => !overflowed.includes(key)),
        truth.keys,
      );
      expectLibraries(recorder, truth.functions ?? [], server === 'redis-7.0-rc1');
    });
  }

  for (const { name, path, truth } of aofCases(server)) {
    test(`${name}: every key, value and time as the server had them after loading`, async () => {
      const set = await openAofSet(path);
      const as = serverNamed(digestName(server), '--as');
      const { keyspace } = await rebuild(set, { cut: NO_CUT, as, onUnknown: 'stop', dialect: null }, still);
      const recorder = new Recorder();
      new Walk(keyspace, recorder).run();
      expectTold(recorder.keys, truth.keys, deliveredByNow);
      expectLibraries(recorder, truth.functions ?? []);
    });
  }
});

/** A server takes no delivery from a log that lies in its future, and its clock stood before the log was written. */
function deliveredByNow(key: RecordedKey): RecordedKey {
  if (key.type !== 'stream') return key;
  const stream = key.value as RecordedStream;
  const groups = stream.groups.map((group) => ({
    ...group,
    pending: group.pending.map(([id, consumer, at, count]) => [
      id,
      consumer,
      at === undefined ? at : Math.min(at, still.nowMs),
      count,
    ]),
  }));
  return { ...key, value: { ...stream, groups } };
}

function expectTold(
  recorded: readonly RecordedKey[],
  truth: readonly KeyTruth[],
  seen = (key: RecordedKey): RecordedKey => key,
): void {
  const places = (keys: readonly { db: number; key: string }[]): unknown[] =>
    [...keys].sort(byPlace).map(({ db, key }) => [db, key]);
  expectSame(places(recorded), places(truth));
  const keyed = new Map(recorded.map((key) => [`${key.db} ${key.key}`, key]));
  for (const told of truth) {
    const key = keyed.get(`${told.db} ${told.key}`)!;
    if (key.pexpiretime !== told.pexpiretime) expect([told.key, key.pexpiretime]).toEqual(told.pexpiretime);
    const expected = recordedTruth(told);
    if (expected !== null) expectSame(asFarAsTold(seen(key), seen(expected)), seen(expected));
  }
}

/** The release candidates of 7.0 had no engine line: `bare` libraries are given theirs here. */
function expectLibraries(
  recorder: Recorder,
  libraries: readonly { readonly code: string }[],
  bare = false,
): void {
  const told = recorder.libraries.map((code) => (bare ? withoutFirstLine(code) : code));
  expect(told.sort()).toEqual(libraries.map((library) => library.code).sort());
}

function withoutFirstLine(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.subarray(bytes.indexOf(0x0a) + 1).toString('base64');
}
