import { ByteSlice } from '../bytes/slice.js';
import { END, NEED, PAUSE, type Progress } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { LzfStream } from '../kernels/lzf-stream.js';
import type { ItemOutput } from './codec.js';
import { LENGTH_32, LENGTH_64, LZF_EXPANSION_MAX, STRING_LZF } from './constants.js';
import { type Cursor, SHORT } from './cursor.js';

/** Reads a string of any length in fragments, as the window has them. */
export class LargeText {
  private readonly slice = new ByteSlice();
  /** Absolute offset of the string's first byte. */
  private offset = 0;
  /** Bytes of it in the file that are still to come. */
  private left = 0;
  private compressed = 0;
  /** Bytes of what was compressed, and how many of them came out. */
  private length = 0;
  private unpacked = 0;
  private stream: LzfStream | null = null;

  /** `wholeMax`: strings up to this length are none of ours. */
  constructor(readonly wholeMax: number) {}

  /** Length of the string at a position if it is told in fragments, -1 if not; null when its head is not all here. */
  lengthAt(cursor: Cursor, at: number): number | null {
    if (at >= cursor.end) return shortHead(cursor, at + 1);
    const first = cursor.bytes[at]!;
    if (first !== LENGTH_32 && first !== LENGTH_64 && first !== STRING_LZF) return -1;
    let start = first === STRING_LZF ? cursor.length(at + 1) : at;
    if (start !== SHORT) start = cursor.length(start);
    if (start === SHORT) return null;
    return cursor.value > this.wholeMax && cursor.value <= Number.MAX_SAFE_INTEGER ? cursor.value : -1;
  }

  /**
   * Begins with the string at the cursor, whose head is here, and moves behind that. False when the input ends before it.
   * @throws FormatError `rdb/bad-lzf` when so few bytes cannot hold so much
   */
  begin(cursor: Cursor): boolean {
    const { position, bytes } = cursor;
    const isPacked = bytes[position] === STRING_LZF;
    let start = isPacked ? cursor.length(position + 1) : position;
    this.compressed = cursor.value;
    start = cursor.length(start);
    this.length = cursor.value;
    this.unpacked = 0;
    this.offset = cursor.offsetOf(position);
    this.left = isPacked ? this.compressed : this.length;
    if (isPacked && this.length > this.compressed * LZF_EXPANSION_MAX) throw this.badPacking();
    if (cursor.offsetOf(start) + this.left > cursor.limit) {
      cursor.short(start + this.left);
      return false;
    }
    this.stream = isPacked ? (this.stream ?? new LzfStream()) : null;
    this.stream?.reset();
    cursor.position = start;
    return true;
  }

  /** Goes on with it, telling what is there as texts. @throws FormatError `rdb/bad-lzf` */
  run(cursor: Cursor, out: ItemOutput): Progress {
    while (this.left > 0) {
      const from = cursor.position;
      const stop = Math.min(cursor.end, from + this.left);
      const behind = this.tell(cursor, from, stop, out);
      if (behind === from) {
        if (stop - from === this.left) throw this.badPacking();
        cursor.need = stop - from + 1;
        return NEED;
      }
      cursor.position = behind;
      this.left -= behind - from;
      if (this.left > 0 && out.full === true) return PAUSE;
    }
    if (this.stream !== null && this.unpacked !== this.length) throw this.badPacking();
    return END;
  }

  /** Tells what `bytes[from..stop)` holds; returns the position behind what was told. */
  private tell({ bytes }: Cursor, from: number, stop: number, out: ItemOutput): number {
    const { stream } = this;
    if (stream === null) {
      if (stop > from) out.text(this.slice.set(bytes, from, stop));
      return stop;
    }
    const behind = stream.unpack(bytes, from, stop);
    this.unpacked += stream.end - stream.start;
    if (behind < 0 || this.unpacked > this.length) throw this.badPacking();
    if (behind > from) out.text(this.slice.set(stream.bytes, stream.start, stream.end));
    return behind;
  }

  private badPacking(): FormatError {
    return new FormatError('rdb/bad-lzf', this.offset, { compressed: this.compressed, length: this.length });
  }
}

function shortHead(cursor: Cursor, to: number): null {
  cursor.short(to);
  return null;
}
