import { describe, expect, it } from 'vitest';
import { format17g, formatShortest, parseDouble } from '../../src/kernels/doubles.js';
import { same } from '../support/same.js';
import { random64 } from './random.js';

const view = new DataView(new ArrayBuffer(8));
const doubleOf = (bits: bigint): number => {
  view.setBigUint64(0, BigInt.asUintN(64, bits));
  return view.getFloat64(0);
};

const powers: (readonly [bigint, number])[] = [];

/** Power `i` of the table that the servers' routine has: 64 bits of it, and its exponent. */
function cached(i: number): readonly [bigint, number] {
  return (powers[i] ??= powerOfTen(-348 + 8 * i));
}

function powerOfTen(power: number): readonly [bigint, number] {
  const [n, d] = power < 0 ? [1n, 10n ** BigInt(-power)] : [10n ** BigInt(power), 1n];
  let exponent = Math.floor(power * Math.log2(10)) - 63;
  for (;;) {
    const [a, b] = exponent < 0 ? [n << BigInt(-exponent), d] : [n, d << BigInt(exponent)];
    const q = (2n * a + b) / (2n * b);
    if (q >> 64n) exponent++;
    else if (q >> 63n) return [q, exponent];
    else exponent--;
  }
}

/** A straight port of the servers' routine on big integers: slow, and independent of the one under test. */
function referenceShortest(value: number): string {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const sign = bits >> 63n ? '-' : '';
  if (value === 0) return `${sign}0`;
  if (!Number.isFinite(value)) return `${sign}inf`;
  let f = bits & 0xfffffffffffffn;
  const biased = Number((bits >> 52n) & 0x7ffn);
  if (biased) f |= 1n << 52n;
  const e = biased ? biased - 1075 : -1074;
  const normal = (n: bigint, exponent: number): [bigint, number] => {
    const shift = 64 - n.toString(2).length;
    return [n << BigInt(shift), exponent - shift];
  };
  const [uf, ue] = normal(2n * f + 1n, e - 1);
  const [wf] = normal(f, e);
  const [lf0, le] = f === 1n << 52n ? [4n * f - 1n, e - 2] : [2n * f - 1n, e - 1];
  const lf = lf0 << BigInt(le - ue);
  let i = Math.trunc((Math.trunc(-(ue + 87) * 0.30102999566398114) + 348) / 8);
  while (ue + cached(i)[1] + 64 < -60) i++;
  while (ue + cached(i)[1] + 64 > -32) i--;
  const [cf, ce] = cached(i);
  const times = (n: bigint): bigint => (n * cf + (1n << 63n)) >> 64n;
  const upper = times(uf) - 1n;
  const lower = times(lf) + 1n;
  const s = BigInt(-(ue + ce + 64));
  const one = 1n << s;
  let fraction = upper - times(wf);
  let delta = upper - lower;
  const digits: number[] = [];
  let exponent = -(-348 + 8 * i);
  let p1 = upper >> s;
  let p2 = upper & (one - 1n);
  let kappa = 10;
  const round = (rest: bigint, step: bigint): void => {
    let left = rest;
    while (
      left < fraction &&
      delta - left >= step &&
      (left + step < fraction || fraction - left > left + step - fraction)
    ) {
      digits[digits.length - 1]!--;
      left += step;
    }
  };
  const push = (digit: bigint): void => {
    if (digit || digits.length) digits.push(Number(digit));
  };
  let done = false;
  for (let div = 10n ** 9n; kappa > 0 && !done; div /= 10n) {
    push(p1 / div);
    p1 %= div;
    kappa--;
    const rest = (p1 << s) + p2;
    done = rest <= delta;
    if (done) round(rest, div << s);
  }
  while (!done) {
    p2 *= 10n;
    delta *= 10n;
    fraction *= 10n;
    kappa--;
    push(p2 >> s);
    p2 &= one - 1n;
    done = p2 < delta;
    if (done) round(p2, one);
  }
  exponent += kappa;
  const text = digits.join('');
  const n = text.length;
  const power = Math.abs(exponent + n - 1);
  if (exponent >= 0 && power < n + 7) return sign + text + '0'.repeat(exponent);
  if (exponent < 0 && (exponent > -7 || power < 4)) {
    const whole = n + exponent;
    return whole <= 0
      ? `${sign}0.${'0'.repeat(-whole)}${text}`
      : `${sign}${text.slice(0, whole)}.${text.slice(whole)}`;
  }
  const kept = text.slice(0, 18 - sign.length);
  const tail = kept.length > 1 ? `.${kept.slice(1)}` : '';
  return `${sign}${kept[0]}${tail}e${exponent + kept.length - 1 < 0 ? '-' : '+'}${power}`;
}

describe('the shortest form', () => {
  it.each([
    [0, '0'],
    [-0, '-0'],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
    [Number.NaN, 'nan'],
    [1e6, '1000000'],
    [1e7, '10000000'],
    [1e8, '1e+8'],
    [-1e8, '-1e+8'],
    [1.2e8, '120000000'],
    [1.2e9, '1.2e+9'],
    [1e20, '1e+20'],
    [0.1, '0.1'],
    [1e-6, '0.000001'],
    [1e-7, '1e-7'],
    [1.5e300, '1.5e+300'],
    [12345678.125, '12345678.125'],
    [123456789012345680000, '123456789012345680000'],
    [1772366400123, '1772366400123'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [5e-324, '5e-324'],
    [2.2250738585072014e-308, '2.2250738585072014e-308'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
  ])('of %d is %s', (value, text) => {
    expect(formatShortest(value)).toBe(text);
    if (!Number.isNaN(value)) expect(referenceShortest(value)).toBe(text);
  });

  it('equals the reference on random doubles, subnormals, powers of two, integers and decimals', () => {
    const next = random64(3);
    for (let i = 0; i < 4000; i++) {
      const bits = next();
      const integer = Number(bits >> BigInt(11 + (i % 52)));
      for (const value of [
        doubleOf(bits),
        doubleOf(bits & 0x800fffffffffffffn),
        doubleOf(bits & 0xfff0000000000000n),
        integer,
        integer * 10 ** (i % 12),
        -integer / 10 ** (i % 9),
      ]) {
        if (Number.isFinite(value)) same(formatShortest(value), referenceShortest(value));
      }
    }
  });

  it('reads back as the same double', () => {
    const next = random64(4);
    for (let i = 0; i < 20_000; i++) {
      const value = doubleOf(next());
      if (Number.isFinite(value)) same(Number(formatShortest(value)), value);
    }
  });
});

describe('%.17g', () => {
  it.each([
    [0, '0'],
    [-0, '-0'],
    [0.1, '0.10000000000000001'],
    [3.14, '3.1400000000000001'],
    [-2.5, '-2.5'],
    [1e16, '10000000000000000'],
    [1e17, '1e+17'],
    [123456789012345680000, '1.2345678901234568e+20'],
    [1e-4, '0.0001'],
    [0.00001, '1.0000000000000001e-05'],
    [1e100, '1e+100'],
    [5e-324, '4.9406564584124654e-324'],
    [Number.POSITIVE_INFINITY, 'inf'],
    // Ties: C goes to the even digit, JavaScript up.
    [1e15 + 0.25, '1000000000000000.2'],
    [1e15 + 0.75, '1000000000000000.8'],
    [1 + 2 ** -17, '1.0000076293945312'],
    [1 + 3 * 2 ** -17, '1.0000228881835938'],
    [-1 - 2 ** -17, '-1.0000076293945312'],
  ])('of %d is %s', (value, text) => {
    expect(format17g(value)).toBe(text);
  });

  it('reads back as the same double', () => {
    const next = random64(5);
    for (let i = 0; i < 20_000; i++) {
      const value = doubleOf(next());
      if (Number.isFinite(value)) same(Number(format17g(value)), value);
    }
  });
});

function parsed(text: string): number {
  const bytes = Buffer.from(`1${text}1`, 'latin1');
  return parseDouble(bytes, 1, bytes.length - 1);
}

describe('reading a float argument', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['-0.0', -0],
    ['+7', 7],
    ['007', 7],
    ['.5', 0.5],
    ['5.', 5],
    ['-.5e1', -5],
    ['3.14', 3.14],
    ['0.1', 0.1],
    ['123456789.123456', 123456789.123456],
    ['1e3', 1000],
    ['1E-2', 0.01],
    ['0e99999', 0],
    ['9007199254740993', 2 ** 53],
    ['17976931348623157e292', 1.7976931348623157e308],
    ['4.9e-324', 5e-324],
    ['inf', Number.POSITIVE_INFINITY],
    ['+InF', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['0x10', 16],
    ['-0X1.8p1', -3],
    ['0x.8', 0.5],
    ['0x8.', 8],
    ['0x0p99999', 0],
    ['0x1p-1074', 5e-324],
    ['0x1.fffffffffffff7p1023', 1.7976931348623157e308],
    ['0x1.00000000000008p0', 1],
    ['0x1.000000000000080000000000000000000001p0', 1.0000000000000002],
    ['0x1.00000000000018p0', 1.0000000000000004],
    [`0x${'0'.repeat(50)}1${'0'.repeat(50)}p-200`, 1],
    ['0x1.8p-1075', 5e-324],
  ])('takes %j', (text, value) => {
    expect(parsed(text)).toBe(value);
  });

  it.each([
    '',
    '-',
    '+',
    '.',
    '-.',
    'e5',
    '1e',
    '1e+',
    ' 1',
    '1 ',
    '1x',
    '1.2.3',
    '--1',
    '+-1',
    '1\0',
    '0x',
    '0x.',
    '0xg',
    '0x1p',
    '1_0',
    'nan',
    '-nan',
    'nan(1)',
    'infin',
    'in',
    'Infinityx',
    '1e400',
    '-1e400',
    '1e-400',
    '0x1p1024',
    '0x1p-1076',
    '0x1.fffffffffffff8p1023',
  ])('refuses %j', (text) => {
    expect(parsed(text)).toBeNaN();
  });

  it('agrees with the language on random decimals', () => {
    const next = random64(6);
    for (let i = 0; i < 20_000; i++) {
      const digits = String(next()).slice(0, 1 + (i % 18));
      const cut = Number(next() % BigInt(digits.length + 1));
      const text = `${i % 2 ? '-' : ''}${digits.slice(0, cut)}.${digits.slice(cut)}`;
      same(parsed(text), Number(text));
    }
  });

  it('takes linear time on long texts that are nearly numbers', () => {
    for (const text of [
      `${'1'.repeat(300_000)}x`,
      `0x${'1'.repeat(300_000)}y`,
      `1e${'1'.repeat(300_000)}z`,
    ]) {
      expect(parsed(text)).toBeNaN();
    }
  });
});
