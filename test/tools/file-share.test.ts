import { expect, test } from 'vitest';
import { FileShare } from '../../src/tools/file-share.js';

test('who takes many pieces at once takes fewer towards the end, and both together no more than there are', () => {
  const front = new FileShare(0, 1000, 10);
  const back = new FileShare(0, 1000, 10, front.memory);
  const taken: number[] = [];
  for (let more = back.claimSome(8); more > 0; more = back.claimSome(8)) {
    taken.push(more);
    if (front.claim()) taken.push(1);
  }
  expect(taken[0]).toBe(8);
  expect(taken.slice(-4)).toEqual([1, 1, 1, 1]);
  expect(taken.reduce((sum, more) => sum + more)).toBe(100);
  expect(front.claim()).toBe(false);
  expect(front.takenBytes).toBe(1000);
});
