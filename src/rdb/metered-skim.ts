import { LENGTH_SPECIAL, STRING_INT8, STRING_INT16, STRING_LZF } from './constants.js';
import { type Cursor, SHORT, wordAt } from './cursor.js';
import { END_LOOP, Skimmer, STRING } from './skim.js';
import type { HashTemplates } from './templates.js';

/** The first bytes of a string that are shown with its length, as far as it has them. */
export const SHOWN_BYTES = 32;

/**
 * Who is told how large the parts of values are that are walked past, in the order of the value's layout. Nothing is
 * decompressed, put together or decoded for it.
 */
export interface SizeListener {
  /**
   * A string of so many bytes, as text. What stands in the file are the `stored` bytes at `start`, of which at least the
   * first `SHOWN_BYTES` are here; they are compressed (LZF) when `packed` says so. `stored` is 0 for a number.
   */
  string(length: number, bytes: Buffer, start: number, stored: number, packed: boolean): void;
  /** A length that is not one of a string. */
  length(value: number): void;
  /** The parts that follow come so many times; `depth` loops are around this one. */
  loop(times: number, depth: number): void;
  /** Just before `keyEnd`: bytes of the whole record, its expiry and hints included. */
  record(bytes: number): void;
}

/** Walks past values and says how large their parts are. */
export class MeteredSkimmer extends Skimmer {
  constructor(
    templates: HashTemplates,
    private readonly sizes: SizeListener,
  ) {
    super(templates);
  }

  protected override passShortStrings(cursor: Cursor): void {
    const { sizes } = this;
    const { bytes, end } = cursor;
    while (this.part < this.layout.length) {
      const next = this.layout[this.part];
      const at = cursor.position;
      if (next === STRING) {
        if (at >= end || bytes[at]! >= 0x40) return;
        const length = bytes[at]!;
        const stop = at + 1 + length;
        if (stop > end) return;
        sizes.string(length, bytes, at + 1, length, false);
        cursor.position = stop;
        this.part++;
      } else if (next === END_LOOP) {
        this.endLoop();
      } else {
        return;
      }
    }
  }

  protected override stringHead(cursor: Cursor, at: number): number {
    const start = super.stringHead(cursor, at);
    if (start === SHORT) return SHORT;
    const { bytes } = cursor;
    const first = bytes[at]!;
    const stored = this.left;
    if (start + Math.min(stored, SHOWN_BYTES) > cursor.end) {
      this.left = 0;
      return cursor.short(start + Math.min(stored, SHOWN_BYTES));
    }
    if (first < LENGTH_SPECIAL) {
      this.sizes.string(stored, bytes, start, stored, false);
    } else if (first === STRING_LZF) {
      cursor.length(cursor.length(at + 1));
      this.sizes.string(cursor.value, bytes, start, stored, true);
    } else {
      this.sizes.string(integerLength(bytes, at, first), bytes, start, 0, false);
    }
    return start;
  }

  protected override plainLength(cursor: Cursor): number {
    const at = super.plainLength(cursor);
    if (at !== SHORT) this.sizes.length(cursor.value);
    return at;
  }

  protected override repeat(at: number): number {
    this.sizes.loop(this.counted, this.depth);
    return super.repeat(at);
  }
}

/** Digits of an integer string, its sign included. */
function integerLength(bytes: Buffer, at: number, first: number): number {
  let value =
    first === STRING_INT8
      ? (bytes[at + 1]! << 24) >> 24
      : first === STRING_INT16
        ? ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 24)) >> 16
        : wordAt(bytes, at + 1) | 0;
  let length = value < 0 ? 2 : 1;
  for (value = Math.abs(value); value >= 10; value /= 10) length++;
  return length;
}

/** Tells of a short string that is here: its head stands at one position, its bytes at another. */
export function tellShort(
  sizes: SizeListener,
  bytes: Buffer,
  headAt: number,
  start: number,
  end: number,
): void {
  const first = bytes[headAt]!;
  if (first < LENGTH_SPECIAL) sizes.string(end - start, bytes, start, end - start, false);
  else sizes.string(integerLength(bytes, headAt, first), bytes, start, 0, false);
}
