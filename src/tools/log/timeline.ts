/** Counts along a line whose end is not known: a bounded number of buckets, twice as wide whenever there are too many. */
export class Timeline {
  /** Width of a bucket, in the unit of `add`. */
  width: number;
  readonly counts: number[] = [];

  constructor(
    width: number,
    private readonly bucketsMax: number,
  ) {
    this.width = width;
  }

  /** One more at `at`, from 0 on. */
  add(at: number): void {
    let bucket = at <= 0 ? 0 : Math.floor(at / this.width);
    while (bucket >= this.bucketsMax) {
      this.halve();
      bucket = Math.floor(at / this.width);
    }
    while (this.counts.length <= bucket) this.counts.push(0);
    this.counts[bucket]!++;
  }

  private halve(): void {
    const { counts } = this;
    const half = Math.ceil(counts.length / 2);
    for (let i = 0; i < half; i++) counts[i] = counts[2 * i]! + (counts[2 * i + 1] ?? 0);
    counts.length = half;
    this.width *= 2;
  }
}
