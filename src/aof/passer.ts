import type { ByteWindow } from '../bytes/window.js';
import { type CommandKind, EXEC, LogScan, MULTI, ORDINARY, SELECT } from '../kernels/log-scan.js';
import { KNOWN_COMMANDS } from '../model/commands.js';
import type { RecordPasser } from '../resp/handler.js';
import type { AofFileHandler } from './file.js';
import type { TransactionTracker } from './transaction.js';

/** What listens to a file whose commands may be passed over. */
export interface PassingHandler extends AofFileHandler {
  /** Records that end behind this absolute offset are not passed over. */
  readonly passUpTo: number;
  /**
   * So many commands were passed over, all of them in order, and annotations between them; the last record ended at the
   * absolute offset `end`, and the last annotation had this time in Unix seconds, NaN: there was none.
   */
  passed(commands: number, end: number, seconds: number, transaction: TransactionTracker): void;
}

const KINDS = new Map<string, CommandKind>([
  ['MULTI', MULTI],
  ['EXEC', EXEC],
  ['SELECT', SELECT],
]);

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

  /** `looks`: as LogScan has it. */
  constructor(
    private readonly scan: LogScan,
    private readonly looks: number,
    private readonly handler: PassingHandler,
    private readonly transaction: TransactionTracker,
  ) {}

  pass(window: ByteWindow): boolean {
    if (this.rest > 0) {
      this.rest--;
      return false;
    }
    const { scan, transaction, handler } = this;
    const { bytes, position, base } = window;
    if (!scan.holds(bytes)) return false;
    const end = Math.min(window.end, handler.passUpTo - base);
    scan.open = transaction.open;
    scan.queued = transaction.queued;
    const stop = scan.pass(bytes, position, end, this.looks);
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
    handler.passed(scan.commands, base + stop, scan.seconds, transaction);
    return true;
  }
}
