import { type Long, signedLong } from '../../bytes/int64.js';
import { type ErrorDetail, FormatError } from '../../errors.js';
import { MODULE_DOUBLE, MODULE_END, MODULE_STRING, MODULE_UINT } from '../constants.js';
import { Cursor, SHORT } from '../cursor.js';
import { TextReader } from '../text.js';

/** What a value may become once it is decoded. */
export interface ModuleLimits {
  /** Bytes of all texts, unpacked. */
  readonly bytesMax: number;
  /** Samples, nodes of a document, centroids and the like. */
  readonly itemsMax: number;
}

/** The value holds more than the limits allow. */
export class ModuleTooLarge extends Error {}

/** Reads the tagged fields of one whole value, from behind the module's id up to the end tag. */
export class ModuleFields {
  private readonly cursor = new Cursor();
  private readonly reader: TextReader;
  private readonly words = Buffer.alloc(8);
  private at: number;
  private bytes = 0;
  private items = 0;

  /** The value is borrowed: texts that stand in it as they are stay views into it. */
  constructor(
    private readonly value: Buffer,
    start: number,
    readonly limits: ModuleLimits,
  ) {
    this.cursor.bytes = value;
    this.cursor.end = this.cursor.limit = value.length;
    this.reader = new TextReader(limits.bytesMax);
    this.at = start;
  }

  /** Tag of the next field. */
  peek(): number {
    this.step(this.cursor.length(this.at));
    return this.cursor.value;
  }

  unsigned(): Long {
    this.step(this.cursor.length(this.enter(MODULE_UINT)), true);
    return this.cursor.long();
  }

  /** The bits of an unsigned field taken as a signed number. */
  signed(): Long {
    const [high, low] = this.bits();
    return signedLong(high, low);
  }

  /** The two words of an unsigned field. */
  bits(): readonly [high: number, low: number] {
    this.step(this.cursor.length(this.enter(MODULE_UINT)), true);
    this.cursor.words(this.words);
    return [this.words.readUInt32BE(0), this.words.readUInt32BE(4)];
  }

  /** An unsigned field that counts, numbers or flags something: at most 2^32 - 1. */
  small(): number {
    const value = this.unsigned();
    if (typeof value === 'bigint' || value > 0xffffffff) throw this.bad({ reason: 'number-too-large' });
    return value;
  }

  /** A number of things that follow, each of which takes at least `bytesEach` bytes. */
  count(bytesEach: number): number {
    const value = this.small();
    this.demand(value, bytesEach);
    return value;
  }

  /** Holds a number of things that follow against the bytes there are, and counts them. */
  demand(items: number, bytesEach: number): void {
    const bytes = this.value.length - this.at;
    if (items * bytesEach > bytes) throw this.bad({ reason: 'more-than-there-is', declared: items, bytes });
    this.take(items);
  }

  double(): number {
    const at = this.enter(MODULE_DOUBLE);
    if (at + 8 > this.value.length) throw this.bad({ reason: 'cut-short' });
    this.at = at + 8;
    return this.value.readDoubleLE(at);
  }

  /** A text: a view into the value, or memory of its own if it had to be unpacked. */
  text(): Buffer {
    this.step(this.reader.read(this.cursor, this.enter(MODULE_STRING)), true);
    const { bytes, start, end } = this.reader.slice;
    this.bytes += end - start;
    if (this.bytes > this.limits.bytesMax) throw new ModuleTooLarge();
    // Unpacked bytes stand in memory that the next text overwrites.
    return bytes === this.value ? bytes.subarray(start, end) : Buffer.from(bytes.subarray(start, end));
  }

  /** Counts what the value becomes. @throws ModuleTooLarge */
  take(items: number): void {
    this.items += items;
    if (this.items > this.limits.itemsMax) throw new ModuleTooLarge();
  }

  /** The end tag, and nothing behind it. */
  end(): void {
    this.step(this.cursor.length(this.at), true);
    if (this.cursor.value !== MODULE_END) throw this.bad({ reason: 'more-fields', tag: this.cursor.value });
    if (this.at !== this.value.length) throw this.bad({ reason: 'trailing-bytes' });
  }

  bad(detail: ErrorDetail): FormatError {
    return new FormatError('rdb/bad-module', this.at, detail);
  }

  private enter(tag: number): number {
    const at = this.step(this.cursor.length(this.at));
    if (this.cursor.value !== tag) throw this.bad({ reason: 'unexpected-field', tag: this.cursor.value });
    return at;
  }

  private step(to: number, moves = false): number {
    if (to === SHORT) throw this.bad({ reason: 'cut-short' });
    if (moves) this.at = to;
    return to;
  }
}
