import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import { FileSource, MemorySource } from '../../src/bytes/source.js';
import { readEntryName } from '../../src/kernels/entry-join.js';
import { BLOCK_BYTES, ENTRY_BYTES, PARTS, RecordKernel } from '../../src/kernels/records.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { EntryMaker, EntryShortcut } from '../../src/tools/diff/entries.js';
import { Passages, SkipPlan } from '../../src/tools/diff/passages.js';
import { Pass } from '../../src/tools/diff/passes.js';
import { SkippingSource } from '../../src/tools/diff/skipping-source.js';
import { EVERY_KEY } from '../../src/tools/filter.js';
import { runCli } from '../cli/memory-io.js';
import { Random } from '../support/random.js';
import { len, str, u8 } from '../support/rdb-bytes.js';
import { temporaryDirectory } from '../support/temporary.js';

const room = temporaryDirectory('passages');
const SEEDS = { a: 1, b: 2, c: 3 };
const KEYS = 12_000;

/** Texts in two databases, among them some that are no one's passage: they are larger than what the kernel takes. */
function keysOf(): { readonly name: string; text: string; readonly database: number }[] {
  const random = new Random(9);
  return Array.from({ length: KEYS }, (_, i) => ({
    name: `key:${i}`,
    text: i % 3000 === 1500 ? `${i}`.repeat(250_000) : `${i} `.repeat(random.below(30)),
    database: i < KEYS / 3 ? 0 : 7,
  }));
}

function fileOf(name: string, keys: ReturnType<typeof keysOf>): { path: string; offsets: number[] } {
  const parts: Buffer[] = [Buffer.from('REDIS0010')];
  const offsets: number[] = [];
  let at = 9;
  const put = (...bytes: readonly Buffer[]): void => {
    parts.push(...bytes);
    for (const each of bytes) at += each.length;
  };
  keys.forEach((key, i) => {
    if (key.database !== keys[i - 1]?.database) put(Buffer.from(u8(254)), Buffer.from(len(key.database)));
    offsets.push(at);
    put(Buffer.from(u8(0)), Buffer.from(str(key.name)), Buffer.from(str(key.text)));
  });
  put(Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 0]));
  const path = join(room, name);
  writeFileSync(path, Buffer.concat(parts));
  return { path, offsets };
}

const keys = keysOf();
const { path, offsets } = fileOf('a.rdb', keys);

describe('passages', () => {
  test('lead the entry of every key back to where it stands', async () => {
    const kernel = RecordKernel.create(SEEDS)!;
    const passages = new Passages();
    const names: string[][] = Array.from({ length: PARTS }, () => []);
    const words = new Int32Array(3);
    const note = (part: number, entries: Uint8Array): void => {
      for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
        readEntryName(Buffer.from(entries.subarray(at, at + ENTRY_BYTES)), 0, part, words);
        names[part]!.push(words.join());
      }
    };
    const take = (blocks: Uint8Array, owners: Uint8Array): void =>
      owners.forEach((part, i) => {
        note(part, blocks.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES));
      });
    const maker = new EntryMaker(kernel, SEEDS, true, take);
    const shortcut = new EntryShortcut(kernel, true, take, passages, { full: false });
    const pass = new Pass(maker, EVERY_KEY, 0, null, shortcut);
    await pumpSource(
      new MemorySource(readFileSync(path)),
      new RdbDecoder(pass, { verifyChecksum: false, deep: false }),
    );
    kernel.finish(take, note);
    expect(names.flat().length).toBe(KEYS);
    const told = passages.told();
    const again = new Passages(told);
    for (const i of [0, 1, 777, KEYS / 3 - 1, KEYS / 3, 1499, 1500, 1501, KEYS - 1]) {
      const { name, database } = keys[i]!;
      kernel.hashName(database, Buffer.from(name), 0, name.length);
      const hash = kernel.name.join();
      const wanted = names.map((each) => (each.includes(hash) ? [each.indexOf(hash)] : []));
      const skips = again.without(wanted);
      const inSkips = (offset: number): boolean => new SkipPlan(skips).endOf(offset) > offset;
      expect(inSkips(offsets[i]!), `key ${i}`).toBe(false);
      // One passage, and what belongs to none, is left.
      expect(offsets.filter((offset) => !inSkips(offset)).length).toBeLessThan(5000);
    }
    const all = again.without(names.map(() => []));
    expect(offsets.filter((offset) => new SkipPlan(all).endOf(offset) === offset)).toEqual(
      [1500, 4500, 7500, 10_500].map((i) => offsets[i]),
    );
  });

  test('that are not read leave the rest where it stands', async () => {
    const bytes = readFileSync(path);
    const skips = Float64Array.of(
      100,
      5000,
      1,
      5000,
      5001,
      1,
      70_000,
      400_000,
      1,
      bytes.length - 20,
      bytes.length - 10,
      1,
    );
    for (const chunk of [1000, 4096, 1 << 20]) {
      const reader = await new SkippingSource(await FileSource.at(path), skips).open();
      const into = Buffer.alloc(bytes.length);
      let at = 0;
      for (let count = -1; count !== 0; at += count) {
        count = await reader.read(into.subarray(at, Math.min(at + chunk, into.length)));
      }
      await reader.close();
      expect(at).toBe(bytes.length);
      for (const [start, end] of [
        [100, 5001],
        [70_000, 400_000],
        [bytes.length - 20, bytes.length - 10],
      ] as const) {
        expect(into.subarray(start, end).every((byte) => byte === 0)).toBe(true);
        bytes.copy(into, start, start, end);
      }
      expect(into.equals(bytes)).toBe(true);
    }
  });
});

test('a comparison tells the same whether it looks everywhere or where keys differ alone', async () => {
  const random = new Random(4);
  const other = keysOf();
  const fates = new Map([3, 1500, 4100, 7777, KEYS - 1].map((i) => [i, 'changed']));
  for (const i of fates.keys()) other[i]!.text += '!';
  for (const i of [10, 6000]) fates.set(i, 'removed');
  const kept = other.filter((_, i) => fates.get(i) !== 'removed');
  kept.splice(5000, 0, { name: 'new', text: 'n', database: 7 });
  // The same keys in another order, as another server would have them.
  const blocks = [kept.slice(0, 1000), kept.slice(1000, 3998), kept.slice(3998)];
  blocks[2]!.push(...blocks[2]!.splice(random.below(100), 2000));
  const twin = fileOf('b.rdb', [...blocks[1]!, ...blocks[0]!, ...blocks[2]!]);
  const told = await runCli(['diff', path, twin.path, '--json']);
  expect(told.exit, told.stderr).toBe(1);
  const lines = told.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const expected = [...fates].map(([i, op]) => `${op} ${keys[i]!.database} ${keys[i]!.name}`);
  expect(
    lines
      .slice(0, -1)
      .map(({ op, db, key }) => `${op} ${db} ${key}`)
      .sort(),
  ).toEqual([...expected, 'added 7 new'].sort());
  // What is packed has no places to go to: everything is looked at.
  const packed = join(room, 'b.ndjson');
  expect((await runCli(['convert', twin.path, packed])).exit).toBe(0);
  const slow = await runCli(['diff', path, packed, '--json']);
  expect(slow.stdout.split('\n').sort()).toEqual(told.stdout.split('\n').sort());
});
