import { expect, test } from 'vitest';
import { BLOCK_BYTES, ENTRY_BYTES, PARTS } from '../../src/kernels/records.js';
import { EntryStore } from '../../src/tools/diff/entry-store.js';
import { EntryJoin } from '../../src/tools/diff/join.js';
import { joinPart } from '../../src/tools/diff/join-part.js';
import { KeyTable } from '../../src/tools/diff/key-table.js';
import { namesOf } from '../../src/tools/diff/notes.js';
import { Random } from '../support/random.js';

const BLOCK_ENTRIES = BLOCK_BYTES / ENTRY_BYTES;

/** A side of so many names in every part, some changed, some new, some twice. */
function sideOf(seed: number, twice: boolean): EntryStore {
  const scratch = () => Promise.reject(new Error('none'));
  const store = new EntryStore({ heldBytes: 0, spare: [], scratch });
  const random = new Random(seed);
  for (let part = 0; part < PARTS; part++) {
    const count = part % 16 === 0 ? BLOCK_ENTRIES + 20 : 20;
    const entries = Buffer.alloc(count * ENTRY_BYTES);
    for (let i = 0; i < count; i++) {
      const name = random.once(300) ? 1e6 * seed + i : twice && random.once(400) ? 0 : i;
      entries.writeUInt32LE(name, i * ENTRY_BYTES + 3);
      entries.writeUInt32LE(random.once(90) ? seed : 7, i * ENTRY_BYTES + 12);
    }
    const whole = count >= BLOCK_ENTRIES ? BLOCK_BYTES : 0;
    if (whole > 0) store.take(entries.subarray(0, whole), Uint8Array.of(part));
    store.takeLast(part, entries.subarray(whole));
  }
  store.finish();
  return store;
}

function foundBy(join: EntryJoin, table: KeyTable) {
  const words = namesOf(table);
  const names = Array.from({ length: words.length / 3 }, (_, i) => words.slice(3 * i, 3 * i + 3).join());
  const { same, repeated, doubtful, done } = join;
  return { same, repeated: new Map([...repeated].sort()), doubtful, done, names: names.sort() };
}

test.each([false, true])(
  'parts that another thread compares come to the same, names twice: %s',
  async (twice) => {
    const sides = () => [sideOf(3, twice), sideOf(4, twice)] as const;
    const whole = new EntryJoin(...sides(), false);
    const wholeTable = new KeyTable();
    await whole.fill(wholeTable, Number.POSITIVE_INFINITY);
    const expected = foundBy(whole, wholeTable);
    expect([expected.same > 4000, expected.names.length > 50, expected.repeated.size > 0]).toEqual([
      true,
      true,
      twice,
    ]);
    expect(expected.doubtful === null).toBe(twice);

    const [before, after] = sides();
    const join = new EntryJoin(before, after, false);
    const table = new KeyTable();
    const task = {
      kind: 'join',
      from: 100,
      before: before.share()!,
      after: after.share()!,
      counting: false,
    } as const;
    join.leaveFrom(100);
    await join.fill(table, Number.POSITIVE_INFINITY);
    expect(join.done).toBe(false);
    join.adopt((await joinPart(structuredClone(task)))!, table);
    expect(foundBy(join, table)).toEqual(expected);

    const counting = new EntryJoin(...sides(), true);
    const countingTable = new KeyTable();
    await counting.fill(countingTable, Number.POSITIVE_INFINITY);
    const [removed, added] = counting.lone;
    expect([removed > 5, added > 5, counting.same]).toEqual([true, true, expected.same]);
    expect(countingTable.size + removed + added).toBe(expected.names.length);
    const half = new EntryJoin(...sides(), true);
    const halfTable = new KeyTable();
    half.leaveFrom(100);
    await half.fill(halfTable, Number.POSITIVE_INFINITY);
    half.adopt((await joinPart(structuredClone({ ...task, counting: true })))!, halfTable);
    expect([half.lone, halfTable.size]).toEqual([counting.lone, countingTable.size]);

    const alone = new EntryJoin(...sides(), false);
    const aloneTable = new KeyTable();
    alone.leaveFrom(100);
    await alone.fill(aloneTable, Number.POSITIVE_INFINITY);
    await alone.takeBack(aloneTable, Number.POSITIVE_INFINITY);
    // Everything is read again then.
    expect(foundBy(alone, aloneTable)).toEqual({ ...expected, doubtful: null });
  },
);
