import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { MemoryTarget } from '../../src/bytes/target.js';
import { ParquetKeys } from '../../src/tools/convert/parquet.js';
import { loadParquet } from '../../src/tools/convert/parquet-file.js';
import { runCli } from '../cli/memory-io.js';
import { sampleDataset, tell } from '../property/sample.js';
import { corpusBytes, testdata } from '../support/corpus.js';
import { Random } from '../support/random.js';
import { alike } from '../support/same.js';
import { readTarGz } from '../support/tar.js';
import { temporaryDirectory } from '../support/temporary.js';

const room = temporaryDirectory('parquet');
let places = 0;

function place(ending: string): string {
  mkdirSync(join(room, String(++places)));
  return join(room, String(places), `out${ending}`);
}

interface Row {
  readonly db: number;
  readonly key: string | null;
  readonly key_bytes: Uint8Array | null;
  readonly type: string;
  readonly encoding: string | null;
  readonly expires_at_ms: bigint | null;
  readonly idle_seconds: bigint | null;
  readonly freq: number | null;
  readonly elements: bigint | null;
  readonly size: bigint;
  readonly value: string | null;
  readonly value_bytes: Uint8Array | null;
}

interface Table {
  readonly rows: readonly Row[];
  readonly groups: number;
  readonly metadata: Readonly<Record<string, unknown>>;
}

async function tableIn(bytes: Buffer): Promise<Table> {
  const file = Uint8Array.from(bytes).buffer;
  const { row_groups, key_value_metadata = [] } = parquetMetadata(file);
  const metadata = key_value_metadata.map(({ key, value }) => [key, JSON.parse(value!)]);
  // What is text is annotated as text: bytes must stay bytes.
  const rows = (await parquetReadObjects({ file, utf8: false })) as unknown as Row[];
  return { rows, groups: row_groups.length, metadata: Object.fromEntries(metadata) };
}

async function parquet(...args: string[]): Promise<Table> {
  const path = place('.parquet');
  expect(await runCli(['convert', ...args.slice(0, 1), path, ...args.slice(1)])).toMatchObject({ exit: 0 });
  return tableIn(readFileSync(path));
}

/** What NDJSON says of the same dataset. */
async function recordsOf(source: string): Promise<Record<string, unknown>[]> {
  const path = place('.ndjson');
  expect((await runCli(['convert', source, path])).exit).toBe(0);
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const bytesOf = (text: unknown): Buffer =>
  typeof text === 'string' ? Buffer.from(text) : Buffer.from((text as { base64: string }).base64, 'base64');

const ONE_TEXT = /^(string|gcra|module)$/;

describe.each(['redis-7.0.15', 'redis-8.8dev', 'keydb-6.3.4'])('the types of %s', (server) => {
  test('are rows that say what NDJSON says', async () => {
    const path = place('.rdb');
    writeFileSync(path, corpusBytes(server, 'types.rdb'));
    const { rows, metadata } = await parquet(path);
    const records = await recordsOf(path);
    const keys = records.filter(({ key }) => key !== undefined);
    expect(keys.length).toBeGreaterThan(50);
    const told = rows.map((row) => [
      row.db,
      Buffer.from(row.key ?? row.key_bytes!),
      row.type,
      row.expires_at_ms,
      row.value_bytes === null ? JSON.parse(textValue(row)) : Buffer.from(row.value_bytes),
    ]);
    const wanted = keys.map(({ db, key, type, module, expiresAtMs, value }) => [
      db,
      bytesOf(key),
      module ?? type,
      expiresAtMs === undefined ? null : BigInt(expiresAtMs as number | string),
      ONE_TEXT.test(String(type)) && typeof value !== 'string' ? bytesOf(value) : value,
    ]);
    alike(told, wanted);
    expect(rows.filter(({ key, key_bytes }) => (key === null) === (key_bytes === null))).toEqual([]);
    expect(metadata['rekindle.origin']).toEqual(records[0]!['origin']);
    expect(metadata['rekindle.functions']).toEqual(
      records.flatMap(({ function: code }) => (code === undefined ? [] : [code])),
    );
  });
});

/** The text of a string as JSON, which the values of other kinds are. */
const textValue = ({ type, value }: Row): string =>
  type === 'string' || type === 'gcra' ? JSON.stringify(value) : value!;

const HEADER = '{"rekindle":1,"origin":[["redis-ver","7.2.4"]]}';

function lines(...records: unknown[]): string {
  const path = place('.ndjson');
  writeFileSync(path, [HEADER, ...records.map((record) => JSON.stringify(record))].join('\n'));
  return path;
}

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const based = (bytes: Buffer) => ({ base64: bytes.toString('base64') });

test('names and values of any bytes are exact, and so are sizes, counts and times', async () => {
  const odd = ['', '","value":', '\n', '\u0000', 'é€😀', '__proto__'];
  const { rows, groups } = await parquet(
    lines(
      { key: based(EVERY_BYTE), type: 'string', value: based(EVERY_BYTE), expiresAtMs: 1772366402000 },
      { key: '1', type: 'hash', value: odd.map((text) => [text, text]), idleSeconds: 77 },
      { key: based(Buffer.from([0xff])), type: 'set', value: [based(EVERY_BYTE), 'a'], db: 3 },
      {
        key: 'z',
        type: 'zset',
        value: [
          ['m', 0.1],
          ['n', 1e308],
          ['o', 'inf'],
        ],
        freq: 9,
      },
      ...odd.map((text) => ({ key: text, type: 'string', value: text })),
      { key: 'late', type: 'string', value: '', expiresAtMs: '9223372036854775807' },
    ),
  );
  expect(groups).toBe(1);
  expect(Buffer.from(rows[0]!.key_bytes!)).toEqual(EVERY_BYTE);
  expect(Buffer.from(rows[0]!.value_bytes!)).toEqual(EVERY_BYTE);
  expect(rows[0]).toMatchObject({ size: 256n, elements: null, expires_at_ms: 1772366402000n });
  const bytes = Buffer.from(odd.join('')).length;
  expect(rows[1]).toMatchObject({ elements: 6n, size: BigInt(2 * bytes), idle_seconds: 77n });
  expect(JSON.parse(rows[1]!.value!)).toEqual(odd.map((text) => [text, text]));
  expect(rows[2]).toMatchObject({ db: 3, key: null, elements: 2n, size: 257n });
  expect(rows[3]).toMatchObject({ value: '[["m",0.1],["n",1e+308],["o","inf"]]', size: 27n, freq: 9 });
  expect(rows.slice(4, -1).map(({ key, value }) => [key, value])).toEqual(odd.map((text) => [text, text]));
  expect(rows.at(-1)).toMatchObject({ value: '', size: 0n, expires_at_ms: 9223372036854775807n });
});

describe('values of modules', () => {
  const table = (family: string): Promise<Table> => {
    const files = readTarGz(readFileSync(testdata('modules', `${family}.tar.gz`)));
    const [, bytes] = [...files].find(([name]) => name.endsWith('.rdb'))!;
    const path = place('.rdb');
    writeFileSync(path, bytes);
    return parquet(path);
  };

  test('are documents where they are such', async () => {
    const { rows } = await table('json');
    const documents = rows.filter(({ type }) => type === 'ReJSON-RL');
    expect(documents.length).toBeGreaterThan(3);
    for (const { value, value_bytes } of documents) {
      expect(() => JSON.parse(value!)).not.toThrow();
      expect(value_bytes!.length).toBeGreaterThan(9);
    }
  });

  test('are their parts by name where they are understood', async () => {
    const { rows } = await table('redistimeseries');
    const series = rows.filter(({ type }) => type === 'TSDB-TYPE').map(({ value }) => JSON.parse(value!));
    expect(series.length).toBeGreaterThan(1);
    for (const { type, key, timestampsMs, values } of series) {
      expect([type, typeof key, values.length]).toEqual(['time-series', 'string', timestampsMs.length]);
    }
    const layers = (await table('redisbloom')).rows
      .filter(({ type }) => type === 'MBbloom--')
      .flatMap(({ value }) => JSON.parse(value!).layers);
    expect(layers.length).toBeGreaterThan(0);
    for (const { data } of layers) expect(data).toEqual({ base64: expect.any(String) });
  });
});

describe('a table that is large', () => {
  const random = new Random(3);
  const keys = sampleDataset(
    random,
    { kinds: ['string', 'list', 'hash', 'stream'], fieldTtls: true, wholeSeconds: false },
    60,
  );
  const shown = (name: string): string => `<${name}>`;
  const onLoss = (): void => {};

  test.each([
    ['its rows', { groupRows: 25 }, 3],
    ['its bytes', { groupBytes: 1 }, keys.length],
  ])('goes out in groups bounded by %s', async (_what, bounds, wanted) => {
    const memory = new MemoryTarget();
    const writer = new ParquetKeys(await loadParquet(), memory, { onLoss, shown, ...bounds });
    tell(keys, writer, random);
    const before = memory.size;
    writer.finish();
    expect(before).toBeGreaterThan(memory.size / 4);
    const { rows, groups } = await tableIn(memory.bytes());
    expect(groups).toBe(wanted);
    expect(rows.map(({ db, key, key_bytes }) => [db, Buffer.from(key ?? key_bytes!)])).toEqual(
      keys.map(({ db, key }) => [db, key]),
    );
  });

  test('has no cell beyond a limit', async () => {
    const writer = new ParquetKeys(await loadParquet(), new MemoryTarget(), { onLoss, shown, cellBytes: 5 });
    const value = { kind: 'list' as const, elements: [Buffer.from('123'), Buffer.from('456')] };
    const key = { db: 2, key: Buffer.from('k'), expiresAtMs: -1, value };
    expect(() => tell([key], writer, random)).toThrow(
      expect.objectContaining({ message: expect.stringContaining('the value of <k> in database 2 is more') }),
    );
  });
});

test('a dataset without keys is a table without rows', async () => {
  expect(await parquet(lines())).toMatchObject({ rows: [], groups: 0 });
});

test('what no row holds is told, and refused with --strict', async () => {
  const source = lines({ key: 's', type: 'set', value: ['a'] }, { memberExpiry: ['a', 1772366402000] });
  const out = place('.parquet');
  const ran = await runCli(['convert', source, out, '--strict', '--json']);
  expect(ran.exit).toBe(1);
  expect(JSON.parse(ran.stdout)).toMatchObject({ lost: [{ what: 'member-expiry' }] });
  expect(readdirSync(join(out, '..'))).toEqual([]);
});

test('without the package it is said how to get it', async () => {
  const fails = (text: string, code?: string) => () =>
    Promise.reject(Object.assign(new Error(text), { code }));
  const missing = fails("Cannot find package 'hyparquet-writer'\nimported from", 'ERR_MODULE_NOT_FOUND');
  await expect(loadParquet(missing)).rejects.toMatchObject({
    message: 'writing Parquet takes the package hyparquet-writer, which is not installed',
    hint: expect.stringContaining('npm install hyparquet-writer'),
  });
  await expect(loadParquet(fails('Unexpected token\nat'))).rejects.toMatchObject({
    message: expect.stringMatching(/which cannot be loaded: Unexpected token$/),
  });
});
