import { describe, expect, test } from 'vitest';
import { Arena } from '../../src/keyspace/arena.js';
import { ByteTable, OWN_WORDS } from '../../src/keyspace/byte-table.js';
import { setSource } from '../../src/keyspace/bytes.js';
import { seeds } from '../support/effort.js';
import { Random } from '../support/random.js';

const HEADER_BYTES = (OWN_WORDS + 1) * 4;

function valueAt(table: ByteTable, row: number): string {
  return table.bytesAt(row).latin1Slice(table.keyEnd(row), table.valueEnd(row));
}

function keyOf(table: ByteTable, row: number): string {
  return table.bytesAt(row).latin1Slice(table.keyStart(row), table.keyEnd(row));
}

/** An expectation for a loop: one that holds costs nothing. */
function expectRow(actual: number, expected: number, name: string): void {
  if (actual !== expected) expect(actual, name).toBe(expected);
}

describe('a table of bytes', () => {
  test.each(seeds('table'))('holds what a Map holds through any churn (seed %i)', (seed) => {
    const random = new Random(seed);
    const arena = new Arena();
    const table = new ByteTable(arena, HEADER_BYTES);
    const model = new Map<string, string>();
    const rows = new Map<string, number>();
    for (let step = 0; step < 30_000; step++) {
      const name = `${'k'.repeat(random.below(40))}${random.below(random.once(3) ? 20 : 3000)}`;
      const key = Buffer.from(name, 'latin1');
      // Both ways to read bytes: from the announced source, and from any other buffer.
      if (random.once(2)) setSource(key);
      const found = table.find(key, 0, key.length);
      expectRow(found, rows.get(name) ?? -1, name);
      if (random.once(3)) {
        if (found < 0) continue;
        table.remove(found);
        model.delete(name);
        rows.delete(name);
      } else {
        const put = table.put(key, 0, key.length);
        const row = put < 0 ? ~put : put;
        const value = random.bytes(random.once(200) ? random.below(5000) : random.below(60));
        table.replaceValue(row, value.length);
        table.write(row, table.keyEnd(row), value, 0, value.length);
        table.setWord(row, OWN_WORDS, step);
        model.set(name, value.latin1Slice());
        rows.set(name, row);
        if (random.once(4)) {
          const kept = random.below(value.length + 20);
          table.resizeValue(row, kept);
          const common = Math.min(kept, value.length);
          const now = valueAt(table, row);
          expect(now.startsWith(value.latin1Slice(0, common))).toBe(true);
          model.set(name, now);
        }
        expectRow(table.word(row, OWN_WORDS), step, name);
      }
    }
    expect(table.size).toBe(model.size);
    const held = new Map<string, string>();
    for (let row = 0; row < table.rowsEnd; row++) {
      if (table.isLive(row)) held.set(keyOf(table, row), valueAt(table, row));
    }
    expect(held).toEqual(model);
  });

  test('keys that hash alike are told apart by their bytes', () => {
    const table = new ByteTable(new Arena(), HEADER_BYTES);
    const names = Array.from({ length: 200 }, (_, i) => Buffer.from(`key ${i}`));
    const rows = names.map((name) => table.insert(name, 0, name.length, 7, 0));
    const found = names.map((name) => table.findHashed(name, 0, name.length, 7));
    expect(found).toEqual(rows);
    for (let i = 0; i < 200; i += 2) table.remove(rows[i]!);
    expect(names.map((name) => table.findHashed(name, 0, name.length, 7))).toEqual(
      rows.map((row, i) => (i % 2 === 0 ? -1 : row)),
    );
  });
});

describe('an arena', () => {
  test('gives released space out again', () => {
    const arena = new Arena();
    const sizes = [1, 8, 9, 100, 129, 1000, 5000, 100_000, 1_048_576];
    for (let round = 0; round < 200; round++) {
      const blocks = sizes.map((size) => arena.alloc(size));
      for (const [i, block] of blocks.entries()) arena.release(block, sizes[i]!);
    }
    // A small one, in which not all found room, and one more.
    expect(arena.chunks.length).toBe(2);
  });

  test('keeps blocks apart, large ones included', () => {
    const arena = new Arena();
    const random = new Random(5);
    const live: { ref: number; size: number; mark: number }[] = [];
    const bytesOf = (ref: number): Buffer => arena.chunks[ref >>> 19]!;
    const startOf = (ref: number): number => (ref & 0x7ffff) * 8;
    for (let step = 0; step < 3000; step++) {
      if (live.length > 0 && random.once(2)) {
        const [{ ref, size, mark }] = live.splice(random.below(live.length), 1) as [(typeof live)[number]];
        const held = bytesOf(ref).subarray(startOf(ref), startOf(ref) + size);
        expect(held.equals(Buffer.alloc(size, mark))).toBe(true);
        arena.release(ref, size);
        continue;
      }
      const size = random.once(100) ? random.between(1_000_000, 3_000_000) : random.below(3000);
      const ref = arena.alloc(size);
      const mark = random.below(256);
      bytesOf(ref).fill(mark, startOf(ref), startOf(ref) + size);
      live.push({ ref, size, mark });
    }
    for (const { ref, size, mark } of live) {
      const held = bytesOf(ref).subarray(startOf(ref), startOf(ref) + size);
      expect(held.equals(Buffer.alloc(size, mark))).toBe(true);
    }
  });
});
