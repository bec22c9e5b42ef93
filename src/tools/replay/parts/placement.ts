import { viewOf } from '../../../keyspace/bytes.js';

/** Buckets at most, and at least; a power of two of them. Keys are filed in them by name, and they go to parts. */
const BUCKETS_MAX = 1 << 20;
const BUCKETS_MIN = 1 << 12;
/** Bytes of a log for each bucket: more buckets are joined by fewer of its commands, and take longer to deal out. */
const BYTES_PER_BUCKET = 512;

/** More parts than these are never made: each is a pass over the log. */
export const PARTS_MAX = 255;

/** How many buckets the keys of a log of so many bytes are filed in. */
export function bucketsFor(logBytes: number): number {
  let buckets = BUCKETS_MIN;
  while (buckets < BUCKETS_MAX && buckets * BYTES_PER_BUCKET < logBytes) buckets *= 2;
  return buckets;
}

/** Numbers of a hash that nobody outside can know: keys that all collide cannot be made up. Plain data. */
export interface HashSecret {
  readonly seed: number;
  readonly first: number;
  readonly second: number;
}

export function newSecret(): HashSecret {
  return { seed: randomWord(), first: multiplier(), second: multiplier() };
}

function randomWord(): number {
  return Math.floor(Math.random() * 0x100000000) | 0;
}

/** Odd, and with enough bits to spread what it multiplies. */
function multiplier(): number {
  for (;;) {
    const value = randomWord() | 1;
    let bits = 0;
    for (let rest = value; rest !== 0; rest &= rest - 1) bits++;
    if (bits >= 12 && bits <= 20) return value;
  }
}

/**
 * Which part of a dataset a key belongs to. That depends on its name alone, not on its database: what SWAPDB and MOVE
 * do stays within a part. Plain data but for the cache of a view, so that every thread makes the same of it.
 */
export class Placement {
  private source: Buffer = NO_BYTES;
  private view: DataView = NO_VIEW;
  private readonly shift: number;

  constructor(
    readonly secret: HashSecret,
    /** The part of each bucket: a power of two of them. */
    readonly partOf: Uint8Array,
  ) {
    this.shift = Math.clz32(partOf.length) + 1;
  }

  part(bytes: Buffer, start: number, end: number): number {
    return this.partOf[this.bucket(bytes, start, end)]!;
  }

  /** The mixing of MurmurHash3, four bytes a step, the last few like a word: assembly/engine-table.ts does the same. */
  bucket(bytes: Buffer, start: number, end: number): number {
    const { first, second } = this.secret;
    if (bytes !== this.source) {
      this.source = bytes;
      this.view = viewOf(bytes);
    }
    const { view } = this;
    let hash = this.secret.seed ^ (end - start);
    let i = start;
    for (const last = end - 3; i < last; i += 4) {
      const k = Math.imul(view.getInt32(i, true), first);
      hash ^= Math.imul((k << 15) | (k >>> 17), second);
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    }
    if (i < end) {
      let word = bytes[i]!;
      if (i + 1 < end) word |= bytes[i + 1]! << 8;
      if (i + 2 < end) word |= bytes[i + 2]! << 16;
      const k = Math.imul(word, first);
      hash ^= Math.imul((k << 15) | (k >>> 17), second);
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> this.shift;
  }
}

const NO_BYTES = Buffer.alloc(0);
const NO_VIEW = viewOf(NO_BYTES);
