import { type CommandRole, EXEC, MULTI, PLAIN, QUEUED, TransactionTracker } from '../../aof/transaction.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { findCommand, type KnownCommand } from '../../model/commands.js';
import type { Finding, FindingCode } from '../../model/finding.js';
import type { CommandSpans } from '../../resp/command.js';
import type { DamagedRange, DoubtfulRange } from '../../salvage/damage.js';
import type { LogSalvageHandler } from '../../salvage/log-salvage.js';

const known = (name: string): KnownCommand => findCommand(Buffer.from(name), 0, name.length)!;
const SELECT = known('SELECT');
const DISCARD = known('DISCARD');
const DATABASE = /^(?:0|[1-9]\d{0,9})$/;
const NAME_MAX = 64;
const LEFT_LISTED = 20;

/** A range of a log that has to go. */
export interface LostRange {
  readonly from: number;
  readonly to: number;
  /** Whole commands that go with it, and one for a damaged place: as many at least. */
  readonly commands: number;
  readonly because: Finding | null;
  /** 'damage': no whole record; 'transaction': not whole any more; 'doubtful': may be bytes of a value. */
  readonly why: 'damage' | 'transaction' | 'doubtful' | 'annotation' | 'trailing';
}

/**
 * Listens to a salvager and works out what each way out of the damage of one file loses. A transaction is kept whole or
 * not at all: one whose MULTI, EXEC or any part is lost goes with it, as far as can be told where it began and ended.
 */
export class LogLosses implements LogSalvageHandler {
  readonly full = false;
  readonly stopped = false;
  /** Commands of the file that are believed. */
  commands = 0;
  /** End of the last record outside any transaction in front of the first damage. */
  cut: number;
  /** The first damage; null: none. */
  because: Finding | null = null;
  /** Whole commands behind `cut`, and one for each damaged place. */
  behindCut = 0;
  readonly skipped: LostRange[] = [];
  tornAnnotation: LostRange | null = null;
  /** What servers load all the same, and cutting it out would only lose more; the first of them. */
  readonly leftAlone: Finding[] = [];
  /** Commands whose database is a guess, as a SELECT may have been lost in front of them. */
  guessedDatabase = 0;
  private readonly transaction = new TransactionTracker();
  /** Commands of the open transaction, its MULTI counted. */
  private inside = 0;
  /** Where the records behind a damage begin, until a MULTI or EXEC says what they are; -1: known. */
  private unsettledFrom = -1;
  private unsettled = 0;
  /** True when that damage lies in a transaction that had begun. */
  private unsettledInside = false;
  /** The database in force as far as the records say, '' in front of the first; and whether there are several. */
  private database = '';
  private severalDatabases = false;
  private databaseUnknown = false;

  constructor(
    private readonly file: string,
    start: number,
    private readonly keepDoubtful: boolean,
  ) {
    this.cut = start;
  }

  command(command: CommandSpans): void {
    const { transaction } = this;
    const code = this.refused(command);
    if (code !== null) {
      const { offset, length } = command;
      const found = command.held > 1 && command.size(1) < NAME_MAX ? { found: command.latin1(1) } : {};
      this.damage({ start: offset, end: offset + length, code, offset, detail: found, trail: [] });
      return;
    }
    this.commands++;
    const end = command.offset + command.length;
    const role = transaction.classify(command);
    if (this.because !== null) this.behindCut++;
    else if (role === PLAIN || role === EXEC) this.cut = end;
    this.place(command, role, end);
    this.follow(command);
  }

  /** What it means for the transactions. */
  private place(command: CommandSpans, role: CommandRole, end: number): void {
    if (role === PLAIN && command.is(0, 'EXEC')) {
      if (this.unsettledFrom >= 0) this.settle(end);
      else this.leave('aof/exec-without-multi', command);
    } else if (role === MULTI || role === EXEC) {
      this.unsettledFrom = -1;
      this.inside = 1;
    } else if (role === QUEUED) {
      this.inside++;
      if (command.is(0, 'MULTI')) this.leave('aof/nested-multi', command);
    } else if (this.unsettledFrom >= 0) {
      this.unsettled++;
    }
  }

  private leave(code: FindingCode, { offset }: CommandSpans): void {
    if (this.leftAlone.length < LEFT_LISTED) this.leftAlone.push(this.finding(code, offset));
  }

  /** Why servers stop at it, or go wrong behind it, though its name and arguments are in order; null when they don't. */
  private refused(command: CommandSpans): FindingCode | null {
    if (command.held === 0) return null;
    const found = findCommand(command.bytes, command.starts[0]!, command.ends[0]!);
    if (found === SELECT)
      return command.held > 1 && DATABASE.test(command.latin1(1)) ? null : 'aof/bad-select';
    if (found === DISCARD) return this.transaction.open ? 'aof/discard-in-multi' : null;
    if (found?.subcommands === undefined) return null;
    const known = command.held > 1 && found.subcommands.has(command.latin1(1).toUpperCase());
    return known ? null : 'aof/unknown-command';
  }

  /** The records since the damage are the end of a transaction whose beginning is lost, or a part of it. */
  private settle(end: number): void {
    this.lose({
      from: this.unsettledFrom,
      to: end,
      commands: this.unsettled + 1,
      because: this.because,
      why: 'transaction',
    });
    this.unsettledFrom = -1;
  }

  private follow(command: CommandSpans): void {
    if (!command.is(0, 'SELECT')) {
      if (this.databaseUnknown) this.guessedDatabase++;
      return;
    }
    const database = command.held > 1 ? command.latin1(1) : '';
    if (this.database !== '' && database !== this.database) this.severalDatabases = true;
    this.database = database;
    this.databaseUnknown = false;
  }

  annotation(line: ByteSlice, offset: number): void {
    if (this.because === null && !this.transaction.open) this.cut = offset + line.length;
  }

  flaw(code: FindingCode, offset: number): void {
    if (code !== 'aof/torn-annotation') return;
    const because = this.finding(code, offset);
    this.tornAnnotation = { from: offset, to: offset, commands: 0, because, why: 'annotation' };
  }

  damage({ start, end, code, offset, detail, trail }: Omit<DamagedRange, 'key' | 'database'>): void {
    const because: Finding = { code, where: { file: this.file, offset, trail }, detail };
    const inside = this.transaction.open;
    this.breakOpen(start, because);
    this.lose({ from: start, to: end, commands: 1, because, why: 'damage' });
    if (this.unsettledFrom < 0 || !this.unsettledInside) {
      this.unsettledFrom = end;
      this.unsettled = 0;
      this.unsettledInside = inside;
    }
    this.behindCut++;
    this.because ??= because;
    if (this.severalDatabases || this.database === '') this.databaseUnknown = true;
  }

  doubtful({ start, end, records }: DoubtfulRange): void {
    if (this.keepDoubtful) return;
    this.lose({ from: start, to: end, commands: records, because: null, why: 'doubtful' });
  }

  /** The input ended at `end`, whatever was on it. */
  finish(end: number): void {
    const { transaction } = this;
    if (transaction.open) {
      const { offset, queued } = transaction;
      const because: Finding = {
        code: 'aof/open-transaction',
        where: { file: this.file, offset, trail: [] },
        detail: { end, queued, safeCut: offset },
      };
      this.breakOpen(end, because);
      this.because ??= because;
    }
    if (this.tornAnnotation !== null) this.tornAnnotation = { ...this.tornAnnotation, to: end };
  }

  /** Takes back a transaction that `offset` ends before its EXEC came. */
  private breakOpen(offset: number, because: Finding): void {
    const { transaction } = this;
    if (!transaction.open) return;
    if (this.because === null) this.behindCut += this.inside;
    this.lose({ from: transaction.offset, to: offset, commands: this.inside, because, why: 'transaction' });
    transaction.open = false;
  }

  /** Ranges come in order, but for a transaction that turns out to be none any more. */
  private lose(range: LostRange): void {
    if (range.to <= range.from) return;
    const { skipped } = this;
    let { from, commands, because, why } = range;
    for (let last = skipped.at(-1); last !== undefined; last = skipped.at(-1)) {
      const joins = last.to === from && why !== 'doubtful' && last.why !== 'doubtful';
      if (last.from < from && !joins) break;
      skipped.pop();
      from = Math.min(from, last.from);
      commands += last.commands;
      because = last.because ?? because;
      if (last.why === 'transaction') why = 'transaction';
    }
    skipped.push({ from, to: range.to, commands, because, why });
  }

  private finding(code: FindingCode, offset: number): Finding {
    return { code, where: { file: this.file, offset, trail: [] }, detail: {} };
  }
}
