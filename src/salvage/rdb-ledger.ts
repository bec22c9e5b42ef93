import type { DamagedRange, DoubtReason } from './damage.js';
import { NameTable } from './rdb-names.js';
import type { RecordReader } from './rdb-record.js';
import type { RdbDoubtfulRange, RdbDuplicateRange, RdbPartialValue, RdbSegment } from './rdb-report.js';

/** Ranges of each kind that are listed. */
const RANGES_MAX = 200_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What is kept of a record that may still be taken back. */
export class RecentRecord {
  start = 0;
  end = 0;
  isKey = false;
  nameHigh = 0;
  nameLow = 0;
  /** In force after the record. */
  database = 0;
  databaseGuessed = false;
  /** Whether the name, or an expiry, makes it one of this file's. */
  vouched = false;
  empty = false;
  shape = 0;
  printable = false;
  /** Its name is learnt from already. */
  learnt = false;

  set(reader: RecordReader, end: number, database: number, guessed: boolean, vouched: boolean): void {
    this.start = reader.start;
    this.end = end;
    this.isKey = reader.kind === 'key';
    this.nameHigh = reader.nameHigh;
    this.nameLow = reader.nameLow;
    this.database = database;
    this.databaseGuessed = guessed;
    this.vouched = vouched;
    this.empty = this.isKey && reader.nameBytes === 0;
    this.shape = reader.shape;
    this.printable = reader.printable;
    this.learnt = false;
  }
}

/** Writes down what every part of a file turned out to be. */
export class SurveyLedger {
  readonly segments: Mutable<RdbSegment>[] = [];
  readonly damaged: DamagedRange[] = [];
  readonly doubtful: Mutable<RdbDoubtfulRange>[] = [];
  readonly duplicates: Mutable<RdbDuplicateRange>[] = [];
  readonly partial: RdbPartialValue[] = [];
  readonly names = new NameTable();
  /** Databases in which there are keys. */
  readonly databases = new Set<number>();
  unlisted = 0;
  /** In force before the next record that is written down. */
  private database = 0;

  /** Nothing is known of what stands between the last record and the next: a segment ends. */
  startAt(database: number): void {
    this.database = database;
  }

  /** The record is believed. */
  keep(record: RecentRecord): void {
    if (record.isKey && !this.names.add(record.database, record.nameHigh, record.nameLow)) {
      this.repeat(record);
    } else {
      if (record.isKey) this.databases.add(record.database);
      this.extend(record);
    }
    this.database = record.database;
  }

  private extend(record: RecentRecord): void {
    let last = this.segments.at(-1);
    if (last === undefined || last.end !== record.start || last.databaseGuessed !== record.databaseGuessed) {
      if (this.segments.length === RANGES_MAX) {
        this.unlisted++;
        return;
      }
      // A record that selects a database says it itself.
      const database = record.isKey ? record.database : this.database;
      last = {
        start: record.start,
        end: record.start,
        keys: 0,
        database,
        databaseEnd: database,
        databaseGuessed: record.databaseGuessed,
      };
      this.segments.push(last);
    }
    last.end = record.end;
    last.databaseEnd = record.database;
    if (record.isKey) last.keys++;
  }

  private repeat({ start, end }: RecentRecord): void {
    const last = this.duplicates.at(-1);
    if (last !== undefined && last.end === start) {
      last.end = end;
      last.keys++;
    } else if (this.duplicates.length < RANGES_MAX) {
      this.duplicates.push({ start, end, keys: 1 });
    } else {
      this.unlisted++;
    }
  }

  /** The record is whole, and there is a reason not to believe it. */
  doubt(record: RecentRecord, why: DoubtReason): void {
    const { start, end, isKey, database } = record;
    const last = this.doubtful.at(-1);
    if (last !== undefined && last.end === start && last.why === why) {
      last.end = end;
      last.records++;
      last.databaseEnd = database;
      if (isKey) last.keys++;
    } else if (this.doubtful.length < RANGES_MAX) {
      const from = isKey ? database : this.database;
      const keys = isKey ? 1 : 0;
      this.doubtful.push({ start, end, records: 1, keys, why, database: from, databaseEnd: database });
    } else {
      this.unlisted++;
    }
    this.database = database;
  }

  /** Makes two of a segment, the first with so many keys and ending in a database. */
  part(segment: RdbSegment, at: number, keys: number, database: number): void {
    const index = this.segments.indexOf(segment);
    const first = { ...segment, end: at, keys, databaseEnd: database };
    const second = { ...segment, start: at, keys: segment.keys - keys, database };
    this.segments.splice(index, 1, ...(at > segment.start ? [first] : []), second);
  }

  /** What was believed of `[from, to)` becomes doubtful; the segments it was in, for their names to be forgotten. */
  moveToDoubtful(from: number, to: number): readonly RdbSegment[] {
    const moved: RdbSegment[] = [];
    for (
      let last = this.segments.at(-1);
      last !== undefined && last.start >= from;
      last = this.segments.at(-1)
    ) {
      this.segments.pop();
      moved.push(last);
      const { start, end, keys, database, databaseEnd } = last;
      if (end > to) throw new Error('internal error, please report it: a segment beyond the place reached');
      this.doubtful.push({ start, end, records: keys, keys, why: 'inside-value', database, databaseEnd });
    }
    return moved;
  }

  /**
   * A guessed database that would have more keys than the file says it has is the next one: its SELECTDB was lost.
   * Databases come in ascending order. One key more, or few of many, says nothing: damage makes such, too.
   */
  correctGuesses(declared: ReadonlyMap<number, number>): void {
    const kept = new Map<number, number>();
    for (const segment of this.segments) {
      const { database, databaseEnd, databaseGuessed, keys } = segment;
      const all = (kept.get(database) ?? 0) + keys;
      const most = declared.get(database);
      if (
        !databaseGuessed ||
        database !== databaseEnd ||
        most === undefined ||
        all < most + Math.max(2, keys / 20)
      ) {
        kept.set(database, all);
        continue;
      }
      segment.database = segment.databaseEnd = database + 1;
      kept.set(database + 1, (kept.get(database + 1) ?? 0) + keys);
    }
  }

  damage(range: DamagedRange): void {
    if (this.damaged.length < RANGES_MAX) this.damaged.push(range);
    else this.unlisted++;
  }

  get wholeKeys(): number {
    return this.segments.reduce((sum, { keys }) => sum + keys, 0);
  }
}
