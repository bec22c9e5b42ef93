// Where the memory of the engine's kernel has what, and what numbers mean in it. keyspace/fast/layout.ts says the same.

/** Results of a run: commands taken, and the address behind them. */
export const TAKEN: usize = 0x1000;
export const STOPPED: usize = 0x1004;

/** By class: the first free block; then where the chunk at hand is filled to, and where it ends, in units. */
export const FREE: usize = 0x2000;
export const TOP: usize = 0x2200;
export const TOP_END: usize = 0x2204;

/** Commands of a batch, 32 bytes each. */
export const ITEMS: usize = 0x50000;
export const ITEM_SIZE: usize = 32;
export const BATCH: u32 = 128;
export const ITEM_ID: usize = 0;
export const ITEM_ARGS: usize = 4;
export const ITEM_ARGC: usize = 8;
export const ITEM_HASH: usize = 12;
export const ITEM_START: usize = 16;
export const ITEM_END: usize = 20;
export const ITEM_IN_TRANSACTION: usize = 24;

/** Arguments of a batch: address and length, eight bytes each. */
export const ARGS: usize = 0x60000;
export const ARGS_END: usize = 0xa0000;
/** Text of numbers, and scores. */
export const SCRATCH: usize = 0xa0000;
export const SCORES: usize = 0xa1000;
export const SCORES_MAX: u32 = 1024;
/** The part of each bucket of keys. */
export const PARTS: usize = 0x100000;

/** A reference counts units of eight bytes; those from here on are of blocks in other memory. */
export const FOREIGN: u32 = 0x20000000;

/** Words of what is known of a table of keys. */
export const SIZE: usize = 0;
export const ROWS_END: usize = 4;
export const FREE_COUNT: usize = 8;
export const FREE_CAPACITY: usize = 12;
export const ROWS_CAPACITY: usize = 16;
export const MASK: usize = 20;
export const SLOTS: usize = 24;
export const REFS: usize = 28;
export const FREE_ROWS: usize = 32;

/** A record: words, then the key, then the value. */
export const KEY_LENGTH: usize = 0;
export const VALUE_LENGTH: usize = 4;
export const ROW: usize = 8;
export const META: usize = 12;
export const COUNT: usize = 16;
export const EXPIRY: usize = 20;
export const HEADER: u32 = 28;

export const FORM_MASK: u32 = 0xff;
export const EXPIRES: u32 = 0x100;
export const MARKED: u32 = 0x200;

export const TEXT: u32 = 1;
export const PACKED_LIST: u32 = 3;
export const PACKED_SET: u32 = 5;
export const PACKED_ZSET: u32 = 7;
export const PACKED_HASH: u32 = 9;
