import { type CommandRole, EXEC, MULTI, PLAIN, QUEUED, TransactionTracker } from '../../aof/transaction.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { ANNOTATIONS, type LogScan, NO_SELECT, TRANSACTIONS } from '../../kernels/log-scan.js';
import { findCommand, type KnownCommand } from '../../model/commands.js';
import type { Finding, FindingCode } from '../../model/finding.js';
import type { CommandSpans } from '../../resp/command.js';
import type { DamagedRange, DoubtfulRange } from '../../salvage/damage.js';
import type { LogSalvageHandler, SalvagePassing } from '../../salvage/log-salvage.js';

const known = (name: string): KnownCommand => findCommand(Buffer.from(name), 0, name.length)!;
const SELECT = known('SELECT');
const DISCARD = known('DISCARD');
const DATABASE = /^(?:0|[1-9]\d{0,9})$/;
const NAME_MAX = 64;

/** A range of a log that has to go. */
export interface LostRange {
  readonly from: number;
  readonly to: number;
  /** Whole commands that go with it, and one for a damaged place: as many at least. */
  readonly commands: number;
  readonly because: Finding | null;
  /**
   * 'damage': no whole record; 'transaction': its EXEC never came; 'marker': a MULTI or EXEC that has no counterpart;
   * 'doubtful': may be bytes of a value; 'trailing': behind the RDB of a base.
   */
  readonly why: 'damage' | 'transaction' | 'marker' | 'doubtful' | 'annotation' | 'trailing';
}

/** The end of a log, in which nothing is wrong. */
export interface OrderlyRest {
  readonly commands: number;
  /** Commands in front of the first SELECT. */
  readonly guessedDatabase: number;
}

/**
 * Listens to a salvager and works out what each way out of the damage of one file loses. Undamaged commands of a
 * damaged transaction stay; a MULTI or EXEC that lost its counterpart goes. A transaction that the end of the file cuts
 * short never took effect and goes whole.
 */
export class LogLosses implements LogSalvageHandler, SalvagePassing {
  readonly passing = this;
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
  /** What goes when all else is kept, in order. */
  readonly skipped: LostRange[] = [];
  /** MULTI and EXEC records without a counterpart that servers refuse while loading, and go on; part of `skipped`. */
  readonly markers: LostRange[] = [];
  tornAnnotation: LostRange | null = null;
  /** Commands whose database is a guess, as a SELECT may have been lost in front of them. */
  guessedDatabase = 0;
  /** Transactions of which only a part is kept, and the commands of that part. */
  brokenTransactions = 0;
  brokenCommands = 0;
  readonly transaction = new TransactionTracker();
  /** End of the open MULTI, and the commands since, itself counted. */
  private multiEnd = 0;
  private inside = 0;
  /** What was met first in the open transaction that is wrong; null: nothing. */
  private insideDamage: Finding | null = null;
  /** Commands since a damage outside any transaction that no MULTI or EXEC has said yet what they belong to; -1: known. */
  private unsettled = -1;
  /** The database in force as far as the records say, '' in front of the first; and whether there are several. */
  private database = '';
  private severalDatabases = false;
  protected databaseUnknown = false;

  /** The log of `file` begins at `start` and ends at `end`. */
  constructor(
    private readonly file: string,
    start: number,
    private readonly end: number,
    private readonly keepDoubtful: boolean,
  ) {
    this.cut = start;
  }

  command(command: CommandSpans): void {
    const code = this.refused(command);
    if (code !== null) {
      const { offset, length } = command;
      const found = command.held > 1 && command.size(1) < NAME_MAX ? { found: command.latin1(1) } : {};
      this.damage({ start: offset, end: offset + length, code, offset, detail: found, trail: [] });
      return;
    }
    this.commands++;
    const end = command.offset + command.length;
    if (this.insideDamage !== null && command.is(0, 'MULTI')) this.orphan(this.insideDamage);
    const role = this.transaction.classify(command);
    if (this.because !== null) this.behindCut++;
    else if (role === PLAIN || role === EXEC) this.cut = end;
    this.place(command, role, end);
    this.follow(command);
  }

  /** In a damaged transaction every command matters. */
  get looks(): number {
    return this.insideDamage === null ? TRANSACTIONS | ANNOTATIONS | NO_SELECT : -1;
  }

  passed({ commands, open, queued, multiAt, multiEnd }: LogScan, end: number, base: number): void {
    this.commands += commands;
    if (this.because !== null) this.behindCut += commands;
    else if (!open) this.cut = end;
    else if (multiAt >= 0) this.cut = base + multiAt;
    if (open) this.inside = queued + 1;
    if (multiAt >= 0) {
      this.multiEnd = base + multiEnd;
      this.unsettled = -1;
    } else if (this.unsettled >= 0) {
      this.unsettled += commands;
    }
    if (this.databaseUnknown) this.guessedDatabase += commands;
  }

  /** The rest of the file is in order, and was read by another; no transaction is open where it begins. */
  adoptRest({ commands, guessedDatabase }: OrderlyRest): void {
    this.commands += commands;
    if (this.because === null) this.cut = this.end;
    else this.behindCut += commands;
    if (this.databaseUnknown) this.guessedDatabase += guessedDatabase;
  }

  /** What it means for the transactions. */
  private place(command: CommandSpans, role: CommandRole, end: number): void {
    if (role === QUEUED) {
      this.inside++;
      if (command.is(0, 'MULTI')) this.mark('aof/nested-multi', command.offset, end);
    } else if (role === MULTI) {
      this.multiEnd = end;
      this.inside = 1;
      this.unsettled = -1;
    } else if (role === EXEC) {
      if (this.insideDamage !== null) this.broken(this.inside - 1);
    } else if (command.is(0, 'EXEC')) {
      if (this.unsettled < 0) this.mark('aof/exec-without-multi', command.offset, end);
      else this.settle(command.offset, end);
    } else if (this.unsettled >= 0) {
      this.unsettled++;
    }
  }

  /** A record that servers refuse while they load, and go on. */
  private mark(code: FindingCode, from: number, to: number): void {
    const marker: LostRange = { from, to, commands: 0, because: this.finding(code, from), why: 'marker' };
    if (this.because === null) this.markers.push(marker);
    this.lose(marker);
  }

  /** The commands since the damage are the end of a transaction, and this is its EXEC. */
  private settle(from: number, to: number): void {
    this.lose({ from, to, commands: 0, because: this.because, why: 'marker' });
    this.broken(this.unsettled);
    this.unsettled = -1;
  }

  /** The EXEC of the open transaction is lost: its MULTI would take in what follows. */
  private orphan(because: Finding): void {
    const { transaction } = this;
    this.lose({ from: transaction.offset, to: this.multiEnd, commands: 0, because, why: 'marker' });
    this.broken(this.inside - 1);
    transaction.open = false;
  }

  private broken(commands: number): void {
    this.brokenTransactions++;
    this.brokenCommands += commands;
    this.insideDamage = null;
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
    this.tornAnnotation = { from: offset, to: this.end, commands: 0, because, why: 'annotation' };
  }

  damage({ start, end, code, offset, detail, trail }: Omit<DamagedRange, 'key' | 'database'>): void {
    const because: Finding = { code, where: { file: this.file, offset, trail }, detail };
    if (this.transaction.open) this.damageInside(start, end, because);
    else if (this.unsettled < 0) this.unsettled = 0;
    this.lose({ from: start, to: end, commands: 1, because, why: 'damage' });
    this.behindCut++;
    this.because ??= because;
    if (this.severalDatabases || this.database === '') this.databaseUnknown = true;
  }

  doubtful({ start, end, records }: DoubtfulRange): void {
    if (this.keepDoubtful) return;
    this.lose({ from: start, to: end, commands: records, because: null, why: 'doubtful' });
  }

  /** The log has ended. */
  finish(): void {
    const { transaction, end } = this;
    if (!transaction.open) return;
    const { offset, queued } = transaction;
    const because: Finding = {
      code: 'aof/open-transaction',
      where: { file: this.file, offset, trail: [] },
      detail: { end, queued, safeCut: offset },
    };
    if (this.insideDamage !== null) this.orphan(this.insideDamage);
    else this.abandon(end, because);
    this.because ??= because;
  }

  private damageInside(start: number, end: number, because: Finding): void {
    const { markers, transaction } = this;
    if (end === this.end) {
      this.abandon(start, because);
      return;
    }
    if (this.because === null) this.behindCut += this.inside;
    while (markers.length > 0 && markers.at(-1)!.from > transaction.offset) markers.pop();
    this.insideDamage ??= because;
  }

  /** The log ends inside the open transaction, at `offset`: nothing says that it ever took effect. */
  private abandon(offset: number, because: Finding): void {
    const { markers, transaction, inside } = this;
    const { offset: from } = transaction;
    if (this.because === null) this.behindCut += inside;
    while (markers.length > 0 && markers.at(-1)!.from > from) markers.pop();
    this.lose({ from, to: offset, commands: inside, because, why: 'transaction' });
    transaction.open = false;
    this.insideDamage = null;
  }

  /** Ranges come in order, but for the MULTI of a transaction and for one that never took effect. */
  private lose(range: LostRange): void {
    const { skipped } = this;
    if (range.to <= range.from) return;
    const behind = skipped.findLastIndex((each) => each.from < range.from) + 1;
    const later = skipped.slice(behind).filter((each) => each.to > range.to);
    skipped.splice(behind, skipped.length - behind, range, ...later);
  }

  private finding(code: FindingCode, offset: number): Finding {
    return { code, where: { file: this.file, offset, trail: [] }, detail: {} };
  }
}
