/**
 * Grisu2 in 32-bit words: the digits that Redis 7.2 and later and Valkey print a sorted-set score with. It is not
 * always the shortest form (about one random double in 700 gets 17 digits where fewer would do), so neither
 * `Number.prototype.toString` nor an exact algorithm can stand in for it where digests are compared.
 */

/** Digits of the last conversion, most significant first: `grisu.digits[0..count)`, value = digits x 10^exponent. */
export const grisu = { digits: new Uint8Array(20), count: 0, exponent: 0 };

const TWO_32 = 4294967296;
const LOG10_2 = 0.30102999566398114;
const CACHED_COUNT = 87;
const CACHED_FIRST = -348;
const CACHED_STEP = 8;

interface CachedPowers {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly exponent: Int32Array;
}

let powers: CachedPowers | null = null;

/** The table, for the kernel that computes the same digits. */
export function grisuPowers(): CachedPowers {
  return (powers ??= cachedPowers());
}

/** 10^(-348+8i) as a rounded 64-bit significand and a binary exponent. Made on first use: most runs need none. */
function cachedPowers(): CachedPowers {
  const made: CachedPowers = {
    high: new Uint32Array(CACHED_COUNT),
    low: new Uint32Array(CACHED_COUNT),
    exponent: new Int32Array(CACHED_COUNT),
  };
  for (let i = 0; i < CACHED_COUNT; i++) {
    const power = CACHED_FIRST + CACHED_STEP * i;
    // One more bit than kept, below a numerator long enough for the smallest power, then rounded to nearest.
    const scale = power < 0 ? 1300 : 0;
    const whole = power < 0 ? (1n << BigInt(scale)) / 10n ** BigInt(-power) : 10n ** BigInt(power);
    const bits = whole.toString(2).length;
    let significand = bits > 65 ? whole >> BigInt(bits - 65) : whole << BigInt(65 - bits);
    let exponent = bits - 64 - scale;
    significand = (significand + 1n) >> 1n;
    if (significand === 1n << 64n) {
      significand >>= 1n;
      exponent++;
    }
    made.high[i] = Number(significand >> 32n);
    made.low[i] = Number(significand & 0xffffffffn);
    made.exponent[i] = exponent;
  }
  return made;
}

let productHigh = 0;
let productLow = 0;
let halfHigh = 0;

/** 32 x 32 bits: the lower word is returned, the upper one left in `halfHigh`. */
function multiplyWords(a: number, b: number): number {
  const aHigh = a >>> 16;
  const low = (a & 0xffff) * b;
  halfHigh = Math.floor((aHigh * b + Math.floor(low / 65536)) / 65536);
  return Math.imul(a, b) >>> 0;
}

/** The upper 64 bits of a 64 x 64 product, rounded, into `productHigh` and `productLow`. */
function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const ahBl = multiplyWords(aHigh, bLow);
  const ahBlHigh = halfHigh;
  const alBh = multiplyWords(aLow, bHigh);
  const alBhHigh = halfHigh;
  multiplyWords(aLow, bLow);
  const middle = ahBl + alBh + halfHigh + 0x80000000;
  const ahBh = multiplyWords(aHigh, bHigh);
  const low = ahBh + ahBlHigh + alBhHigh + Math.floor(middle / TWO_32);
  productHigh = (halfHigh + Math.floor(low / TWO_32)) >>> 0;
  productLow = low >>> 0;
}

/** The cached power that brings `exponent` into the range the digit loop works in. */
function powerIndexFor(exponent: number, table: CachedPowers): number {
  const approximate = Math.trunc(-(exponent + CACHED_COUNT) * LOG10_2);
  let index = Math.trunc((approximate - CACHED_FIRST) / CACHED_STEP);
  for (;;) {
    const sum = exponent + table.exponent[index]! + 64;
    if (sum < -60) index++;
    else if (sum > -32) index--;
    else return index;
  }
}

/**
 * Computes the digits of a finite number above zero, given as its IEEE words, into `grisu`. Both words unsigned; the
 * sign bit clear.
 */
export function grisuDigits(bitsHigh: number, bitsLow: number): void {
  const table = grisuPowers();
  const biased = bitsHigh >>> 20;
  let high = bitsHigh & 0xfffff;
  let exponent = -1074;
  if (biased !== 0) {
    high |= 0x100000;
    exponent = biased - 1075;
  }
  // At a power of two the gap below is half the gap above.
  const lowerShift = high === 0x100000 && bitsLow === 0 ? 2 : 1;
  const shift = high !== 0 ? Math.clz32(high) : 32 + Math.clz32(bitsLow);
  let low = bitsLow;
  if (shift >= 32) {
    high = (bitsLow << (shift - 32)) >>> 0;
    low = 0;
  } else if (shift > 0) {
    high = ((high << shift) | (bitsLow >>> (32 - shift))) >>> 0;
    low = (bitsLow << shift) >>> 0;
  }
  exponent -= shift;
  const index = powerIndexFor(exponent, table);
  const powerHigh = table.high[index]!;
  const powerLow = table.low[index]!;
  const one = -(exponent + table.exponent[index]! + 64);

  multiply(high, low, powerHigh, powerLow);
  const valueHigh = productHigh;
  const valueLow = productLow;

  const up = 2 ** (shift - 1);
  let edgeLow = low + (up % TWO_32);
  let edgeHigh = high + Math.floor(up / TWO_32) + Math.floor(edgeLow / TWO_32);
  multiply(edgeHigh >>> 0, edgeLow >>> 0, powerHigh, powerLow);
  const upperHigh = productLow === 0 ? productHigh - 1 : productHigh;
  const upperLow = (productLow - 1) >>> 0;

  const down = 2 ** (shift - lowerShift);
  edgeLow = low - (down % TWO_32);
  edgeHigh = high - Math.floor(down / TWO_32) + Math.floor(edgeLow / TWO_32);
  multiply(edgeHigh >>> 0, edgeLow >>> 0, powerHigh, powerLow);
  const lowerHigh = productLow === 0xffffffff ? productHigh + 1 : productHigh;
  const lowerLow = (productLow + 1) >>> 0;

  const fractionHigh = upperHigh - valueHigh - (upperLow < valueLow ? 1 : 0);
  const fractionLow = (upperLow - valueLow) >>> 0;
  const deltaHigh = upperHigh - lowerHigh - (upperLow < lowerLow ? 1 : 0);
  const deltaLow = (upperLow - lowerLow) >>> 0;
  grisu.exponent = -(CACHED_FIRST + CACHED_STEP * index);
  generate(upperHigh, upperLow, one - 32, deltaHigh, deltaLow, fractionHigh, fractionLow);
}

/** Digits of `upper` until what is left is inside the interval. `shift` + 32 bits of `upper` are its fraction. */
function generate(
  upperHigh: number,
  upperLow: number,
  shift: number,
  firstDeltaHigh: number,
  firstDeltaLow: number,
  firstFractionHigh: number,
  firstFractionLow: number,
): void {
  const { digits } = grisu;
  const oneHigh = 2 ** shift;
  const mask = oneHigh - 1;
  let whole = Math.floor(upperHigh / oneHigh);
  let restHigh = (upperHigh & mask) >>> 0;
  let restLow = upperLow;
  let deltaHigh = firstDeltaHigh;
  let deltaLow = firstDeltaLow;
  let fractionHigh = firstFractionHigh;
  let fractionLow = firstFractionLow;
  let count = 0;
  let kappa = 10;
  for (let divisor = 1_000_000_000; kappa > 0; divisor /= 10) {
    const digit = Math.floor(whole / divisor);
    if (digit !== 0 || count !== 0) digits[count++] = digit;
    whole -= digit * divisor;
    kappa--;
    const leftHigh = whole * oneHigh + restHigh;
    if (leftHigh < deltaHigh || (leftHigh === deltaHigh && restLow <= deltaLow)) {
      finish(
        count,
        kappa,
        deltaHigh,
        deltaLow,
        leftHigh,
        restLow,
        divisor * oneHigh,
        fractionHigh,
        fractionLow,
      );
      return;
    }
  }
  for (;;) {
    restLow *= 10;
    restHigh = restHigh * 10 + Math.floor(restLow / TWO_32);
    restLow >>>= 0;
    deltaLow *= 10;
    deltaHigh = deltaHigh * 10 + Math.floor(deltaLow / TWO_32);
    deltaLow >>>= 0;
    fractionLow *= 10;
    fractionHigh = fractionHigh * 10 + Math.floor(fractionLow / TWO_32);
    fractionLow >>>= 0;
    kappa--;
    const digit = Math.floor(restHigh / oneHigh);
    if (digit !== 0 || count !== 0) digits[count++] = digit;
    restHigh -= digit * oneHigh;
    if (restHigh < deltaHigh || (restHigh === deltaHigh && restLow < deltaLow)) {
      finish(count, kappa, deltaHigh, deltaLow, restHigh, restLow, oneHigh, fractionHigh, fractionLow);
      return;
    }
  }
}

/** Moves the last digit down while that brings it closer to the value; `step` is in units of the upper word. */
function finish(
  count: number,
  kappa: number,
  deltaHigh: number,
  deltaLow: number,
  restHigh: number,
  restLow: number,
  step: number,
  fractionHigh: number,
  fractionLow: number,
): void {
  // Both differences lose `step` per move: how far the value is below the digits, and how far the interval reaches.
  let awayHigh = fractionHigh - restHigh;
  let awayLow = fractionLow - restLow;
  if (awayLow < 0) {
    awayLow += TWO_32;
    awayHigh--;
  }
  let roomHigh = deltaHigh - restHigh - (deltaLow < restLow ? 1 : 0);
  while (
    awayHigh >= 0 &&
    (awayHigh > 0 || awayLow > 0) &&
    roomHigh >= step &&
    (awayHigh * 2 + (awayLow >= 0x80000000 ? 1 : 0) > step ||
      (awayHigh * 2 + (awayLow >= 0x80000000 ? 1 : 0) === step && awayLow % 0x80000000 !== 0))
  ) {
    grisu.digits[count - 1]!--;
    awayHigh -= step;
    roomHigh -= step;
  }
  grisu.count = count;
  grisu.exponent += kappa;
}
