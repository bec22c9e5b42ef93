import type { CommandSpans } from '../../resp/command.js';
import type { Database } from '../database.js';
import type { Engine } from '../engine.js';
import { STRING, VECTOR_SET_OBJECT } from '../forms.js';
import { APPLIED, FAILED, type Outcome } from '../outcome.js';
import { type Comparison, comparisonAt, passes } from './comparison.js';
import { databaseAt } from './connection.js';
import type { CommandRow } from './row.js';

/** Commands about keys as a whole. */
export const keyCommands: readonly CommandRow[] = [
  { name: 'DEL', arity: -2, apply: remove },
  { name: 'UNLINK', arity: -2, apply: remove },
  { name: 'DELEX', arity: -2, apply: removeIf },
  { name: 'DELIFEQ', arity: 3, apply: removeIfEqual },
  { name: 'RENAME', arity: 3, apply: rename },
  { name: 'RENAMENX', arity: 3, apply: renameIfAbsent },
  { name: 'MOVE', arity: 3, apply: move },
  { name: 'COPY', arity: -3, apply: copy },
  { name: 'SWAPDB', arity: 3, apply: swap },
  { name: 'FLUSHDB', arity: -1, apply: flushDatabase },
  { name: 'FLUSHALL', arity: -1, apply: flushAll },
];

function remove(engine: Engine, command: CommandSpans): Outcome {
  for (let i = 1; i < command.argc; i++) {
    const entry = engine.find(command, i);
    if (entry >= 0) engine.db.delete(entry);
  }
  return APPLIED;
}

/** DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] of Redis 8.4 */
function removeIf(engine: Engine, command: CommandSpans): Outcome {
  if (command.argc === 2) return remove(engine, command);
  if (command.argc !== 4) return engine.wrongArity('delex');
  return removeComparing(engine, command, comparisonAt(command, 2), 3);
}

/** DELIFEQ key value of Valkey 9 */
function removeIfEqual(engine: Engine, command: CommandSpans): Outcome {
  return removeComparing(engine, command, { byDigest: false, wantsEqual: true }, 2);
}

function removeComparing(
  engine: Engine,
  command: CommandSpans,
  comparison: Comparison | null,
  i: number,
): Outcome {
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (engine.db.kindAt(entry) !== STRING) return engine.wrongType();
  if (comparison === null) return engine.fail('ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE');
  const passed = passes(engine, entry, comparison, command, i);
  if (passed === null) return FAILED;
  if (passed) engine.db.delete(entry);
  return APPLIED;
}

function noSuchKey(engine: Engine): Outcome {
  return engine.fail('ERR no such key');
}

function rename(engine: Engine, command: CommandSpans): Outcome {
  const entry = engine.find(command, 1);
  if (entry < 0) return noSuchKey(engine);
  engine.db.move(entry, engine.db, command.bytes, command.starts[2]!, command.ends[2]!);
  return APPLIED;
}

function renameIfAbsent(engine: Engine, command: CommandSpans): Outcome {
  if (engine.find(command, 1) < 0) return noSuchKey(engine);
  return engine.find(command, 2) < 0 ? rename(engine, command) : APPLIED;
}

function findIn(db: Database, command: CommandSpans, i: number): number {
  return db.find(command.bytes, command.starts[i]!, command.ends[i]!);
}

function move(engine: Engine, command: CommandSpans): Outcome {
  const index = databaseAt(command, 2);
  if (index < 0) return engine.fail('ERR value is not an integer or out of range');
  if (index === engine.selected) return engine.fail('ERR source and destination objects are the same');
  const entry = engine.find(command, 1);
  const target = engine.keyspace.database(index);
  if (entry < 0 || findIn(target, command, 1) >= 0) return APPLIED;
  engine.db.move(entry, target, command.bytes, command.starts[1]!, command.ends[1]!);
  return APPLIED;
}

function copy(engine: Engine, command: CommandSpans): Outcome {
  let target = engine.db;
  let replace = false;
  for (let i = 3; i < command.argc; i++) {
    if (command.is(i, 'REPLACE')) {
      replace = true;
    } else if (command.is(i, 'DB') && i + 1 < command.argc) {
      const index = databaseAt(command, ++i);
      if (index < 0) return engine.fail('ERR value is not an integer or out of range');
      target = engine.keyspace.database(index);
    } else {
      return engine.syntaxError();
    }
  }
  const entry = engine.find(command, 1);
  const there = findIn(target, command, 2);
  if (target === engine.db && sameArgument(command, 1, 2)) {
    return engine.fail('ERR source and destination objects are the same');
  }
  if (entry < 0 || (there >= 0 && !replace)) return APPLIED;
  if (engine.db.formAt(entry) === VECTOR_SET_OBJECT)
    return engine.fail('ERR not supported for this module key');
  if (there >= 0) target.delete(there);
  engine.db.copy(entry, target, command.bytes, command.starts[2]!, command.ends[2]!);
  return APPLIED;
}

function sameArgument(command: CommandSpans, a: number, b: number): boolean {
  const { bytes, starts, ends } = command;
  return bytes.compare(bytes, starts[b], ends[b], starts[a], ends[a]) === 0;
}

function swap(engine: Engine, command: CommandSpans): Outcome {
  const a = databaseAt(command, 1);
  const b = databaseAt(command, 2);
  if (a < 0) return engine.fail('ERR invalid first DB index');
  if (b < 0) return engine.fail('ERR invalid second DB index');
  engine.keyspace.swap(a, b);
  engine.select(engine.selected);
  return APPLIED;
}

/** The optional ASYNC or SYNC of a flush. */
function checkFlush(engine: Engine, command: CommandSpans): Outcome {
  if (command.argc === 1) return APPLIED;
  if (command.argc === 2 && (command.is(1, 'ASYNC') || command.is(1, 'SYNC'))) return APPLIED;
  return engine.syntaxError();
}

function flushDatabase(engine: Engine, command: CommandSpans): Outcome {
  if (checkFlush(engine, command) === FAILED) return FAILED;
  engine.keyspace.flush(engine.selected);
  engine.select(engine.selected);
  return APPLIED;
}

function flushAll(engine: Engine, command: CommandSpans): Outcome {
  if (checkFlush(engine, command) === FAILED) return FAILED;
  engine.keyspace.flushAll();
  engine.select(engine.selected);
  return APPLIED;
}
