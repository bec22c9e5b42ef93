import type { ByteSlice } from '../bytes/slice.js';
import type { ByteWindow } from '../bytes/window.js';
import { assert, type FormatError, UsageError } from '../errors.js';
import type { Finding, FindingCode } from '../model/finding.js';
import type { CommandSpans } from '../resp/command.js';
import type { Cut, StopReason } from './cut.js';
import type { AofFileHandler } from './file.js';
import type { LogContext, LogEnd, LogHandler, LogPlace } from './log.js';
import type { AofFileEntry } from './set.js';
import { CommandQueue, type CommandRole, EXEC, PLAIN } from './transaction.js';

/** More flaws than these say nothing new. */
const FINDINGS_MAX = 1000;

class Context implements LogContext {
  offset = 0;
  length = 0;
  number = 0;
  timeMs = -1;
  database = 0;
  inTransaction = false;

  constructor(public file: AofFileEntry) {}
}

/** Turns the commands of the files of a log into those in effect before the cut. One serves one pass over a set. */
export class LogReader implements AofFileHandler {
  /** True once nothing more of the log is wanted. */
  stopped = false;
  private reason: StopReason = 'end';
  private context: Context | null = null;
  private readonly queue = new CommandQueue();
  /** True from EXEC until all its transaction is handed over; `told` commands are. */
  private flushing = false;
  private told = 0;
  /** Number of the last command seen, and of the last handed over. */
  private number = 0;
  private applied = 0;
  private annotations = 0;
  private timeMs = -1;
  /** End of the last record outside any transaction in the current file, and the time there. */
  private good = 0;
  private goodTimeMs = -1;
  /** No record may end behind this offset of the current file. */
  private limit = Number.POSITIVE_INFINITY;
  private readonly lastNumber: number;
  private readonly lastSeconds: number;
  private readonly findings: Finding[] = [];

  constructor(
    private readonly handler: LogHandler,
    private readonly cut: Cut,
    private readonly cutFile: AofFileEntry | null,
  ) {
    this.lastNumber = cut.commands ?? Number.POSITIVE_INFINITY;
    this.lastSeconds = cut.seconds ?? Number.POSITIVE_INFINITY;
  }

  begin(file: AofFileEntry): void {
    this.enter(file, 0);
    this.handler.fileStart(file);
  }

  /** Goes on in the middle of a file. */
  resume(file: AofFileEntry, place: LogPlace): void {
    this.enter(file, place.database);
    this.number = this.applied = place.number;
    this.timeMs = this.goodTimeMs = place.timeMs;
  }

  private enter(file: AofFileEntry, database: number): void {
    if (this.context === null) this.context = new Context(file);
    this.context.file = file;
    this.context.database = database;
    this.good = 0;
    this.limit = this.endsIn(file) ? this.cut.offset!.bytes : Number.POSITIVE_INFINITY;
  }

  /** True when the cut says that nothing behind this file is wanted. */
  endsIn(file: AofFileEntry): boolean {
    return file === this.cutFile;
  }

  commandsStart(offset: number): void {
    this.good = offset;
    if (this.limit < offset) {
      throw new UsageError(
        `offset ${this.limit} is inside the RDB preamble of ${this.context!.file.name}`,
        `its commands begin at ${offset}`,
      );
    }
    if (this.limit === offset) this.stop('offset');
    else if (this.number >= this.lastNumber) this.stop('command');
  }

  command(command: CommandSpans, role: CommandRole): void {
    if (this.stopped) return;
    if (this.flushing) this.flush(true);
    const end = command.offset + command.length;
    const reason = end > this.limit ? 'offset' : this.isBarred(command) ? 'pattern' : null;
    if (reason !== null) {
      this.stop(reason);
      return;
    }
    this.number++;
    if (role === PLAIN) {
      this.advance(end);
      this.deliver(command, this.number, false);
    } else {
      this.queue.add(command);
      if (role === EXEC) {
        this.advance(end);
        this.flushing = true;
        this.flush(false);
      }
    }
    if (this.number >= this.lastNumber) this.stop('command');
    else if (end === this.limit) this.stop('offset');
  }

  /** Has the handler's runner take what it can of the window, outside transactions. False when it took nothing. */
  run(window: ByteWindow): boolean {
    const runner = this.handler.runner ?? null;
    if (runner === null || this.stopped || this.flushing || this.cut.before.length > 0) return false;
    const end = Math.min(window.end, this.limit - window.base);
    const count = runner.run(window, end, this.lastNumber - this.number, this.deliverLeft);
    if (count === 0) return false;
    this.number += count;
    this.applied = this.number;
    this.advance(window.offset);
    if (this.number >= this.lastNumber) this.stop('command');
    else if (window.offset === this.limit) this.stop('offset');
    return true;
  }

  private readonly deliverLeft = (command: CommandSpans, index: number, inTransaction: boolean): void => {
    this.deliver(command, this.number + index + 1, inTransaction);
  };

  annotation(line: ByteSlice, offset: number, seconds: number): void {
    if (this.stopped) return;
    const end = offset + line.length;
    const reason = end > this.limit ? 'offset' : seconds > this.lastSeconds ? 'time' : null;
    if (reason !== null) {
      this.stop(reason);
      return;
    }
    if (!Number.isNaN(seconds)) {
      this.annotations++;
      this.timeMs = seconds * 1000;
    }
    if (this.queue.count === 0 || this.flushing) this.advance(end);
  }

  flaw(code: FindingCode, offset: number): void {
    this.find(code, offset, {});
  }

  get full(): boolean {
    return this.stopped || this.flushing || this.handler.full;
  }

  /** Waits until the handler can go on, the rest of a transaction handed over first. */
  async drain(): Promise<void> {
    for (;;) {
      if (this.handler.full) await this.handler.drain();
      if (!this.flushing) return;
      this.flush(false);
    }
  }

  /** The file ended in a valid place. */
  fileEnd(isLast: boolean): void {
    if (!this.stopped && !isLast && this.endsIn(this.context!.file)) this.stop('offset');
  }

  /** The file ended inside a record or transaction, and nothing is to follow it. */
  tornTail(error: FormatError, safeCut: number): void {
    this.queue.clear();
    this.find(error.code as FindingCode, error.offset, error.detail);
    this.good = safeCut;
    this.stop('torn-tail');
  }

  /** The same, of a record or transaction that is still being written: it is not there yet. */
  growingTail(safeCut: number): void {
    this.queue.clear();
    this.good = safeCut;
    this.stop('end');
  }

  end(): LogEnd {
    assert(!this.flushing, 'a transaction was not handed over whole');
    return {
      stoppedAt: {
        file: this.context?.file ?? null,
        offset: this.good,
        command: this.applied,
        timeMs: this.goodTimeMs,
        reason: this.reason,
      },
      applied: this.applied,
      annotations: this.annotations,
      findings: this.findings,
    };
  }

  private isBarred(command: CommandSpans): boolean {
    for (const pattern of this.cut.before) if (pattern.matches(command)) return true;
    return false;
  }

  private stop(reason: StopReason): void {
    this.stopped = true;
    this.reason = reason;
    if (!this.flushing) this.queue.clear();
  }

  private advance(end: number): void {
    this.good = end;
    this.goodTimeMs = this.timeMs;
  }

  /** Hands over the queued transaction; unless `all`, only until the handler is full. */
  private flush(all: boolean): void {
    const { queue } = this;
    let number = this.number - queue.count + this.told;
    this.told = queue.tell(this.told, (command) => {
      this.deliver(command, ++number, true);
      return all || !this.handler.full;
    });
    if (this.told < queue.count) return;
    queue.clear();
    this.told = 0;
    this.flushing = false;
  }

  private deliver(command: CommandSpans, number: number, inTransaction: boolean): void {
    const context = this.context!;
    context.offset = command.offset;
    context.length = command.length;
    context.number = number;
    context.timeMs = this.timeMs;
    context.inTransaction = inTransaction;
    this.applied = number;
    this.handler.apply(command, context);
    if (command.is(0, 'SELECT') && command.argc > 1) context.database = selected(command, context.database);
  }

  private find(code: FindingCode, offset: number, detail: Finding['detail']): void {
    if (this.findings.length >= FINDINGS_MAX) return;
    this.findings.push({ code, where: { file: this.context!.file.path, offset, trail: [] }, detail });
  }
}

/** The database a SELECT asks for; the one before when that is no number, as servers keep it. */
function selected(command: CommandSpans, before: number): number {
  const text = command.latin1(1);
  return /^\d{1,9}$/.test(text) ? Number(text) : before;
}
