// Scores in JSON: digits by Grisu2, laid out as ../doubles.ts does.
//
//   POWERS  10^(-348 + 8i) for i from 0 to 86: a significand of 64 bits and a binary exponent, sixteen bytes each
//   DIGITS  those of the number at hand
import { putDigits, putLiteral, putSigned } from './json';

const POWERS: usize = 0x2a00;
const DIGITS: usize = 0x3100;
const LOG10_2: f64 = 0.30102999566398114;
const POWER_COUNT: i32 = 87;
const POWER_FIRST: i32 = -348;
const POWER_STEP: i32 = 8;
const SAFE_MAX: f64 = 9007199254740991;

/** Below this ten thousand times a number is exact. */
const EXACT_BELOW: f64 = 100000000000;

const INFINITE: usize = 2;
const MINUS_INFINITE: usize = 3;
const MINUS_ZERO: usize = 4;

const ZERO: u8 = 48;

let count: i32 = 0;
let exponent: i32 = 0;

/** A number that reads back as the same double, or an infinity by its name. Not for NaN. */
export function putDouble(value: f64, at: usize): usize {
  if (abs<f64>(value) <= SAFE_MAX && trunc<f64>(value) == value) {
    const whole = <i64>value;
    if (whole % 100000000 != 0) return putSigned(whole, at);
    if (whole == 0) {
      if (reinterpret<u64>(value) != 0) return putLiteral(MINUS_ZERO, at);
      store<u8>(at, ZERO);
      return at + 1;
    }
  }
  if (abs<f64>(value) == Infinity) return putLiteral(value > 0 ? INFINITE : MINUS_INFINITE, at);
  const bits = reinterpret<u64>(value);
  const negative = bits >> 63 != 0;
  const sixteenths = value * 16;
  if (abs<f64>(value) < EXACT_BELOW && trunc<f64>(sixteenths) == sixteenths && trunc<f64>(value) != value) {
    return putSixteenths(value, at);
  }
  grisu(bits & 0x7fffffffffffffff);
  let to = at;
  if (negative) store<u8>(to++, 45);
  return layOut(negative, to);
}

/** A number with a fraction that is exact with four decimals or fewer, and so needs no others. */
function putSixteenths(value: f64, at: usize): usize {
  let to = at;
  if (value < 0) store<u8>(to++, 45);
  const parts = <u64>(abs<f64>(value) * 10000);
  const whole = parts / 10000;
  let decimals = <u32>(parts - whole * 10000);
  to = putDigits(whole, to);
  store<u8>(to++, 46);
  for (; decimals != 0; decimals = (decimals * 10) % 10000) store<u8>(to++, ZERO + <u8>(decimals / 1000));
  return to;
}

/** Plain up to seven trailing zeros or six decimals, else with an exponent. */
function layOut(negative: bool, at: usize): usize {
  const scientific = exponent + count - 1;
  const magnitude = scientific < 0 ? -scientific : scientific;
  if (exponent >= 0 ? magnitude < count + 7 : exponent > -7 || magnitude < 4) return layFixed(at);
  const kept = min<i32>(count, negative ? 17 : 18);
  let to = at;
  store<u8>(to++, ZERO + load<u8>(DIGITS));
  if (kept > 1) {
    store<u8>(to++, 46);
    for (let i: i32 = 1; i < kept; i++) store<u8>(to++, ZERO + load<u8>(DIGITS + i));
  }
  store<u8>(to++, 101);
  store<u8>(to++, exponent + kept - 1 < 0 ? 45 : 43);
  return putDigits(<u64>magnitude, to);
}

function layFixed(at: usize): usize {
  let to = at;
  const whole = count + exponent;
  if (whole <= 0) {
    store<u8>(to++, ZERO);
    store<u8>(to++, 46);
    for (let i = whole; i < 0; i++) store<u8>(to++, ZERO);
  }
  for (let i: i32 = 0; i < count; i++) {
    if (i == whole && i > 0) store<u8>(to++, 46);
    store<u8>(to++, ZERO + load<u8>(DIGITS + i));
  }
  for (let i = count; i < whole; i++) store<u8>(to++, ZERO);
  return to;
}

/** The upper half of a product, rounded. */
function multiply(a: u64, b: u64): u64 {
  const aHigh = a >> 32;
  const aLow = a & 0xffffffff;
  const bHigh = b >> 32;
  const bLow = b & 0xffffffff;
  const ahBl = aHigh * bLow;
  const alBh = aLow * bHigh;
  const middle = (ahBl & 0xffffffff) + (alBh & 0xffffffff) + ((aLow * bLow) >> 32) + 0x80000000;
  return aHigh * bHigh + (ahBl >> 32) + (alBh >> 32) + (middle >> 32);
}

/** Digits of a finite number above zero, by its bits. */
function grisu(bits: u64): void {
  const biased = <i32>(bits >> 52);
  let fraction = bits & 0xfffffffffffff;
  let binary: i32 = -1074;
  if (biased != 0) {
    fraction |= 0x10000000000000;
    binary = biased - 1075;
  }
  // At a power of two the gap below is half the gap above.
  const lowerShift: u64 = fraction == 0x10000000000000 ? 2 : 1;
  const shift = clz<u64>(fraction);
  const value = fraction << shift;
  binary -= <i32>shift;
  let index = <i32>((<f64>-(binary + POWER_COUNT) * LOG10_2));
  index = (index - POWER_FIRST) / POWER_STEP;
  for (;;) {
    const sum = binary + load<i32>(POWERS + (<usize>index << 4), 8) + 64;
    if (sum < -60) index++;
    else if (sum > -32) index--;
    else break;
  }
  const power = load<u64>(POWERS + (<usize>index << 4));
  const one = <u64>-(binary + load<i32>(POWERS + (<usize>index << 4), 8) + 64);
  const upper = multiply(value + (<u64>1 << (shift - 1)), power) - 1;
  const lower = multiply(value - (<u64>1 << (shift - lowerShift)), power) + 1;
  exponent = -(POWER_FIRST + POWER_STEP * index);
  generate(upper, one, upper - lower, upper - multiply(value, power));
}

/** Digits of `upper` until what is left is inside the interval. `shift` bits of it are its fraction. */
function generate(upper: u64, shift: u64, firstDelta: u64, firstFraction: u64): void {
  const one = <u64>1 << shift;
  const mask = one - 1;
  let whole = upper >> shift;
  let rest = upper & mask;
  let delta = firstDelta;
  let fraction = firstFraction;
  count = 0;
  let kappa: i32 = 10;
  for (let divisor: u64 = 1000000000; kappa > 0; divisor /= 10) {
    const digit = whole / divisor;
    if (digit != 0 || count != 0) store<u8>(DIGITS + count++, <u8>digit);
    whole -= digit * divisor;
    kappa--;
    const left = (whole << shift) + rest;
    if (left <= delta) {
      finish(kappa, delta, left, divisor << shift, fraction);
      return;
    }
  }
  for (;;) {
    rest *= 10;
    delta *= 10;
    fraction *= 10;
    kappa--;
    const digit = rest >> shift;
    if (digit != 0 || count != 0) store<u8>(DIGITS + count++, <u8>digit);
    rest &= mask;
    if (rest < delta) {
      finish(kappa, delta, rest, one, fraction);
      return;
    }
  }
}

/** Moves the last digit down while that brings it closer to the value. */
function finish(kappa: i32, delta: u64, firstRest: u64, step: u64, fraction: u64): void {
  let rest = firstRest;
  while (
    rest < fraction &&
    delta - rest >= step &&
    (rest + step < fraction || fraction - rest > rest + step - fraction)
  ) {
    store<u8>(DIGITS + count - 1, load<u8>(DIGITS + count - 1) - 1);
    rest += step;
  }
  exponent += kappa;
}
