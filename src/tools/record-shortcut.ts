import { END, NEED, PAUSE, type Progress } from '../bytes/window.js';
import type { Cursor } from '../rdb/cursor.js';
import type { Dialect } from '../rdb/dialect.js';
import { recordLayouts } from '../rdb/record-layouts.js';
import type { Shortcut } from '../rdb/shortcut.js';

/** A record that is longer is not waited for: the decoder reads it piece by piece. */
const AWAITED_MAX = 32 * 1024;

/** What a kernel holds of the records it goes through. */
interface Records {
  readonly taken: number;
  readonly incomplete: boolean;
  setLayouts(layouts: Uint8Array): void;
}

/** Hands whole records to a kernel as they stand in the file. */
export abstract class RecordShortcut implements Shortcut {
  private dialect: Dialect | null = null;

  /** `textsAlone`: the kernel is given no other types. */
  constructor(
    private readonly records: Records,
    private readonly textsAlone: boolean,
  ) {}

  get keys(): number {
    return this.records.taken;
  }

  take(cursor: Cursor, database: number, dialect: Dialect): Progress {
    const { records } = this;
    if (dialect !== this.dialect) {
      this.dialect = dialect;
      records.setLayouts(recordLayouts(dialect, this.textsAlone));
    }
    const { end, base, limit } = cursor;
    cursor.position = this.walk(cursor, database);
    const left = end - cursor.position;
    if (this.full) return PAUSE;
    if (left > 0 && (!records.incomplete || left > AWAITED_MAX || base + end >= limit)) return END;
    cursor.need = left + 1;
    return NEED;
  }

  leave(): null {
    return null;
  }

  /** A pass over a file begins. */
  begin(): void {
    this.dialect = null;
  }

  /** Takes records from the cursor on; returns the position behind them. */
  protected abstract walk(cursor: Cursor, database: number): number;
  /** Somebody has to be waited for. */
  protected abstract readonly full: boolean;
}
