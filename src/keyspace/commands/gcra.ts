import { type Long, normalLong } from '../../bytes/int64.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { GCRA, GCRA_OBJECT, TEXT } from '../forms.js';
import { GcraValue } from '../gcra-value.js';
import { longAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import type { CommandRow } from './row.js';

/** What GCRA, in the builds of Redis that have it, leaves in a log. */
export const gcraCommands: readonly CommandRow[] = [{ name: 'GCRASETVALUE', arity: 3, apply: setValue }];

/** GCRASETVALUE key time, in microseconds: when the bucket is empty, and then the key is of no more use. */
function setValue(engine: Engine, command: CommandSpans): Outcome {
  const { db } = engine;
  const { bytes, starts, ends } = command;
  const there = engine.find(command, 1);
  if (there >= 0 && db.kindAt(there) !== GCRA) return engine.wrongType();
  const time = longAt(command, 2);
  if (time === null) return engine.fail('ERR Invalid TaT value');
  if (time < 0) return engine.fail('ERR Invalid negative TaT value');
  const entry = db.findOrCreate(bytes, starts[1]!, ends[1]!, TEXT);
  db.setObject(entry, GCRA_OBJECT, new GcraValue(time));
  db.setExpiry(entry, millisecondsOf(time));
  return APPLIED;
}

function millisecondsOf(micros: Long): Long {
  return typeof micros === 'number' ? Math.floor(micros / 1000) : normalLong(micros / 1000n);
}
