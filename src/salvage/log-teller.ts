import type { ByteSlice } from '../bytes/slice.js';
import { type ByteWindow, END, type Machine, NEED, type Progress } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { ARGUMENTS, FOLLOWED, type LogScan } from '../kernels/log-scan.js';
import type { FindingCode } from '../model/finding.js';
import type { CommandSpans } from '../resp/command.js';
import { badPrefix, HASH, STAR } from '../resp/grammar.js';
import type { RespHandler } from '../resp/handler.js';
import { LogPasser, type PassingHandler } from '../resp/passer.js';
import { RespScanner, SKIM } from '../resp/scanner.js';
import { Approach, type LogMeeting } from './log-meeting.js';
import { flawOf, hasStrangeName, unknownCommand, unloadable } from './log-names.js';
import type { LogSalvageHandler, SalvagePassing } from './log-salvage.js';

/**
 * Tells the records of a log up to `end`, or where that is not known up to the first damage. Then a record is told only
 * when the next one seems to start right behind it, or the input ends there: one that lost arguments ends in front of
 * them. Records that no server loads are told as damage.
 */
export class RecordTeller implements Machine, RespHandler {
  /** Where it stopped before the end of the input: the start of a damaged or held back record. */
  stoppedAt = -1;
  /** What is wrong there; null when `end` was reached. */
  error: FormatError | null = null;
  /** End of a whole record at `stoppedAt` that was held back; -1: none was. */
  heldEnd = -1;
  /** True when its framing is loose. */
  heldLoose = false;
  private readonly scanner: RespScanner;
  private readonly flaws: { readonly code: FindingCode; readonly offset: number }[] = [];
  private bytes: Buffer = Buffer.alloc(0);
  private base = 0;
  private available = 0;
  private done = false;
  private readonly approach: Approach | null;

  /** `start`: where it begins; `meeting`: who reads the rest of the log. */
  constructor(
    private readonly handler: LogSalvageHandler,
    start: number,
    private readonly end: number,
    scan: LogScan | null = null,
    private readonly meeting: LogMeeting | null = null,
  ) {
    const { passing } = handler;
    this.approach = meeting && new Approach(meeting, start);
    const passer =
      scan === null || passing === undefined
        ? null
        : new LogPasser(scan, new TellerPassing(passing, end, this), passing.transaction);
    this.scanner = new RespScanner(this, SKIM, passer);
  }

  /** Records that end behind this absolute offset are looked at one by one. */
  get passUpTo(): number {
    return Math.min(this.end, this.approach?.limit ?? Number.POSITIVE_INFINITY);
  }

  /** Records were told up to `stop`. */
  reached(stop: number): void {
    const { approach } = this;
    if (stop >= this.end) this.done = true;
    else if (approach !== null && stop >= approach.limit) this.meet(approach.reach(stop));
  }

  /** To be awaited when it paused: for the handler, or for who reads the rest. */
  async drain(): Promise<void> {
    const { approach } = this;
    if (approach?.waits) this.meet(await approach.join());
  }

  private meet(here: boolean): void {
    if (here && this.meeting!.takeOver()) this.done = true;
  }

  get full(): boolean {
    return this.done || this.approach?.waits === true || this.handler.full;
  }

  get stopped(): boolean {
    return this.done || this.handler.stopped;
  }

  run(window: ByteWindow): Progress {
    // One byte is kept back, so that behind every record the scanner tells there is one to look at.
    const kept = window.base + window.end < window.limit ? 1 : 0;
    if (window.end - window.position <= kept) {
      // No more than there is: of a last single byte none would ever be read.
      window.need = Math.max(1, Math.min(kept + 1, window.limit - window.offset));
      return NEED;
    }
    this.look(window);
    window.end -= kept;
    try {
      const progress = this.scanner.run(window);
      if (progress === NEED) window.need = this.needOf(window, kept);
      return progress;
    } catch (error) {
      return this.stop(error);
    } finally {
      window.end += kept;
    }
  }

  /** With the byte that is kept back, but where nothing is behind the item: that is none to wait for. */
  private needOf({ need, limit, offset }: ByteWindow, kept: number): number {
    const left = limit - offset;
    return need > left ? left + 1 : Math.min(need + kept, left);
  }

  finish(window: ByteWindow): void {
    this.look(window);
    try {
      this.scanner.finish(window);
    } catch (error) {
      this.stop(error);
    }
  }

  command(command: CommandSpans): void {
    const stop = command.offset + command.length;
    if (this.holdBack(command.offset, stop)) return;
    const code = flawOf(command);
    // What the name swallowed is looked at; behind a damage that has been done.
    if (code === 'aof/unknown-command' && !Number.isFinite(this.end) && hasStrangeName(command)) {
      this.holdAt(command.offset, unknownCommand(command));
      return;
    }
    this.tellFlaws();
    if (code === null) this.handler.command(command);
    else this.handler.damage(unloadable(command, code));
    this.reached(stop);
  }

  annotation(line: ByteSlice, offset: number, seconds: number): void {
    const stop = offset + line.length;
    if (this.holdBack(offset, stop)) return;
    this.tellFlaws();
    this.handler.annotation(line, offset, seconds);
    this.reached(stop);
  }

  flaw(code: FindingCode, offset: number): void {
    this.flaws.push({ code, offset });
  }

  private look(window: ByteWindow): void {
    this.bytes = window.bytes;
    this.base = window.base;
    this.available = window.end;
  }

  private stop(error: unknown): Progress {
    if (!(error instanceof FormatError)) throw error;
    this.error = error;
    this.stoppedAt = this.scanner.lastGood;
    return END;
  }

  private holdBack(offset: number, stop: number): boolean {
    if (Number.isFinite(this.end)) return false;
    const next = stop - this.base;
    if (next >= this.available) return false;
    const first = this.bytes[next]!;
    if (first === STAR || first === HASH) return false;
    this.heldEnd = stop;
    this.heldLoose = this.flaws.length > 0;
    this.holdAt(offset, badPrefix(this.bytes, next, '*', stop));
    return true;
  }

  private holdAt(offset: number, error: FormatError): void {
    this.stoppedAt = offset;
    this.error = error;
    this.done = true;
    this.flaws.length = 0;
  }

  private tellFlaws(): void {
    if (this.flaws.length === 0) return;
    for (const { code, offset } of this.flaws) this.handler.flaw(code, offset);
    this.flaws.length = 0;
  }
}

/** Passes over what the teller would tell and hold back nothing of. */
class TellerPassing implements PassingHandler {
  private readonly own: number;

  constructor(
    private readonly passing: SalvagePassing,
    end: number,
    private readonly teller: RecordTeller,
  ) {
    this.own = ARGUMENTS | (Number.isFinite(end) ? 0 : FOLLOWED);
  }

  get passUpTo(): number {
    return this.teller.passUpTo;
  }

  get looks(): number {
    const { looks } = this.passing;
    return looks < 0 ? looks : looks | this.own;
  }

  passed(scan: LogScan, end: number, base: number): void {
    this.passing.passed(scan, end, base);
    this.teller.reached(end);
  }
}
