import { FormatError } from '../errors.js';
import type { Finding, FindingCode } from '../model/finding.js';
import type { KeyHead } from '../model/handler.js';
import type { DialectName } from '../rdb/dialect.js';

/** A source is too damaged for what was asked. The command line words the finding. */
export class DamageError extends Error {
  override readonly name = 'DamageError';

  constructor(readonly finding: Finding) {
    super(`${finding.where.file}: ${finding.code} at offset ${finding.where.offset}`);
  }
}

/** The finding a decoder's error is; `file` is where it happened unless the error names a file itself. */
export function findingOf(error: FormatError, file: string): Finding {
  return {
    // Decoders take their codes from the table of findings; a test throws every one of them.
    code: error.code as FindingCode,
    where: { file: error.file === '' ? file : error.file, offset: error.offset, trail: error.trail },
    detail: error.detail,
  };
}

/** Runs `body`; a decoder's error comes out as a DamageError that names the file. */
export async function namingFile<T>(file: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof FormatError ? new DamageError(findingOf(error, file)) : error;
  }
}

/** Something that was not or could not be verified, and why. */
export interface NotChecked {
  readonly path: string;
  readonly what: string;
  readonly why: string;
  /** True for what this command never looks at, whatever the file. */
  readonly routine: boolean;
}

/** What stands in a file, and how far it is right. */
export interface CheckedFile {
  readonly path: string;
  readonly format: 'rdb' | 'aof' | 'manifest';
  /** Of the RDB, or of the one that opens an AOF; null without one. */
  readonly dialect: string | null;
  readonly version: number | null;
  readonly bytes: number;
  /** Bytes from the start that could be kept: up to the first damaged record or open transaction. */
  readonly validBytes: number;
  /** Keys of the RDB that read; null without one. */
  readonly keys: number | null;
  /** Commands of the log that read, SELECT, MULTI and EXEC counted; null when the file can't have any. */
  readonly commands: number | null;
  /** Bytes that belong to no whole record, and to records that no server loads. */
  readonly damagedBytes: number;
  /** Whole keys or commands that may be the content of a value; not counted as such. */
  readonly doubtful: number;
  /** Keys that read although the checksum does not vouch for them: bytes inside them may have changed. */
  readonly unprovenKeys: number;
  readonly findings: readonly Finding[];
}

/** Counts along while a file is checked, so that counting takes no reading of its own. Behind damage nothing is told. */
export interface DatasetWatch {
  /** A field in front of the keys; one character per byte. */
  aux(name: string, value: string): void;
  /** The head is borrowed. */
  key(head: KeyHead): void;
  /** Unix seconds of the last `#TS` annotation of a log that has any. */
  time(seconds: number): void;
}

export interface FileCheckOptions {
  /** 'rdb': the RDB is all there should be; 'aof': a server reads it as a log. */
  readonly form: 'rdb' | 'aof';
  /** False for a file of a set that others follow: there a torn tail is fatal. */
  readonly last: boolean;
  /** Structure and checksum alone. */
  readonly quick: boolean;
  readonly dialect: DialectName | null;
  /** False: the first damage ends the check of the file. */
  readonly goOn?: boolean;
  /** Missing: nobody counts. */
  readonly watch?: DatasetWatch;
}

export interface FileCheckResult {
  readonly file: CheckedFile;
  readonly notChecked: readonly NotChecked[];
}
