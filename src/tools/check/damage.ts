import type { AofFileMachine } from '../../aof/file.js';
import type { ByteSlice } from '../../bytes/slice.js';
import type { ByteSource } from '../../bytes/source.js';
import type { FormatError } from '../../errors.js';
import type { FindingCode } from '../../model/finding.js';
import type { DialectName } from '../../rdb/dialect.js';
import { DEFAULT_LIMITS } from '../../rdb/value-reader.js';
import type { CommandSpans } from '../../resp/command.js';
import type { DamagedRange, DoubtfulRange } from '../../salvage/damage.js';
import type { LogSalvageHandler } from '../../salvage/log-salvage.js';
import type { RdbSurvey } from '../../salvage/rdb-report.js';
import type { ToolContext } from '../context.js';
import type { FindingList } from './findings.js';

/** What was found behind the first damage of a file. */
export interface Damage {
  /** Bytes in damaged ranges. */
  bytes: number;
  /** Whole records that may be the content of a value. */
  doubtful: number;
}

/** What is not checked of a source that can't be read from other places, as reports name it. */
export const BEHIND_DAMAGE = 'what stands behind the damage';

/** True when the source can be read from other places, as going on needs it. */
export const canGoOn = (source: ByteSource): boolean => source.once !== true && source.size !== null;

const OPEN = 'aof/open-transaction';

/** The code of what is found in a file that others of its set follow: there servers forgive no torn end. */
export function beforeOthers(code: FindingCode): FindingCode {
  return code === 'aof/torn-tail' || code === OPEN ? 'aof/truncated' : code;
}

/** Adds a damaged range as one finding. */
export function addDamage(
  findings: FindingList,
  range: DamagedRange,
  code: FindingCode = range.code,
  more: Readonly<Record<string, number>> = {},
): void {
  const { start, end, key, database } = range;
  const inside = range.offset >= start && range.offset < end;
  findings.add(
    code,
    inside ? range.offset : start,
    { ...range.detail, ...more },
    {
      ...(inside && range.offset > start ? { start } : {}),
      length: end - start,
      trail: range.trail,
      ...(key === undefined ? {} : { key }),
      ...(database === undefined ? {} : { database }),
    },
  );
}

/** Finds what is left of an RDB that could not be decoded behind `trustedTo`. */
export async function goOnInRdb(
  source: ByteSource,
  trustedTo: number,
  preamble: boolean,
  dialect: DialectName | null,
  context: ToolContext,
): Promise<RdbSurvey> {
  // Most files are in order: salvage is loaded for those that are not.
  const { surveyRdb } = await import('../../salvage/rdb-survey.js');
  return surveyRdb(
    source,
    { dialect, limits: DEFAULT_LIMITS, end: null, preamble, trustedTo, correct: false },
    readingBehind(source, context),
  );
}

/** What a salvager asks for and tells on its way. */
function readingBehind({ label, size: total }: ByteSource, context: ToolContext) {
  const phase = 'reading behind the damage of';
  return {
    signal: context.signal,
    progress: (done: number) => context.progress({ phase, label, done, total }),
  };
}

/** Tells a file's machine and findings what a salvager reads of a log. */
export class LogBehindDamage implements LogSalvageHandler {
  /** Where the log can be cut in front of the first damage; -1: there is none. */
  firstCut = -1;
  readonly damaged: Damage = { bytes: 0, doubtful: 0 };
  /** The transaction at hand lost some of its commands, its EXEC perhaps among them. */
  private broken = false;
  /** A MULTI may have been lost, whose EXEC then comes alone. */
  private multiLost = false;

  /** `isLast`: no file of the set follows. */
  constructor(
    private readonly machine: AofFileMachine,
    private readonly findings: FindingList,
    private readonly isLast: boolean,
  ) {}

  get full(): boolean {
    return false;
  }

  get stopped(): boolean {
    return false;
  }

  command(command: CommandSpans): void {
    const { transaction } = this.machine;
    if (command.is(0, 'MULTI')) {
      if (this.broken) transaction.open = false;
      this.broken = this.multiLost = false;
    } else if (command.is(0, 'EXEC')) {
      // Its MULTI is in the damage: nothing that would have to be told on its own.
      if (this.multiLost && !transaction.open) transaction.open = true;
      this.broken = this.multiLost = false;
    }
    this.machine.command(command);
  }

  annotation(line: ByteSlice, offset: number, seconds: number): void {
    this.machine.annotation(line, offset, seconds);
  }

  flaw(code: FindingCode, offset: number): void {
    this.machine.flaw(code, offset);
  }

  damage(range: DamagedRange): void {
    const { transaction } = this.machine;
    if (this.firstCut < 0) this.firstCut = transaction.open ? transaction.offset : range.start;
    if (transaction.open) this.broken = true;
    else this.multiLost = true;
    this.damaged.bytes += range.end - range.start;
    const code = this.isLast ? range.code : beforeOthers(range.code);
    addDamage(this.findings, range, code, { safeCut: this.firstCut });
  }

  doubtful(range: DoubtfulRange): void {
    const { start, end, records } = range;
    if (this.firstCut < 0) this.firstCut = start;
    this.damaged.doubtful += records;
    this.findings.add('aof/doubtful-records', start, { why: range.why, records }, { length: end - start });
  }

  /** The log has ended at `size`. */
  end(size: number): void {
    const { open, offset, queued } = this.machine.transaction;
    if (!open || this.broken) return;
    this.firstCut = this.firstCut < 0 ? offset : Math.min(this.firstCut, offset);
    const code = this.isLast ? OPEN : beforeOthers(OPEN);
    this.findings.add(code, offset, { end: size, queued, safeCut: offset });
  }
}

/**
 * Reads a log past its damage: from `start` with the error that was met there, or, without one, from its first command
 * on. What was told of it before stands in the first case alone.
 */
export async function goOnInLog(
  source: ByteSource,
  start: number,
  error: FormatError | null,
  handler: LogBehindDamage,
  context: ToolContext,
): Promise<void> {
  const { LogSalvager } = await import('../../salvage/log-salvage.js');
  const salvager = new LogSalvager(source, handler, {
    doubtful: false,
    ...readingBehind(source, context),
  });
  await (error === null ? salvager.run(start) : salvager.resume(start, error));
  handler.end(source.size ?? 0);
}
