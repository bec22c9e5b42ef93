/**
 * Our own packed form of small collections: items one after another, each its length and its bytes. A length is one
 * byte below 128, else four with the top bit set, big endian. What else belongs to an item stands at a fixed distance.
 */

/** Bytes that the length of an item takes. */
export function headerSize(length: number): number {
  return length < 128 ? 1 : 4;
}

/** The length written at `at`; the item's bytes follow after `headerSize` of it. */
export function lengthAt(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 128) return first;
  return ((first & 0x7f) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Writes a length. Returns the position after it. */
export function writeLength(bytes: Buffer, at: number, length: number): number {
  if (length < 128) {
    bytes[at] = length;
    return at + 1;
  }
  bytes[at] = 0x80 | (length >>> 24);
  bytes[at + 1] = length >>> 16;
  bytes[at + 2] = length >>> 8;
  bytes[at + 3] = length;
  return at + 4;
}

const doubles = new Float64Array(1);
const doubleBytes = new Uint8Array(doubles.buffer);

export const DOUBLE_SIZE = 8;

/** A double in the machine's own byte order. */
export function doubleAt(bytes: Buffer, at: number): number {
  for (let i = 0; i < DOUBLE_SIZE; i++) doubleBytes[i] = bytes[at + i]!;
  return doubles[0]!;
}

export function writeDouble(bytes: Buffer, at: number, value: number): void {
  doubles[0] = value;
  for (let i = 0; i < DOUBLE_SIZE; i++) bytes[at + i] = doubleBytes[i]!;
}

/** Moves of at most this many bytes are cheaper in a loop than through the runtime. */
const LOOP_BYTES = 48;

/** Moves `bytes[start..end)` to `to`; the ranges may overlap. */
export function moveBytes(bytes: Buffer, start: number, end: number, to: number): void {
  if (end - start > LOOP_BYTES) {
    bytes.copyWithin(to, start, end);
  } else if (to < start) {
    for (let i = start, j = to; i < end; i++, j++) bytes[j] = bytes[i]!;
  } else {
    for (let i = end - 1, j = to + end - start - 1; i >= start; i--, j--) bytes[j] = bytes[i]!;
  }
}
