import { FIRST_VERSION_WITH_CHECKSUM, HEADER_BYTES, OPCODE_AUX, TRAILER_BYTES } from '../rdb/constants.js';
import { type Dialect, dialectOf, productOfAux } from '../rdb/dialect.js';
import { type ChainFailure, RecordChain } from './rdb-chain.js';
import { type Gap, GapSearch } from './rdb-gap.js';
import { NameHabits } from './rdb-habits.js';
import { findHeader, magicOfDialect, versionOfRelease } from './rdb-header.js';
import { SurveyLedger } from './rdb-ledger.js';
import { beginsLog, mayBeginLog } from './rdb-log-start.js';
import { RecordReader } from './rdb-record.js';
import type { RdbSurvey } from './rdb-report.js';
import type { RdbSurveyContext, RdbSurveyOptions } from './rdb-survey.js';
import type { ByteCorrection, RoamingWindow } from './rdb-window.js';

/** How far a log is looked for behind a preamble whose end mark is damaged. */
const LOG_SEARCH = 256 * 1024;

/** Doubted records up to the end of the file: that many are no content of its last value. */
const STRANGE_MAX = 64;

/** The newest RDB version whose files begin without aux fields. */
const LAST_BEFORE_AUX = 6;

/** Where the RDB ended, and how that is known. */
interface Ending {
  readonly end: number;
  readonly endSeen: boolean;
  /** Absolute offset of the end mark; -1 without one. */
  readonly markAt: number;
}

/** What a survey found, but for what only the checksum can say. */
export interface RawSurvey {
  readonly survey: Omit<RdbSurvey, 'checksum' | 'corrections' | 'keys'> & {
    readonly keys: Omit<RdbSurvey['keys'], 'proven'>;
  };
  readonly markAt: number;
  readonly version: number;
  /** From some damage to the end no name was like those before: names of this file tell nothing. */
  readonly strangeNames: boolean;
  /** Keys were kept whose names are not like any other. */
  readonly absurdNames: boolean;
}

/** What an earlier survey of the same file taught. */
export interface Lesson {
  /** False: nothing is to be made of names. */
  readonly namesTell: boolean;
  readonly doubtsAbsurd: boolean;
}

/** Makes one survey. */
export class Surveyor {
  private readonly ledger = new SurveyLedger();
  private readonly habits: NameHabits;
  private reader!: RecordReader;
  private chain!: RecordChain;
  private gaps!: GapSearch;
  private assumedVersion: number | null = null;
  private releaseVersion: number | null = null;
  /** Records follow a damaged header at once: servers since 3.2 tell of themselves first. */
  private beforeAux = false;
  /** Absolute offset at which the last damage ended; -1 before there was any. */
  private resumedAt = -1;

  constructor(
    private readonly window: RoamingWindow,
    private readonly options: RdbSurveyOptions,
    private readonly context: RdbSurveyContext,
    private readonly lesson: Lesson,
  ) {
    this.habits = new NameHabits(lesson.namesTell);
  }

  async run(): Promise<RawSurvey> {
    const { window, options } = this;
    await window.cover(0, HEADER_BYTES);
    const { dialect, failure } = findHeader(window.cursor.bytes.subarray(0, window.end), options.dialect);
    this.reader = new RecordReader(dialect, options.limits);
    const hearAux = (name: string, value: string) => this.hearAux(name, value);
    this.chain = new RecordChain(window, this.reader, this.ledger, this.habits, options.trustedTo, hearAux);
    this.chain.doubtsAbsurd = this.lesson.doubtsAbsurd;
    const mayEnd = (offset: number) => this.mayEnd(offset);
    const { templates } = this.reader;
    this.gaps = new GapSearch(window, dialect, options.limits, this.habits, mayEnd, templates);
    let ending: Ending;
    if (failure === null) {
      ending = await this.walk(HEADER_BYTES);
    } else {
      this.assumedVersion = dialect.version;
      ending = await this.walkFromDamagedHeader(failure);
    }
    return this.report(dialect, failure === null, ending);
  }

  private async walkFromDamagedHeader(failure: ChainFailure): Promise<Ending> {
    const { window } = this;
    if (window.limit > HEADER_BYTES && (await this.gaps.believes(HEADER_BYTES))) {
      this.ledger.damage(rangeOf(failure, 0, HEADER_BYTES, null));
      await window.cover(HEADER_BYTES, HEADER_BYTES + 1);
      this.beforeAux = window.cursor.bytes[window.cursor.position] !== OPCODE_AUX;
      return this.walk(HEADER_BYTES);
    }
    const next = await this.overcome({ ...failure, start: -1 });
    return next < 0 ? this.torn() : this.walk(next);
  }

  /** Follows the records from an offset to the end of the RDB, over every damage. */
  private async walk(from: number): Promise<Ending> {
    const { chain, window } = this;
    for (let at = from; ; ) {
      const stopped = await chain.follow(at, this.context.progress);
      if (typeof stopped === 'number') {
        const ending = await this.endAt(stopped);
        if (typeof ending !== 'number') return ending;
        at = ending;
        continue;
      }
      const log = this.options.preamble ? await this.findLog(stopped.start) : -1;
      at = await this.overcome(stopped, log);
      if (at < 0) return log < 0 ? this.torn() : { end: log, endSeen: false, markAt: -1 };
      if (at > window.limit) return this.torn();
    }
  }

  private torn(): Ending {
    this.chain.settle();
    return { end: this.window.limit, endSeen: false, markAt: -1 };
  }

  /**
   * Finds where records go on behind a failure, before the commands at `log` when there are some (-1: none), and
   * prepares the chain for it; -1 when they do not.
   */
  private async overcome(failure: ChainFailure, log = -1): Promise<number> {
    const { chain, ledger, window } = this;
    const until = log < 0 ? window.limit : log;
    const gap = await this.gaps.cross(failure, chain.recent, until, this.context.progress);
    if (gap.resume < 0 && log >= 0) {
      // Whatever it is that failed here, the end mark is not behind it.
      chain.settle();
      if (log > failure.start) ledger.damage(rangeOf(withoutEnd(failure), failure.start, log, null));
      return -1;
    }
    this.settleBefore(gap);
    const end = gap.resume < 0 ? window.limit : gap.resume;
    const start = Math.min(gap.start, end);
    if (end > start || failure.offset >= window.limit) {
      const known = gap.resume < 0 ? failure : lengthThatReachesTooFar(failure);
      ledger.damage(rangeOf(known, start, end, gap.start === failure.start ? chain.database : null));
      if (failure.items > 0 && failure.key !== null) {
        const { start, key, items } = failure;
        ledger.partial.push({ start, key, items, database: chain.database });
      }
    }
    if (gap.resume < 0) return -1;
    this.resumedAt = gap.resume;
    chain.resume({
      database: this.guessDatabase(gap),
      guessed: chain.databaseGuessed || !gap.explained,
      unvouched: !gap.explained,
      fieldsLikeKeys: failure.fieldsLikeKeys === true || chain.doubtsFields,
    });
    return gap.resume;
  }

  /** Decides about the records before a gap that can still be taken back. */
  private settleBefore(gap: Gap): void {
    const { chain } = this;
    if (gap.swallowedFrom >= 0) {
      chain.settle(gap.swallowedFrom);
      return;
    }
    if (gap.explained) chain.settle();
    else chain.settleDoubting('after-damage');
  }

  /** The database of records behind damage: that of the first name, if it stood in one before. */
  private guessDatabase(gap: Gap): number {
    const { chain, ledger } = this;
    const { name } = gap;
    if (gap.explained || name === null || ledger.names.has(chain.database, name.high, name.low)) {
      return chain.database;
    }
    for (const database of ledger.databases) {
      if (ledger.names.has(database, name.high, name.low)) return database;
    }
    return chain.database;
  }

  private hearAux(name: string, value: string): void {
    if (name === 'redis-ver' || name === 'valkey-ver') this.releaseVersion = versionOfRelease(name, value);
    if (this.options.dialect !== null) return;
    const { dialect } = this.reader;
    const product = productOfAux(name) ?? dialect.name;
    const version = this.assumedVersion === null ? dialect.version : (this.releaseVersion ?? dialect.version);
    if (product === dialect.name && version === dialect.version) return;
    const other = dialectOf(product, version);
    if (other === null) return;
    this.reader.dialect = other;
    this.gaps.use(other);
  }

  /** An end mark stands at `markAt`: where the RDB ends, or the offset at which its records go on. */
  private async endAt(markAt: number): Promise<Ending | number> {
    const { chain, window } = this;
    const after = markAt + this.gaps.endBytes;
    if (after > window.limit) {
      chain.settle();
      return { end: window.limit, endSeen: false, markAt: -1 };
    }
    await window.cover(markAt, after + 32);
    if (this.mayEnd(after)) {
      chain.settle();
      return { end: after, endSeen: true, markAt };
    }
    return this.crossFalseEnd(markAt, after);
  }

  /** What follows an end mark belongs to nothing, or the mark is that of an RDB inside a value. */
  private async crossFalseEnd(markAt: number, after: number): Promise<Ending | number> {
    const { chain, ledger } = this;
    const resume = await this.gaps.findAfterEnd(markAt + 1);
    if (resume < 0) {
      chain.settle();
      return { end: after, endSeen: true, markAt };
    }
    chain.settleDoubting('inside-value');
    const from = this.resumedAt;
    const detail = { number: 255, reason: 'end-mark-inside' };
    const failure = { start: markAt, offset: markAt, detail, trail: [], key: null, items: 0 };
    const taken = from >= 0 ? from : await this.partBeforeInner(markAt);
    if (taken >= 0) await this.takeBack(taken, markAt);
    ledger.damage(rangeOf({ ...failure, code: 'rdb/implausible-record' }, markAt, resume, null));
    this.resumedAt = resume;
    chain.resume({ database: chain.database, guessed: true, unvouched: true, fieldsLikeKeys: false });
    return resume;
  }

  /** Records since the last damage turned out to be the content of a value. */
  private async takeBack(from: number, to: number): Promise<void> {
    const { ledger, reader } = this;
    const moved = ledger.moveToDoubtful(from, to);
    for (const { start, end, database } of moved) {
      let current = database;
      await this.passRecords(start, end, () => {
        if (reader.kind === 'database') current = reader.head.database;
        if (reader.kind === 'key') ledger.names.remove(current, reader.nameHigh, reader.nameLow);
      });
    }
  }

  /**
   * Where the record starts that holds an RDB which leads to the end mark at `markAt`, its length being damaged so that
   * records of that RDB followed it; the segment is parted there. -1: there is none.
   */
  private async partBeforeInner(markAt: number): Promise<number> {
    const { ledger, reader } = this;
    const inner = await this.gaps.innerRdb(markAt);
    const segment = ledger.segments.findLast(({ start, end }) => start <= inner && inner < end);
    if (inner < 0 || segment === undefined) return -1;
    let holder = segment.start;
    let database = segment.database;
    let keys = 0;
    await this.passRecords(segment.start, inner, (at, end) => {
      holder = at;
      if (end > inner) return;
      if (reader.kind === 'database') database = reader.head.database;
      if (reader.kind === 'key') keys++;
    });
    ledger.part(segment, holder, keys, database);
    return holder;
  }

  /** Goes again over whole records that start in `[from, to)`, and tells of each where it starts and ends. */
  private async passRecords(
    from: number,
    to: number,
    see: (start: number, end: number) => void,
  ): Promise<void> {
    const { reader, window } = this;
    for (let at = from; at < to; at = window.offset) {
      await window.cover(at, at + 1);
      reader.begin(window.cursor);
      while (!reader.run(window.cursor)) {
        const behind = window.offset + reader.passOver();
        await window.cover(behind, behind + Math.max(1, window.cursor.need));
      }
      see(at, window.offset);
    }
  }

  /** Whether the RDB may end at an offset: the input does, or a log begins. */
  private mayEnd(offset: number): boolean {
    const { window } = this;
    if (offset === window.limit) return true;
    if (!this.options.preamble || offset > window.limit) return false;
    return (
      offset >= window.end ||
      mayBeginLog(window.cursor.bytes, offset - window.start, window.end - window.start)
    );
  }

  /** The offset at which a log's commands begin behind `start`; -1: not near it. */
  private async findLog(start: number): Promise<number> {
    const { window } = this;
    await window.cover(start, start + LOG_SEARCH);
    const { bytes, base, end } = window.cursor;
    const stop = Math.min(end, start - base + LOG_SEARCH);
    for (let at = start - base; at < stop; at++) {
      if (bytes[at] !== 0x2a && bytes[at] !== 0x23) continue;
      if (beginsLog(bytes, at, end)) return at + base;
    }
    return -1;
  }

  private report(dialect: Dialect, intact: boolean, ending: Ending): RawSurvey {
    const { ledger, window, options, reader } = this;
    const { name } = reader.dialect;
    const old = this.beforeAux && name === 'redis' && isOld(reader.met);
    const { version } = intact ? dialect : old ? { version: LAST_BEFORE_AUX } : reader.dialect;
    ledger.correctGuesses(this.chain.declared);
    const { segments, damaged, doubtful, duplicates, partial, unlisted } = ledger;
    const sum = (ranges: readonly { readonly keys: number }[]) =>
      ranges.reduce((all, { keys }) => all + keys, 0);
    const survey = {
      header: { magic: magicOfDialect({ name, version }), dialect: name, version, intact },
      segments,
      damaged: damaged.sort((a, b) => a.start - b.start),
      doubtful: doubtful.sort((a, b) => a.start - b.start),
      duplicates,
      partial,
      keys: {
        whole: sum(segments),
        guessedDatabase: sum(segments.filter((segment) => segment.databaseGuessed)),
        doubtful: sum(doubtful),
        partial: partial.length,
        duplicate: sum(duplicates),
      },
      endSeen: ending.endSeen,
      end: ending.end,
      trailingBytes: options.preamble ? 0 : window.limit - ending.end,
      unlisted,
    };
    const strangeNames = this.chain.unvouched && this.chain.unvouchedRecords > STRANGE_MAX;
    const absurdNames = this.chain.absurdNames > 0;
    return { survey, markAt: ending.markAt, version, strangeNames, absurdNames };
  }
}

/** Whether a file of these types and opcodes may be one of before aux fields. */
function isOld(met: Uint8Array): boolean {
  const { typeOf, opcodeOf } = dialectOf('redis', LAST_BEFORE_AUX)!;
  return met.every((isMet, i) => isMet === 0 || typeOf[i] !== undefined || opcodeOf[i] !== undefined);
}

function withoutEnd({ start }: ChainFailure): ChainFailure {
  const detail = { reading: 'end mark', needed: 1, available: 0 };
  return { start, code: 'rdb/truncated', offset: start, detail, trail: [], key: null, items: 0 };
}

/** What seemed to go on behind the end of the input has a damaged length when whole records stand behind it. */
function lengthThatReachesTooFar(failure: ChainFailure): ChainFailure {
  return failure.code === 'rdb/truncated' ? { ...failure, code: 'rdb/length-overrun' } : failure;
}

/** Bytes of the trailer behind the end mark. */
export function trailerBytes(version: number): number {
  return version < FIRST_VERSION_WITH_CHECKSUM ? 0 : TRAILER_BYTES;
}

function rangeOf(failure: ChainFailure, start: number, end: number, database: number | null) {
  const { code, offset, detail, trail, key } = failure;
  return {
    start,
    end,
    code,
    offset,
    detail,
    trail,
    ...(key === null ? {} : { key }),
    ...(database === null ? {} : { database }),
  };
}

export type { ByteCorrection };
