import { highWord, type Long, lowWord } from '../../bytes/int64.js';
import { INT64_TEXT_MAX, writeInt64 } from '../../kernels/decimal.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { STRING } from '../forms.js';
import { longAt, longOf, negated, sumOf } from '../integers.js';
import { APPLIED, FAILED, type Outcome } from '../outcome.js';
import { sumOfFloats } from './floats.js';
import type { CommandRow } from './row.js';

/** Commands that count in strings. */
export const counterCommands: readonly CommandRow[] = [
  { name: 'INCR', arity: 2, apply: (engine, command) => add(engine, command, 1) },
  { name: 'DECR', arity: 2, apply: (engine, command) => add(engine, command, -1) },
  { name: 'INCRBY', arity: 3, apply: incrementBy },
  { name: 'DECRBY', arity: 3, apply: decrementBy },
  { name: 'INCRBYFLOAT', arity: 3, apply: incrementByFloat },
];

/** The first release that refuses to turn the sign of the least number; before, that number was added as it stood. */
const GUARDS_LEAST = 700;

const text = Buffer.alloc(INT64_TEXT_MAX + 1);

function add(engine: Engine, command: CommandSpans, delta: Long): Outcome {
  const { db } = engine;
  const entry = engine.find(command, 1);
  let value: Long | null = 0;
  if (entry >= 0) {
    if (db.kindAt(entry) !== STRING) return engine.wrongType();
    const { bytes, start, end } = db.getString(entry, engine.slice);
    value = longOf(bytes, start, end);
    if (value === null) return engine.notInteger();
  }
  const sum = sumOf(value, delta);
  if (sum === null) return engine.fail('ERR increment or decrement would overflow');
  const length = writeInt64(highWord(sum), lowWord(sum), text, 0);
  if (entry >= 0) db.overwriteString(entry, text, 0, length);
  else db.setString(command.bytes, command.starts[1]!, command.ends[1]!, text, 0, length);
  return APPLIED;
}

function incrementBy(engine: Engine, command: CommandSpans): Outcome {
  const delta = longAt(command, 2);
  return delta === null ? engine.notInteger() : add(engine, command, delta);
}

function decrementBy(engine: Engine, command: CommandSpans): Outcome {
  const value = longAt(command, 2);
  if (value === null) return engine.notInteger();
  const delta = negated(value);
  if (delta !== null) return add(engine, command, delta);
  return engine.release < GUARDS_LEAST
    ? add(engine, command, value)
    : engine.fail('ERR decrement would overflow');
}

function incrementByFloat(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== STRING) return engine.wrongType();
  const value = entry >= 0 ? db.getString(entry, engine.slice).latin1() : '0';
  const sum = sumOfFloats(engine, value, command.latin1(2), 'ERR value is not a valid float');
  if (sum === null) return FAILED;
  const bytes = Buffer.from(sum, 'latin1');
  if (entry >= 0) db.overwriteString(entry, bytes, 0, bytes.length);
  else db.setString(command.bytes, command.starts[1]!, command.ends[1]!, bytes, 0, bytes.length);
  return APPLIED;
}
