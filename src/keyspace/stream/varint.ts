/** Result of the last read: a 64-bit value as two unsigned words, and the position after it. */
export const varint = { high: 0, low: 0, end: 0 };

export function uintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** Writes an unsigned 32-bit number, seven bits a byte, low bits first. Returns the position after it. */
export function writeUint(bytes: Buffer, at: number, value: number): number {
  let rest = value;
  let to = at;
  while (rest >= 0x80) {
    bytes[to++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[to++] = rest;
  return to;
}

export function readUint(bytes: Buffer, at: number): void {
  let byte = bytes[at]!;
  let value = byte & 0x7f;
  let from = at + 1;
  for (let shift = 7; byte >= 0x80; shift += 7) {
    byte = bytes[from++]!;
    value |= (byte & 0x7f) << shift;
  }
  varint.low = value >>> 0;
  varint.end = from;
}

export function varintSize(high: number, low: number): number {
  if (high === 0) return uintSize(low);
  const rest = Math.floor(high / 8);
  return rest === 0 ? 5 : 5 + uintSize(rest);
}

/** Writes an unsigned 64-bit value of two words. Returns the position after it. */
export function writeVarint(bytes: Buffer, at: number, high: number, low: number): number {
  let to = at;
  let l = low;
  let h = high;
  while (h !== 0 || l >= 0x80) {
    bytes[to++] = (l & 0x7f) | 0x80;
    l = ((l >>> 7) | (h << 25)) >>> 0;
    h >>>= 7;
  }
  bytes[to++] = l;
  return to;
}

export function readVarint(bytes: Buffer, at: number): void {
  let low = 0;
  let high = 0;
  let from = at;
  let byte = 0x80;
  for (let shift = 0; byte >= 0x80; shift += 7) {
    byte = bytes[from++]!;
    const part = byte & 0x7f;
    if (shift < 32) low |= part << shift;
    if (shift > 32) high |= part << (shift - 32);
    else if (shift === 28) high = part >>> 4;
  }
  varint.low = low >>> 0;
  varint.high = high >>> 0;
  varint.end = from;
}
