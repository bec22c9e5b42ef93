import { expect, test } from 'vitest';
import { NAME_BLOCK_BYTES } from '../../../src/kernels/rdb-check.js';
import { joinParts, KernelNames } from '../../../src/tools/check/kernel-names.js';
import { createCheckKernel } from '../../../src/tools/check/keys.js';
import { NameMemory } from '../../../src/tools/check/names.js';

test.each([
  [0, 0],
  [10, 3],
  [60_000, 25],
])('of %i names %i that come again are found, as without the kernel', (names, again) => {
  const kernel = new KernelNames(createCheckKernel()!);
  const plain = new NameMemory();
  const bytes = Buffer.alloc(8);
  for (let i = 0; i < names + again; i++) {
    bytes.writeDoubleLE(i < names ? i : (i - names) * 3);
    kernel.add(1, bytes, 0, 8);
    plain.add(1, bytes, 0, 8);
  }
  const expected = [...plain.suspects()!.numbers].sort();
  expect([...kernel.suspects()!.numbers].sort()).toEqual(expected);
  if (names > 100) expect(expected.length).toBe(again);
});

test('a name that came many times fills no more than its place', () => {
  const kernel = new KernelNames(createCheckKernel()!);
  const name = Buffer.from('one name');
  for (let i = 0; i < 5000; i++) kernel.add(0, name, 0, name.length);
  expect(kernel.suspects()!.size).toBe(1);
});

test.each([300, 80_000])(
  'of %i names of one part those that come again are found, and no others',
  (count) => {
    const again = [0, 1, 50, 299];
    const names = Buffer.alloc((count + again.length) * 6);
    for (let i = 0; i < count + again.length; i++) {
      const name = again[i - count] ?? i;
      names.writeUInt32LE(Math.imul(name, 0x9e3779b1) >>> 0, i * 6);
      names.writeUInt16LE(name & 0xffff, i * 6 + 4);
    }
    const blocks = [];
    for (let at = 0; at < names.length; at += NAME_BLOCK_BYTES) {
      blocks.push({ names: names.subarray(at, at + NAME_BLOCK_BYTES), database: 0 });
    }
    const found: number[] = [];
    expect(createCheckKernel()!.findTwice(7, blocks, (_, lower) => found.push(lower))).toBe(true);
    expect(found).toEqual(again.map((name) => Math.imul(name, 0x9e3779b1) & 0xffffff));
  },
);

test('two threads find together what one finds alone, also when the other fails', async () => {
  const filled = (): KernelNames => {
    const names = new KernelNames(createCheckKernel()!);
    const bytes = Buffer.alloc(8);
    for (let i = 0; i < 20_000; i++) {
      bytes.writeUInt32LE(i % 19_950);
      names.add(2, bytes, 0, 8);
    }
    return names;
  };
  const alone = [...filled().suspects()!.numbers].sort();
  expect(alone.length).toBe(50);
  const other = createCheckKernel()!;
  let helped = 0;
  const together = await filled().suspectsWith((task) => {
    const twice = joinParts(other, task);
    helped += twice!.length;
    return Promise.resolve({ twice });
  });
  expect([...together!.numbers].sort()).toEqual(alone);
  expect(helped).toBe(50);
  const left = await filled().suspectsWith((task) => {
    new Int32Array(task.claimed)[0] = 99;
    return Promise.resolve(null);
  });
  expect([...left!.numbers].sort()).toEqual(alone);
  expect(await filled().suspectsWith(() => Promise.resolve({ twice: null }))).toBe(null);
});

test('names that count up, their digits next to each other, do not look alike', () => {
  const names = new NameMemory();
  for (let i = 0; i < 12_000_000; i += 30) {
    const name = Buffer.from(`key:${String(i).padStart(9, '0')}:${i % 97}`, 'latin1');
    names.add(0, name, 0, name.length);
  }
  expect(names.suspects()!.size).toBe(0);
});
