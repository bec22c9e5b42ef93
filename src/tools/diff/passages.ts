import { PARTS, PASSAGE_BYTES } from '../../kernels/records.js';

/** Numbers of a passage in `places`: its first byte's offset, the one behind it, and records in it. */
const PLACE_NUMBERS = 3;
const ROWS_MIN = 64;
/** Passages end with a record, and where one of another kind comes. */
const ROOM_SPARE = 1.1;

/** What a side's passages are, as it goes from one thread to another. */
export interface PassagesTold {
  readonly places: Float64Array;
  readonly counts: Uint8Array;
}

/**
 * Where a side's records stand, in passages of about 128 KiB: how many entries of each part they made. Entries of a part are
 * in the order of the file, so one that differs leads back to its passage; a second look need not read the others.
 */
export class Passages {
  private places: Float64Array;
  private counts: Uint8Array;
  private rows: number;
  private readonly before = new Int32Array(PARTS);

  /** `fileBytes`: so many will be looked at, if that is known; what is made room for costs no memory before it is used. */
  constructor(told: PassagesTold | null = null, fileBytes = 0) {
    const room = ROWS_MIN + Math.ceil((fileBytes / PASSAGE_BYTES) * ROOM_SPARE);
    this.places = told?.places ?? new Float64Array(room * PLACE_NUMBERS);
    this.counts = told?.counts ?? new Uint8Array(room * PARTS);
    this.rows = told === null ? 0 : told.places.length / PLACE_NUMBERS;
  }

  /**
   * Takes a passage of so many records: `totals` has the entries of each part that were made up to its end. One without
   * bytes stands for all records that are no passage's.
   */
  add(start: number, end: number, records: number, totals: Int32Array): void {
    const { before } = this;
    this.makeRoom();
    this.places.set([start, end, records], this.rows * PLACE_NUMBERS);
    const row = this.rows++ * PARTS;
    let beyond = false;
    for (let part = 0; part < PARTS; part++) {
      const made = Math.min(0xff, totals[part]! - before[part]!);
      this.counts[row + part] = made;
      before[part]! += made;
      beyond ||= before[part]! < totals[part]!;
    }
    if (beyond) this.add(end, end, 0, totals);
  }

  private makeRoom(): void {
    if (this.places.length > this.rows * PLACE_NUMBERS) return;
    const places = new Float64Array(this.places.length * 2);
    places.set(this.places);
    this.places = places;
    const counts = new Uint8Array(this.counts.length * 2);
    counts.set(this.counts);
    this.counts = counts;
  }

  told(): PassagesTold {
    const { places, counts, rows } = this;
    return { places: places.slice(0, rows * PLACE_NUMBERS), counts: counts.slice(0, rows * PARTS) };
  }

  /**
   * Passages without any of these entries, told by part and by their number in it, ascending: for each run of such passages
   * the offsets of its first byte and of the one behind it, and records in it.
   */
  without(wanted: readonly (readonly number[])[]): Float64Array {
    const { places, counts, rows } = this;
    // Of each part, entries up to the next that is wanted: the loop goes over millions of numbers.
    const left = Int32Array.from(wanted, (entries) => entries[0] ?? NONE);
    const next = new Int32Array(PARTS);
    const skips: number[] = [];
    for (let row = 0; row < rows; row++) {
      let isWanted = false;
      for (let part = 0, at = row * PARTS; part < PARTS; part++, at++) {
        const behind = left[part]! - counts[at]!;
        left[part] = behind;
        if (behind >= 0) continue;
        isWanted = true;
        left[part] = advance(wanted[part]!, next, part, behind);
      }
      const [start, end, records] = places.subarray(row * PLACE_NUMBERS, (row + 1) * PLACE_NUMBERS);
      if (isWanted || start === end) continue;
      if (skips.at(-2) === start) {
        skips[skips.length - 2] = end!;
        skips[skips.length - 1]! += records!;
      } else {
        skips.push(start!, end!, records!);
      }
    }
    return Float64Array.from(skips);
  }
}

/** More than any part has entries. */
const NONE = 0x7fffffff;

/** Goes on to the first entry behind those of the passage at hand; `behind`: how far these go beyond the one before. */
function advance(entries: readonly number[], next: Int32Array, part: number, behind: number): number {
  const passed = entries[next[part]!]! - behind;
  while (next[part]! < entries.length && entries[next[part]!]! < passed) next[part]!++;
  const entry = entries[next[part]!];
  return entry === undefined ? NONE : entry - passed;
}

/** Goes along what may be skipped of a file, as `Passages.without` tells it. */
export class SkipPlan {
  private at = 0;

  constructor(private readonly skips: Float64Array) {}

  /** From the file's beginning again. */
  begin(): void {
    this.at = 0;
  }

  /** Where the part that may be skipped ends in which an offset lies; the offset itself outside of them. Offsets ascend. */
  endOf(offset: number): number {
    this.goTo(offset);
    return offset >= this.start ? this.skips[this.at + 1]! : offset;
  }

  /** Where the next one begins, the offset lying in none. */
  get start(): number {
    return this.at < this.skips.length ? this.skips[this.at]! : Number.POSITIVE_INFINITY;
  }

  /** Records in that which was asked for last. */
  get records(): number {
    return this.skips[this.at + 2]!;
  }

  private goTo(offset: number): void {
    while (this.at < this.skips.length && this.skips[this.at + 1]! <= offset) this.at += PLACE_NUMBERS;
  }
}
