import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import type { Outcome } from '../outcome.js';

/** What the engine knows of a command. */
export interface CommandRow {
  /** In upper case. */
  readonly name: string;
  /** Number of arguments, the name included; negative: at least that many. */
  readonly arity: number;
  /** Executes it against `engine.db`. Validates everything before it changes anything. */
  apply(engine: Engine, command: CommandSpans): Outcome;
}
