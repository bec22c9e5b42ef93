import { parseSafeInteger } from '../../kernels/decimal.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { APPLIED, type Outcome } from '../outcome.js';
import type { CommandRow } from './row.js';

const DATABASES_MAX = 2 ** 31 - 1;

/** Commands about the connection, and those that say something without changing a key. */
export const connectionCommands: readonly CommandRow[] = [
  { name: 'SELECT', arity: 2, apply: select },
  ...[
    'PING',
    'REPLCONF',
    'PUBLISH',
    'SPUBLISH',
    'ECHO',
    'AUTH',
    'HELLO',
    'CLIENT',
    'INFO',
    'WAIT',
    'WATCH',
    'UNWATCH',
  ].map((name) => ({ name, arity: -1, apply: nothing })),
];

function nothing(): Outcome {
  return APPLIED;
}

/** Argument i as the number of a database; -1 when it cannot be one. */
export function databaseAt(command: CommandSpans, i: number): number {
  const index = parseSafeInteger(command.bytes, command.starts[i]!, command.ends[i]!);
  return index >= 0 && index <= DATABASES_MAX ? index : -1;
}

function select(engine: Engine, command: CommandSpans): Outcome {
  const index = databaseAt(command, 1);
  if (index < 0) return engine.fail('ERR invalid DB index');
  engine.select(index);
  return APPLIED;
}
