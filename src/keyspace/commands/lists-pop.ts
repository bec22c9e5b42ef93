import { ByteSlice } from '../../bytes/slice.js';
import type { CommandSpans } from '../../resp/command.js';
import { copyBytes } from '../bytes.js';
import type { Engine } from '../engine.js';
import { LIST, PACKED_LIST } from '../forms.js';
import { indexAt } from '../integers.js';
import { dropHead, dropTail, listLength, peekHead, peekTail, pushHead, pushTail } from '../lists.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { type Ends, popFirst, popMany, waiting } from './pops.js';
import type { CommandRow } from './row.js';

/** Commands that take from lists. Those that would block find what they want or do nothing. */
export const listPopCommands: readonly CommandRow[] = [
  { name: 'LPOP', arity: -2, apply: (engine, command) => pop(engine, command, true) },
  { name: 'RPOP', arity: -2, apply: (engine, command) => pop(engine, command, false) },
  {
    name: 'BLPOP',
    arity: -3,
    apply: waiting(-1, (engine, command) => popFirst(engine, command, LISTS, true)),
  },
  {
    name: 'BRPOP',
    arity: -3,
    apply: waiting(-1, (engine, command) => popFirst(engine, command, LISTS, false)),
  },
  { name: 'LMPOP', arity: -4, apply: (engine, command) => popMany(engine, command, LISTS, 1) },
  { name: 'BLMPOP', arity: -5, apply: waiting(1, (engine, command) => popMany(engine, command, LISTS, 2)) },
  { name: 'RPOPLPUSH', arity: 3, apply: (engine, command) => transfer(engine, command, false, true) },
  {
    name: 'BRPOPLPUSH',
    arity: 4,
    apply: waiting(3, (engine, command) => transfer(engine, command, false, true)),
  },
  { name: 'LMOVE', arity: 5, apply: move },
  { name: 'BLMOVE', arity: 6, apply: waiting(5, move) },
];

const LISTS: Ends = { kind: LIST, first: 'LEFT', last: 'RIGHT', drop };

function drop(engine: Engine, entry: number, count: number, fromHead: boolean): void {
  const { db } = engine;
  if (fromHead) dropHead(db, entry, count);
  else dropTail(db, entry, count);
  if (listLength(db, entry) === 0) db.delete(entry);
}

function pop(engine: Engine, command: CommandSpans, fromHead: boolean): Outcome {
  if (command.argc > 3) return engine.wrongArity(fromHead ? 'lpop' : 'rpop');
  const count = command.argc === 3 ? indexAt(command, 2) : 1;
  if (!(count >= 0)) return engine.fail('ERR value is out of range, must be positive');
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (engine.db.kindAt(entry) !== LIST) return engine.wrongType();
  if (count > 0) drop(engine, entry, count, fromHead);
  return APPLIED;
}

function move(engine: Engine, command: CommandSpans): Outcome {
  const fromHead = command.is(3, 'LEFT');
  const toHead = command.is(4, 'LEFT');
  if (!fromHead && !command.is(3, 'RIGHT')) return engine.syntaxError();
  if (!toHead && !command.is(4, 'RIGHT')) return engine.syntaxError();
  return transfer(engine, command, fromHead, toHead);
}

const element = new ByteSlice();
let carried: Buffer = Buffer.allocUnsafeSlow(1024);

/** Moves one element from the list of argument 1 to that of argument 2, which may be the same. */
function transfer(engine: Engine, command: CommandSpans, fromHead: boolean, toHead: boolean): Outcome {
  const { db } = engine;
  const { bytes, starts, ends } = command;
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  if (db.kindAt(entry) !== LIST) return engine.wrongType();
  let target = engine.find(command, 2);
  if (target >= 0 && db.kindAt(target) !== LIST) return engine.wrongType();
  if (fromHead) peekHead(db, entry, element);
  else peekTail(db, entry, element);
  const { length } = element;
  if (length > carried.length) carried = Buffer.allocUnsafeSlow(length * 2);
  copyBytes(element.bytes, element.start, element.end, carried, 0);
  // A list that is its own target must not go while it is empty.
  if (target === entry) {
    if (fromHead) dropHead(db, entry, 1);
    else dropTail(db, entry, 1);
  } else {
    drop(engine, entry, 1, fromHead);
    if (target < 0) target = db.create(bytes, starts[2]!, ends[2]!, PACKED_LIST);
  }
  if (toHead) pushHead(db, target, carried, 0, length);
  else pushTail(db, target, carried, 0, length);
  return APPLIED;
}
