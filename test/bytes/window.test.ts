import { expect, test } from 'vitest';
import { ByteWindow } from '../../src/bytes/window.js';

test('offsets are absolute, positions are in the bytes', () => {
  const window = new ByteWindow();
  window.bytes = Buffer.from('..abc');
  window.base = 98;
  window.position = 2;
  window.end = 5;
  expect(window.offset).toBe(100);
});

test('has records the need only when it fails', () => {
  const window = new ByteWindow();
  window.bytes = Buffer.from('abc');
  window.end = 3;
  expect(window.has(3)).toBe(true);
  expect(window.need).toBe(1);
  expect(window.has(4)).toBe(false);
  expect(window.need).toBe(4);
  expect(window.has(0)).toBe(true);
});

test('reaches counts what the input holds, in memory or not', () => {
  const window = new ByteWindow();
  window.base = -10;
  window.position = 12;
  window.limit = 100;
  expect(window.reaches(98)).toBe(true);
  expect(window.reaches(99)).toBe(false);
  window.limit = Number.POSITIVE_INFINITY;
  expect(window.reaches(2 ** 60)).toBe(true);
});
