import crc16 from 'crc/calculators/crc16xmodem';

/** Hash slots of a cluster. */
export const SLOTS = 16384;

const OPEN = 123;
const CLOSE = 125;

/** The cluster slot of a key: CRC-16 of what stands in its first non-empty `{...}`, else of all of it. */
export function slotOf(bytes: Uint8Array, start: number, end: number): number {
  for (let open = start; open < end; open++) {
    if (bytes[open] !== OPEN) continue;
    for (let close = open + 1; close < end; close++) {
      if (bytes[close] !== CLOSE) continue;
      if (close === open + 1) break;
      return crc16(bytes.subarray(open + 1, close)) & (SLOTS - 1);
    }
    break;
  }
  return crc16(bytes.subarray(start, end)) & (SLOTS - 1);
}
