import { FormatError } from '../errors.js';
import { HEADER_BYTES, MAGIC_REDIS, MAGIC_VALKEY } from '../rdb/constants.js';
import type { Dialect } from '../rdb/dialect.js';
import { LOOP } from '../rdb/skim.js';
import { HashTemplates } from '../rdb/templates.js';
import type { RdbLimits } from '../rdb/value-reader.js';
import type { ChainFailure } from './rdb-chain.js';
import type { NameHabits } from './rdb-habits.js';
import type { RecentRecord } from './rdb-ledger.js';
import { RecordReader } from './rdb-record.js';
import { RecordSearch } from './rdb-search.js';
import type { RoamingWindow } from './rdb-window.js';

/** Bytes before a failure, the record right before it apart, that are looked into for records it swallowed. */
const LOOK_BACK = 16 << 20;
/** Bytes that are looked through at a time for the beginning of an RDB. */
const LOOK_STEP = 1 << 20;
/** Records at the beginning of a chain that may be none. */
const UNLIKELY_MAX = 3;
/** Chains inside of one record that are compared with what follows it, and records by which two chains must meet. */
const RIVALS_MAX = 8;
const MEETING_MAX = 4096;
/** Bytes of a first record from which on it is looked into. */
const LARGE = 1024;

/** Records in a row that are believed to be records though they end at damage. */
const RUN_MIN = 64;

/** What lies between the record before a failure and the one with which records go on. */
export interface Gap {
  /** Absolute offset of the first byte that belongs to no whole record. */
  readonly start: number;
  /** Absolute offset of the next record; -1: there is none. */
  readonly resume: number;
  /** Index of the first recent record that was none, its length having swallowed others; -1: all were whole. */
  readonly swallowedFrom: number;
  /** The damaged record's own layout leads to `resume`: nothing else was between. */
  readonly explained: boolean;
  /** Hash of the first name behind the gap. */
  readonly name: { readonly high: number; readonly low: number } | null;
}

/** Finds the way over damage. */
export class GapSearch {
  private readonly search: RecordSearch;
  private readonly layout: RecordReader;

  constructor(
    private readonly window: RoamingWindow,
    dialect: Dialect,
    limits: RdbLimits,
    private readonly habits: NameHabits,
    mayEnd: (offset: number) => boolean,
    /** Those of the file, as far as it has been followed. */
    templates: HashTemplates,
  ) {
    this.search = new RecordSearch(window, dialect, limits, habits, mayEnd, templates);
    this.layout = new RecordReader(dialect, limits, new HashTemplates(templates));
    this.layout.shallow = true;
  }

  /** The dialect turned out to be another. */
  use(dialect: Dialect): void {
    this.search.reader.dialect = dialect;
    this.layout.dialect = dialect;
  }

  /** Bytes of end mark and trailer. */
  get endBytes(): number {
    return this.search.endBytes();
  }

  /** Whether whole records run on from an offset. */
  async believes(offset: number): Promise<boolean> {
    this.search.begin();
    return this.search.believes(offset, offset);
  }

  async findAfterEnd(from: number): Promise<number> {
    this.search.begin();
    return this.search.find(from, this.window.limit, -1, () => {});
  }

  /**
   * Where an RDB begins, inside of a value, of which whole records lead to the end mark at `markAt`; -1: none is near
   * before it. Of those that begin there only the last is looked at.
   */
  async innerRdb(markAt: number): Promise<number> {
    const { search, window } = this;
    const floor = Math.max(HEADER_BYTES, markAt - LOOK_BACK);
    let inner = -1;
    for (let to = markAt; inner < 0 && to > floor; to -= LOOK_STEP) {
      const from = Math.max(floor, to - LOOK_STEP);
      await window.cover(from, to + HEADER_BYTES);
      const text = window.cursor.bytes.subarray(from - window.start, to + HEADER_BYTES - window.start);
      const at = Math.max(text.lastIndexOf(MAGIC_REDIS), text.lastIndexOf(MAGIC_VALKEY));
      if (at >= 0) inner = at + from;
    }
    if (inner < 0) return -1;
    search.begin();
    let at = inner + HEADER_BYTES;
    while (at < markAt && (await search.read(at)) === 'whole' && search.reader.kind !== 'end') {
      at = window.offset;
    }
    return at === markAt ? inner : -1;
  }

  /**
   * Finds the next record behind a failure and before `until`. `recent` are the records before it, oldest first.
   */
  async cross(
    failure: ChainFailure,
    recent: readonly RecentRecord[],
    until: number,
    tick: (offset: number) => void,
  ): Promise<Gap> {
    const { search } = this;
    const { start } = failure;
    search.begin();
    const stated = await this.statedEnd(failure);
    if (stated >= 0 && (await search.believes(stated, stated))) {
      const inside = await this.insideLoop(start, stated, tick);
      return this.gap(start, inside < 0 ? stated : inside, -1, inside < 0);
    }
    for (const record of recent) search.bury(record.start);
    if (start >= 0) search.bury(start);
    const forward = await this.forward(failure, until, tick);
    const back = await this.lookBack(start, recent, forward, tick);
    if (back !== null) return this.gap(recent[back.index]!.start, back.resume, back.index, false);
    return this.gap(Math.max(0, start), forward, -1, false);
  }

  /** The next record behind the start of the one that failed; -1: there is none. */
  private async forward(
    { start, code, key }: ChainFailure,
    until: number,
    tick: (offset: number) => void,
  ): Promise<number> {
    const { habits, search } = this;
    // A value that is right as far as the input reaches was most likely cut off there, and all of it is its own.
    const cut = code === 'rdb/truncated' && key !== null;
    const next = await search.find(start + 1, until, -1, tick, cut && habits.informative);
    if (next < 0) return -1;
    if (cut && !habits.informative && !(await this.runsOn(next))) return -1;
    return this.likelier(next, tick);
  }

  /**
   * Whether the records from an offset on are more than the content of a value that the end of the input cuts off: they
   * go up to an end mark, or up to other damage after so many that no value is likely to hold them.
   */
  private async runsOn(offset: number): Promise<boolean> {
    const { search, window } = this;
    let records = 0;
    for (let at = offset; ; at = window.offset, records++) {
      const read = await search.read(at);
      if (read === 'bad') return records >= RUN_MIN;
      if (read === 'cut') return false;
      if (search.reader.kind === 'end') return true;
    }
  }

  private async gap(start: number, resume: number, swallowedFrom: number, explained: boolean): Promise<Gap> {
    const name = resume < 0 ? null : await this.nameAt(resume);
    return { start, resume, swallowedFrom, explained, name };
  }

  /** Where the damaged record ends by its layout, when its damage lies inside of a value; else -1. */
  private async statedEnd({ start, key, code }: ChainFailure): Promise<number> {
    if (key === null || code === 'rdb/truncated' || code === 'rdb/implausible-record') return -1;
    const { layout, window } = this;
    const { cursor } = window;
    await window.cover(start, start + 1);
    layout.begin(cursor);
    try {
      while (!layout.run(cursor)) {
        const to = window.offset + Math.max(1, cursor.need);
        if (to > window.limit) return -1;
        const over = layout.passOver();
        await window.cover(window.offset + over, to + over);
      }
    } catch (error) {
      if (error instanceof FormatError) return -1;
      throw error;
    }
    return window.offset;
  }

  /**
   * The layout of a value with many parts may go astray at its damage, walk over whole records, and end at the start of
   * one by chance. The first record inside of it that has a name of this file, from which a chain runs on; -1: none.
   */
  private insideLoop(start: number, stated: number, tick: (offset: number) => void): Promise<number> {
    const { habits, layout, search } = this;
    const parts = layout.dialect.typeOf[layout.head.typeId]?.layout ?? [];
    if (!parts.includes(LOOP) || !habits.informative) return Promise.resolve(-1);
    return search.find(start + 1, stated, stated, tick, true);
  }

  /**
   * Bytes of a damaged value may have the form of a record that ends where a real one begins, and swallow those between.
   * When nothing vouches for the first records of a chain, one that begins inside of them is taken if something does.
   */
  private async likelier(first: number, tick: (offset: number) => void): Promise<number> {
    const { search, window } = this;
    let likely = first;
    for (let unlikely = 0; unlikely < UNLIKELY_MAX; unlikely++) {
      if (await search.beginsLikely(likely)) break;
      if (search.reader.kind === 'end') break;
      likely = window.offset;
    }
    if (likely > first) {
      const other = await search.find(first + 1, likely, likely, tick, true);
      return other < 0 ? first : other;
    }
    // A large one may be no record even so, if it is full of names like that.
    const end = window.offset;
    if (search.reader.kind !== 'key' || end - first < LARGE) return first;
    const other = await search.find(first + 1, end, end, tick, true);
    if (other < 0) return first;
    const [inside, behind] = await this.vouchedUntilMet(other, first);
    return inside >= behind + RIVALS_MAX ? other : first;
  }

  /**
   * Looks for records inside of those that were taken for whole: when a length of one is damaged, it has swallowed
   * others, and the failure came at the end of it or a little later. Such a chain is taken when it holds more than what
   * would be given up for it.
   */
  private async lookBack(
    start: number,
    recent: readonly RecentRecord[],
    forward: number,
    tick: (offset: number) => void,
  ): Promise<{ resume: number; index: number } | null> {
    const { search } = this;
    if (recent.length === 0) return null;
    let oldest = recent.length - 1;
    while (oldest > 0 && start - recent[oldest - 1]!.start < LOOK_BACK) oldest--;
    let from = recent[oldest]!.start + 1;
    for (let tried = 0; tried < RIVALS_MAX && from < start; tried++) {
      const resume = await search.find(from, start, start, tick, true);
      if (resume < 0) return null;
      const index = recent.findLastIndex((record) => record.start < resume);
      const givenUp = recent.slice(index).filter((record) => record.isKey && record.vouched).length;
      if (forward < 0 && (await search.beginsLikely(resume))) return { resume, index };
      if (forward >= 0) {
        const [inside, behind] = await this.vouchedUntilMet(resume, forward);
        const more = inside - behind - givenUp;
        if (more > 0 || (more === 0 && (await this.isVouched(resume)))) return { resume, index };
      }
      from = resume + 1;
    }
    return null;
  }

  /** Vouched records of two chains, each up to where they meet. */
  private async vouchedUntilMet(first: number, second: number): Promise<[number, number]> {
    const { search, window, habits } = this;
    const at = [first, second];
    const vouched: [number, number] = [0, 0];
    for (let steps = 0; at[0] !== at[1] && steps < MEETING_MAX; steps++) {
      const late = at[0]! < at[1]! ? 0 : 1;
      if ((await search.read(at[late]!)) !== 'whole') break;
      const { reader } = search;
      if (reader.kind === 'end') break;
      if (reader.kind === 'key' && habits.vouchesFor(reader)) vouched[late]!++;
      at[late] = window.offset;
    }
    return vouched;
  }

  private async isVouched(offset: number): Promise<boolean> {
    const { search, habits } = this;
    if ((await search.read(offset)) !== 'whole') return false;
    return search.reader.kind === 'database' || habits.vouchesFor(search.reader);
  }

  private async nameAt(offset: number): Promise<{ high: number; low: number } | null> {
    const { reader } = this.search;
    if ((await this.search.read(offset)) !== 'whole' || reader.kind !== 'key') return null;
    return { high: reader.nameHigh, low: reader.nameLow };
  }
}
