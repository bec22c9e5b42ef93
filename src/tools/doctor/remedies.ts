import type { Remedy } from './message.js';

// What several messages have in common: the commands that help, and what makes things worse.

export const LOOK_LOG: Remedy = {
  why: 'see what is damaged and where, and how much still reads; nothing is changed',
  command: 'rekindle check {log}',
};

export const WEIGH_WAYS: Remedy = {
  why: 'see what each way out would cost: cutting there, or dropping the damaged bytes alone',
  command: 'rekindle repair {log}',
};

export const MEND_LOG: Remedy = {
  why: 'write a repaired copy that a server starts from; the files stay as they are',
  command: 'rekindle repair {log} --out {log}-repaired',
};

export const SKIP_LOG: Remedy = {
  why: 'keep what follows the damage too, and every dropped byte in a file of its own',
  command: 'rekindle repair {log} --strategy skip --quarantine dropped.bin --out {log}-repaired',
};

export const LOOK_RDB: Remedy = {
  why: 'see every damaged place and how many keys still read; nothing is changed',
  command: 'rekindle check {rdb}',
};

export const SALVAGE_RDB: Remedy = {
  why: 'write every key that still reads into a fresh RDB',
  command: 'rekindle repair {rdb} --out {rdb}.repaired',
};

export const WEIGH_ALL: Remedy = {
  why: 'weigh every file that is there: what a server would load, what can be brought back, how',
  command: 'rekindle recover {dir}',
};

export const CARRY_OUT: Remedy = {
  why: 'carry the best way out into a new directory, checked before it shows',
  command: 'rekindle recover {dir} --out {dir}-recovered',
};

export const IS_IT_GOOD: Remedy = {
  why: 'see whether what is on the disk is whole',
  command: 'rekindle check {dir}',
};

export const NO_RESTART = 'do not restart the server: what it holds in memory may be the only complete copy';
export const NO_EMPTY_START =
  'do not move the file away to make the server start: it starts empty, and its next save replaces the RDB';
export const NO_FIX =
  'do not run redis-check-aof --fix first: it cuts everything after the first bad byte, in place and without a backup';
export const NO_DELETE = 'do not delete any file of the data directory, temporary ones included';
