import type { ByteSlice } from '../bytes/slice.js';
import { type ByteWindow, END, type Machine, NEED, PAUSE, type Progress } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import type { FindingCode } from '../model/finding.js';
import type { CommandSpans } from '../resp/command.js';
import type { RecordPasser, RespHandler } from '../resp/handler.js';
import { RespScanner, type ScanMode } from '../resp/scanner.js';
import { type CommandRole, PLAIN, TransactionTracker } from './transaction.js';

/** What one append-only file tells after its preamble. Spans and slices are borrowed. */
export interface AofFileHandler {
  /** The commands begin: at 0, or just past an RDB preamble. */
  commandsStart(offset: number): void;
  command(command: CommandSpans, role: CommandRole): void;
  /** See RespHandler. */
  annotation(line: ByteSlice, offset: number, seconds: number): void;
  /** Besides what the scanner tells: aof/nested-multi and aof/exec-without-multi, before their command. */
  flaw(code: FindingCode, offset: number): void;
  readonly full: boolean;
  readonly stopped: boolean;
}

const SNIFF = 0;
const PREAMBLE = 1;
const COMMANDS = 2;

/**
 * One append-only file: an RDB preamble when its bytes say so, whatever its name, then commands until the input ends.
 * `preamble` makes the decoder of an RDB; it must return END just past the trailer.
 */
export class AofFileMachine implements Machine, RespHandler {
  /** Absolute offset just past the RDB preamble; 0 without one. */
  preambleEnd = 0;
  readonly transaction = new TransactionTracker();
  private readonly scanner: RespScanner;
  private decoder: Machine | null = null;
  private phase = SNIFF;

  /**
   * `preamble` null: the input begins among the commands. `passer` makes what takes commands before they are read; it
   * keeps the transaction as it would be. `opensWithRdb`: whatever the first bytes are, they are read as those of an RDB.
   */
  constructor(
    private readonly handler: AofFileHandler,
    private readonly preamble: (() => Machine) | null,
    mode: ScanMode,
    passer: ((transaction: TransactionTracker) => RecordPasser) | null = null,
    private readonly opensWithRdb = false,
  ) {
    this.scanner = new RespScanner(this, mode, passer?.(this.transaction));
  }

  /** Where the file can be cut and still be whole: the end of the last record outside any transaction. */
  get safeCut(): number {
    if (this.phase !== COMMANDS) return 0;
    return this.transaction.open ? this.transaction.offset : this.scanner.lastGood;
  }

  run(window: ByteWindow): Progress {
    if (this.phase === SNIFF && !this.sniff(window)) return NEED;
    if (this.phase === PREAMBLE) {
      const progress = this.decoder!.run(window);
      if (progress !== END) return progress;
      this.preambleEnd = window.offset;
      this.startCommands(window);
      if (this.handler.full) return this.handler.stopped ? END : PAUSE;
    }
    return this.scanner.run(window);
  }

  /**
   * @throws FormatError aof/torn-tail when the input ends inside a command, aof/open-transaction when it ends between
   * those of a transaction; both with `safeCut` in their detail. Whatever the decoder throws for a cut preamble.
   */
  finish(window: ByteWindow): void {
    if (this.phase === SNIFF && this.opensWithRdb && this.preamble !== null) this.startPreamble();
    if (this.phase === PREAMBLE) {
      this.decoder!.finish(window);
      this.preambleEnd = window.offset;
    }
    if (this.phase !== COMMANDS) this.startCommands(window);
    try {
      this.scanner.finish(window);
    } catch (error) {
      if (!(error instanceof FormatError) || error.code !== 'aof/torn-tail') throw error;
      throw new FormatError(error.code, error.offset, { ...error.detail, safeCut: this.safeCut });
    }
    const { open, offset, queued } = this.transaction;
    if (!open || this.handler.stopped) return;
    throw new FormatError('aof/open-transaction', offset, { end: window.offset, queued, safeCut: offset });
  }

  private sniff(window: ByteWindow): boolean {
    const isRdb = this.preamble !== null && (this.opensWithRdb || startsLikeRdb(window));
    if (isRdb === null) return false;
    if (isRdb) this.startPreamble();
    else this.startCommands(window);
    return true;
  }

  private startPreamble(): void {
    this.decoder = this.preamble!();
    this.phase = PREAMBLE;
  }

  private startCommands(window: ByteWindow): void {
    this.phase = COMMANDS;
    this.decoder = null;
    this.scanner.lastGood = window.offset;
    this.handler.commandsStart(window.offset);
  }

  get full(): boolean {
    return this.handler.full;
  }

  get stopped(): boolean {
    return this.handler.stopped;
  }

  command(command: CommandSpans): void {
    const { transaction, handler } = this;
    const wasOpen = transaction.open;
    const role = transaction.classify(command);
    if (role === PLAIN) {
      if (command.is(0, 'EXEC')) handler.flaw('aof/exec-without-multi', command.offset);
    } else if (wasOpen && command.is(0, 'MULTI')) {
      handler.flaw('aof/nested-multi', command.offset);
    }
    handler.command(command, role);
  }

  annotation(line: ByteSlice, offset: number, seconds: number): void {
    this.handler.annotation(line, offset, seconds);
  }

  flaw(code: FindingCode, offset: number): void {
    this.handler.flaw(code, offset);
  }
}

const MAGICS = [Buffer.from('REDIS'), Buffer.from('VALKEY')];

/** Null when more bytes are needed to tell. */
function startsLikeRdb(window: ByteWindow): boolean | null {
  if (!window.has(1)) return null;
  const { bytes, position } = window;
  const magic = MAGICS.find((each) => each[0] === bytes[position]);
  if (magic === undefined) return false;
  if (!window.has(magic.length)) return null;
  return bytes.compare(magic, 0, magic.length, position, position + magic.length) === 0;
}
