import { expect, test } from 'vitest';
import { EntryJoinKernel, MET_OTHER, OTHER, readEntryName, SAME } from '../../src/kernels/entry-join.js';
import { ENTRY_BYTES } from '../../src/kernels/records.js';
import { Random } from '../support/random.js';

interface Entry {
  readonly name: number;
  readonly content: number;
}

function put(entries: readonly Entry[], into: Uint8Array): void {
  const bytes = Buffer.from(into.buffer, into.byteOffset, into.length);
  entries.forEach(({ name, content }, i) => {
    bytes.fill(0, i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES);
    // Differences in any of the words of a name count.
    bytes.writeUInt16LE(name, i * ENTRY_BYTES + [0, 3, 6, 8][name % 4]!);
    bytes.writeUInt32LE(content, i * ENTRY_BYTES + (content % 2 === 0 ? 10 : 14));
  });
}

/** What a join makes of two sides: names that stand twice, equal entries, and the others. */
function joined(kernel: EntryJoinKernel, sides: readonly [Entry[], Entry[]]) {
  const all = sides.flat();
  put(all, kernel.roomFor(all.length));
  kernel.begin(sides[0].length, all.length);
  const twice: number[] = [];
  for (let at = kernel.meet(0); at < all.length; at = kernel.meet(at + 1)) {
    expect(all[kernel.known]!.name).toBe(all[at]!.name);
    twice.push(at);
  }
  const other: number[] = [];
  for (let at = kernel.nextDifferent(0); at < all.length; at = kernel.nextDifferent(at + 1)) other.push(at);
  return { twice, same: kernel.same, other, states: other.map((at) => kernel.stateOf(at)) };
}

/** The same by names alone. */
function expected([before, after]: readonly [Entry[], Entry[]]) {
  const all = [...before, ...after];
  const first = new Map<number, number>();
  const states = new Map<number, number>();
  const twice: number[] = [];
  const gone = new Set<number>();
  all.forEach(({ name, content }, at) => {
    const known = first.get(name);
    if (known === undefined) {
      first.set(name, at);
    } else if (known < before.length && at >= before.length && !states.has(known)) {
      const equal = all[known]!.content === content;
      states.set(known, equal ? SAME : OTHER);
      if (equal) gone.add(at);
      else states.set(at, MET_OTHER);
    } else {
      twice.push(at);
      gone.add(at);
      states.set(known, 3);
    }
  });
  const other = all.flatMap((_, at) => (gone.has(at) || states.get(at) === SAME ? [] : [at]));
  const same = [...states.values()].filter((state) => state === SAME).length;
  return { twice, same, other, states: other.map((at) => states.get(at) ?? 0) };
}

test('two sides are joined by names, whatever stands twice', () => {
  const random = new Random(4);
  const kernel = EntryJoinKernel.create();
  for (const [size, names] of [
    [0, 10],
    [1, 1],
    [40, 12],
    [300, 1000],
    [5000, 60_000],
    [20, 5],
  ] as const) {
    for (let round = 0; round < 10; round++) {
      const side = (): Entry[] =>
        Array.from({ length: random.below(size + 1) }, () => ({
          name: 1 + random.below(names),
          content: 1 + random.below(3),
        }));
      const sides = [side(), side()] as const;
      expect(joined(kernel, sides)).toEqual(expected(sides));
    }
  }
});

test('the name of an entry is read with the part that it does not hold', () => {
  const bytes = Buffer.from('0a0102030405060708bbccc0', 'hex').subarray(1);
  const words = new Int32Array(3);
  readEntryName(Buffer.concat([Buffer.from([9]), bytes]), 1, 0xfe, words);
  expect([...words].map((word) => (word >>> 0).toString(16))).toEqual(['5040302', 'fe080706', 'ccbb01']);
});
