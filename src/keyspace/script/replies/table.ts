import type { KnownCommand } from '../../../model/commands.js';
import { bitReplies } from './bits.js';
import { computedReplies } from './computed.js';
import { hashReplies } from './hashes.js';
import { keyReplies } from './keys.js';
import { listReplies } from './lists.js';
import type { ReplyRow } from './row.js';
import { setReplies } from './sets.js';
import { stringReplies } from './strings.js';
import { zsetReplies } from './zsets.js';

/** What scripts are told of each command that they can call here. */
export const REPLIES: ReadonlyMap<string, ReplyRow> = new Map(
  [
    ...stringReplies,
    ...keyReplies,
    ...listReplies,
    ...hashReplies,
    ...setReplies,
    ...zsetReplies,
    ...bitReplies,
    ...computedReplies,
  ].map((row) => [row.name, row]),
);

/** Commands whose reply may differ between servers with the same data: no writing after them. */
export const RANDOM: ReadonlySet<string> = new Set([
  'HSCAN',
  'LASTSAVE',
  'PUBSUB',
  'RANDOMKEY',
  'SCAN',
  'SPOP',
  'SRANDMEMBER',
  'SSCAN',
  'TIME',
  'ZSCAN',
]);

/** Commands whose reply has no order of its own: scripts get it sorted. */
export const SORTED: ReadonlySet<string> = new Set([
  'HKEYS',
  'HVALS',
  'KEYS',
  'SDIFF',
  'SINTER',
  'SMEMBERS',
  'SUNION',
]);

const FORBIDDEN: ReadonlySet<string> = new Set([
  'AUTH',
  'BLPOP',
  'BRPOP',
  'BRPOPLPUSH',
  'CLIENT',
  'DEBUG',
  'DISCARD',
  'EVAL',
  'EVALSHA',
  'EXEC',
  'LATENCY',
  'MONITOR',
  'MULTI',
  'PSUBSCRIBE',
  'PSYNC',
  'PUNSUBSCRIBE',
  'REPLCONF',
  'ROLE',
  'SAVE',
  'SCRIPT',
  'SLAVEOF',
  'SUBSCRIBE',
  'SYNC',
  'UNSUBSCRIBE',
  'UNWATCH',
  'WAIT',
  'WATCH',
]);

/** Whether a release (major * 100 + minor) of Redis knows a command; what others brought may be known. */
export function isKnownTo(command: KnownCommand, release: number): boolean {
  const since = /^redis (\d+)\.(\d+)$/.exec(command.since);
  return since === null || Number(since[1]) * 100 + Number(since[2]) <= release;
}

/** The first release whose scripts may call SPOP. */
const POPS_IN_SCRIPTS = 302;

/** Whether scripts of a release may not call a command. */
export function isForbidden(name: string, release: number): boolean {
  return FORBIDDEN.has(name) || (name === 'SPOP' && release < POPS_IN_SCRIPTS);
}
