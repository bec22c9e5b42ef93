import { describe, expect, test } from 'vitest';
import { NO_CUT } from '../../src/aof/cut.js';
import { openAofSet } from '../../src/aof/set.js';
import { serverNamed } from '../../src/tools/family.js';
import { rebuild } from '../../src/tools/rebuild.js';
import { aofCases, CORPUS_NOW, CORPUS_SERVERS } from '../support/corpus.js';
import { expectSame } from '../support/rdb.js';
import { asFarAsTold, recordedTruth } from '../support/recorded-truth.js';
import { type RecordedKey, type RecordedStream, Recorder } from '../support/recorder.js';
import { digestName } from '../support/verdict.js';

const NOW_MS = CORPUS_NOW * 1000;

const context = {
  nowMs: NOW_MS,
  clock: () => 0,
  signal: new AbortController().signal,
  progress: () => {},
  memoryBytes: 2 ** 40,
  heldBytes: () => 0,
};

/** The truth was read with the clock at the start of the log: a server takes no delivery for later than its clock. */
function withoutFuture(key: RecordedKey): RecordedKey {
  if (key.type !== 'stream') return key;
  const stream = key.value as RecordedStream;
  const groups = stream.groups.map((group) => ({
    ...group,
    pending: group.pending.map(([id, consumer, at, count]) => [
      id,
      consumer,
      at === undefined ? at : Math.min(at, NOW_MS),
      count,
    ]),
  }));
  return { ...key, value: { ...stream, groups } };
}

const placeOf = (key: { db: number; key: string }): string =>
  `${key.db} ${Buffer.from(key.key, 'base64').toString('latin1')}`;

const servers = CORPUS_SERVERS.filter((server) => aofCases(server).length > 0);

describe.each(servers)('%s', (server) => {
  test.each(aofCases(server))('$name: every value that executing the log leaves', async ({ path, truth }) => {
    const as = serverNamed(digestName(server), 'as');
    const set = await openAofSet(path);
    const { keyspace } = await rebuild(set, { cut: NO_CUT, as, onUnknown: 'stop', dialect: null }, context);
    const recorder = new Recorder();
    keyspace.walk(recorder).run();
    const recorded = new Map(recorder.keys.map((key) => [placeOf(key), key]));
    expect([...recorded.keys()].sort()).toEqual(truth.keys.map(placeOf).sort());
    for (const key of truth.keys) {
      const expected = recordedTruth(key);
      if (expected === null) continue;
      const own = withoutFuture(recorded.get(placeOf(key))!);
      expectSame(asFarAsTold(own, expected), withoutFuture(expected));
    }
    const libraries = (truth.functions ?? []).map((library) => library.code);
    expect(recorder.libraries.sort()).toEqual(libraries.sort());
  });
});
