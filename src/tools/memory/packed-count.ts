const HEAD_BYTES = 12;
const head = Buffer.alloc(HEAD_BYTES);

/**
 * Items of a packed structure as its own head counts them: pairs and triples as one. A head that can't say it (from
 * 65,535 entries on, in a zipmap from 254) gives what it can: there are at least so many.
 */
export function packedCount(
  encoding: string,
  bytes: Buffer,
  start: number,
  stored: number,
  packed: boolean,
): number {
  let at = start;
  let from = bytes;
  let here = stored;
  if (packed) {
    here = firstBytes(bytes, start, start + stored);
    from = head;
    at = 0;
  }
  switch (encoding) {
    case 'intset':
      return here < 8 ? 0 : from.readUInt32LE(at + 4);
    case 'zipmap':
      return here < 1 ? 0 : from[at]!;
    case 'ziplist':
      return here < 10 ? 0 : from.readUInt16LE(at + 8);
    default:
      return here < 6 ? 0 : from.readUInt16LE(at + 4);
  }
}

/** Decompresses no more than the head of what LZF packed; says how many bytes of it there are. */
function firstBytes(bytes: Buffer, start: number, end: number): number {
  let to = 0;
  for (let at = start; at < end && to < HEAD_BYTES; ) {
    const control = bytes[at++]!;
    if (control < 32) {
      for (let left = control + 1; left > 0 && at < end && to < HEAD_BYTES; left--) head[to++] = bytes[at++]!;
      continue;
    }
    let length = (control >> 5) + 2;
    if (length === 9) length += bytes[at++]!;
    const distance = ((control & 31) << 8) + bytes[at++]! + 1;
    if (distance > to) return 0;
    for (; length > 0 && to < HEAD_BYTES; length--, to++) head[to] = head[to - distance]!;
  }
  return to;
}
