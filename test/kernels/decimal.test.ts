import { describe, expect, it } from 'vitest';
import {
  Int64Words,
  parseInt64,
  parseSafeInteger,
  parseUint64,
  writeInt64,
  writeInteger,
  writeUint64,
} from '../../src/kernels/decimal.js';
import { same } from '../support/same.js';
import { random64 } from './random.js';

const words = new Int64Words();
const value = (): bigint => (BigInt(words.high) << 32n) | BigInt(words.low);

function signed(text: string): bigint | null {
  const bytes = Buffer.from(`xx${text}yy`, 'latin1');
  return parseInt64(bytes, 2, bytes.length - 2, words) ? BigInt.asIntN(64, value()) : null;
}

function unsigned(text: string): bigint | null {
  const bytes = Buffer.from(`9${text}9`, 'latin1');
  return parseUint64(bytes, 1, bytes.length - 1, words) ? value() : null;
}

const INTERESTING = [
  0n,
  1n,
  9n,
  10n,
  99n,
  999999999n,
  1000000000n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 32n,
  999999999999999n,
  1000000000000000n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 63n) - 1n,
];

describe('parsing', () => {
  it('reads every canonical signed integer', () => {
    for (const n of [...INTERESTING, ...INTERESTING.map((m) => -m), -(1n << 63n)])
      expect(signed(String(n))).toBe(n);
  });

  it('reads random ones of every length', () => {
    const next = random64(1);
    for (let i = 0; i < 20_000; i++) {
      const n = BigInt.asIntN(64, next()) >> BigInt(i % 64);
      same(signed(String(n)), n);
      const u = BigInt.asUintN(64, next()) >> BigInt(i % 64);
      same(unsigned(String(u)), u);
    }
  });

  it.each([
    '',
    '-',
    '-0',
    '+1',
    '01',
    '-01',
    '00',
    ' 1',
    '1 ',
    '1a',
    'a1',
    '1.0',
    '1e3',
    '9223372036854775808',
    '-9223372036854775809',
    '18446744073709551616',
    '99999999999999999999',
    '123456789012345678901',
    '12345678901234567a',
    '1234567a9012345678',
    '1\0',
  ])('refuses %j', (text) => {
    expect(signed(text)).toBeNull();
  });

  it('knows the end of the unsigned range', () => {
    expect(unsigned('18446744073709551615')).toBe(18446744073709551615n);
    for (const text of ['18446744073709551616', '99999999999999999999', '-1', '']) {
      expect(unsigned(text)).toBeNull();
    }
  });

  it('gives safe integers as numbers and NaN for all else', () => {
    const read = (text: string): number => parseSafeInteger(Buffer.from(text), 0, text.length);
    for (const n of [0, 1, -1, 10, 4294967296, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]) {
      expect(read(String(n))).toBe(n);
    }
    for (const text of ['', '-', '-0', '007', '1x', '9007199254740992', '12345678901234567']) {
      expect(read(text)).toBeNaN();
    }
  });
});

describe('writing', () => {
  it('is the inverse of parsing', () => {
    const into = Buffer.alloc(32);
    const next = random64(2);
    const check = (n: bigint): void => {
      const u = BigInt.asUintN(64, n);
      const [high, low] = [Number(u >> 32n), Number(u & 0xffffffffn)];
      const text = String(BigInt.asIntN(64, n));
      const same = (actual: string, expected: string): void => {
        // One that holds costs nothing: there are sixty thousand.
        if (actual !== expected) expect(actual).toBe(expected);
      };
      same(into.latin1Slice(3, writeInt64(high, low, into, 3)), text);
      same(into.latin1Slice(1, writeUint64(high, low, into, 1)), String(u));
      const number = Number(text);
      if (Number.isSafeInteger(number)) same(into.latin1Slice(0, writeInteger(number, into, 0)), text);
    };
    for (const n of INTERESTING) for (const m of [n, -n, ~n]) check(m);
    for (let i = 0; i < 20_000; i++) check(next() >> BigInt(i % 64));
  });
});
