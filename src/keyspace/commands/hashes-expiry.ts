import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { HASH_KIND, LARGE_HASH } from '../forms.js';
import { fieldExpiry, findField, NEVER, setFieldExpiry } from '../hashes.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { fieldDeadlineAt, fields, NO_FIELDS, readFields } from './hashes-arguments.js';
import type { CommandRow } from './row.js';

/** Commands on the expiry of fields. A moment in the past is set like any other. */
export const hashExpiryCommands: readonly CommandRow[] = [
  { name: 'HEXPIRE', arity: -6, apply: (engine, command) => expire(engine, command, 1000, false) },
  { name: 'HPEXPIRE', arity: -6, apply: (engine, command) => expire(engine, command, 1, false) },
  { name: 'HEXPIREAT', arity: -6, apply: (engine, command) => expire(engine, command, 1000, true) },
  { name: 'HPEXPIREAT', arity: -6, apply: (engine, command) => expire(engine, command, 1, true) },
  { name: 'HPERSIST', arity: -5, apply: persist },
];

/** The conditions that stand beside FIELDS. */
const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;
const CONDITIONS: readonly (readonly [word: string, flag: number])[] = [
  ['NX', NX],
  ['XX', XX],
  ['GT', GT],
  ['LT', LT],
];

/** Reads conditions and FIELDS from argument 3. Returns the conditions, or the server's words for what is wrong. */
function readConditions(engine: Engine, command: CommandSpans): number | string {
  let conditions = 0;
  fields.first = 0;
  for (let i = 3; i < command.argc; i++) {
    if (command.is(i, 'FIELDS')) {
      if (fields.first > 0) return 'ERR FIELDS keyword specified multiple times';
      const refusal = readFields(engine, command, i, 1);
      if (refusal !== '') return refusal;
      i = fields.end - 1;
      continue;
    }
    const known = CONDITIONS.find(([word]) => command.is(i, word));
    if (known === undefined) return `ERR unknown argument: ${command.latin1(i)}`;
    conditions |= known[1];
  }
  if (fields.first === 0) return NO_FIELDS;
  const single = (conditions & (conditions - 1)) === 0;
  // Valkey joins them as EXPIRE does.
  const joined =
    engine.product === 'valkey' && (conditions & NX) === 0 && (conditions & (GT | LT)) !== (GT | LT);
  return single || joined ? conditions : 'ERR Multiple condition flags specified';
}

function expire(engine: Engine, command: CommandSpans, unitMs: number, absolute: boolean): Outcome {
  const entry = engine.find(command, 1);
  if (entry >= 0 && engine.db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  const when = fieldDeadlineAt(engine, command, 2, unitMs, absolute);
  if (typeof when === 'string') return engine.fail(when);
  const conditions = readConditions(engine, command);
  if (typeof conditions === 'string') return engine.fail(conditions);
  if (entry < 0) return APPLIED;
  for (let i = fields.first; i < fields.end; i++) {
    expireField(engine, command, entry, i, conditions, Number(when));
  }
  return APPLIED;
}

function expireField(
  engine: Engine,
  command: CommandSpans,
  entry: number,
  i: number,
  conditions: number,
  when: number,
): void {
  const { db } = engine;
  const { bytes, starts, ends } = command;
  const place = findField(db, entry, bytes, starts[i]!, ends[i]!);
  if (place < 0) return;
  const present = fieldExpiry(db, entry, place);
  const has = present !== NEVER;
  if ((conditions & NX) !== 0 && has) return;
  if ((conditions & (XX | GT)) !== 0 && !has) return;
  if ((conditions & GT) !== 0 && when <= present) return;
  if ((conditions & LT) !== 0 && has && when >= present) return;
  // In a packed hash of Redis, 0 is how a field says that it has none.
  const isNone = when === 0 && engine.product === 'redis' && db.formAt(entry) !== LARGE_HASH;
  setFieldExpiry(db, entry, bytes, starts[i]!, ends[i]!, isNone ? NEVER : when);
}

function persist(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  const refusal = readOnlyFields(engine, command);
  if (refusal !== '') return engine.fail(refusal);
  if (entry < 0) return APPLIED;
  const { bytes, starts, ends } = command;
  for (let i = 4; i < command.argc; i++) {
    if (findField(db, entry, bytes, starts[i]!, ends[i]!) < 0) continue;
    setFieldExpiry(db, entry, bytes, starts[i]!, ends[i]!, NEVER);
  }
  return APPLIED;
}

/** Reads a command that is a key and its fields. Returns the server's words for what is wrong, or ''. */
export function readOnlyFields(engine: Engine, command: CommandSpans): string {
  if (!command.is(2, 'FIELDS')) return NO_FIELDS;
  const refusal = readFields(engine, command, 2, 1);
  if (refusal !== '' || fields.end === command.argc) return refusal;
  return 'ERR The `numfields` parameter must match the number of arguments';
}
