import type { Arena } from './arena.js';
import { ByteTable, OWN_WORDS } from './byte-table.js';
import type { HeldValue } from './forms.js';

/** The expiry of a field that has none. */
export const NEVER = -1;

/** A hash of many fields. */
export class LargeHash implements HeldValue {
  readonly table: ByteTable;
  /** Milliseconds by row, NEVER for none; null while no field ever had one. */
  private expiries: Float64Array | null = null;

  constructor(
    private readonly arena: Arena,
    expected: number,
  ) {
    this.table = new ByteTable(arena, OWN_WORDS * 4, expected);
  }

  get hasExpiries(): boolean {
    return this.expiries !== null;
  }

  /** Sets a field's value, without touching its expiry unless the field is new. Returns its row, `~row` if new. */
  put(name: Buffer, start: number, end: number, value: Buffer, valueStart: number, valueEnd: number): number {
    const { table } = this;
    const found = table.put(name, start, end);
    const row = found < 0 ? ~found : found;
    this.setValue(row, value, valueStart, valueEnd);
    if (found < 0 && this.expiries !== null) this.setExpiry(row, NEVER);
    return found;
  }

  setValue(row: number, value: Buffer, start: number, end: number): void {
    const { table } = this;
    table.replaceValue(row, end - start);
    table.write(row, table.keyEnd(row), value, start, end);
  }

  expiryAt(row: number): number {
    return this.expiries === null ? NEVER : this.expiries[row]!;
  }

  setExpiry(row: number, expiresAtMs: number): void {
    if (this.expiries === null) {
      if (expiresAtMs === NEVER) return;
      this.expiries = new Float64Array(this.table.rowsEnd + 8).fill(NEVER);
    }
    if (row >= this.expiries.length) {
      const larger = new Float64Array(row * 2).fill(NEVER);
      larger.set(this.expiries);
      this.expiries = larger;
    }
    this.expiries[row] = expiresAtMs;
  }

  clone(): LargeHash {
    const { table } = this;
    const copy = new LargeHash(this.arena, table.size);
    for (let row = 0; row < table.rowsEnd; row++) {
      if (!table.isLive(row)) continue;
      const bytes = table.bytesAt(row);
      const nameEnd = table.keyEnd(row);
      const made = copy.put(bytes, table.keyStart(row), nameEnd, bytes, nameEnd, table.valueEnd(row));
      copy.setExpiry(~made, this.expiryAt(row));
    }
    return copy;
  }

  release(): void {
    this.table.release();
  }
}
