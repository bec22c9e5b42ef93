import type { CommandSpans } from '../../../resp/command.js';
import type { Engine } from '../../engine.js';
import { STRING } from '../../forms.js';
import { indexAt } from '../../integers.js';
import type { Reply } from '../reply.js';
import { OK } from '../reply.js';
import {
  applied,
  confirms,
  NOT_INTEGER,
  ofKind,
  type ReplyRow,
  rangeAt,
  reads,
  WRONG_TYPE,
  writes,
} from './row.js';

/** Replies of commands on strings. */
export const stringReplies: readonly ReplyRow[] = [
  reads(
    'GET',
    ofKind(STRING, null, (engine, _command, entry) => textOf(engine, entry)),
  ),
  reads('MGET', getMany),
  reads('STRLEN', ofKind(STRING, 0, lengthOf)),
  reads('GETRANGE', ofKind(STRING, '', part)),
  reads('SUBSTR', ofKind(STRING, '', part)),
  writes('SET', set),
  writes('SETNX', (engine, command) => {
    const existed = engine.find(command, 1) >= 0;
    return applied(engine, command) ?? (existed ? 0 : 1);
  }),
  confirms('SETEX'),
  confirms('PSETEX'),
  confirms('MSET'),
  writes('MSETNX', (engine, command) => {
    let existed = false;
    for (let i = 1; i < command.argc; i += 2) existed ||= engine.find(command, i) >= 0;
    return applied(engine, command) ?? (existed ? 0 : 1);
  }),
  writes('GETSET', before),
  writes('GETDEL', before),
  writes('GETEX', before),
  writes('APPEND', lengthAfter),
  writes('SETRANGE', lengthAfter),
  writes('INCR', numberAfter),
  writes('DECR', numberAfter),
  writes('INCRBY', numberAfter),
  writes('DECRBY', numberAfter),
  writes('INCRBYFLOAT', (engine, command) => applied(engine, command) ?? valueAt(engine, command)),
];

/** The string of an entry, one character per byte. */
export function textOf(engine: Engine, entry: number): string {
  return engine.db.getString(entry, engine.slice).latin1();
}

function lengthOf(engine: Engine, _command: CommandSpans, entry: number): number {
  return engine.db.getString(entry, engine.slice).length;
}

/** The string at argument 1, nil when there is none. */
function valueAt(engine: Engine, command: CommandSpans): string | null {
  const entry = engine.find(command, 1);
  return entry >= 0 && engine.db.kindAt(entry) === STRING ? textOf(engine, entry) : null;
}

function getMany(engine: Engine, command: CommandSpans): Reply {
  const values: Reply[] = [];
  for (let i = 1; i < command.argc; i++) {
    const entry = engine.find(command, i);
    values.push(entry >= 0 && engine.db.kindAt(entry) === STRING ? textOf(engine, entry) : null);
  }
  return values;
}

function part(engine: Engine, command: CommandSpans, entry: number): Reply {
  const text = textOf(engine, entry);
  const start = indexAt(command, 2);
  const stop = indexAt(command, 3);
  // Both ends before the beginning and the wrong way round give nothing, as a server has it.
  if (start < 0 && stop < 0 && start > stop) return '';
  const range = rangeAt(command, 2, text.length);
  if (range === null) return NOT_INTEGER;
  return text.slice(range[0], Math.max(range[1], stop < 0 ? 0 : range[1]) + 1);
}

function set(engine: Engine, command: CommandSpans): Reply {
  const found = engine.find(command, 1);
  let applies = true;
  let gets = false;
  for (let i = 3; i < command.argc; i++) {
    if (command.is(i, 'NX')) applies &&= found < 0;
    else if (command.is(i, 'XX')) applies &&= found >= 0;
    else if (command.is(i, 'GET')) gets = true;
    else if (command.is(i, 'EX') || command.is(i, 'PX')) i++;
  }
  if (gets && found >= 0 && engine.db.kindAt(found) !== STRING) return WRONG_TYPE;
  const old = gets ? valueAt(engine, command) : null;
  const failure = applied(engine, command);
  if (failure !== null) return failure;
  if (gets) return old;
  return applies ? OK : null;
}

/** What the key held before the command. */
function before(engine: Engine, command: CommandSpans): Reply {
  const value = valueAt(engine, command);
  return applied(engine, command) ?? value;
}

function lengthAfter(engine: Engine, command: CommandSpans): Reply {
  return applied(engine, command) ?? valueAt(engine, command)?.length ?? 0;
}

function numberAfter(engine: Engine, command: CommandSpans): Reply {
  return applied(engine, command) ?? Number(valueAt(engine, command));
}
