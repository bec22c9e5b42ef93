import { by, type ServerMessage } from './message.js';
import {
  CARRY_OUT,
  LOOK_LOG,
  MEND_LOG,
  NO_EMPTY_START,
  NO_FIX,
  SKIP_LOG,
  WEIGH_ALL,
  WEIGH_WAYS,
} from './remedies.js';

const ANY = 'every Redis, Valkey and KeyDB';
const SINGLE = 'Redis 2.4 to 6.2, KeyDB';
const MULTI = 'Redis 7.0 and later, Valkey';
const SINCE_4 = 'Redis 4.0 and later, Valkey, KeyDB';

/** What servers log while they load an append-only file. */
export const AOF_MESSAGES: readonly ServerMessage[] = [
  {
    id: 'aof/bad-format',
    severity: 'fatal',
    says: [
      ...by(SINGLE, 'Bad file format reading the append only file: make a backup of your AOF file'),
      ...by(MULTI, 'Bad file format reading the append only file {file}: make a backup of your AOF file'),
      ...by(
        'Redis 8.4 and later',
        'Bad file format reading the append only file {file} at offset {#offset}. make a backup of your AOF file',
      ),
    ],
    means:
      'the log {file|of this server} holds bytes that are no command{where}: zeros after a power cut, a changed length, or a piece of something else. The server stops there, though the commands behind may be whole.',
    risk: 'at-risk',
    data: 'everything before the damage can be loaded, and mostly everything behind it as well',
    never: [NO_FIX, NO_EMPTY_START],
    remedies: [LOOK_LOG, WEIGH_WAYS, MEND_LOG, SKIP_LOG],
  },
  {
    id: 'aof/unexpected-end',
    severity: 'fatal',
    says: [
      ...by(SINGLE, 'Unexpected end of file reading the append only file. You can: 1) Make a backup'),
      ...by('Redis 2.4, 2.6', 'Unexpected end of file reading the append only file'),
      ...by(MULTI, 'Unexpected end of file reading the append only file {file}. You can: 1) Make a backup'),
    ],
    means:
      'the log {file|of this server} ends in the middle of a command, as after a crash or a full disk, and `aof-load-truncated no` makes the server refuse that.',
    risk: 'at-risk',
    data: 'the last command was never whole; all others are there',
    never: [
      'do not switch `aof-load-truncated` to yes without a copy: the server cuts the file in place',
      NO_FIX,
    ],
    remedies: [LOOK_LOG, MEND_LOG],
  },
  {
    id: 'aof/short-read',
    severity: 'warning',
    says: [
      ...by(SINGLE, '!!! Warning: short read while loading the AOF file !!!'),
      ...by(MULTI, '!!! Warning: short read while loading the AOF file {file}!!!'),
    ],
    means:
      'the log {file|of this server} ends in the middle of a command or a transaction. The server is about to cut that rest off, in place, and to go on.',
    risk: 'lost',
    data: 'the unfinished end is gone: one command or transaction that was never written whole. If many were expected behind it, the cut hides real damage',
    never: [
      'do not take it for harmless when the file was copied or restored: then its whole end may be missing',
    ],
    remedies: [LOOK_LOG, WEIGH_ALL],
  },
  {
    id: 'aof/truncating',
    severity: 'warning',
    says: [
      ...by(SINGLE, '!!! Truncating the AOF at offset {#offset} !!!'),
      ...by(MULTI, '!!! Truncating the AOF {file} at offset {#offset} !!!'),
      ...by(
        'Redis 8.4 and later',
        '!!! Truncating the AOF {file} at offset {#offset} (remaining {#remaining}) !!!',
      ),
    ],
    means:
      'the server cut {file|its log} at offset {offset}, in place and without a backup: everything behind that offset is gone from the file. If the cut fell inside a transaction, an open MULTI stays at the end, and what is written from now on is lost at the next start.',
    risk: 'lost',
    data: 'the bytes behind offset {offset} are gone, unless a copy of the file from before this start exists',
    never: ['do not restart before you have looked for an open MULTI at that place'],
    remedies: [
      { why: 'see whether the cut left an open transaction behind', command: 'rekindle check {log}' },
      { why: 'see the last commands before the cut', command: 'rekindle log {log} --last 20' },
      MEND_LOG,
    ],
  },
  {
    id: 'aof/loaded-anyway',
    severity: 'warning',
    says: [
      ...by(SINGLE, 'AOF loaded anyway because aof-load-truncated is enabled'),
      ...by(MULTI, 'AOF {file} loaded anyway because aof-load-truncated is enabled'),
      ...by(
        'Redis 8.4 and later',
        'AOF {file} loaded anyway because aof-load-corrupt-tail-max-size is enabled',
      ),
    ],
    means:
      'the server cut the end of {file|its log} and started with the rest; the line before says at which offset.',
    risk: 'lost',
    data: 'what stood behind the cut is gone from the file',
    never: [],
    remedies: [{ why: 'see whether what is left is whole', command: 'rekindle check {log}' }, WEIGH_ALL],
  },
  {
    id: 'aof/corrupt-tail',
    severity: 'warning',
    says: by('Redis 8.4 and later', '!!! Warning: corrupt AOF file tail!!!'),
    means:
      'the end of the log is damaged, not just unfinished, and is smaller than `aof-load-corrupt-tail-max-size`: the server cuts all of it off, whole commands behind the damage included.',
    risk: 'lost',
    data: 'commands behind the damage go with it, though they could have been kept',
    never: [
      'do not raise aof-load-corrupt-tail-max-size to get a server started: it decides how much may be thrown away',
    ],
    remedies: [LOOK_LOG, SKIP_LOG],
  },
  {
    id: 'aof/not-last',
    severity: 'fatal',
    says: by(MULTI, 'Fatal error: the truncated file is not the last file'),
    means:
      'a file of the log ends in the middle of a command, and others follow it. The server cuts only the last file of a log, so it refuses.',
    risk: 'at-risk',
    data: 'one command is unfinished; the files behind it are as they were. What they build on may be missing',
    never: [
      'do not delete the later files or their lines in the manifest: they are the newest writes',
      NO_FIX,
    ],
    remedies: [LOOK_LOG, WEIGH_WAYS, SKIP_LOG, WEIGH_ALL],
  },
  {
    id: 'aof/unknown-command',
    severity: 'fatal',
    says: [
      ...by('Redis 2.4 to 6.2, KeyDB', "Unknown command '{command}' reading the append only file"),
      ...by('Redis 7.0 and later', "Unknown command '{command}' reading the append only file {file}"),
      ...by('Valkey', "Error reading the append only file {file}, error: unknown command '{command}'"),
    ],
    means:
      'the log {file|of this server} holds the command {command}, which this server does not have: a newer server or a module wrote it, it was renamed (rename-command) or its bytes are damaged.',
    risk: 'at-risk',
    data: 'nothing is lost; the server refuses to go past it',
    never: [NO_FIX],
    remedies: [
      { why: 'see where it stands and what is around it', command: 'rekindle log {log} --command {command}' },
      LOOK_LOG,
      {
        why: 'rebuild the dataset without it, for the server you have',
        command: 'rekindle replay {log} --on-unknown skip --out rebuilt.rdb --for {target}',
      },
    ],
  },
  {
    id: 'aof/refused-command',
    severity: 'fatal',
    says: by('Valkey', 'Error reading the append only file {file}, error: {error}'),
    means:
      'the log {file} holds a command that this server does not take: {error}. Its bytes are damaged, or another version wrote it.',
    risk: 'at-risk',
    data: 'nothing is lost; the server refuses to go past it',
    never: [NO_FIX],
    remedies: [LOOK_LOG, WEIGH_WAYS, SKIP_LOG],
  },
  {
    id: 'aof/read-error',
    severity: 'fatal',
    says: [
      ...by(SINGLE, 'Unrecoverable error reading the append only file: {error}'),
      ...by(MULTI, 'Unrecoverable error reading the append only file {file}: {error}'),
    ],
    means:
      'the server could not read {file|its log}: {error}. "Invalid argument" means that the RDB at its start is damaged (the line before says how); "Input/output error" that the disk is failing.',
    risk: 'at-risk',
    data: 'the files were not changed',
    never: ['with an input/output error: do not write to that disk; copy the files off it first'],
    remedies: [LOOK_LOG, WEIGH_ALL, CARRY_OUT],
  },
  {
    id: 'aof/preamble',
    severity: 'fatal',
    says: [
      ...by('Redis 4.0 to 6.2, KeyDB', 'Error reading the RDB preamble of the AOF file, AOF loading aborted'),
      ...by(MULTI, 'Error reading the RDB preamble of the AOF file {file}, AOF loading aborted'),
      ...by(MULTI, 'Error reading the RDB base file {file}, AOF loading aborted'),
    ],
    means:
      'the RDB that the log begins with ({file|its preamble}) is damaged or of a newer version; the line before says which. redis-check-aof can do nothing about it, and aof-load-truncated does not cover it.',
    risk: 'at-risk',
    data: 'the keys of the base that still read, and all commands behind it, can be brought back',
    never: ['do not delete the base: without it the increments have nothing to build on', NO_EMPTY_START],
    remedies: [LOOK_LOG, WEIGH_ALL, CARRY_OUT, SKIP_LOG],
  },
  {
    id: 'aof/incomplete-multi',
    severity: 'warning',
    says: [
      ...by('Redis 4.0 to 6.2, KeyDB', 'Revert incomplete MULTI/EXEC transaction in AOF file'),
      ...by(MULTI, 'Revert incomplete MULTI/EXEC transaction in AOF file {file}'),
    ],
    means:
      'the log {file|of this server} ends inside a transaction: MULTI without EXEC. The server drops everything from that MULTI on. If an earlier start cut the file inside that transaction, these are also all writes made since.',
    risk: 'lost',
    data: 'an unfinished transaction is no loss; writes that were appended behind an open MULTI are, and they can still be read from a copy made before this start',
    never: ['do not restart again before you have a copy: the cut is made in place'],
    remedies: [
      {
        why: 'see what stands behind the open MULTI (on a copy from before the cut)',
        command: 'rekindle log {log} --last 100',
      },
      WEIGH_WAYS,
      {
        why: 'drop the torn transaction alone and keep what follows it',
        command: 'rekindle repair {log} --strategy skip --out {log}-repaired',
      },
    ],
  },
  {
    id: 'aof/error-while-loading',
    severity: 'warning',
    says: by(
      SINCE_4,
      "== CRITICAL == This {who} is sending an error to its {whom}: '{error}' after processing the command '{command}'",
    ),
    means:
      'while it loaded its log (or followed its master) the server refused the command {command}: {error}. It goes on as if nothing had been, so the dataset is no longer what it was when the command was first executed.',
    risk: 'at-risk',
    data: 'that command had no effect; what was built on it differs from then on',
    never: [],
    remedies: [
      { why: 'see where such commands stand in the log', command: 'rekindle log {log} --command {command}' },
      LOOK_LOG,
      { why: 'rebuild the dataset without a server and compare digests', command: 'rekindle replay {log}' },
    ],
  },
  {
    id: 'aof/cannot-open',
    severity: 'fatal',
    says: [
      ...by(SINGLE, "Fatal error: can't open the append log file for reading: {error}"),
      ...by(MULTI, "Fatal error: can't open the append log file {file} for reading: {error}"),
      ...by(MULTI, "Can't open the append-only file {file}: {error}"),
      ...by('Redis 2.4 to 6.2', "Can't open the append-only file: {error}"),
      ...by(SINGLE, "Redis needs to enable the AOF but can't open the append only file"),
    ],
    means:
      'the server could not open {file|its log}: {error|see the line}. "Permission denied" as a rule means that it was copied or repaired as another user.',
    risk: 'at-risk',
    data: 'the files were not touched',
    never: [NO_EMPTY_START],
    remedies: [
      { why: 'see who owns what', command: 'ls -ln {dir} {dir}/appendonlydir' },
      { why: 'give it to the user the server runs as', command: 'chown -R redis:redis {dir}' },
      LOOK_LOG,
    ],
  },
  {
    id: 'aof/missing-file',
    severity: 'fatal',
    says: [
      ...by(MULTI, "The append log file {file} doesn't exist: {error}"),
      ...by(MULTI, 'Unable to obtain the AOF file {file} length. stat: {error}'),
      ...by(SINGLE, 'Unable to obtain the AOF file length. stat: {error}'),
      ...by('Redis 2.4', 'Unable to check the AOF length: {error}'),
    ],
    means:
      'the manifest names {file|a file of the log} and it is not there: deleted, not copied along, or under another name.',
    risk: 'lost',
    data: 'what that file held is gone unless it is found; the other files of the log can be read',
    never: [
      'do not take its line out of the manifest: the server then starts on a dataset with a hole in it',
      NO_EMPTY_START,
    ],
    remedies: [
      WEIGH_ALL,
      CARRY_OUT,
      { why: 'look for it by name', command: 'find / -name {file|appendonly.aof.*}' },
    ],
  },
  {
    id: 'aof/started-empty',
    severity: 'warning',
    says: by(MULTI, 'Creating AOF base file {file} on server start'),
    means:
      'the server found no log and made a new one: {file}. That is right for a server that is new. With `appendonly yes` switched on in the configuration of a server that had its data in dump.rdb, it means that it started EMPTY: the RDB is not looked at.',
    risk: 'at-risk',
    data: 'if this server had data, it is still in dump.rdb, until the next save replaces that: the one of a normal shutdown is enough',
    never: [
      'do not stop this server with SHUTDOWN or SIGTERM before dump.rdb has been copied away: it would save its empty dataset over it (`SHUTDOWN NOSAVE` does not)',
    ],
    remedies: [
      {
        ...WEIGH_ALL,
        why: 'weigh everything that lies there, files of a log that no manifest names included',
      },
      { why: 'copy it away at once', command: 'cp {dir}/dump.rdb {dir}/dump.rdb.saved' },
      { why: 'see what it holds', command: 'rekindle info {dir}/dump.rdb' },
      {
        why: 'make an append-only directory of it, then start the server on that',
        command: 'rekindle convert {dir}/dump.rdb appendonlydir',
      },
    ],
  },
  {
    id: 'aof/created',
    severity: 'info',
    says: by(
      MULTI,
      'Creating AOF incr file {file} on server start',
      'Opening AOF incr file {file} on server start',
      'Creating AOF incr file {file} on background rewrite',
    ),
    means: 'the server writes to {file} from now on.',
    risk: 'none',
    data: 'nothing is wrong',
    never: [],
    remedies: [LOOK_LOG],
  },
  {
    id: 'aof/upgraded',
    severity: 'info',
    says: by(MULTI, 'Successfully migrated an old-style AOF file ({file}) into the AOF directory ({to}).'),
    means:
      'a server from 7.0 on took over the single log of an older one: {file} was moved into {to}. An older server no longer finds it.',
    risk: 'none',
    data: 'nothing is lost; going back to an older server takes a single file again',
    never: [],
    remedies: [
      {
        why: 'if you must go back: one file as servers before 7.0 load it',
        command: 'rekindle compact {log} --out appendonly.aof --for redis-6.2',
      },
    ],
  },
  {
    id: 'aof/cut-failed',
    severity: 'fatal',
    says: [
      ...by(SINGLE, 'Error truncating the AOF file: {error}'),
      ...by(
        MULTI,
        'Error truncating the AOF file {file}: {error}',
        "Can't seek the end of the AOF file {file}: {error}",
      ),
      ...by(SINGLE, "Can't seek the end of the AOF file: {error}"),
      ...by(ANY, 'Last valid command offset is invalid'),
    ],
    means:
      'the server wanted to cut the unfinished end of {file|its log} off and could not: {error|the place was not known}.',
    risk: 'at-risk',
    data: 'the file is as it was',
    never: [],
    remedies: [MEND_LOG, WEIGH_ALL],
  },
  {
    id: 'aof/loaded',
    severity: 'info',
    role: 'up',
    says: [
      ...by(ANY, 'DB loaded from append only file: {seconds} seconds'),
      ...by(
        MULTI,
        'DB loaded from base file {file}: {seconds} seconds',
        'DB loaded from incr file {file}: {seconds} seconds',
      ),
    ],
    means: 'the server loaded {file|its log} and goes on.',
    risk: 'none',
    data: 'nothing is wrong',
    never: [],
    remedies: [LOOK_LOG],
  },
  {
    id: 'aof/reading',
    severity: 'info',
    role: 'context',
    says: [
      ...by(SINCE_4, 'Reading RDB preamble from AOF file...', 'Reading the remaining AOF tail...'),
      ...by(MULTI, 'Reading RDB base file on AOF loading...'),
    ],
    means: 'the server is reading the parts of its log one after the other.',
    risk: 'none',
    data: 'nothing is wrong',
    never: [],
    remedies: [LOOK_LOG],
  },
];
