import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';

const KEY = Buffer.from('result', 'latin1');

/** Starts an empty value of a packed form in `engine.keyspace.scratch`. Returns its entry there. */
export function beginResult(engine: Engine, form: number): number {
  return engine.keyspace.scratch.reset(KEY, 0, KEY.length, form);
}

/**
 * Makes the value that `beginResult` started that of the key in argument i, whatever that held, without expiry. With a
 * size of 0 the key goes instead.
 */
export function storeResult(engine: Engine, command: CommandSpans, i: number, size: number): void {
  const { scratch } = engine.keyspace;
  const result = scratch.find(KEY, 0, KEY.length);
  if (size > 0) {
    scratch.move(result, engine.db, command.bytes, command.starts[i]!, command.ends[i]!);
    return;
  }
  scratch.delete(result);
  const entry = engine.find(command, i);
  if (entry >= 0) engine.db.delete(entry);
}
