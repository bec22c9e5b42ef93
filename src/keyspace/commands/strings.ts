import type { CommandSpans } from '../../resp/command.js';
import { copyBytes } from '../bytes.js';
import type { Engine } from '../engine.js';
import { STRING } from '../forms.js';
import { indexAt } from '../integers.js';
import { APPLIED, FAILED, type Outcome } from '../outcome.js';
import { passes } from './comparison.js';
import { deadlineAt } from './deadline.js';
import type { CommandRow } from './row.js';
import { parseSetOptions, setOptions } from './set-options.js';

/** The longest string a server takes by default. */
const STRING_MAX = 512 * 1024 * 1024;

/** Commands that set, replace and extend strings. */
export const stringCommands: readonly CommandRow[] = [
  { name: 'SET', arity: -3, apply: set },
  { name: 'SETEX', arity: 4, apply: (engine, command) => setWithin(engine, command, 1000) },
  { name: 'PSETEX', arity: 4, apply: (engine, command) => setWithin(engine, command, 1) },
  { name: 'SETNX', arity: 3, apply: setIfAbsent },
  { name: 'GETSET', arity: 3, apply: getSet },
  { name: 'GETDEL', arity: 2, apply: getDelete },
  { name: 'GETEX', arity: -2, apply: getExpiring },
  { name: 'MSET', arity: -3, apply: setMany },
  { name: 'MSETNX', arity: -3, apply: setManyIfAbsent },
  { name: 'MSETEX', arity: -4, apply: setManyExpiring },
  { name: 'APPEND', arity: 3, apply: append },
  { name: 'SETRANGE', arity: 4, apply: setRange },
];

function put(engine: Engine, command: CommandSpans, key: number, value: number, keepExpiry: boolean): number {
  const { bytes, starts, ends } = command;
  return engine.db.setString(
    bytes,
    starts[key]!,
    ends[key]!,
    bytes,
    starts[value]!,
    ends[value]!,
    keepExpiry,
  );
}

function set(engine: Engine, command: CommandSpans): Outcome {
  if (command.argc === 3) {
    put(engine, command, 1, 2, false);
    return APPLIED;
  }
  const refusal = parseSetOptions(engine, command, 3, true);
  if (refusal !== '') return engine.fail(refusal);
  const { get, comparison, compared, ifAbsent, ifPresent, keepExpiry, expiry } = setOptions;
  const entry = engine.find(command, 1);
  if (entry >= 0) {
    const isString = engine.db.kindAt(entry) === STRING;
    if (get && !isString) return engine.wrongType();
    if (ifAbsent) return APPLIED;
    if (comparison !== null) {
      if (!isString) return engine.wrongType();
      const passed = passes(engine, entry, comparison, command, compared);
      if (passed === null) return FAILED;
      if (!passed) return APPLIED;
    }
  } else if (ifPresent || comparison?.wantsEqual === true) {
    // An absent key equals nothing, and differs from everything.
    return APPLIED;
  }
  const made = put(engine, command, 1, 2, keepExpiry);
  if (expiry !== null) engine.db.setExpiry(made, expiry);
  return APPLIED;
}

/** SETEX and PSETEX. */
function setWithin(engine: Engine, command: CommandSpans, unitMs: number): Outcome {
  const expiry = deadlineAt(engine, command, 2, unitMs, false);
  if (typeof expiry === 'string') return engine.fail(expiry);
  engine.db.setExpiry(put(engine, command, 1, 3, false), expiry);
  return APPLIED;
}

function setIfAbsent(engine: Engine, command: CommandSpans): Outcome {
  if (engine.find(command, 1) < 0) put(engine, command, 1, 2, false);
  return APPLIED;
}

function getSet(engine: Engine, command: CommandSpans): Outcome {
  const entry = engine.find(command, 1);
  if (entry >= 0 && engine.db.kindAt(entry) !== STRING) return engine.wrongType();
  put(engine, command, 1, 2, false);
  return APPLIED;
}

function getDelete(engine: Engine, command: CommandSpans): Outcome {
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (engine.db.kindAt(entry) !== STRING) return engine.wrongType();
  engine.db.delete(entry);
  return APPLIED;
}

function getExpiring(engine: Engine, command: CommandSpans): Outcome {
  const refusal = parseSetOptions(engine, command, 2, false);
  if (refusal !== '') return engine.fail(refusal);
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (engine.db.kindAt(entry) !== STRING) return engine.wrongType();
  if (setOptions.expiry !== null) engine.db.setExpiry(entry, setOptions.expiry);
  else if (setOptions.persist) engine.db.clearExpiry(entry);
  return APPLIED;
}

function setMany(engine: Engine, command: CommandSpans): Outcome {
  if (command.argc % 2 === 0) return engine.wrongArity('mset');
  for (let i = 1; i < command.argc; i += 2) put(engine, command, i, i + 1, false);
  return APPLIED;
}

function setManyIfAbsent(engine: Engine, command: CommandSpans): Outcome {
  if (command.argc % 2 === 0) return engine.wrongArity('msetnx');
  for (let i = 1; i < command.argc; i += 2) if (engine.find(command, i) >= 0) return APPLIED;
  return setMany(engine, command);
}

/** MSETEX of Redis 8.4 and Valkey 9.1: numkeys key value … and the options of SET. */
function setManyExpiring(engine: Engine, command: CommandSpans): Outcome {
  const count = indexAt(command, 1);
  if (!(count > 0)) return engine.fail('ERR invalid numkeys value');
  const end = 2 + count * 2;
  if (end > command.argc) return engine.wrongArity('msetex');
  const refusal = parseSetOptions(engine, command, end, true);
  if (refusal !== '' || setOptions.get || setOptions.comparison !== null) {
    return engine.fail(refusal === '' ? 'ERR syntax error' : refusal);
  }
  const { ifAbsent, ifPresent, keepExpiry, expiry } = setOptions;
  for (let i = 2; (ifAbsent || ifPresent) && i < end; i += 2) {
    if (engine.find(command, i) >= 0 ? ifAbsent : ifPresent) return APPLIED;
  }
  for (let i = 2; i < end; i += 2) {
    const entry = put(engine, command, i, i + 1, keepExpiry);
    if (expiry !== null) engine.db.setExpiry(entry, expiry);
  }
  return APPLIED;
}

function append(engine: Engine, command: CommandSpans): Outcome {
  const entry = engine.find(command, 1);
  if (entry < 0) {
    put(engine, command, 1, 2, false);
    return APPLIED;
  }
  const { db } = engine;
  if (db.kindAt(entry) !== STRING) return engine.wrongType();
  return write(engine, entry, db.getString(entry, engine.slice).length, command, 2);
}

function setRange(engine: Engine, command: CommandSpans): Outcome {
  const offset = indexAt(command, 2);
  if (Number.isNaN(offset)) return engine.notInteger();
  if (offset < 0) return engine.fail('ERR offset is out of range');
  let entry = engine.find(command, 1);
  const { db } = engine;
  if (entry >= 0 && db.kindAt(entry) !== STRING) return engine.wrongType();
  if (command.size(3) === 0) return APPLIED;
  if (offset + command.size(3) > STRING_MAX) return engine.tooLong();
  if (entry < 0) {
    const { bytes, starts, ends } = command;
    entry = db.setString(bytes, starts[1]!, ends[1]!, bytes, 0, 0);
  }
  return write(engine, entry, offset, command, 3);
}

/** Puts argument `value` at an offset of a string, which grows for it. */
function write(engine: Engine, entry: number, offset: number, command: CommandSpans, value: number): Outcome {
  const { db, slice } = engine;
  const end = offset + command.size(value);
  if (end > STRING_MAX) return engine.tooLong();
  if (end > db.getString(entry, slice).length) db.resizeString(entry, end);
  db.getString(entry, slice);
  copyBytes(command.bytes, command.starts[value]!, command.ends[value]!, slice.bytes, slice.start + offset);
  return APPLIED;
}
