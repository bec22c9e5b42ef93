import { sha1Hex } from '../../kernels/sha1.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { Scripts } from '../script/scripts.js';
import type { CommandRow } from './row.js';

/** Scripts, which servers up to 4.0 log as they were called; later ones log what a script did. */
export const scriptCommands: readonly CommandRow[] = [
  { name: 'EVAL', arity: -3, apply: (engine, command) => scriptsOf(engine).evaluate(command, false) },
  { name: 'EVALSHA', arity: -3, apply: (engine, command) => scriptsOf(engine).evaluate(command, true) },
  { name: 'SCRIPT', arity: -2, apply: script },
];

function scriptsOf(engine: Engine): Scripts {
  engine.scripts ??= new Scripts(engine);
  return engine.scripts;
}

/** SCRIPT LOAD and FLUSH; the others change nothing. A text is compiled when it is called. */
function script(engine: Engine, command: CommandSpans): Outcome {
  if (command.is(1, 'FLUSH')) {
    engine.keyspace.scripts.clear();
    engine.scripts = null;
  } else if (command.is(1, 'LOAD')) {
    if (command.argc !== 3) return engine.wrongArity('script');
    const { bytes, starts, ends } = command;
    engine.keyspace.scripts.set(sha1Hex(bytes, starts[2], ends[2]), command.latin1(2));
  }
  return APPLIED;
}
