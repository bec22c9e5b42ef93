import { isUtf8 } from 'node:buffer';
import type { Long } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import type { ByteTarget } from '../../bytes/target.js';
import { DOUBLE_TEXT_MAX, writeShortest } from '../../kernels/doubles.js';
import { type CronTimes, type Depth, ITEMS, ItemSink, type KeyHead } from '../../model/handler.js';
import { formatId, type StreamId } from '../../model/stream-id.js';

const HEADER = 'db,key,type,expires_at_ms,entry,field,value,score,field_expires_at_ms\r\n';
/** Columns of a row after the four of its key. */
type Cell = 'entry' | 'field' | 'value' | 'score' | 'ttl';
const ORDER: readonly Cell[] = ['entry', 'field', 'value', 'score', 'ttl'];

/**
 * Writes a dataset as CSV by RFC 4180: a row for every element, pair, member or field of an entry. Bytes that are no
 * UTF-8 stand as `base64:…`. A cell that a spreadsheet would take for a formula gets an apostrophe in front, numbers
 * aside. Groups of streams and functions have no rows.
 */
export class CsvWriter extends ItemSink {
  /** Keys written so far. */
  keys = 0;
  private front = '';
  private entry = '';
  private index = 0;
  private kind: KeyHead['kind'] = 'string';
  private pending = '';
  private opened = false;
  private readonly scratch = Buffer.alloc(DOUBLE_TEXT_MAX);

  constructor(private readonly into: ByteTarget) {
    super();
  }

  get full(): boolean {
    return this.into.full;
  }

  drain(): Promise<void> {
    return this.into.drain();
  }

  override key(head: KeyHead): Depth {
    this.kind = head.kind;
    this.index = 0;
    this.entry = '';
    const expiry = head.hasExpiry ? String(head.expiresAtMs) : '';
    this.front = `${head.database},${cell(head.key)},${head.kind},${expiry}`;
    return ITEMS;
  }

  private row(cells: Partial<Record<Cell, string>>): void {
    this.put(`${this.front},${ORDER.map((name) => cells[name] ?? '').join(',')}\r\n`);
  }

  private put(text: string): void {
    if (!this.opened) this.pending = HEADER;
    this.opened = true;
    this.pending += text;
    if (this.pending.length > 32 * 1024) this.flush();
  }

  private flush(): void {
    if (this.pending !== '') this.into.write(Buffer.from(this.pending, 'utf8'));
    this.pending = '';
  }

  override text(value: ByteSlice): void {
    this.row({ value: cell(value) });
  }

  override raw(_fragment: ByteSlice): void {}

  override element(value: ByteSlice): void {
    this.row({ field: this.kind === 'list' ? String(this.index++) : '', value: cell(value) });
  }

  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.row({ field: cell(name), value: cell(value), ttl: expiresAtMs < 0 ? '' : String(expiresAtMs) });
  }

  override member(value: ByteSlice, score: number): void {
    const text = this.scratch.latin1Slice(0, writeShortest(score, this.scratch, 0));
    this.row({ value: cell(value), score: text });
  }

  override streamEntry(id: StreamId, _fieldCount: number): void {
    this.entry = formatId(id);
  }

  override streamField(name: ByteSlice, value: ByteSlice): void {
    this.row({ entry: this.entry, field: cell(name), value: cell(value) });
  }

  override arrayElement(index: Long, value: ByteSlice): void {
    this.row({ field: String(index), value: cell(value) });
  }

  override cron(script: ByteSlice, _times: CronTimes, _keyCount: number): void {
    this.row({ field: 'script', value: cell(script) });
  }

  override vector(element: ByteSlice, attributes: ByteSlice): void {
    this.row({ field: cell(element), value: cell(attributes) });
  }

  override keyEnd(head: KeyHead): void {
    if (head.kind === 'module') this.row({ value: quoted(head.moduleName) });
    this.keys++;
  }

  /** Ends the output, which is still to be published by its owner. */
  finish(): void {
    this.put('');
    this.flush();
  }
}

function cell(slice: ByteSlice): string {
  const bytes = slice.view();
  return isUtf8(bytes) ? quoted(bytes.toString('utf8')) : `base64:${bytes.toString('base64')}`;
}

/** What spreadsheets take for a formula, unless it is a number. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function quoted(text: string): string {
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
