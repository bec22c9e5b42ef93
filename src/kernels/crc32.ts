import * as zlib from 'node:zlib';
import crc32Plain from 'crc/calculators/crc32';

type Crc32 = (bytes: Uint8Array, previous?: number) => number;

// In zlib since Node.js 20.15 and 22.2.
const native = (zlib as { readonly crc32?: Crc32 }).crc32;

/** The CRC-32 of gzip over `bytes`, going on from `previous`, as an unsigned word. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  if (native !== undefined) return native(bytes, previous) >>> 0;
  // The package takes a given 0 for a state, not for the sum of no bytes.
  return crc32Plain(bytes, previous === 0 ? undefined : previous) >>> 0;
}
