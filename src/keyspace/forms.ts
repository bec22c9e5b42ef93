import { OBJECT_TYPE, type ValueKind } from '../model/kind.js';

/** Kinds of value, by the servers' own numbers where products agree. */
export const STRING = OBJECT_TYPE.string;
export const LIST = OBJECT_TYPE.list;
export const SET = OBJECT_TYPE.set;
export const ZSET = OBJECT_TYPE.zset;
export const HASH_KIND = OBJECT_TYPE.hash;
export const MODULE = OBJECT_TYPE.module;
export const STREAM = OBJECT_TYPE.stream;
export const ARRAY = OBJECT_TYPE.array;
export const GCRA = OBJECT_TYPE.gcra;
/** A number of our own: KeyDB's is that of Redis's arrays. */
export const CRON = 9;

/**
 * How a value is held. A TEXT and the packed forms are bytes behind the key in the arena; the others are objects in
 * the database's side table.
 */
export const TEXT = 1;
export const LARGE_TEXT = 2;
export const PACKED_LIST = 3;
export const LARGE_LIST = 4;
export const PACKED_SET = 5;
export const LARGE_SET = 6;
export const PACKED_ZSET = 7;
export const LARGE_ZSET = 8;
export const PACKED_HASH = 9;
/** A packed hash whose pairs are followed by the field's expiry. */
export const PACKED_TTL_HASH = 10;
export const LARGE_HASH = 11;
export const STREAM_OBJECT = 12;
export const MODULE_OBJECT = 13;
export const ARRAY_OBJECT = 14;
export const GCRA_OBJECT = 15;
export const CRON_OBJECT = 16;
/** A module's value, too. */
export const VECTOR_SET_OBJECT = 17;

const KIND_OF_FORM = Uint8Array.of(
  0,
  STRING,
  STRING,
  LIST,
  LIST,
  SET,
  SET,
  ZSET,
  ZSET,
  HASH_KIND,
  HASH_KIND,
  HASH_KIND,
  STREAM,
  MODULE,
  ARRAY,
  GCRA,
  CRON,
  MODULE,
);
const IN_SIDE_TABLE = Uint8Array.of(0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1);

export const KIND_NAMES: readonly ValueKind[] = [
  ...(['string', 'list', 'set', 'zset', 'hash', 'module', 'stream', 'array', 'gcra', 'cron'] as const),
];

export function kindOfForm(form: number): number {
  return KIND_OF_FORM[form]!;
}

export function inSideTable(form: number): boolean {
  return IN_SIDE_TABLE[form] === 1;
}

/** A value kept outside the arena, in the side table: a large collection or string, a stream, one that is opaque. */
export interface SideValue {
  /** An independent copy. */
  clone(): SideValue;
}

/** A side value that holds arena blocks. */
export interface HeldValue extends SideValue {
  /** Gives the blocks back. Called once, when the value's key goes. */
  release(): void;
}

/** True for the forms whose object is a HeldValue. */
export function holdsBlocks(form: number): boolean {
  return form === LARGE_LIST || form === LARGE_SET || form === LARGE_ZSET || form === LARGE_HASH;
}
