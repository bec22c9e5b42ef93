import { expect, test } from 'vitest';
import { BatchQueue } from '../../src/bytes/batch-queue.js';

/** True when the promise is settled once everything that can run has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

test('a taker waits for a full batch, and the reader for the taker', async () => {
  const queue = new BatchQueue<number>(2);
  const first = queue.next();
  expect(queue.push(1)).toBe(1);
  expect(await isSettled(first)).toBe(false);
  expect(queue.push(2)).toBe(2);
  const drained = queue.drain();
  expect(await first).toEqual([1, 2]);
  expect(await isSettled(drained)).toBe(true);
});

test('weights fill a batch, too', async () => {
  const queue = new BatchQueue<string>(100, 10);
  queue.push('a', 9);
  expect(queue.full).toBe(false);
  queue.push('b', 1);
  expect(queue.full).toBe(true);
  expect(await queue.next()).toEqual(['a', 'b']);
  queue.push('c', 1);
  expect(queue.full).toBe(false);
});

test('what is there is handed over when it is flushed, and at the end', async () => {
  const queue = new BatchQueue<number>(10);
  queue.flush();
  const first = queue.next();
  expect(await isSettled(first)).toBe(false);
  queue.push(1);
  queue.flush();
  expect(await first).toEqual([1]);
  queue.push(2);
  queue.finish();
  expect(await queue.next()).toEqual([2]);
  expect(await queue.next()).toBeNull();
});

test('a reader is let go when nobody asks any more', async () => {
  const queue = new BatchQueue<number>(1);
  queue.push(1);
  const drained = queue.drain();
  expect(await isSettled(drained)).toBe(false);
  queue.abandon();
  expect(await isSettled(drained)).toBe(true);
  queue.push(2);
  expect(queue.full).toBe(false);
});
