import type { AofSet } from '../../aof/set.js';
import { lastTimestamp } from '../../aof/timestamps.js';
import { UsageError } from '../../errors.js';
import type { ToolContext } from '../context.js';

/** A time as it is asked for: unix seconds, or milliseconds before the last annotation of the log. */
export type TimeRequest = { readonly seconds: number } | { readonly backMs: number };

/** The times asked for as unix seconds. @throws UsageError when the log has no annotation to count back from */
export async function settleTimes(
  set: AofSet,
  requests: readonly (TimeRequest | null)[],
  context: ToolContext,
): Promise<(number | null)[]> {
  const countsBack = requests.some((request) => request !== null && 'backMs' in request);
  const last = countsBack ? await lastTimestamp(set, context.signal) : null;
  if (countsBack && last === null) {
    throw new UsageError(
      'the log has no #TS annotations to count back from',
      'servers write them with aof-timestamp-enabled yes; go by offset, number or pattern instead',
    );
  }
  return requests.map((request) => {
    if (request === null) return null;
    return 'seconds' in request ? request.seconds : last! - request.backMs / 1000;
  });
}
