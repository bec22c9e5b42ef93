import { NO_CUT } from '../../aof/cut.js';
import { type CompactOptions, type CompactReport, compact as compactSource } from '../compact.js';
import { contextOf, openSource, type SourceLike, type Surroundings } from '../library.js';
import { EVERY_COMMAND } from '../log/filter.js';
import { followLog, type LogEntry, type LogOptions, listLog } from '../log/list.js';
import type { LogPassEnd } from '../log/pass.js';
import { asLog } from '../source.js';

/** Options of `log`; all may be left out. With `follow` it goes on with what the server appends, until the abort. */
export type LogRequest = Partial<LogOptions> & Surroundings & { readonly follow?: boolean };

/**
 * The commands of a log as its files hold them, in batches, with what is wrong in its place. Returns what was seen.
 *
 * @throws InputError UsageError while it is iterated
 */
export async function* log(
  source: SourceLike,
  options: LogRequest = {},
): AsyncGenerator<LogEntry[], LogPassEnd, void> {
  const all = { cut: NO_CUT, conditions: EVERY_COMMAND, dialect: null, batch: 1024, ...options };
  const opened = typeof source === 'string' ? await openSource(source) : source;
  const list = options.follow === true ? followLog : listLog;
  return yield* list(await asLog(opened), all, contextOf(options));
}

/** Options of `compact`: all but where to may be left out. */
export type CompactRequest = Partial<Omit<CompactOptions, 'output'>> &
  Pick<CompactOptions, 'output'> &
  Surroundings;

/** Rewrites a log as servers do, without one. @throws DamageError InputError UsageError OutputError */
export async function compact(source: SourceLike, options: CompactRequest): Promise<CompactReport> {
  const all: CompactOptions = { target: null, preamble: true, dialect: null, ...options };
  const opened = typeof source === 'string' ? await openSource(source) : source;
  return compactSource(opened, all, contextOf(options));
}
