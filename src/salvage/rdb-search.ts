import { FormatError } from '../errors.js';
import {
  FIRST_VERSION_WITH_CHECKSUM,
  LENGTH_64,
  LENGTH_SPECIAL,
  OPCODE_EOF,
  STRING_LZF,
  TRAILER_BYTES,
} from '../rdb/constants.js';
import type { Dialect } from '../rdb/dialect.js';
import { HashTemplates } from '../rdb/templates.js';
import type { RdbLimits } from '../rdb/value-reader.js';
import { expiresSanely, type NameHabits } from './rdb-habits.js';
import { DATABASE_MAX, mayBegin, NAME_MAX } from './rdb-head.js';
import { ChainProbe, REFUSED } from './rdb-probe.js';
import { isBlob, RecordReader } from './rdb-record.js';
import type { RoamingWindow } from './rdb-window.js';

/** Records in a row, and what they must weigh together, for a chain to be believed before it reaches the end. */
const RECORDS_MIN = 8;
const WEIGHT_MIN = 8;
/** The same for records that have nothing but a name and a text. */
const PLAIN_RECORDS_MIN = 24;
/** A record tried is read up to here; beyond, only if its name is one of this file's. */
const RECORD_LOOK = 1 << 20;
/** Once the work allowed is nearly used up, records tried are read up to here only. */
const RECORD_LOOK_TIRED = 1024;
/**
 * What searching may cost, in bytes decoded and parts of records walked past: for every byte, as it is passed, and what
 * of that can be saved up.
 */
const WORK_PER_BYTE = 2;
const WORK_SAVED = 32 << 20;
/** What reading a record costs beside its bytes. */
const WORK_PER_RECORD = 128;
/** Parts that are walked past from one offset at most, and however little work is left. */
const STEPS_MAX = 1 << 16;
const STEPS_MIN = 24;
/** Offsets of chains that led nowhere are remembered up to this number. */
const DEAD_MAX = 1 << 20;
/** A chain longer than this that led nowhere is not looked into again. */
const LONG_CHAIN = 64;

/** What a byte may be as the first of a record. */
const TYPE = 1;
const OPCODE = 2;
/** By number: 0 for bytes that a name never begins with, as it would have no length, or none at all. */
const NAME_BEGINS = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte > 0 && byte <= LENGTH_64) || (byte >= LENGTH_SPECIAL && byte <= STRING_LZF) ? 1 : 0,
);

/** Looks for the offset from which whole records run on. */
export class RecordSearch {
  readonly reader: RecordReader;
  /** Offsets that no believable chain goes through. */
  private readonly dead = new Set<number>();
  private readonly probe = new ChainProbe();
  /** What a record may begin with, by its first byte. */
  private readonly begins = new Uint8Array(256);
  private dialect: Dialect | null = null;
  /** Work that may still be done. */
  private allowed = WORK_SAVED;
  /** Where the last chain that was not believed ended. */
  private failedAt = 0;
  private pathRecords = 0;

  constructor(
    private readonly window: RoamingWindow,
    dialect: Dialect,
    limits: RdbLimits,
    private readonly habits: NameHabits,
    /** Whether the RDB may end at this offset, the trailer included. */
    private readonly mayEnd: (offset: number) => boolean,
    templates: HashTemplates,
  ) {
    this.reader = new RecordReader(dialect, limits, new HashTemplates(templates));
  }

  /** A new gap is searched. */
  begin(): void {
    this.dead.clear();
  }

  /** Bytes were passed, and with them comes work that may be done. */
  private passed(bytes: number): void {
    this.allowed = Math.min(WORK_SAVED, this.allowed + bytes * WORK_PER_BYTE);
  }

  /** No chain through this offset is believed. */
  bury(offset: number): void {
    if (this.dead.size < DEAD_MAX) this.dead.add(offset);
  }

  /**
   * The first offset in `[from, to)` from which a believable chain of records runs beyond `past`; -1 when there is none.
   * `likely`: only one whose first record the habits of the file speak for. `tick` is told how far the search is.
   */
  async find(
    from: number,
    to: number,
    past: number,
    tick: (offset: number) => void,
    likely = false,
  ): Promise<number> {
    const { window } = this;
    for (let at = from; at < to; ) {
      await window.cover(at, Math.min(at + RECORD_LOOK, window.limit));
      // The rest of what is in memory, as long as records of usual size after it are in memory too.
      const stop =
        window.end === window.limit ? Math.min(to, window.end) : Math.min(to, window.end - RECORD_LOOK / 2);
      for (; at < stop; at++) {
        at = this.candidate(at, stop);
        if (at >= stop) break;
        if (likely && !(await this.beginsLikely(at))) continue;
        if (await this.believes(at, past)) return at;
        if (this.pathRecords > LONG_CHAIN) at = this.failedAt;
        if (!window.has(at, Math.min(at + 1, window.limit))) break;
      }
      tick(at);
    }
    return -1;
  }

  /** The next offset in memory, before `stop`, from which records may run on; `stop`: none. */
  private candidate(from: number, stop: number): number {
    const { probe, begins, reader, window, dead } = this;
    const { bytes, base, end } = window.cursor;
    const { dialect } = reader;
    if (dialect !== this.dialect) this.learnBegins();
    const limit = window.limit - base;
    const stopAt = stop - base;
    let passedTo = from;
    for (let at = from - base; at < stopAt; at++) {
      for (; at < stopAt; at++) {
        const begin = begins[bytes[at]!];
        if (begin === OPCODE || (begin === TYPE && NAME_BEGINS[bytes[at + 1]!] !== 0)) break;
      }
      if (at === stopAt) break;
      if (!mayBegin(bytes, at, end, limit, dialect)) continue;
      const offset = at + base;
      if (dead.size > 0 && dead.has(offset)) continue;
      this.passed(offset - passedTo);
      passedTo = offset;
      const steps = Math.min(STEPS_MAX, Math.max(STEPS_MIN, this.allowed));
      const verdict = probe.follow(bytes, at, end, limit, dialect, steps);
      this.allowed -= probe.steps;
      if (verdict === REFUSED) continue;
      // Out of breath, what may take long and is most likely none is passed over.
      if (this.allowed <= 0) continue;
      return offset;
    }
    this.passed(stop - passedTo);
    return stop;
  }

  private learnBegins(): void {
    const { dialect } = this.reader;
    this.dialect = dialect;
    for (let i = 0; i < 256; i++) {
      this.begins[i] =
        dialect.typeOf[i] !== undefined ? TYPE : dialect.opcodeOf[i] !== undefined ? OPCODE : 0;
    }
  }

  /**
   * Whether the record at an offset may be the first behind damage: one that the names of this file, or a time of
   * expiry, speak for. The window then stands behind the record.
   */
  async beginsLikely(offset: number): Promise<boolean> {
    const { reader, habits } = this;
    if ((await this.read(offset)) !== 'whole') return false;
    if (reader.kind === 'hash-template' || isBlob(reader)) return true;
    if (reader.kind !== 'key') return reader.kind === 'database';
    return habits.informative ? habits.vouchesFor(reader) : expiresSanely(reader) || habits.fits(reader);
  }

  /** Whether a chain of whole records runs from here beyond `past`, long and heavy enough to be no accident. */
  async believes(start: number, past: number): Promise<boolean> {
    const { reader, window } = this;
    const names = new Set<number>();
    const path: number[] = [];
    let weight = 0;
    let empties = 0;
    let records = 0;
    let at = start;
    this.pathRecords = 0;
    reader.templates.forget();
    for (;;) {
      this.failedAt = at;
      this.pathRecords = records;
      if (this.dead.has(at)) return this.give(path);
      if (path.length < LONG_CHAIN) path.push(at);
      const read = await this.read(at);
      if (read === 'cut') return at > past && records >= 2 && weight >= 4 ? true : this.give(path);
      if (read === 'bad') return this.give(path);
      if (reader.kind === 'end') {
        if (!this.mayEnd(at + this.endBytes())) return this.give(path);
        return records === 0 || weight > 0 ? true : this.give(path);
      }
      at = window.offset;
      if (reader.kind === 'key') {
        if (reader.nameBytes === 0 && (records === 0 || ++empties > 1)) return this.give(path);
        if (names.size < LONG_CHAIN) {
          if (names.has(reader.nameLow)) return this.give(path.slice(0, 1));
          names.add(reader.nameLow);
        }
        weight += this.weigh();
      } else if (reader.kind === 'database') {
        weight++;
      } else if (isBlob(reader)) {
        weight += WEIGHT_MIN;
      }
      records++;
      if (at <= past) continue;
      if (records >= RECORDS_MIN && weight >= WEIGHT_MIN) return true;
      if (records >= PLAIN_RECORDS_MIN && weight >= 0) return true;
    }
  }

  private give(path: readonly number[]): false {
    for (const at of path) this.bury(at);
    return false;
  }

  endBytes(): number {
    return this.reader.dialect.version < FIRST_VERSION_WITH_CHECKSUM ? 1 : 1 + TRAILER_BYTES;
  }

  private weigh(): number {
    const { reader, habits } = this;
    let weight = reader.printable && reader.nameBytes > 0 ? 1 : habits.textual ? -1 : 0;
    if (reader.structured) weight += 2;
    if (expiresSanely(reader)) weight += 2;
    return weight;
  }

  /** Reads the record at an offset in the strictest way; the window then stands behind it. */
  async read(at: number): Promise<'whole' | 'cut' | 'bad'> {
    const { reader, window } = this;
    const { cursor, bytesRead } = window;
    const tired = this.allowed <= RECORD_LOOK_TIRED;
    const look = tired ? RECORD_LOOK_TIRED : RECORD_LOOK;
    let unseen = 0;
    if (at >= window.limit) return 'cut';
    if (!window.has(at, at + 1)) await window.cover(at, at + look);
    else window.seek(at);
    reader.begin(cursor);
    try {
      while (!reader.run(cursor)) {
        const to = window.offset + Math.max(1, cursor.need);
        if (to > window.limit) return reader.valueStart >= 0 ? 'cut' : 'bad';
        if (to - at > look && (tired || !this.habits.fits(reader) || reader.valueStart < 0)) return 'bad';
        const over = reader.passOver();
        unseen += over;
        await window.cover(window.offset + over, to + over);
      }
    } catch (error) {
      if (error instanceof FormatError) return 'bad';
      throw error;
    } finally {
      const bytes = Math.max(0, window.offset - at - unseen) + window.bytesRead - bytesRead;
      this.allowed -= WORK_PER_RECORD + bytes;
    }
    return this.plausible() ? 'whole' : 'bad';
  }

  private plausible(): boolean {
    const { reader, window } = this;
    const { head } = reader;
    switch (reader.kind) {
      case 'key':
        if (reader.nameBytes > NAME_MAX || reader.emptyValue) return false;
        if (head.kind === 'module' && head.moduleName === '') return false;
        return !head.hasExpiry || expiresSanely(reader);
      case 'database':
        return head.database <= DATABASE_MAX;
      case 'resize':
        return reader.around.resizeKeys <= window.limit;
      case 'aux':
        return reader.around.auxName !== '';
      default:
        return true;
    }
  }

  /** Whether an end mark stands at an offset in memory, and the RDB may end there. */
  endsAt(at: number): boolean {
    const { cursor, start, end } = this.window;
    return (
      at >= start && at < end && cursor.bytes[at - start] === OPCODE_EOF && this.mayEnd(at + this.endBytes())
    );
  }
}
