import { END, NEED, type Progress } from '../../bytes/window.js';
import { CHECK_NEED, type RdbCheckKernel, type TakeNames } from '../../kernels/rdb-check.js';
import type { Cursor } from '../../rdb/cursor.js';
import type { Dialect } from '../../rdb/dialect.js';
import { kernelActions } from '../../rdb/kernel-actions.js';
import type { Shortcut } from '../../rdb/shortcut.js';

/** A record that is longer is not waited for: the decoder reads it piece by piece. */
const AWAITED_MAX = 64 * 1024;

/** Who is told how many keys were passed, and how many of them expire, and takes their names. */
export interface PassedKeys {
  passed(keys: number, expiring: number): void;
  /** Null: nobody wants the names. */
  readonly takeNames: TakeNames | null;
}

/** Has records checked as they stand in the file; what comes of them, and what is wrong, is the same as by the decoder. */
export class CheckShortcut implements Shortcut {
  keys = 0;
  private dialect: Dialect | null = null;

  constructor(
    private readonly kernel: RdbCheckKernel,
    private readonly listener: PassedKeys,
  ) {}

  take(cursor: Cursor, database: number, dialect: Dialect): Progress {
    const { kernel, listener } = this;
    if (dialect !== this.dialect) kernel.setActions(kernelActions((this.dialect = dialect)));
    const { bytes, position, end, base, limit } = cursor;
    const status = kernel.run(bytes, position, end, base, database, listener.takeNames);
    this.keys = kernel.keys;
    cursor.position = kernel.position;
    listener.passed(kernel.keys, kernel.expiring);
    if (status !== CHECK_NEED) return END;
    const left = end - kernel.position;
    const needed = Math.max(kernel.wanted, left + 1);
    if (left > 0 && (needed > AWAITED_MAX || base + end >= limit)) return END;
    cursor.need = left === 0 ? 1 : needed;
    return NEED;
  }

  leave(): null {
    return null;
  }
}
