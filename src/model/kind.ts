/** What a key holds, in the words of `TYPE`. */
export type ValueKind = 'string' | 'list' | 'set' | 'zset' | 'hash' | 'stream' | 'module';

/** The number of each kind in the servers' own object header; it enters DEBUG DIGEST. */
export const OBJECT_TYPE: Readonly<Record<ValueKind, number>> = {
  string: 0,
  list: 1,
  set: 2,
  zset: 3,
  hash: 4,
  module: 5,
  stream: 6,
};
