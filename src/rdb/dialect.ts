import type { TypeCodec } from './codec.js';
import * as n from './constants.js';
import { array } from './types/array.js';
import { cron } from './types/cron.js';
import * as dragonfly from './types/dragonfly.js';
import { gcra } from './types/gcra.js';
import * as hash from './types/hash.js';
import * as template from './types/hash-template.js';
import * as list from './types/list.js';
import { moduleValue } from './types/module.js';
import * as set from './types/set.js';
import * as stream from './types/stream.js';
import { string } from './types/string.js';
import * as zset from './types/zset.js';

export type DialectName = 'redis' | 'valkey' | 'keydb' | 'dragonfly' | 'redis-enterprise';

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
  | 'slot-info'
  | 'key-metadata'
  | 'slot-import'
  | 'hash-template'
  | 'ignored-length'
  | 'blob-zstd'
  | 'blob-lz4'
  | 'journal-blob'
  | 'ignored-words'
  | 'key-mask'
  | 'vector-index'
  | 'document-index'
  | 'tagged-chunk';

/** What the numbers of an RDB mean in one product and version. */
export interface Dialect {
  readonly name: DialectName;
  /** The RDB version, not the server's. */
  readonly version: number;
  /** False: known from descriptions alone, no file of such a server has been read yet. */
  readonly proven: boolean;
  /** 256 entries, indexed by type number. */
  readonly typeOf: readonly (TypeCodec | undefined)[];
  /** 256 entries, indexed by opcode; no number is both. */
  readonly opcodeOf: readonly (OpcodeRule | undefined)[];
}

type Types = Readonly<Record<number, TypeCodec>>;
type Opcodes = Readonly<Record<number, OpcodeRule>>;

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

/** What a product numbers from one RDB version on, beside what is common to all. */
interface Numbering {
  readonly since: number;
  readonly types: Types;
  readonly opcodes: Opcodes;
}

/** Known from its source alone. */
const DRAGONFLY: readonly Numbering[] = [
  {
    since: 1,
    types: {
      [n.TYPE_DRAGONFLY_JSON]: dragonfly.json,
      [n.TYPE_DRAGONFLY_HASH]: dragonfly.hashWithExpiry,
      [n.TYPE_DRAGONFLY_SET]: dragonfly.setWithExpiry,
      [n.TYPE_DRAGONFLY_BLOOM]: dragonfly.bloomFilter,
      [n.TYPE_DRAGONFLY_BLOOM_2]: dragonfly.bloomFilterInChunks,
      [n.TYPE_DRAGONFLY_CMS]: dragonfly.countMinSketch,
      [n.TYPE_DRAGONFLY_TOPK]: dragonfly.topK,
      [n.TYPE_DRAGONFLY_CUCKOO]: dragonfly.cuckooFilter,
    },
    opcodes: {
      [n.OPCODE_DRAGONFLY_SYNC_END]: 'ignored-words',
      [n.OPCODE_DRAGONFLY_ZSTD_BLOB]: 'blob-zstd',
      [n.OPCODE_DRAGONFLY_LZ4_BLOB]: 'blob-lz4',
      [n.OPCODE_DRAGONFLY_JOURNAL_BLOB]: 'journal-blob',
      [n.OPCODE_DRAGONFLY_JOURNAL_OFFSET]: 'ignored-words',
      [n.OPCODE_DRAGONFLY_MASK]: 'key-mask',
      [n.OPCODE_DRAGONFLY_VECTOR_INDEX]: 'vector-index',
      [n.OPCODE_DRAGONFLY_DOCUMENT_INDEX]: 'document-index',
      [n.OPCODE_DRAGONFLY_CHUNK]: 'tagged-chunk',
    },
  },
];

/** What is known of one product. */
interface Product {
  /** Versions of which files by real servers have been read, in ranges. */
  readonly proven: readonly (readonly [first: number, last: number])[];
  /** First and last of the versions that are understood, in ranges. */
  readonly versions: readonly (readonly [first: number, last: number])[];
  /** Each adds to those before it, or takes a number back from them. */
  readonly numberings: readonly Numbering[];
}

const PRODUCTS: Readonly<Record<DialectName, Product>> = {
  redis: {
    versions: [[1, 16]],
    proven: [
      [1, 12],
      [14, 14],
    ],
    numberings: [
      {
        since: 12,
        types: {
          [n.TYPE_HASH_METADATA_PRE_GA]: hash.hashMetadataPreGa,
          [n.TYPE_HASH_LISTPACK_EX_PRE_GA]: hash.hashListpackExPreGa,
          [n.TYPE_HASH_METADATA]: hash.hashMetadata,
          [n.TYPE_HASH_LISTPACK_EX]: hash.hashListpackEx,
        },
        opcodes: { [n.OPCODE_SLOT_INFO]: 'slot-info' },
      },
      {
        since: 13,
        types: { [n.TYPE_STREAM_LISTPACKS_4]: stream.stream4 },
        opcodes: { [n.OPCODE_KEY_METADATA]: 'key-metadata' },
      },
      {
        since: 14,
        types: {
          [n.TYPE_STREAM_LISTPACKS_5]: stream.stream5,
          [n.TYPE_ARRAY]: array,
          [n.TYPE_GCRA_14]: gcra,
        },
        opcodes: {},
      },
      {
        since: 15,
        types: {
          [n.TYPE_HASH_TEMPLATE_LISTPACK]: template.hashTemplateListpack,
          [n.TYPE_HASH_TEMPLATE_LISTPACK_REF]: template.hashTemplateListpackRef,
          [n.TYPE_HASH_TEMPLATE_ARRAY]: template.hashTemplateArray,
          [n.TYPE_HASH_TEMPLATE_ARRAY_REF]: template.hashTemplateArrayRef,
          [n.TYPE_GCRA]: gcra,
        },
        opcodes: { [n.OPCODE_HASH_TEMPLATE]: 'hash-template' },
      },
    ],
  },
  valkey: {
    // What lies between belongs to others, as Valkey sees it.
    versions: [
      [1, 11],
      [80, 80],
    ],
    proven: [
      [11, 11],
      [80, 80],
    ],
    numberings: [
      {
        since: 80,
        types: { [n.TYPE_VALKEY_HASH_2]: hash.valkeyHash2 },
        opcodes: {
          [n.OPCODE_SLOT_INFO]: 'slot-info',
          [n.OPCODE_VALKEY_SLOT_IMPORT]: 'slot-import',
        },
      },
    ],
  },
  keydb: {
    versions: [[1, 11]],
    proven: [[9, 9]],
    numberings: [{ since: 1, types: { [n.TYPE_KEYDB_CRON]: cron }, opcodes: {} }],
  },
  dragonfly: { versions: [[1, 12]], proven: [], numberings: DRAGONFLY },
  // Its files carry the numbers of Redis and no name: it has to be told.
  'redis-enterprise': {
    versions: [[1, 12]],
    proven: [],
    numberings: [
      {
        since: 1,
        types: {},
        opcodes: {
          [n.OPCODE_ENTERPRISE_RAM_LRU]: 'ignored-length',
          [n.OPCODE_ENTERPRISE_SLOT_NUMBER]: 'ignored-length',
        },
      },
      {
        since: 12,
        types: {
          [n.TYPE_HASH_METADATA]: hash.hashMetadata,
          [n.TYPE_HASH_LISTPACK_EX]: hash.hashListpackEx,
        },
        opcodes: { [n.OPCODE_SLOT_INFO]: 'slot-info' },
      },
    ],
  },
};

const made = new Map<string, Dialect>();

/**
 * The dialect of a product in one RDB version, null when it is not known. The product is told by the file's magic and
 * aux fields, or by the user; payloads of DUMP carry a version only.
 */
export function dialectOf(name: DialectName, version: number): Dialect | null {
  const product = PRODUCTS[name];
  if (!within(product.versions, version)) return null;
  const key = `${name} ${version}`;
  let dialect = made.get(key);
  if (dialect === undefined) made.set(key, (dialect = assemble(name, version, product)));
  return dialect;
}

function within(ranges: readonly (readonly [first: number, last: number])[], version: number): boolean {
  return ranges.some(([first, last]) => version >= first && version <= last);
}

function assemble(name: DialectName, version: number, { numberings, proven }: Product): Dialect {
  const typeOf: (TypeCodec | undefined)[] = [];
  const opcodeOf: (OpcodeRule | undefined)[] = [];
  const held = numberings.filter(({ since }) => version >= since);
  const types: Types = Object.assign({}, CORE_TYPES, ...held.map((numbering) => numbering.types));
  const opcodes: Opcodes = Object.assign({}, CORE_OPCODES, ...held.map((numbering) => numbering.opcodes));
  for (let number = 0; number < 256; number++) {
    typeOf.push(types[number]);
    opcodeOf.push(opcodes[number]);
  }
  return { name, version, proven: within(proven, version), typeOf, opcodeOf };
}

/** The product that an aux field gives away, null when it says nothing. One character per byte. */
export function productOfAux(name: string, value = ''): DialectName | null {
  if (name === 'redis-ver') return isKeydbVersion(value) ? 'keydb' : null;
  return AUX_PRODUCTS.get(name) ?? null;
}

/** KeyDB names itself as Redis does, with versions that Redis went past: there was no Redis 6.3. */
export function isKeydbVersion(version: string): boolean {
  return /^6\.3\.\d/.test(version);
}

const AUX_PRODUCTS: ReadonlyMap<string, DialectName> = new Map([
  ['valkey-ver', 'valkey'],
  ['df-ver', 'dragonfly'],
  ['mvcc-tstamp', 'keydb'],
  ['repl-masters', 'keydb'],
  ['keydb-subexpire-key', 'keydb'],
  ['keydb-subexpire-when', 'keydb'],
]);
