/** Keys between two bounds. */
export interface SpreadBucket {
  /** Included; null: no bound below. */
  readonly from: number | null;
  /** Excluded; null: no bound above. */
  readonly to: number | null;
  readonly keys: number;
  readonly memoryBytes: number;
}

/** Counts keys by where a number of theirs lies between fixed bounds. */
export class Spread {
  private readonly keys: Float64Array;
  private readonly bytes: Float64Array;

  /** Bounds ascend. */
  constructor(private readonly bounds: readonly number[]) {
    this.keys = new Float64Array(bounds.length + 1);
    this.bytes = new Float64Array(bounds.length + 1);
  }

  add(value: number, memoryBytes: number): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value >= bounds[bucket]!) bucket++;
    this.keys[bucket]!++;
    this.bytes[bucket]! += memoryBytes;
  }

  /** All of them, empty ones too. */
  buckets(): SpreadBucket[] {
    const { bounds } = this;
    return [...this.keys].map((keys, i) => ({
      from: bounds[i - 1] ?? null,
      to: bounds[i] ?? null,
      keys,
      memoryBytes: this.bytes[i]!,
    }));
  }
}

/** Counts keys by their bytes, in powers of two. */
export class SizeSpread {
  private readonly keys = new Float64Array(64);
  private readonly bytes = new Float64Array(64);

  add(memoryBytes: number): void {
    let power = 0;
    for (let rest = memoryBytes; rest >= 2; rest /= 2) power++;
    this.keys[power]!++;
    this.bytes[power]! += memoryBytes;
  }

  /** From the smallest to the largest that any key has. */
  buckets(): SpreadBucket[] {
    const used = [...this.keys.keys()].filter((power) => this.keys[power]! > 0);
    const [first = 0] = used;
    return Array.from({ length: used.length === 0 ? 0 : used.at(-1)! - first + 1 }, (_, i) => ({
      from: 2 ** (first + i),
      to: 2 ** (first + i + 1),
      keys: this.keys[first + i]!,
      memoryBytes: this.bytes[first + i]!,
    }));
  }
}
