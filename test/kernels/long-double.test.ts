import { describe, expect, it } from 'vitest';
import { addLongDoubles, formatLongDouble, parseLongDouble } from '../../src/kernels/long-double.js';

/** What INCRBYFLOAT would store; null: refused. */
function add(a: string, b: string): string | null {
  const [x, y] = [parseLongDouble(a), parseLongDouble(b)];
  if (x === null || y === null) return null;
  const sum = addLongDoubles(x, y);
  return sum === null ? null : formatLongDouble(sum);
}

describe('long double addition', () => {
  // Every row as a 7.0.15 server answers SET k a, INCRBYFLOAT k b.
  it.each([
    ['0', '0.1', '0.1'],
    ['0.1', '0.2', '0.3'],
    ['10.5', '0.1', '10.6'],
    ['3.0e3', '200', '3200'],
    ['1e-20', '0', '0'],
    ['-1e-20', '0', '0'],
    ['-0', '-0', '0'],
    ['-0.5', '0.25', '-0.25'],
    ['9007199254740993', '1', '9007199254740994'],
    ['18446744073709551615', '1', '18446744073709551616'],
    ['18446744073709551616', '1', '18446744073709551616'],
    ['0x1p4', '.5', '16.5'],
    ['5.', '1', '6'],
    ['1e4000', '-1e4000', '0'],
  ])('of %s and %s is %s', (a, b, sum) => {
    expect(add(a, b)).toBe(sum);
  });

  it.each(['', ' 1', '1 ', '1x', 'nan', '1e5000', '1e-5000', '0x', '1e', '.', '-', '1\0', '0'.repeat(5120)])(
    'refuses %j',
    (text) => {
      expect(parseLongDouble(text)).toBeNull();
    },
  );

  it('takes infinity as an argument but never as a result', () => {
    expect(parseLongDouble('-Infinity')).toEqual({ negative: true, significand: null, exponent: 0 });
    expect(add('inf', '1')).toBeNull();
    expect(add('inf', '-inf')).toBeNull();
    expect(add('1e4932', '1e4932')).toBeNull();
  });

  it('keeps 64 bits of significand', () => {
    expect(add('0.12345678901234567', '0')).toBe('0.12345678901234567');
    expect(add('12345678901.12345678', '0')).toBe('12345678901.12345677986741066');
  });
});
