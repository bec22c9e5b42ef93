import { expect, test } from 'vitest';
import { createCheckKernel } from '../../src/tools/check-keys.js';
import { NameMemory } from '../../src/tools/check-names.js';
import { KernelNames } from '../../src/tools/kernel-names.js';

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
