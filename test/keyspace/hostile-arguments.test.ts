import { expect, test } from 'vitest';
import { fieldExpiry, findField, NEVER } from '../../src/keyspace/hashes.js';
import { APPLIED, FAILED } from '../../src/keyspace/outcome.js';
import { CommandSpans } from '../../src/resp/command.js';
import { EngineDriver, NOW_MS } from './engine-driver.js';

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

test.each([
  ['SET k 2 XX XX', '2', null],
  ['SET k 2 NX NX', '1', null],
  ['SET k 2 EX 5 EX 10', '2', NOW_MS + 10_000],
  ['SET k 2 EX x PX 10', '1', null],
  ['SET k 2 PX x PX 10', '2', NOW_MS + 10],
  ['SET k 2 EX 10 EX x', '1', null],
  ['SET k 2 KEEPTTL KEEPTTL', '2', null],
  ['SET k 2 KEEPTTL EX 10', '1', null],
  ['SET k 2 IFEQ 7 IFEQ 1', '2', null],
  ['SET k 2 XX IFEQ 1', '1', null],
  ['SET k 2 IFEQ 1 XX', '2', null],
  ['GETEX k PXAT 1 PXAT 99999999999999', '1', 99_999_999_999_999],
  ['GETEX k PERSIST PERSIST', '1', null],
])('an option may stand there again, and the last counts: %s', (command, value, expiry) => {
  const driver = new EngineDriver();
  driver.run('SET k 1');
  driver.run(command);
  expect(String(driver.string('k'))).toBe(value);
  expect(driver.hasExpiry('k') ? Number(driver.expiry('k')) : null).toBe(expiry);
});

test('FUNCTION LOAD takes REPLACE as often as it stands there', () => {
  const driver = new EngineDriver();
  for (let i = 0; i < 2; i++) {
    expect(driver.run('FUNCTION', 'LOAD', 'REPLACE', 'REPLACE', '#!lua name=x\n')).toBe(APPLIED);
  }
  expect(driver.engine.keyspace.functions.has('x')).toBe(true);
  expect(driver.run('FUNCTION', 'LOAD', 'REPLACE', 'x', '#!lua name=x\n')).toBe(FAILED);
});

test('a field that is to expire at 0 of a packed hash has no expiry, as Redis keeps it', () => {
  for (const [product, expiry] of [
    ['redis', NEVER],
    ['valkey', 0],
  ] as const) {
    const driver = new EngineDriver({ product });
    driver.run('HSET h f v');
    driver.run('HPEXPIREAT h 99999999999999 FIELDS 1 f');
    expect(driver.run('HEXPIREAT h 0 FIELDS 1 f')).toBe(APPLIED);
    const { db } = driver.engine;
    const entry = driver.engine.find(CommandSpans.of('h'), 0);
    expect(fieldExpiry(db, entry, findField(db, entry, Buffer.from('f'), 0, 1))).toBe(expiry);
  }
});

test('ids of streams may have white space and a sign before their numbers', () => {
  const driver = new EngineDriver();
  for (const id of [' 1-\t2', '\n+3', '5- +7']) expect(driver.run('XADD', 's', id, 'f', 'v')).toBe(APPLIED);
  expect(driver.stream('s').lastId).toEqual({ msHigh: 0, msLow: 5, seqHigh: 0, seqLow: 7 });
  for (const id of ['6 ', '+ 6', '6-', ' ']) expect(driver.run('XADD', 's', id, 'f', 'v')).toBe(FAILED);
});

test('the millisecond before 1970 is no expiry, as servers keep it', () => {
  const driver = new EngineDriver();
  driver.run('SET', 'k', 'v', 'PXAT', '99999999999999');
  const { db } = driver.engine;
  const entry = driver.engine.find(CommandSpans.of('k'), 0);
  expect(db.hasExpiry(entry)).toBe(true);
  expect(driver.run('PEXPIREAT', 'k', '-1')).toBe(APPLIED);
  expect(db.hasExpiry(entry)).toBe(false);
  expect(driver.run('PEXPIREAT', 'k', '-2')).toBe(APPLIED);
  expect(db.expiryAt(entry)).toBe(-2);
});
