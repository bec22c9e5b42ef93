import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openAofSet } from '../../src/aof/set.js';
import {
  type AofPlan,
  copyOf,
  nothing,
  writeAofDirectory,
  writeAofFile,
  writeAofFiles,
} from '../../src/aof/writer.js';
import { DirectoryTarget } from '../../src/bytes/directory-target.js';
import { FileSource, MemorySource } from '../../src/bytes/source.js';
import { corpusBytes } from '../support/corpus.js';
import { record } from '../support/log.js';
import { resp } from '../support/resp.js';
import { describeServer, TestServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const root = temporaryDirectory('aof-writer');
const KEEP = { force: false };
const text = (content: string) => copyOf(new MemorySource(Buffer.from(content, 'latin1')));
const rdb = corpusBytes('redis-7.0.15', 'small.rdb');
const LOG = resp('SELECT 0', 'SET written yes', 'MULTI', 'INCR n', 'EXEC');

const PLAN: AofPlan = {
  filename: 'appendonly.aof',
  base: { seq: 4, format: 'rdb', write: copyOf(new MemorySource(rdb)) },
  increments: [
    { seq: 2, write: text(LOG) },
    { seq: 3, write: nothing },
  ],
};

describe('an AOF directory', () => {
  test('has its files, its manifest, and nothing else', async () => {
    const path = join(root, 'plain');
    expect(await writeAofDirectory(path, PLAN, KEEP)).toEqual([
      { name: 'appendonly.aof.4.base.rdb', bytes: rdb.length },
      { name: 'appendonly.aof.2.incr.aof', bytes: LOG.length },
      { name: 'appendonly.aof.3.incr.aof', bytes: 0 },
      { name: 'appendonly.aof.manifest', bytes: 132 },
    ]);
    expect(readFileSync(join(path, 'appendonly.aof.manifest'), 'utf8')).toBe(
      'file appendonly.aof.4.base.rdb seq 4 type b\n' +
        'file appendonly.aof.2.incr.aof seq 2 type i\n' +
        'file appendonly.aof.3.incr.aof seq 3 type i\n',
    );
    expect(readFileSync(join(path, 'appendonly.aof.4.base.rdb')).equals(rdb)).toBe(true);
    const set = await openAofSet(path);
    expect(set.findings).toEqual([]);
    const { recorder, end } = await record(set);
    expect(end.findings).toEqual([]);
    expect(recorder.lines.at(-2)).toContain('EXEC');
  });

  test('with a name that needs quotes, inside a larger directory', async () => {
    const path = join(root, 'data');
    const directory = await DirectoryTarget.create(path, KEEP);
    await writeAofFiles(directory, 'my log', { ...PLAN, filename: 'grün "1".aof', base: null });
    await directory.publish();
    const set = await openAofSet(path);
    expect(set.findings).toEqual([]);
    expect(set.files.map(({ name }) => name)).toEqual(['grün "1".aof.2.incr.aof', 'grün "1".aof.3.incr.aof']);
  });

  test('does not appear when its content fails, and leaves nothing behind', async () => {
    const path = join(root, 'failing');
    const failing = {
      ...PLAN,
      increments: [{ seq: 1, write: () => Promise.reject(new Error('source failed')) }],
    };
    await expect(writeAofDirectory(path, failing, KEEP)).rejects.toThrow('source failed');
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(root).filter((name) => name.includes('failing'))).toEqual([]);
  });

  test('is not written over another', async () => {
    const path = join(root, 'taken');
    await writeAofDirectory(path, PLAN, KEEP);
    await expect(writeAofDirectory(path, PLAN, KEEP)).rejects.toThrow('exists');
  });

  test('of files out of order or outside it is a defect', async () => {
    const path = join(root, 'defect');
    const backwards = { ...PLAN, increments: [...PLAN.increments].reverse() };
    await expect(writeAofDirectory(path, backwards, KEEP)).rejects.toThrow('numbered upwards');
    await expect(writeAofDirectory(path, { ...PLAN, filename: '../x' }, KEEP)).rejects.toThrow('base name');
    expect(existsSync(path)).toBe(false);
  });
});

describe('copies', () => {
  test('of a large file', async () => {
    const from = join(root, 'large');
    const bytes = Buffer.alloc(9_000_000, 'abcdefghijk');
    writeFileSync(from, bytes);
    const source = await FileSource.at(from);
    for (const [start, end] of [
      [0, null],
      [7, 8_999_993],
    ] as const) {
      const to = join(root, `large-${start}`);
      const size = await writeAofFile(to, copyOf(source, start, end), KEEP);
      expect(size).toBe((end ?? bytes.length) - start);
      expect(readFileSync(to).equals(bytes.subarray(start, end ?? undefined))).toBe(true);
    }
  });

  test('of a range', async () => {
    const from = join(root, 'from');
    const bytes = Buffer.alloc(700_000, 'abcdefg');
    writeFileSync(from, bytes);
    const source = await FileSource.at(from);
    for (const [start, end] of [
      [0, null],
      [3, 10],
      [0, 262_144],
      [5, 700_000],
      [9, 9],
    ] as const) {
      const to = join(root, `to-${start}-${end}`);
      const size = await writeAofFile(to, copyOf(source, start, end), KEEP);
      expect(size).toBe((end ?? 700_000) - start);
      expect(readFileSync(to).equals(bytes.subarray(start, end ?? undefined))).toBe(true);
    }
  });

  test('of more than there is fail, and nothing appears', async () => {
    const to = join(root, 'short');
    const copy = copyOf(new MemorySource(Buffer.from('abc')), 0, 4);
    await expect(writeAofFile(to, copy, KEEP)).rejects.toThrow('shorter');
    expect(existsSync(to)).toBe(false);
  });
});

describeServer('written directories and servers', () => {
  test('a server starts from one and holds what was written', async () => {
    const data = join(root, 'server');
    const directory = await DirectoryTarget.create(data, KEEP);
    await writeAofFiles(directory, 'appendonlydir', PLAN);
    await directory.publish();
    const server = await TestServer.start({ dataDirectory: data, settings: { appendonly: 'yes' } });
    try {
      expect(await server.client.get('written')).toBe('yes');
      expect(await server.client.get('n')).toBe('1');
    } finally {
      await server.stop();
    }
  });
});
