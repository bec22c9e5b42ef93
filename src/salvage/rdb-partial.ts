import type { Long } from '../bytes/int64.js';
import { ByteSlice } from '../bytes/slice.js';
import { FormatError } from '../errors.js';
import { type Depth, ITEMS, ItemSink, type StreamMeta } from '../model/handler.js';
import { type StreamId, ZERO_ID } from '../model/stream-id.js';
import type { Dialect } from '../rdb/dialect.js';
import { KeyRecord } from '../rdb/encode/key-record.js';
import type { RdbOutput } from '../rdb/encode/output.js';
import { ValueWriter } from '../rdb/encode/value-writer.js';
import type { HashTemplates } from '../rdb/templates.js';
import { DEFAULT_LIMITS } from '../rdb/value-reader.js';
import { knowsKind, RDB_TARGETS, type RdbTarget } from '../rdb/writer-target.js';
import { RecordReader } from './rdb-record.js';
import type { RdbPartialValue } from './rdb-report.js';
import type { RoamingWindow } from './rdb-window.js';

/** The newest server whose files have this dialect, or the nearest older one. */
export function targetOfDialect({ name, version }: Dialect): RdbTarget {
  const rows = [...RDB_TARGETS.values()].filter((row) => row.product === name || row.product === 'redis');
  const fitting = rows.filter((row) => row.version <= version);
  const own = fitting.filter((row) => row.product === name);
  const best = Math.max(...(own.length > 0 ? own : fitting).map((row) => row.version));
  return (own.length > 0 ? own : fitting).findLast((row) => row.version === best) ?? rows[0]!;
}

/** Writes what can be read of a damaged collection as a value of its own. */
export class PartialWriter {
  private readonly reader: RecordReader;
  private readonly record: KeyRecord;
  private readonly values: ValueWriter;
  private readonly target: RdbTarget;

  constructor(
    private readonly window: RoamingWindow,
    dialect: Dialect,
    output: RdbOutput,
    templates: HashTemplates,
  ) {
    const target = (this.target = targetOfDialect(dialect));
    this.reader = new RecordReader(dialect, DEFAULT_LIMITS, templates);
    this.record = new KeyRecord(output, target);
    this.values = new ValueWriter(this.record, target, true);
  }

  /**
   * Reads the value up to its damage; `admit` is asked once its name is known. False when there was nothing to write.
   */
  async write({ start }: RdbPartialValue, admit: (reader: RecordReader) => boolean): Promise<boolean> {
    const { reader, window, record, values, target } = this;
    const items = new HeldItems(values, () => {
      // A file may hold what its version does not have: whole it is copied, but not written anew.
      if (!knowsKind(target, reader.head.kind) || !admit(reader)) return false;
      record.hold(reader.head);
      reader.head.count = -1;
      values.begin(reader.head);
      return true;
    });
    reader.tell(items);
    await window.cover(start, start + 1);
    reader.begin(window.cursor);
    try {
      await this.read(items);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
    if (!items.begun) return false;
    items.endDamaged();
    return values.finish();
  }

  private async read(items: HeldItems): Promise<void> {
    const { reader, window } = this;
    for (;;) {
      const before = window.offset;
      const done = reader.run(window.cursor);
      if (window.offset > before) items.release();
      if (done || (reader.insideValue && !items.begun)) return;
      if (reader.paused) continue;
      const to = window.offset + Math.max(1, window.cursor.need);
      if (to > window.limit) return;
      await window.cover(window.offset, to);
    }
  }
}

/** Holds the items of one step back until the step is done: of a damaged node nothing is wanted. */
class HeldItems extends ItemSink {
  begun = false;
  /** The value is read in steps: an element, a node. */
  readonly full = true;
  private held: (() => void)[] = [];
  private entries = 0;
  private firstId = ZERO_ID;
  private lastId = ZERO_ID;
  private sawMeta = false;
  private stream = false;
  private nodes = false;

  /** `begin` is asked once the key is known; false: nothing is wanted of it. */
  constructor(
    private readonly into: ValueWriter,
    private readonly begin: () => boolean,
  ) {
    super();
  }

  /** What was held is whole. */
  release(): void {
    if (!this.begun) this.held = [];
    for (const tell of this.held) tell();
    this.held = [];
  }

  /** The value broke off here. A packed value is one step: its items before the damage are taken as they are. */
  endDamaged(): void {
    if (this.nodes) this.held = [];
    this.release();
    if (!this.stream || this.sawMeta) return;
    const { firstId, lastId, entries } = this;
    this.into.streamMeta({ length: entries, lastId, firstId, maxDeletedId: ZERO_ID, entriesAdded: entries });
  }

  private hold(tell: () => void): void {
    this.held.push(tell);
  }

  override key(head: { readonly kind: string; readonly encoding: string }): Depth {
    this.stream = head.kind === 'stream';
    this.nodes = this.stream || head.encoding === 'quicklist';
    this.begun = this.begin();
    return ITEMS;
  }

  override element(value: ByteSlice): void {
    const own = owned(value);
    this.hold(() => this.into.element(own));
  }

  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    const own = owned(name);
    const text = owned(value);
    this.hold(() => this.into.field(own, text, expiresAtMs));
  }

  override member(value: ByteSlice, score: number): void {
    const own = owned(value);
    this.hold(() => this.into.member(own, score));
  }

  override streamEntry(id: StreamId, fieldCount: number): void {
    this.hold(() => {
      if (this.entries++ === 0) this.firstId = id;
      this.lastId = id;
      this.into.streamEntry(id, fieldCount);
    });
  }

  override streamField(name: ByteSlice, value: ByteSlice): void {
    const own = owned(name);
    const text = owned(value);
    this.hold(() => this.into.streamField(own, text));
  }

  override streamMeta(meta: StreamMeta): void {
    this.hold(() => {
      this.sawMeta = true;
      this.into.streamMeta(meta);
    });
  }

  override streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    const own = owned(name);
    this.hold(() => this.into.streamGroup(own, lastId, entriesRead));
  }

  override streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.hold(() => this.into.streamPending(id, deliveredAtMs, deliveryCount));
  }

  override streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    const own = owned(name);
    this.hold(() => this.into.streamConsumer(own, seenAtMs, activeAtMs));
  }

  override streamConsumerPending(id: StreamId): void {
    this.hold(() => this.into.streamConsumerPending(id));
  }
}

function owned(slice: ByteSlice): ByteSlice {
  const bytes = slice.copy();
  return new ByteSlice().set(bytes, 0, bytes.length);
}
