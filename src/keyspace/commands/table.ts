import { bitCommands } from './bits.js';
import { connectionCommands } from './connection.js';
import { hyperLogLogCommands } from './hyperloglog.js';
import type { CommandRow } from './row.js';
import { streamCommands } from './streams.js';
import { streamClaimCommands } from './streams-claim.js';
import { streamGroupCommands } from './streams-groups.js';
import { streamReadCommands } from './streams-read.js';
import { stringCommands } from './strings.js';

/** Every command the engine executes, one list per family. */
export const COMMANDS: readonly CommandRow[] = [
  ...connectionCommands,
  ...stringCommands,
  ...bitCommands,
  ...hyperLogLogCommands,
  ...streamCommands,
  ...streamGroupCommands,
  ...streamClaimCommands,
  ...streamReadCommands,
];
