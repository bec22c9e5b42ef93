import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type AofSet, assertLoadable, openAofSet, singleFileSet } from '../../src/aof/set.js';
import { MemorySource } from '../../src/bytes/source.js';
import { StreamSource } from '../../src/bytes/stream-source.js';
import { corpusPath } from '../support/corpus.js';
import { temporaryDirectory } from '../support/temporary.js';

const RESP = '*1\r\n$4\r\nPING\r\n';
const root = temporaryDirectory('set');
let count = 0;

/** A directory with these files; a name that ends with a slash is an empty directory. */
function directory(files: Readonly<Record<string, string>>): string {
  const path = join(root, String(++count));
  mkdirSync(path);
  for (const [name, content] of Object.entries(files)) {
    const folder = name.slice(0, name.lastIndexOf('/') + 1);
    if (folder !== '') mkdirSync(join(path, folder), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(join(path, name), content, 'latin1');
  }
  return path;
}

const names = (set: AofSet) => set.files.map(({ name, role, format }) => `${name} ${role} ${format}`);
const codes = (set: AofSet) => set.findings.map(({ code }) => code);

const MANIFEST = 'file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n';
const SET = {
  'a.aof.manifest': MANIFEST,
  'a.aof.1.base.rdb': 'REDIS0011\xff',
  'a.aof.1.incr.aof': RESP,
};
const inside = (folder: string, files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content]));
const FOUND = ['a.aof.1.base.rdb base rdb', 'a.aof.1.incr.aof incr resp'];

describe('where a log is found', () => {
  test('an AOF directory', async () => {
    const path = directory(SET);
    const set = await openAofSet(path);
    expect(names(set)).toEqual(FOUND);
    expect(set.manifestPath).toBe(join(path, 'a.aof.manifest'));
    expect(set.findings).toEqual([]);
    expect(set.files.map(({ size, seq }) => [size, seq])).toEqual([
      [10, 1],
      [14, 1],
    ]);
    assertLoadable(set);
  });

  test('its manifest', async () => {
    expect(names(await openAofSet(join(directory(SET), 'a.aof.manifest')))).toEqual(FOUND);
  });

  test('a manifest under another name, told by its content', async () => {
    const path = directory({ ...SET, list: `# mine\n${MANIFEST}` });
    expect(names(await openAofSet(join(path, 'list')))).toEqual(FOUND);
  });

  test('a data directory with one, whatever it is called', async () => {
    expect(names(await openAofSet(directory(inside('appendonlydir', SET))))).toEqual(FOUND);
    expect(names(await openAofSet(directory(inside('log', SET))))).toEqual(FOUND);
  });

  test('of two, the usual one; two unusual ones must be told apart', async () => {
    const both = { ...inside('appendonlydir', SET), ...inside('old', { 'x.manifest': '' }) };
    expect(names(await openAofSet(directory(both)))).toEqual(FOUND);
    const unclear = { ...inside('one', SET), ...inside('two', SET) };
    await expect(openAofSet(directory(unclear))).rejects.toMatchObject({ code: 'input/ambiguous' });
  });

  test('a legacy file, alone or beside a directory without manifest', async () => {
    const legacy = ['appendonly.aof single resp'];
    expect(names(await openAofSet(directory({ 'appendonly.aof': RESP })))).toEqual(legacy);
    expect(names(await openAofSet(directory({ 'appendonly.aof': RESP, 'appendonlydir/': '' })))).toEqual(
      legacy,
    );
    const beside = { 'appendonly.aof': RESP, 'appendonlydir/appendonly.aof.1.incr.aof': RESP };
    expect(names(await openAofSet(directory(beside)))).toEqual(legacy);
  });

  test('with a manifest, the directory comes before a legacy file', async () => {
    const path = directory({ ...inside('appendonlydir', SET), 'appendonly.aof': RESP });
    expect(names(await openAofSet(path))).toEqual(FOUND);
  });

  test('one file, by its content and not its name', async () => {
    const path = directory({ 'x.manifest': RESP, 'y.rdb': '#TS:1\r\n', z: 'REDIS0011', e: '', q: 'junk' });
    expect(names(await openAofSet(join(path, 'x.manifest')))).toEqual(['x.manifest single resp']);
    expect(names(await openAofSet(join(path, 'y.rdb')))).toEqual(['y.rdb single resp']);
    expect(names(await openAofSet(join(path, 'z')))).toEqual(['z single rdb']);
    expect(names(await openAofSet(join(path, 'e')))).toEqual(['e single empty']);
    expect(names(await openAofSet(join(path, 'q')))).toEqual(['q single unknown']);
  });

  test('nothing anywhere', async () => {
    await expect(openAofSet(directory({ 'dump.rdb': 'REDIS' }))).rejects.toMatchObject({
      code: 'input/no-aof',
    });
    await expect(openAofSet(join(root, 'absent'))).rejects.toMatchObject({ code: 'input/missing' });
  });

  test('memory and pipes are sets of one', async () => {
    expect(names(await singleFileSet(new MemorySource(Buffer.from(RESP))))).toEqual(['<memory> single resp']);
    const pipe = new StreamSource(Readable.from([Buffer.from(RESP)]));
    expect(names(await singleFileSet(pipe))).toEqual(['<stdin> single unknown']);
  });
});

describe('what is in a set', () => {
  test('history is listed and not loaded, and may be gone', async () => {
    const manifest = `${MANIFEST}file a.aof.0.incr.aof seq 9 type h\nfile gone seq 8 type h\n`;
    const set = await openAofSet(directory({ ...SET, 'a.aof.manifest': manifest, 'a.aof.0.incr.aof': RESP }));
    expect(names(set)).toEqual(FOUND);
    expect(set.history.map(({ name, role }) => [name, role])).toEqual([['a.aof.0.incr.aof', 'history']]);
    expect(set.findings).toEqual([]);
  });

  test('files that are missing', async () => {
    const path = directory(SET);
    rmSync(join(path, 'a.aof.1.incr.aof'));
    const set = await openAofSet(path);
    expect(names(set)).toEqual(FOUND.slice(0, 1));
    expect(set.missing.map(({ name, line }) => [name, line])).toEqual([['a.aof.1.incr.aof', 2]]);
    expect(codes(set)).toEqual(['set/missing-file']);
    expect(set.findings[0]?.where.file).toBe(join(path, 'a.aof.1.incr.aof'));
    expect(() => assertLoadable(set)).toThrow('set/missing-file');
  });

  test('files that nobody names', async () => {
    const path = directory({
      ...SET,
      'a.aof.7.incr.aof': RESP,
      'a.aof.2.base.rdb': '',
      'temp-a.aof.manifest': '',
      notes: 'x',
      'sub/': '',
    });
    const set = await openAofSet(path);
    expect(set.strays.map(({ name, kind, size }) => [name, kind, size])).toEqual([
      ['a.aof.2.base.rdb', 'base', 0],
      ['a.aof.7.incr.aof', 'incr', 14],
      ['notes', 'other', 1],
      ['temp-a.aof.manifest', 'temporary', 0],
    ]);
    expect(new Set(codes(set))).toEqual(new Set(['set/stray-file']));
    assertLoadable(set);
  });

  test('a damaged manifest is told line by line, the rest is kept', async () => {
    const path = directory({ ...SET, 'a.aof.manifest': `${MANIFEST}file\nfile ../x seq 9 type i\n` });
    const set = await openAofSet(path);
    expect(names(set)).toEqual(FOUND);
    expect(set.findings.map(({ code, where, detail }) => [code, where.offset, detail['line']])).toEqual([
      ['manifest/bad-line', 70, 3],
      ['manifest/path-in-name', 75, 4],
    ]);
    const error = await openAofSet(path)
      .then(assertLoadable)
      .catch((caught) => caught);
    expect(error).toMatchObject({
      code: 'manifest/bad-line',
      file: join(path, 'a.aof.manifest'),
      offset: 70,
    });
  });

  test('names of any bytes', async () => {
    const path = directory({ 'm.manifest': 'file "gr\\xc3\\xbcn \\x22.aof" seq 1 type i\n' });
    writeFileSync(join(path, 'grün ".aof'), RESP);
    const set = await openAofSet(path);
    expect(names(set)).toEqual(['grün ".aof incr resp']);
    expect(set.strays).toEqual([]);
  });

  test('a base that an upgrade has not moved yet is found where it was', async () => {
    const manifest = 'file appendonly.aof seq 1 type b\n';
    const path = directory({
      'appendonlydir/appendonly.aof.manifest': manifest,
      'appendonly.aof': RESP,
    });
    const set = await openAofSet(path);
    expect(names(set)).toEqual(['appendonly.aof base resp']);
    expect(set.findings).toEqual([]);
  });

  test('without a manifest the order is told by names, and nothing would load it', async () => {
    const set = await openAofSet(
      directory({
        'a.aof.10.incr.aof': RESP,
        'a.aof.9.incr.aof': RESP,
        'a.aof.2.incr.aof': RESP,
        'a.aof.3.base.rdb': 'REDIS0011',
        'a.aof.2.base.rdb': 'REDIS0011',
      }),
    );
    expect(names(set)).toEqual([
      'a.aof.3.base.rdb base rdb',
      'a.aof.9.incr.aof incr resp',
      'a.aof.10.incr.aof incr resp',
    ]);
    expect(set.strays.map(({ name }) => name)).toEqual(['a.aof.2.base.rdb', 'a.aof.2.incr.aof']);
    expect(codes(set)[0]).toBe('set/no-manifest');
    expect(() => assertLoadable(set)).toThrow('set/no-manifest');
  });
});

test('a real directory, and the same one moved', async () => {
  const real = corpusPath('redis-7.0.15', 'workload-history');
  const set = await openAofSet(real);
  expect(set.files.map(({ name }) => name)).toEqual([
    'appendonly.aof.2.base.rdb',
    'appendonly.aof.2.incr.aof',
  ]);
  expect(set.history.map(({ name }) => name)).toEqual([
    'appendonly.aof.1.incr.aof',
    'appendonly.aof.1.base.rdb',
  ]);
  expect(set.findings).toEqual([]);
  const moved = join(root, 'moved');
  cpSync(join(real, 'appendonlydir'), moved, { recursive: true });
  expect(names(await openAofSet(moved))).toEqual(names(set));
  expect(readFileSync(set.manifestPath!, 'utf8')).toContain('type h');
});
