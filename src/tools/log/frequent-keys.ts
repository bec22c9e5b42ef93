/** A key and how often it came: at least `count` times, at most by the sketch's error more. */
export interface FrequentKey {
  readonly database: number;
  /** Its first bytes, one character per byte. */
  readonly key: string;
  /** Bytes of the whole key. */
  readonly length: number;
  readonly count: number;
}

const SLOTS = 1 << 16;
const MASK = SLOTS - 1;
const FILLED_MAX = (SLOTS * 3) / 4;
/** A key that finds no slot within so many is not counted: names made to collide cost no more than others. */
const PROBES_MAX = 64;
const SHOWN_BYTES = 256;
/** Counts that are looked at to find the middle one. */
const SAMPLE = 1023;

/**
 * Counts which keys come most often, in bounded memory (Misra and Gries): when the table is full the middle count is
 * taken off every key, and those that have nothing left go. A key that came more often than `error` in all is there, its
 * count too small by `error` at most. Keys are told apart by 64 bits of hash, their length and their database.
 */
export class FrequentKeys {
  /** By how much a count may be too small; 0: all counts are exact. */
  error = 0;
  private filled = 0;
  private high = new Int32Array(SLOTS);
  private low = new Int32Array(SLOTS);
  private lengths = new Int32Array(SLOTS);
  private databases = new Int32Array(SLOTS);
  /** 0: the slot is free. */
  private counts = new Float64Array(SLOTS);
  private names = new Array<string>(SLOTS).fill('');
  private readonly seed = (Math.random() * 2 ** 32) | 0;

  add(bytes: Buffer, start: number, end: number, database: number): void {
    const length = end - start;
    let high = this.seed ^ length;
    let low = Math.imul(database + 1, 0x9e3779b1);
    for (let at = start; at < end; at++) {
      high = Math.imul(high ^ bytes[at]!, 0x01000193);
      low = (Math.imul(low, 31) + bytes[at]!) ^ (high >>> 13);
    }
    high ^= high >>> 15;
    const { counts } = this;
    let slot = (Math.imul(high ^ low, 0x85ebca6b) >>> 12) & MASK;
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      if (counts[slot] === 0) {
        this.insert(
          slot,
          high,
          low,
          length,
          database,
          bytes.latin1Slice(start, Math.min(end, start + SHOWN_BYTES)),
        );
        return;
      }
      const same = this.high[slot] === high && this.low[slot] === low && this.lengths[slot] === length;
      if (same && this.databases[slot] === database) {
        counts[slot]!++;
        return;
      }
      slot = (slot + 1) & MASK;
    }
    this.error++;
  }

  /** The most frequent keys, the first of them first. */
  top(count: number): FrequentKey[] {
    const slots = [...this.counts.keys()].filter((slot) => this.counts[slot]! > 0);
    const { counts, names } = this;
    slots.sort((a, b) => counts[b]! - counts[a]! || (names[a]! < names[b]! ? -1 : 1));
    return slots.slice(0, count).map((slot) => ({
      database: this.databases[slot]!,
      key: names[slot]!,
      length: this.lengths[slot]!,
      count: counts[slot]!,
    }));
  }

  /** How many different keys came; null when that is not known, because some were let go. */
  get distinct(): number | null {
    return this.error === 0 ? this.filled : null;
  }

  private insert(
    slot: number,
    high: number,
    low: number,
    length: number,
    database: number,
    name: string,
  ): void {
    this.high[slot] = high;
    this.low[slot] = low;
    this.lengths[slot] = length;
    this.databases[slot] = database;
    this.names[slot] = name;
    this.counts[slot] = 1;
    if (++this.filled > FILLED_MAX) this.thin();
  }

  /** Takes the middle count off all, and puts those that are left where they belong. */
  private thin(): void {
    const { high, low, lengths, databases, counts, names } = this;
    const middle = this.middleCount();
    this.error += middle;
    this.filled = 0;
    this.high = new Int32Array(SLOTS);
    this.low = new Int32Array(SLOTS);
    this.lengths = new Int32Array(SLOTS);
    this.databases = new Int32Array(SLOTS);
    this.counts = new Float64Array(SLOTS);
    this.names = new Array<string>(SLOTS).fill('');
    for (let from = 0; from < SLOTS; from++) {
      const left = counts[from]! - middle;
      if (left <= 0) continue;
      let slot = (Math.imul(high[from]! ^ low[from]!, 0x85ebca6b) >>> 12) & MASK;
      while (this.counts[slot] !== 0) slot = (slot + 1) & MASK;
      this.high[slot] = high[from]!;
      this.low[slot] = low[from]!;
      this.lengths[slot] = lengths[from]!;
      this.databases[slot] = databases[from]!;
      this.counts[slot] = left;
      this.names[slot] = names[from]!;
      this.filled++;
    }
  }

  private middleCount(): number {
    const sample: number[] = [];
    for (let slot = 0; slot < SLOTS && sample.length < SAMPLE; slot++) {
      if (this.counts[slot]! > 0) sample.push(this.counts[slot]!);
    }
    sample.sort((a, b) => a - b);
    return sample[sample.length >> 1]!;
  }
}
