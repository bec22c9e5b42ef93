import type { ByteSlice } from '../bytes/slice.js';
import type { ByteWindow } from '../bytes/window.js';
import type { FindingCode } from '../model/finding.js';
import type { CommandSpans } from './command.js';

/** What a scanner tells of a log, in file order. Spans and slices are borrowed: valid until the method returns. */
export interface RespHandler {
  command(command: CommandSpans): void;
  /**
   * A line that starts with `#`, its line end included. `seconds` is the number of a well-formed `#TS:` line and NaN
   * for every other annotation. `offset` is absolute.
   */
  annotation(line: ByteSlice, offset: number, seconds: number): void;
  /** Something servers load all the same; told before the command or annotation it stands in, once for each. */
  flaw(code: FindingCode, offset: number): void;
  /** Read after every command and annotation: true makes the scanner stop. */
  readonly full: boolean;
  /** Read when `full`: true ends the scan for good, false only pauses it until the handler is drained. */
  readonly stopped: boolean;
}

/** Takes records before the scanner reads them, for handlers that need not be told each. */
export interface RecordPasser {
  /** Moves the window past whole records, as many as it likes; false when it took none. */
  pass(window: ByteWindow): boolean;
}
