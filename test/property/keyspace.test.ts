import { expect, test } from 'vitest';
import { NO_CUT } from '../../src/aof/cut.js';
import { singleFileSet } from '../../src/aof/set.js';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { CommandEmitter } from '../../src/keyspace/emit.js';
import { Keyspace } from '../../src/keyspace/keyspace.js';
import { KeyspaceLoader } from '../../src/keyspace/load.js';
import { Walk } from '../../src/keyspace/walk.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { rebuild } from '../../src/tools/rebuild.js';
import { still } from '../faults/damage.js';
import { seeds } from '../support/effort.js';
import { Random } from '../support/random.js';
import { byPlace, type RecordedKey, Recorder } from '../support/recorder.js';
import { type Ingredients, type SampleKey, sampleDataset, tell } from './sample.js';

const EVERYTHING: Ingredients = {
  kinds: ['string', 'list', 'set', 'zset', 'hash', 'stream', 'array'],
  fieldTtls: true,
  wholeSeconds: false,
};

test.each(seeds('held'))('what a keyspace was told is what it tells (seed %i)', (seed) => {
  const random = new Random(seed);
  const keys = sampleDataset(random, EVERYTHING, 60);
  const keyspace = new Keyspace();
  tell(keys, new KeyspaceLoader(keyspace), random);
  expect(heldBy(keyspace)).toEqual(told(keys));
});

test.each(seeds('emitted'))(
  'commands that are emitted build the dataset up again (seed %i)',
  async (seed) => {
    const random = new Random(seed);
    const keys = sampleDataset(random, EVERYTHING, 40);
    const log = new MemoryTarget();
    const lossy = new Set<string>();
    const emitter = new CommandEmitter(log, {
      target: RDB_TARGETS.get('redis-8.8')!,
      onLoss: (head) =>
        lossy.add(head === null ? '' : `${head.database} ${head.key.view().toString('base64')}`),
    });
    tell(keys, emitter, random);
    emitter.finish();
    const set = await singleFileSet(new MemorySource(log.bytes(), 'appendonly.aof'));
    const options = { cut: NO_CUT, as: null, onUnknown: 'stop', dialect: null } as const;
    const { keyspace, refused, skipped } = await rebuild(set, options, still);
    expect([refused, skipped]).toEqual([[], []]);
    const whole = ({ db, key }: RecordedKey): boolean => !lossy.has(`${db} ${key}`);
    const [held, expected] = [heldBy(keyspace), told(keys)];
    expect(held.map(({ db, key }) => [db, key])).toEqual(expected.map(({ db, key }) => [db, key]));
    expect(held.filter(whole)).toEqual(expected.filter(whole));
    expect(expected.filter(whole).length).toBeGreaterThan(keys.length / 2);
  },
);

function told(keys: readonly SampleKey[]): RecordedKey[] {
  const recorder = new Recorder();
  tell(keys, recorder, new Random(0));
  return recorder.keys.sort(byPlace);
}

function heldBy(keyspace: Keyspace): RecordedKey[] {
  const recorder = new Recorder();
  new Walk(keyspace, recorder).run();
  return recorder.keys.sort(byPlace);
}
