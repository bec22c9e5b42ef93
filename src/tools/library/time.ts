import { NO_CUT } from '../../aof/cut.js';
import { TimeMachine, type TimeMachineOptions } from '../explore/time-machine.js';
import { type HistoryEntry, type HistoryOptions, history as historyOf } from '../history.js';
import { contextOf, openSource, type SourceLike, type Surroundings } from '../library.js';

/**
 * Every change to the keys that match a pattern as KEYS takes it, in the order of the log: what they were before and
 * after, and by which command. A base RDB's keys come first. Leaving the loop early closes the files.
 *
 * @throws DamageError InputError UsageError while it is iterated
 */
export async function* history(
  source: SourceLike,
  pattern: string,
  options: Partial<Omit<HistoryOptions, 'pattern'>> & Surroundings = {},
): AsyncGenerator<HistoryEntry, void, undefined> {
  const all: HistoryOptions = {
    databases: [],
    cut: { ...NO_CUT, backMs: null },
    as: null,
    onUnknown: 'stop',
    dialect: null,
    ...options,
    pattern: Buffer.from(pattern, 'utf8').latin1Slice(),
  };
  const opened = typeof source === 'string' ? await openSource(source) : source;
  for await (const batch of historyOf(opened, all, contextOf(options))) yield* batch;
}

/**
 * A log with the dataset at any moment of it; its snapshots stay within `memoryBytes`.
 *
 * @throws DamageError InputError UsageError
 */
export async function openTimeMachine(
  source: SourceLike,
  options: Partial<TimeMachineOptions> & Surroundings = {},
): Promise<TimeMachine> {
  const opened = typeof source === 'string' ? await openSource(source) : source;
  const all: TimeMachineOptions = { as: null, dialect: null, snapshotBytes: 4e6, ...options };
  return TimeMachine.open(opened, all, contextOf(options));
}
