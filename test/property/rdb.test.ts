import { describe, expect, test } from 'vitest';
import { MemoryTarget } from '../../src/bytes/target.js';
import { RdbCopier } from '../../src/rdb/writer-copier.js';
import { knowsKind, RDB_TARGETS, type RdbTarget } from '../../src/rdb/writer-target.js';
import { seeds } from '../support/effort.js';
import { Random } from '../support/random.js';
import { decodeInto, memoryWriter, recordRdb } from '../support/rdb.js';
import { byPlace, type RecordedKey, Recorder } from '../support/recorder.js';
import { alike } from '../support/same.js';
import { type Ingredients, type SampleKey, sampleDataset, tell } from './sample.js';

/** Servers that write some value as no other does; the rest are alike one of them. */
const ALIKE = new Set(['redis-8.2', 'redis-8.4', 'valkey-7.2', 'valkey-8.0', 'valkey-8.1', 'valkey-9.0']);
const targets = [...RDB_TARGETS.values()].filter(({ name }) => !ALIKE.has(name));

describe.each(targets.map((target) => target.name))('%s', (name) => {
  const target = RDB_TARGETS.get(name)!;

  test.each(seeds(name))('what is written is what is read (seed %i)', async (seed) => {
    const random = new Random(seed);
    const keys = sampleDataset(random, ingredientsFor(target, random), 24);
    const expected = told(keys, target);
    const written = write(keys, name, random);
    const lost = new Set(written.losses.map((loss) => loss.what));
    expect([...lost].filter((what) => what !== 'stream-counters' || target.version >= 10)).toEqual([]);
    const chunkBytes = random.pick([1, 7, 64, 1000, 512 * 1024]);
    const recorder = new Recorder();
    await decodeInto(recorder, written.bytes, Math.max(chunkBytes, written.bytes.length >> 12));
    alike(
      recorder.keys.sort(byPlace).map((key) => asKept(key, target)),
      expected,
    );

    const copy = new MemoryTarget();
    await decodeInto(new RdbCopier(copy, () => true), written.bytes);
    expect(copy.bytes().equals(written.bytes)).toBe(true);

    const again = memoryWriter(name, { copyValues: random.once(2) });
    await decodeInto(again.writer, written.bytes);
    const reread = await recordRdb(again.written().bytes);
    alike(
      reread.keys.map((key) => asKept(key, target)),
      expected,
    );
  });
});

function write(
  keys: readonly SampleKey[],
  name: string,
  random: Random,
): ReturnType<ReturnType<typeof memoryWriter>['written']> {
  const { writer, written } = memoryWriter(name, { compress: random.once(2), checksum: !random.once(8) });
  tell(keys, writer, random);
  writer.finish();
  return written();
}

function told(keys: readonly SampleKey[], target: RdbTarget): unknown[] {
  const recorder = new Recorder();
  tell(keys, recorder, new Random(0));
  return recorder.keys.sort(byPlace).map((key) => asKept(key, target));
}

/** What the target has room for: no counters of streams before 7.0, scores of 17 digits, whole seconds in 2.4. */
function asKept(key: RecordedKey, target: RdbTarget): unknown {
  if (key.type !== 'stream') return key;
  const stream = { ...(key.value as { groups: object[] }), producers: undefined };
  if (target.version >= 10) return { ...key, value: stream };
  const groups = stream.groups.map((group) => ({ ...group, entriesRead: undefined }));
  return { ...key, value: { ...stream, groups, maxDeletedId: undefined, entriesAdded: undefined } };
}

function ingredientsFor(target: RdbTarget, random: Random): Ingredients {
  const possible: Ingredients['kinds'][number][] = ['string', 'list', 'set', 'zset', 'hash'];
  if (target.stream !== null) possible.push('stream');
  if (knowsKind(target, 'array')) possible.push('array');
  const kinds = possible.filter(() => !random.once(3));
  return {
    kinds: kinds.length > 0 ? kinds : possible,
    fieldTtls: target.fieldExpiry !== 'none',
    wholeSeconds: !target.millisecondExpiry,
  };
}
