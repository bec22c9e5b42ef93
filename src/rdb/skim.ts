import { FormatError } from '../errors.js';
import { ARRAY_DOUBLE, ARRAY_INTEGER, ARRAY_SHORT_TEXT, ARRAY_TEXT } from './array-value.js';
import {
  LENGTH_SPECIAL,
  MODULE_DOUBLE,
  MODULE_END,
  MODULE_FLOAT,
  MODULE_SINT,
  MODULE_STRING,
  MODULE_UINT,
  STRING_LZF,
} from './constants.js';
import { type Cursor, SHORT, wordAt } from './cursor.js';
import type { HashTemplates } from './templates.js';
import { integerBytes } from './text.js';

/** The parts that values are laid out of. LOOP reads a length and repeats the parts up to its END that often. */
export const STRING = 0;
export const LENGTH = 1;
export const BYTES_8 = 2;
export const BYTES_16 = 3;
/** A double as text: a length byte, 253 and up standing for NaN and the infinities. */
export const TEXT_DOUBLE = 4;
export const LOOP = 5;
export const END_LOOP = 6;
/** Tagged fields up to the end tag: module values. */
export const MODULE_FIELDS = 7;
/** A length that says how often the next REPEAT does so. */
export const COUNT = 8;
/** Like LOOP, as often as was counted before. */
export const REPEAT = 9;
/** A flag, and a length if it is set. */
export const OPTIONAL_LENGTH = 10;
/** An array's element: a tag, and a string or eight bytes by what it says. */
export const TAGGED = 11;
/** The number of a template, which says how often the next REPEAT does so. */
export const TEMPLATE = 12;
/** Names of fields: one string that holds a listpack of them, or a length and so many strings. */
export const NAMES = 13;

/** Bytes in chunks: their total, then lengths and bytes up to it. */
export const CHUNKS = 14;
/** Width, depth and a sum, then eight bytes for each of width times depth. */
export const MATRIX = 15;

export type LayoutPart =
  | typeof STRING
  | typeof LENGTH
  | typeof BYTES_8
  | typeof BYTES_16
  | typeof TEXT_DOUBLE
  | typeof LOOP
  | typeof END_LOOP
  | typeof MODULE_FIELDS
  | typeof COUNT
  | typeof REPEAT
  | typeof OPTIONAL_LENGTH
  | typeof TAGGED
  | typeof TEMPLATE
  | typeof NAMES
  | typeof CHUNKS
  | typeof MATRIX;

/** How the bytes of a value follow each other: enough to find its end. */
export type Layout = readonly LayoutPart[];

const DEPTH_MAX = 4;
/** Head and end mark. */
const LISTPACK_BYTES_MIN = 7;

/**
 * Walks past a value without looking into it: for keys that are skipped or copied as they stand. Never wants more than
 * the head of a string at once, so values of any size pass through a small window.
 */
export class Skimmer {
  protected layout: Layout = [];
  protected part = 0;
  protected depth = 0;
  private readonly loopStart = new Int32Array(DEPTH_MAX);
  private readonly loopLeft = new Float64Array(DEPTH_MAX);
  /** Bytes of the string at hand that are still to be passed. */
  protected left = 0;
  /** What the last COUNT or TEMPLATE said, or what is left of the strings of NAMES; -1 before those. */
  protected counted = 0;
  /** Bytes of chunks that are still to come; -1 outside of them. */
  private chunked = -1;
  /** Bytes of the end tag of the module fields passed last. */
  endTagBytes = 0;

  constructor(private readonly templates: HashTemplates) {}

  begin(layout: Layout): void {
    this.counted = this.chunked = -1;
    this.layout = layout;
    this.part = 0;
    this.depth = 0;
    this.left = 0;
  }

  /**
   * Moves `cursor.position` on; true at the end of the value, false when the window is short.
   * @throws FormatError when a length or a tag is none
   */
  run(cursor: Cursor): boolean {
    const { layout } = this;
    for (;;) {
      if (this.left > 0 && !this.pass(cursor)) return false;
      this.passShortStrings(cursor);
      if (this.part === layout.length) return true;
      const at = this.step(cursor, layout[this.part]!);
      if (at === SHORT) return false;
      cursor.position = at;
    }
  }

  /** Bytes of the string at hand that are still to come; whoever asks passes them himself. */
  passOver(): number {
    const { left } = this;
    this.left = 0;
    return left;
  }

  /** The fast path: plain strings with one byte of length that are here, and the loops around them. */
  protected passShortStrings(cursor: Cursor): void {
    const { layout } = this;
    const { bytes, end } = cursor;
    let { part } = this;
    let at = cursor.position;
    for (;;) {
      const next = layout[part];
      if (next === STRING) {
        if (at >= end || bytes[at]! >= 0x40) break;
        const stop = at + 1 + bytes[at]!;
        if (stop > end) break;
        at = stop;
        part++;
      } else if (next === END_LOOP) {
        const top = this.depth - 1;
        if (--this.loopLeft[top]! > 0) {
          part = this.loopStart[top]!;
        } else {
          this.depth = top;
          part++;
        }
      } else {
        break;
      }
    }
    this.part = part;
    cursor.position = at;
  }

  /** Consumes what the window has of the string at hand. */
  private pass(cursor: Cursor): boolean {
    const here = Math.min(this.left, cursor.end - cursor.position);
    cursor.position += here;
    this.left -= here;
    if (this.left === 0) return true;
    // One byte is enough to go on; a string beyond the end of the input is asked for whole, to be refused at once.
    const reaches = cursor.offsetOf(cursor.position) + this.left <= cursor.limit;
    cursor.need = reaches ? 1 : this.left;
    return false;
  }

  private step(cursor: Cursor, part: LayoutPart): number {
    switch (part) {
      case STRING:
        return this.next(this.stringHead(cursor, cursor.position));
      case LENGTH:
        return this.next(this.plainLength(cursor));
      case BYTES_8:
        return this.next(fixed(cursor, 8));
      case BYTES_16:
        return this.next(fixed(cursor, 16));
      case TEXT_DOUBLE:
        return this.next(textDouble(cursor));
      case LOOP:
        return this.enterLoop(cursor);
      case MODULE_FIELDS:
        return this.moduleField(cursor);
      case END_LOOP:
        return cursor.position; // passed together with the strings before it
      case COUNT:
        return this.next(this.count(cursor));
      case REPEAT:
        return this.repeat(cursor.position);
      case OPTIONAL_LENGTH:
        return this.next(optionalLength(cursor));
      case TAGGED:
        return this.next(this.tagged(cursor));
      case TEMPLATE:
        return this.next(this.template(cursor));
      case NAMES:
        return this.names(cursor);
      case CHUNKS:
        return this.chunks(cursor);
      case MATRIX:
        return this.matrix(cursor);
    }
  }

  private next(at: number): number {
    if (at !== SHORT) this.part++;
    return at;
  }

  /** After the last part of a loop: back to its first, or past it. */
  protected endLoop(): void {
    const top = this.depth - 1;
    if (--this.loopLeft[top]! > 0) {
      this.part = this.loopStart[top]!;
    } else {
      this.depth = top;
      this.part++;
    }
  }

  protected plainLength(cursor: Cursor): number {
    return cursor.length(cursor.position);
  }

  private enterLoop(cursor: Cursor): number {
    const at = this.count(cursor);
    return at === SHORT ? SHORT : this.repeat(at);
  }

  private count(cursor: Cursor): number {
    const at = cursor.length(cursor.position);
    if (at !== SHORT) this.counted = cursor.value;
    return at;
  }

  protected repeat(at: number): number {
    this.part++;
    if (this.counted === 0) {
      this.skipLoop();
    } else {
      this.loopStart[this.depth] = this.part;
      this.loopLeft[this.depth] = this.counted;
      this.depth++;
    }
    return at;
  }

  private template(cursor: Cursor): number {
    const at = cursor.length(cursor.position);
    if (at === SHORT) return SHORT;
    this.counted = this.templates.get(cursor.value, cursor.offsetOf(cursor.position)).length;
    return at;
  }

  private tagged(cursor: Cursor): number {
    const at = cursor.length(cursor.position);
    if (at === SHORT) return SHORT;
    const tag = cursor.value;
    if (tag === ARRAY_TEXT || tag === ARRAY_SHORT_TEXT) return this.stringHead(cursor, at);
    if (tag === ARRAY_INTEGER || tag === ARRAY_DOUBLE)
      return at + 8 > cursor.end ? cursor.short(at + 8) : at + 8;
    throw new FormatError('rdb/bad-array', cursor.offsetOf(cursor.position), { reason: 'unknown-tag', tag });
  }

  /** Stays at the same part until the last of the names. */
  private names(cursor: Cursor): number {
    if (this.counted < 0) {
      const isPacked = startsWithListpack(cursor, cursor.position);
      if (isPacked === null) return SHORT;
      if (isPacked) return this.next(this.stringHead(cursor, cursor.position));
      const at = this.count(cursor);
      if (at !== SHORT && this.counted === 0) this.part++;
      return at;
    }
    const at = this.stringHead(cursor, cursor.position);
    if (at !== SHORT && --this.counted === 0) this.part++;
    return at;
  }

  private skipLoop(): void {
    for (let open = 1; open > 0; this.part++) {
      const part = this.layout[this.part]!;
      if (part === LOOP) open++;
      else if (part === END_LOOP) open--;
    }
  }

  /** One tagged field; stays at the same part until the end tag. */
  private moduleField(cursor: Cursor): number {
    const at = cursor.length(cursor.position);
    if (at === SHORT) return SHORT;
    switch (cursor.value) {
      case MODULE_END:
        this.part++;
        this.endTagBytes = at - cursor.position;
        return at;
      case MODULE_SINT:
      case MODULE_UINT:
        return cursor.length(at);
      case MODULE_FLOAT:
        return at + 4 > cursor.end ? cursor.short(at + 4) : at + 4;
      case MODULE_DOUBLE:
        return at + 8 > cursor.end ? cursor.short(at + 8) : at + 8;
      case MODULE_STRING:
        return this.stringHead(cursor, at);
      default:
        throw new FormatError('rdb/bad-module', cursor.offsetOf(cursor.position), { tag: cursor.value });
    }
  }

  /** The total, or the next chunk; stays at the same part until the chunks come to the total. */
  private chunks(cursor: Cursor): number {
    const at = cursor.length(cursor.position);
    if (at === SHORT) return SHORT;
    if (this.chunked < 0) {
      this.chunked = cursor.value;
    } else {
      if (cursor.value === 0 || cursor.value > this.chunked) {
        const detail = { reason: 'chunk', declared: cursor.value, limit: this.chunked };
        throw new FormatError('rdb/bad-length', cursor.offsetOf(cursor.position), detail);
      }
      this.left = cursor.value;
      this.chunked -= cursor.value;
    }
    if (this.chunked === 0) {
      this.chunked = -1;
      this.part++;
    }
    return at;
  }

  private matrix(cursor: Cursor): number {
    let at = cursor.length(cursor.position);
    if (at === SHORT) return SHORT;
    const width = cursor.value;
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
    const depth = cursor.value;
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
    this.left = 8 * width * depth;
    this.part++;
    return at;
  }

  /** Reads a string's head and leaves its bytes in `left`; returns the position of the first of them. */
  protected stringHead(cursor: Cursor, at: number): number {
    if (at >= cursor.end) return cursor.short(at + 1);
    const first = cursor.bytes[at]!;
    if (first < LENGTH_SPECIAL) {
      const start = cursor.length(at);
      if (start !== SHORT) this.left = cursor.value;
      return start;
    }
    if (first !== STRING_LZF) {
      const stop = at + integerBytes(first, cursor.offsetOf(at));
      return stop > cursor.end ? cursor.short(stop) : stop;
    }
    const middle = cursor.length(at + 1);
    if (middle === SHORT) return SHORT;
    const compressed = cursor.value;
    const start = cursor.length(middle);
    if (start !== SHORT) this.left = compressed;
    return start;
  }
}

function fixed(cursor: Cursor, count: number): number {
  const stop = cursor.position + count;
  return stop > cursor.end ? cursor.short(stop) : stop;
}

function optionalLength(cursor: Cursor): number {
  const at = cursor.length(cursor.position);
  if (at === SHORT || cursor.value === 0) return at;
  return cursor.length(at);
}

/** Whether the string at a position holds a listpack, by its first bytes; null when they are not here. */
export function startsWithListpack(cursor: Cursor, position: number): boolean | null {
  if (position >= cursor.end) return shortOf(cursor, position + 1);
  // What is compressed is a string; a count of names is a plain length.
  if (cursor.bytes[position]! >= LENGTH_SPECIAL) return true;
  const at = cursor.length(position);
  if (at === SHORT) return null;
  const length = cursor.value;
  if (length < LISTPACK_BYTES_MIN) return false;
  return at + 4 > cursor.end ? shortOf(cursor, at + 4) : wordAt(cursor.bytes, at) === length;
}

function shortOf(cursor: Cursor, to: number): null {
  cursor.short(to);
  return null;
}

function textDouble(cursor: Cursor): number {
  const at = cursor.position;
  if (at >= cursor.end) return cursor.short(at + 1);
  const length = cursor.bytes[at]!;
  const stop = at + 1 + (length < 253 ? length : 0);
  return stop > cursor.end ? cursor.short(stop) : stop;
}
