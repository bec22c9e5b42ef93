import { by, type ServerMessage } from './message.js';
import { LOOK_RDB, NO_DELETE, NO_EMPTY_START, SALVAGE_RDB, WEIGH_ALL } from './remedies.js';

const ANY = 'every Redis, Valkey and KeyDB';
const SINCE_3_2 = 'Redis 3.2 and later, Valkey, KeyDB';
const SINCE_6 = 'Redis 6.0 and later, Valkey, KeyDB';
const SINCE_7 = 'Redis 7.0 and later, Valkey';

/** What servers and redis-check-rdb say of an RDB as a file: its header, its end, whether it can be opened at all. */
export const RDB_MESSAGES: readonly ServerMessage[] = [
  {
    id: 'rdb/version',
    severity: 'fatal',
    says: [
      ...by(ANY, "Can't handle RDB format version {#version}"),
      ...by('redis-check-dump of Redis 2.4 to 3.0', 'Unknown RDB format version: {#version}'),
    ],
    means:
      'the RDB has format version {version}, which this server does not know{writers}. The file is not damaged: it was saved by a newer server, or by another product.',
    risk: 'at-risk',
    data: 'the file is whole as far as this line tells; it is in danger once the server is made to start without it',
    never: [
      NO_EMPTY_START,
      'do not edit the version in the header: the types inside stay those of the newer server',
    ],
    remedies: [
      { why: 'see who wrote it, and what it holds', command: 'rekindle info {rdb}' },
      {
        why: 'write it as your server loads it (name that after --for); what it cannot hold is listed',
        command: 'rekindle convert {rdb} converted.rdb --for {target}',
      },
    ],
  },
  {
    id: 'rdb/foreign-version',
    severity: 'warning',
    says: [
      ...by('Valkey 9', 'Foreign RDB version {#version} detected', 'Future RDB version {#version} detected'),
      ...by('Valkey 9', "RDB looks OK, but loading requires config 'rdb-version-check relaxed'"),
    ],
    means:
      'the RDB has a format version that is not one of Valkey{writers}. With `rdb-version-check relaxed` the server tries it and stops at the first type or opcode that is not its own.',
    risk: 'none',
    data: 'the file is as it was',
    never: [
      'do not rely on `relaxed` for data you need: values of types that Valkey lacks end the load half way',
    ],
    remedies: [
      {
        why: 'write it as Valkey loads it; what that cannot hold is listed',
        command: 'rekindle convert {rdb} converted.rdb --for valkey-9',
      },
    ],
  },
  {
    id: 'rdb/foreign-type',
    severity: 'fatal',
    says: by('Valkey 9', "Can't handle foreign type or opcode {#type} in RDB with version {#version}"),
    means:
      'the RDB has version {version}{writers}, and holds type or opcode {type}, which Valkey does not have: a value of another product, such as a hash with TTLs of fields as Redis 7.4 writes it.',
    risk: 'at-risk',
    data: 'the file is whole as far as this line tells',
    never: [NO_EMPTY_START],
    remedies: [
      { why: 'see what it holds', command: 'rekindle info {rdb}' },
      {
        why: 'write it as Valkey loads it; what that cannot hold is listed',
        command: 'rekindle convert {rdb} converted.rdb --for valkey-9',
      },
    ],
  },
  {
    id: 'rdb/signature',
    severity: 'fatal',
    says: [
      ...by('every Redis and KeyDB, Valkey up to 8.1', 'Wrong signature trying to load DB from file'),
      ...by('Valkey 9', 'Wrong signature trying to load DB from file: {magic}'),
      ...by('redis-check-dump of Redis 2.4 to 3.0', 'Wrong signature in header'),
    ],
    means:
      'the file does not begin as an RDB that this server knows. It is compressed, or something else under that name, or damaged at its very start, or a VALKEY file before a Redis server.',
    risk: 'at-risk',
    data: 'a compressed file or one of another product is whole; of one damaged at its start most keys can be read',
    never: [NO_EMPTY_START],
    remedies: [
      { why: 'see what it really is', command: 'rekindle info {rdb}' },
      LOOK_RDB,
      {
        why: 'if another product wrote it: write it as your server loads it',
        command: 'rekindle convert {rdb} converted.rdb --for {target}',
      },
    ],
  },
  {
    id: 'rdb/short-read',
    severity: 'fatal',
    says: [
      ...by(ANY, 'Short read or OOM loading DB. Unrecoverable error, aborting now.'),
      ...by(SINCE_3_2, 'Unexpected EOF reading RDB file'),
      ...by('Redis 5.0', 'Impossible to read {#bytes} bytes in rdbLoadRaw()'),
    ],
    means:
      'the RDB ends before its end mark{where}: it was cut off (a copy that did not finish, a full disk), or a damaged length led the reader past the end. Rarely, memory ran out.',
    risk: 'lost',
    data: 'what was cut off is gone from this file; the keys before that place can be read',
    never: [NO_EMPTY_START, 'do not overwrite older backups with it: one of them may be whole'],
    remedies: [LOOK_RDB, SALVAGE_RDB, WEIGH_ALL],
  },
  {
    id: 'rdb/checksum',
    severity: 'fatal',
    says: [
      ...by('Redis 2.6 to 5.0', 'Wrong RDB checksum. Aborting now.'),
      ...by(SINCE_6, 'Wrong RDB checksum expected: ({computed}) but got ({stored}). Aborting now.'),
      ...by(SINCE_3_2, 'RDB CRC error'),
    ],
    means:
      'the RDB reads up to its end, but its bytes do not come to the checksum that stands there: at least one bit changed since it was saved, on the disk or on the way.',
    risk: 'at-risk',
    data: 'by structure every key is there; a value may be wrong, and the server cannot say which (rekindle finds a single changed byte by the checksum)',
    never: [
      'do not set `rdbchecksum no` to get it loaded: the server takes the wrong value for a right one and saves it again',
      NO_EMPTY_START,
    ],
    remedies: [LOOK_RDB, SALVAGE_RDB],
  },
  {
    id: 'rdb/no-checksum',
    severity: 'info',
    says: [
      ...by(ANY, 'RDB file was saved with checksum disabled: no check performed.'),
      ...by('Valkey 9', 'RDB file was saved with checksum disabled: skipped checksum for this transfer'),
      ...by('redis-check-dump of Redis 2.6 to 3.0', 'RDB version >= 5 but no room for checksum.'),
    ],
    means:
      'the RDB was saved with `rdbchecksum no`: the server loads it without being able to tell whether a bit changed.',
    risk: 'none',
    data: 'nothing is known to be wrong; a changed bit inside a value would not be noticed',
    never: [],
    remedies: [
      { why: 'verify everything that can be verified without a checksum', command: 'rekindle check {rdb}' },
    ],
  },
  {
    id: 'rdb/cannot-open',
    severity: 'fatal',
    says: [...by(SINCE_7, "Fatal error: can't open the RDB file {file} for reading: {error}")],
    means:
      'the RDB is there and the server could not open it: {error}. With "Permission denied" it belongs to another user: a copy made as root does.',
    risk: 'at-risk',
    data: 'the file was not touched',
    never: [NO_EMPTY_START],
    remedies: [
      {
        why: 'see whether the file is whole (run it as a user who may read it)',
        command: 'rekindle check {rdb}',
      },
      {
        why: 'give it to the user the server runs as, if permission is the trouble',
        command: 'chown redis:redis {rdb}',
      },
    ],
  },
  {
    id: 'rdb/load-failed',
    severity: 'fatal',
    role: 'general',
    says: [
      ...by('Redis 7.2 and later, Valkey', 'Fatal error loading the DB, check server logs. Exiting.'),
      ...by('Redis 2.4', 'Fatal error loading the DB. Exiting.'),
      ...by('Redis 2.4 to 6.2, KeyDB', 'Fatal error loading the DB: {error}. Exiting.'),
      ...by(SINCE_6, 'Terminating server after rdb file reading failure.'),
      ...by('Redis 7.0 and later', '{file}. Failure loading rdb format'),
    ],
    means:
      'the server did not load its RDB ({error|the line before says why}) and does not start. With "Permission denied" the file belongs to another user; otherwise the line before this one says what is wrong with it: give that to doctor too.',
    risk: 'at-risk',
    data: 'nothing was changed; what can be read depends on the reason',
    never: [NO_EMPTY_START, NO_DELETE],
    remedies: [LOOK_RDB, WEIGH_ALL],
  },
  {
    id: 'rdb/internal-error',
    severity: 'fatal',
    role: 'general',
    says: [
      ...by(
        SINCE_6,
        'Internal error in RDB reading offset {#offset}, function at rdb.c:{#codeLine} -> {reason}',
      ),
      ...by('Redis 3.2 to 5.0', 'Internal error in RDB reading function at rdb.c:{#codeLine} -> {reason}'),
    ],
    means:
      'the server could not read the RDB{where}: {reason}. It gave up there and did not look at the rest of the file.',
    risk: 'at-risk',
    data: 'as a rule all keys but the damaged ones can be read',
    never: [NO_EMPTY_START],
    remedies: [LOOK_RDB, SALVAGE_RDB, WEIGH_ALL],
  },
  {
    id: 'rdb/databases',
    severity: 'fatal',
    says: [
      ...by(
        ANY,
        'FATAL: Data file was created with a {product} server configured to handle more than {#databases} databases. Exiting',
      ),
      ...by(
        'Redis 3.2 and later',
        "You can't have keys in a DB different than DB 0 when in Cluster mode. Exiting.",
      ),
    ],
    means:
      'the file holds keys in a database whose number is beyond `databases` of this server ({databases|1}; in cluster mode only database 0 counts). Either the other server had more, or the number is damaged.',
    risk: 'at-risk',
    data: 'nothing is lost; the server refuses before it changes anything',
    never: [NO_EMPTY_START],
    remedies: [
      { why: 'see how many keys are in which database', command: 'rekindle info {dir}' },
      {
        why: 'if that is right: raise `databases` in the configuration, or move the keys of a database',
        command: 'rekindle convert {rdb} moved.rdb --map-db 20=1',
      },
      LOOK_RDB,
    ],
  },
  {
    id: 'rdb/check-crash',
    severity: 'fatal',
    says: by('redis-check-rdb since Redis 3.2', 'Server crash checking the specified RDB file!'),
    means:
      'redis-check-rdb itself crashed on the file: a damaged length or value made it read where nothing is.',
    risk: 'at-risk',
    data: 'the file was only read; a server that loads it may crash in the same way',
    never: [NO_EMPTY_START],
    remedies: [LOOK_RDB, SALVAGE_RDB],
  },
  {
    id: 'rdb/check-ok',
    severity: 'info',
    says: [
      ...by('redis-check-rdb since Redis 3.2', 'RDB looks OK!'),
      ...by('redis-check-rdb since Redis 3.2', 'Checksum OK'),
      ...by('redis-check-dump of Redis 2.6 to 3.0', 'CRC64 checksum is OK'),
    ],
    means:
      'redis-check-rdb found nothing. It does not see duplicate keys, wrong counts, databases beyond the limit or bytes behind the end, and a server still refuses some of these.',
    risk: 'none',
    data: 'no danger is known',
    never: [],
    remedies: [{ why: 'verify what it does not look at', command: 'rekindle check {rdb}' }],
  },
  {
    id: 'rdb/check-error',
    severity: 'error',
    role: 'general',
    says: by('redis-check-rdb since Redis 3.2', '--- RDB ERROR DETECTED ---'),
    means:
      'redis-check-rdb stopped at the first thing it could not read; the next line says what, and it looked no further.',
    risk: 'at-risk',
    data: 'the file was only read; keys behind that place may be whole',
    never: [NO_EMPTY_START],
    remedies: [LOOK_RDB, SALVAGE_RDB],
  },
  {
    id: 'rdb/context',
    severity: 'info',
    role: 'context',
    says: [
      ...by(
        'redis-check-rdb since Redis 3.2',
        '[additional info] While doing: {doing}',
        "[additional info] Reading key '{key}'",
      ),
      ...by(
        'redis-check-rdb since Redis 3.2',
        '[additional info] Reading type {#type} ({typeName})',
        'Checking RDB file {file}',
      ),
      ...by(SINCE_3_2, "RDB '{field}': {text}"),
    ],
    means: 'says where the checker was when it stopped, or what a field of the RDB holds.',
    risk: 'none',
    data: 'by itself it says nothing about the data',
    never: [],
    remedies: [LOOK_RDB],
  },
  {
    id: 'rdb/loaded',
    severity: 'info',
    role: 'up',
    says: [
      ...by(ANY, 'DB loaded from disk: {seconds} seconds'),
      ...by(SINCE_7, 'Done loading RDB, keys loaded: {#keys}, keys expired: {#expired}'),
    ],
    means: 'the server loaded its RDB and goes on{loaded}.',
    risk: 'none',
    data: 'nothing is wrong; keys that had expired by then were left out',
    never: [],
    remedies: [{ why: 'compare with what the file holds', command: 'rekindle info {rdb}' }],
  },
  {
    id: 'rdb/producer',
    severity: 'info',
    role: 'context',
    says: [
      ...by(SINCE_6, 'Loading RDB produced by version {producer}', 'RDB age {#ageSeconds} seconds'),
      ...by('Valkey 9', 'Loading RDB produced by {product} version {producer}'),
      ...by(
        SINCE_6,
        'RDB memory usage when created {megabytes} Mb',
        'RDB is base AOF',
        'RDB has an AOF tail',
      ),
    ],
    means:
      'the server tells what the RDB says of itself: who saved it, when, and how much memory it took there.',
    risk: 'none',
    data: 'nothing is wrong. A large age means that an old snapshot was loaded: everything written since is not in it',
    never: [],
    remedies: [
      { why: 'see the same without a server', command: 'rekindle info {rdb}' },
      { ...WEIGH_ALL, why: 'if it is older than it should be: see whether something newer is there' },
    ],
  },
];
