import type { DialectName } from '../rdb/dialect.js';
import type { DamagedRange, DoubtfulRange } from './damage.js';
import type { ByteCorrection } from './rdb-window.js';

/** Contiguous whole records. */
export interface RdbSegment {
  readonly start: number;
  readonly end: number;
  readonly keys: number;
  /** In force at `start`, and at `end`. */
  readonly database: number;
  readonly databaseEnd: number;
  /** True when a SELECTDB may have been lost before: the database is the one in force before the damage. */
  readonly databaseGuessed: boolean;
}

/** Whole records that are left out unless asked for, with the database that would be theirs. */
export interface RdbDoubtfulRange extends DoubtfulRange {
  readonly keys: number;
  readonly database: number;
  readonly databaseEnd: number;
}

/** Whole records whose names, in the same database, stood before: servers refuse to load them. */
export interface RdbDuplicateRange {
  readonly start: number;
  readonly end: number;
  readonly keys: number;
}

/** A damaged collection of which the items before the damage can be read. */
export interface RdbPartialValue {
  /** Absolute offset of the record. */
  readonly start: number;
  readonly database: number;
  /** One character per byte. */
  readonly key: string;
  /** The elements, fields, members or entries that were read. */
  readonly items: number;
}

/** Everything known of a damaged RDB, as plain data. Offsets are absolute. */
export interface RdbSurvey {
  readonly header: {
    /** The nine bytes that open a file of this dialect. */
    readonly magic: string;
    readonly dialect: DialectName;
    readonly version: number;
    /** False: the file's own header is damaged, and this one is assumed from what follows. */
    readonly intact: boolean;
  };
  /** In the order of the file, as are all lists here. */
  readonly segments: readonly RdbSegment[];
  readonly damaged: readonly DamagedRange[];
  readonly doubtful: readonly RdbDoubtfulRange[];
  readonly duplicates: readonly RdbDuplicateRange[];
  readonly partial: readonly RdbPartialValue[];
  readonly keys: {
    /** In segments, each name once. */
    readonly whole: number;
    /** Of those: the checksum vouches for every byte of them. Either all or none. */
    readonly proven: number;
    /** In segments whose database is a guess. */
    readonly guessedDatabase: number;
    readonly doubtful: number;
    readonly partial: number;
    readonly duplicate: number;
  };
  /**
   * Bytes that the checksum shows to be wrong and what they should be: with them put right it fits. The rest of the
   * survey is of the file so corrected.
   */
  readonly corrections: readonly ByteCorrection[];
  /**
   * 'ok' fits; 'corrected' fits with `corrections`; 'mismatch' does not fit; 'disabled' the server made none; 'none' the
   * version has none; 'absent' was not found.
   */
  readonly checksum: 'ok' | 'corrected' | 'mismatch' | 'disabled' | 'none' | 'absent';
  /** True when the end mark was found. */
  readonly endSeen: boolean;
  /** Just past the last byte of the RDB: where the commands of a log begin behind a preamble. */
  readonly end: number;
  /** Bytes between `end` and the end of the input that belong to nothing; 0 for a preamble. */
  readonly trailingBytes: number;
  /** Ranges beyond the number that is listed; what they hold counts as damaged. */
  readonly unlisted: number;
}

/** A survey of an RDB without any flaw. */
export function isFlawless(survey: RdbSurvey): boolean {
  return (
    survey.header.intact &&
    survey.endSeen &&
    survey.damaged.length === 0 &&
    survey.doubtful.length === 0 &&
    survey.duplicates.length === 0 &&
    survey.corrections.length === 0 &&
    survey.trailingBytes === 0 &&
    survey.checksum !== 'mismatch'
  );
}
