import { COMMANDS } from '../../../keyspace/commands/table.js';
import { findCommand, KNOWN_COMMANDS, type KnownCommand } from '../../../model/commands.js';
import type { CommandSpans } from '../../../resp/command.js';

/** What of a dataset a command reads or changes, as the engine executes it. */
export type Reach =
  /** The key that argument 1 or 2 names, and nothing else. */
  | typeof FIRST_KEY
  | typeof SECOND_KEY
  /** Keys that it treats one by one: each can be done by itself. */
  | typeof EACH_KEY
  | typeof EACH_PAIR
  /** Keys that it needs together. */
  | typeof KEYS_TOGETHER
  /** Something in all keys, and the same of all. */
  | typeof ALL_KEYS
  /** No key. */
  | typeof NO_KEY
  /** Any keys, not to be told from its arguments. */
  | typeof ANY_KEYS;

export const FIRST_KEY = 1;
export const SECOND_KEY = 2;
export const EACH_KEY = 3;
export const EACH_PAIR = 4;
export const KEYS_TOGETHER = 5;
export const ALL_KEYS = 6;
export const NO_KEY = 7;
export const ANY_KEYS = 8;

const NAMED: Readonly<Record<string, Reach>> = {
  DEL: EACH_KEY,
  UNLINK: EACH_KEY,
  MSET: EACH_PAIR,
  SELECT: ALL_KEYS,
  SWAPDB: ALL_KEYS,
  FLUSHDB: ALL_KEYS,
  FLUSHALL: ALL_KEYS,
  TRIMSLOTS: ALL_KEYS,
  SFLUSH: ALL_KEYS,
  CLUSTER: ALL_KEYS,
  FUNCTION: NO_KEY,
  // What it keeps is of use to EVALSHA alone.
  SCRIPT: NO_KEY,
  EVAL: ANY_KEYS,
  EVALSHA: ANY_KEYS,
  PING: NO_KEY,
  REPLCONF: NO_KEY,
  PUBLISH: NO_KEY,
  SPUBLISH: NO_KEY,
  ECHO: NO_KEY,
  AUTH: NO_KEY,
  HELLO: NO_KEY,
  CLIENT: NO_KEY,
  INFO: NO_KEY,
  WAIT: NO_KEY,
  WATCH: NO_KEY,
  UNWATCH: NO_KEY,
};

const EXECUTED = new Set(COMMANDS.map(({ name }) => name));

const REACHES = new Map(KNOWN_COMMANDS.map((command) => [command, reachByRow(command)]));

/** What is not looked up for each command: the engine does not know it, or it comes from a module. */
function reachByRow({ name, keys }: KnownCommand): Reach {
  const named = NAMED[name];
  if (named !== undefined) return named;
  // Whoever is to tell that it is unknown: one of them.
  if (!EXECUTED.has(name)) return NO_KEY;
  if (keys === null) return ANY_KEYS;
  const { first, last, numkeys, words } = keys;
  const isOne = first === last && numkeys === 0 && words === null;
  if (isOne && first === 1) return FIRST_KEY;
  if (isOne && first === 2) return SECOND_KEY;
  return KEYS_TOGETHER;
}

const STAR = 42;

/** What a command reaches; one that lacks what its row asks for is refused whatever keys there are: NO_KEY. */
export function reachOf(command: CommandSpans): Reach {
  const { argc } = command;
  if (argc === 0) return NO_KEY;
  const known = findCommand(command.bytes, command.starts[0]!, command.ends[0]!);
  if (known === null) return EXECUTED.has(command.latin1(0).toUpperCase()) ? ANY_KEYS : NO_KEY;
  const reach = REACHES.get(known)!;
  if (reach === FIRST_KEY || reach === EACH_KEY) return argc > 1 ? reach : NO_KEY;
  if (reach === SECOND_KEY) return argc > 2 ? reach : NO_KEY;
  if (reach === EACH_PAIR) return argc > 2 && argc % 2 === 1 ? reach : NO_KEY;
  if (reach === KEYS_TOGETHER && known.name === 'SORT' && hasPattern(command)) return ANY_KEYS;
  return reach;
}

/** SORT reads keys whose names it makes of patterns: nearly all that have a star are such. */
function hasPattern(command: CommandSpans): boolean {
  for (let i = 2; i < command.argc; i++) {
    const at = command.bytes.indexOf(STAR, command.starts[i]);
    if (at >= 0 && at < command.ends[i]!) return true;
  }
  return false;
}
