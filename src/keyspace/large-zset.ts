import type { Arena } from './arena.js';
import { ByteTable, OWN_WORDS } from './byte-table.js';
import type { HeldValue } from './forms.js';
import { compareMembers, ZsetOrder } from './zset-order.js';

/** A sorted set of many members. Its order is made when first asked for, and kept from then on. */
export class LargeZset implements HeldValue {
  readonly table: ByteTable;
  /** By row. */
  scores: Float64Array;
  private kept: ZsetOrder | null = null;

  constructor(
    private readonly arena: Arena,
    expected: number,
  ) {
    this.table = new ByteTable(arena, OWN_WORDS * 4, expected);
    this.scores = new Float64Array(Math.max(8, expected));
  }

  get order(): ZsetOrder {
    this.kept ??= new ZsetOrder(this);
    return this.kept;
  }

  /** Adds a member known to be absent, or sets the score of one: whichever `put` says. */
  put(bytes: Buffer, start: number, end: number, score: number): boolean {
    const found = this.table.put(bytes, start, end);
    if (found >= 0) {
      this.setScore(found, score);
      return false;
    }
    const row = ~found;
    if (row >= this.scores.length) {
      const larger = new Float64Array(this.scores.length * 2);
      larger.set(this.scores);
      this.scores = larger;
    }
    this.scores[row] = score;
    this.kept?.insert(row);
    return true;
  }

  setScore(row: number, score: number): void {
    this.kept?.remove(row);
    this.scores[row] = score;
    this.kept?.insert(row);
  }

  remove(row: number): void {
    this.kept?.remove(row);
    this.table.remove(row);
  }

  compareRows(a: number, b: number): number {
    const difference = this.scores[a]! - this.scores[b]!;
    if (difference < 0) return -1;
    if (difference > 0) return 1;
    // Equal scores; or both the same infinity, whose difference is not a number.
    return compareMembers(this, a, b);
  }

  /** All live rows in order. */
  sortedRows(): Int32Array {
    const { table } = this;
    const rows = new Int32Array(table.size);
    let count = 0;
    for (let row = 0; row < table.rowsEnd; row++) if (table.isLive(row)) rows[count++] = row;
    return rows.sort((a, b) => this.compareRows(a, b));
  }

  clone(): LargeZset {
    const { table } = this;
    const copy = new LargeZset(this.arena, table.size);
    for (let row = 0; row < table.rowsEnd; row++) {
      if (!table.isLive(row)) continue;
      copy.put(table.bytesAt(row), table.keyStart(row), table.keyEnd(row), this.scores[row]!);
    }
    return copy;
  }

  release(): void {
    this.table.release();
  }
}
