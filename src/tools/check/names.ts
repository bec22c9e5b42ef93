/** Entries to a chunk, doubled up to the last: grown by these, so that no table is ever copied. */
const FIRST_CHUNK = 1 << 8;
const CHUNK = 1 << 16;
/** Pairs beyond this many are more than a file that anyone wrote holds. */
export const SUSPECTS_MAX = 1 << 20;
const BUCKETS = 1 << 16;
/** Names are gone through about this many at a time, in an extra table of four bytes for each of these. */
const ROUND = 1 << 22;
/** Up to this many names a set is quicker than the tables for buckets are made. */
const FEW = 1 << 12;

/**
 * Remembers the name of every key as 56 bits of a hash, seven bytes, and finds out in the end which of them came twice:
 * those are suspects, to be looked at again. Names are never compared here, so what is no suspect came once.
 */
export class NameMemory {
  count = 0;
  /** Bytes held by now. */
  heldBytes = 0;
  private readonly upper: Uint32Array[] = [];
  private readonly middle: Uint16Array[] = [];
  private readonly lower: Uint8Array[] = [];
  private upperNow = new Uint32Array(0);
  private middleNow = new Uint16Array(0);
  private lowerNow = new Uint8Array(0);
  private used = 0;

  /** Takes the next name; true when that took more memory. */
  add(database: number, bytes: Uint8Array, start: number, end: number): boolean {
    const grows = this.used === this.upperNow.length;
    if (grows) this.grow();
    hashName(database, bytes, start, end);
    const at = this.used++;
    this.upperNow[at] = upperWord;
    this.middleNow[at] = lowerWord >>> 8;
    this.lowerNow[at] = lowerWord;
    this.count++;
    return grows;
  }

  /** The names that came more than once, as far as their hashes can tell; null when there are too many to look at. */
  suspects(): Suspects | null {
    if (this.count <= FEW) return this.confirm(this.repeatedWords());
    const words = new Set<number>();
    const sizes = this.bucketSizes();
    for (let first = 0; first < sizes.length && words.size <= SUSPECTS_MAX; ) {
      let total = sizes[first]!;
      let last = first + 1;
      while (last < BUCKETS && total + sizes[last]! <= ROUND) total += sizes[last++]!;
      this.findEqual(first, sizes.subarray(first, last), total, words);
      first = last;
    }
    return words.size > SUSPECTS_MAX ? null : this.confirm(words);
  }

  /** The upper words that came more than once. */
  private repeatedWords(): Set<number> {
    const seen = new Set<number>();
    const repeated = new Set<number>();
    for (const [chunk, upper] of this.upper.entries()) {
      for (const word of upper.subarray(0, this.filled(chunk))) {
        if (seen.has(word)) repeated.add(word);
        else seen.add(word);
      }
    }
    return repeated;
  }

  private grow(): void {
    const size = this.used === 0 ? FIRST_CHUNK : Math.min(CHUNK, this.used * 2);
    this.upper.push((this.upperNow = new Uint32Array(size)));
    this.middle.push((this.middleNow = new Uint16Array(size)));
    this.lower.push((this.lowerNow = new Uint8Array(size)));
    this.used = 0;
    this.heldBytes += size * 7;
  }

  /** Names in the chunk of that number: only the last is not full. */
  private filled(chunk: number): number {
    return chunk === this.upper.length - 1 ? this.used : this.upper[chunk]!.length;
  }

  /** Names by the upper sixteen bits of their hash. */
  private bucketSizes(): Uint32Array {
    const sizes = new Uint32Array(this.count === 0 ? 0 : BUCKETS);
    for (const [chunk, words] of this.upper.entries()) countBuckets(words, this.filled(chunk), sizes);
    return sizes;
  }

  /**
   * Gathers the upper words, of the buckets given, behind which the next sixteen bits are the same, too. Names are put in
   * order of their bucket; in there all that is left to compare are 32 bits.
   */
  private findEqual(first: number, sizes: Uint32Array, total: number, found: Set<number>): void {
    const ends = new Uint32Array(sizes.length);
    for (let bucket = 0, at = 0; bucket < sizes.length; bucket++) {
      ends[bucket] = at;
      at += sizes[bucket]!;
    }
    const rests = new Int32Array(total);
    for (const [chunk, words] of this.upper.entries()) {
      place(words, this.middle[chunk]!, this.filled(chunk), first, ends, rests);
    }
    const seen = new Int32Array(BUCKETS);
    for (let bucket = 0, start = 0; bucket < ends.length; bucket++) {
      const end = ends[bucket]!;
      for (let at = start; at < end; at++) {
        const rest = rests[at]!;
        const half = rest >>> 16;
        // Rare enough that looking through the bucket costs nothing.
        if (seen[half] === bucket + 1 && rests.indexOf(rest, start) < at) {
          found.add((((first + bucket) << 16) | half) >>> 0);
        }
        seen[half] = bucket + 1;
      }
      start = end;
    }
  }

  /** Of the words that came twice, those of which the rest of the hash did, too. */
  private confirm(words: ReadonlySet<number>): Suspects {
    const rests = new Map<number, Set<number>>();
    const suspects = new Suspects();
    if (words.size === 0) return suspects;
    const filter = new Uint8Array(BUCKETS);
    for (const word of words) filter[word & 0xffff] = 1;
    for (const [chunk, upper] of this.upper.entries()) {
      const stop = this.filled(chunk);
      for (let i = 0; i < stop; i++) {
        const word = upper[i]!;
        if (filter[word & 0xffff] === 0 || !words.has(word)) continue;
        const rest = this.middle[chunk]![i]! * 256 + this.lower[chunk]![i]!;
        const before = rests.get(word);
        if (before === undefined) rests.set(word, new Set([rest]));
        else if (before.has(rest)) suspects.add(word, rest);
        else before.add(rest);
      }
    }
    return suspects;
  }
}

function countBuckets(upper: Uint32Array, count: number, sizes: Uint32Array): void {
  for (let i = 0; i < count; i++) sizes[upper[i]! >>> 16]!++;
}

/** Puts what a chunk holds of the buckets in `ends` into their places. */
function place(
  upper: Uint32Array,
  middle: Uint16Array,
  count: number,
  first: number,
  ends: Uint32Array,
  rests: Int32Array,
): void {
  for (let i = 0; i < count; i++) {
    const word = upper[i]!;
    const bucket = (word >>> 16) - first;
    if (bucket >= 0 && bucket < ends.length) rests[ends[bucket]!++] = (word << 16) | middle[i]!;
  }
}

/** Hashes of names that came more than once. */
export class Suspects {
  private readonly hashes: Set<number>;
  private readonly filter = new Uint8Array(BUCKETS);

  /** `numbers`: those of others. */
  constructor(numbers: readonly number[] = []) {
    this.hashes = new Set(numbers);
    for (const number of numbers) this.filter[Math.floor(number / REST) & 0xffff] = 1;
  }

  /** What makes the same suspects on another thread. */
  get numbers(): number[] {
    return [...this.hashes];
  }

  get size(): number {
    return this.hashes.size;
  }

  add(upper: number, rest: number): void {
    // 53 bits are exact in a number; the three left out make no suspect a different one often enough to matter.
    this.hashes.add(hashNumber(upper, rest));
    this.filter[upper & 0xffff] = 1;
  }

  has(database: number, bytes: Uint8Array, start: number, end: number): boolean {
    hashName(database, bytes, start, end);
    if (this.filter[upperWord & 0xffff] === 0) return false;
    return this.hashes.has(hashNumber(upperWord >>> 0, lowerWord));
  }
}

const REST = 2 ** 21;
const hashNumber = (upper: number, rest: number): number => upper * REST + (rest & (REST - 1));

/** 56 bits of a hash of a name: its upper 32, and 24 more. */
export function nameHash(
  database: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly upper: number; readonly lower: number } {
  hashName(database, bytes, start, end);
  return { upper: upperWord >>> 0, lower: lowerWord };
}

/** What `hashName` answers: 32 bits, signed, and 24 more. */
let upperWord = 0;
let lowerWord = 0;

/** The number at hand, and the state of the hash: 64 bits each. */
let high = 0;
let low = 0;
let stateHigh = 0;
let stateLow = 0;

/**
 * Multiplies eight bytes at a time, zeros behind the last up to a multiple of sixteen, at least once: what takes a kernel a
 * few instructions. Each eight are multiplied twice before they meet others: what differs in their upper bits alone would stay
 * there, and digits next to each other would make up for it. The database comes in last, and leaves the upper byte as it
 * is: what was hashed for database 0 can be made that of another.
 */
function hashName(database: number, bytes: Uint8Array, start: number, end: number): void {
  load(0, end - start);
  multiply(0x9e3779b9, 0x7f4a7c15);
  stateHigh = high;
  stateLow = low;
  let at = start;
  do {
    load(wordAt(bytes, at + 4, end), wordAt(bytes, at, end));
    multiply(0xd6e8feb8, 0x6659fd93);
    low ^= high;
    multiply(0xa0761d64, 0x78bd642f);
    stateHigh ^= high;
    stateLow ^= low;
    load(wordAt(bytes, at + 12, end), wordAt(bytes, at + 8, end));
    multiply(0xe7037ed1, 0xa0b428db);
    low ^= high;
    multiply(0x8ebc6af0, 0x9c88c6e3);
    load(stateHigh ^ high, stateLow ^ low);
    multiply(0x9fb21c65, 0x1e98df25);
    stateHigh = high;
    stateLow = low ^ high;
    at += 16;
  } while (at < end);
  upperWord = ((stateHigh << 8) | (stateLow >>> 24)) ^ (Math.imul(database, 0x9e3779b1) >>> 8);
  lowerWord = (stateLow & 0xffffff) ^ (Math.imul(database, 0x27d4eb2f) >>> 8);
}

function load(upper: number, lower: number): void {
  high = upper;
  low = lower;
}

/** Multiplies the number at hand; the lower 64 bits are kept. */
function multiply(byHigh: number, byLow: number): void {
  const a = low & 0xffff;
  const b = low >>> 16;
  const c = byLow & 0xffff;
  const d = byLow >>> 16;
  const inner = b * c + ((a * c) >>> 16);
  const carried = (inner >>> 16) + ((a * d + (inner & 0xffff)) >>> 16);
  high = (Math.imul(b, d) + carried + Math.imul(low, byHigh) + Math.imul(high, byLow)) | 0;
  low = Math.imul(low, byLow);
}

/** Four bytes, the first one lowest, zeros behind the end. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end)
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  let word = 0;
  for (let i = at; i < end; i++) word |= bytes[i]! << ((i - at) * 8);
  return word;
}
