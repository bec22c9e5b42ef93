import { ALONE, EntryJoinKernel, MET_OTHER, OTHER, SAME } from '../../kernels/entry-join.js';
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

/** What another thread found in the parts that it compared. */
export interface JoinedParts {
  readonly same: number;
  readonly lone: readonly [number, number];
  /** Three words of each name that is not known to be equal. */
  readonly names: Int32Array;
  /** As `KeyTable` has it. */
  readonly sides: readonly boolean[];
  readonly repeated: Repeated;
  readonly doubtful: EntryJoin['doubtful'];
}

/** What a name goes by there. */
export const repeatedName = ({ a, b }: HashLanes, third: number): string => `${a} ${b} ${third}`;

/**
 * Compares the entries of two sides, one part after the other. What is equal is only counted; names of all else go into
 * a table.
 */
export class EntryJoin {
  /** Keys that both sides have, equal in all that is compared. */
  same = 0;
  /** Names that only the first or the second side has, where they are counted alone. */
  readonly lone: [number, number] = [0, 0];
  readonly repeated = new Map<string, Times>();
  /**
   * Of either side, the entries of each part that the last `fill` did not find equal, by their numbers; null when those are
   * not known.
   */
  doubtful: readonly [number[][], number[][]] | null = null;
  private doubts = 0;
  /** Part that is compared next, and the one where it ends. */
  private end = PARTS;
  private readonly kernel = EntryJoinKernel.create();
  private readonly words = new Int32Array(3);
  private readonly lanes = new HashLanes();

  constructor(
    private readonly before: EntryStore,
    private readonly after: EntryStore,
    /** Names that only one side has are counted, and do not go into the table. */
    private readonly counting: boolean,
    public part = 0,
  ) {}

  get done(): boolean {
    return this.part === PARTS;
  }

  /** Leaves parts from there on to another thread, until `adopt` or `takeBack`. */
  leaveFrom(part: number): void {
    this.end = part;
  }

  /** Goes on with the parts that another thread has not compared after all. */
  async takeBack(table: KeyTable, tableBytesMax: number): Promise<void> {
    this.end = PARTS;
    await this.fill(table, tableBytesMax);
    // It knows those of the last fill alone.
    this.doubtful = null;
  }

  /** Takes what another thread found in the parts that were left to it. */
  adopt({ same, lone, names, sides, repeated, doubtful }: JoinedParts, table: KeyTable): void {
    const { lanes } = this;
    this.same += same;
    for (const side of [0, 1] as const) {
      this.lone[side] += lone[side];
      table.sides[side] ||= sides[side]!;
    }
    for (let at = 0; at < names.length; at += 3) {
      [lanes.a, lanes.b] = [names[at]!, names[at + 1]!];
      if (table.insert(lanes, names[at + 2]!)) table.setUnknown();
    }
    for (const [name, times] of repeated) this.repeated.set(name, times);
    const own = this.doubtful;
    if (doubtful === null || this.repeated.size > 0) this.doubtful = null;
    else if (own !== null) {
      for (let part = this.end; part < PARTS; part++) {
        own[0][part] = doubtful[0][part]!;
        own[1][part] = doubtful[1][part]!;
      }
    }
    this.part = this.end = PARTS;
    this.release();
  }

  /** Goes on until all is compared that is not left to another, or the table has become larger than that; at least one part. */
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
    } while (this.part < this.end && table.bytes <= tableBytesMax);
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
    const { kernel, part, words, lanes, counting } = this;
    const { sides } = table;
    kernel.begin(middle, end);
    for (let entry = kernel.meet(0); entry < end; entry = kernel.meet(entry + 1)) this.repeat(entry, middle);
    this.same += kernel.same;
    for (let entry = kernel.nextDifferent(0); entry < end; entry = kernel.nextDifferent(entry + 1)) {
      const state = kernel.stateOf(entry);
      const side = entry < middle ? 0 : 1;
      if (counting && state === ALONE) {
        this.lone[side]++;
        continue;
      }
      this.doubt(entry, middle);
      if (state === MET_OTHER) continue;
      kernel.readName(entry, part, words);
      lanes.a = words[0]!;
      lanes.b = words[1]!;
      sides[side] = true;
      if (state !== ALONE) sides[1 - side] = true;
      if (!table.insert(lanes, words[2]!)) continue;
      if (state === ALONE) table.setLone();
      else table.setUnknown();
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
