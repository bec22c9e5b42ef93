/** What a key holds, in the words of `TYPE`. */
export type ValueKind =
  | 'string'
  | 'list'
  | 'set'
  | 'zset'
  | 'hash'
  | 'stream'
  | 'module'
  /** Redis 8.8: elements by index, with gaps. */
  | 'array'
  /** Redis, in special builds: the state of one rate limit. */
  | 'gcra'
  /** KeyDB: a script that runs at times. */
  | 'cron';

/** The number of each kind in the servers' own object header; it enters DEBUG DIGEST. Products share numbers. */
export const OBJECT_TYPE: Readonly<Record<ValueKind, number>> = {
  string: 0,
  list: 1,
  set: 2,
  zset: 3,
  hash: 4,
  module: 5,
  stream: 6,
  array: 7,
  gcra: 8,
  cron: 7,
};
