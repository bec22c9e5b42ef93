import { connectionCommands } from './connection.js';
import type { CommandRow } from './row.js';
import { stringCommands } from './strings.js';

/** Every command the engine executes, one list per family. */
export const COMMANDS: readonly CommandRow[] = [...connectionCommands, ...stringCommands];
