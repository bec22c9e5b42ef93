import { by, type ServerMessage } from './message.js';
import { IS_IT_GOOD, NO_DELETE, NO_RESTART, WEIGH_ALL } from './remedies.js';

const ANY = 'every Redis, Valkey and KeyDB';
const SINCE_3_2 = 'Redis 3.2 and later, Valkey, KeyDB';
const SINGLE = 'Redis 2.4 to 6.2, KeyDB';
const MULTI = 'Redis 7.0 and later, Valkey';

const SPACE = { why: 'see whether the disk is full', command: 'df -h {dir}' };
const RIGHTS = {
  why: 'see whom the directory belongs to: the server must be able to write in it',
  command: 'ls -ldn {dir}',
};
const TRY_SAVE = { why: 'once the cause is gone, save and see that it worked', command: 'redis-cli BGSAVE' };

/** What servers log when they cannot write an RDB. */
export const SAVE_MESSAGES: readonly ServerMessage[] = [
  {
    id: 'write/misconf',
    severity: 'error',
    says: [
      ...by('Redis 2.6 and later, KeyDB', 'MISCONF Redis is configured to save RDB snapshots'),
      ...by('Valkey', 'MISCONF {product} is configured to save RDB snapshots'),
    ],
    means:
      'a client was refused a write: the last background save failed, and `stop-writes-on-bgsave-error yes` keeps the server from taking what it cannot save. Its own log says why the save failed (disk full, permissions, no memory to fork).',
    risk: 'at-risk',
    data: 'the server holds everything in memory; on the disk is the last snapshot that worked',
    never: [
      NO_RESTART,
      'do not just set `stop-writes-on-bgsave-error no`: writes go on, and none of them is saved',
    ],
    remedies: [
      SPACE,
      RIGHTS,
      { why: 'see which directory and file it means', command: 'redis-cli CONFIG GET dir' },
      TRY_SAVE,
      { why: 'see how old and how whole the last snapshot is', command: 'rekindle info {rdb}' },
    ],
  },
  {
    id: 'write/save-failed',
    severity: 'error',
    says: [
      ...by(MULTI, 'Failed opening the temp RDB file {file} (in server root dir {dir}) for saving: {error}'),
      ...by(
        'Redis 3.2 to 6.2, KeyDB',
        'Failed opening the RDB file {file} (in server root dir {dir}) for saving: {error}',
      ),
      ...by('Redis 2.6 to 3.0', 'Failed opening .rdb for saving: {error}'),
      ...by('Redis 2.4', 'Failed saving the DB: {error}'),
    ],
    means:
      'the server could not make a new RDB in {dir|its directory}: {error}. Its user may not write there, the file system is read-only or full, or (where the directory is none you ever set) somebody changed `dir` from outside with CONFIG SET: an open server is taken over that way.',
    risk: 'at-risk',
    data: 'memory holds everything, and the last RDB stands; a restart goes back to that',
    never: [NO_RESTART],
    remedies: [
      RIGHTS,
      SPACE,
      { why: 'is this the directory you configured?', command: 'redis-cli CONFIG GET dir' },
      TRY_SAVE,
    ],
  },
  {
    id: 'write/save-error',
    severity: 'error',
    says: [
      ...by('Redis 2.4 to 6.2, KeyDB', 'Write error saving DB on disk: {error}'),
      ...by('Redis 7.0', 'Write error saving DB on disk({step}): {error}'),
      ...by('Redis 7.2 and later, Valkey', 'Write error while saving DB to the disk({step}): {error}'),
      ...by('Redis 7.0 and later, Valkey', 'Failed to fsync directory while saving DB: {error}'),
    ],
    means:
      'the server was writing an RDB and the disk refused: {error}. The unfinished temporary file is removed, the previous RDB stays.',
    risk: 'at-risk',
    data: 'memory holds everything, and the last RDB stands; a restart goes back to that',
    never: [NO_RESTART],
    remedies: [SPACE, TRY_SAVE, { why: 'see what the last snapshot holds', command: 'rekindle info {rdb}' }],
  },
  {
    id: 'write/save-rename',
    severity: 'error',
    says: [
      ...by(
        SINCE_3_2,
        'Error moving temp DB file {file} on the final destination {to} (in server root dir {dir}): {error}',
      ),
      ...by('Redis 2.4 to 3.0', 'Error moving temp DB file on the final destination: {error}'),
    ],
    means:
      'the RDB was written and could not be given its name: {error}. The new one lies beside it as {file|temp-PID.rdb}, the old one stands.',
    risk: 'at-risk',
    data: 'memory holds everything; the temporary file may be the newest copy',
    never: [NO_RESTART, NO_DELETE],
    remedies: [RIGHTS, WEIGH_ALL],
  },
  {
    id: 'write/bgsave-error',
    severity: 'error',
    role: 'general',
    says: by(ANY, 'Background saving error'),
    means:
      'a background save failed; the lines before it (of the child, with another pid) say why. Clients now get MISCONF for writes, unless that is switched off.',
    risk: 'at-risk',
    data: 'memory holds everything; on the disk is the last snapshot that worked',
    never: [NO_RESTART],
    remedies: [SPACE, RIGHTS, TRY_SAVE],
  },
  {
    id: 'write/bgsave-killed',
    severity: 'error',
    says: by(
      ANY,
      'Background saving terminated by signal {#signal}',
      'Background AOF rewrite terminated by signal {#signal}',
    ),
    means:
      'the child that saved or rewrote was killed by signal {signal}. 9 is as a rule the kernel, out of memory; 11 is a crash; 10 (SIGUSR1) is the server itself, which gave the save up.',
    risk: 'at-risk',
    data: 'memory holds everything; the file it wrote is unfinished and lies as a temporary one',
    never: [NO_RESTART],
    remedies: [
      { why: 'see whether the kernel did it', command: "dmesg | grep -i 'out of memory'" },
      { why: 'see how whole the last snapshot is', command: 'rekindle check {rdb}' },
      {
        why: 'rewrite a log without a fork, on another machine',
        command: 'rekindle compact {log} --out {log}-compacted',
      },
    ],
  },
  {
    id: 'write/fork',
    severity: 'error',
    says: by(
      ANY,
      "Can't save in background: fork: {error}",
      "Can't rewrite append only file in background: fork: {error}",
    ),
    means:
      'the server could not make the child that saves: {error}. With "Cannot allocate memory" the kernel does not promise that much: `vm.overcommit_memory = 1` lets it, since the child shares its memory.',
    risk: 'at-risk',
    data: 'memory holds everything and nothing is being saved',
    never: [NO_RESTART],
    remedies: [
      {
        why: 'let the kernel fork (and in /etc/sysctl.conf, to stay so)',
        command: 'sysctl vm.overcommit_memory=1',
      },
      TRY_SAVE,
      {
        why: 'rewrite a log without a fork, on another machine',
        command: 'rekindle compact {log} --out {log}-compacted',
      },
    ],
  },
  {
    id: 'write/shutdown',
    severity: 'error',
    says: [
      ...by(ANY, "Error trying to save the DB, can't exit."),
      ...by(
        ANY,
        'SIGTERM received but errors trying to shut down the server, check the logs for more information',
      ),
      ...by(MULTI, 'Errors trying to shut down the server. Check the logs for more information.'),
    ],
    means: 'the server was told to stop, could not save, and therefore keeps running.',
    risk: 'at-risk',
    data: 'memory holds everything since the last save, and nowhere else is it',
    never: ['do not kill it with SIGKILL: everything since the last save would be gone', NO_RESTART],
    remedies: [
      SPACE,
      RIGHTS,
      { why: 'fetch a snapshot over the network instead', command: 'redis-cli --rdb {out}' },
      TRY_SAVE,
    ],
  },
  {
    id: 'write/shutdown-anyway',
    severity: 'fatal',
    says: by(MULTI, 'Error trying to save the DB. Exit anyway.', 'Writing initial AOF. Exit anyway.'),
    means: 'the server was forced to stop and could not save before: it ended without.',
    risk: 'lost',
    data: 'everything since the last save is gone, unless there is an append-only file',
    never: [NO_DELETE],
    remedies: [WEIGH_ALL, IS_IT_GOOD],
  },
  {
    id: 'write/killed-child',
    severity: 'info',
    says: by(
      ANY,
      'There is a child saving an .rdb. Killing it!',
      'There is a child rewriting the AOF. Killing it!',
      "Writing initial AOF, can't exit.",
    ),
    means:
      'the server stops (or loads something else) and ends its own child; what that wrote is left as a temporary file, and the previous one stands.',
    risk: 'none',
    data: 'a normal shutdown saves once more afterwards, if save points are set',
    never: [],
    remedies: [IS_IT_GOOD],
  },
  {
    id: 'write/chdir',
    severity: 'fatal',
    says: [
      ...by('every Redis', "Can't chdir to '{dir}': {error}"),
      ...by('every Redis and Valkey', 'Changing directory: {error}'),
    ],
    means:
      'the server could not go to its data directory {dir}: {error}. Without it it does not start, or goes on in the old one.',
    risk: 'at-risk',
    data: 'nothing was changed. If you create that directory empty, the server starts EMPTY',
    never: ['do not create the missing directory before you know where the data is: is a disk not mounted?'],
    remedies: [{ why: 'is the disk mounted?', command: 'df -h {dir}' }, RIGHTS],
  },
  {
    id: 'write/saved',
    severity: 'info',
    says: [
      ...by(
        ANY,
        'DB saved on disk',
        'Background saving terminated with success',
        'changes in {#seconds} seconds. Saving...',
      ),
      ...by('Redis 2.4 to 6.2', 'Background saving started by pid {#pid}'),
      ...by(
        ANY,
        'Background AOF rewrite finished successfully',
        'Background AOF rewrite terminated with success',
      ),
      ...by(ANY, 'Saving the final RDB snapshot before exiting.'),
      ...by(SINGLE, 'RDB: {#megabytes} MB of memory used by copy-on-write'),
      ...by(MULTI, 'Fork CoW for {what}: current {#megabytes} MB'),
    ],
    means: 'the server is saving, or has saved, as it should.',
    risk: 'none',
    data: 'nothing is wrong',
    never: [],
    remedies: [IS_IT_GOOD],
  },
];
