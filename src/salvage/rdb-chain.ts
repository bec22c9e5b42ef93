import type { ErrorDetail } from '../errors.js';
import { FormatError } from '../errors.js';
import type { FindingCode } from '../model/finding.js';
import { type Depth, ItemSink, SKIP } from '../model/handler.js';
import type { DoubtReason } from './damage.js';
import type { NameHabits } from './rdb-habits.js';
import { RecentRecord, type SurveyLedger } from './rdb-ledger.js';
import { isBlob, type RecordReader } from './rdb-record.js';
import type { RoamingWindow } from './rdb-window.js';

/** Records that can still be taken back when what follows them shows that they were none. */
const RECENT = 16;
/** Where names tell nothing, records after damage that nothing vouches for are doubted up to this number. */
const UNVOUCHED_MAX = 3;

/** Why a chain of records ended before its time. */
export interface ChainFailure {
  /** Absolute offset of the record that failed. */
  readonly start: number;
  readonly code: FindingCode;
  readonly offset: number;
  readonly detail: ErrorDetail;
  readonly trail: readonly string[];
  /** The name, one character per byte, when it was read. */
  readonly key: string | null;
  readonly items: number;
  /** True inside of a hash whose fields expire: they look like keys, a type number and two strings each. */
  readonly fieldsLikeKeys?: boolean;
}

/** Counts the items of a value, for what can be had of it when it turns out damaged. */
class ItemCount extends ItemSink {
  items = 0;

  override key(): Depth {
    this.items = 0;
    return SKIP;
  }

  override element(): void {
    this.items++;
  }

  override field(): void {
    this.items++;
  }

  override member(): void {
    this.items++;
  }

  override streamEntry(): void {
    this.items++;
  }
}

/** Follows records one after the other, and writes down those that are believed. */
export class RecordChain {
  /** In force at the place reached. */
  database = 0;
  databaseGuessed = false;
  /** True until a record after damage is one that something vouches for. */
  unvouched = false;
  /** Keys that the file says each database has. */
  readonly declared = new Map<number, number>();
  unvouchedRecords = 0;
  /** Names that no other name of the file is like. */
  absurdNames = 0;
  /** Whether keys of such names are doubted: in a file with damage. */
  doubtsAbsurd = false;
  private fieldsLikeKeys = false;
  /** Selected by a doubted record; -1: by none. */
  private doubtedDatabase = -1;
  /** Whether it was selected as this file selects others. */
  private announced = false;
  /** Whether the file tells behind a SELECTDB how many keys follow. */
  private announces = false;
  /** Whether the record before was a SELECTDB. */
  private afterSelect = false;
  private readonly items = new ItemCount();
  private readonly ring = Array.from({ length: RECENT }, () => new RecentRecord());
  private first = 0;
  private count = 0;
  private readonly scratch = new RecentRecord();

  constructor(
    private readonly window: RoamingWindow,
    readonly reader: RecordReader,
    private readonly ledger: SurveyLedger,
    private readonly habits: NameHabits,
    /** Records before this offset are walked past by their layout alone. */
    private readonly trustedTo: number,
    private readonly onAux: (name: string, value: string) => void,
  ) {
    reader.tell(this.items);
  }

  /** The records that can be taken back, oldest first. */
  get recent(): readonly RecentRecord[] {
    return Array.from({ length: this.count }, (_, i) => this.at(i));
  }

  private at(index: number): RecentRecord {
    return this.ring[(this.first + index) % RECENT]!;
  }

  /** Follows records from an offset on: until the end mark, whose offset is returned, or one that fails. */
  async follow(from: number, tick: (offset: number) => void): Promise<number | ChainFailure> {
    const { reader, window } = this;
    const { cursor } = window;
    await window.cover(from, from + 1);
    for (let told = from; ; ) {
      const start = window.offset;
      if (start >= window.limit) return this.failure(start, truncated(start, 1, 0));
      reader.shallow = start < this.trustedTo;
      reader.begin(cursor);
      try {
        while (!reader.run(cursor)) {
          const { offset } = window;
          const need = Math.max(1, cursor.need);
          if (offset + need > window.limit) {
            return this.failure(start, this.located(truncated(offset, need, window.limit - offset)));
          }
          const behind = offset + reader.passOver();
          await window.cover(behind, behind + need);
          if (offset - told > 1 << 20) tick((told = offset));
        }
        this.inspect(start);
      } catch (error) {
        if (error instanceof FormatError) return this.failure(start, error);
        throw error;
      }
      if (reader.kind === 'end') return start;
      const zeros = this.take();
      if (zeros !== null) return zeros;
    }
  }

  private located(error: FormatError): FormatError {
    for (const step of [...this.reader.trail].reverse()) error.within(step);
    return error;
  }

  /** Refuses what decodes and cannot be. */
  private inspect(start: number): void {
    const { reader, window } = this;
    if (reader.kind === 'resize' && reader.around.resizeKeys > window.limit) {
      throw new FormatError('rdb/bad-length', start, {
        reason: 'resize',
        declared: reader.around.resizeKeys,
      });
    }
    if (reader.emptyValue) {
      // No server keeps such a key: most likely its count is damaged, and its items follow.
      throw new FormatError('rdb/empty-value', reader.valueStart, { kind: reader.head.kind });
    }
    if (reader.kind === 'resize' && this.afterSelect) {
      const doubted = this.unvouched && this.doubtedDatabase >= 0;
      const database = doubted ? this.doubtedDatabase : this.database;
      // Anywhere else, and a second time, it is rather a part of a value.
      if (!this.declared.has(database)) this.declared.set(database, reader.around.resizeKeys);
    }
    if (reader.kind === 'aux') this.onAux(reader.around.auxName, reader.around.auxValue);
  }

  /** Takes in the record just read; a failure when it shows that the one before was none. */
  private take(): ChainFailure | null {
    const { habits, ledger, reader, scratch } = this;
    const key = reader.kind === 'key';
    const { afterSelect } = this;
    this.afterSelect = reader.kind === 'database';
    const vouched = key && this.isVouched();
    if (this.unvouched && !this.believeAgain(key, vouched)) {
      if (reader.kind === 'hash-template' || isBlob(reader)) {
        // Hashes further on are lost without a template, which adds nothing alone; a frame vouches for itself.
        scratch.set(reader, this.window.offset, this.database, this.databaseGuessed, true);
        ledger.keep(scratch);
        return null;
      }
      const { database } = reader.kind === 'database' ? reader.head : this;
      if (reader.kind === 'database') {
        this.doubtedDatabase = database;
        this.announced = !this.announces && (database > this.database || ledger.databases.has(database));
      } else if (reader.kind === 'resize' && afterSelect) {
        this.announced = true;
      }
      scratch.set(reader, this.window.offset, Math.max(database, this.doubtedDatabase), true, false);
      ledger.doubt(scratch, this.unvouchedRecords > UNVOUCHED_MAX ? 'inside-value' : 'after-damage');
      return null;
    }
    if (reader.kind === 'database') {
      this.database = reader.head.database;
      this.databaseGuessed = false;
    }
    if (reader.kind === 'resize' && afterSelect) this.announces = true;
    if (key && habits.findsAbsurd(reader)) {
      this.absurdNames++;
      if (this.doubtsAbsurd) {
        this.settleDoubting('inside-value');
        scratch.set(reader, this.window.offset, this.database, this.databaseGuessed, false);
        ledger.doubt(scratch, 'inside-value');
        return null;
      }
    }
    const last = this.count > 0 ? this.at(this.count - 1) : null;
    if (key && reader.nameBytes === 0 && last?.empty === true && last.end === reader.start) {
      // No two keys of one database have no name: these are zeros.
      this.count--;
      return this.failure(
        last.start,
        new FormatError('rdb/implausible-record', last.start, { reason: 'zeros' }),
      );
    }
    if (this.count === RECENT) {
      this.keep(this.at(0));
      this.first = (this.first + 1) % RECENT;
      this.count--;
    }
    const taken = this.at(this.count++);
    taken.set(reader, this.window.offset, this.database, this.databaseGuessed, vouched || !key);
    // Where names tell something, one that may be taken back is not learnt from yet.
    if (!habits.informative) this.learn(taken);
    return null;
  }

  private isVouched(): boolean {
    const { habits, reader } = this;
    return habits.vouchesFor(reader) || (!habits.informative && habits.fits(reader));
  }

  /**
   * Whether records behind damage are believed from this one on. A database that was selected on the way is believed
   * when no doubted key stands between, and when it is selected as this file does it: with a RESIZEDB behind, or, in a
   * file without any, in rising order. Any two bytes may look like a SELECTDB.
   */
  private believeAgain(key: boolean, vouched: boolean): boolean {
    const { habits, reader } = this;
    if (!key) return false;
    if (this.fieldsLikeKeys && (reader.head.kind !== 'string' || reader.hasAttributes))
      this.fieldsLikeKeys = false;
    const enough = !habits.informative && this.unvouchedRecords >= UNVOUCHED_MAX && !this.fieldsLikeKeys;
    if (this.fieldsLikeKeys ? !habits.vouchesFor(reader) : !vouched && !enough) {
      this.unvouchedRecords++;
      return false;
    }
    if (this.doubtedDatabase >= 0 && this.announced && this.unvouchedRecords === 0) {
      this.database = this.doubtedDatabase;
      this.databaseGuessed = false;
    }
    this.unvouched = false;
    this.ledger.startAt(this.database);
    return true;
  }

  private failure(start: number, { code, offset, detail, trail }: FormatError): ChainFailure {
    const { reader, items } = this;
    const named = reader.valueStart >= 0 && reader.start === start;
    return {
      start,
      code: code as FindingCode,
      offset,
      detail,
      trail,
      key: named ? reader.head.key.latin1() : null,
      items: named && reader.head.kind !== 'string' ? items.items : 0,
      fieldsLikeKeys: named && reader.head.fieldsExpire,
    };
  }

  /** The record is believed for good. */
  private keep(record: RecentRecord): void {
    this.learn(record);
    this.ledger.keep(record);
  }

  private learn(record: RecentRecord): void {
    if (!record.isKey || record.learnt) return;
    this.habits.add(record.shape, record.printable);
    record.learnt = true;
  }

  /** What was read is believed, but for the records from index `from` on, which are forgotten. */
  settle(from = this.count): void {
    for (let i = 0; i < from; i++) this.keep(this.at(i));
    this.count = 0;
  }

  /** What was read is believed, but for up to `most` last records that nothing vouches for: those are doubted. */
  settleDoubting(why: DoubtReason, most = RECENT): void {
    const { count } = this;
    let from = count;
    while (from > 0 && count - from < most && !this.at(from - 1).vouched) from--;
    this.settle(from);
    for (let i = from; i < count; i++) this.ledger.doubt(this.at(i), why);
  }

  /** True while records are doubted because they may be fields of a damaged hash. */
  get doubtsFields(): boolean {
    return this.unvouched && this.fieldsLikeKeys;
  }

  /** Goes on after damage. */
  resume(options: {
    readonly database: number;
    readonly guessed: boolean;
    readonly unvouched: boolean;
    readonly fieldsLikeKeys: boolean;
  }): void {
    this.fieldsLikeKeys = options.fieldsLikeKeys;
    this.database = options.database;
    this.databaseGuessed = options.guessed;
    this.unvouched = options.unvouched;
    this.unvouchedRecords = 0;
    this.doubtedDatabase = -1;
    this.afterSelect = false;
    this.ledger.startAt(options.database);
  }
}

function truncated(offset: number, needed: number, available: number): FormatError {
  return new FormatError('rdb/truncated', offset, { reading: 'record', needed, available });
}
