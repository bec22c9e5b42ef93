/** A finite 80-bit extended float: `significand` (at most 64 bits, signed) times 2^exponent. */
interface Extended {
  readonly significand: bigint;
  readonly exponent: number;
}

const TEXT_MAX = 5 * 1024;
const PRECISION = 64;
const EXPONENT_MIN = -16445;
const EXPONENT_MAX = 16384;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,7}))?$/;
const HEX = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d{1,7}))?$/;

/**
 * The sum of two decimal texts as INCRBYFLOAT of an x86-64 server makes it: both rounded to 80-bit floats, so the sum,
 * printed with up to seventeen decimals. Null when a text is no finite number or the sum overflows.
 */
export function addLongDoubles(a: string, b: string): string | null {
  const first = parseExtended(a);
  const second = parseExtended(b);
  if (first === null || second === null) return null;
  const exponent = Math.min(first.exponent, second.exponent);
  const sum = scaled(first, exponent) + scaled(second, exponent);
  const rounded = round(sum, 1n, exponent);
  return rounded === null ? null : format(rounded);
}

/** True when the text is a number to the server, if perhaps an infinite one. */
export function isLongDouble(text: string): boolean {
  return /^[+-]?inf(?:inity)?$/i.test(text) || parseExtended(text) !== null;
}

function scaled(value: Extended, exponent: number): bigint {
  return value.significand << BigInt(value.exponent - exponent);
}

function parseExtended(text: string): Extended | null {
  if (text.length >= TEXT_MAX) return null;
  const decimal = DECIMAL.exec(text);
  if (decimal !== null) return parseDigits(decimal, 10n, 1);
  const hex = HEX.exec(text);
  return hex === null ? null : parseDigits(hex, 16n, 4);
}

function parseDigits(match: RegExpExecArray, base: bigint, exponentUnit: number): Extended | null {
  const fraction = match[3] ?? '';
  const digits = (match[2] ?? '') + fraction;
  if (digits === '') return null;
  const magnitude = BigInt(base === 16n ? `0x${digits}` : digits);
  if (magnitude === 0n) return { significand: 0n, exponent: 0 };
  const significand = match[1] === '-' ? -magnitude : magnitude;
  const power = Number(match[4] ?? 0);
  if (base === 16n) return round(significand, 1n, power - exponentUnit * fraction.length);
  const tens = power - fraction.length;
  // Beyond these the result over- or underflows whatever the digits are, and the power need not be computed.
  if (tens > 5000 || tens + digits.length < -5000) return null;
  return tens >= 0
    ? round(significand * 10n ** BigInt(tens), 1n, 0)
    : round(significand, 10n ** BigInt(-tens), 0);
}

/** `numerator / denominator * 2^exponent` to the nearest extended float, ties to even; null beyond its range. */
function round(numerator: bigint, denominator: bigint, exponent: number): Extended | null {
  if (numerator === 0n) return { significand: 0n, exponent: 0 };
  const negative = numerator < 0n;
  const magnitude = negative ? -numerator : numerator;
  // A quotient of 65 bits or more, with a mark below it for what the division left.
  const shift = Math.max(0, PRECISION + 2 - (bitLength(magnitude) - bitLength(denominator)));
  const shifted = magnitude << BigInt(shift);
  let quotient = (shifted / denominator) << 1n;
  if (shifted % denominator !== 0n) quotient |= 1n;
  let low = exponent - shift - 1;
  const dropped = Math.max(bitLength(quotient) - PRECISION, EXPONENT_MIN - low);
  if (dropped > 0) {
    const rest = BigInt.asUintN(dropped, quotient);
    const half = 1n << BigInt(dropped - 1);
    quotient >>= BigInt(dropped);
    if (rest > half || (rest === half && (quotient & 1n) === 1n)) quotient++;
    low += dropped;
  }
  if (quotient === 0n || bitLength(quotient) + low > EXPONENT_MAX) return null;
  return { significand: negative ? -quotient : quotient, exponent: low };
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28;
}

/** As C's `%.17Lf`, without trailing zeros. */
function format({ significand, exponent }: Extended): string {
  const negative = significand < 0n;
  const scaledUp = (negative ? -significand : significand) * 10n ** 17n;
  let units = scaledUp;
  if (exponent >= 0) {
    units = scaledUp << BigInt(exponent);
  } else {
    const bits = -exponent;
    units = scaledUp >> BigInt(bits);
    const rest = BigInt.asUintN(bits, scaledUp);
    const half = 1n << BigInt(bits - 1);
    if (rest > half || (rest === half && (units & 1n) === 1n)) units++;
  }
  if (units === 0n) return '0';
  const digits = units.toString().padStart(18, '0');
  const fraction = digits.slice(-17).replace(/0+$/, '');
  return `${negative ? '-' : ''}${digits.slice(0, -17)}${fraction === '' ? '' : `.${fraction}`}`;
}
