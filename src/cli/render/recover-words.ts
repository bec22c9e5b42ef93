import type { CandidateKind, Unread } from '../../tools/recover/directory.js';
import type { Caution } from '../../tools/recover/plan.js';
import type { StartEffect, StartReason } from '../../tools/recover/start.js';
import type { WayKind } from '../../tools/recover/ways.js';
import type { CandidateState } from '../../tools/recover/weigh.js';

/** What a file is for the server. */
export const KIND_WORDS: Readonly<Record<CandidateKind, string>> = {
  manifest: 'manifest',
  base: 'base of the log',
  increment: 'increment of the log',
  history: 'history: an older generation, never loaded',
  'stray-base': 'base that no manifest names, never loaded',
  'stray-increment': 'increment that no manifest names, never loaded',
  'single-log': 'single log, as before Redis 7.0',
  rdb: 'snapshot',
  'temporary-rewrite': 'left by a rewrite that did not finish, never loaded',
  'temporary-save': 'left by a save that did not finish, never loaded',
  'temporary-manifest': 'manifest that never took effect',
  'temporary-increment': 'left by a switch to appendonly that did not finish, never loaded',
  copy: 'copy or backup, never loaded',
  packed: 'packed: unpack it to have it weighed',
};

export const STATE_WORDS: Readonly<Record<CandidateState, string>> = {
  intact: 'intact',
  torn: 'torn',
  damaged: 'damaged',
  empty: 'empty',
  unread: 'unread',
  foreign: 'unknown',
};

export const UNREAD_WORDS: Readonly<Record<Unread, string>> = {
  'leads-outside': 'a link that leads out of the directory: not followed; give the directory it leads to',
  'not-a-file': 'not a regular file',
  'no-permission': 'permission denied: run as the user that owns it',
  'broken-link': 'a link that leads nowhere',
  unreadable: 'changed or failed while it was read: is a server still running here?',
};

/** What a server does, and why. `{file}` and `{at}` are filled in. */
export const REASON_WORDS: Readonly<Record<StartReason, string>> = {
  log: 'loads the log',
  'upgraded-log': 'loads {file} as the base of a new append-only directory',
  snapshot: 'loads {file}',
  'log-cut': 'cuts {file}{at} and loads what stands before',
  'nothing-there': 'starts EMPTY: it finds nothing to load',
  'no-manifest': 'starts EMPTY: without a manifest the files of the log count for nothing',
  'no-log': 'starts EMPTY: with appendonly yes and no log, {file} is not even looked at',
  'log-empty': 'starts EMPTY: all files of the log are empty',
  'manifest-damaged': 'refuses to start: {file} is damaged{at}',
  'file-missing': 'refuses to start: the manifest names {file}, which is not there',
  'log-damaged': 'refuses to start: {file} is damaged{at}',
  'torn-not-last': 'refuses to start: {file} ends too early{at}, and other files follow it',
  'torn-not-allowed':
    'refuses to start: {file} ends in the middle of a command{at}, and aof-load-truncated is no',
  'base-damaged': 'refuses to start: the base {file} is damaged{at}',
  'rdb-damaged': 'refuses to start: {file} is damaged{at}',
  'too-many-databases':
    'refuses to start: {file} has keys in databases beyond the number that `databases` allows',
  'not-readable': 'what it does depends on {file}, which could not be read',
};

/** What the start does to the files. */
export const EFFECT_WORDS: Readonly<Record<StartEffect, string>> = {
  'overwrites-rdb':
    'its next save, the one at a normal shutdown included, replaces the RDB with what it holds then',
  'may-overwrite-rdb':
    'a SAVE or BGSAVE replaces the RDB with what it holds then; without save points a shutdown does not',
  'appends-to-strays': 'it appends its new log to the increment that stands there',
  'replaces-base': 'it replaces the base that stands there with an empty one',
  'rewrites-over-strays':
    'its first rewrites empty and replace the files of the log that stand there: they have the next numbers',
  'cuts-log': 'it cuts the file in place, without a backup',
  'leaves-open-multi':
    'it cuts behind an open MULTI: everything written after this start is lost at the next one',
  'deletes-history': 'it deletes the history files',
  'ignores-log': 'the log beside it is not loaded',
  'moves-log': 'Redis 7.0 and later move the file into their append-only directory',
};

export const WAY_WORDS: Readonly<Record<WayKind, string>> = {
  log: 'the log, as its manifest says',
  'log-by-names': 'the log, put together by the names of its files',
  'log-from-history': 'the generation before the last rewrite, and all since',
  'log-from-new-base': 'the result of the unfinished rewrite, and all since',
  'single-log': 'the single log',
  rdb: 'the snapshot',
};

export const CAUTION_WORDS: Readonly<Record<Caution, string>> = {
  'fewer-keys': 'another way holds far more keys: if nobody deleted them on purpose, take that one',
  'time-estimated':
    'the log has no time annotations: when its last readable write was made is estimated from its size and times of files',
  concluded: 'no manifest says that these files belong together: their numbers and times do',
  'older-than-rdb': 'the RDB was saved after the last readable write of the log',
  'unknown-commands':
    'the log holds commands that the embedded engine does not know (of modules, or newer): keys and digest are without them, the files are copied whole',
};
