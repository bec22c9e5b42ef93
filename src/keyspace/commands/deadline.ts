import type { Long } from '../../bytes/int64.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { longAt, productOf, sumOf } from '../integers.js';

/**
 * Argument i as the time at which a value that is being set expires: a positive number of units, from the engine's
 * clock or absolute. Returns milliseconds since the epoch, or the server's words for what is wrong.
 */
export function deadlineAt(
  engine: Engine,
  command: CommandSpans,
  i: number,
  unitMs: number,
  absolute: boolean,
): Long | string {
  const units = longAt(command, i);
  if (units === null) return 'ERR value is not an integer or out of range';
  const expiry = units > 0 ? momentOf(engine, units, unitMs, absolute) : null;
  return expiry ?? `ERR invalid expire time in '${command.latin1(0).toLowerCase()}' command`;
}

/** Units from the engine's clock, or absolute, in milliseconds; null when that overflows 64 bits. */
export function momentOf(engine: Engine, units: Long, unitMs: number, absolute: boolean): Long | null {
  const ms = productOf(units, unitMs);
  return ms === null || absolute ? ms : sumOf(ms, engine.nowMs);
}
