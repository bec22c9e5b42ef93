import { readFileSync } from 'node:fs';

/** How `--as` names the server of a corpus folder: `redis-7.0.15` prints digests as `redis-7.0`. */
export function digestName(server: string): string {
  return /^[a-z]+-\d+\.\d+/.exec(server)![0];
}

/** Keys in all databases together. */
export function sizeOf(dbsize: Readonly<Record<string, number>>): number {
  return Object.values(dbsize).reduce((total, size) => total + size, 0);
}

/** Where a log of one file holds its first EVAL, whose Lua only a server can run; -1 when it has none. */
export function firstScript(path: string): number {
  if (!path.endsWith('.aof')) return -1;
  const bytes = readFileSync(path);
  const name = bytes.indexOf('\r\n$4\r\nEVAL\r\n');
  return name < 0 ? -1 : bytes.lastIndexOf('*', name);
}
