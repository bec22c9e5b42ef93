import type { Long } from '../../bytes/int64.js';
import { FIELD_EXPIRY_COMMAND_MAX } from '../../rdb/constants.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { indexAt, longAt } from '../integers.js';
import { momentOf } from './deadline.js';

/** Where `FIELDS n field …` stands: its first field, and the argument behind the last. 0: not read. */
export const fields = { first: 0, end: 0 };

/**
 * Reads FIELDS at argument i, with `width` arguments a field. Redis takes options behind it, Valkey does not. Returns
 * the server's words for what is wrong, or ''.
 */
export function readFields(engine: Engine, command: CommandSpans, i: number, width: number): string {
  const { argc } = command;
  const count = i + 1 < argc ? indexAt(command, i + 1) : Number.NaN;
  if (!(count > 0)) return 'ERR Parameter `numFields` should be greater than 0';
  fields.first = i + 2;
  fields.end = fields.first + count * width;
  const fits = engine.product === 'valkey' ? fields.end === argc : fields.end <= argc;
  return fits ? '' : 'ERR The `numfields` parameter must match the number of arguments';
}

export const NO_FIELDS = 'ERR Mandatory argument FIELDS is missing or not at the right position';

/** Argument i as the moment at which fields go, in milliseconds, or the server's words for what is wrong. */
export function fieldDeadlineAt(
  engine: Engine,
  command: CommandSpans,
  i: number,
  unitMs: number,
  absolute: boolean,
): Long | string {
  const units = longAt(command, i);
  if (units === null) return 'ERR value is not an integer or out of range';
  if (units < 0) return 'ERR invalid expire time, must be >= 0';
  const when = momentOf(engine, units, unitMs, absolute);
  const isLate = when === null || (engine.product !== 'valkey' && when > FIELD_EXPIRY_COMMAND_MAX);
  return isLate ? `ERR invalid expire time in '${command.latin1(0).toLowerCase()}' command` : when;
}
