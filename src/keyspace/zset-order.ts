import { compareBytes } from './bytes.js';
import type { LargeZset } from './large-zset.js';

const BLOCK_ROWS = 512;

/** Rows in ascending order; the first `count` are filled. */
class OrderBlock {
  readonly rows = new Int32Array(BLOCK_ROWS);
  count = 0;
}

/** The order of a large sorted set: by score, then by the bytes of the member. Blocks of rows, sorted throughout. */
export class ZsetOrder {
  private readonly blocks: OrderBlock[] = [];

  constructor(private readonly zset: LargeZset) {
    const rows = zset.sortedRows();
    // Blocks start with room, as whoever asks for the order goes on changing the set.
    const fill = BLOCK_ROWS - BLOCK_ROWS / 4;
    for (let at = 0; at < rows.length; at += fill) {
      const block = new OrderBlock();
      block.rows.set(rows.subarray(at, Math.min(at + fill, rows.length)));
      block.count = Math.min(fill, rows.length - at);
      this.blocks.push(block);
    }
  }

  insert(row: number): void {
    const { blocks } = this;
    if (blocks.length === 0) blocks.push(new OrderBlock());
    let i = Math.min(this.blockFor(row), blocks.length - 1);
    let block = blocks[i]!;
    let at = this.placeIn(block, row);
    if (block.count === BLOCK_ROWS) {
      const made = new OrderBlock();
      blocks.splice(i + 1, 0, made);
      // Members that arrive in order fill their blocks instead of leaving them half empty.
      const kept = at === BLOCK_ROWS && i === blocks.length - 2 ? BLOCK_ROWS : BLOCK_ROWS / 2;
      made.rows.set(block.rows.subarray(kept));
      made.count = BLOCK_ROWS - kept;
      block.count = kept;
      if (at > kept || kept === BLOCK_ROWS) {
        at -= kept;
        block = made;
        i++;
      }
    }
    block.rows.copyWithin(at + 1, at, block.count);
    block.rows[at] = row;
    block.count++;
  }

  /** Takes a row out, while its score and member still are those it was inserted with. */
  remove(row: number): void {
    const i = this.blockFor(row);
    const block = this.blocks[i]!;
    const at = this.placeIn(block, row);
    block.rows.copyWithin(at, at + 1, block.count);
    block.count--;
    if (block.count === 0) this.blocks.splice(i, 1);
  }

  /** The rows of ranks `[from, to)`, which are within the set. */
  slice(from: number, to: number): Int32Array {
    const out = new Int32Array(Math.max(0, to - from));
    let rank = 0;
    for (const block of this.blocks) {
      const blockEnd = rank + block.count;
      if (blockEnd > from) {
        const start = Math.max(from, rank);
        const end = Math.min(to, blockEnd);
        out.set(block.rows.subarray(start - rank, end - rank), start - from);
        if (blockEnd >= to) break;
      }
      rank = blockEnd;
    }
    return out;
  }

  /** The rank of the first row for which `isAbove` holds, given that it holds for all rows after that one. */
  firstAbove(isAbove: (row: number) => boolean): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.blocks[middle]!;
      if (isAbove(block.rows[block.count - 1]!)) high = middle;
      else low = middle + 1;
    }
    let rank = 0;
    for (let i = 0; i < low; i++) rank += this.blocks[i]!.count;
    if (low === this.blocks.length) return rank;
    const { rows, count } = this.blocks[low]!;
    let start = 0;
    let end = count - 1;
    while (start < end) {
      const middle = (start + end) >>> 1;
      if (isAbove(rows[middle]!)) end = middle;
      else start = middle + 1;
    }
    return rank + start;
  }

  /** Number of the first block whose last row is not below `row`; the number of blocks when there is none. */
  private blockFor(row: number): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.blocks[middle]!;
      if (this.compare(block.rows[block.count - 1]!, row) >= 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The first place in a block whose row is not below `row`. */
  private placeIn(block: OrderBlock, row: number): number {
    let low = 0;
    let high = block.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(block.rows[middle]!, row) >= 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private compare(a: number, b: number): number {
    return this.zset.compareRows(a, b);
  }
}

/** Compares members of equal score. */
export function compareMembers(zset: LargeZset, a: number, b: number): number {
  const { table } = zset;
  return compareBytes(
    table.bytesAt(a),
    table.keyStart(a),
    table.keyEnd(a),
    table.bytesAt(b),
    table.keyStart(b),
    table.keyEnd(b),
  );
}
