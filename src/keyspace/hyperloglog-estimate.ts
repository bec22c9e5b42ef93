const REGISTERS = 16384;

/** The first releases of the estimators that followed the first. */
const LOG_LOG_BETA = 400;
const IMPROVED = 500;

/**
 * The cardinality as a server of that release (major * 100 + minor) estimates it from the number of registers that hold
 * each value; Infinity when every register is full.
 */
export function estimate(histogram: Float64Array, release: number): number {
  if (release >= IMPROVED) return improved(histogram);
  return release >= LOG_LOG_BETA ? logLogBeta(histogram) : raw(histogram);
}

/** Ertl's estimator, "New cardinality estimation algorithms for HyperLogLog sketches". */
function improved(histogram: Float64Array): number {
  const m = REGISTERS;
  let z = m * tau((m - histogram[51]!) / m);
  for (let j = 50; j >= 1; j--) z = (z + histogram[j]!) * 0.5;
  z += m * sigma(histogram[0]! / m);
  return Math.round((0.7213475204444817 * m * m) / z);
}

function sigma(start: number): number {
  if (start === 1) return Number.POSITIVE_INFINITY;
  let x = start;
  let y = 1;
  let z = x;
  let before: number;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (before !== z);
  return z;
}

function tau(start: number): number {
  if (start === 0 || start === 1) return 0;
  let x = start;
  let y = 1;
  let z = 1 - x;
  let before: number;
  do {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (before !== z);
  return z / 3;
}

const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

/** Sum of 2^-value over all registers. */
function harmonicSum(histogram: Float64Array): number {
  let sum = 0;
  for (let value = 0; value < 64; value++) sum += histogram[value]! * 2 ** -value;
  return sum;
}

/** Coefficients of the powers of ln(zero registers + 1), from "LogLog-Beta and More". */
const BETA = [0.070471823, 0.17393686, 0.16339839, -0.09237745, 0.03738027, -0.005384159, 0.00042419];

function logLogBeta(histogram: Float64Array): number {
  const m = REGISTERS;
  const zeros = histogram[0]!;
  const log = Math.log(zeros + 1);
  let beta = -0.370393911 * zeros;
  for (let i = 0; i < BETA.length; i++) beta += BETA[i]! * log ** (i + 1);
  return Math.round(ALPHA * m * (m - zeros) * (1 / (harmonicSum(histogram) + beta)));
}

/** Linear counting where few registers are set, else the raw estimate, its bias corrected up to 72,000. */
function raw(histogram: Float64Array): number {
  const m = REGISTERS;
  const zeros = histogram[0]!;
  const sum = (1 / harmonicSum(histogram)) * ALPHA * m * m;
  if (sum < m * 2.5 && zeros !== 0) return Math.trunc(m * Math.log(m / zeros));
  if (sum >= 72000) return Math.trunc(sum);
  const bias =
    5.9119e-18 * sum ** 4 - 1.4253e-12 * sum ** 3 + 1.294e-7 * sum ** 2 - 5.2921e-3 * sum + 83.3216;
  return Math.trunc(sum - sum * (bias / 100));
}
