/** How `--as` names the server of a corpus folder: `redis-7.0.15` prints digests as `redis-7.0`. */
export function digestName(server: string): string {
  return /^[a-z]+-\d+\.\d+/.exec(server)![0];
}

/** Keys in all databases together. */
export function sizeOf(dbsize: Readonly<Record<string, number>>): number {
  return Object.values(dbsize).reduce((total, size) => total + size, 0);
}
