import type { AofFileEntry } from '../../aof/set.js';
import { FileSource } from '../../bytes/source.js';
import { logScanFor } from '../../resp/passer.js';
import { salvageLog } from '../../salvage/log-salvage.js';
import type { ToolContext } from '../context.js';
import { LogLosses, type LostRange } from './log-losses.js';
import { LossesFront } from './losses-front.js';
import type { PlanOptions } from './plan.js';
import { planRdb, type RdbRepair } from './rdb-file.js';

/** What is wrong with one file of a log. */
export interface LogFileSurvey {
  readonly entry: AofFileEntry;
  readonly bytes: number;
  /** Whole commands in the file. */
  readonly commands: number;
  /** The end that goes when the log is cut in front of its first damage. */
  readonly truncate: LostRange | null;
  /** What goes when all else is kept. */
  readonly skip: readonly LostRange[];
  /** The RDB in front of the commands. */
  readonly preamble: RdbRepair | null;
  /** What goes whatever the strategy: an annotation without its line end, bytes behind the RDB of a base. */
  readonly aside: LostRange | null;
  /** Commands kept whose database is a guess. */
  readonly guessedDatabase: number;
  /** Transactions of which only a part is kept, and the commands of that part. */
  readonly brokenTransactions: number;
  readonly brokenCommands: number;
  /** MULTI and EXEC records that go whatever the strategy: servers refuse just them. */
  readonly markers: readonly LostRange[];
}

/** Reads one file of a log past its damage. @throws InputError when it cannot be read */
export async function surveyLogFile(
  entry: AofFileEntry,
  options: PlanOptions,
  context: ToolContext,
): Promise<LogFileSurvey> {
  const { source, path } = entry;
  const bytes = entry.size ?? 0;
  const preamble = opensWithRdb(entry) ? await planRdb(source, true, options, context) : null;
  const start = preamble?.survey.end ?? 0;
  const losses = new LogLosses(path, start, bytes, options.doubtful);
  if (bytes > start) {
    const meeting = source instanceof FileSource ? LossesFront.start(source, start, losses) : null;
    try {
      await salvageLog(source, start, losses, {
        doubtful: options.doubtful,
        scan: logScanFor(bytes - start),
        meeting,
        signal: context.signal,
        progress: (offset) => {
          const done = Math.max(offset, meeting?.takenBytes ?? 0);
          context.progress({ phase: 'surveying', label: path, done, total: bytes });
        },
      });
    } finally {
      await meeting?.close();
    }
    losses.finish();
  }
  const { because, cut, behindCut, skipped, commands, tornAnnotation } = losses;
  const { guessedDatabase, brokenTransactions, brokenCommands, markers } = losses;
  const broken = { guessedDatabase, brokenTransactions, brokenCommands };
  const whole = { entry, bytes, commands, preamble, markers, ...broken };
  if (because !== null && preamble !== null && entry.role === 'base' && commands === 0) {
    // Servers write nothing behind the RDB of a base: what stands here was never part of the log.
    const trailing = { from: start, to: bytes, commands: 0, because, why: 'trailing' } as const;
    return { ...whole, truncate: null, skip: [], aside: trailing };
  }
  return {
    ...whole,
    truncate: because === null ? null : { from: cut, to: bytes, commands: behindCut, because, why: 'damage' },
    skip: skipped,
    aside: because === null ? tornAnnotation : null,
  };
}

/** By its bytes; by its name when they are too damaged to say, as servers name a base by what it holds. */
function opensWithRdb({ format, name }: AofFileEntry): boolean {
  return format === 'rdb' || (format === 'unknown' && /\.rdb$/.test(name));
}
