import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAt } from '../../src/bytes/source.js';
import { check } from '../../src/tools/check.js';
import { digest } from '../../src/tools/digest.js';
import { EVERY_KEY } from '../../src/tools/filter.js';
import { readRdb } from '../../src/tools/library.js';
import { openSource, type Source } from '../../src/tools/source.js';
import { corpusBytes } from '../support/corpus.js';
import { gzip, lz4Frame, vcs, zstdFrame } from '../support/pack.js';
import { RdbBuilder } from '../support/rdb-builder.js';
import { concat, len, str, u8 } from '../support/rdb-bytes.js';
import { type TarEntry, tar } from '../support/tar-writer.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testContext } from './context.js';

const RDB = corpusBytes('redis-7.0.15', 'small.rdb');
const LOG = Buffer.from('*3\r\n$3\r\nSET\r\n$4\r\nmore\r\n$1\r\n1\r\n');
const BOTH = Buffer.concat([RDB, LOG]);
const SET = 'redis-7.0.15';
const DIRECTORY = ['base.rdb', 'incr.aof'].map(
  (name) =>
    [
      `appendonlydir/appendonly.aof.2.${name}`,
      corpusBytes(SET, `seed-app/appendonlydir/appendonly.aof.2.${name}`),
    ] as const,
);
const MANIFEST = corpusBytes(SET, 'seed-app/appendonlydir/appendonly.aof.manifest');
const ARCHIVED: TarEntry[] = [
  { name: 'redis/', type: '5' },
  ...DIRECTORY.map(([name, bytes]) => ({ name: `redis/${name}`, bytes })),
  { name: 'redis/appendonlydir/appendonly.aof.manifest', bytes: MANIFEST },
  { name: 'redis/dump.rdb', bytes: RDB },
  { name: '/etc/passwd', bytes: Buffer.from('x') },
];

function fileOf(name: string, bytes: Buffer): string {
  const path = join(temporaryDirectory('packed'), name);
  writeFileSync(path, bytes);
  return path;
}

const open = (path: string, stdin: Buffer | null = null, more = {}): Promise<Source> => {
  const pipe = async function* () {
    yield stdin!;
  };
  const options = { prefer: null, signal: null, temporaryDirectory: temporaryDirectory('spool') };
  return openSource(path, { ...options, stdin: stdin === null ? null : pipe(), ...more });
};

async function digestOf(source: Source): Promise<string> {
  const options = { as: null, conditions: EVERY_KEY, dialect: null, keys: null };
  return (await digest(source, options, testContext())).digest;
}

async function problemsOf(source: Source): Promise<string[]> {
  const report = await check(source, { quick: false, dialect: null }, testContext());
  return report.files.flatMap((file) => file.findings.map(({ code }) => code));
}

const plain = async (bytes: Buffer) => digestOf(await open(fileOf('plain', bytes)));
const PACKERS: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ['gzip', gzip],
  ['zstd', (bytes) => zstdFrame(pieces(bytes), { checksum: true })],
  ['lz4', (bytes) => lz4Frame(bytes, { linked: true, contentChecksum: true })],
];

/** As much as one block of zstd may hold. */
function pieces(bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / 131072) }, (_, i) =>
    bytes.subarray(i * 131072, (i + 1) * 131072),
  );
}

describe.each(PACKERS)('%s', (packing, pack) => {
  it.each([
    ['an RDB', RDB, 'rdb'],
    ['a log', LOG, 'aof'],
    ['an RDB that a log follows', BOTH, 'aof'],
  ])('%s is what it is inside, from a file and from a pipe', async (_what, bytes, kind) => {
    const expected = await plain(bytes);
    const path = fileOf('x', pack(bytes));
    for (const [at, stdin] of [
      [path, null],
      ['-', pack(bytes)],
    ] as const) {
      const source = await open(at, stdin);
      expect([source.kind, source.packings]).toEqual([kind, [packing]]);
      expect(await digestOf(source)).toBe(expected);
      expect(await problemsOf(await open(at, stdin, { readsOn: true, again: true }))).toEqual([]);
    }
  });

  it('an archive in it is the directory it holds', async () => {
    const source = await open(fileOf('x', pack(tar(ARCHIVED))));
    expect([source.kind, source.packings]).toEqual(['aof', [packing]]);
  });
});

describe('an archive', () => {
  it('is the directory it holds', async () => {
    const directory = temporaryDirectory('data');
    mkdirSync(join(directory, 'appendonlydir'));
    for (const [name, bytes] of DIRECTORY) writeFileSync(join(directory, name), bytes);
    writeFileSync(join(directory, 'appendonlydir/appendonly.aof.manifest'), MANIFEST);
    const expected = await digestOf(await open(directory));
    const path = fileOf('backup.tar', tar(ARCHIVED));
    for (const source of [
      await open(path),
      await open('-', tar(ARCHIVED)),
      await open('-', gzip(tar(ARCHIVED))),
    ]) {
      expect(await digestOf(source)).toBe(expected);
      expect(source.choice).toContain('not dump.rdb');
      expect(source.leftOut).toEqual(['/etc/passwd: leads out of the archive']);
      expect(await problemsOf(source)).toEqual([]);
    }
    const rdb = await open(path, null, { prefer: 'rdb' });
    expect(await digestOf(rdb)).toBe(await plain(RDB));
    expect(rdb.kind === 'rdb' && rdb.bytes.label).toBe(`${path}:/redis/dump.rdb`);
  });

  it('without a dataset is refused like a directory', async () => {
    const path = fileOf('x.tar', tar([{ name: 'notes.txt', bytes: LOG }]));
    await expect(open(path)).rejects.toMatchObject({ code: 'input/no-dataset', path: `${path}:/` });
  });

  it('in a compressed file is read without a copy, unless something goes back in it', async () => {
    const filler = { name: 'redis/server.log', bytes: Buffer.alloc(300_000, 'log ') };
    const archived = gzip(tar([filler, ...ARCHIVED.slice(0, -1)]));
    const path = fileOf('x.tar.gz', archived);
    const nowhere = { temporaryDirectory: join(temporaryDirectory('spool'), 'none') };
    const expected = await digestOf(await open(fileOf('x.tar', tar(ARCHIVED))));
    expect(await digestOf(await open(path, null, nowhere))).toBe(expected);
    const rdb = await open(path, null, { prefer: 'rdb', ...nowhere });
    expect(await digestOf(rdb)).toBe(await plain(RDB));
    const bytes = rdb.kind === 'rdb' ? rdb.bytes : null;
    expect(bytes?.size).toBe(RDB.length);
    const middle = RDB.length >> 1;
    await expect(readAt(bytes!, middle, 9)).resolves.toEqual(RDB.subarray(middle, middle + 9));
    const large = Buffer.concat([RDB, Buffer.alloc(200_000)]);
    const one = await open(
      fileOf('y.tar.gz', gzip(tar([{ name: 'dump.rdb', bytes: large }]))),
      null,
      nowhere,
    );
    const other = one.kind === 'rdb' ? one.bytes : null;
    await expect(readAt(other!, 70_000, 9)).rejects.toMatchObject({ code: 'input/missing' });
    await expect(open('-', archived, nowhere)).rejects.toMatchObject({ code: 'input/missing' });
  });

  it('with several directories is asked for one of them, or for a file', async () => {
    const moved = (to: string) =>
      ARCHIVED.slice(1, -1).map((entry) => ({ ...entry, name: entry.name.replace('redis', to) }));
    const small = { name: 'other/dump.rdb', bytes: gzip(RDB) };
    const path = fileOf('x.tar', tar([...moved('one'), ...moved('two'), small]));
    await expect(open(path)).rejects.toMatchObject({
      code: 'input/no-dataset',
      path: `${path}:/`,
      hint: `name one of its directories: ${path}:/one or ${path}:/other or ${path}:/two`,
    });
    expect((await open(`${path}:/two`)).kind).toBe('aof');
    for (const name of ['other', 'other/', 'other/dump.rdb', 'one/dump.rdb']) {
      const source = await open(`${path}:/${name}`);
      expect([source.kind, source.path]).toEqual(['rdb', `${path}:/${name}`]);
      expect(await digestOf(source)).toBe(await plain(RDB));
    }
    expect((await open('-:/two', tar(moved('two')))).kind).toBe('aof');
    const manifest = await open(`${path}:/two/appendonlydir/appendonly.aof.manifest`);
    expect(manifest.kind === 'aof' && manifest.set.files.map(({ size }) => size)).toEqual(
      DIRECTORY.map(([, bytes]) => bytes.length),
    );
    await expect(open(`${path}:/none`)).rejects.toMatchObject({ code: 'input/missing' });
    await expect(open(`${fileOf('x.rdb', RDB)}:/none`)).rejects.toMatchObject({ code: 'input/missing' });
  });

  it('says what it left out when that was the dataset', async () => {
    const path = fileOf('x.tar', tar([{ name: 'dump.rdb', type: '2', link: '/data/dump.rdb' }]));
    await expect(open(path)).rejects.toMatchObject({
      hint: 'dump.rdb was left out: symbolic link; unpack the archive yourself',
    });
  });

  it('that is damaged is told to be', async () => {
    const cut = fileOf('x.tar', tar(ARCHIVED).subarray(0, 5000));
    await expect(open(cut)).rejects.toMatchObject({ finding: { code: 'packed/truncated' } });
    const packed = gzip(tar(ARCHIVED));
    const half = fileOf('x.tar.gz', packed.subarray(0, packed.length >> 1));
    await expect(open(half)).rejects.toMatchObject({ finding: { code: 'packed/truncated' } });
  });
});

describe("Valkey's envelope", () => {
  it('is taken off a file, a pipe, an archive and a data directory', async () => {
    const expected = await plain(RDB);
    const packed = vcs(RDB, { linked: true, blockChecksums: true, contentChecksum: true });
    const directory = temporaryDirectory('data');
    writeFileSync(join(directory, 'dump.rdb'), packed);
    const archive = fileOf('x.tar', tar([{ name: 'dump.rdb', bytes: packed }]));
    for (const source of [
      await open(directory),
      await open(archive),
      await open(join(directory, 'dump.rdb')),
      await open('-', packed),
    ]) {
      expect(source.packings).toEqual(['vcs']);
      expect(await digestOf(source)).toBe(expected);
    }
    expect((await open('-', gzip(packed))).packings).toEqual(['vcs', 'gzip']);
  });
});

describe('what cannot be unpacked', () => {
  it('is reported under its name where that tells what it is', async () => {
    const cut = gzip(RDB).subarray(0, 14);
    const source = await open(fileOf('dump.rdb.gz', cut));
    expect(await problemsOf(source)).toEqual(['packed/truncated']);
    await expect(open(fileOf('x.gz', cut))).rejects.toMatchObject({ finding: { code: 'packed/truncated' } });
  });

  it('is packed in itself too often', async () => {
    let bytes = RDB;
    for (let i = 0; i < 5; i++) bytes = gzip(bytes);
    await expect(open(fileOf('x', bytes))).rejects.toMatchObject({ code: 'input/packed' });
  });
});

describe('a snapshot of Dragonfly', () => {
  const part = (id: string, ...records: Buffer[]) =>
    new RdbBuilder('REDIS0009')
      .aux('snapshot-id', id)
      .aux('redis-ver', '6.2.11')
      .aux('df-ver', 'df-v1.30.0')
      .aux('shard-count', '2')
      .raw(...records)
      .endUnchecked();
  const key = (name: string) => concat(u8(0), str(name), str(`value of ${name}`));
  const packed = (bytes: Buffer) => {
    const frame = lz4Frame(bytes, { contentSize: true });
    return concat(u8(202), len(frame.length), frame);
  };

  function snapshot(files: Readonly<Record<string, Buffer>>): string {
    const directory = temporaryDirectory('dfs');
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes);
    return directory;
  }

  const FILES = {
    'dump-summary.dfs': part('a'),
    'dump-0000.dfs': part('a', key('one')),
    'dump-0001.dfs': part('a', packed(concat(key('two'), key('three')))),
  };

  it('is all of its files, by its directory or its summary', async () => {
    const all = part('a', key('one'), key('two'), key('three'));
    const directory = snapshot(FILES);
    for (const path of [directory, join(directory, 'dump-summary.dfs')]) {
      const source = await open(path);
      expect(await digestOf(source)).toBe(await plain(all));
      expect(await problemsOf(source)).toEqual([]);
    }
    const shard = await open(join(directory, 'dump-0000.dfs'));
    expect(await digestOf(shard)).toBe(await plain(part('a', key('one'))));
  });

  it('lacks a file, or has one of another', async () => {
    const { 'dump-0001.dfs': _, ...lacking } = FILES;
    expect(await problemsOf(await open(snapshot(lacking)))).toEqual(['set/missing-file']);
    const { 'dump-summary.dfs': __, ...headless } = FILES;
    expect(await problemsOf(await open(snapshot(headless)))).toEqual(['set/missing-file']);
    const mixed = { ...FILES, 'dump-0001.dfs': part('b', key('two')) };
    expect(await problemsOf(await open(snapshot(mixed)))).toEqual(['set/mixed-snapshots']);
    const several = { ...FILES, 'later-summary.dfs': part('c') };
    await expect(open(snapshot(several))).rejects.toMatchObject({ code: 'input/ambiguous' });
  });
});

it('a library reads packed RDBs by their path and from memory', async () => {
  const count = async (source: string | Uint8Array) => {
    let keys = 0;
    for await (const batch of readRdb(source)) keys += batch.length;
    return keys;
  };
  expect(await count(RDB)).toBe(19);
  expect(await count(vcs(RDB))).toBe(19);
  expect(await count(fileOf('x', gzip(RDB)))).toBe(19);
});
