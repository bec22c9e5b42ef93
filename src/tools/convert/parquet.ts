import { isUtf8 } from 'node:buffer';
import type { Long } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { type ByteTarget, MemoryTarget } from '../../bytes/target.js';
import { UsageError } from '../../errors.js';
import { type CronTimes, type Depth, ITEMS, ItemSink, type KeyHead } from '../../model/handler.js';
import type { ModuleData } from '../../model/module-value.js';
import type { StreamId } from '../../model/stream-id.js';
import { NdjsonWriter } from '../../ndjson/writer.js';
import { decodeModuleValue } from '../../rdb/modules/decode.js';
import type { RdbLoss } from '../../rdb/writer.js';
import { ItemRelay } from '../relay.js';
import { ParquetFile, type ParquetPackage, type ParquetRow } from './parquet-file.js';

const GROUP_ROWS = 65536;
const GROUP_BYTES = 16 << 20;
/** A page cannot hold 2 GiB, and a value is one cell. */
const CELL_MAX = 1 << 30;
const LINE_FEED = 10;
/** What stands in front of a value in a line of NDJSON; nothing before it has bytes of the dataset. */
const VALUE = Buffer.from(',"value":');
const NOBODY = new ItemSink();
/** Bytes that count for a number or an id, as `--min-size` counts them. */
const NUMBER_BYTES = 8;
const ID_BYTES = 16;

export interface ParquetWriterOptions {
  /** Told of what no row holds. */
  readonly onLoss: (head: KeyHead | null, what: RdbLoss) => void;
  /** How a key is shown in an error; one character per byte. */
  readonly shown: (name: string) => string;
  /** A group is written when it has so many rows. Default: 65,536. */
  readonly groupRows?: number;
  /** Or so many bytes of names and values. Default: 16 MiB. */
  readonly groupBytes?: number;
  /** The most bytes a value may have. Default: 1 GiB. */
  readonly cellBytes?: number;
}

/** A row whose value stands in the JSON of the group, but for strings and modules. */
type WaitingRow = Omit<ParquetRow, 'value'> & { readonly value: Uint8Array | 'json' | null };

/**
 * Writes a dataset as Parquet, a row for each key. The value of a string is its text, that of other kinds the JSON that
 * NDJSON has for it; bytes that are no UTF-8 have columns of their own. Memory follows the largest value: a group of
 * rows, or one value, waits until it is written.
 */
export class ParquetKeys extends ItemRelay {
  /** Keys written so far. */
  keys = 0;
  private readonly file: ParquetFile;
  private rows: WaitingRow[] = [];
  private groupBytes = 0;
  private json = new MemoryTarget();
  private lines: NdjsonWriter;
  /** The text of the string at hand, or the bytes of the module, in fragments. */
  private pieces: Buffer[] = [];
  private head: KeyHead | null = null;
  private size = 0;
  private elements = 0;
  private readonly origin: [string, string][] = [];
  private readonly functions: string[] = [];

  constructor(
    parquet: ParquetPackage,
    private readonly into: ByteTarget,
    private readonly options: ParquetWriterOptions,
  ) {
    super(NOBODY);
    this.file = new ParquetFile(parquet, into);
    this.lines = this.newLines();
  }

  private newLines(): NdjsonWriter {
    const whole = Number.POSITIVE_INFINITY;
    return new NdjsonWriter(this.json, { frame: 'lines', lineBytes: whole, textBytes: whole });
  }

  get full(): boolean {
    return this.into.full;
  }

  drain(): Promise<void> {
    return this.into.drain();
  }

  /** A field of the source. */
  aux(name: ByteSlice, value: ByteSlice): void {
    this.origin.push([textOf(name), textOf(value)]);
  }

  override functionLibrary(code: ByteSlice): void {
    this.functions.push(textOf(code));
  }

  moduleAux(_fragment: ByteSlice, last: boolean): void {
    if (last) this.options.onLoss(null, 'module-aux');
  }

  override memberExpiry(): void {
    this.options.onLoss(null, 'member-expiry');
  }

  override database(_index: number): void {}

  override key(head: KeyHead): Depth {
    this.head = head;
    this.pieces = [];
    this.size = this.elements = 0;
    this.target = isOneText(head) ? NOBODY : this.lines;
    if (this.target === this.lines) this.lines.key(head);
    return ITEMS;
  }

  private counted(bytes: number): void {
    this.size += bytes;
    const { cellBytes = CELL_MAX } = this.options;
    if (this.size > cellBytes || this.json.size > cellBytes + GROUP_BYTES) throw this.tooLarge();
  }

  private item(bytes: number): void {
    this.counted(bytes);
    this.elements++;
  }

  private tooLarge(): UsageError {
    const { key, database } = this.head!;
    return new UsageError(
      `the value of ${this.options.shown(key.latin1())} in database ${database} is more than a cell of Parquet holds`,
      'leave the key out with --not-match, or give --to ndjson',
    );
  }

  override text(value: ByteSlice): void {
    this.counted(value.length);
    this.pieces.push(value.copy());
  }

  override raw(fragment: ByteSlice): void {
    this.text(fragment);
  }

  override element(value: ByteSlice): void {
    this.item(value.length);
    super.element(value);
  }

  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.item(name.length + value.length);
    super.field(name, value, expiresAtMs);
  }

  override member(value: ByteSlice, score: number): void {
    this.item(value.length + NUMBER_BYTES);
    super.member(value, score);
  }

  override streamEntry(id: StreamId, fieldCount: number): void {
    this.item(ID_BYTES);
    super.streamEntry(id, fieldCount);
  }

  override streamField(name: ByteSlice, value: ByteSlice): void {
    this.counted(name.length + value.length);
    super.streamField(name, value);
  }

  override streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.counted(name.length + ID_BYTES);
    super.streamGroup(name, lastId, entriesRead);
  }

  override streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.counted(ID_BYTES);
    super.streamPending(id, deliveredAtMs, deliveryCount);
  }

  override streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    this.counted(name.length);
    super.streamConsumer(name, seenAtMs, activeAtMs);
  }

  override streamConsumerPending(id: StreamId): void {
    this.counted(ID_BYTES);
    super.streamConsumerPending(id);
  }

  override streamReleased(id: StreamId): void {
    this.counted(ID_BYTES);
    super.streamReleased(id);
  }

  override streamProducer(name: ByteSlice): void {
    this.counted(name.length);
    super.streamProducer(name);
  }

  override streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.counted(messageId.length + ID_BYTES);
    super.streamProduced(messageId, id);
  }

  override arrayElement(index: Long, value: ByteSlice): void {
    this.item(NUMBER_BYTES + value.length);
    super.arrayElement(index, value);
  }

  override cron(script: ByteSlice, times: CronTimes, keyCount: number): void {
    this.counted(script.length);
    super.cron(script, times, keyCount);
  }

  override keyEnd(head: KeyHead): void {
    const listed = this.target === this.lines;
    if (listed) this.lines.keyEnd(head);
    const bytes = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
    const name = head.key.copy();
    const nameIsText = isUtf8(name);
    const isText = !listed && head.kind !== 'module' && isUtf8(bytes);
    const meaning = head.kind === 'module' ? decodeModuleValue(bytes).data : null;
    this.rows.push({
      db: head.database,
      key: nameIsText ? name : null,
      key_bytes: nameIsText ? null : name,
      type: head.kind === 'module' && head.moduleName !== '' ? head.moduleName : head.kind,
      encoding: head.encoding === '' ? null : head.encoding,
      expires_at_ms: head.hasExpiry ? BigInt(head.expiresAtMs) : null,
      idle_seconds: head.idleSeconds < 0 ? null : BigInt(head.idleSeconds),
      freq: head.freq < 0 ? null : head.freq,
      elements: listed ? BigInt(this.elements) : null,
      size: BigInt(this.size),
      value: listed ? 'json' : isText ? bytes : meaning === null ? null : Buffer.from(moduleJson(meaning)),
      value_bytes: listed || isText ? null : bytes,
    });
    this.pieces = [];
    this.keys++;
    this.groupBytes += name.length + (listed ? 0 : bytes.length);
    const { groupRows = GROUP_ROWS, groupBytes = GROUP_BYTES } = this.options;
    if (this.rows.length >= groupRows || this.groupBytes + this.json.size >= groupBytes) this.endGroup();
  }

  private endGroup(): void {
    this.lines.finish();
    const json = this.json.bytes();
    // The first line says what the others are.
    let at = json.indexOf(LINE_FEED) + 1;
    const rows = this.rows.map((row): ParquetRow => {
      if (row.value !== 'json') return { ...row, value: row.value };
      const end = json.indexOf(LINE_FEED, at);
      const from = json.indexOf(VALUE, at) + VALUE.length;
      at = end + 1;
      // In front of the line feed the object of the record ends.
      return { ...row, value: json.subarray(from, end - 1) };
    });
    this.file.group(rows);
    this.rows = [];
    this.groupBytes = 0;
    this.json = new MemoryTarget();
    this.lines = this.newLines();
  }

  /** Ends the output, which is still to be published by its owner. */
  finish(): void {
    this.endGroup();
    this.file.finish({
      'rekindle.origin': JSON.stringify(this.origin),
      'rekindle.functions': JSON.stringify(this.functions),
    });
  }
}

/** Kinds that have one text, or nothing but bytes. */
function isOneText({ kind }: KeyHead): boolean {
  return kind === 'string' || kind === 'gcra' || kind === 'module';
}

/** As in NDJSON's sense of text; bytes that are none stand as CSV has them. */
function textOf(slice: ByteSlice): string {
  const bytes = slice.view();
  return isUtf8(bytes) ? bytes.toString('utf8') : `base64:${bytes.toString('base64')}`;
}

/** A document as it is, any other value by the names of its parts. */
function moduleJson(data: ModuleData): string {
  if (data.type === 'json') return data.text;
  return JSON.stringify(data, function (this: Readonly<Record<string, unknown>>, name, value: unknown) {
    // What comes as the value has been asked for its own idea of JSON.
    const part = this[name];
    if (part instanceof Uint8Array) {
      const isText = name !== 'data' && isUtf8(part);
      const bytes = Buffer.from(part);
      return isText ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
    }
    if (ArrayBuffer.isView(part)) return Array.from(part as Uint32Array);
    return typeof part === 'bigint' ? String(part) : value;
  });
}
