import { describe, expect, test } from 'vitest';
import { MemoryTarget } from '../../src/bytes/target.js';
import { RdbCopier } from '../../src/rdb/writer-copier.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { CORPUS_SERVERS, corpusBytes, rdbCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import {
  decodeInto,
  expectSame,
  memoryWriter,
  type Recorded,
  recordRdb,
  type Written,
} from '../support/rdb.js';
import { digestName } from '../support/verdict.js';

/** Of these all files are written anew, of the others what only they have: the rest is the same. */
const ALL_FILES = /^redis-(2|3|4|5|6|7\.0\.15|7\.2|7\.4\.1)/;
const NEW_IN_FILES = /^(types|modules|array-sparse|expired|cluster.*)$/;

const WAYS = [
  ['taken apart and together again', false],
  ['with its values as they are', true],
] as const;

describe.each(CORPUS_SERVERS)('%s', (server) => {
  for (const { name } of rdbCases(server)) {
    if (!ALL_FILES.test(server) && !NEW_IN_FILES.test(name)) continue;
    if (name === 'bulk' && server !== 'redis-7.4.1') continue; // many keys of kinds that are all in the others
    const bytes = (): Buffer => corpusBytes(server, `${name}.rdb`);
    let source: Promise<Recorded> | undefined;

    test(`${name} copied is the same file`, async () => {
      const memory = new MemoryTarget();
      await decodeInto(new RdbCopier(memory, () => true), bytes());
      expect(memory.bytes().equals(bytes())).toBe(true);
    });

    // In a plain run both for the types, and in turn for the other files.
    const ways = WAYS.filter(
      (_, i) => THOROUGH || name === 'types' || (i + name.length + CORPUS_SERVERS.indexOf(server)) % 2 === 0,
    );
    test.each(ways)(`${name} written for the same server, %s, holds the same`, async (_how, copyValues) => {
      const written = await rewrite(bytes(), digestName(server), copyValues);
      expect(written.losses).toEqual([]);
      expectSame(await recordRdb(written.bytes), await (source ??= recordRdb(bytes())));
    });
  }
});

describe('the types of Redis 7.4', () => {
  const bytes = corpusBytes('redis-7.4.1', 'types.rdb');
  const names = [...RDB_TARGETS.keys()].filter((name) => name.startsWith('redis-') && name <= 'redis-7.4');

  test.each(names)('written for %s hold all but what is named as lost', async (name) => {
    const written = await rewrite(bytes, name, false);
    const touched = new Set(written.losses.map((loss) => loss.place));
    const kept = (keys: Recorded['keys']): unknown[] =>
      keys.filter((key) => !touched.has(`${key.db} ${key.key}`)).map((key) => withoutCounters(key, name));
    const [source, result] = [await recordRdb(bytes), await recordRdb(written.bytes)];
    expect(kept(result.keys)).toEqual(kept(source.keys));
    expect(kept(result.keys).length).toBeGreaterThan(100);
  });
});

describe.each([
  ['redis-8.8dev', ['redis-8.6', 'redis-8.0', 'redis-7.2', 'valkey-9.1', 'valkey-8.1', 'keydb-6.3']],
  ['valkey-9.1', ['redis-8.8', 'redis-7.4', 'redis-7.2', 'valkey-8.1', 'keydb-6.3']],
  ['keydb-6.3.4', ['redis-8.8', 'redis-6.2', 'valkey-9.1']],
] as const)('the types of %s', (server, targets) => {
  const bytes = corpusBytes(server, 'types.rdb');

  test.each(targets)('written for %s hold all but what is named as lost', async (target) => {
    const written = await rewrite(bytes, target, false);
    const touched = new Set(written.losses.map((loss) => loss.place));
    const kept = (keys: Recorded['keys']): unknown[] =>
      keys.filter((key) => !touched.has(`${key.db} ${key.key}`)).map((key) => plainStream(key, target));
    const [source, result] = [await recordRdb(bytes), await recordRdb(written.bytes)];
    expectSame(kept(result.keys), kept(source.keys));
    expect(kept(result.keys).length).toBeGreaterThan(130);
    expect(written.losses.map((loss) => loss.what)).not.toContain('empty');
  });
});

/** Streams as far as every server knows them: what is beyond that, and not lost, is what a server assumes. */
function plainStream(key: { type: string; value: unknown }, target: string): unknown {
  const counted = withoutCounters(key, target.startsWith('keydb') ? 'redis-6.2' : 'redis-7.2');
  const { type, value } = counted as { type: string; value: object };
  return type === 'stream' ? { ...key, value: { ...value, producers: undefined } } : counted;
}

/** Counters of streams came with 7.0; before, a reader works them out anew. */
function withoutCounters(key: { type: string; value: unknown }, server: string): unknown {
  if (key.type !== 'stream' || server >= 'redis-7.0') return key;
  const stream = key.value as { groups: object[] };
  const groups = stream.groups.map((group) => ({ ...group, entriesRead: undefined }));
  return { ...key, value: { ...stream, groups, maxDeletedId: undefined, entriesAdded: undefined } };
}

async function rewrite(bytes: Buffer, server: string, copyValues: boolean): Promise<Written> {
  const { writer, written } = memoryWriter(server, { copyValues });
  await decodeInto(writer, bytes);
  return written();
}
