/** Floats of 16 bits: IEEE 754 halves (5 bits of exponent) and brain floats (8 of them). */

const HALF_FRACTION_BITS = 10;
const HALF_EXPONENT_MIN = -14;
/** The largest half. */
const HALF_MAX = 65504;
const BRAIN_FRACTION_BITS = 7;
const SINGLE_EXPONENT_MIN = -126;

const words = new DataView(new ArrayBuffer(4));

/** The number that the bits of a half are. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> HALF_FRACTION_BITS) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** (HALF_EXPONENT_MIN - HALF_FRACTION_BITS);
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The number that the bits of a brain float are: the upper half of a single. */
export function brainToNumber(bits: number): number {
  words.setUint16(0, bits);
  words.setUint16(2, 0);
  return words.getFloat32(0);
}

/** The nearest half. */
export function toHalf(value: number): number {
  const nearest = rounded(value, HALF_FRACTION_BITS, HALF_EXPONENT_MIN);
  return Math.abs(nearest) > HALF_MAX ? Math.sign(value) * Number.POSITIVE_INFINITY : nearest;
}

/** The nearest brain float. */
export function toBrain(value: number): number {
  return rounded(value, BRAIN_FRACTION_BITS, SINGLE_EXPONENT_MIN);
}

/** Rounds to a number of fraction bits, ties to even. */
function rounded(value: number, fractionBits: number, exponentMin: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), exponentMin);
  const unit = 2 ** (exponent - fractionBits);
  const steps = value / unit;
  const below = Math.floor(steps);
  const over = steps - below;
  const up = over > 0.5 || (over === 0.5 && below % 2 !== 0);
  return (up ? below + 1 : below) * unit;
}
