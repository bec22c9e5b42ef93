import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../../src/bytes/source.js';
import { EVERY_KEY } from '../../../src/tools/filter.js';
import { memory } from '../../../src/tools/library/memory.js';
import type { MemoryReport } from '../../../src/tools/memory.js';
import type { DatasetSource } from '../../../src/tools/source.js';
import { CORPUS_NOW, CORPUS_SERVERS, corpusPath, type KeyTruth, rdbCases } from '../../support/corpus.js';

const nowMs = CORPUS_NOW * 1000;

// A key of redis-2.4/types has a time of expiry that overflowed in its server, and was gone there.

/** Items of a value as the server listed them; null where the truth does not say. */
function itemsOf({ type, value }: KeyTruth): number | null {
  if (type === 'string') return 1;
  if (type === 'stream') return (value as { entries?: unknown[] } | undefined)?.entries?.length ?? null;
  return ['list', 'set', 'zset', 'hash'].includes(type) && Array.isArray(value) ? value.length : null;
}

const named = (report: MemoryReport) =>
  new Map(report.biggest.map((each) => [`${each.database} ${each.key}`, each]));

describe.each(CORPUS_SERVERS)('files of %s', (server) => {
  const cases = rdbCases(server).filter(({ name }) => /^(types|encodings|small)/.test(name));

  it.runIf(cases.length > 0)(
    'have the items that the server saw, counted without decoding them',
    async () => {
      for (const { path, truth, title } of cases) {
        const report = await memory(path, { top: 100_000, nowMs });
        expect(report.total.keys, title).toBe(truth.keys.length + (title === 'redis-2.4/types' ? 1 : 0));
        const keys = named(report);
        for (const each of truth.keys) {
          const items = itemsOf(each);
          // Names are kept as far as they are shown.
          const name = Buffer.from(each.key, 'base64').toString('latin1').slice(0, 1024);
          const found = keys.get(`${each.db} ${name}`);
          expect(found?.kind, `${title} ${name.slice(0, 40)}`).toBeDefined();
          // A zipmap counts to 254, a listpack to 65,535.
          const countsMax = found?.encoding === 'zipmap' ? 254 : 30_000;
          if (items !== null && items < countsMax)
            expect(found?.elements, `${title} ${name.slice(0, 40)}`).toBe(items);
        }
      }
    },
  );
});

const types = corpusPath('redis-7.0.15', 'types.rdb');

it('adds up the bytes of all records', async () => {
  const report = await memory(types, { top: 100_000, nowMs, slots: true });
  const { total, biggest, kinds, databases, prefixes, slots } = report;
  const sum = (list: readonly { readonly fileBytes: number; readonly memoryBytes: number }[]) => ({
    fileBytes: list.reduce((bytes, each) => bytes + each.fileBytes, 0),
    memoryBytes: list.reduce((bytes, each) => bytes + each.memoryBytes, 0),
  });
  const { fileBytes, memoryBytes } = total;
  expect(fileBytes).toBeLessThan(readFileSync(types).length);
  expect(fileBytes).toBeGreaterThan(readFileSync(types).length * 0.97);
  for (const list of [biggest, kinds, databases, kinds.flatMap(({ encodings }) => encodings)]) {
    expect(sum(list)).toEqual({ fileBytes, memoryBytes });
  }
  expect(prefixes).toMatchObject({ fileBytes, memoryBytes, keys: total.keys });
  expect(slots!.memoryBytes.reduce((a, b) => a + b)).toBe(memoryBytes);
  expect(report.sizes.reduce((keys, each) => keys + each.keys, 0)).toBe(total.keys);
  expect(report.ttl.reduce((keys, each) => keys + each.keys, 0)).toBe(total.withExpiry);
});

it('says the same however the bytes come', async () => {
  const bytes = readFileSync(types);
  const whole = await memory(types, { top: 50, nowMs });
  for (const chunk of [61, 4099]) {
    const source: DatasetSource = {
      kind: 'rdb',
      path: 'types.rdb',
      choice: '',
      isDirectory: false,
      bytes: new Drip(bytes, chunk),
    };
    expect(await memory(source, { top: 50, nowMs })).toEqual(whole);
  }
});

/** A source that gives few bytes at a time. */
class Drip extends MemorySource {
  constructor(
    bytes: Buffer,
    private readonly chunk: number,
  ) {
    super(bytes);
  }

  override async open(offset?: number) {
    const reader = await super.open(offset);
    const { chunk } = this;
    return {
      read: (into: Uint8Array) => reader.read(into.subarray(0, chunk)),
      close: () => reader.close(),
    };
  }
}

it('measures values told by their items much as by their layout', async () => {
  const byLayout = named(await memory(types, { top: 100_000, nowMs }));
  const byItems = named(
    await memory(types, { top: 100_000, nowMs, conditions: { ...EVERY_KEY, minSizeBytes: 1 } }),
  );
  expect(byItems.size).toBeGreaterThan(100);
  for (const [name, each] of byItems) {
    const other = byLayout.get(name)!;
    expect(each.fileBytes, name.slice(0, 40)).toBe(other.fileBytes);
    expect(each.elements, name.slice(0, 40)).toBe(other.elements);
    // How full the nodes of a list or a stream are is a setting of the server.
    if (['list', 'stream', 'module'].includes(each.kind)) continue;
    expect(
      Math.abs(each.memoryBytes / other.memoryBytes - 1),
      `${name.slice(0, 40)} ${each.encoding}`,
    ).toBeLessThan(0.2);
  }
});

it('lets the filters choose', async () => {
  const all = await memory(types, { top: 100_000, nowMs });
  const hashes = all.biggest.filter(({ kind }) => kind === 'hash');
  const report = await memory(types, { top: 1, nowMs, conditions: { ...EVERY_KEY, kinds: ['hash'] } });
  expect(report.total.keys).toBe(hashes.length);
  expect(report.biggest).toEqual([hashes[0]]);
  expect(report.kinds.map(({ kind }) => kind)).toEqual(['hash']);
});

it('executes a log and measures what it leads to', async () => {
  const report = await memory(corpusPath('redis-7.0.15', 'workload'), { nowMs });
  expect(report.hasFileBytes).toBe(false);
  expect(report.total.keys).toBeGreaterThan(0);
  expect(report.total.memoryBytes).toBeGreaterThan(50 * report.total.keys);
});
