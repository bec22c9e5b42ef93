import { AofFileMachine } from '../../aof/file.js';
import type { TransactionTracker } from '../../aof/transaction.js';
import { type PumpOptions, pump } from '../../bytes/pump.js';
import { type ByteSource, FileSource } from '../../bytes/source.js';
import { ByteWindow, END, type Machine, NEED, type Progress } from '../../bytes/window.js';
import { FormatError } from '../../errors.js';
import type { FindingCode } from '../../model/finding.js';
import { LogPasser, logScanFor } from '../../resp/passer.js';
import { SKIM } from '../../resp/scanner.js';
import type { RdbSurvey } from '../../salvage/rdb-report.js';
import type { ToolContext, Progress as ToolProgress } from '../context.js';
import type { CheckedFile, FileCheckOptions, FileCheckResult, NotChecked } from '../report.js';
import type { LogBackTask } from '../thread.js';
import { checkBlocks } from './blocks.js';
import {
  addDamage,
  BEHIND_DAMAGE,
  beforeOthers,
  canGoOn,
  goOnInLog,
  goOnInRdb,
  LogBehindDamage,
} from './damage.js';
import { FindingList, placeOf } from './findings.js';
import type { RdbCheck } from './keys.js';
import { LogCheck } from './log.js';
import { LogFront, SCAN_CHUNK_BYTES } from './log-front.js';
import { RdbPart } from './rdb-part.js';

/**
 * Checks one file from its first byte to its last: up to the first damage at full speed, a second thread taking part in
 * large files where it can, and then whatever can be found behind it.
 */
export async function checkFile(
  source: ByteSource,
  options: FileCheckOptions,
  context: ToolContext,
): Promise<FileCheckResult> {
  const check = new FileCheck(source, options, context);
  const window = new ByteWindow();
  try {
    await pumpWhole(source, window, check, context);
    await check.part.compareChecksum();
    await check.part.compareNames();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    await check.goOn(error, window);
  } finally {
    await check.close();
  }
  await check.compareBlocks();
  await check.addPreviews();
  return check.result(window);
}

async function pumpWhole(
  source: ByteSource,
  window: ByteWindow,
  check: FileCheck,
  context: ToolContext,
): Promise<void> {
  window.limit = source.size ?? Number.POSITIVE_INFINITY;
  const reader = await check.part.open();
  try {
    await pump(reader, window, check, {
      ...check.reading,
      drain: () => check.meet(),
      signal: context.signal,
      progress: (offset) => context.progress(check.progress(offset)),
    });
  } finally {
    await reader.close();
  }
}

const RDB = 0;
const AFTER_RDB = 1;
const LOG = 2;

/** An RDB, a log, or a log behind an RDB, told by the bytes; what should be there is told by the options. */
class FileCheck implements Machine {
  /** How its bytes are to be read. */
  readonly reading: Pick<PumpOptions, 'chunkBytes' | 'rooms'>;
  private readonly findings: FindingList;
  readonly part: RdbPart;
  private readonly rdb: RdbCheck;
  private log: LogCheck;
  private logFindings: FindingList;
  private logMachine: AofFileMachine;
  private logBehindDamage: LogBehindDamage | null = null;
  private survey: RdbSurvey | null = null;
  private cutShort = false;
  private front: LogFront | null = null;
  private phase: typeof RDB | typeof AFTER_RDB | typeof LOG;
  private validBytes = -1;
  private blocksLeft: readonly NotChecked[] = [];

  constructor(
    private readonly source: ByteSource,
    private readonly options: FileCheckOptions,
    private readonly context: ToolContext,
  ) {
    this.findings = new FindingList(source.label);
    this.part = new RdbPart(source, options, this.findings, context);
    this.rdb = this.part.check;
    this.logFindings = new FindingList(source.label);
    const log = new LogCheck(this.logFindings, options.quick, (offset) => this.startOtherPart(offset));
    const scan = options.form === 'rdb' ? null : logScanFor(source.size);
    const passer = scan && ((of: TransactionTracker) => new LogPasser(scan, log, of));
    const whole = scan === null || this.part.isAlone;
    this.reading = whole ? this.part.reading : { chunkBytes: SCAN_CHUNK_BYTES, rooms: scan.rooms };
    this.log = log;
    this.logMachine = new AofFileMachine(log, () => this.part, SKIM, passer);
    this.phase = options.form === 'rdb' ? RDB : LOG;
  }

  private startOtherPart(offset: number): void {
    const { source, log, options } = this;
    if (!(source instanceof FileSource)) return;
    this.front = LogFront.start<LogBackTask>(source, offset, { kind: 'log-back', quick: options.quick }, log);
  }

  /** Waits for the other thread where both have met. */
  async meet(): Promise<void> {
    await this.part.meet();
    await this.front?.meet();
  }

  /** How far it is, the other thread's part included as far as one can tell. */
  progress(offset: number): ToolProgress {
    const { source, log, rdb } = this;
    const done = Math.max(offset, this.front?.takenBytes ?? this.part.takenBytes);
    const inLog = this.phase === LOG;
    const items = { count: inLog ? log.commands : rdb.keys, what: inLog ? 'commands' : 'keys' } as const;
    return { phase: 'checking', label: source.label, done, total: source.size, items };
  }

  run(window: ByteWindow): Progress {
    if (this.phase === RDB) {
      const progress = this.part.run(window);
      if (progress !== END) return progress;
      this.phase = AFTER_RDB;
    }
    if (this.phase === AFTER_RDB) {
      if (!window.has(1)) return NEED;
      const next = window.bytes[window.position]!;
      if (next !== STAR && next !== HASH) {
        this.findings.add('rdb/trailing-bytes', window.offset, { bytes: window.limit - window.offset });
        return END;
      }
      this.phase = LOG;
    }
    return this.logMachine.run(window);
  }

  finish(window: ByteWindow): void {
    if (this.phase === RDB) this.part.finish(window);
    else if (this.phase === LOG) this.logMachine.finish(window);
  }

  /** Compares the checksums of blocks in a log that has them. */
  async compareBlocks(): Promise<void> {
    const { source, log, logFindings, context } = this;
    if (log.firstBlock >= 0 && canGoOn(source)) {
      this.blocksLeft = await checkBlocks(source, log.firstBlock, logFindings, context);
    }
  }

  /** Tells what is wrong, and reads on behind it where the source allows. */
  async goOn(error: FormatError, window: ByteWindow): Promise<void> {
    const { rdb, source } = this;
    const { decoder } = this.part;
    const insideRdb = error.code === 'rdb/checksum-mismatch' || (decoder !== null && rdb.summary === null);
    if (error.code === 'rdb/checksum-mismatch') this.validBytes = error.offset;
    else if (insideRdb) this.validBytes = decoder!.insideKey ? decoder!.head.offset : window.offset;
    else this.validBytes = this.logMachine.safeCut;
    if (!canGoOn(source) || this.options.goOn === false) {
      this.cutShort = true;
      this.tell(error, insideRdb);
    } else if (insideRdb) {
      await this.goOnInRdb(error);
    } else {
      await this.goOnInLog(error);
    }
  }

  private tell(error: FormatError, insideRdb: boolean): void {
    const { findings, logFindings, options } = this;
    const { decoder } = this.part;
    const code = options.last ? (error.code as FindingCode) : beforeOthers(error.code as FindingCode);
    const place = insideRdb && decoder!.insideKey ? placeOf(decoder!.head) : {};
    // So that the hint can name the place to cut at.
    const cut = insideRdb ? {} : { safeCut: this.beforeRefused(this.validBytes) };
    const list = insideRdb ? findings : logFindings;
    list.add(code, error.offset, { ...error.detail, ...cut }, { ...place, trail: error.trail });
  }

  private async goOnInRdb(error: FormatError): Promise<void> {
    const { source, options, findings, context, rdb } = this;
    const isPreamble = options.form === 'aof';
    const survey = await goOnInRdb(source, this.validBytes, isPreamble, options.dialect, context);
    this.survey = survey;
    rdb.forgetNames();
    for (const range of survey.damaged) addDamage(findings, range);
    if (survey.damaged.length === 0) this.tell(error, true);
    for (const { start, end, keys } of survey.duplicates) {
      findings.add('rdb/duplicate-key', start, { keys }, { length: end - start });
    }
    for (const { start, end, why, records } of survey.doubtful) {
      findings.add('rdb/doubtful-records', start, { why, records }, { length: end - start });
    }
    if (survey.trailingBytes > 0) {
      findings.add('rdb/trailing-bytes', survey.end, { bytes: survey.trailingBytes });
    }
    this.validBytes = Math.min(this.validBytes, ...survey.damaged.map(({ start }) => start));
    if (isPreamble && survey.end < source.size!) {
      this.phase = LOG;
      await this.readLogAgain(survey.end);
    }
  }

  private async goOnInLog(error: FormatError): Promise<void> {
    const { log, logMachine, logFindings, options } = this;
    // The end of the file tells nothing about what stands before it; any other damage may have begun earlier.
    if (error.code !== 'aof/torn-tail') {
      if (!(await this.readLogAgain(log.start))) this.tell(error, false);
      return;
    }
    const handler = new LogBehindDamage(logMachine, logFindings, options.last);
    this.logBehindDamage = handler;
    await goOnInLog(this.source, error.offset, error, handler, this.context);
    this.validBytes = handler.firstCut;
  }

  /** From its first command, with nothing of what was told of it before; true when something was wrong. */
  private async readLogAgain(start: number): Promise<boolean> {
    const { source, options } = this;
    const findings = new FindingList(source.label);
    const log = new LogCheck(findings, options.quick);
    const machine = new AofFileMachine(log, () => this.part, SKIM);
    const handler = new LogBehindDamage(machine, findings, options.last);
    this.logFindings = findings;
    this.log = log;
    this.logMachine = machine;
    this.logBehindDamage = handler;
    await goOnInLog(source, start, null, handler, this.context);
    const found = handler.firstCut >= 0;
    if (found && this.survey === null) this.validBytes = handler.firstCut;
    return found;
  }

  /** Shows the bytes of what is damaged. */
  async addPreviews(): Promise<void> {
    if (!canGoOn(this.source)) return;
    await this.findings.addPreviews(this.source);
    await this.logFindings.addPreviews(this.source);
  }

  /** Servers come no further than the first record they refuse, whole as it may be. */
  private beforeRefused(offset: number): number {
    const { firstRefused } = this.log;
    return firstRefused < 0 ? offset : Math.min(offset, firstRefused);
  }

  async close(): Promise<void> {
    await Promise.all([this.part.close(), this.front?.close()]);
  }

  result(window: ByteWindow): FileCheckResult {
    const { rdb, log, source, findings, logFindings, survey, logBehindDamage } = this;
    const bytes = source.size ?? window.base + window.end;
    const hasRdb = rdb.version !== null || survey !== null;
    // The base of a set is read as a log, but nothing follows its RDB.
    const rdbEnd = survey?.end ?? rdb.summary?.endOffset ?? (hasRdb ? bytes : 0);
    const isLog = this.phase === LOG && rdbEnd < bytes;
    if (log.lastSeconds >= 0) this.options.watch?.time(log.lastSeconds);
    const damaged = survey?.damaged ?? [];
    const file: CheckedFile = {
      path: source.label,
      format: isLog ? 'aof' : 'rdb',
      dialect: rdb.dialect?.name ?? null,
      version: rdb.version,
      bytes,
      validBytes: this.validBytes >= 0 ? this.validBytes : isLog ? bytes : rdbEnd,
      keys: hasRdb ? (survey?.keys.whole ?? rdb.keys) : null,
      commands: isLog ? log.commands : null,
      damagedBytes:
        damaged.reduce((sum, { start, end }) => sum + end - start, 0) + (logBehindDamage?.damaged.bytes ?? 0),
      doubtful: (survey?.keys.doubtful ?? 0) + (logBehindDamage?.damaged.doubtful ?? 0),
      unprovenKeys: survey === null ? 0 : survey.keys.whole - survey.keys.proven,
      findings: [...findings.list, ...logFindings.list],
    };
    if (isLog) Object.assign(file, { validBytes: this.beforeRefused(file.validBytes) });
    return { file, notChecked: this.notChecked(isLog) };
  }

  private notChecked(isLog: boolean): NotChecked[] {
    const { rdb, log, source, findings, logFindings, survey, cutShort } = this;
    const path = source.label;
    const list = [...rdb.notChecked(path), ...(isLog ? log.notChecked(path) : []), ...this.blocksLeft];
    if (cutShort) {
      const why = 'reading on takes a file that can be read from any place';
      list.push({ path, what: BEHIND_DAMAGE, why, routine: false });
    }
    if (survey !== null && survey.keys.whole > rdb.keys) {
      const why = 'only their structure is looked at there';
      list.push({ path, what: 'times of expiry and numbers of keys behind the damage', why, routine: false });
    }
    return [...list, ...findings.notListed(), ...logFindings.notListed()];
  }
}

const STAR = 42;
const HASH = 35;
