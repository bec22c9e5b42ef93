import type { TypeCodec } from './codec.js';
import * as n from './constants.js';
import * as hash from './types/hash.js';
import * as list from './types/list.js';
import { moduleValue } from './types/module.js';
import * as set from './types/set.js';
import * as stream from './types/stream.js';
import { string } from './types/string.js';
import * as zset from './types/zset.js';

export type DialectName = 'redis' | 'valkey' | 'keydb' | 'dragonfly';

/** What follows an opcode. */
export type OpcodeRule =
  | 'end'
  | 'database'
  | 'expiry-seconds'
  | 'expiry-ms'
  | 'resize'
  | 'aux'
  | 'freq'
  | 'idle'
  | 'module-aux'
  | 'function-pre-ga'
  | 'function'
  | 'slot-info';

/** What the numbers of an RDB mean in one product and version. */
export interface Dialect {
  readonly name: DialectName;
  /** The RDB version, not the server's. */
  readonly version: number;
  /** 256 entries, indexed by type number. */
  readonly typeOf: readonly (TypeCodec | undefined)[];
  /** 256 entries, indexed by opcode; no number is both. */
  readonly opcodeOf: readonly (OpcodeRule | undefined)[];
}

type Types = Readonly<Record<number, TypeCodec>>;
type Opcodes = Readonly<Record<number, OpcodeRule>>;

/** The newest RDB version of Redis that is understood. */
export const REDIS_VERSION_MAX = 12;

// Servers do not compare type numbers with the version in the header, and some write newer types under an older one.
// So one table serves all versions in which the numbers have one meaning.
const CORE_TYPES: Types = {
  [n.TYPE_STRING]: string,
  [n.TYPE_LIST]: list.list,
  [n.TYPE_SET]: set.set,
  [n.TYPE_ZSET]: zset.zset,
  [n.TYPE_HASH]: hash.hash,
  [n.TYPE_ZSET_2]: zset.zset2,
  [n.TYPE_MODULE_2]: moduleValue,
  [n.TYPE_HASH_ZIPMAP]: hash.hashZipmap,
  [n.TYPE_LIST_ZIPLIST]: list.listZiplist,
  [n.TYPE_SET_INTSET]: set.setIntset,
  [n.TYPE_ZSET_ZIPLIST]: zset.zsetZiplist,
  [n.TYPE_HASH_ZIPLIST]: hash.hashZiplist,
  [n.TYPE_LIST_QUICKLIST]: list.listQuicklist,
  [n.TYPE_STREAM_LISTPACKS]: stream.stream1,
  [n.TYPE_HASH_LISTPACK]: hash.hashListpack,
  [n.TYPE_ZSET_LISTPACK]: zset.zsetListpack,
  [n.TYPE_LIST_QUICKLIST_2]: list.listQuicklist2,
  [n.TYPE_STREAM_LISTPACKS_2]: stream.stream2,
  [n.TYPE_SET_LISTPACK]: set.setListpack,
  [n.TYPE_STREAM_LISTPACKS_3]: stream.stream3,
};

const REDIS_12_TYPES: Types = {
  ...CORE_TYPES,
  [n.TYPE_HASH_METADATA_PRE_GA]: hash.hashMetadataPreGa,
  [n.TYPE_HASH_LISTPACK_EX_PRE_GA]: hash.hashListpackExPreGa,
  [n.TYPE_HASH_METADATA]: hash.hashMetadata,
  [n.TYPE_HASH_LISTPACK_EX]: hash.hashListpackEx,
};

const CORE_OPCODES: Opcodes = {
  [n.OPCODE_EOF]: 'end',
  [n.OPCODE_SELECTDB]: 'database',
  [n.OPCODE_EXPIRETIME]: 'expiry-seconds',
  [n.OPCODE_EXPIRETIME_MS]: 'expiry-ms',
  [n.OPCODE_RESIZEDB]: 'resize',
  [n.OPCODE_AUX]: 'aux',
  [n.OPCODE_FREQ]: 'freq',
  [n.OPCODE_IDLE]: 'idle',
  [n.OPCODE_MODULE_AUX]: 'module-aux',
  [n.OPCODE_FUNCTION_PRE_GA]: 'function-pre-ga',
  [n.OPCODE_FUNCTION2]: 'function',
};

const REDIS_12_OPCODES: Opcodes = { ...CORE_OPCODES, [n.OPCODE_SLOT_INFO]: 'slot-info' };

interface Tables {
  readonly typeOf: readonly (TypeCodec | undefined)[];
  readonly opcodeOf: readonly (OpcodeRule | undefined)[];
}

function tables(types: Types, opcodes: Opcodes): Tables {
  const numbers = Array.from({ length: 256 }, (_, number) => number);
  return { typeOf: numbers.map((id) => types[id]), opcodeOf: numbers.map((id) => opcodes[id]) };
}

const CORE = tables(CORE_TYPES, CORE_OPCODES);
const REDIS_12 = tables(REDIS_12_TYPES, REDIS_12_OPCODES);

/**
 * The dialect of a product in one RDB version, null when it is not known. The product is told by the file's magic and
 * aux fields, or by the user; payloads of DUMP carry a version only.
 */
export function dialectOf(name: DialectName, version: number): Dialect | null {
  if (version < 1 || version > REDIS_VERSION_MAX) return null;
  return { name, version, ...(name === 'redis' && version >= 12 ? REDIS_12 : CORE) };
}

/** The product that an aux field gives away, null when it says nothing. */
export function productOfAux(name: string): DialectName | null {
  return AUX_PRODUCTS.get(name) ?? null;
}

const AUX_PRODUCTS: ReadonlyMap<string, DialectName> = new Map([
  ['valkey-ver', 'valkey'],
  ['df-ver', 'dragonfly'],
  ['mvcc-tstamp', 'keydb'],
  ['repl-masters', 'keydb'],
  ['keydb-subexpire-key', 'keydb'],
  ['keydb-subexpire-when', 'keydb'],
]);
