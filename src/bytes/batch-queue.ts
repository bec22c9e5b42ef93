/** Batches on their way from a reader, which waits while one is full, to whoever asks for the next. */
export class BatchQueue<T> {
  private batch: T[] = [];
  private weight = 0;
  private flushed = false;
  private finished = false;
  private abandoned = false;
  private wakeReader: (() => void) | null = null;
  private wakeTaker: (() => void) | null = null;

  /** A batch is full at `size` items or, when their weights are told, at `weightMax` of these together. */
  constructor(
    private readonly size: number,
    private readonly weightMax = Number.POSITIVE_INFINITY,
  ) {}

  /** Returns the number of items in the batch at hand. */
  push(item: T, weight = 0): number {
    this.weight += weight;
    return this.batch.push(item);
  }

  get full(): boolean {
    return !this.abandoned && (this.batch.length >= this.size || this.weight >= this.weightMax);
  }

  /** Resolves when there is room again. */
  async drain(): Promise<void> {
    this.flush();
    while (this.full) await new Promise<void>((resolve) => (this.wakeReader = resolve));
  }

  /** Hands over what is there, full or not. */
  flush(): void {
    if (this.batch.length === 0) return;
    this.flushed = true;
    this.wakeTaker?.();
  }

  /** No batch comes after that at hand, for whatever reason. */
  readonly finish = (): void => {
    this.finished = true;
    this.wakeTaker?.();
  };

  /** Nobody asks any more: whoever waits to hand something over need not. */
  abandon(): void {
    this.abandoned = true;
    this.batch = [];
    this.wakeReader?.();
  }

  /** Null after the last one. */
  async next(): Promise<T[] | null> {
    while (!this.full && !this.flushed && !this.finished) {
      await new Promise<void>((resolve) => (this.wakeTaker = resolve));
    }
    const { batch } = this;
    this.batch = [];
    this.weight = 0;
    this.flushed = false;
    this.wakeReader?.();
    return batch.length === 0 ? null : batch;
  }
}
