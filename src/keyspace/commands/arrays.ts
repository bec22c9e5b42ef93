import { addLong, type Long } from '../../bytes/int64.js';
import type { CommandSpans } from '../../resp/command.js';
import { ArrayValue, NO_CURSOR, remainder } from '../array/array.js';
import { NO_INDEX, unsignedAt } from '../array/index-text.js';
import type { Engine } from '../engine.js';
import { ARRAY, ARRAY_OBJECT, TEXT } from '../forms.js';
import { longAt } from '../integers.js';
import { APPLIED, type FAILED, type Outcome } from '../outcome.js';
import type { CommandRow } from './row.js';

/** Commands on arrays, of Redis 8.8. */
export const arrayCommands: readonly CommandRow[] = [
  { name: 'ARSET', arity: -4, apply: setRun },
  { name: 'ARMSET', arity: -4, apply: setPairs },
  { name: 'ARINSERT', arity: -3, apply: insert },
  { name: 'ARRING', arity: -4, apply: insertInRing },
  { name: 'ARSEEK', arity: 3, apply: seek },
  { name: 'ARDEL', arity: -3, apply: remove },
  { name: 'ARDELRANGE', arity: -4, apply: removeRanges },
];

/** The array of the key in argument 1, made when the key is absent; null when it holds something else. */
function arrayFor(engine: Engine, command: CommandSpans): ArrayValue | null {
  const { db } = engine;
  const there = engine.find(command, 1);
  if (there >= 0) return db.kindAt(there) === ARRAY ? (db.objectAt(there) as ArrayValue) : null;
  const made = new ArrayValue();
  const entry = db.create(command.bytes, command.starts[1]!, command.ends[1]!, TEXT);
  db.setObject(entry, ARRAY_OBJECT, made);
  return made;
}

function invalidIndex(engine: Engine): typeof FAILED {
  return engine.fail('ERR invalid array index');
}

/** The last of `count` indexes from one on; null when that leaves the range of indexes. */
function lastOf(first: Long, count: number): Long | null {
  const last = addLong(first, count - 1);
  return last >= NO_INDEX ? null : last;
}

function setAt(array: ArrayValue, index: Long, { bytes, starts, ends }: CommandSpans, i: number): void {
  array.set(index, bytes, starts[i]!, ends[i]!);
}

/** Whether each of the arguments from `first` on, `step` apart, is an index. */
function areIndexes(command: CommandSpans, first: number, step: number): boolean {
  for (let i = first; i < command.argc; i += step) {
    const index = unsignedAt(command, i);
    if (index === null || index === NO_INDEX) return false;
  }
  return true;
}

/** ARSET key index value [value …]: at consecutive indexes. */
function setRun(engine: Engine, command: CommandSpans): Outcome {
  const { argc } = command;
  const first = unsignedAt(command, 2);
  if (first === null || first === NO_INDEX) return invalidIndex(engine);
  if (lastOf(first, argc - 3) === null) return engine.fail('ERR array index overflow');
  const array = arrayFor(engine, command);
  if (array === null) return engine.wrongType();
  for (let i = 3, index = first; i < argc; i++) {
    setAt(array, index, command, i);
    index = addLong(index, 1);
  }
  return APPLIED;
}

/** ARMSET key index value [index value …] */
function setPairs(engine: Engine, command: CommandSpans): Outcome {
  const { argc } = command;
  if (argc % 2 !== 0) return engine.wrongArity('armset');
  if (!areIndexes(command, 2, 2)) return invalidIndex(engine);
  const array = arrayFor(engine, command);
  if (array === null) return engine.wrongType();
  for (let i = 2; i < argc; i += 2) setAt(array, unsignedAt(command, i)!, command, i + 1);
  return APPLIED;
}

/** ARINSERT key value [value …]: behind the cursor, which goes along. */
function insert(engine: Engine, command: CommandSpans): Outcome {
  const { argc } = command;
  const array = arrayFor(engine, command);
  if (array === null) return engine.wrongType();
  const first = array.next;
  const last = lastOf(first, argc - 2);
  if (last === null) return engine.fail('ERR insert index overflow');
  for (let i = 2, index = first; i < argc; i++) {
    setAt(array, index, command, i);
    index = addLong(index, 1);
  }
  array.cursor = last;
  return APPLIED;
}

/** ARRING key size value [value …]: the same, from `size` on at 0 again. */
function insertInRing(engine: Engine, command: CommandSpans): Outcome {
  const size = longAt(command, 2);
  if (size === null) return engine.fail('ERR invalid size');
  if (size <= 0) return engine.fail('ERR size must be positive');
  const array = arrayFor(engine, command);
  if (array === null) return engine.wrongType();
  array.ring(size);
  for (let i = 3; i < command.argc; i++) {
    const next = remainder(array.next, size);
    setAt(array, next, command, i);
    array.cursor = next;
  }
  return APPLIED;
}

/** ARSEEK key index: the next insertion goes there. */
function seek(engine: Engine, command: CommandSpans): Outcome {
  const index = unsignedAt(command, 2);
  if (index === null) return invalidIndex(engine);
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== ARRAY) return engine.wrongType();
  (db.objectAt(entry) as ArrayValue).cursor = index === 0 ? NO_CURSOR : addLong(index, -1);
  return APPLIED;
}

/** ARDEL key index [index …] */
function remove(engine: Engine, command: CommandSpans): Outcome {
  if (!areIndexes(command, 2, 1)) return invalidIndex(engine);
  return shrink(engine, command, (array) => {
    for (let i = 2; i < command.argc; i++) array.delete(unsignedAt(command, i)!);
  });
}

/** ARDELRANGE key from to [from to …]: each range in either direction. */
function removeRanges(engine: Engine, command: CommandSpans): Outcome {
  const { argc } = command;
  if (argc % 2 !== 0) return engine.wrongArity('ardelrange');
  if (!areIndexes(command, 2, 1)) return invalidIndex(engine);
  return shrink(engine, command, (array) => {
    for (let i = 2; i < argc; i += 2) {
      const a = unsignedAt(command, i)!;
      const b = unsignedAt(command, i + 1)!;
      array.deleteRange(a < b ? a : b, a < b ? b : a);
    }
  });
}

/** Takes elements from an array; one that is empty then goes with its key. */
function shrink(engine: Engine, command: CommandSpans, change: (array: ArrayValue) => void): Outcome {
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== ARRAY) return engine.wrongType();
  const array = db.objectAt(entry) as ArrayValue;
  change(array);
  if (array.count === 0) db.delete(entry);
  return APPLIED;
}
