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
import { FindingList, LogCheck, RdbCheck } from './check-handlers.js';
import { type Checksum, ChecksumJob, sumRange } from './checksum.js';
import type { ToolContext } from './context.js';
import type { CheckedFile, NotChecked } from './report.js';

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

/** Checks one file from its first byte to its first damage, in one pass. */
export async function checkFile(
  source: ByteSource,
  options: FileCheckOptions,
  context: ToolContext,
): Promise<FileCheckResult> {
  const check = new FileCheck(source, options);
  const window = new ByteWindow();
  window.limit = source.size ?? Number.POSITIVE_INFINITY;
  const reader = await source.open();
  try {
    await pump(reader, window, check, {
      signal: context.signal,
      progress: (done) => context.progress({ label: source.label, done, total: source.size }),
    });
    await check.compareChecksum(context.signal);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    check.fail(error, window);
  } finally {
    await check.close();
    await reader.close();
  }
  return check.result(window);
}

const RDB = 0;
const AFTER_RDB = 1;
const LOG = 2;

/** An RDB, a log, or a log behind an RDB, told by the bytes; what should be there is told by the options. */
class FileCheck implements Machine {
  private readonly findings: FindingList;
  private readonly rdb: RdbCheck;
  private readonly log: LogCheck;
  private decoder: RdbDecoder | null = null;
  private readonly logMachine: AofFileMachine;
  private job: ChecksumJob | null = null;
  private phase: typeof RDB | typeof AFTER_RDB | typeof LOG;
  private validBytes = -1;

  constructor(
    private readonly source: ByteSource,
    private readonly options: FileCheckOptions,
  ) {
    this.findings = new FindingList(source.label);
    this.rdb = new RdbCheck(options.quick);
    this.log = new LogCheck(this.findings);
    this.logMachine = new AofFileMachine(this.log, () => this.decode(), SKIM);
    this.phase = options.form === 'rdb' ? RDB : LOG;
  }

  private decode(): RdbDecoder {
    const { source, options, findings, rdb } = this;
    // Where the trailer is can be foreseen only when nothing follows it.
    const alone = options.form === 'rdb' || /\.rdb$/.test(source.label);
    if (alone && source instanceof FileSource) {
      this.job = ChecksumJob.start({ path: source.label, end: source.size - TRAILER_BYTES });
    }
    const decoder = new RdbDecoder(rdb, {
      verifyChecksum: this.job === null,
      deep: !options.quick,
      dialect: options.dialect ?? undefined,
      onWarning: (code, offset, detail) => findings.add(code, offset, detail, decoder.head),
    });
    return (this.decoder = decoder);
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
    return this.logMachine.run(window);
  }

  finish(window: ByteWindow): void {
    if (this.phase === RDB) (this.decoder ?? this.decode()).finish(window);
    else if (this.phase === LOG) this.logMachine.finish(window);
  }

  /** Compares what the other thread summed with what the trailer holds. @throws FormatError when they differ */
  async compareChecksum(signal: AbortSignal): Promise<void> {
    const { job, source } = this;
    const { summary } = this.rdb;
    if (job === null || summary === null || summary.checksum !== 'unchecked') return;
    const { trailerOffset, storedHigh, storedLow } = summary;
    const foreseen = job.task.end === trailerOffset ? await job.result() : null;
    const sum: Checksum = foreseen ?? (await sumRange(source, trailerOffset, signal));
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
    else this.validBytes = this.logMachine.safeCut;
    const torn = error.code === 'aof/torn-tail' && !options.last;
    const code = torn ? 'aof/truncated' : (error.code as FindingCode);
    const head = insideRdb && decoder.insideKey ? decoder.head : null;
    // So that the hint can name the place to cut at.
    const cut = insideRdb || error.code.startsWith('rdb/') ? {} : { safeCut: this.validBytes };
    findings.add(code, error.offset, { ...error.detail, ...cut }, head, error.trail);
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
      validBytes: this.validBytes >= 0 ? this.validBytes : isLog ? bytes : end,
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
