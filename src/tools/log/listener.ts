import type { LogContext } from '../../aof/log.js';
import type { AofFileEntry } from '../../aof/set.js';
import type { Finding } from '../../model/finding.js';
import type { CommandSpans } from '../../resp/command.js';

/** Where a command stands in a log. One object is reused for all. */
export interface CommandPlace extends LogContext {
  /** Number of the MULTI that opened the transaction it is in; 0 outside of any. */
  readonly transaction: number;
}

/** Who is told what a log holds. Everything is borrowed. */
export interface LogListener {
  /** A file begins. */
  fileStart(file: AofFileEntry): void;
  /** Its commands begin, behind so many bytes of RDB. */
  commandsStart(file: AofFileEntry, offset: number): void;
  /** One command as it stands there, in effect or not. */
  command(command: CommandSpans, place: CommandPlace): void;
  /** All that was there when a log began to be followed has been told. */
  caughtUp(): void;
  /** Something is wrong with the file being read: told in its place. */
  finding(finding: Finding): void;
  /** Read after every command: true makes reading wait for `drain`. */
  readonly full: boolean;
  drain(): Promise<void>;
}

/** One file of a log that is read in order. */
export interface LogFile {
  readonly entry: AofFileEntry;
  /** True when no other follows it: there a torn end is none that a server minds. */
  readonly isLast: boolean;
  /** Where the end of what was there at the beginning is, in a log that is followed; null: not in this file. */
  readonly presentBytes: number | null;
}
