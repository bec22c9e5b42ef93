import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import type { ScratchFile } from '../../src/bytes/scratch-file.js';
import { FileSource, MemorySource } from '../../src/bytes/source.js';
import { readEntryName } from '../../src/kernels/entry-join.js';
import { BLOCK_BYTES, ENTRY_BYTES, PARTS, RecordKernel } from '../../src/kernels/records.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { EntryMaker, EntryShortcut } from '../../src/tools/diff/entries.js';
import { gatherEntries } from '../../src/tools/diff/entries-thread.js';
import { EntryStore } from '../../src/tools/diff/entry-store.js';
import { EntryJoin } from '../../src/tools/diff/join.js';
import { KeyTable } from '../../src/tools/diff/key-table.js';
import { noteKeys, takeNotes } from '../../src/tools/diff/notes.js';
import { Passages } from '../../src/tools/diff/passages.js';
import { Pass } from '../../src/tools/diff/passes.js';
import { blockOf, ownersOf, SLAB_BLOCKS, type Slab, SlabFiller } from '../../src/tools/diff/slabs.js';
import { type Difference, type DiffOptions, type DiffReport, diff } from '../../src/tools/diff.js';
import { EVERY_KEY } from '../../src/tools/filter.js';
import { openDataset } from '../../src/tools/source.js';
import type { ThreadAnswer } from '../../src/tools/thread.js';
import { CORPUS_SERVERS, rdbCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { len, str, u8 } from '../support/rdb-bytes.js';
import { alike } from '../support/same.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testContext } from './context.js';

const room = temporaryDirectory('diff-speed');
const SEEDS = { a: 1, b: 2, c: 3 };

/** The hashes of all keys, sorted: by the kernel where it can, or all by events. */
async function entriesOf(
  bytes: Buffer,
  shortcut: boolean,
  chunkBytes: number,
  own = false,
): Promise<string[]> {
  const kernel = RecordKernel.create(SEEDS)!;
  const entries: string[] = [];
  const take = (blocks: Uint8Array): void => {
    for (let at = 0; at < blocks.length; at += ENTRY_BYTES) {
      entries.push(Buffer.from(blocks.subarray(at, at + ENTRY_BYTES)).toString('hex'));
    }
  };
  const maker = new EntryMaker(kernel, SEEDS, true, take);
  const way = shortcut ? new EntryShortcut(kernel, true, take, new Passages(), { full: false }) : null;
  const pass = new Pass(maker, EVERY_KEY, 0, null, way);
  const decoder = new RdbDecoder(pass, { verifyChecksum: true, deep: false });
  await pumpSource(new MemorySource(bytes), decoder, { chunkBytes, ...(own && { rooms: kernel.rooms }) });
  kernel.finish(take, (_part, last) => take(last));
  return entries.sort();
}

describe('the kernel', () => {
  test.each(CORPUS_SERVERS)('makes of files of %s what is made of their events', async (server) => {
    const cases = rdbCases(server).filter(({ name }) => THOROUGH || name.startsWith('types'));
    for (const { name, path } of cases) {
      const bytes = readFileSync(path);
      const told = await entriesOf(bytes, false, 1 << 20);
      expect(told.length > 0, name).toBe(name !== 'empty');
      expect(await entriesOf(bytes, true, 1 << 20)).toEqual(told);
      expect(await entriesOf(bytes, true, 777)).toEqual(told);
      expect(await entriesOf(bytes, true, 1 << 18, true)).toEqual(told);
      expect(await entriesOf(bytes, true, 777, true)).toEqual(told);
    }
  });
});

/** An RDB of these texts, in this order, without a checksum. */
function fileOf(
  name: string,
  keys: readonly (readonly [name: string, text: string, expiresAtMs: number])[],
): string {
  const parts: Buffer[] = [Buffer.from('REDIS0010'), u8(254), len(0)].map((part) => Buffer.from(part));
  const time = Buffer.alloc(9, 0xfc);
  for (const [key, text, expiresAtMs] of keys) {
    if (expiresAtMs >= 0) {
      time.writeBigInt64LE(BigInt(expiresAtMs), 1);
      parts.push(Buffer.from(time));
    }
    parts.push(Buffer.from(u8(0)), Buffer.from(str(key)), Buffer.from(str(text)));
  }
  const path = join(room, name);
  writeFileSync(path, Buffer.concat([...parts, Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 0])]));
  return path;
}

async function differences(
  paths: readonly [string, string],
  options: Partial<DiffOptions>,
  memoryBytes = Number.POSITIVE_INFINITY,
): Promise<{ told: Difference[]; report: DiffReport }> {
  const told: Difference[] = [];
  const listener = { difference: (each: Difference) => told.push(each), full: false, drain: async () => {} };
  const opening = { prefer: null, stdin: null, signal: null, again: true };
  const [a, b] = [await openDataset(paths[0], opening), await openDataset(paths[1], opening)];
  const all: DiffOptions = {
    conditions: EVERY_KEY,
    toleranceMs: 0,
    values: false,
    patch: null,
    dialect: null,
    onUnknown: 'stop',
    listener,
    ...options,
  };
  return { told, report: await diff(a, b, all, testContext({ memoryBytes })) };
}

const SILENT: DiffOptions['listener'] = {
  difference: () => expect.unreachable('nobody asked'),
  silent: true,
  full: false,
  drain: async () => {},
};

describe('memory that is short', () => {
  const random = new Random(5);
  const before = Array.from(
    { length: 24_000 },
    (_, i) => [`key:${i}`, `value ${i}`, i % 3 === 0 ? 2e12 + i : -1] as const,
  );
  const after = before
    .filter((_, i) => i % 5 !== 0)
    .map(([key, text, time], i) => {
      const fate = i % 4;
      return [
        fate === 3 ? `${key} new` : key,
        fate === 2 ? `${text}!` : text,
        fate === 1 ? 1 : time,
      ] as const;
    });
  for (let i = after.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    [after[i], after[other]] = [after[other]!, after[i]!];
  }
  const paths = [fileOf('a.rdb', before), fileOf('b.rdb', after)] as const;

  test('changes nothing in what is told, nor its order', async () => {
    const whole = await differences(paths, { values: true });
    expect(whole.report).toMatchObject({
      added: 4800,
      removed: 9600,
      changed: 9600,
      same: 4800,
      spilledBytes: 0,
    });
    const parts = await differences(paths, { values: true, temporaryDirectory: room }, 0);
    expect(parts.report.spilledBytes).toBe((before.length + after.length) * ENTRY_BYTES);
    expect(parts.report.tableBytes).toBeLessThan(whole.report.tableBytes);
    const { spilledBytes, tableBytes, ...rest } = parts.report;
    expect(whole.report).toMatchObject(rest);
    alike(parts.told, whole.told);
    for (const memoryBytes of [Number.POSITIVE_INFINITY, 0]) {
      const options = { listener: SILENT, temporaryDirectory: room };
      const { report } = await differences(paths, options, memoryBytes);
      expect(report).toMatchObject({ added: 4800, removed: 9600, changed: 9600, same: 4800 });
      expect(report.tableBytes).toBeLessThan(whole.report.tableBytes);
    }
    expect(whole.report.entryBytes).toBe((before.length + after.length) * ENTRY_BYTES);
    expect(readdirSync(room).sort()).toEqual(['a.rdb', 'b.rdb']);
  });

  test('and no room on disk ends it', async () => {
    const temporaryDirectory = join(room, 'none');
    await expect(differences(paths, { temporaryDirectory }, 0)).rejects.toMatchObject({
      name: 'OutputError',
      path: temporaryDirectory,
    });
  });
});

test('keys that stand twice count once, as they stand last', async () => {
  const one = fileOf('twice-a.rdb', [
    ['k', 'x', -1],
    ['gone', '1', -1],
    ['k', 'y', -1],
    ['gone', '2', -1],
  ]);
  const other = fileOf('twice-b.rdb', [
    ['k', 'z', -1],
    ['new', '1', -1],
    ['k', 'y', -1],
    ['new', '2', -1],
  ]);
  const { told, report } = await differences([one, other], { values: true });
  expect(told.map((each) => ('key' in each ? `${each.op} ${each.key}` : ''))).toEqual([
    'added new',
    'removed gone',
  ]);
  expect(report).toMatchObject({ added: 1, removed: 1, changed: 0, same: 1, duplicates: 4 });
  expect((await differences([one, one], {})).report).toMatchObject({ same: 2, changed: 0, duplicates: 4 });
  const counted = await differences([one, other], { listener: SILENT });
  expect(counted.report).toMatchObject({ added: 1, removed: 1, changed: 0, same: 1, duplicates: 4 });
});

test('another thread makes the same entries, and waits for them to be taken', async () => {
  const keys = Array.from({ length: 60_000 }, (_, i) => [`key:${i}`, `v${i}`, -1] as const);
  const path = fileOf('thread.rdb', keys);
  const { port1, port2 } = new MessageChannel();
  const entries: string[] = [];
  const parts: number[] = [];
  const take = (part: number, blocks: Uint8Array): void => {
    for (let at = 0; at < blocks.length; at += ENTRY_BYTES) {
      entries.push(Buffer.from(blocks.subarray(at, at + ENTRY_BYTES)).toString('hex'));
      parts.push(part);
    }
  };
  const words = new Int32Array(3);
  const slabs = new Set<Slab>();
  const notes: Int32Array[] = [];
  const ended = new Promise<void>((resolve) => {
    port2.on('message', (answer: ThreadAnswer) => {
      if (answer.kind === 'notes') {
        notes.push(answer.notes.words);
        resolve();
      } else if (answer.kind === 'blocks') {
        slabs.add(answer.slab);
        expect(answer.blocks).toBeLessThanOrEqual(SLAB_BLOCKS);
        const owners = ownersOf(answer.slab);
        for (let i = 0; i < answer.blocks; i++) take(owners[i]!, blockOf(answer.slab, i));
        port2.postMessage(answer.slab);
      } else if (answer.kind === 'entries') {
        for (const { part, entries: last } of answer.last) take(part, last);
        readEntryName(Buffer.from(entries[7]!, 'hex'), 0, parts[7]!, words);
        const names = words.slice();
        const skips = new Float64Array(0);
        port2.postMessage({ kind: 'notes', dialect: null, seeds: SEEDS, names, repeated: new Map(), skips });
      }
    });
  });
  const source = await FileSource.at(path);
  const task = { kind: 'entries', file: source.ticket, dialect: null, bytes: true, seeds: SEEDS } as const;
  await gatherEntries(source, task, port1);
  await ended;
  port2.close();
  expect([notes[0]!.length, ...notes[0]!.slice(0, 3)]).toEqual([6, ...words]);
  expect(slabs.size).toBeGreaterThan(0);
  expect(entries.sort()).toEqual(await entriesOf(readFileSync(path), false, 1 << 20));
});

test('another thread notes what the keys of some names hold', async () => {
  const path = fileOf('notes.rdb', [
    ['a', 'x', -1],
    ['b', 'x', 2e12],
    ['c', 'y', -1],
    ['b', 'y', 3e12],
  ]);
  const kernel = RecordKernel.create(SEEDS)!;
  const wordsOf = (name: string): number[] => {
    kernel.hashName(0, Buffer.from(name), 0, name.length);
    return [...kernel.name];
  };
  const names = Int32Array.from([...wordsOf('b'), ...wordsOf('c'), ...wordsOf('none')]);
  const [b0, b1, b2] = wordsOf('b');
  const repeated = new Map([[`${b0} ${b1} ${b2}`, { before: 2, after: 1 }]]);
  const task = {
    kind: 'notes',
    path,
    dialect: null,
    seeds: SEEDS,
    names,
    repeated,
    skips: new Float64Array(0),
  } as const;
  const { words, expiry } = await noteKeys(await FileSource.at(path), task, kernel);
  expect([...expiry]).toEqual([Number.NaN, 3e12]);
  expect([...words.slice(0, 3), ...words.slice(6, 9)]).toEqual([...wordsOf('c'), ...wordsOf('b')]);
  // The same text, the same hash.
  expect(words.slice(3, 6)).toEqual(words.slice(9, 12));
  const table = new KeyTable();
  expect([takeNotes({ words, expiry }, table), table.size, table.expiresAtMs]).toEqual([2, 2, 3e12]);
});

test('names whose hashes are equal but for one word are kept apart', async () => {
  const store = (): EntryStore =>
    new EntryStore({ heldBytes: 0, spare: [], scratch: () => Promise.reject(new Error('none')) });
  /** The name's words without the upper byte of the second, which is the part's number. */
  const entry = (low: number, high: number, third: number, content: number): Uint8Array => {
    const bytes = Buffer.alloc(ENTRY_BYTES);
    bytes[0] = third;
    bytes.writeUInt32LE(low, 1);
    bytes.writeUIntLE(high, 5, 3);
    bytes.writeUInt16LE(third >> 8, 8);
    bytes.writeInt32LE(content, 10);
    return bytes;
  };
  const [before, after] = [store(), store()];
  // All in one part, and in one slot of its table.
  before.takeLast(7, entry(1, 0, 1, 5));
  before.takeLast(7, entry(1, 0, 0x200, 5));
  before.takeLast(7, entry(1, 1, 1, 5));
  after.takeLast(7, entry(1, 1, 1, 5));
  after.takeLast(7, entry(1, 0, 0x200, 6));
  after.takeLast(7, entry(1 << 20, 0, 1, 5));
  const join = new EntryJoin(before, after, false);
  const table = new KeyTable();
  await join.fill(table, Number.POSITIVE_INFINITY);
  expect([join.same, table.size, join.part, join.repeated.size]).toEqual([1, 3, PARTS, 0]);
  const names: string[] = [];
  table.forEachName((...words) => names.push(words.join()));
  expect(names.sort()).toEqual([`1,${7 << 24},1`, `1,${7 << 24},512`, `${1 << 20},${7 << 24},1`]);
});

test('slabs are used again once their blocks are on disk, and parts keep their order', async () => {
  const spare: Slab[] = [];
  const written: Buffer[] = [];
  const scratch = {
    get size() {
      return Buffer.concat(written).length;
    },
    write: async (bytes: Buffer) => void written.push(bytes),
    read: async (at: number, into: Uint8Array) => {
      Buffer.concat(written).copy(into, 0, at);
    },
  } as unknown as ScratchFile;
  const memory = { heldBytes: 0, spare, scratch: async () => scratch };
  const store = new EntryStore(memory);
  const blockOfNumber = (i: number): Uint8Array => new Uint8Array(BLOCK_BYTES).fill(i % 251);
  const count = SLAB_BLOCKS + 40;
  const put = (from: number, to: number): void => {
    for (let i = from; i < to; i++) store.take(blockOfNumber(i), Uint8Array.of(i % 2 === 0 ? 3 : 255));
  };
  put(0, count);
  await store.spill();
  expect([spare.length, memory.heldBytes, scratch.size]).toEqual([2, 0, count * BLOCK_BYTES]);
  put(count, 2 * count);
  store.takeLast(3, new Uint8Array(ENTRY_BYTES).fill(7));
  store.finish();
  expect([spare.length, memory.heldBytes]).toEqual([0, count * BLOCK_BYTES + ENTRY_BYTES]);
  const into = new Uint8Array(store.partBytes(3));
  expect(await store.bring(3, into)).toBe(into.length / ENTRY_BYTES);
  const expected = Array.from({ length: count }, (_, i) => blockOfNumber(2 * i));
  expect(Buffer.from(into).equals(Buffer.concat([...expected, new Uint8Array(ENTRY_BYTES).fill(7)]))).toBe(
    true,
  );
  store.clear();
  expect([memory.heldBytes, store.bytes, spare.length]).toEqual([0, 0, 2]);
});

test('a filler hands on slabs that are full, and the last one', () => {
  const given: [Slab, number][] = [];
  const filler = new SlabFiller([], (slab, blocks) => given.push([slab, blocks]));
  const count = 2 * SLAB_BLOCKS + 1;
  const blocks = new Uint8Array(count * BLOCK_BYTES).map((_, i) => Math.floor(i / BLOCK_BYTES));
  filler.take(blocks, new Uint8Array(count).fill(9));
  filler.finish();
  filler.finish();
  expect(given.map(([, blocks]) => blocks)).toEqual([SLAB_BLOCKS, SLAB_BLOCKS, 1]);
  expect([blockOf(given[1]![0], 3)[0], blockOf(given[2]![0], 0)[0]]).toEqual([3, 0]);
});
