import { describe, expect, test } from 'vitest';
import { APPLIED, FAILED, UNKNOWN } from '../../src/keyspace/outcome.js';
import { payload } from '../support/rdb-builder.js';
import { str, u8 } from '../support/rdb-bytes.js';
import { EngineDriver, NOW_MS } from './engine-driver.js';

/** What DUMP gives for the string "hello" on 7.0.15. */
const HELLO = Buffer.from('000568656c6c6f0a006372df766534200a', 'hex');

describe('RESTORE', () => {
  test('a value comes with its time, absolute or from the clock', () => {
    const driver = new EngineDriver();
    expect(driver.run('RESTORE', 'plain', '0', HELLO)).toBe(APPLIED);
    expect(driver.string('plain')!.toString()).toBe('hello');
    expect(driver.hasExpiry('plain')).toBe(false);
    driver.run('RESTORE', 'absolute', '1000', HELLO, 'ABSTTL', 'IDLETIME', '7');
    expect(driver.expiry('absolute')).toBe(1000);
    driver.run('RESTORE-ASKING', 'relative', '1000', HELLO, 'FREQ', '255');
    expect(driver.expiry('relative')).toBe(NOW_MS + 1000);
  });

  test('an existing key stays unless told to be replaced, and loses its expiry then', () => {
    const driver = new EngineDriver();
    driver.run('SET', 'k', 'old', 'PXAT', '5000');
    expect(driver.run('RESTORE', 'k', '0', HELLO)).toBe(FAILED);
    expect(driver.string('k')!.toString()).toBe('old');
    expect(driver.run('RESTORE', 'k', '0', HELLO, 'REPLACE')).toBe(APPLIED);
    expect(driver.string('k')!.toString()).toBe('hello');
    expect(driver.hasExpiry('k')).toBe(false);
  });

  test('a payload that breaks off inside its value changes nothing', () => {
    const driver = new EngineDriver();
    driver.run('RPUSH', 'k', 'a', 'b');
    // A list that announces three elements and holds one.
    const broken = payload(10, u8(1), u8(3), str('x'));
    expect(driver.run('RESTORE', 'k', '0', broken, 'REPLACE')).toBe(FAILED);
    expect(driver.list('k')).toEqual(['a', 'b']);
    expect(driver.engine.keyspace.scratch.size).toBe(0);
    const changed = Buffer.from(HELLO).fill(0x20, 3, 4);
    expect(driver.run('RESTORE', 'k', '0', changed, 'REPLACE')).toBe(FAILED);
    expect(driver.run('RESTORE', 'k', '0', 'short', 'REPLACE')).toBe(FAILED);
    expect(driver.list('k')).toEqual(['a', 'b']);
  });

  test('a collection without elements is refused', () => {
    expect(new EngineDriver().run('RESTORE', 'k', '0', payload(10, u8(2), u8(0)))).toBe(FAILED);
  });

  test.each([
    ['a newer server', payload(79, u8(0), str('x'))],
    ['a type from elsewhere', payload(10, u8(64), str('x'))],
  ])('what %s made is not known', (_name, bytes) => {
    expect(new EngineDriver().run('RESTORE', 'k', '0', bytes)).toBe(UNKNOWN);
  });

  test.each([
    ['-1', []],
    ['x', []],
    ['9223372036854775807', []],
    ['0', ['REPLACED']],
    ['0', ['IDLETIME']],
    ['0', ['IDLETIME', '-1']],
    ['0', ['FREQ', '256']],
  ])('ttl %s with %j is refused', (ttl, options) => {
    expect(new EngineDriver().run('RESTORE', 'k', ttl, HELLO, ...options)).toBe(FAILED);
  });
});
