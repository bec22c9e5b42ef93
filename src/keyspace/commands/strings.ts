import type { Long } from '../../bytes/int64.js';
import type { CommandSpans } from '../../resp/command.js';
import { copyBytes } from '../bytes.js';
import type { Engine } from '../engine.js';
import { STRING } from '../forms.js';
import { indexAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { deadlineAt } from './deadline.js';
import type { CommandRow } from './row.js';

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

/** The options of SET and GETEX, filled by `parseOptions`. */
const options = {
  ifAbsent: false,
  ifPresent: false,
  get: false,
  keepExpiry: false,
  persist: false,
  /** The value that the present one must equal, an argument number; 0: any. */
  ifEqual: 0,
  expiry: null as Long | null,
};

function set(engine: Engine, command: CommandSpans): Outcome {
  if (command.argc === 3) {
    put(engine, command, 1, 2, false);
    return APPLIED;
  }
  const refusal = parseOptions(engine, command, 3, true);
  if (refusal !== '') return engine.fail(refusal);
  const entry = engine.find(command, 1);
  if (entry >= 0 && options.get && engine.db.kindAt(entry) !== STRING) return engine.wrongType();
  if (options.ifEqual > 0) {
    if (entry >= 0 && engine.db.kindAt(entry) !== STRING) return engine.wrongType();
    if (entry < 0 || !equalsArgument(engine, entry, command, options.ifEqual)) return APPLIED;
  }
  if (entry >= 0 ? options.ifAbsent : options.ifPresent) return APPLIED;
  const { expiry } = options;
  const made = put(engine, command, 1, 2, options.keepExpiry);
  if (expiry !== null) engine.db.setExpiry(made, expiry);
  return APPLIED;
}

function equalsArgument(engine: Engine, entry: number, command: CommandSpans, i: number): boolean {
  const value = engine.db.getString(entry, engine.slice);
  return value.equals(engine.slice2.set(command.bytes, command.starts[i]!, command.ends[i]!));
}

/** Reads options from argument `from` on. Returns the server's words for what is wrong, or ''. */
function parseOptions(engine: Engine, command: CommandSpans, from: number, forSet: boolean): string {
  options.ifAbsent = options.ifPresent = options.get = options.keepExpiry = options.persist = false;
  options.ifEqual = 0;
  options.expiry = null;
  for (let i = from; i < command.argc; i++) {
    const timed = options.expiry !== null || options.keepExpiry || options.persist;
    const unitMs = timed || i + 1 === command.argc ? 0 : unitAt(command, i);
    if (unitMs > 0) {
      const absolute = command.size(i) === 4;
      const expiry = deadlineAt(engine, command, ++i, unitMs, absolute);
      if (typeof expiry === 'string') return expiry;
      options.expiry = expiry;
    } else if (forSet ? isSetOption(command, i, timed) : !timed && command.is(i, 'PERSIST')) {
      if (forSet) i += options.ifEqual === i + 1 ? 1 : 0;
      else options.persist = true;
    } else return 'ERR syntax error';
  }
  return '';
}

/** Milliseconds of the unit that EX, PX, EXAT or PXAT stands for; 0 for other words. */
function unitAt(command: CommandSpans, i: number): number {
  const length = command.size(i);
  if (length !== 2 && length !== 4) return 0;
  const start = command.starts[i]!;
  const { bytes } = command;
  if ((bytes[start + 1]! & 0xdf) !== 88) return 0;
  if (length === 4 && ((bytes[start + 2]! & 0xdf) !== 65 || (bytes[start + 3]! & 0xdf) !== 84)) return 0;
  const first = bytes[start]! & 0xdf;
  return first === 69 ? 1000 : first === 80 ? 1 : 0;
}

/** Notes an option of SET that takes no time. */
function isSetOption(command: CommandSpans, i: number, timed: boolean): boolean {
  const conditional = options.ifAbsent || options.ifPresent || options.ifEqual > 0;
  if (!conditional && command.is(i, 'NX')) options.ifAbsent = true;
  else if (!conditional && command.is(i, 'XX')) options.ifPresent = true;
  else if (!conditional && command.is(i, 'IFEQ') && i + 1 < command.argc) options.ifEqual = i + 1;
  else if (command.is(i, 'GET')) options.get = true;
  else if (!timed && command.is(i, 'KEEPTTL')) options.keepExpiry = true;
  else return false;
  return true;
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
  const refusal = parseOptions(engine, command, 2, false);
  if (refusal !== '') return engine.fail(refusal);
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (engine.db.kindAt(entry) !== STRING) return engine.wrongType();
  if (options.expiry !== null) engine.db.setExpiry(entry, options.expiry);
  else if (options.persist) engine.db.clearExpiry(entry);
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
