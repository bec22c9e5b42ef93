import { tmpdir } from 'node:os';
import type { Cut, StopReason } from '../../aof/cut.js';
import { type AofFileHandler, AofFileMachine } from '../../aof/file.js';
import type { AofFileEntry } from '../../aof/set.js';
import { type CommandRole, EXEC, MULTI, PLAIN } from '../../aof/transaction.js';
import { pump } from '../../bytes/pump.js';
import type { ByteSlice } from '../../bytes/slice.js';
import type { ByteSource } from '../../bytes/source.js';
import { ByteWindow } from '../../bytes/window.js';
import { FormatError, InputError, UsageError } from '../../errors.js';
import type { Finding, FindingCode } from '../../model/finding.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import type { DialectName } from '../../rdb/dialect.js';
import { RdbSink } from '../../rdb/handler.js';
import type { CommandSpans } from '../../resp/command.js';
import { WHOLE } from '../../resp/scanner.js';
import { type LogSalvageHandler, LogSalvager } from '../../salvage/log-salvage.js';
import {
  addDamage,
  BEHIND_DAMAGE,
  beforeOthers,
  canGoOn,
  goOnInRdb,
  LogBehindDamage,
} from '../check/damage.js';
import { FindingList } from '../check/findings.js';
import type { ToolContext } from '../context.js';
import { seekable } from '../open-bytes.js';
import { DamageError, type NotChecked } from '../report.js';
import type { LogFilter } from './filter.js';
import type { CommandPlace, LogFile, LogListener } from './listener.js';

export interface LogPassOptions {
  /** Where to stop: the last command told is the last that the cut lets through. Transactions are not held together. */
  readonly cut: Cut;
  /** The file of an offset in it. */
  readonly cutFile: AofFileEntry | null;
  /** Which commands are told. */
  readonly filter: LogFilter;
  readonly dialect: DialectName | null;
}

/** What was seen of one file. */
export interface PassedFile {
  readonly entry: AofFileEntry;
  /** Bytes of the RDB that stands before the commands; 0: none. */
  readonly preambleBytes: number;
  readonly commands: number;
  /** Bytes up to where reading stopped. */
  readonly bytes: number;
}

export interface LogPassEnd {
  readonly files: readonly PassedFile[];
  /** Commands read, and those told. */
  readonly commands: number;
  readonly told: number;
  readonly stoppedAt: {
    /** Null for a log without files. */
    readonly file: AofFileEntry | null;
    /** End of the last record read. */
    readonly offset: number;
    /** Number of the last command read. */
    readonly command: number;
    /** Of the last annotation, in milliseconds; -1: none. */
    readonly timeMs: number;
    readonly reason: StopReason;
    /** Number of the MULTI of a transaction that has not ended there; 0: none. */
    readonly openTransaction: number;
  };
  /** `#TS` annotations seen, and the time of the first, in milliseconds; -1: none. */
  readonly annotations: number;
  readonly firstTimeMs: number;
  readonly findings: readonly Finding[];
  readonly notChecked: readonly NotChecked[];
}

/**
 * Reads files of a log in order and tells their commands as they stand there, those of unfinished transactions too, past
 * every damage where the files allow it.
 *
 * @throws UsageError when the cut falls inside a preamble, InputError when a file can't be read
 */
export async function passLog(
  files: Iterable<LogFile> | AsyncIterable<LogFile>,
  listener: LogListener,
  options: LogPassOptions,
  context: ToolContext,
): Promise<LogPassEnd> {
  const pass = new LogPass(listener, options, context);
  for await (const file of files) {
    await pass.read(file);
    if (pass.stopped) break;
  }
  return pass.end();
}

/** Findings of one file that are told as they come. */
class ToldFindings extends FindingList {
  constructor(
    file: string,
    private readonly listener: LogListener,
  ) {
    super(file);
  }

  override add(...given: Parameters<FindingList['add']>): void {
    const before = this.list.length;
    super.add(...given);
    const added = this.list[before];
    if (added !== undefined) this.listener.finding(added);
  }
}

class Place implements CommandPlace {
  offset = 0;
  length = 0;
  number = 0;
  timeMs = -1;
  database = 0;
  inTransaction = false;
  transaction = 0;

  constructor(public file: AofFileEntry) {}
}

class LogPass implements AofFileHandler {
  stopped = false;
  private reason: StopReason = 'end';
  private place: Place | null = null;
  private machine: AofFileMachine | null = null;
  private findings: FindingList;
  private readonly found: FindingList[] = [];
  private readonly files: PassedFile[] = [];
  private readonly notChecked: NotChecked[] = [];
  private isLast = true;
  private told = 0;
  private annotations = 0;
  private firstTimeMs = -1;
  private preambleBytes = 0;
  /** End of the last record read in the current file, and the number of commands before it. */
  private recordEnd = 0;
  private numberBefore = 0;
  private limit = Number.POSITIVE_INFINITY;
  /** End of what was there when a log began to be followed. */
  private presentEnd = Number.POSITIVE_INFINITY;
  private readonly lastNumber: number;
  private readonly lastSeconds: number;
  private readonly unfiltered: boolean;
  private readonly bars: boolean;

  constructor(
    private readonly listener: LogListener,
    private readonly options: LogPassOptions,
    private readonly context: ToolContext,
  ) {
    this.lastNumber = options.cut.commands ?? Number.POSITIVE_INFINITY;
    this.lastSeconds = options.cut.seconds ?? Number.POSITIVE_INFINITY;
    this.unfiltered = options.filter.open;
    this.bars = options.cut.before.length > 0;
    this.findings = new FindingList('');
  }

  async read(file: LogFile): Promise<void> {
    const { entry, isLast } = file;
    this.begin(file);
    const { context, options, listener } = this;
    let decoder: RdbDecoder | null = null;
    const preamble = () => (decoder = this.decode());
    this.machine = new AofFileMachine(this, preamble, WHOLE, null, entry.opensWithRdb);
    const window = new ByteWindow();
    window.limit = entry.source.size ?? Number.POSITIVE_INFINITY;
    const reader = await entry.source.open();
    try {
      await pump(reader, window, this.machine, {
        signal: context.signal,
        drain: () => listener.drain(),
        progress: (done) => context.progress({ label: entry.path, done, total: entry.source.size }),
      });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const opened = decoder as RdbDecoder | null;
      const insideRdb = opened !== null && this.machine.preambleEnd === 0;
      const trusted = insideRdb && opened.insideKey ? opened.head.offset : window.offset;
      await this.goOn(error, entry, insideRdb ? trusted : null);
    } finally {
      await reader.close();
    }
    const { place, preambleBytes, recordEnd } = this;
    const commands = place!.number - this.numberBefore;
    this.files.push({ entry, preambleBytes, commands, bytes: recordEnd });
    this.notChecked.push(...this.findings.notListed());
    if (!this.stopped && !isLast && entry === options.cutFile) this.stop('offset');
  }

  private begin({ entry, isLast, presentBytes }: LogFile): void {
    const { listener, options } = this;
    const place = (this.place ??= new Place(entry));
    place.file = entry;
    place.database = 0;
    place.transaction = 0;
    place.inTransaction = false;
    this.isLast = isLast || entry === options.cutFile;
    this.recordEnd = this.preambleBytes = 0;
    this.numberBefore = place.number;
    this.limit = entry === options.cutFile ? options.cut.offset!.bytes : Number.POSITIVE_INFINITY;
    this.found.push((this.findings = new ToldFindings(entry.path, listener)));
    listener.fileStart(entry);
    options.filter.fileStart(entry);
    this.presentEnd = presentBytes ?? Number.POSITIVE_INFINITY;
    this.passPresent(0);
  }

  private decode(): RdbDecoder {
    return new RdbDecoder(new RdbSink(), {
      verifyChecksum: false,
      deep: false,
      dialect: this.options.dialect ?? undefined,
    });
  }

  end(): LogPassEnd {
    const { place, machine } = this;
    const isOpen = machine?.transaction.open === true;
    return {
      files: this.files,
      commands: place?.number ?? 0,
      told: this.told,
      stoppedAt: {
        file: place?.file ?? null,
        offset: this.recordEnd,
        command: place?.number ?? 0,
        timeMs: place?.timeMs ?? -1,
        reason: this.reason,
        openTransaction: isOpen ? place!.transaction : 0,
      },
      annotations: this.annotations,
      firstTimeMs: this.firstTimeMs,
      findings: this.found.flatMap(({ list }) => list),
      notChecked: this.notChecked,
    };
  }

  get full(): boolean {
    return this.stopped || this.listener.full;
  }

  commandsStart(offset: number): void {
    const { limit, place, listener } = this;
    this.preambleBytes = this.recordEnd = offset;
    if (limit < offset) {
      throw new UsageError(
        `offset ${limit} is inside the RDB preamble of ${place!.file.name}`,
        `its commands begin at ${offset}`,
      );
    }
    listener.commandsStart(place!.file, offset);
    this.passPresent(offset);
    if (limit === offset) this.stop('offset');
    else if (place!.number >= this.lastNumber) this.stop('command');
  }

  command(command: CommandSpans, role: CommandRole): void {
    if (this.stopped) return;
    const place = this.place!;
    const end = command.offset + command.length;
    if (end > this.limit || (this.bars && this.isBarred(command))) {
      this.stop(end > this.limit ? 'offset' : 'pattern');
      return;
    }
    this.recordEnd = end;
    place.number++;
    if (role === MULTI) place.transaction = place.number;
    place.offset = command.offset;
    place.length = command.length;
    place.inTransaction = role !== PLAIN;
    if (this.unfiltered || this.options.filter.passes(command, place)) {
      this.told++;
      this.listener.command(command, place);
    }
    if (role === EXEC) place.transaction = 0;
    if (command.size(0) === 6 && command.is(0, 'SELECT')) place.database = selected(command, place.database);
    if (end >= this.presentEnd) this.passPresent(end);
    if (place.number >= this.lastNumber) this.stop('command');
    else if (end === this.limit) this.stop('offset');
  }

  annotation(line: ByteSlice, offset: number, seconds: number): void {
    if (this.stopped) return;
    const end = offset + line.length;
    if (end > this.limit || seconds > this.lastSeconds) {
      this.stop(end > this.limit ? 'offset' : 'time');
      return;
    }
    this.recordEnd = end;
    this.passPresent(end);
    if (Number.isNaN(seconds)) return;
    this.annotations++;
    this.place!.timeMs = seconds * 1000;
    if (this.firstTimeMs < 0) this.firstTimeMs = seconds * 1000;
  }

  private passPresent(end: number): void {
    if (end < this.presentEnd) return;
    this.presentEnd = Number.POSITIVE_INFINITY;
    this.listener.caughtUp();
  }

  flaw(code: FindingCode, offset: number): void {
    this.findings.add(code, offset);
  }

  private isBarred(command: CommandSpans): boolean {
    for (const pattern of this.options.cut.before) if (pattern.matches(command)) return true;
    return false;
  }

  private stop(reason: StopReason): void {
    this.stopped = true;
    this.reason = reason;
  }

  /** Tells what is wrong and reads on behind it; `trusted` is how far an RDB could be read, null outside of one. */
  private async goOn(error: FormatError, entry: AofFileEntry, trusted: number | null): Promise<void> {
    const code = error.code as FindingCode;
    const known = this.isLast ? code : beforeOthers(code);
    const tell = () => this.findings.add(known, error.offset, error.detail, { trail: error.trail });
    if (code === 'aof/open-transaction' || code.startsWith('packed/')) return tell();
    const source = await this.atHand(entry.source);
    if (source === null) {
      tell();
      const why = 'reading on takes a file that can be read from any place';
      this.notChecked.push({ path: entry.path, what: BEHIND_DAMAGE, why, routine: false });
    } else if (trusted === null) {
      await this.salvage(source, (salvager) => salvager.resume(this.recordEnd, error));
    } else {
      const { dialect } = this.options;
      const survey = await goOnInRdb(source, trusted, entry.opensWithRdb !== true, dialect, this.context);
      for (const range of survey.damaged) addDamage(this.findings, range);
      if (survey.damaged.length === 0) tell();
      if (survey.end >= source.size!) return;
      this.commandsStart(survey.end);
      this.machine = new AofFileMachine(this, null, WHOLE);
      await this.salvage(source, (salvager) => salvager.run(survey.end));
    }
  }

  private async salvage(source: ByteSource, start: (salvager: LogSalvager) => Promise<void>): Promise<void> {
    const { context, findings, listener, isLast } = this;
    const behind = new BehindDamage(this.machine!, findings, isLast, this);
    const salvager = new LogSalvager(source, behind, {
      doubtful: false,
      signal: context.signal,
      drain: () => listener.drain(),
      progress: (done) => context.progress({ label: source.label, done, total: source.size }),
    });
    await start(salvager);
    if (!this.stopped) behind.end(source.size!);
  }

  /** The file where any part of it can be read; null for a pipe. */
  private async atHand(source: ByteSource): Promise<ByteSource | null> {
    if (canGoOn(source)) return source;
    if (source.once === true) return null;
    try {
      return await seekable(source, { signal: this.context.signal, temporaryDirectory: tmpdir() });
    } catch (error) {
      if (error instanceof DamageError || error instanceof InputError) return null;
      throw error;
    }
  }
}

/** Waits for whoever listens, and ends with the cut. */
class BehindDamage extends LogBehindDamage implements LogSalvageHandler {
  constructor(
    machine: AofFileMachine,
    findings: FindingList,
    isLast: boolean,
    private readonly pass: LogPass,
  ) {
    super(machine, findings, isLast);
  }

  override get full(): boolean {
    return this.pass.full;
  }

  override get stopped(): boolean {
    return this.pass.stopped;
  }
}

/** The database a SELECT asks for; the one before when that is no number, as servers keep it. */
function selected(command: CommandSpans, before: number): number {
  const text = command.held > 1 ? command.latin1(1) : '';
  return /^\d{1,9}$/.test(text) ? Number(text) : before;
}
