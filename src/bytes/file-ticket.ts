import type { Stats } from 'node:fs';
import type { FileTicket } from './source.js';

/** Of the file that was found under a name. */
export function ticketOf(path: string, stats: Stats): FileTicket {
  return { path, size: stats.size, identity: identityOf(stats), modifiedMs: stats.mtimeMs };
}

export const identityOf = (stats: Stats): string => `${stats.dev}:${stats.ino}`;
