import { EntryJoinKernel, MET_OTHER, OTHER, SAME } from '../../kernels/entry-join.js';
import { ENTRY_BYTES, PARTS } from '../../kernels/records.js';
import { HashLanes } from '../../model/value-hash.js';
import { reclaimMemory, reclaimYoung } from '../reclaim.js';
import type { EntryStore } from './entry-store.js';
import type { KeyTable } from './key-table.js';

/** So many entries at most are followed back to where they stand in their files. */
const DOUBTFUL_MAX = 1 << 16;

/** How often a name stands on either side. */
export interface Times {
  before: number;
  after: number;
}

/** Between parts that are larger garbage is collected. */
const RECLAIMED_FROM_BYTES = 256 * 1024;
/** So many bytes of entries are worth what it takes to give their memory back. */
const RELEASED_FROM_BYTES = 32 * 1024 * 1024;

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
  private readonly kernel = EntryJoinKernel.create();
  private readonly words = new Int32Array(3);
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
      const into = this.kernel.roomFor(sizes / ENTRY_BYTES);
      const first = await before.bring(part, into);
      const second = await after.bring(part, into.subarray(first * ENTRY_BYTES));
      this.join(first, first + second, table);
      this.part++;
      if (sizes > RECLAIMED_FROM_BYTES && this.part % 32 === 0) reclaimYoung();
    } while (!this.done && table.bytes <= tableBytesMax);
    if (this.done) this.release();
  }

  /** Keys that differ are looked at in the memory that the entries took. */
  private release(): void {
    const { before, after } = this;
    const bytes = before.bytes + after.bytes;
    before.release();
    after.release();
    if (bytes >= RELEASED_FROM_BYTES) reclaimMemory();
  }

  /** Entries up to `middle` are of the first side, those up to `end` of the second. */
  private join(middle: number, end: number, table: KeyTable): void {
    const { kernel, part, words, lanes } = this;
    kernel.begin(middle, end);
    for (let entry = kernel.meet(0); entry < end; entry = kernel.meet(entry + 1)) this.repeat(entry, middle);
    this.same += kernel.same;
    for (let entry = kernel.nextDifferent(0); entry < end; entry = kernel.nextDifferent(entry + 1)) {
      this.doubt(entry, middle);
      if (kernel.stateOf(entry) === MET_OTHER) continue;
      kernel.readName(entry, part, words);
      [lanes.a, lanes.b] = [words[0]!, words[1]!];
      if (table.insert(lanes, words[2]!)) table.setUnknown();
    }
    // Which entries have such a name is not remembered.
    if (this.repeated.size > 0 || this.doubts > DOUBTFUL_MAX) this.doubtful = null;
  }

  /** The name of this entry stands twice on a side. */
  private repeat(entry: number, middle: number): void {
    const { kernel, part, words, lanes, repeated } = this;
    const { known, knownState } = kernel;
    kernel.readName(entry, part, words);
    [lanes.a, lanes.b] = [words[0]!, words[1]!];
    const name = repeatedName(lanes, words[2]!);
    const both = knownState === SAME || knownState === OTHER;
    const times = repeated.get(name) ?? {
      before: known < middle ? 1 : 0,
      after: both || known >= middle ? 1 : 0,
    };
    if (entry < middle) times.before++;
    else times.after++;
    repeated.set(name, times);
  }

  private doubt(entry: number, middle: number): void {
    if (this.doubtful === null || this.doubts++ >= DOUBTFUL_MAX) return;
    const [before, after] = this.doubtful;
    if (entry < middle) before[this.part]!.push(entry);
    else after[this.part]!.push(entry - middle);
  }
}
