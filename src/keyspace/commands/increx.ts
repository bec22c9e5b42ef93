import type { Long } from '../../bytes/int64.js';
import {
  addLongDoubles,
  compareLongDoubles,
  formatLongDouble,
  type LongDouble,
  parseLongDouble,
} from '../../kernels/long-double.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { STRING } from '../forms.js';
import { longAt, longOf } from '../integers.js';
import { APPLIED, FAILED, type Outcome } from '../outcome.js';
import { deadlineAt } from './deadline.js';
import type { CommandRow } from './row.js';
import { unitAt } from './set-options.js';

/** Redis 8.8: counts in a string within bounds, and sets when it goes. Servers log what came of it, as a SET. */
export const boundedCounterCommands: readonly CommandRow[] = [
  { name: 'INCREX', arity: -2, apply: increment },
];

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

/** Numbers of the arguments with values, 0: not given, and the rest. One object serves all commands. */
const options = {
  byInteger: 0,
  byFloat: 0,
  lower: 0,
  upper: 0,
  saturate: false,
  onlyNew: false,
  persist: false,
  /** Null: none given. */
  expiry: null as Long | null,
};

/** Reads the options; returns an error message, or '' when all is well. The bounds are read later: they may be floats. */
function parse(engine: Engine, command: CommandSpans): string {
  options.byInteger = options.byFloat = options.lower = options.upper = 0;
  options.saturate = options.onlyNew = options.persist = false;
  options.expiry = null;
  let expiryAt = 0;
  for (let i = 2; i < command.argc; i++) {
    const last = i === command.argc - 1;
    const counted = options.byInteger > 0 || options.byFloat > 0;
    const timed = expiryAt > 0 || options.persist;
    if (!last && !counted && command.is(i, 'BYINT')) options.byInteger = ++i;
    else if (!last && !counted && command.is(i, 'BYFLOAT')) options.byFloat = ++i;
    else if (!last && options.lower === 0 && command.is(i, 'LBOUND')) options.lower = ++i;
    else if (!last && options.upper === 0 && command.is(i, 'UBOUND')) options.upper = ++i;
    else if (!options.saturate && command.is(i, 'SATURATE')) options.saturate = true;
    else if (!options.onlyNew && !options.persist && command.is(i, 'ENX')) options.onlyNew = true;
    else if (!timed && !options.onlyNew && command.is(i, 'PERSIST')) options.persist = true;
    else if (!last && !timed && unitAt(command, i) > 0) expiryAt = ++i;
    else return 'ERR syntax error';
  }
  if (options.onlyNew && expiryAt === 0) return 'ERR ENX flag requires an expiration';
  if (expiryAt === 0) return '';
  const word = expiryAt - 1;
  const expiry = deadlineAt(engine, command, expiryAt, unitAt(command, word), command.size(word) === 4);
  if (typeof expiry === 'string') return expiry;
  options.expiry = expiry;
  return '';
}

function increment(engine: Engine, command: CommandSpans): Outcome {
  const error = parse(engine, command);
  if (error !== '') return engine.fail(error);
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== STRING) return engine.wrongType();
  const result = options.byFloat > 0 ? addFloat(engine, command, entry) : addInteger(engine, command, entry);
  if (result === null) return FAILED;
  if (result === '') return APPLIED;
  const { bytes, starts, ends } = command;
  const text = Buffer.from(result, 'latin1');
  const made = db.setString(bytes, starts[1]!, ends[1]!, text, 0, text.length, true);
  if (options.persist) db.clearExpiry(made);
  else if (options.expiry !== null && !(options.onlyNew && db.hasExpiry(made))) {
    db.setExpiry(made, options.expiry);
  }
  return APPLIED;
}

/** The new value as text, '' to leave the old one, null after `fail`. */
function addInteger(engine: Engine, command: CommandSpans, entry: number): string | null {
  const { byInteger, lower, upper, saturate } = options;
  const delta = byInteger > 0 ? longAt(command, byInteger) : 1;
  const least = lower > 0 ? longAt(command, lower) : INT64_MIN;
  const most = upper > 0 ? longAt(command, upper) : INT64_MAX;
  if (delta === null || least === null || most === null) return refused(engine, 'value is not an integer');
  if (least > most) return refused(engine, "LBOUND can't be greater than UBOUND");
  let value: Long | null = 0;
  if (entry >= 0) {
    const { bytes, start, end } = engine.db.getString(entry, engine.slice);
    value = longOf(bytes, start, end);
    if (value === null) return refused(engine, 'value is not an integer or out of range');
  }
  let sum = BigInt(value) + BigInt(delta);
  if (sum > most || sum < least) {
    if (!saturate) return '';
    sum = BigInt(sum > most ? most : least);
  }
  const applied = sum - BigInt(value);
  if (applied > INT64_MAX || applied < INT64_MIN) {
    return refused(engine, 'applied increment would overflow');
  }
  return sum.toString();
}

/** As `addInteger`, of numbers as INCRBYFLOAT has them. */
function addFloat(engine: Engine, command: CommandSpans, entry: number): string | null {
  const { byFloat, lower, upper, saturate } = options;
  const text = entry >= 0 ? engine.db.getString(entry, engine.slice).latin1() : '0';
  const delta = parseLongDouble(command.latin1(byFloat));
  const least = lower > 0 ? parseLongDouble(command.latin1(lower)) : LARGEST_NEGATIVE;
  const most = upper > 0 ? parseLongDouble(command.latin1(upper)) : LARGEST;
  const value = parseLongDouble(text);
  if (delta === null || least === null || most === null || value === null) {
    return refused(engine, 'value is not a valid float');
  }
  if (delta.significand === null || value.significand === null) {
    return refused(engine, 'value cannot be Infinity');
  }
  if (compareLongDoubles(least, most) > 0) return refused(engine, "LBOUND can't be greater than UBOUND");
  const sum = addLongDoubles(value, delta);
  const above = sum === null ? !delta.negative : compareLongDoubles(sum, most) > 0;
  if (sum !== null && !above && compareLongDoubles(sum, least) >= 0) return formatLongDouble(sum);
  if (!saturate) return '';
  const bound = above ? most : least;
  const applied = addLongDoubles(bound, { ...value, negative: !value.negative });
  if (applied === null) return refused(engine, 'applied increment would be Infinity');
  return formatLongDouble(bound);
}

const LARGEST: LongDouble = { negative: false, significand: 0xffffffffffffffffn, exponent: 16320 };
const LARGEST_NEGATIVE: LongDouble = { ...LARGEST, negative: true };

function refused(engine: Engine, message: string): null {
  engine.fail(`ERR ${message}`);
  return null;
}
