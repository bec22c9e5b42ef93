/** Blocks hold at most this many bytes, and matches reach as far back. */
export const LZ4_PACK_BLOCK = 65536;

const TABLE_BITS = 14;
const MIN_MATCH = 4;
const MAX_DISTANCE = 65535;
/** No match begins this close to the end of a block, and none reaches into its last bytes. */
const LAST_BEGIN = 12;
const LAST_LITERALS = 5;
/** Bytes without a match after which the search takes larger steps. */
const PATIENCE_BITS = 6;
const FIRST_POSITION = 65536;

/** Packs the blocks of an LZ4 frame in plain JavaScript. */
export class Lz4PackPlain {
  /** `LZ4_PACK_BLOCK` bytes that matches may reach into, then the block. */
  readonly source: Buffer = Buffer.alloc(2 * LZ4_PACK_BLOCK);
  readonly output: Buffer = Buffer.alloc(LZ4_PACK_BLOCK);
  /** Where each hash of four bytes was last seen, as a position in the frame. */
  private readonly table = new Uint32Array(1 << TABLE_BITS);
  /** Position in the frame of the next block: 0 in the table is nothing seen. */
  private position = FIRST_POSITION;

  /** A frame begins. */
  begin(): void {
    this.table.fill(0);
    this.position = FIRST_POSITION;
  }

  /**
   * Packs the block of `length` bytes; matches may reach into the `history` bytes before it. Returns the bytes written
   * to `output`, 0 when they would not be fewer than the block's own.
   */
  pack(length: number, history: number): number {
    if (this.position > 0xf0000000) this.begin();
    const { source, table, position } = this;
    this.position += length;
    const origin = LZ4_PACK_BLOCK - position;
    const end = LZ4_PACK_BLOCK + length;
    const earliest = LZ4_PACK_BLOCK - history;
    let from = LZ4_PACK_BLOCK;
    let literals = from;
    let to = 0;
    let patience = 1 << PATIENCE_BITS;
    while (from + LAST_BEGIN <= end) {
      const word = source.readInt32LE(from);
      const slot = Math.imul(word, 0x9e3779b1) >>> (32 - TABLE_BITS);
      const entry = table[slot]!;
      table[slot] = from - origin;
      const seen = entry + origin;
      if (entry === 0 || seen < earliest || from - seen > MAX_DISTANCE || source.readInt32LE(seen) !== word) {
        from += patience++ >> PATIENCE_BITS;
        continue;
      }
      patience = 1 << PATIENCE_BITS;
      const limit = end - LAST_LITERALS - from;
      let count = MIN_MATCH;
      while (count < limit && source[seen + count] === source[from + count]) count++;
      to = this.write(literals, from - literals, from - seen, count, to, length);
      if (to < 0) return 0;
      from += count;
      literals = from;
    }
    to = this.write(literals, end - literals, 0, MIN_MATCH, to, length);
    return to < 0 || to >= length ? 0 : to;
  }

  /** Literals, then a match; a distance of 0 stands for none. The position after them, -1 when they do not fit. */
  private write(
    from: number,
    count: number,
    distance: number,
    matched: number,
    at: number,
    room: number,
  ): number {
    const { output } = this;
    const more = matched - MIN_MATCH;
    if (at + 5 + count + Math.floor(count / 255) + Math.floor(more / 255) > room) return -1;
    let to = at;
    output[to++] = (Math.min(count, 15) << 4) | Math.min(more, 15);
    if (count >= 15) to = this.writeCount(count - 15, to);
    this.source.copy(output, to, from, from + count);
    to += count;
    if (distance === 0) return to;
    output[to++] = distance & 0xff;
    output[to++] = distance >> 8;
    return more >= 15 ? this.writeCount(more - 15, to) : to;
  }

  private writeCount(count: number, at: number): number {
    let to = at;
    let left = count;
    for (; left >= 255; left -= 255) this.output[to++] = 255;
    this.output[to++] = left;
    return to;
  }
}
