/** Values of `next` are below this. */
export const RANDOM_MAX = 0x7fffffff;

const MULTIPLIER = 0x5deece66dn;
const INCREMENT = 0xbn;
const MASK = (1n << 48n) - 1n;
/** The 16 bits below the seed. */
const SEED_TAIL = 0x330en;

/** The generator behind `math.random` in scripts: the 48-bit linear congruence of drand48, the same on every machine. */
export class ScriptRandom {
  private state = 0n;

  constructor() {
    this.seed(0);
  }

  /** @param value 32 bits of it count */
  seed(value: number): void {
    this.state = (BigInt(value >>> 0) << 16n) | SEED_TAIL;
  }

  /** A whole number of 31 bits. */
  next(): number {
    this.state = (this.state * MULTIPLIER + INCREMENT) & MASK;
    return Number(this.state >> 17n);
  }
}
