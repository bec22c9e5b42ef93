import { by, type ServerMessage } from './message.js';
import { IS_IT_GOOD, LOOK_LOG, NO_DELETE, NO_RESTART, WEIGH_ALL } from './remedies.js';

const ANY = 'every Redis, Valkey and KeyDB';
const SINCE_2_8 = 'Redis 2.8 and later, Valkey, KeyDB';
const SINGLE = 'Redis 2.4 to 6.2, KeyDB';
const MULTI = 'Redis 7.0 and later, Valkey';

const SPACE = { why: 'see whether the disk is full', command: 'df -h {dir}' };
const TRY_REWRITE = { why: 'once the cause is gone, rewrite the log', command: 'redis-cli BGREWRITEAOF' };
const OFFLINE = {
  why: 'rewrite it without a server and without a fork, on any machine',
  command: 'rekindle compact {log} --out {log}-compacted',
};

/** What servers log when they cannot write, sync or rewrite their append-only file. */
export const LOG_WRITE_MESSAGES: readonly ServerMessage[] = [
  {
    id: 'write/misconf-log',
    severity: 'error',
    says: [
      ...by(SINCE_2_8, 'MISCONF Errors writing to the AOF file: {error}'),
      ...by('Redis 7.0 and later', 'MISCONF Redis is configured to persist data to AOF'),
      ...by('Valkey', 'MISCONF {product} is configured to persist data to AOF'),
    ],
    means:
      'a client was refused a write, because the server cannot write its append-only file: {error|its log says why}.',
    risk: 'at-risk',
    data: 'what was acknowledged before is in memory; the end of the log may be torn',
    never: [NO_RESTART],
    remedies: [SPACE, LOOK_LOG, TRY_REWRITE],
  },
  {
    id: 'write/log',
    severity: 'error',
    says: [
      ...by(SINCE_2_8, 'Error writing to the AOF file: {error}'),
      ...by(
        SINCE_2_8,
        'Short write while writing to the AOF file: (nwritten={#written}, expected={#expected})',
      ),
    ],
    means:
      'the server could not write to its append-only file: {error|the disk took only a part of it, as when it is full}. It refuses writes until it can, and tries again.',
    risk: 'at-risk',
    data: 'memory holds everything; the last command in the file may be torn',
    never: [NO_RESTART, 'do not delete files of the append-only directory to make room'],
    remedies: [SPACE, LOOK_LOG, TRY_REWRITE],
  },
  {
    id: 'write/log-exit',
    severity: 'fatal',
    says: [
      ...by(
        SINCE_2_8,
        "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
      ),
      ...by(
        MULTI,
        "Can't persist AOF for fsync error when the AOF fsync policy is 'always': {error}. Exiting...",
      ),
      ...by('Redis 2.4, 2.6', 'Exiting on error writing to the append-only file: {error}'),
      ...by('Redis 2.4, 2.6', 'Exiting on short write while writing to the append-only file: {error}'),
      ...by('Redis 7.0 and later, Valkey', 'Replica was unable to write command to disk.'),
    ],
    means:
      'the server could not write its log ({error|see the line before}) and ended rather than acknowledge what is not on the disk.',
    risk: 'at-risk',
    data: 'what was acknowledged is in the file; the very last command may be torn, and was not acknowledged',
    never: [NO_DELETE],
    remedies: [SPACE, LOOK_LOG, WEIGH_ALL],
  },
  {
    id: 'write/log-remains',
    severity: 'error',
    says: [
      ...by(
        'Redis 2.8 and later, KeyDB',
        'Could not remove short write from the append-only file. Redis may refuse to load the AOF the next time it starts. ftruncate: {error}',
      ),
      ...by(
        'Valkey',
        'Could not remove short write from the append-only file. The server may refuse to load the AOF the next time it starts. ftruncate: {error}',
      ),
    ],
    means:
      'half a command stands in the middle of the log: the server wrote it, could not take it back ({error}), and may write behind it. At the next start it refuses the file there.',
    risk: 'at-risk',
    data: 'memory holds everything; the file is damaged in one place, and what follows can be kept',
    never: [NO_RESTART],
    remedies: [
      { why: 'while it still runs: a rewrite makes a whole log', command: 'redis-cli BGREWRITEAOF' },
      LOOK_LOG,
      {
        why: 'if it has already ended: drop the half command alone',
        command: 'rekindle repair {log} --strategy skip --out {log}-repaired',
      },
    ],
  },
  {
    id: 'write/log-solved',
    severity: 'info',
    says: [
      ...by('Redis 2.8 and later, KeyDB', 'AOF write error looks solved, Redis can write again.'),
      ...by('Valkey', 'AOF write error looks solved. The server can write again.'),
    ],
    means: 'the server can write to its log again.',
    risk: 'none',
    data: 'a half command may have stayed in the middle of the log, if a line before says so',
    never: [],
    remedies: [LOOK_LOG],
  },
  {
    id: 'write/sync',
    severity: 'error',
    says: [
      ...by(MULTI, 'Fail to fsync the AOF file: {error}', 'Fail to fsync AOF directory {file}: {error}'),
      ...by(
        MULTI,
        'Fail to fsync the temp AOF file {file}: {error}',
        'AOF reopen, just ignore the AOF fsync error in bio job',
      ),
    ],
    means:
      'the system could not bring the log to the disk: {error|an error of fsync}. After that the kernel may have dropped the very bytes it could not write: the file can have holes that a later fsync does not report.',
    risk: 'at-risk',
    data: 'memory holds everything; do not trust what was written around that time',
    never: [NO_RESTART],
    remedies: [
      { why: 'make a new log from memory', command: 'redis-cli BGREWRITEAOF' },
      { why: 'look for errors of the disk', command: 'dmesg | tail -50' },
      LOOK_LOG,
    ],
  },
  {
    id: 'write/slow-sync',
    severity: 'warning',
    says: by(ANY, 'Asynchronous AOF fsync is taking too long (disk is busy?).'),
    means:
      'with `appendfsync everysec` the disk took longer than two seconds to sync; writes wait for it, or are not on the disk for longer than a second.',
    risk: 'at-risk',
    data: 'a power cut now can cost more than the last second',
    never: ['do not set `appendfsync no` for it without deciding how much you can lose'],
    remedies: [
      { why: 'see what else writes to that disk', command: 'iostat -x 1 5' },
      { why: 'see how much is written, by which commands', command: 'rekindle log {log} --stats' },
    ],
  },
  {
    id: 'write/rewrite-failed',
    severity: 'error',
    says: [
      ...by(
        ANY,
        'Background AOF rewrite terminated with error',
        'Write error writing append only file on disk: {error}',
      ),
      ...by(ANY, 'Opening the temp file for AOF rewrite in rewriteAppendOnlyFile(): {error}'),
      ...by(SINGLE, 'Unable to open the temporary AOF produced by the child: {error}'),
      ...by(SINGLE, 'Error trying to flush the parent diff to the rewritten AOF: {error}'),
      ...by('Redis 2.4', 'Short write trying to flush the parent diff to the rewritten AOF: {error}'),
      ...by('Redis 2.4', 'Failed rewriting the append only file: {error}'),
      ...by('Redis 6.2', 'Error trying to fsync the parent diff to the rewritten AOF: {error}'),
    ],
    means:
      'the log was to be rewritten smaller, and that failed: {error|the lines before say why}. The old log goes on growing and is whole.',
    risk: 'none',
    data: 'nothing is lost; unfinished temporary files take room in the data directory',
    never: ['do not delete files of the append-only directory by hand: the manifest names those it needs'],
    remedies: [SPACE, TRY_REWRITE, OFFLINE],
  },
  {
    id: 'write/rewrite-limit',
    severity: 'error',
    says: by(
      MULTI,
      'Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {#minutes} minutes',
    ),
    means:
      'rewriting the log has failed several times in a row; the server waits {minutes} minutes before it tries again. Each try has left one more increment behind, and all of them are needed.',
    risk: 'at-risk',
    data: 'nothing is lost; the log grows until the disk is full',
    never: ['do not delete increments: every one the manifest names is needed'],
    remedies: [SPACE, IS_IT_GOOD, OFFLINE],
  },
  {
    id: 'write/rewrite-rename',
    severity: 'error',
    says: [
      ...by(MULTI, 'Error trying to rename the temporary AOF base file {file} into {to}: {error}'),
      ...by(MULTI, 'Error trying to rename the temporary AOF incr file {file} into {to}: {error}'),
      ...by(MULTI, 'Error trying to rename the temporary AOF manifest file {file} into {to}: {error}'),
      ...by(MULTI, 'Error trying to write the temporary AOF manifest file {file}: {error}'),
      ...by(MULTI, 'Error trying to move the old AOF file {file} into dir {to}: {error}'),
      ...by(
        'Redis 3.2 to 6.2, KeyDB',
        'Error trying to rename the temporary AOF file {file} into {to}: {error}',
      ),
      ...by(
        'Redis 2.4 to 3.0',
        'Error trying to rename the temporary AOF file: {error}',
        'Error trying to rename the temporary AOF: {error}',
      ),
      ...by(ANY, 'Error moving temp append only file on the final destination: {error}'),
    ],
    means:
      'a file of the log was written and could not take its place: {error}. The log before stays in force; the new file lies beside it, named by no manifest.',
    risk: 'at-risk',
    data: 'nothing is lost so far',
    never: [NO_RESTART, NO_DELETE],
    remedies: [{ why: 'see who owns what', command: 'ls -ln {dir} {dir}/appendonlydir' }, SPACE, WEIGH_ALL],
  },
  {
    id: 'write/enable-failed',
    severity: 'error',
    says: [
      ...by(
        'Redis 2.8 and later, KeyDB',
        "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation.",
      ),
      ...by(
        'Valkey',
        "The server needs to enable the AOF but can't trigger a background AOF rewrite operation.",
      ),
      ...by('Redis 2.4', 'Used tried to switch on AOF via CONFIG, '),
      ...by('every Redis and Valkey', 'Unable to turn on AOF. Check server logs.'),
    ],
    means:
      'the append-only file was to be switched on in the running server, and that failed; the lines before say why.',
    risk: 'at-risk',
    data: 'everything is in memory and, as far as saved, in the RDB; no log is being written',
    never: [
      'do not switch it on in the configuration and restart: with `appendonly yes` and no log the server starts EMPTY, whatever dump.rdb holds',
    ],
    remedies: [
      SPACE,
      {
        why: 'once the cause is gone, switch it on in the running server',
        command: 'redis-cli CONFIG SET appendonly yes',
      },
      {
        why: 'or make the directory of the RDB while the server is stopped',
        command: 'rekindle convert {dir}/dump.rdb appendonlydir',
      },
    ],
  },
];
