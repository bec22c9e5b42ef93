/**
 * Sine, cosine and arc sine rounded to the nearest double. Servers use the C library's, which are within a hair of that
 * and differ from it about once in a thousand values; those of JavaScript differ twenty times as often. Works with sums
 * of two doubles, `high + low`, the low one beyond the last place of the high one.
 */

/** Splits a double into two of 26 bits, whose products are exact. */
const SPLITTER = 134217729;

/** Result of the last operation. */
let high = 0;
let low = 0;

function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const product = aHigh * bHigh;
  let wide = SPLITTER * aHigh;
  const a1 = wide - (wide - aHigh);
  const a2 = aHigh - a1;
  wide = SPLITTER * bHigh;
  const b1 = wide - (wide - bHigh);
  const b2 = bHigh - b1;
  const error = a1 * b1 - product + a1 * b2 + a2 * b1 + a2 * b2 + (aHigh * bLow + aLow * bHigh);
  high = product + error;
  low = error - (high - product);
}

function add(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const sum = aHigh + bHigh;
  const shift = sum - aHigh;
  const error = aHigh - (sum - shift) + (bHigh - shift) + (aLow + bLow);
  high = sum + error;
  low = error - (high - sum);
}

/** 1/n! with alternating signs as the series of sine (odd n) and cosine (even n) have them. */
const SERIES_END = 28;
const seriesHigh = new Float64Array(SERIES_END + 1);
const seriesLow = new Float64Array(SERIES_END + 1);

function fillSeries(): void {
  high = 1;
  low = 0;
  for (let n = 0; n <= SERIES_END; n++) {
    if (n > 0) divide(n);
    const sign = (n >> 1) % 2 === 0 ? 1 : -1;
    seriesHigh[n] = sign * high;
    seriesLow[n] = sign * low;
  }
}

/** Divides the result by a small integer. */
function divide(divisor: number): void {
  const dividendHigh = high;
  const dividendLow = low;
  const quotient = dividendHigh / divisor;
  multiply(quotient, 0, divisor, 0);
  const rest = dividendHigh - high - low + dividendLow;
  const error = rest / divisor;
  high = quotient + error;
  low = error - (high - quotient);
}

fillSeries();

/** Sums the series from its smallest term, every second coefficient, in powers of the square of the angle. */
function sumSeries(last: number, squareHigh: number, squareLow: number): void {
  high = seriesHigh[last]!;
  low = seriesLow[last]!;
  for (let n = last - 2; n >= 0; n -= 2) {
    multiply(high, low, squareHigh, squareLow);
    add(seriesHigh[n]!, seriesLow[n]!, high, low);
  }
}

// Half of pi in three parts.
const HALF_PI = 1.5707963267948966;
const HALF_PI_REST = 6.123233995736766e-17;
const HALF_PI_REST_2 = -1.4973849048591833e-33;

/** Sine of `x` plus so many quarter turns, for |x| up to a few turns; exact in `high + low` to 100 bits. */
function sineOf(x: number, quarters: number): void {
  const turns = Math.round(x / HALF_PI);
  let angleHigh = x;
  let angleLow = 0;
  if (turns !== 0) {
    multiply(HALF_PI, 0, turns, 0);
    add(x, 0, -high, -low);
    angleHigh = high;
    angleLow = low;
    multiply(HALF_PI_REST, 0, turns, 0);
    add(angleHigh, angleLow, -high, -low);
    angleHigh = high;
    angleLow = low - turns * HALF_PI_REST_2;
  }
  const quadrant = (turns + quarters) & 3;
  multiply(angleHigh, angleLow, angleHigh, angleLow);
  if (quadrant % 2 === 0) {
    sumSeries(SERIES_END - 1, high, low);
    multiply(high, low, angleHigh, angleLow);
  } else {
    sumSeries(SERIES_END, high, low);
  }
  if (quadrant >= 2) {
    high = -high;
    low = -low;
  }
}

export function sine(x: number): number {
  sineOf(x, 0);
  return high;
}

export function cosine(x: number): number {
  sineOf(x, 1);
  return high;
}

/** For 0 <= x <= 1; NaN above. */
export function arcSine(x: number): number {
  const near = Math.asin(x);
  const slope = Math.cos(near);
  if (!(x < 1)) return near;
  sineOf(near, 0);
  return near + (x - high - low) / slope;
}
