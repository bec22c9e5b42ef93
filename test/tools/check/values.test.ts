import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../../src/bytes/source.js';
import { checkFile } from '../../../src/tools/check/file.js';
import { fileWith, redis } from '../../support/rdb-builder.js';
import { type Bytes, concat, id, len, listpack, str, ziplist } from '../../support/rdb-bytes.js';
import { describeServer, TestServer } from '../../support/server.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { testContext } from '../context.js';

async function findings(type: number, ...value: Bytes[]) {
  const source = new MemorySource(fileWith(10, type, ...value), 'dump.rdb');
  const options = { form: 'rdb', last: true, quick: false, dialect: null } as const;
  const { file } = await checkFile(source, options, testContext());
  return file.findings.map(({ code, where, detail }) => ({ code, key: where.key, ...detail }));
}

const LISTPACK_ZSET = 17;
const ZIPLIST_ZSET = 12;
const QUICKLIST = 18;
const STREAM = 19;

const twins = listpack('a', 1, 'c', 1, 'b', 1);

describe('members of one score', () => {
  test.each([
    ['b', 'ab'],
    ['ab', 'a'],
    ['a', '10'],
    ['\xff', '\x7f'],
  ])('%j before %j is told, the other way round is right', async (first, second) => {
    const unsorted = [{ code: 'rdb/unsorted-members', key: 'k', member: second }];
    expect(await findings(LISTPACK_ZSET, str(listpack(first, 1, second, 1)))).toEqual(unsorted);
    expect(await findings(ZIPLIST_ZSET, str(ziplist([first, 1, second, 1])))).toEqual(unsorted);
    expect(await findings(LISTPACK_ZSET, str(listpack(second, 1, first, 1)))).toEqual([]);
  });

  test('of different scores stand in the order of these', async () => {
    expect(await findings(LISTPACK_ZSET, str(listpack('b', 1, 'a', 2)))).toEqual([]);
  });

  test('a value is told once', async () => {
    const value = str(listpack('d', 1, 'c', 1, 'b', 1, 'a', 1));
    expect(await findings(LISTPACK_ZSET, value)).toMatchObject([{ member: 'c' }]);
  });
});

/** Entries 5-0 and 6-0; counters as given: length, last id, first id, largest deleted id, entries added. */
function stream(...[last, first, deleted, added]: [number, number, number, number]): Buffer {
  const entries = listpack(2, 0, 1, 'f', 0, 2, 0, 0, 'x', 4, 2, 1, 0, 'y', 4);
  const node = concat(len(1), str(id(5, 0)), str(entries));
  const counters = [2, last, 0, first, 0, deleted, 0, added].map((each) => len(each));
  return concat(node, ...counters, len(0));
}

describe('ids and counters of a stream', () => {
  test.each([
    [stream(5, 5, 0, 2), { reason: 'last-id-below-last-entry', declared: '5-0', is: '6-0' }],
    [stream(6, 4, 0, 2), { reason: 'first-id-differs', declared: '4-0', is: '5-0' }],
    [stream(6, 5, 7, 2), { reason: 'deleted-id-above-last-id', declared: '7-0', is: '6-0' }],
    [stream(6, 5, 0, 1), { reason: 'fewer-entries-added-than-there-are', entriesAdded: 1, entries: 2 }],
  ])('%#', async (value, detail) => {
    expect(await findings(STREAM, value)).toEqual([{ code: 'rdb/odd-stream', key: 'k', ...detail }]);
  });

  test('that agree are none', async () => {
    expect(await findings(STREAM, stream(6, 5, 0, 2))).toEqual([]);
    expect(await findings(STREAM, stream(9, 5, 9, 40))).toEqual([]);
  });
});

const withEmptyNode = concat(len(2), len(2), str(listpack()), len(2), str(listpack('a')));

test('a node of a list without elements', async () => {
  expect(await findings(QUICKLIST, withEmptyNode)).toEqual([{ code: 'rdb/empty-node', key: 'k', nodes: 1 }]);
});

describeServer('a real server', () => {
  test('loads all of these unseen', async () => {
    const rdb = join(temporaryDirectory('odd'), 'dump.rdb');
    const bytes = redis(10)
      .database(0)
      .key(LISTPACK_ZSET, 'zset', str(twins))
      .key(QUICKLIST, 'list', withEmptyNode)
      .key(STREAM, 'stream', stream(5, 4, 7, 1))
      .end();
    writeFileSync(rdb, bytes);
    const server = await TestServer.start({ rdb });
    try {
      expect(await server.client.call('ZRANGE', 'zset', '0', '-1')).toEqual(['a', 'c', 'b']);
      expect(await server.client.lrange('list', 0, -1)).toEqual(['a']);
      const info = (await server.client.call('XINFO', 'STREAM', 'stream')) as unknown[];
      expect(info).toEqual(
        expect.arrayContaining(['last-generated-id', '5-0', 'max-deleted-entry-id', '7-0']),
      );
    } finally {
      await server.stop();
    }
  });
});
