import { hash } from 'lz4js/xxh32.js';
import xxhash, { type XXHashAPI } from 'xxhash-wasm';

// Compiled once when the first importer loads; null where WebAssembly is switched off.
const api: XXHashAPI | null = await xxhash().catch(() => null);

/** xxHash32, seed 0, of `bytes[start..end)`, as an unsigned word. */
export function xxh32(bytes: Uint8Array, start: number, end: number): number {
  const part = bytes.subarray(start, end);
  return (api === null ? hash(0, part, 0, part.length) : api.h32Raw(part)) >>> 0;
}

/** A hash over bytes that come in pieces. */
export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** The low word of the hash of all bytes so far, unsigned. */
  low(): number;
}

/** xxHash32, seed 0; null where it can't be computed piece by piece. */
export function runningXxh32(): RunningHash | null {
  if (api === null) return null;
  const hasher = api.create32(0);
  return { update: (bytes) => void hasher.update(bytes), low: () => hasher.digest() >>> 0 };
}

/** xxHash64, seed 0, of which zstd keeps the low word; null where it can't be computed. */
export function runningXxh64(): RunningHash | null {
  if (api === null) return null;
  const hasher = api.create64(0n);
  return { update: (bytes) => void hasher.update(bytes), low: () => Number(hasher.digest() & 0xffffffffn) };
}
