import { FormatError } from '../errors.js';
import { checksumText, type RunningChecksum } from './checksum.js';
import { FIRST_VERSION_WITH_CHECKSUM, TRAILER_BYTES } from './constants.js';
import type { Cursor } from './cursor.js';
import type { Dialect } from './dialect.js';
import type { RdbSummary } from './handler.js';

/** What the trailer tells. */
export type Trailer = Pick<RdbSummary, 'checksum' | 'trailerOffset' | 'storedHigh' | 'storedLow'>;

/**
 * Reads what follows the end mark and compares it with the sum of the bytes before, where there is one. Null when the
 * window is short; the error when they differ, the trailer read all the same.
 */
export function readTrailer(
  cursor: Cursor,
  dialect: Dialect,
  checksum: RunningChecksum | null,
): Trailer | FormatError | null {
  const trailerOffset = cursor.offsetOf(cursor.position);
  if (dialect.version < FIRST_VERSION_WITH_CHECKSUM) {
    return { checksum: 'none', trailerOffset: -1, storedHigh: 0, storedLow: 0 };
  }
  const stop = cursor.position + TRAILER_BYTES;
  if (stop > cursor.end) {
    cursor.short(stop);
    return null;
  }
  const storedLow = cursor.bytes.readUInt32LE(cursor.position);
  const storedHigh = cursor.bytes.readUInt32LE(cursor.position + 4);
  cursor.position = stop;
  if (storedHigh === 0 && storedLow === 0) {
    return { checksum: 'disabled', trailerOffset, storedHigh, storedLow };
  }
  if (checksum === null) return { checksum: 'unchecked', trailerOffset, storedHigh, storedLow };
  const stored = checksumText(storedHigh, storedLow);
  const computed = checksumText(checksum.high, checksum.low);
  if (stored === computed) return { checksum: 'ok', trailerOffset, storedHigh, storedLow };
  return new FormatError('rdb/checksum-mismatch', trailerOffset, { stored, computed });
}
