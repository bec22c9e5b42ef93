/** The five bytes that open every RDB but Valkey's own. */
export const MAGIC_REDIS = 'REDIS';
/** Opens the RDBs of Valkey 9 and later. */
export const MAGIC_VALKEY = 'VALKEY';
/** Magic and version together, of either product. */
export const HEADER_BYTES = 9;
/** The checksum after the end mark, since version 5. */
export const TRAILER_BYTES = 8;
export const FIRST_VERSION_WITH_CHECKSUM = 5;

/** Type numbers as Redis assigned them, in the order they came. */
export const TYPE_STRING = 0;
export const TYPE_LIST = 1;
export const TYPE_SET = 2;
export const TYPE_ZSET = 3;
export const TYPE_HASH = 4;
export const TYPE_ZSET_2 = 5;
export const TYPE_MODULE_2 = 7;
export const TYPE_HASH_ZIPMAP = 9;
export const TYPE_LIST_ZIPLIST = 10;
export const TYPE_SET_INTSET = 11;
export const TYPE_ZSET_ZIPLIST = 12;
export const TYPE_HASH_ZIPLIST = 13;
export const TYPE_LIST_QUICKLIST = 14;
export const TYPE_STREAM_LISTPACKS = 15;
export const TYPE_HASH_LISTPACK = 16;
export const TYPE_ZSET_LISTPACK = 17;
export const TYPE_LIST_QUICKLIST_2 = 18;
export const TYPE_STREAM_LISTPACKS_2 = 19;
export const TYPE_SET_LISTPACK = 20;
export const TYPE_STREAM_LISTPACKS_3 = 21;
export const TYPE_HASH_METADATA_PRE_GA = 22;
export const TYPE_HASH_LISTPACK_EX_PRE_GA = 23;
export const TYPE_HASH_METADATA = 24;
export const TYPE_HASH_LISTPACK_EX = 25;
export const TYPE_STREAM_LISTPACKS_4 = 26;
export const TYPE_STREAM_LISTPACKS_5 = 27;
export const TYPE_ARRAY = 28;
/** Redis in RDB 14 alone, in builds that no one released. */
export const TYPE_GCRA_14 = 29;
export const TYPE_HASH_TEMPLATE_LISTPACK = 29;
export const TYPE_HASH_TEMPLATE_LISTPACK_REF = 30;
export const TYPE_HASH_TEMPLATE_ARRAY = 31;
export const TYPE_HASH_TEMPLATE_ARRAY_REF = 32;
export const TYPE_GCRA = 33;
/** Valkey, under a number that Redis uses otherwise. */
export const TYPE_VALKEY_HASH_2 = 22;
export const TYPE_KEYDB_CRON = 64;

/** Redis Enterprise, as librdb reads past them. */
export const OPCODE_ENTERPRISE_RAM_LRU = 107;
export const OPCODE_ENTERPRISE_SLOT_NUMBER = 121;
export const OPCODE_HASH_TEMPLATE = 242;
export const OPCODE_KEY_METADATA = 243;
/** Valkey, under a number that Redis uses otherwise. */
export const OPCODE_VALKEY_SLOT_IMPORT = 243;
export const OPCODE_SLOT_INFO = 244;
export const OPCODE_FUNCTION2 = 245;
export const OPCODE_FUNCTION_PRE_GA = 246;
export const OPCODE_MODULE_AUX = 247;
export const OPCODE_IDLE = 248;
export const OPCODE_FREQ = 249;
export const OPCODE_AUX = 250;
export const OPCODE_RESIZEDB = 251;
export const OPCODE_EXPIRETIME_MS = 252;
export const OPCODE_EXPIRETIME = 253;
export const OPCODE_SELECTDB = 254;
export const OPCODE_EOF = 255;

/** Types and opcodes of Dragonfly, which no other product has. */
export const TYPE_DRAGONFLY_JSON = 30;
export const TYPE_DRAGONFLY_HASH = 31;
export const TYPE_DRAGONFLY_SET = 32;
export const TYPE_DRAGONFLY_BLOOM = 33;
export const TYPE_DRAGONFLY_BLOOM_2 = 34;
export const TYPE_DRAGONFLY_CMS = 35;
export const TYPE_DRAGONFLY_TOPK = 36;
export const TYPE_DRAGONFLY_CUCKOO = 37;
export const OPCODE_DRAGONFLY_SYNC_END = 200;
export const OPCODE_DRAGONFLY_ZSTD_BLOB = 201;
export const OPCODE_DRAGONFLY_LZ4_BLOB = 202;
export const OPCODE_DRAGONFLY_JOURNAL_BLOB = 210;
export const OPCODE_DRAGONFLY_JOURNAL_OFFSET = 211;
export const OPCODE_DRAGONFLY_MASK = 220;
export const OPCODE_DRAGONFLY_VECTOR_INDEX = 222;
export const OPCODE_DRAGONFLY_DOCUMENT_INDEX = 223;
export const OPCODE_DRAGONFLY_CHUNK = 224;

/** First bytes of a length: 32 or 64 bits follow, big endian. */
export const LENGTH_32 = 0x80;
export const LENGTH_64 = 0x81;
/** From here on the first byte names a special string encoding. */
export const LENGTH_SPECIAL = 0xc0;
export const STRING_INT8 = 0xc0;
export const STRING_INT16 = 0xc1;
export const STRING_INT32 = 0xc2;
export const STRING_LZF = 0xc3;

/** How a node of a type 18 list is held. */
export const NODE_PLAIN = 1;
export const NODE_PACKED = 2;

/** Tags of the fields that module values are made of. */
export const MODULE_END = 0;
export const MODULE_SINT = 1;
export const MODULE_UINT = 2;
export const MODULE_FLOAT = 3;
export const MODULE_DOUBLE = 4;
export const MODULE_STRING = 5;

/** The largest time of a hash field that Redis loads, in milliseconds. */
export const FIELD_EXPIRY_MAX = 0xffffffffffff;
/** The largest that commands of Redis set; Valkey's take any. */
export const FIELD_EXPIRY_COMMAND_MAX = 2 ** 46 - 1;

/** A back-reference of three bytes yields at most 264: no valid LZF stream expands more. */
export const LZF_EXPANSION_MAX = 88;

/** The fields in which KeyDB tells, behind a key, when a member of its value goes. */
export const MEMBER_FIELD = 'keydb-subexpire-key';
export const MEMBER_TIME_FIELD = 'keydb-subexpire-when';
