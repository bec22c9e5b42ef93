import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { HASH_KIND, PACKED_HASH } from '../forms.js';
import { findField, hashSize, NEVER, putField, removeField, setFieldExpiry } from '../hashes.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { fieldDeadlineAt, fields, NO_FIELDS, readFields } from './hashes-arguments.js';
import { readOnlyFields } from './hashes-expiry.js';
import type { CommandRow } from './row.js';
import { unitAt } from './set-options.js';

/** Commands of Redis 8 and Valkey 9 that get or set fields and change how long they live. */
export const timedHashCommands: readonly CommandRow[] = [
  { name: 'HSETEX', arity: -6, apply: set },
  { name: 'HGETEX', arity: -5, apply: get },
  { name: 'HGETDEL', arity: -5, apply: getDelete },
];

/** The options beside FIELDS. */
const options = {
  /** Valkey 9.1: whether the key itself must be absent or there. */
  keyAbsent: false,
  keyPresent: false,
  onlyNew: false,
  onlyPresent: false,
  keepExpiry: false,
  persist: false,
  /** NEVER: none was given. */
  expiry: NEVER,
};

/** Reads options and FIELDS from argument 2. Returns the server's words for what is wrong, or ''. */
function parseOptions(engine: Engine, command: CommandSpans, forSet: boolean): string {
  options.keyAbsent = options.keyPresent = options.onlyNew = options.onlyPresent = false;
  options.keepExpiry = options.persist = false;
  options.expiry = NEVER;
  fields.first = 0;
  for (let i = 2; i < command.argc; i++) {
    if (command.is(i, 'FIELDS')) {
      if (fields.first > 0) return 'ERR FIELDS keyword specified multiple times';
      const refusal = readFields(engine, command, i, forSet ? 2 : 1);
      if (refusal !== '') return refusal;
      i = fields.end - 1;
      continue;
    }
    const timed = options.expiry !== NEVER || options.keepExpiry || options.persist;
    const unitMs = timed || i + 1 === command.argc ? 0 : unitAt(command, i);
    if (unitMs > 0) {
      const absolute = command.size(i) === 4;
      const expiry = fieldDeadlineAt(engine, command, ++i, unitMs, absolute);
      if (typeof expiry === 'string') return expiry;
      options.expiry = Number(expiry);
    } else if (forSet ? !isSetOption(engine, command, i, timed) : timed || !command.is(i, 'PERSIST')) {
      return timed && isTiming(command, i) ? ONLY_ONE_TIME : `ERR unknown argument: ${command.latin1(i)}`;
    } else if (!forSet) {
      options.persist = true;
    }
  }
  return fields.first === 0 ? NO_FIELDS : '';
}

const ONLY_ONE_TIME = 'ERR Only one of EX, PX, EXAT, PXAT, KEEPTTL or PERSIST arguments can be specified';

function isTiming(command: CommandSpans, i: number): boolean {
  return unitAt(command, i) > 0 || command.is(i, 'KEEPTTL') || command.is(i, 'PERSIST');
}

/** Notes an option of HSETEX that stands alone. */
function isSetOption(engine: Engine, command: CommandSpans, i: number, timed: boolean): boolean {
  const aboutKey = engine.product === 'valkey';
  if (!options.onlyPresent && command.is(i, 'FNX')) options.onlyNew = true;
  else if (!options.onlyNew && command.is(i, 'FXX')) options.onlyPresent = true;
  else if (aboutKey && !options.keyPresent && command.is(i, 'NX')) options.keyAbsent = true;
  else if (aboutKey && !options.keyAbsent && command.is(i, 'XX')) options.keyPresent = true;
  else if (!timed && command.is(i, 'KEEPTTL')) options.keepExpiry = true;
  else return false;
  return true;
}

function set(engine: Engine, command: CommandSpans): Outcome {
  const refusal = parseOptions(engine, command, true);
  if (refusal !== '') return engine.fail(refusal);
  const { db } = engine;
  const { bytes, starts, ends } = command;
  const { first, end } = fields;
  let entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  if (entry >= 0 ? options.keyAbsent : options.keyPresent) return APPLIED;
  if (options.onlyNew || options.onlyPresent) {
    for (let i = first; i < end; i += 2) {
      const present = entry >= 0 && findField(db, entry, bytes, starts[i]!, ends[i]!) >= 0;
      if (present !== options.onlyPresent) return APPLIED;
    }
  }
  if (entry < 0) entry = db.create(bytes, starts[1]!, ends[1]!, PACKED_HASH);
  for (let i = first; i < end; i += 2) {
    const from = starts[i]!;
    const to = ends[i]!;
    putField(db, entry, bytes, from, to, bytes, starts[i + 1]!, ends[i + 1]!, options.keepExpiry);
    if (options.expiry !== NEVER) setFieldExpiry(db, entry, bytes, from, to, options.expiry);
  }
  return APPLIED;
}

function get(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  const refusal = parseOptions(engine, command, false);
  if (refusal !== '') return engine.fail(refusal);
  if (entry < 0 || (options.expiry === NEVER && !options.persist)) return APPLIED;
  const { bytes, starts, ends } = command;
  for (let i = fields.first; i < fields.end; i++) {
    if (findField(db, entry, bytes, starts[i]!, ends[i]!) < 0) continue;
    setFieldExpiry(db, entry, bytes, starts[i]!, ends[i]!, options.expiry);
  }
  return APPLIED;
}

function getDelete(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  const refusal = readOnlyFields(engine, command);
  if (refusal !== '') return engine.fail(refusal);
  if (entry < 0) return APPLIED;
  const { bytes, starts, ends } = command;
  for (let i = 4; i < command.argc; i++) removeField(db, entry, bytes, starts[i]!, ends[i]!);
  if (hashSize(db, entry) === 0) db.delete(entry);
  return APPLIED;
}
