import { END, NEED, PAUSE, type Progress } from '../../bytes/window.js';
import {
  type HalfWritten,
  LINE_INPUT_MAX,
  LINES_FULL,
  LINES_NEED,
  LineKernel,
} from '../../kernels/line-kernel.js';
import { KeyHead } from '../../model/handler.js';
import { readId } from '../../model/stream-id.js';
import { lineLiterals, TYPE_LITERALS, typeLiteral } from '../../ndjson/literals.js';
import type { NdjsonWriter } from '../../ndjson/writer.js';
import type { Cursor } from '../../rdb/cursor.js';
import type { Dialect } from '../../rdb/dialect.js';
import { kernelActions, VALUE_ACTIONS } from '../../rdb/kernel-actions.js';
import type { PartialValue, Shortcut } from '../../rdb/shortcut.js';

/**
 * Turns records of an RDB straight into lines of JSON, those the kernel knows; the writer gets the others item by item.
 * The bytes written are the same either way.
 */
export class LineShortcut implements Shortcut {
  keys = 0;
  private readonly head = new KeyHead();
  private half: HalfWritten | null = null;
  private dialect: Dialect | null = null;
  private database = -1;
  /** Offsets of the bytes that the kernel has in its memory. */
  private loadedFrom = 0;
  private loadedTo = 0;

  private constructor(
    private readonly kernel: LineKernel,
    private readonly writer: NdjsonWriter,
  ) {
    const { lines, lineBytes } = writer.form;
    kernel.setLineBytes(lines ? lineBytes : 0);
  }

  /** Null where WebAssembly is switched off. */
  static create(writer: NdjsonWriter): LineShortcut | null {
    const literals = lineLiterals(writer.form.lines ? 'lines' : 'document');
    for (const [action, { kind }] of VALUE_ACTIONS) literals[TYPE_LITERALS + action] = typeLiteral(kind);
    const kernel = LineKernel.create(literals);
    return kernel === null ? null : new LineShortcut(kernel, writer);
  }

  take(cursor: Cursor, database: number, dialect: Dialect): Progress {
    const { kernel } = this;
    this.keys = 0;
    // The first record of a document begins unlike the others.
    if (!this.writer.form.lines && !this.writer.form.hasRecords) return END;
    this.prepare(database, dialect);
    for (;;) {
      const offset = cursor.offsetOf(cursor.position);
      if (offset < this.loadedFrom || offset >= this.loadedTo) this.load(cursor);
      const from = offset - this.loadedFrom;
      const status = kernel.run(from, this.loadedTo - this.loadedFrom);
      cursor.position += kernel.position - from;
      this.keys += kernel.keys;
      this.writer.keys += kernel.keys;
      const more = status === LINES_NEED && this.loadedTo < cursor.offsetOf(cursor.end);
      const leaves = status > LINES_FULL || (status === LINES_NEED && kernel.wanted > LINE_INPUT_MAX);
      if (leaves) this.half = kernel.leave();
      this.flush();
      if (leaves) return END;
      if (more) {
        this.load(cursor);
      } else if (status === LINES_NEED) {
        cursor.need = kernel.wanted;
        return this.writer.full ? PAUSE : NEED;
      }
      if (this.writer.full) return PAUSE;
    }
  }

  private prepare(database: number, dialect: Dialect): void {
    if (database !== this.database) this.kernel.setDatabase((this.database = database));
    if (dialect !== this.dialect) this.kernel.setActions(kernelActions((this.dialect = dialect)));
  }

  private load({ bytes, position, end, base }: Cursor): void {
    const stop = Math.min(end, position + LINE_INPUT_MAX);
    this.kernel.load(bytes, position, stop);
    this.loadedFrom = base + position;
    this.loadedTo = base + stop;
  }

  private flush(): void {
    const { output } = this.kernel;
    if (output.length === 0) return;
    this.writer.append(output);
    this.kernel.emptyOutput();
  }

  leave(): PartialValue | null {
    const { head, kernel, database, dialect } = this;
    const half = this.half ?? kernel.leave();
    this.half = null;
    if (half === null) return null;
    head.database = database;
    head.key.set(half.name, 0, half.name.length);
    head.kind = dialect!.typeOf[half.number]!.kind;
    this.writer.resume(head, { bytes: half.lineBytes, items: half.lineItems, part: half.part });
    const firstLive = readId(half.firstLive, 0);
    return {
      ...half,
      lastKey: readId(half.lastKey, 0),
      lastEntry: readId(half.lastEntry, 0),
      firstLive: half.liveEntries > 0 ? firstLive : null,
    };
  }
}
