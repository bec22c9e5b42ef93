import type { ByteWindow } from '../bytes/window.js';
import { type CommandKind, EXEC, LogScan, MULTI, ORDINARY, SELECT } from '../kernels/log-scan.js';
import { KNOWN_COMMANDS } from '../model/commands.js';
import type { RecordPasser } from './handler.js';

/** What listens to records that may be passed over. */
export interface PassingHandler {
  /** What is looked at while passing, as LogScan has it; -1: nothing may be passed over here. */
  readonly looks: number;
  /** Records that end behind this absolute offset are not passed over. */
  readonly passUpTo: number;
  /**
   * Records were passed over, all of them in order, the last of which ended at the absolute offset `end`: `scan` says what
   * they were. `base` is the offset of its position 0.
   */
  passed(scan: LogScan, end: number, base: number): void;
}

/** The transaction as passing goes by it. */
export interface PassedTransaction {
  open: boolean;
  /** Absolute offset of the MULTI. */
  offset: number;
  queued: number;
}

const KINDS = new Map<string, CommandKind>([
  ['MULTI', MULTI],
  ['EXEC', EXEC],
  ['SELECT', SELECT],
]);

/** Below this many bytes compiling a scan costs more than it saves. */
const SCAN_FROM_BYTES = 1024 * 1024;

/** A scan that knows the commands, for so many bytes (null: nobody knows); null where it is not worth it or not to be had. */
export function logScanFor(bytes: number | null): LogScan | null {
  return (bytes ?? SCAN_FROM_BYTES) < SCAN_FROM_BYTES ? null : createLogScan();
}

/** A scan that knows the commands; null where WebAssembly is not to be had. */
export function createLogScan(): LogScan | null {
  const scan = LogScan.create();
  if (scan === null) return null;
  for (const { name, arity, subcommands } of KNOWN_COMMANDS) {
    // What else is to be known of these takes more than their names and numbers of arguments.
    if (subcommands !== undefined || name === 'DISCARD' || !/^[A-Z]{3,16}$/.test(name)) continue;
    scan.learn(name, arity, KINDS.get(name) ?? ORDINARY);
  }
  return scan;
}

/** As often as this in a row a pass may take nothing before it is not tried at every record any more. */
const PATIENCE = 4;
const REST_MAX = 64;

/** Passes over what is in order, and keeps the state of the transaction. */
export class LogPasser implements RecordPasser {
  private failures = 0;
  private rest = 0;

  constructor(
    private readonly scan: LogScan,
    private readonly handler: PassingHandler,
    private readonly transaction: PassedTransaction,
  ) {}

  pass(window: ByteWindow): boolean {
    const { scan, transaction, handler } = this;
    const { looks } = handler;
    if (this.rest > 0 || looks < 0) {
      this.rest--;
      return false;
    }
    const { bytes, position, base } = window;
    if (!scan.holds(bytes)) return false;
    const end = Math.min(window.end, handler.passUpTo - base);
    scan.open = transaction.open;
    scan.queued = transaction.queued;
    const stop = scan.pass(bytes, position, end, looks);
    if (stop === position) {
      // A log of what it does not know is read faster without.
      if (++this.failures > PATIENCE) this.rest = Math.min(REST_MAX, this.failures);
      return false;
    }
    this.failures = 0;
    transaction.open = scan.open;
    transaction.queued = scan.queued;
    if (scan.multiAt >= 0) transaction.offset = base + scan.multiAt;
    window.position = stop;
    handler.passed(scan, base + stop, base);
    return true;
  }
}
