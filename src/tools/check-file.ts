import { AofFileMachine } from '../aof/file.js';
import { pump } from '../bytes/pump.js';
import { type ByteSource, FileSource } from '../bytes/source.js';
import { ByteWindow, END, type Machine, NEED, type Progress } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import type { FindingCode } from '../model/finding.js';
import { checksumText } from '../rdb/checksum.js';
import { RdbDecoder } from '../rdb/decoder.js';
import type { DialectName } from '../rdb/dialect.js';
import { SKIM } from '../resp/scanner.js';
import { FindingList, placeOf, RdbCheck } from './check-handlers.js';
import { LogCheck } from './check-log.js';
import { sumRange } from './checksum.js';
import type { ToolContext } from './context.js';
import type { CheckedFile, NotChecked } from './report.js';
import { ThreadJob } from './thread.js';

export interface FileCheckOptions {
  /** 'rdb': the RDB is all there should be; 'aof': a server reads it as a log. */
  readonly form: 'rdb' | 'aof';
  /** False for a file of a set that others follow: there a torn tail is fatal. */
  readonly last: boolean;
  /** Structure and checksum alone. */
  readonly quick: boolean;
  readonly dialect: DialectName | null;
}

export interface FileCheckResult {
  readonly file: CheckedFile;
  readonly notChecked: readonly NotChecked[];
}

/** Below this many bytes starting a thread costs more than it saves. */
const THREAD_FROM_BYTES = 32 * 1024 * 1024;
/** Where a log is cut in two: the second thread has yet to start. */
const FIRST_PART = 0.53;

/** Checks one file from its first byte to its first damage. A second thread takes part in large ones, where it can. */
export async function checkFile(
  source: ByteSource,
  options: FileCheckOptions,
  context: ToolContext,
): Promise<FileCheckResult> {
  const check = new FileCheck(source, options);
  const window = new ByteWindow();
  try {
    await pumpFrom(0, source, window, check, context);
    if (check.stoppedAt > 0 && !(await check.adoptOtherPart())) {
      await pumpFrom(check.stoppedAt, source, window, check, context);
    }
    await check.compareChecksum(context.signal);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    check.fail(error, window);
  } finally {
    await check.close();
  }
  return check.result(window);
}

async function pumpFrom(
  start: number,
  source: ByteSource,
  window: ByteWindow,
  check: FileCheck,
  context: ToolContext,
): Promise<void> {
  window.position = window.end = 0;
  window.base = start;
  window.limit = source.size ?? Number.POSITIVE_INFINITY;
  const reader = await source.open(start);
  try {
    await pump(reader, window, check, {
      signal: context.signal,
      progress: (offset) =>
        context.progress({ label: source.label, done: check.done(offset), total: source.size }),
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
  /** Where the other thread took over; 0: nowhere. */
  stoppedAt = 0;
  private readonly findings: FindingList;
  private readonly rdb: RdbCheck;
  private readonly log: LogCheck;
  private decoder: RdbDecoder | null = null;
  private readonly logMachine: AofFileMachine;
  private job: ThreadJob | null = null;
  private foreseenTrailer = -1;
  private phase: typeof RDB | typeof AFTER_RDB | typeof LOG;
  private validBytes = -1;

  constructor(
    private readonly source: ByteSource,
    private readonly options: FileCheckOptions,
  ) {
    this.findings = new FindingList(source.label);
    this.rdb = new RdbCheck(options.quick);
    this.log = new LogCheck(this.findings, options.quick, (offset) => this.startOtherPart(offset));
    this.logMachine = new AofFileMachine(this.log, () => this.decode(), SKIM);
    this.phase = options.form === 'rdb' ? RDB : LOG;
  }

  private decode(): RdbDecoder {
    const { options, findings, rdb } = this;
    this.startChecksum();
    const decoder = new RdbDecoder(rdb, {
      verifyChecksum: this.job === null,
      deep: !options.quick,
      dialect: options.dialect ?? undefined,
      onWarning: (code, offset, detail) => findings.add(code, offset, detail, placeOf(decoder.head)),
    });
    return (this.decoder = decoder);
  }

  /** Where the trailer is can be foreseen only when nothing follows it. */
  private startChecksum(): void {
    const { source, options } = this;
    const isAlone = options.form === 'rdb' || /\.rdb$/.test(source.label);
    if (!isAlone || !(source instanceof FileSource) || source.size < THREAD_FROM_BYTES) return;
    this.foreseenTrailer = source.size - TRAILER_BYTES;
    this.job = ThreadJob.start({ kind: 'checksum', path: source.label, end: this.foreseenTrailer });
  }

  private startOtherPart(offset: number): void {
    const { source, log, options } = this;
    if (this.job !== null || !(source instanceof FileSource) || source.size - offset < THREAD_FROM_BYTES)
      return;
    const middle = offset + Math.floor((source.size - offset) * FIRST_PART);
    this.job = ThreadJob.start(
      { kind: 'log-half', path: source.label, middle, quick: options.quick },
      (found) => {
        log.stopAt = found;
      },
    );
  }

  /** Bytes done, those of the other thread included as far as one can tell. */
  done(offset: number): number {
    const shared = this.log.stopAt < Number.POSITIVE_INFINITY;
    return shared ? Math.min(this.source.size ?? offset, offset / FIRST_PART) : offset;
  }

  /** Takes over what the other thread found in its part; false when this one must read on. */
  async adoptOtherPart(): Promise<boolean> {
    const answer = await this.job?.result();
    const adopted = answer?.kind === 'log-half' && answer.clean;
    if (adopted) this.log.adopt(answer);
    else this.log.full = false;
    return adopted;
  }

  run(window: ByteWindow): Progress {
    if (this.phase === RDB) {
      const progress = (this.decoder ?? this.decode()).run(window);
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
    const progress = this.logMachine.run(window);
    if (this.log.full) this.stoppedAt = window.offset;
    return progress;
  }

  finish(window: ByteWindow): void {
    if (this.phase === RDB) (this.decoder ?? this.decode()).finish(window);
    else if (this.phase === LOG) this.logMachine.finish(window);
  }

  /** Compares what the other thread summed with what the trailer holds. @throws FormatError when they differ */
  async compareChecksum(signal: AbortSignal): Promise<void> {
    const { summary } = this.rdb;
    if (this.job === null || summary === null || summary.checksum !== 'unchecked') return;
    const { trailerOffset, storedHigh, storedLow } = summary;
    const answer = this.foreseenTrailer === trailerOffset ? await this.job.result() : null;
    const sum = answer?.kind === 'checksum' ? answer : await sumRange(this.source, trailerOffset, signal);
    if (sum.high !== storedHigh || sum.low !== storedLow) {
      throw new FormatError('rdb/checksum-mismatch', trailerOffset, {
        stored: checksumText(storedHigh, storedLow),
        computed: checksumText(sum.high, sum.low),
      });
    }
  }

  fail(error: FormatError, window: ByteWindow): void {
    const { decoder, findings, options } = this;
    const insideRdb = decoder !== null && this.rdb.summary === null;
    if (error.code === 'rdb/checksum-mismatch') this.validBytes = error.offset;
    else if (insideRdb) this.validBytes = decoder.insideKey ? decoder.head.offset : window.offset;
    else this.validBytes = this.beforeRefused(this.logMachine.safeCut);
    const torn = error.code === 'aof/torn-tail' && !options.last;
    const code = torn ? 'aof/truncated' : (error.code as FindingCode);
    const place = insideRdb && decoder.insideKey ? placeOf(decoder.head) : {};
    // So that the hint can name the place to cut at.
    const cut = insideRdb || error.code.startsWith('rdb/') ? {} : { safeCut: this.validBytes };
    findings.add(code, error.offset, { ...error.detail, ...cut }, { ...place, trail: error.trail });
  }

  /** Servers come no further than the first record they refuse, whole as it may be. */
  private beforeRefused(offset: number): number {
    const { firstRefused } = this.log;
    return firstRefused < 0 ? offset : Math.min(offset, firstRefused);
  }

  async close(): Promise<void> {
    await this.job?.cancel();
  }

  result(window: ByteWindow): FileCheckResult {
    const { rdb, log, source, findings } = this;
    const bytes = source.size ?? window.base + window.end;
    // The base of a set is read as a log, but nothing follows its RDB.
    const isLog =
      this.phase === LOG && (rdb.summary === null ? rdb.version === null : rdb.summary.endOffset < bytes);
    const end = rdb.summary?.endOffset ?? bytes;
    const file: CheckedFile = {
      path: source.label,
      format: isLog ? 'aof' : 'rdb',
      dialect: rdb.dialect?.name ?? null,
      version: rdb.version,
      bytes,
      validBytes: this.validBytes >= 0 ? this.validBytes : isLog ? this.beforeRefused(bytes) : end,
      keys: rdb.version === null ? null : rdb.keys,
      commands: isLog ? log.commands : null,
      findings: findings.list,
    };
    return {
      file,
      notChecked: [
        ...rdb.notChecked(source.label),
        ...(isLog ? log.notChecked(source.label) : []),
        ...findings.notListed(),
      ],
    };
  }
}

const STAR = 42;
const HASH = 35;
const TRAILER_BYTES = 8;
