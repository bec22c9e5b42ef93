/** Copies longer than this go through the runtime; shorter ones are cheaper in a loop. */
const LOOP_BYTES = 256;

/** Copies `from[start..end)` to `to[at..)`. The ranges may overlap only when `from` is not `to`, or through `move`. */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
  if (end - start > LOOP_BYTES) {
    from.copy(to, at, start, end);
    return;
  }
  for (let i = start, j = at; i < end; i++, j++) to[j] = from[i]!;
}

/** Copies whole words between places of four-byte alignment that do not overlap. */
export function copyWords(from: Int32Array, start: number, to: Int32Array, at: number, count: number): void {
  if (count > LOOP_BYTES) {
    to.set(from.subarray(start, start + count), at);
    return;
  }
  for (let i = 0; i < count; i++) to[at + i] = from[start + i]!;
}

export function equalBytes(a: Buffer, aStart: number, b: Buffer, bStart: number, length: number): boolean {
  if (length > LOOP_BYTES) return a.compare(b, bStart, bStart + length, aStart, aStart + length) === 0;
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
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
  if (length > LOOP_BYTES) return a.compare(b, bStart, bEnd, aStart, aEnd);
  for (let i = 0; i < length; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

/** 32-bit hash of a range, four bytes a step (the mixing of MurmurHash3). */
export function hashBytes(bytes: Buffer, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  let i = start;
  for (const last = end - 3; i < last; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash = mix(hash, word);
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
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const mixed = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
