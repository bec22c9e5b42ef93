import type { CommandRow } from './row.js';
export const stringCommands: readonly CommandRow[] = [];
