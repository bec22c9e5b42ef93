/** Copies longer than these go through the runtime; shorter ones are cheaper in a loop. */
const VIEW_BYTES = 256;
const LOOP_BYTES = 48;
const LOOP_WORDS = 64;

/**
 * The buffer that most bytes come from: the window of the log at hand. A view of it reads four bytes at a time, at any
 * position, which halves the cost of hashing, comparing and copying.
 */
let sourceBytes: Buffer = Buffer.alloc(0);
let sourceView = new DataView(sourceBytes.buffer);
/** The one before: commands come in turns from the window and from the buffer of a transaction. */
let otherBytes = sourceBytes;
let otherView = sourceView;

/** Announces the buffer that ranges will be taken from. Others work too, slower. */
export function setSource(bytes: Buffer): void {
  if (bytes === sourceBytes) return;
  const view = bytes === otherBytes ? otherView : viewOf(bytes);
  otherBytes = sourceBytes;
  otherView = sourceView;
  sourceBytes = bytes;
  sourceView = view;
}

export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Copies `from[start..end)` to `to[at..)`; `view` is of `to`. The ranges do not overlap. */
export function copyInto(
  view: DataView,
  to: Buffer,
  at: number,
  from: Buffer,
  start: number,
  end: number,
): void {
  if (from !== sourceBytes || end - start > VIEW_BYTES) {
    copyBytes(from, start, end, to, at);
    return;
  }
  let i = start;
  let j = at;
  for (const last = end - 15; i < last; i += 16, j += 16) {
    view.setInt32(j, sourceView.getInt32(i, true), true);
    view.setInt32(j + 4, sourceView.getInt32(i + 4, true), true);
    view.setInt32(j + 8, sourceView.getInt32(i + 8, true), true);
    view.setInt32(j + 12, sourceView.getInt32(i + 12, true), true);
  }
  for (const last = end - 3; i < last; i += 4, j += 4) {
    view.setInt32(j, sourceView.getInt32(i, true), true);
  }
  for (; i < end; i++, j++) to[j] = from[i]!;
}

/** Copies `from[start..end)` to `to[at..)`. The ranges may overlap only when `from` is not `to`. */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
  if (end - start > LOOP_BYTES) {
    from.copy(to, at, start, end);
    return;
  }
  for (let i = start, j = at; i < end; i++, j++) to[j] = from[i]!;
}

/** Copies whole words between places that do not overlap. */
export function copyWords(from: Int32Array, start: number, to: Int32Array, at: number, count: number): void {
  if (count > LOOP_WORDS) {
    to.set(from.subarray(start, start + count), at);
    return;
  }
  for (let i = 0; i < count; i++) to[at + i] = from[start + i]!;
}

export function equalBytes(a: Buffer, aStart: number, b: Buffer, bStart: number, length: number): boolean {
  if (length > VIEW_BYTES) return a.compare(b, bStart, bStart + length, aStart, aStart + length) === 0;
  // From the end: keys and members of one kind begin alike.
  for (let i = length - 1; i >= 0; i--) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/** Compares a range with one that starts at a word; `words` and `bytes` are the same memory. */
export function equalAtWord(
  words: Int32Array,
  bytes: Buffer,
  word: number,
  other: Buffer,
  start: number,
  length: number,
): boolean {
  if (other !== sourceBytes || length > VIEW_BYTES) return equalBytes(bytes, word << 2, other, start, length);
  const last = start + length - 3;
  let i = start;
  let at = word;
  for (; i < last; i += 4, at++) if (words[at] !== sourceView.getInt32(i, true)) return false;
  for (let j = at << 2; i < start + length; i++, j++) if (bytes[j] !== other[i]) return false;
  return true;
}

/** Byte order, shorter first when one is a prefix of the other: negative, zero or positive. */
export function compareBytes(
  a: Buffer,
  aStart: number,
  aEnd: number,
  b: Buffer,
  bStart: number,
  bEnd: number,
): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  if (length > VIEW_BYTES) return a.compare(b, bStart, bEnd, aStart, aEnd);
  for (let i = 0; i < length; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

/**
 * The multipliers of the hash are secret: with known ones anybody can write a log whose keys all collide, whatever the
 * seed. They are odd, so that no information is lost, and have enough bits to spread what they multiply.
 */
const FIRST = multiplier();
const SECOND = multiplier();
const SEED = Math.floor(Math.random() * 0x100000000) | 0;

/** The numbers of the hash, for who computes the same one elsewhere. */
export const HASH_SECRET = [FIRST, SECOND, SEED] as const;

function multiplier(): number {
  for (;;) {
    const value = Math.floor(Math.random() * 0x100000000) | 1;
    let bits = 0;
    for (let rest = value; rest !== 0; rest &= rest - 1) bits++;
    if (bits >= 12 && bits <= 20) return value;
  }
}

/** 32-bit hash of a range, four bytes a step, different in every process (the mixing of MurmurHash3). */
export function hashBytes(bytes: Buffer, start: number, end: number): number {
  let hash = SEED ^ (end - start);
  let i = start;
  const last = end - 3;
  if (bytes === sourceBytes) {
    for (; i < last; i += 4) hash = mix(hash, sourceView.getInt32(i, true));
  } else {
    for (; i < last; i += 4) {
      hash = mix(hash, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    }
  }
  if (i < end) {
    let word = bytes[i]!;
    if (i + 1 < end) word |= bytes[i + 1]! << 8;
    if (i + 2 < end) word |= bytes[i + 2]! << 16;
    hash = mix(hash, word);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mix(hash: number, word: number): number {
  let k = Math.imul(word, FIRST);
  k = (k << 15) | (k >>> 17);
  const mixed = hash ^ Math.imul(k, SECOND);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
