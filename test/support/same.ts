import { expect } from 'vitest';

/**
 * What `expect(actual).toBe(expected)` asserts, for loops that assert many thousand times: where both are the same, it costs
 * nothing.
 */
export function same<T>(actual: T, expected: T, message?: string): void {
  if (!Object.is(actual, expected)) expect(actual, message).toBe(expected);
}
