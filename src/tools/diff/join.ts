import { ENTRY_BYTES, PARTS } from '../../kernels/records.js';
import { HashLanes } from '../../model/value-hash.js';
import { reclaimYoung } from '../reclaim.js';
import type { EntryStore } from './entry-store.js';
import type { KeyTable } from './key-table.js';

const WORDS = ENTRY_BYTES / 4;

// What an entry of the first side came to; those that only the second has begin as NEW.
const ALONE = 0;
const SAME = 1;
const OTHER = 2;
/** The name stands twice on a side: the last of them counts, and that is seen later. */
const TWICE = 3;
/** The same name as that of an entry before. */
const MET = 4;
/** The same, and its value is another. */
const MET_OTHER = 5;
/** So many entries at most are followed back to where they stand in their files. */
const DOUBTFUL_MAX = 1 << 16;

/** How often a name stands on either side. */
export interface Times {
  before: number;
  after: number;
}

/** Between parts that are larger garbage is collected. */
const RECLAIMED_FROM_BYTES = 256 * 1024;

const noEntries = (): number[][] => Array.from({ length: PARTS }, () => []);

/** Names that stand twice on a side, by their hash. */
export type Repeated = ReadonlyMap<string, Times>;

/** What a name goes by there. */
export const repeatedName = ({ a, b }: HashLanes, third: number): string => `${a} ${b} ${third}`;

/**
 * Compares the entries of two sides, one part after the other. What is equal is only counted; names of all else go into
 * a table.
 */
export class EntryJoin {
  /** Keys that both sides have, equal in all that is compared. */
  same = 0;
  readonly repeated = new Map<string, Times>();
  /**
   * Of either side, the entries of each part that the last `fill` did not find equal, by their numbers; null when those are
   * not known.
   */
  doubtful: readonly [number[][], number[][]] | null = null;
  private doubts = 0;
  /** Part that is compared next. */
  part = 0;
  private words = new Int32Array(0);
  private slots = new Int32Array(0);
  private states = new Uint8Array(0);
  private readonly lanes = new HashLanes();

  constructor(
    private readonly before: EntryStore,
    private readonly after: EntryStore,
  ) {}

  get done(): boolean {
    return this.part === PARTS;
  }

  /** Goes on until all is compared, or the table has become larger than that; at least one part. */
  async fill(table: KeyTable, tableBytesMax: number): Promise<void> {
    this.doubts = 0;
    this.doubtful = [noEntries(), noEntries()];
    do {
      const { part, before, after } = this;
      const sizes = before.partBytes(part) + after.partBytes(part);
      if (sizes > this.words.byteLength) this.words = new Int32Array(Math.ceil(sizes * 1.2) >> 2);
      const into = new Uint8Array(this.words.buffer);
      const first = await before.bring(part, into);
      const second = await after.bring(part, into.subarray(first * ENTRY_BYTES));
      this.join(first, first + second, table);
      this.part++;
      if (sizes > RECLAIMED_FROM_BYTES && this.part % 32 === 0) reclaimYoung();
    } while (!this.done && table.bytes <= tableBytesMax);
  }

  /** Entries up to `middle` are of the first side, those up to `end` of the second. */
  private join(middle: number, end: number, table: KeyTable): void {
    const { words } = this;
    const mask = this.prepare(end);
    const { slots, states } = this;
    for (let entry = 0; entry < end; entry++) {
      const at = entry * WORDS;
      const [low, high, third] = [words[at]!, words[at + 1]!, words[at + 2]!];
      let slot = low & mask;
      for (;;) {
        const known = slots[slot]! - 1;
        if (known < 0) {
          slots[slot] = entry + 1;
          break;
        }
        const place = known * WORDS;
        if (words[place] === low && words[place + 1] === high && words[place + 2] === third) {
          if (known < middle && entry >= middle && states[known] === ALONE) {
            const same = words[place + 3] === words[at + 3] && words[place + 4] === words[at + 4];
            states[known] = same ? SAME : OTHER;
            states[entry] = same ? MET : MET_OTHER;
          } else {
            this.repeat(known, entry, middle);
            states[entry] = MET;
          }
          break;
        }
        slot = (slot + 1) & mask;
      }
    }
    this.sort(middle, end, table);
    // Which entries have such a name is not remembered.
    if (this.repeated.size > 0 || this.doubts > DOUBTFUL_MAX) this.doubtful = null;
  }

  private repeat(known: number, entry: number, middle: number): void {
    const { words, lanes, states, repeated } = this;
    lanes.a = words[known * WORDS]!;
    lanes.b = words[known * WORDS + 1]!;
    const name = repeatedName(lanes, words[known * WORDS + 2]!);
    const both = states[known] === SAME || states[known] === OTHER;
    const times = repeated.get(name) ?? {
      before: known < middle ? 1 : 0,
      after: both || known >= middle ? 1 : 0,
    };
    if (entry < middle) times.before++;
    else times.after++;
    repeated.set(name, times);
    states[known] = TWICE;
  }

  /** Counts what is the same and keeps the names of the rest. */
  private sort(middle: number, end: number, table: KeyTable): void {
    const { words, states, lanes } = this;
    for (let entry = 0; entry < end; entry++) {
      if (states[entry] === SAME) this.same++;
      if (states[entry] === SAME || states[entry] === MET) continue;
      this.doubt(entry, middle);
      if (states[entry] === MET_OTHER) continue;
      const at = entry * WORDS;
      lanes.a = words[at]!;
      lanes.b = words[at + 1]!;
      if (table.insert(lanes, words[at + 2]!)) table.setUnknown();
    }
  }

  private doubt(entry: number, middle: number): void {
    if (this.doubtful === null || this.doubts++ >= DOUBTFUL_MAX) return;
    const [before, after] = this.doubtful;
    if (entry < middle) before[this.part]!.push(entry);
    else after[this.part]!.push(entry - middle);
  }

  /** Empties the slots for so many entries; returns the mask of their numbers. */
  private prepare(entries: number): number {
    let count = 1024;
    while (count < 2 * entries) count *= 2;
    if (this.slots.length < count) this.slots = new Int32Array(count);
    else this.slots.fill(0, 0, count);
    if (this.states.length < entries) this.states = new Uint8Array(Math.ceil(entries * 1.2));
    else this.states.fill(0, 0, entries);
    return count - 1;
  }
}
