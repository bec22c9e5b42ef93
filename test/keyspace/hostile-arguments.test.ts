import { expect, test } from 'vitest';
import { FAILED } from '../../src/keyspace/outcome.js';
import { EngineDriver } from './engine-driver.js';

// What random logs beside real servers found (test/differential): refused by a server, and not by the engine.

/** What DUMP gives for the string "hello" on 7.0.15. */
const HELLO = Buffer.from('000568656c6c6f0a006372df766534200a', 'hex');

test.each([
  ['BLMOVE', 'l', 'l', 'LEFT', 'RIGHT', ''],
  ['BRPOPLPUSH', 'l', 'l', 'x'],
  ['BLPOP', 'l', '-1'],
  ['BRPOP', 'l', 'inf'],
  ['BLMPOP', 'nan', '1', 'l', 'LEFT'],
  ['BZPOPMIN', 'z', '1e300'],
  ['BZMPOP', ' 1', '1', 'z', 'MIN'],
])('a timeout that is none keeps %s from doing anything', (...words) => {
  const driver = new EngineDriver();
  driver.run('RPUSH l a b');
  driver.run('ZADD z 1 a');
  expect(driver.run(...words)).toBe(FAILED);
  expect(driver.engine.lastError).toMatch(/^ERR timeout is/);
  expect([driver.list('l'), driver.engine.keyspace.size]).toEqual([['a', 'b'], 2]);
});

test('RESTORE takes one hint for eviction, not both', () => {
  const driver = new EngineDriver();
  expect(driver.run('RESTORE', 'k', '0', HELLO, 'IDLETIME', '1', 'FREQ', '1')).toBe(FAILED);
  expect(driver.string('k')).toBeNull();
});

test('a payload that was cut is refused, not taken for one of a newer server', () => {
  const driver = new EngineDriver();
  expect(driver.run('RESTORE', 'k', '0', HELLO.subarray(0, 13))).toBe(FAILED);
  expect(driver.engine.lastError).toContain('checksum');
});
