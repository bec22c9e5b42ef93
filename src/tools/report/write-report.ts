import { NO_CUT } from '../../aof/cut.js';
import type { ByteTarget } from '../../bytes/target.js';
import type { DialectName } from '../../rdb/dialect.js';
import { type CheckReport, check } from '../check.js';
import type { ToolContext } from '../context.js';
import type { KeyConditions } from '../filter.js';
import { findDangers } from '../log/dangerous.js';
import { EVERY_COMMAND } from '../log/filter.js';
import { countLog } from '../log/stats.js';
import { type MemoryReport, memory } from '../memory.js';
import { DamageError } from '../report.js';
import type { Source } from '../source.js';
import { pageHtml } from './html.js';
import {
  filesData,
  logData,
  memoryData,
  notCheckedData,
  type PageData,
  type ReportWords,
} from './page-data.js';

export interface ReportOptions {
  /** Which keys the part on memory is of. */
  readonly conditions: KeyConditions;
  readonly dialect: DialectName | null;
  /** How many of the largest keys are in the table. */
  readonly top: number;
  /** Add up cluster slots, too. */
  readonly slots: boolean;
  /** From how many keys on a deletion counts as dangerous. */
  readonly massKeys: number;
  readonly words: ReportWords;
  /** The source as the page names it, and the release that made the page. */
  readonly title: string;
  readonly version: string;
  readonly redacted: boolean;
}

/** What went into a page. */
export interface WrittenReport {
  readonly bytes: number;
  readonly check: CheckReport;
  /** Null when the dataset could not be read to its end. */
  readonly memory: MemoryReport | null;
}

/**
 * Writes one page of all there is to say of a dataset, and publishes it. Damage is told in the page.
 *
 * @throws InputError when a file can't be read, OutputError when writing fails
 */
export async function writeReport(
  source: Source,
  target: ByteTarget,
  options: ReportOptions,
  context: ToolContext,
): Promise<WrittenReport> {
  const { dialect, words, title, version, redacted } = options;
  const checked = await check(source, { quick: false, dialect }, context);
  const measured = await measure(source, options, context);
  const data: PageData = {
    source: words.printable(title),
    version,
    generatedAtMs: context.clock(),
    nowMs: context.nowMs,
    redacted,
    ...filesData(checked.files, words),
    notChecked: notCheckedData(checked.notChecked, words),
    failure: measured.failure,
    memory: measured.report === null ? null : memoryData(measured.report, words),
    log: source.kind === 'aof' ? await logOf(source, options, context) : null,
  };
  const bytes = Buffer.from(pageHtml(data), 'utf8');
  target.write(bytes);
  await target.publish();
  return { bytes: bytes.length, check: checked, memory: measured.report };
}

async function measure(
  source: Source,
  { conditions, dialect, top, slots, words }: ReportOptions,
  context: ToolContext,
): Promise<{ report: MemoryReport | null; failure: string | null }> {
  try {
    const options = { conditions, dialect, onUnknown: 'skip', top, slots } as const;
    return { report: await memory(source, options, context), failure: null };
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    const { message } = words.finding(error.finding);
    return {
      report: null,
      failure: `What fills the memory is not known, the dataset cannot be read: ${message}`,
    };
  }
}

async function logOf(
  { set }: Extract<Source, { kind: 'aof' }>,
  { dialect, massKeys, words }: ReportOptions,
  context: ToolContext,
): Promise<PageData['log']> {
  const options = { cut: NO_CUT, conditions: EVERY_COMMAND, dialect };
  const stats = await countLog(set, options, context);
  const dangers = await findDangers(set, { ...options, massKeys }, context);
  return logData(stats, dangers, words);
}
