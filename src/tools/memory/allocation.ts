// What Redis 7.0 allocates on a 64-bit machine with jemalloc, the allocator it is built with.

/** Sizes of its structures in bytes, as `sizeof` says. */
export const OBJECT = 16;
export const DICT = 56;
export const DICT_ENTRY = 24;
/** A slot of a hash table. */
export const POINTER = 8;
export const QUICKLIST = 40;
export const QUICKLIST_NODE = 32;
/** `zset`, `zskiplist`, and the list's first node with room for 32 levels. */
export const SKIPLIST = 16 + 32 + 640;
/** A node of a skip list has another level with a probability of one in four: 48 bytes with one, 16 more for each. */
export const SKIPLIST_NODE = 53.33;
export const INTSET = 8;
/** Strings up to this length are held in one allocation with their object. */
export const EMBEDDED_MAX = 44;
/** Elements of a list that a server puts into one node: `list-max-listpack-size -2`. */
export const LIST_NODE_BYTES = 8192;
export const LISTPACK_HEAD = 7;

/** What jemalloc takes for so many bytes: its classes are four to each doubling, from 16 bytes apart. */
export function allocated(bytes: number): number {
  if (bytes <= 8) return 8;
  if (bytes <= 128) return (bytes + 15) & ~15;
  let step = 32;
  for (let top = 256; bytes > top; top *= 2) step *= 2;
  return Math.ceil(bytes / step) * step;
}

/** A string of that length by itself: a header that grows with it, and a zero behind it. */
export function stringBytes(length: number): number {
  if (length < 32) return allocated(length + 2);
  if (length < 256) return allocated(length + 4);
  return allocated(length + (length < 65_536 ? 6 : length < 4_294_967_296 ? 10 : 18));
}

/** The value of a string key; a number is held in the object itself. */
export function stringValueBytes(length: number, isNumber: boolean): number {
  if (isNumber) return OBJECT;
  return length <= EMBEDDED_MAX ? allocated(OBJECT + 4 + length) : OBJECT + stringBytes(length);
}

/** Slots of a hash table for so many entries. */
export function slotsFor(entries: number): number {
  let slots = 4;
  while (slots < entries) slots *= 2;
  return slots;
}

/** Bytes of a hash table without what its entries hold. */
export const dictBytes = (entries: number): number =>
  DICT + POINTER * slotsFor(entries) + DICT_ENTRY * entries;

/** A key in its database: its name, and its entry there. */
export const keyBytes = (nameLength: number): number => stringBytes(nameLength) + DICT_ENTRY;

/** A value that is one packed structure of so many bytes. */
export const packedBytes = (bytes: number): number => OBJECT + allocated(bytes);

/** Bytes that an entry takes in a listpack, by what it holds. */
export function listpackText(length: number): number {
  const head = length < 64 ? 1 : length < 4096 ? 2 : 5;
  return head + length + backLength(head + length);
}

/** The same for a whole number that is exact. */
export function listpackNumber(value: number): number {
  if (value >= 0 && value < 128) return 2;
  if (value >= -4096 && value < 4096) return 3;
  if (value >= -32_768 && value < 32_768) return 4;
  if (value >= -8_388_608 && value < 8_388_608) return 5;
  return value >= -2_147_483_648 && value < 2_147_483_648 ? 6 : 10;
}

function backLength(bytes: number): number {
  if (bytes < 128) return 1;
  if (bytes < 16_384) return 2;
  if (bytes < 2_097_152) return 3;
  return bytes < 268_435_456 ? 4 : 5;
}
