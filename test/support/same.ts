import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';

/**
 * What `expect(actual).toBe(expected)` asserts, for loops that assert many thousand times: where both are the same, it costs
 * nothing.
 */
export function same<T>(actual: T, expected: T, message?: string): void {
  if (!Object.is(actual, expected)) expect(actual, message).toBe(expected);
}

/** What `expect(actual).toEqual(expected)` asserts, likewise for much that is compared, and for large buffers. */
export function alike(actual: unknown, expected: unknown, message?: string): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual, message).toEqual(expected);
}
