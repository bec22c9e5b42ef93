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
import type { TypeCodec } from '../../rdb/codec.js';
import type { Cursor } from '../../rdb/cursor.js';
import type { Dialect, OpcodeRule } from '../../rdb/dialect.js';
import type { PartialValue, Shortcut } from '../../rdb/shortcut.js';
import * as hash from '../../rdb/types/hash.js';
import * as list from '../../rdb/types/list.js';
import * as set from '../../rdb/types/set.js';
import * as stream from '../../rdb/types/stream.js';
import { string } from '../../rdb/types/string.js';
import * as zset from '../../rdb/types/zset.js';

/** What the kernel calls the values it knows (assembly/rdb-values.ts). */
const ACTIONS: readonly (readonly [action: number, codec: TypeCodec])[] = [
  [1, string],
  [2, list.list],
  [3, set.set],
  [4, zset.zset],
  [5, hash.hash],
  [6, zset.zset2],
  [7, list.listQuicklist],
  [8, list.listQuicklist2],
  [9, hash.hashMetadata],
  [10, hash.valkeyHash2],
  [11, stream.stream1],
  [12, stream.stream2],
  [13, stream.stream3],
  [14, stream.stream4],
  [15, stream.stream5],
  [16, list.listZiplist],
  [17, hash.hashZiplist],
  [18, zset.zsetZiplist],
  [19, set.setIntset],
  [20, set.setListpack],
  [21, hash.hashListpack],
  [22, zset.zsetListpack],
  [23, hash.hashListpackEx],
];
const ACTION_OF = new Map(ACTIONS.map(([action, codec]) => [codec, action]));

/** And the attributes of keys. */
const ATTRIBUTE_OF: ReadonlyMap<OpcodeRule, number> = new Map<OpcodeRule, number>([
  ['expiry-ms', 32],
  ['expiry-seconds', 33],
  ['idle', 34],
  ['freq', 35],
]);

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
    for (const [action, { kind }] of ACTIONS) literals[TYPE_LITERALS + action] = typeLiteral(kind);
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
    if (dialect !== this.dialect) this.kernel.setActions(actionsOf((this.dialect = dialect)));
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

/** By the first byte of a record, what it is to the kernel. */
function actionsOf({ typeOf, opcodeOf }: Dialect): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, number) => {
    const codec = typeOf[number];
    if (codec !== undefined) return ACTION_OF.get(codec) ?? 0;
    const rule = opcodeOf[number];
    return rule === undefined ? 0 : (ATTRIBUTE_OF.get(rule) ?? 0);
  });
}
