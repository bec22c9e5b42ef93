import { by, type ServerMessage } from './message.js';
import { LOOK_RDB, NO_EMPTY_START, SALVAGE_RDB, WEIGH_ALL } from './remedies.js';

const SINCE_3_2 = 'Redis 3.2 and later, Valkey, KeyDB';
const SINCE_5 = 'Redis 5.0 and later, Valkey, KeyDB';
const SINCE_6_2 = 'Redis 6.2 and later, Valkey, KeyDB';
const SINCE_7 = 'Redis 7.0 and later, Valkey';
const SINCE_7_4 = 'Redis 7.4 and later';
const REDIS_8 = 'Redis 8.8';

const PACKED = ['Ziplist', 'List ziplist', 'Hash ziplist', 'Zset ziplist', 'Zipmap', 'Intset', 'Quicklist'];
const LISTPACKS = ['Listpack', 'Hash listpack', 'Set listpack', 'Zset listpack', 'Stream listpack'];
const integrity = (of: string): string => `${of} integrity check failed.`;

/** What servers say of the values inside an RDB: damaged, unknown, of a module, too large. */
export const VALUE_MESSAGES: readonly ServerMessage[] = [
  {
    id: 'rdb/value',
    severity: 'fatal',
    says: [
      ...by(SINCE_6_2, ...PACKED.map(integrity)),
      ...by(SINCE_7, ...LISTPACKS.map(integrity)),
      ...by(SINCE_7_4, 'Hash listpackex integrity check failed.', 'Hash read invalid minExpire value'),
      ...by(SINCE_7_4, 'invalid expireAt time: {#time}', 'Hash failed loading minExpire'),
      ...by(SINCE_7_4, 'failed reading hash TTL', 'failed reading hash field', 'failed reading hash value'),
      ...by(SINCE_5, 'Duplicate hash fields detected'),
      ...by(SINCE_6_2, 'Duplicate set members detected', 'Duplicate zset fields detected'),
      ...by(SINCE_6_2, 'Hash with dup elements', 'Zset with NAN score detected'),
      ...by(SINCE_6_2, 'Hash zipmap with dup elements, or big length ({#length})'),
      ...by('Redis 5.0, 6.0', 'Hash zipmap too big ({#length})'),
      ...by(SINCE_3_2, 'Invalid LZF compressed string'),
      ...by(REDIS_8, 'Empty array (count == 0) is invalid', 'Invalid array index {#index}'),
      ...by(REDIS_8, 'Invalid array insert_idx_flag {#flag}', 'Unknown array element type_tag {#tag}'),
      ...by(REDIS_8, 'Invalid small string length {#length} in array', 'Failed loading GCRA TaT value'),
    ],
    means:
      'a value in the RDB is damaged inside{where}. The server gave up at this key and did not look at the rest of the file.',
    risk: 'at-risk',
    data: 'as a rule this one value is damaged and all other keys can be read',
    never: [NO_EMPTY_START],
    remedies: [LOOK_RDB, SALVAGE_RDB, WEIGH_ALL],
  },
  {
    id: 'rdb/stream',
    severity: 'fatal',
    says: [
      ...by(SINCE_5, 'Stream listpacks loading failed.', 'Stream listpacks len loading failed.'),
      ...by(
        SINCE_5,
        'Stream node key entry is not the size of a stream ID',
        'Listpack re-added with existing key',
      ),
      ...by(SINCE_5, 'Stream object metadata loading failed.', 'Stream cgroup count loading failed.'),
      ...by(SINCE_5, 'Stream cgroup ID loading failed.', 'Stream cgroup offset loading failed.'),
      ...by(
        SINCE_5,
        'Stream PEL size loading failed.',
        'Stream PEL ID loading failed.',
        'Stream PEL NACK loading failed.',
      ),
      ...by(SINCE_5, 'Stream consumers num loading failed.', 'Stream consumer PEL num loading failed.'),
      ...by(SINCE_5, 'Stream short read reading seen time.', 'Stream short read reading PEL streamID.'),
      ...by(SINCE_7, 'Stream short read reading active time.'),
      ...by(SINCE_5, 'Consumer entry not found in group global PEL', 'Empty listpack inside stream'),
      ...by(
        SINCE_5,
        'Duplicated consumer group name {group}',
        'Error reading the consumer name from Stream group',
      ),
      ...by(SINCE_5, 'Error reading the consumer group name from Stream'),
      ...by(SINCE_5, 'Duplicated consumer PEL entry loading a stream consumer group'),
      ...by(
        SINCE_6_2,
        'Duplicated global PEL entry loading stream consumer group',
        'Duplicate stream consumer detected.',
      ),
      ...by('Redis 5.0, 6.0', 'Duplicated gobal PEL entry loading stream consumer group'),
      ...by(SINCE_6_2, 'Stream length inconsistent with rax entries', 'Stream CG PEL entry without consumer'),
      ...by(REDIS_8, 'Stream length inconsistent with live entries', 'Stream listpack bad entry count'),
      ...by(REDIS_8, 'Stream NACK zone', 'Stream IDMP', 'Stream iids_added loading failed.'),
    ],
    means:
      'a stream in the RDB is damaged{where}, in its entries, its groups or their pending lists. The server gave up at this key.',
    risk: 'at-risk',
    data: 'as a rule this stream is damaged and all other keys can be read',
    never: [NO_EMPTY_START],
    remedies: [
      LOOK_RDB,
      SALVAGE_RDB,
      {
        why: 'keep the readable part of the stream as well',
        command: 'rekindle repair {rdb} --partial --out {rdb}.repaired',
      },
    ],
  },
  {
    id: 'rdb/unknown-type',
    severity: 'fatal',
    says: [
      ...by(SINCE_3_2, 'Unknown RDB encoding type {#type}', 'Unknown RDB string encoding type {#encoding}'),
      ...by(
        SINCE_3_2,
        'Unknown RDB integer encoding type {#encoding}',
        'Unknown length encoding {#encoding} in rdbLoadLen()',
      ),
      ...by(
        'Redis 2.4 to 3.0',
        'Unknown RDB encoding type',
        'Unknown RDB integer encoding type',
        'Unknown object type',
      ),
      ...by('redis-check-rdb since Redis 3.2', 'Invalid object type: {#type}'),
      ...by('Valkey 9', 'Unknown type or opcode when loading DB. Unrecoverable error, aborting now.'),
      ...by(SINCE_7, 'bad when_opcode'),
    ],
    means:
      'the server met a byte that stands for no type or encoding it knows{where}. The file is damaged before that place, or a server wrote it that has types this one lacks under the same version number.',
    risk: 'at-risk',
    data: 'if it is damaged, the keys before and behind that place can be read; if it is newer, it is whole',
    never: [NO_EMPTY_START],
    remedies: [{ why: 'see who wrote it', command: 'rekindle info {rdb}' }, LOOK_RDB, SALVAGE_RDB],
  },
  {
    id: 'rdb/duplicate-key',
    severity: 'fatal',
    says: [
      ...by(SINCE_6_2, "RDB has duplicated key '{key}' in DB {#db}"),
      ...by(SINCE_6_2, 'Duplicated key found in RDB file'),
      ...by('Redis 3.2 to 6.0', 'Duplicate keys detected'),
      ...by('KeyDB', 'Assumed new key {key} existed in DB.'),
    ],
    means:
      'the same key stands twice in the RDB{keyText}. No server saves that: files were joined by hand, a tool wrote it, or a damaged byte turned one name into another.',
    risk: 'at-risk',
    data: 'both values can be read; the server refuses to choose',
    never: [NO_EMPTY_START],
    remedies: [
      LOOK_RDB,
      {
        why: 'write it with one of the two: the first or the last',
        command: 'rekindle convert {rdb} single.rdb --on-duplicate last',
      },
    ],
  },
  {
    id: 'rdb/empty-key',
    severity: 'warning',
    says: [
      ...by(SINCE_6_2, 'rdbLoadObject skipping empty key: {key}'),
      ...by(SINCE_7, 'keys expired: {#expired}, empty keys skipped: {#empty}'),
    ],
    means:
      'a list, set, hash or sorted set in the RDB had no elements{keyText}. The server left the key out and went on: older versions could save such keys because of a defect.',
    risk: 'none',
    data: 'nothing is lost that a server could hold: a key without elements does not exist',
    never: [],
    remedies: [{ why: 'see which keys these are', command: 'rekindle check {rdb}' }],
  },
  {
    id: 'rdb/module',
    severity: 'fatal',
    says: [
      ...by(
        'Redis 4.0 to 6.0',
        "The RDB file contains module data I can't load: no matching module '{module}'",
      ),
      ...by(SINCE_6_2, "The RDB file contains module data I can't load: no matching module type '{module}'"),
      ...by(
        'Redis 6.0 and later, Valkey',
        "The RDB file contains AUX module data I can't load: no matching module '{module}'",
      ),
    ],
    means:
      'the RDB holds values of the module type {module}, and this server has no module of that name loaded. It refuses the whole file.',
    risk: 'at-risk',
    data: 'nothing is damaged; all other keys can be taken without that module',
    never: [NO_EMPTY_START],
    remedies: [
      { why: 'see which modules it needs, and for how many keys', command: 'rekindle info {rdb}' },
      {
        why: 'load the module in the configuration (`loadmodule`), or write the file without its keys',
        command: 'rekindle convert {rdb} without-modules.rdb --for {target}',
      },
    ],
  },
  {
    id: 'rdb/module-value',
    severity: 'fatal',
    says: [
      ...by(
        'Redis 4.0 and later, Valkey',
        "The RDB file contains module data for the module '{module}' that is not terminated by the proper module value EOF marker",
      ),
      ...by(
        'Redis 4.0 and later, Valkey',
        "The RDB file contains module data for the module type '{module}', that the responsible module is not able to load.",
      ),
      ...by(
        'Redis 6.0 and later, Valkey',
        "The RDB file contains module AUX data for the module '{module}' that is not terminated by the proper module value EOF marker",
      ),
      ...by(
        'Redis 6.0 and later, Valkey',
        "The RDB file contains module AUX data for the module type '{module}', that the responsible module is not able to load.",
      ),
      ...by(
        'Redis 6.0 and later, Valkey',
        "The RDB file contains module AUX data, but the module '{module}' doesn't seem to support it.",
      ),
      ...by(
        'Redis 4.0 and later, Valkey',
        "Error loading data from RDB (short read or EOF). Read performed by module '{module}'",
      ),
      ...by(
        'Redis 4.0 and later, Valkey',
        'Error reading integer from module {module} value',
        'Error reading float from module {module} value',
      ),
      ...by(
        'Redis 4.0 and later, Valkey',
        'Error reading double from module {module} value',
        'Error reading string from module {module} value',
      ),
    ],
    means:
      'a value of the module {module} in the RDB could not be loaded by it{where}: it is damaged, or a newer version of the module saved it.',
    risk: 'at-risk',
    data: 'all keys of other kinds can be read; those of the module as far as they are whole',
    never: [NO_EMPTY_START],
    remedies: [
      LOOK_RDB,
      { why: 'see which version of the module saved it', command: 'rekindle info {rdb}' },
      SALVAGE_RDB,
    ],
  },
  {
    id: 'rdb/function',
    severity: 'fatal',
    says: [
      ...by(SINCE_7, 'Failed loading library, {error}', 'Failed creating function, {error}'),
      ...by(SINCE_7, 'Failed loading library payload', 'Failed creating the library'),
    ],
    means:
      'a function library in the RDB could not be loaded: {error|the line before says why}. As a rule the engine or a function of that name is missing here, or two libraries have the same.',
    risk: 'at-risk',
    data: 'the keys are whole; only the library stands in the way',
    never: [NO_EMPTY_START],
    remedies: [
      { why: 'see how many libraries it holds', command: 'rekindle info {rdb}' },
      {
        why: 'write it for a server before 7.0, which drops the functions, and load them anew',
        command: 'rekindle convert {rdb} without-functions.rdb --for redis-6.2',
      },
    ],
  },
  {
    id: 'rdb/pre-release',
    severity: 'fatal',
    says: [
      ...by('Redis 7.2 and later, Valkey', 'Pre-release function format not supported'),
      ...by('Redis 7.0 and later, Valkey', 'Pre-release module format not supported'),
    ],
    means:
      'the RDB was saved by a release candidate (of 7.0 for functions, of 4.0 for modules) in a form that later releases refuse.',
    risk: 'at-risk',
    data: 'the keys are whole',
    never: [NO_EMPTY_START],
    remedies: [
      {
        why: 'write it in the form of a release',
        command: 'rekindle convert {rdb} converted.rdb --for {target}',
      },
      LOOK_RDB,
    ],
  },
  {
    id: 'rdb/lua',
    severity: 'fatal',
    says: by('Redis 4.0 to 6.2', "Can't load Lua script from RDB file! BODY: {body}"),
    means: 'a script that the RDB carries for EVALSHA does not compile on this server.',
    risk: 'at-risk',
    data: 'the keys are whole; scripts are only a cache',
    never: [NO_EMPTY_START],
    remedies: [
      {
        why: 'write the file without its scripts',
        command: 'rekindle convert {rdb} without-scripts.rdb --for redis-7.0',
      },
      LOOK_RDB,
    ],
  },
  {
    id: 'rdb/allocation',
    severity: 'fatal',
    says: [
      ...by(
        SINCE_6_2,
        'rdbGenericLoadStringObject failed allocating {#bytes} bytes',
        'rdbLoadLzfStringObject failed allocating {#bytes} bytes',
      ),
      ...by(SINCE_6_2, 'OOM in dictTryExpand {#size}'),
      ...by('Valkey 9', 'OOM in hashtableTryExpand {#size}'),
    ],
    means:
      'a length in the RDB asks for more memory than there is ({bytes|too many} bytes). With a sane number the machine is too small; with an absurd one the length is damaged.',
    risk: 'at-risk',
    data: 'as a rule one value is damaged and all other keys can be read',
    never: [NO_EMPTY_START],
    remedies: [LOOK_RDB, SALVAGE_RDB],
  },
  {
    id: 'rdb/unknown-aux',
    severity: 'info',
    says: by(SINCE_3_2, "Unrecognized RDB AUX field: '{field}'"),
    means:
      'the RDB has a field {field} that this server does not know and passes over: another product or a newer version wrote it.',
    risk: 'none',
    data: 'nothing is lost',
    never: [],
    remedies: [{ why: 'see who wrote it', command: 'rekindle info {rdb}' }],
  },
  {
    id: 'rdb/cannot-store',
    severity: 'error',
    says: by('Valkey 9', "Can't store key '{key}' (db {#db}) in RDB version {#version}"),
    means:
      'the server was to write an RDB for an older replica, and the key {key} (a hash whose fields have TTLs) does not fit into version {version}.',
    risk: 'none',
    data: 'the data is in memory and in its own RDB; only that replica gets nothing',
    never: [],
    remedies: [
      {
        why: 'write it for the older server from a snapshot; what it cannot hold is listed',
        command: 'rekindle convert {rdb} older.rdb --for valkey-8.1',
      },
    ],
  },
];
