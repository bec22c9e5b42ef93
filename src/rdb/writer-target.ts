import type { ValueKind } from '../model/kind.js';
import {
  TYPE_ARRAY,
  TYPE_GCRA,
  TYPE_HASH,
  TYPE_HASH_LISTPACK,
  TYPE_HASH_LISTPACK_EX,
  TYPE_HASH_LISTPACK_EX_PRE_GA,
  TYPE_HASH_METADATA,
  TYPE_HASH_METADATA_PRE_GA,
  TYPE_HASH_ZIPLIST,
  TYPE_HASH_ZIPMAP,
  TYPE_KEYDB_CRON,
  TYPE_LIST,
  TYPE_LIST_QUICKLIST,
  TYPE_LIST_QUICKLIST_2,
  TYPE_LIST_ZIPLIST,
  TYPE_MODULE_2,
  TYPE_SET,
  TYPE_SET_INTSET,
  TYPE_SET_LISTPACK,
  TYPE_STREAM_LISTPACKS,
  TYPE_STREAM_LISTPACKS_2,
  TYPE_STREAM_LISTPACKS_3,
  TYPE_STREAM_LISTPACKS_4,
  TYPE_STREAM_LISTPACKS_5,
  TYPE_STRING,
  TYPE_VALKEY_HASH_2,
  TYPE_ZSET,
  TYPE_ZSET_2,
  TYPE_ZSET_LISTPACK,
  TYPE_ZSET_ZIPLIST,
} from './constants.js';
import type { Dialect } from './dialect.js';

/** What one server loads from an RDB, and how it would write its own. */
export interface RdbTarget {
  readonly name: string;
  readonly product: Dialect['name'];
  /** RDB version its files carry. */
  readonly version: number;
  /** What its files say wrote them. */
  readonly serverVersion: string;
  /** Type numbers it loads. */
  readonly loads: ReadonlySet<number>;
  readonly list: 'ziplist' | 'quicklist' | 'quicklist-2';
  readonly smallSet: 'intset' | 'listpack';
  readonly smallZset: 'ziplist' | 'listpack';
  readonly smallHash: 'zipmap' | 'ziplist' | 'listpack';
  /** False: ziplists hold integers of 16, 32 and 64 bits only. */
  readonly narrowIntegers: boolean;
  /** Scores of large sorted sets as eight bytes, not as text. */
  readonly binaryScores: boolean;
  /** Whole scores are packed as integers as far as these go: beyond 2^53. */
  readonly longScores: boolean;
  readonly fieldExpiry: 'none' | 'redis' | 'valkey';
  /** Type number of streams; null: it has none. */
  readonly stream: number | null;
  readonly functions: boolean;
  readonly modules: boolean;
  /** Records of modules beside the keys. */
  readonly moduleAux: boolean;
  readonly vectorSets: boolean;
  /** What modules attach to keys. */
  readonly keyMetadata: boolean;
  readonly evictionHints: boolean;
  readonly millisecondExpiry: boolean;
  readonly checksum: boolean;
  /** Fields in front of the data; the word says how an AOF's base is marked. */
  readonly aux: 'none' | 'unmarked' | 'aof-preamble' | 'aof-base';
  /** XGROUP CREATECONSUMER is known. */
  readonly createConsumer: boolean;
  /** XSETID with ENTRIESADDED and MAXDELETEDID is known, XGROUP CREATE with ENTRIESREAD. */
  readonly streamCounters: boolean;
  /** XCLAIM with FORCE makes an entry pending even if it is not in the stream any more. */
  readonly claimsDeleted: boolean;
}

const redis24: RdbTarget = {
  name: 'redis-2.4',
  product: 'redis',
  version: 2,
  serverVersion: '2.4.18',
  loads: new Set([
    TYPE_STRING,
    TYPE_LIST,
    TYPE_SET,
    TYPE_ZSET,
    TYPE_HASH,
    TYPE_HASH_ZIPMAP,
    TYPE_LIST_ZIPLIST,
    TYPE_SET_INTSET,
    TYPE_ZSET_ZIPLIST,
  ]),
  list: 'ziplist',
  smallSet: 'intset',
  smallZset: 'ziplist',
  smallHash: 'zipmap',
  narrowIntegers: false,
  binaryScores: false,
  longScores: false,
  fieldExpiry: 'none',
  stream: null,
  functions: false,
  modules: false,
  moduleAux: false,
  vectorSets: false,
  keyMetadata: false,
  evictionHints: false,
  millisecondExpiry: false,
  checksum: false,
  aux: 'none',
  createConsumer: false,
  streamCounters: false,
  claimsDeleted: true,
};

/** The next row: what it changes of the one before, and the types it adds. */
function extend(
  base: RdbTarget,
  name: string,
  serverVersion: string,
  changes: Partial<RdbTarget> = {},
  types: readonly number[] = [],
): RdbTarget {
  return { ...base, ...changes, name, serverVersion, loads: new Set([...base.loads, ...types]) };
}

const redis26 = extend(
  redis24,
  'redis-2.6',
  '2.6.17',
  { version: 6, smallHash: 'ziplist', narrowIntegers: true, millisecondExpiry: true, checksum: true },
  [TYPE_HASH_ZIPLIST],
);
const redis28 = extend(redis26, 'redis-2.8', '2.8.24');
const redis30 = extend(redis28, 'redis-3.0', '3.0.7');
const redis32 = extend(redis30, 'redis-3.2', '3.2.13', { version: 7, list: 'quicklist', aux: 'unmarked' }, [
  TYPE_LIST_QUICKLIST,
]);
const redis40 = extend(
  redis32,
  'redis-4.0',
  '4.0.14',
  { version: 8, binaryScores: true, modules: true, aux: 'aof-preamble' },
  [TYPE_ZSET_2, TYPE_MODULE_2],
);
const redis50 = extend(
  redis40,
  'redis-5.0',
  '5.0.14',
  { version: 9, stream: TYPE_STREAM_LISTPACKS, evictionHints: true, moduleAux: true },
  [TYPE_STREAM_LISTPACKS],
);
const redis60 = extend(redis50, 'redis-6.0', '6.0.20');
const redis62 = extend(redis60, 'redis-6.2', '6.2.16', { createConsumer: true });
const redis70 = extend(
  redis62,
  'redis-7.0',
  '7.0.15',
  {
    version: 10,
    list: 'quicklist-2',
    smallZset: 'listpack',
    smallHash: 'listpack',
    stream: TYPE_STREAM_LISTPACKS_2,
    functions: true,
    streamCounters: true,
    claimsDeleted: false,
    aux: 'aof-base',
  },
  [TYPE_HASH_LISTPACK, TYPE_ZSET_LISTPACK, TYPE_LIST_QUICKLIST_2, TYPE_STREAM_LISTPACKS_2],
);
const redis72 = extend(
  redis70,
  'redis-7.2',
  '7.2.6',
  { version: 11, smallSet: 'listpack', longScores: true, stream: TYPE_STREAM_LISTPACKS_3 },
  [TYPE_SET_LISTPACK, TYPE_STREAM_LISTPACKS_3],
);
const redis74 = extend(redis72, 'redis-7.4', '7.4.1', { version: 12, fieldExpiry: 'redis' }, [
  TYPE_HASH_METADATA_PRE_GA,
  TYPE_HASH_LISTPACK_EX_PRE_GA,
  TYPE_HASH_METADATA,
  TYPE_HASH_LISTPACK_EX,
]);
const redis80 = extend(redis74, 'redis-8.0', '8.0.0', { vectorSets: true });
const redis82 = extend(redis80, 'redis-8.2', '8.2.0');
const redis84 = extend(redis82, 'redis-8.4', '8.4.0');
const redis86 = extend(
  redis84,
  'redis-8.6',
  '8.6.0',
  { version: 13, stream: TYPE_STREAM_LISTPACKS_4, keyMetadata: true },
  [TYPE_STREAM_LISTPACKS_4],
);
const redis88 = extend(redis86, 'redis-8.8', '8.8.0', { version: 14, stream: TYPE_STREAM_LISTPACKS_5 }, [
  TYPE_STREAM_LISTPACKS_5,
  TYPE_ARRAY,
]);

const valkey72 = extend(redis72, 'valkey-7.2', '7.2.13', { product: 'valkey' });
const valkey80 = extend(valkey72, 'valkey-8.0', '8.0.0');
const valkey81 = extend(valkey80, 'valkey-8.1', '8.1.7');
const valkey90 = extend(valkey81, 'valkey-9.0', '9.0.0', { version: 80, fieldExpiry: 'valkey' }, [
  TYPE_VALKEY_HASH_2,
]);
const valkey91 = extend(valkey90, 'valkey-9.1', '9.1.0');

const keydb = extend(redis62, 'keydb-6.3', '6.3.4', { product: 'keydb' }, [TYPE_KEYDB_CRON]);

const ALL = [
  ...[redis24, redis26, redis28, redis30, redis32, redis40, redis50, redis60, redis62],
  ...[redis70, redis72, redis74, redis80, redis82, redis84, redis86, redis88],
  ...[valkey72, valkey80, valkey81, valkey90, valkey91, keydb],
];

/** Every server that can be written for, by name: `redis-6.2`, `valkey-9.1`, … */
export const RDB_TARGETS: ReadonlyMap<string, RdbTarget> = new Map(ALL.map((row) => [row.name, row]));

/** The nine bytes that open the target's files. */
export function magicOf(target: RdbTarget): string {
  return target.version >= 80
    ? `VALKEY${String(target.version).padStart(3, '0')}`
    : `REDIS${String(target.version).padStart(4, '0')}`;
}

/** Numbers up to this one mean the same everywhere. */
const LAST_COMMON_TYPE = TYPE_STREAM_LISTPACKS_3;
/** Ziplists of files before this version hold no integers that Redis 2.4 does not know. */
const FIRST_VERSION_WITH_NARROW_INTEGERS = 5;

/** Kinds of value that only some servers know, each with the one type number it has. */
const RARE_KINDS: Partial<Record<ValueKind, number>> = {
  array: TYPE_ARRAY,
  gcra: TYPE_GCRA,
  cron: TYPE_KEYDB_CRON,
};

/** Whether the target knows values of a kind at all; it may not know the one at hand. */
export function knowsKind(target: RdbTarget, kind: ValueKind): boolean {
  if (kind === 'stream') return target.stream !== null;
  if (kind === 'module') return target.modules;
  const type = RARE_KINDS[kind];
  return type === undefined || target.loads.has(type);
}

/** Whether the target loads a value of this number as it stands in a file of `source`. */
export function loadsUnchanged(target: RdbTarget, source: Dialect, typeId: number): boolean {
  if (!target.loads.has(typeId)) return false;
  if (typeId > LAST_COMMON_TYPE && source.name !== target.product) return false;
  const ziplist = typeId === TYPE_LIST_ZIPLIST || typeId === TYPE_ZSET_ZIPLIST;
  return !ziplist || target.narrowIntegers || source.version < FIRST_VERSION_WITH_NARROW_INTEGERS;
}
