import type { ByteSource } from '../../bytes/source.js';
import { Crc64 } from '../../kernels/crc64.js';

/** Two words of a CRC-64. */
export interface Checksum {
  readonly high: number;
  readonly low: number;
}

const CHUNK = 1 << 20;

/** Sums the bytes of a source from 0 up to `end`, or to its own end when that comes first. */
export async function sumRange(source: ByteSource, end: number, signal?: AbortSignal): Promise<Checksum> {
  const crc = new Crc64();
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  const reader = await source.open();
  try {
    for (let at = 0; at < end; ) {
      signal?.throwIfAborted();
      const count = await reader.read(chunk.subarray(0, Math.min(CHUNK, end - at)));
      if (count === 0) break;
      crc.update(chunk, 0, count);
      at += count;
    }
  } finally {
    await reader.close();
  }
  return { high: crc.high, low: crc.low };
}
