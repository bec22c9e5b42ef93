import { describe, expect, test } from 'vitest';
import { fitField, readField, writeField } from '../../src/keyspace/bitfield.js';
import { APPLIED, FAILED } from '../../src/keyspace/outcome.js';
import { EngineDriver } from './engine-driver.js';

describe('bit fields', () => {
  test('read back what was written, at every offset and width', () => {
    for (let bits = 1; bits <= 64; bits++) {
      for (const offset of [0, 1, 7, 8, 13]) {
        const all = (1n << BigInt(bits)) - 1n;
        for (const value of [0n, 1n, all, all >> 1n, 0xa5a5_5a5a_1234_8765n & all]) {
          const bytes = Buffer.alloc(12, 0xcc);
          const wanted = value > 9007199254740991n ? value : Number(value);
          writeField(bytes, 1, offset, bits, wanted);
          if (bits < 64) expect(readField(bytes, 1, offset, { signed: false, bits })).toBe(wanted);
          const signed = BigInt.asIntN(bits, value);
          expect(BigInt(readField(bytes, 1, offset, { signed: true, bits }))).toBe(signed);
          // Nothing around the field has changed.
          writeField(bytes, 1, offset, bits, 0);
          const rest = Buffer.alloc(12, 0xcc);
          writeField(rest, 1, offset, bits, 0);
          expect(bytes).toEqual(rest);
        }
      }
    }
  });

  test('wrap, saturate or fail', () => {
    const u8 = { signed: false, bits: 8 };
    const i8 = { signed: true, bits: 8 };
    expect(fitField(256, u8, 'wrap', false)).toBe(0);
    expect(fitField(-1, u8, 'wrap', false)).toBe(255);
    expect(fitField(300, u8, 'sat', false)).toBe(255);
    expect(fitField(-300, u8, 'sat', false)).toBe(0);
    expect(fitField(128, i8, 'wrap', false)).toBe(-128);
    expect(fitField(-129, i8, 'sat', false)).toBe(-128);
    expect(fitField(128, i8, 'fail', false)).toBeNull();
    expect(fitField(127, i8, 'fail', false)).toBe(127);
    const i64 = { signed: true, bits: 64 };
    expect(fitField(9223372036854775808n, i64, 'sat', false)).toBe(9223372036854775807n);
    expect(fitField(9223372036854775808n, i64, 'wrap', false)).toBe(-9223372036854775808n);
  });

  test('a negative number set in an unsigned field is a large one, as the servers take it', () => {
    expect(fitField(-1, { signed: false, bits: 8 }, 'sat', true)).toBe(255);
    // Their distance to the upper bound overflows for the lowest numbers only.
    expect(fitField(-9223372036854775808n, { signed: true, bits: 8 }, 'sat', true)).toBe(127);
    expect(fitField(-9223372036854775000n, { signed: true, bits: 8 }, 'sat', true)).toBe(-128);
  });

  test('several in one command', () => {
    const driver = new EngineDriver();
    driver.run(
      'BITFIELD bf SET i5 100 -7 INCRBY u63 3 12345678901234567 OVERFLOW SAT INCRBY i64 70 9223372036854775807 INCRBY i64 70 5',
    );
    // Read from redis-server 7.0.15.
    expect(driver.string('bf')!.toString('hex')).toBe('000af715175ad2e1c1fffffffffffffffc');
  });

  test('a write that fails grows the string all the same; a wrong argument does not', () => {
    const driver = new EngineDriver();
    expect(driver.run('BITFIELD bf OVERFLOW FAIL INCRBY u2 30 5')).toBe(APPLIED);
    expect(driver.string('bf')).toEqual(Buffer.alloc(4));
    expect(driver.run('BITFIELD bf SET u8 100 1 SET u64 0 1')).toBe(FAILED);
    expect(driver.run('BITFIELD bf SET u8 4294967290 1')).toBe(FAILED);
    expect(driver.string('bf')).toEqual(Buffer.alloc(4));
  });
});

describe('SETBIT and BITOP', () => {
  test('bit 0 is the highest of byte 0', () => {
    const driver = new EngineDriver();
    driver.run('SETBIT b 0 1');
    driver.run('SETBIT b 17 1');
    expect(driver.string('b')!.toString('hex')).toBe('800040');
    driver.run('SETBIT b 17 0');
    expect(driver.string('b')!.toString('hex')).toBe('800000');
    expect(driver.run('SETBIT b 4294967296 1')).toBe(FAILED);
  });

  test('shorter strings count as zero beyond their end; the expiry of the destination goes', () => {
    const driver = new EngineDriver({ release: 802 });
    driver.run('SET', 'a', Buffer.from('f0f0f0', 'hex'));
    driver.run('SET', 'b', Buffer.from('cc', 'hex'));
    driver.run('SET', 'c', Buffer.from('aaaa', 'hex'));
    const result = (operation: string): string => {
      driver.run('SET r x PXAT 2000000000000');
      expect(driver.hasExpiry('r')).toBe(true);
      expect(driver.run(`BITOP ${operation}`)).toBe(APPLIED);
      expect(driver.hasExpiry('r')).toBe(false);
      return driver.string('r')!.toString('hex');
    };
    expect(result('AND r a b c')).toBe('800000');
    expect(result('OR r a b c')).toBe('fefaf0');
    expect(result('XOR r a b c')).toBe('965af0');
    expect(result('NOT r b')).toBe('33');
    expect(result('DIFF r a b c')).toBe('1050f0');
    expect(result('DIFF1 r a b c')).toBe('0e0a00');
    expect(result('ANDOR r a b c')).toBe('e0a000');
    expect(result('ONE r a b c')).toBe('165af0');
  });

  test('an empty result deletes; servers before 8.2 know four operations', () => {
    const driver = new EngineDriver({ release: 704 });
    driver.run('SET r x');
    expect(driver.run('BITOP DIFF r r r')).toBe(FAILED);
    expect(driver.run('BITOP AND r nothing')).toBe(APPLIED);
    expect(driver.string('r')).toBeNull();
  });
});
