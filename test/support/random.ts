/** A seeded generator (xorshift128, 32 bits a step): the same seed gives the same test. */
export class Random {
  private a: number;
  private b = 0x9e3779b9;
  private c = 0x243f6a88;
  private d = 0xb7e15162;

  constructor(readonly seed: number) {
    this.a = seed >>> 0;
    for (let i = 0; i < 16; i++) this.word();
  }

  /** 32 bits, unsigned. */
  word(): number {
    let t = this.d;
    const s = this.a;
    this.d = this.c;
    this.c = this.b;
    this.b = s;
    t ^= t << 11;
    t ^= t >>> 8;
    this.a = (t ^ s ^ (s >>> 19)) >>> 0;
    return this.a;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return limit === 0 ? 0 : Math.floor((this.word() / 4294967296) * limit);
  }

  /** A whole number in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.word();
    return bytes;
  }
}
