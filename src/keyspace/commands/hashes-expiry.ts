import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { HASH_KIND } from '../forms.js';
import { fieldExpiry, findField, NEVER, setFieldExpiry } from '../hashes.js';
import { indexAt, longAt } from '../integers.js';
import { APPLIED, FAILED, type Outcome } from '../outcome.js';
import { momentOf } from './deadline.js';
import type { CommandRow } from './row.js';

/** Commands on the expiry of fields. A moment in the past is set like any other. */
export const hashExpiryCommands: readonly CommandRow[] = [
  { name: 'HEXPIRE', arity: -6, apply: (engine, command) => expire(engine, command, 1000, false) },
  { name: 'HPEXPIRE', arity: -6, apply: (engine, command) => expire(engine, command, 1, false) },
  { name: 'HEXPIREAT', arity: -6, apply: (engine, command) => expire(engine, command, 1000, true) },
  { name: 'HPEXPIREAT', arity: -6, apply: (engine, command) => expire(engine, command, 1, true) },
  { name: 'HPERSIST', arity: -5, apply: persist },
];

/** Redis takes no later moment for a field: a quarter of what 48 bits hold. */
const EXPIRY_MAX = 2 ** 46 - 1;

function expire(engine: Engine, command: CommandSpans, unitMs: number, absolute: boolean): Outcome {
  const entry = engine.find(command, 1);
  if (entry >= 0 && engine.db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  const units = longAt(command, 2);
  if (units === null) return engine.notInteger();
  if (units < 0) return engine.fail('ERR invalid expire time, must be >= 0');
  const when = momentOf(engine, units, unitMs, absolute);
  if (when === null || when > EXPIRY_MAX) {
    return engine.fail(`ERR invalid expire time in '${command.latin1(0).toLowerCase()}' command`);
  }
  let condition = '';
  for (const word of ['NX', 'XX', 'GT', 'LT']) if (command.is(3, word)) condition = word;
  const first = condition === '' ? 3 : 4;
  if (checkFields(engine, command, first) === FAILED) return FAILED;
  if (entry < 0) return APPLIED;
  for (let i = first + 2; i < command.argc; i++) {
    expireField(engine, command, entry, i, condition, Number(when));
  }
  return APPLIED;
}

/** Checks `FIELDS n field …` from argument `first` to the end. */
export function checkFields(engine: Engine, command: CommandSpans, first: number): Outcome {
  if (first + 1 >= command.argc || !command.is(first, 'FIELDS')) {
    return engine.fail('ERR Mandatory argument FIELDS is missing or not at the right position');
  }
  const count = indexAt(command, first + 1);
  if (!(count > 0)) return engine.fail('ERR Parameter `numFields` should be greater than 0');
  if (count !== command.argc - first - 2) {
    return engine.fail('ERR The `numfields` parameter must match the number of arguments');
  }
  return APPLIED;
}

function expireField(
  engine: Engine,
  command: CommandSpans,
  entry: number,
  i: number,
  condition: string,
  when: number,
): void {
  const { db } = engine;
  const { bytes, starts, ends } = command;
  const place = findField(db, entry, bytes, starts[i]!, ends[i]!);
  if (place < 0) return;
  const present = fieldExpiry(db, entry, place);
  const has = present !== NEVER;
  if (condition === 'NX' && has) return;
  if ((condition === 'XX' || condition === 'GT') && !has) return;
  if (condition === 'GT' && when <= present) return;
  if (condition === 'LT' && has && when >= present) return;
  setFieldExpiry(db, entry, bytes, starts[i]!, ends[i]!, when);
}

function persist(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  if (checkFields(engine, command, 2) === FAILED) return FAILED;
  if (entry < 0) return APPLIED;
  const { bytes, starts, ends } = command;
  for (let i = 4; i < command.argc; i++) {
    if (findField(db, entry, bytes, starts[i]!, ends[i]!) < 0) continue;
    setFieldExpiry(db, entry, bytes, starts[i]!, ends[i]!, NEVER);
  }
  return APPLIED;
}
