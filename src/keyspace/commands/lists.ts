import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { LIST, PACKED_LIST } from '../forms.js';
import { indexAt } from '../integers.js';
import {
  dropHead,
  dropTail,
  indexOfElement,
  insertElement,
  listLength,
  pushHead,
  pushTail,
  removeEqual,
  setElement,
} from '../lists.js';
import { APPLIED, type Outcome } from '../outcome.js';
import type { CommandRow } from './row.js';

/** Commands that add to lists and change them in place. */
export const listCommands: readonly CommandRow[] = [
  { name: 'LPUSH', arity: -3, apply: (engine, command) => push(engine, command, true, true) },
  { name: 'RPUSH', arity: -3, apply: (engine, command) => push(engine, command, false, true) },
  { name: 'LPUSHX', arity: -3, apply: (engine, command) => push(engine, command, true, false) },
  { name: 'RPUSHX', arity: -3, apply: (engine, command) => push(engine, command, false, false) },
  { name: 'LINSERT', arity: 5, apply: insert },
  { name: 'LSET', arity: 4, apply: set },
  { name: 'LREM', arity: 4, apply: removeMatching },
  { name: 'LTRIM', arity: 4, apply: trim },
];

function push(engine: Engine, command: CommandSpans, atHead: boolean, create: boolean): Outcome {
  const { db } = engine;
  const { bytes, starts, ends, argc } = command;
  const entry = create ? db.findOrCreate(bytes, starts[1]!, ends[1]!, PACKED_LIST) : engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== LIST) return engine.wrongType();
  for (let i = 2; i < argc; i++) {
    if (atHead) pushHead(db, entry, bytes, starts[i]!, ends[i]!);
    else pushTail(db, entry, bytes, starts[i]!, ends[i]!);
  }
  return APPLIED;
}

function insert(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const after = command.is(2, 'AFTER');
  if (!after && !command.is(2, 'BEFORE')) return engine.syntaxError();
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== LIST) return engine.wrongType();
  const { bytes, starts, ends } = command;
  const pivot = indexOfElement(db, entry, bytes, starts[3]!, ends[3]!);
  if (pivot >= 0) insertElement(db, entry, after ? pivot + 1 : pivot, bytes, starts[4]!, ends[4]!);
  return APPLIED;
}

function set(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry < 0) return engine.fail('ERR no such key');
  if (db.kindAt(entry) !== LIST) return engine.wrongType();
  const index = indexAt(command, 2);
  if (Number.isNaN(index)) return engine.notInteger();
  const length = listLength(db, entry);
  const at = index < 0 ? index + length : index;
  if (at < 0 || at >= length) return engine.fail('ERR index out of range');
  setElement(db, entry, at, command.bytes, command.starts[3]!, command.ends[3]!);
  return APPLIED;
}

function removeMatching(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const count = indexAt(command, 2);
  if (Number.isNaN(count)) return engine.notInteger();
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== LIST) return engine.wrongType();
  const limit = count === 0 ? Number.MAX_SAFE_INTEGER : Math.abs(count);
  removeEqual(db, entry, command.bytes, command.starts[3]!, command.ends[3]!, limit, count < 0);
  if (listLength(db, entry) === 0) db.delete(entry);
  return APPLIED;
}

function trim(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  let start = indexAt(command, 2);
  let stop = indexAt(command, 3);
  if (Number.isNaN(start) || Number.isNaN(stop)) return engine.notInteger();
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== LIST) return engine.wrongType();
  const length = listLength(db, entry);
  if (start < 0) start = Math.max(0, start + length);
  if (stop < 0) stop += length;
  if (start > stop || start >= length) {
    db.delete(entry);
    return APPLIED;
  }
  if (stop < length - 1) dropTail(db, entry, length - 1 - stop);
  if (start > 0) dropHead(db, entry, start);
  return APPLIED;
}
