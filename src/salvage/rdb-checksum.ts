import { type ByteSource, readAt } from '../bytes/source.js';
import { Crc64 } from '../kernels/crc64.js';
import { crc64Steps } from '../kernels/crc64-tables.js';
import { FIRST_VERSION_WITH_CHECKSUM, TRAILER_BYTES } from '../rdb/constants.js';
import type { RdbSurvey } from './rdb-report.js';
import type { ByteCorrection } from './rdb-window.js';

const CHUNK = 1 << 20;
/** Steps back between two looks at the signal. */
const STEPS = 1 << 22;
/** Adjacent bytes that may be wrong together. With two, chance passes for damage once in 2^48 per byte of the file. */
const BURST_BITS = 16;

interface Context {
  readonly signal: AbortSignal;
}

/** Words of the checksum computed and of that stored, unsigned; null when the trailer is not all there. */
interface Checksums {
  readonly computed: Crc64;
  readonly storedHigh: number;
  readonly storedLow: number;
}

/** Compares the trailer behind an end mark with the bytes before it. */
export async function judgeChecksum(
  source: ByteSource,
  markAt: number,
  version: number,
  context: Context,
): Promise<{ verdict: RdbSurvey['checksum'] }> {
  if (version < FIRST_VERSION_WITH_CHECKSUM) return { verdict: 'none' };
  const sums = markAt < 0 ? null : await checksumsOf(source, markAt, context);
  if (sums === null) return { verdict: 'absent' };
  const { computed, storedHigh, storedLow } = sums;
  if (storedHigh === 0 && storedLow === 0) return { verdict: 'disabled' };
  return { verdict: computed.high === storedHigh && computed.low === storedLow ? 'ok' : 'mismatch' };
}

/**
 * The bytes that are wrong, when the checksum shows that it is one, or two next to each other, and nothing else: what
 * such a change does to a CRC-64 is different for every place and every change. Null when it is not so.
 */
export async function findCorrections(
  source: ByteSource,
  markAt: number,
  version: number,
  context: Context,
): Promise<readonly ByteCorrection[] | null> {
  if (version < FIRST_VERSION_WITH_CHECKSUM || markAt < 0) return null;
  const sums = await checksumsOf(source, markAt, context);
  if (sums === null || (sums.storedHigh === 0 && sums.storedLow === 0)) return null;
  const high = sums.computed.high ^ sums.storedHigh;
  const low = sums.computed.low ^ sums.storedLow;
  if (high === 0 && low === 0) return null;
  const place = inTrailer(high, low, markAt + 1) ?? (await traceBack(high, low, markAt + 1, context));
  return place === null ? null : correctionsAt(source, place.offset, place.change);
}

/** A change confined to two bytes of the trailer itself. */
function inTrailer(high: number, low: number, trailerAt: number): Place | null {
  const bytes = Buffer.alloc(TRAILER_BYTES + 1);
  bytes.writeUInt32LE(low >>> 0, 0);
  bytes.writeUInt32LE(high >>> 0, 4);
  const first = bytes.findIndex((byte) => byte !== 0);
  const rest = bytes.subarray(first + BURST_BITS / 8);
  if (rest.some((byte) => byte !== 0)) return null;
  return { offset: trailerAt + first, change: bytes.readUInt16LE(first) };
}

/** Which bits are wrong from which byte on, lowest byte first. */
interface Place {
  readonly offset: number;
  readonly change: number;
}

/** Takes the bytes out of the checksum's difference one by one from the end, until a change of few bits is left. */
async function traceBack(
  startHigh: number,
  startLow: number,
  bytes: number,
  { signal }: Context,
): Promise<Place | null> {
  const { highs, lows, inputs } = crc64Steps();
  let high = startHigh | 0;
  let low = startLow | 0;
  for (let at = bytes; at > 0; ) {
    // Counted in small numbers: an offset beyond 2^31 would be an object, and a new one for every byte.
    const count = Math.min(at, STEPS);
    for (let i = 1; i <= count; i++) {
      const input = inputs[high >>> 24]!;
      const restHigh = high ^ highs[input]!;
      const restLow = low ^ lows[input]!;
      high = (restHigh << 8) | (restLow >>> 24);
      low = (restLow << 8) | input;
      if (high === 0 && low >>> BURST_BITS === 0) return { offset: at - i, change: low };
    }
    at -= count;
    signal.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return null;
}

async function correctionsAt(source: ByteSource, offset: number, change: number): Promise<ByteCorrection[]> {
  const found = await readAt(source, offset, BURST_BITS / 8);
  const corrections: ByteCorrection[] = [];
  for (let i = 0; i < found.length; i++) {
    const from = found[i]!;
    const to = from ^ ((change >>> (8 * i)) & 0xff);
    if (to !== from) corrections.push({ offset: offset + i, from, to });
  }
  return corrections;
}

async function checksumsOf(
  source: ByteSource,
  markAt: number,
  { signal }: Context,
): Promise<Checksums | null> {
  const computed = new Crc64();
  const stop = markAt + 1;
  const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK, stop + TRAILER_BYTES));
  const trailer = Buffer.alloc(TRAILER_BYTES);
  const reader = await source.open(0);
  let at = 0;
  try {
    while (at < stop + TRAILER_BYTES) {
      signal.throwIfAborted();
      const count = await reader.read(chunk.subarray(0, Math.min(chunk.length, stop + TRAILER_BYTES - at)));
      if (count === 0) return null;
      const summed = Math.max(0, Math.min(count, stop - at));
      computed.update(chunk, 0, summed);
      if (summed < count) chunk.copy(trailer, at + summed - stop, summed, count);
      at += count;
    }
  } finally {
    await reader.close();
  }
  return { computed, storedHigh: trailer.readUInt32LE(4), storedLow: trailer.readUInt32LE(0) };
}
