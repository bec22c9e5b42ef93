import { describe, expect, test } from 'vitest';
import { APPLIED, FAILED, UNKNOWN } from '../../src/keyspace/outcome.js';
import { EngineDriver } from './engine-driver.js';

/** A list, weights of some elements, and details in hashes. */
function filled(): EngineDriver {
  const driver = new EngineDriver();
  driver.run('RPUSH l 10 9 1.5 -3 9');
  driver.run('MSET w_10 1 w_9 3 w_1.5 2');
  driver.run('HSET h_9 name nine');
  return driver;
}

describe('SORT', () => {
  test.each([
    ['SORT l STORE r', '-3 1.5 9 9 10'],
    ['SORT l DESC STORE r', '10 9 9 1.5 -3'],
    ['SORT l ALPHA STORE r', '-3 1.5 10 9 9'],
    ['SORT l LIMIT 1 2 STORE r', '1.5 9'],
    ['SORT l LIMIT -5 2 STORE r', '-3 1.5'],
    ['SORT l BY w_* STORE r', '-3 10 1.5 9 9'],
    ['SORT l BY nosort STORE r', '10 9 1.5 -3 9'],
    ['SORT l BY nosort DESC LIMIT 0 2 STORE r', '9 -3'],
    ['SORT l BY w_* LIMIT 3 2 GET # GET h_*->name STORE r', '9 nine 9 nine'],
    ['SORT l BY w_* LIMIT 0 1 GET w_* GET fixed STORE r', ' '],
  ])('%s', (command, result) => {
    const driver = filled();
    expect(driver.run(command)).toBe(APPLIED);
    expect(driver.list('r')!.join(' ')).toBe(result);
  });

  test('replaces what was there, and deletes it for an empty result', () => {
    const driver = filled();
    driver.run('SET r x PXAT 2000000000000');
    driver.run('SORT l STORE r');
    expect(driver.hasExpiry('r')).toBe(false);
    driver.run('SORT l LIMIT 9 1 STORE r');
    expect(driver.list('r')).toBeNull();
    driver.run('SORT l STORE l');
    expect(driver.list('l')).toEqual(['-3', '1.5', '9', '9', '10']);
    driver.run('SORT nothing STORE l');
    expect(driver.list('l')).toBeNull();
  });

  test('refuses what is no number, and what holds no elements', () => {
    const driver = filled();
    driver.run('RPUSH words a b');
    driver.run('RPUSH', 'range', '1e-310');
    for (const command of [
      'SORT words STORE l',
      'SORT range STORE l',
      'SORT w_9 STORE l',
      'SORT l LIMIT 1 STORE',
    ]) {
      expect(driver.run(command)).toBe(FAILED);
    }
    expect(driver.list('l')).toEqual(['10', '9', '1.5', '-3', '9']);
  });

  test('walks integers of a set from the lowest, and sorts a set that asks for no order', () => {
    const driver = new EngineDriver();
    driver.run('SADD numbers 100 20 3');
    driver.run('SADD words pear fig Apple');
    driver.run('SORT numbers BY missing_* ALPHA STORE r');
    expect(driver.list('r')).toEqual(['3', '20', '100']);
    driver.run('SORT words BY nosort STORE r');
    expect(driver.list('r')).toEqual(['Apple', 'fig', 'pear']);
  });
});

describe('functions and scripts', () => {
  test('libraries go by the name in their first line', () => {
    const driver = new EngineDriver();
    const code = '#!lua name=lib\nredis.register_function("f", function() end)';
    expect(driver.run('FUNCTION', 'LOAD', code)).toBe(APPLIED);
    expect(driver.run('FUNCTION', 'LOAD', code)).toBe(FAILED);
    expect(driver.run('FUNCTION', 'LOAD', 'REPLACE', `${code} `)).toBe(APPLIED);
    expect(driver.engine.keyspace.functions.get('lib')!.toString()).toBe(`${code} `);
    driver.run('FLUSHALL');
    expect(driver.engine.keyspace.functions.size).toBe(1);
    driver.run('FUNCTION FLUSH');
    expect(driver.engine.keyspace.functions.size).toBe(0);
  });

  test('a payload of a newer server is not known; a damaged one is refused', () => {
    const driver = new EngineDriver();
    const payload = (version: number): Buffer => {
      const bytes = Buffer.alloc(10);
      bytes.writeUInt16LE(version, 0);
      return bytes;
    };
    expect(driver.run('FUNCTION', 'RESTORE', payload(11))).toBe(APPLIED);
    expect(driver.run('FUNCTION', 'RESTORE', payload(79))).toBe(UNKNOWN);
    expect(driver.run('FUNCTION', 'RESTORE', payload(11).fill(1, 3))).toBe(FAILED);
    expect(driver.run('FUNCTION', 'RESTORE', 'short')).toBe(FAILED);
  });

  test.each(['FCALL f 0', 'EVALSHA abc 0'])('%s is not known', (command) => {
    expect(new EngineDriver().run(command)).toBe(UNKNOWN);
  });
});
