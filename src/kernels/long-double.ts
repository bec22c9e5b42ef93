/**
 * The x87 long double that INCRBYFLOAT and HINCRBYFLOAT compute with: a 64-bit significand. Servers log the result, not
 * the command, so this runs for logs of other origin only; it is exact rather than fast.
 */
export interface LongDouble {
  readonly negative: boolean;
  /** Below 2^64; null: infinite. */
  readonly significand: bigint | null;
  /** The value is significand x 2^exponent. */
  readonly exponent: number;
}

const SIGNIFICAND_BITS = 64;
const MAX_TOP = 16383;
const MIN_EXPONENT = -16445;
/** The servers' buffer: longer texts are not a number to them. */
const TEXT_MAX = 5 * 1024;
/** Decimal exponents beyond which every result overflows or vanishes. */
const DECIMAL_MAX = 4940;
const DECIMAL_MIN = -4970;
/** Decimals of `%.17Lf`. */
const DECIMALS = 17;

const bitLength = (value: bigint): number => {
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28;
};

/** Rounds to the nearest long double, ties to even. Infinite when it is too large. */
function rounded(negative: boolean, significand: bigint, exponent: number): LongDouble {
  if (significand === 0n) return { negative, significand, exponent: 0 };
  const dropped = Math.max(bitLength(significand) - SIGNIFICAND_BITS, MIN_EXPONENT - exponent);
  let kept = significand;
  let scale = exponent;
  if (dropped > 0) {
    const rest = BigInt.asUintN(dropped, significand);
    const half = 1n << BigInt(dropped - 1);
    kept >>= BigInt(dropped);
    scale += dropped;
    if (rest > half || (rest === half && (kept & 1n) === 1n)) kept++;
  }
  if (kept === 0n) return { negative, significand: 0n, exponent: 0 };
  return scale + bitLength(kept) - 1 > MAX_TOP
    ? { negative, significand: null, exponent: 0 }
    : { negative, significand: kept, exponent: scale };
}

/** digits x 10^power. */
function fromDecimal(negative: boolean, digits: bigint, power: number): LongDouble {
  if (power >= 0) return rounded(negative, digits * 10n ** BigInt(power), 0);
  const divisor = 10n ** BigInt(-power);
  const shift = Math.max(0, SIGNIFICAND_BITS + 2 + bitLength(divisor) - bitLength(digits));
  const dividend = digits << BigInt(shift);
  const quotient = dividend / divisor;
  // One bit below the quotient stands for whatever the division left.
  const sticky = quotient * divisor === dividend ? 0n : 1n;
  return rounded(negative, (quotient << 1n) | sticky, -shift - 1);
}

const DECIMAL = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?$/;
const HEX = /^([+-]?)0[xX](?:([0-9a-fA-F]+)(?:\.([0-9a-fA-F]*))?|\.([0-9a-fA-F]+))(?:[pP]([+-]?\d+))?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/**
 * Reads a whole argument as the servers read a long double. Null for what they call no valid float: other text, nan, a
 * value too large, a value other than zero too small, a text of 5 KiB or more.
 */
export function parseLongDouble(text: string): LongDouble | null {
  if (text.length >= TEXT_MAX) return null;
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return { negative: infinite[1] === '-', significand: null, exponent: 0 };
  const hexadecimal = HEX.exec(text);
  const match = hexadecimal ?? DECIMAL.exec(text);
  if (match === null) return null;
  const fraction = match[3] ?? match[4] ?? '';
  const digits = (match[2] ?? '') + fraction;
  const negative = match[1] === '-';
  const exponent = Number(match[5] ?? 0);
  const significand = BigInt(hexadecimal === null ? digits : `0x${digits}`);
  if (significand === 0n) return { negative, significand, exponent: 0 };
  let value: LongDouble;
  if (hexadecimal !== null) {
    const power = exponent - 4 * fraction.length;
    if (power > MAX_TOP || power < MIN_EXPONENT - 4 * TEXT_MAX) return null;
    value = rounded(negative, significand, power);
  } else {
    const power = exponent - fraction.length;
    const top = power + significand.toString().length;
    if (top > DECIMAL_MAX || top < DECIMAL_MIN) return null;
    value = fromDecimal(negative, significand, power);
  }
  return value.significand === null || value.significand === 0n ? null : value;
}

/** The sum as the processor rounds it; null when it is infinite or not a number, which the servers refuse. */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble | null {
  if (a.significand === null || b.significand === null) return null;
  const exponent = Math.min(a.exponent, b.exponent);
  const left = a.significand << BigInt(a.exponent - exponent);
  const right = b.significand << BigInt(b.exponent - exponent);
  const sum = (a.negative ? -left : left) + (b.negative ? -right : right);
  const result = rounded(sum < 0n, sum < 0n ? -sum : sum, exponent);
  return result.significand === null ? null : result;
}

/** Negative, zero or positive, as the first is below, equal to or above the second. */
export function compareLongDoubles(a: LongDouble, b: LongDouble): number {
  if (a.significand === null || b.significand === null) return infinity(a) - infinity(b);
  const exponent = Math.min(a.exponent, b.exponent);
  const left = a.significand << BigInt(a.exponent - exponent);
  const right = b.significand << BigInt(b.exponent - exponent);
  const difference = (a.negative ? -left : left) - (b.negative ? -right : right);
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}

/** -1 or 1 for an infinite value, else 0. */
function infinity({ significand, negative }: LongDouble): number {
  return significand !== null ? 0 : negative ? -1 : 1;
}

/** `%.17Lf` without its trailing zeros: the text the servers store. The value must be finite. */
export function formatLongDouble(value: LongDouble): string {
  const significand = value.significand ?? 0n;
  const scaled = significand * 10n ** BigInt(DECIMALS);
  let units = value.exponent >= 0 ? scaled << BigInt(value.exponent) : scaled;
  if (value.exponent < 0) {
    const shift = -value.exponent;
    const rest = BigInt.asUintN(shift, scaled);
    const half = 1n << BigInt(shift - 1);
    units = scaled >> BigInt(shift);
    if (rest > half || (rest === half && (units & 1n) === 1n)) units++;
  }
  if (units === 0n) return '0';
  const digits = units.toString().padStart(DECIMALS + 1, '0');
  const text = `${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)}`.replace(/\.?0+$/, '');
  return value.negative ? `-${text}` : text;
}
