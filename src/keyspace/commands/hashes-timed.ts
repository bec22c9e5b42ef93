import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { HASH_KIND, PACKED_HASH } from '../forms.js';
import { findField, hashSize, NEVER, putField, removeField, setFieldExpiry } from '../hashes.js';
import { indexAt } from '../integers.js';
import { APPLIED, FAILED, type Outcome } from '../outcome.js';
import { deadlineAt } from './deadline.js';
import { checkFields } from './hashes-expiry.js';
import type { CommandRow } from './row.js';
import { unitAt } from './set-options.js';

/** Commands of Redis 8 and Valkey 9 that get or set fields and change how long they live. */
export const timedHashCommands: readonly CommandRow[] = [
  { name: 'HSETEX', arity: -6, apply: set },
  { name: 'HGETEX', arity: -5, apply: get },
  { name: 'HGETDEL', arity: -5, apply: getDelete },
];

/** The options before FIELDS. */
const options = {
  onlyNew: false,
  onlyPresent: false,
  keepExpiry: false,
  persist: false,
  /** NEVER: none was given. */
  expiry: NEVER,
  /** Number of the argument FIELDS. */
  fields: 0,
};

/** Reads the options. Returns the server's words for what is wrong, or ''. */
function parseOptions(engine: Engine, command: CommandSpans, forSet: boolean): string {
  options.onlyNew = options.onlyPresent = options.keepExpiry = options.persist = false;
  options.expiry = NEVER;
  for (let i = 2; i < command.argc; i++) {
    const timed = options.expiry !== NEVER || options.keepExpiry || options.persist;
    const conditional = options.onlyNew || options.onlyPresent;
    const unitMs = timed || i + 1 === command.argc ? 0 : unitAt(command, i);
    if (command.is(i, 'FIELDS')) {
      options.fields = i;
      return '';
    }
    if (forSet && !conditional && command.is(i, 'FNX')) options.onlyNew = true;
    else if (forSet && !conditional && command.is(i, 'FXX')) options.onlyPresent = true;
    else if (forSet && !timed && command.is(i, 'KEEPTTL')) options.keepExpiry = true;
    else if (!forSet && !timed && command.is(i, 'PERSIST')) options.persist = true;
    else if (unitMs > 0) {
      const absolute = command.size(i) === 4;
      const expiry = deadlineAt(engine, command, ++i, unitMs, absolute);
      if (typeof expiry === 'string') return expiry;
      options.expiry = Number(expiry);
    } else return 'ERR syntax error';
  }
  return 'ERR Mandatory argument FIELDS is missing or not at the right position';
}

function set(engine: Engine, command: CommandSpans): Outcome {
  const refusal = parseOptions(engine, command, true);
  if (refusal !== '') return engine.fail(refusal);
  const { db } = engine;
  const { bytes, starts, ends, argc } = command;
  const first = options.fields + 2;
  const count = first <= argc ? indexAt(command, first - 1) : Number.NaN;
  if (!(count > 0) || count * 2 !== argc - first) {
    return engine.fail('ERR The `numfields` parameter must match the number of arguments');
  }
  let entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  if (options.onlyNew || options.onlyPresent) {
    for (let i = first; i < argc; i += 2) {
      const present = entry >= 0 && findField(db, entry, bytes, starts[i]!, ends[i]!) >= 0;
      if (present !== options.onlyPresent) return APPLIED;
    }
  }
  if (entry < 0) entry = db.create(bytes, starts[1]!, ends[1]!, PACKED_HASH);
  for (let i = first; i < argc; i += 2) {
    const start = starts[i]!;
    const end = ends[i]!;
    putField(db, entry, bytes, start, end, bytes, starts[i + 1]!, ends[i + 1]!, options.keepExpiry);
    if (options.expiry !== NEVER) setFieldExpiry(db, entry, bytes, start, end, options.expiry);
  }
  return APPLIED;
}

function get(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  const refusal = parseOptions(engine, command, false);
  if (refusal !== '') return engine.fail(refusal);
  if (checkFields(engine, command, options.fields) === FAILED) return FAILED;
  if (entry < 0 || (options.expiry === NEVER && !options.persist)) return APPLIED;
  const { bytes, starts, ends } = command;
  for (let i = options.fields + 2; i < command.argc; i++) {
    if (findField(db, entry, bytes, starts[i]!, ends[i]!) < 0) continue;
    setFieldExpiry(db, entry, bytes, starts[i]!, ends[i]!, options.expiry);
  }
  return APPLIED;
}

function getDelete(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== HASH_KIND) return engine.wrongType();
  if (checkFields(engine, command, 2) === FAILED) return FAILED;
  if (entry < 0) return APPLIED;
  const { bytes, starts, ends } = command;
  for (let i = 4; i < command.argc; i++) removeField(db, entry, bytes, starts[i]!, ends[i]!);
  if (hashSize(db, entry) === 0) db.delete(entry);
  return APPLIED;
}
