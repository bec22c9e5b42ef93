import { type Long, unsignedLong } from '../bytes/int64.js';
import type { ByteWindow } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { LENGTH_32, LENGTH_64, LENGTH_SPECIAL } from './constants.js';

/** What a read returns when the bytes it wants are not all here; `need` then says how many are wanted. */
export const SHORT = -1;

const EMPTY = Buffer.alloc(0);
const TWO_32 = 4294967296;

/**
 * The window of one run, flat for the decoder's loops. Reads take a position and return the one after what they read,
 * or SHORT; only assigning `position` makes progress.
 */
export class Cursor {
  bytes: Buffer = EMPTY;
  /** First byte of the item that is being read. */
  position = 0;
  end = 0;
  /** Absolute offset of `bytes[0]`. */
  base = 0;
  /** Absolute offset at which the input ends; Infinity while unknown. */
  limit = Number.POSITIVE_INFINITY;
  /** Bytes wanted from `position` after a short read. */
  need = 1;
  /** Value of the last length read; above 2^53 rounded, and exact only in the words. */
  value = 0;
  private high = 0;
  private low = 0;

  attach(window: ByteWindow): void {
    this.bytes = window.bytes;
    this.position = window.position;
    this.end = window.end;
    this.base = window.base;
    this.limit = window.limit;
    this.need = 1;
  }

  /** Gives back what was consumed and what is wanted, and lets go of the memory. */
  detach(window: ByteWindow): void {
    window.position = this.position;
    window.need = this.need;
    this.bytes = EMPTY;
  }

  /** Absolute offset of a position. */
  offsetOf(at: number): number {
    return this.base + at;
  }

  /** Records that bytes up to position `to` are wanted. */
  short(to: number): typeof SHORT {
    this.need = to - this.position;
    return SHORT;
  }

  /** Reads a length into `value`. @throws FormatError for a first byte that starts no length */
  length(at: number): number {
    if (at >= this.end) return this.short(at + 1);
    const first = this.bytes[at]!;
    if (first < 0x40) {
      this.value = first;
      return at + 1;
    }
    if (first >= 0x80) return this.wideLength(at, first);
    if (at + 2 > this.end) return this.short(at + 2);
    this.value = ((first & 0x3f) << 8) | this.bytes[at + 1]!;
    return at + 2;
  }

  /** The last length read, exact. */
  long(): Long {
    return this.value <= Number.MAX_SAFE_INTEGER ? this.value : unsignedLong(this.high, this.low);
  }

  /** The last length read as a signed number of 64 bits when it is the all-ones pattern, else as it is. */
  longOrMinusOne(): Long {
    return this.value > Number.MAX_SAFE_INTEGER && this.high === 0xffffffff && this.low === 0xffffffff
      ? -1
      : this.long();
  }

  /** Writes the two words of the last length read, big endian. */
  words(into: Buffer): void {
    const long = this.value <= Number.MAX_SAFE_INTEGER ? this.value : null;
    into.writeUInt32BE(long === null ? this.high : Math.floor(long / TWO_32), 0);
    into.writeUInt32BE(long === null ? this.low : long % TWO_32, 4);
  }

  private wideLength(at: number, first: number): number {
    const { bytes } = this;
    if (first === LENGTH_32) {
      if (at + 5 > this.end) return this.short(at + 5);
      this.value = bytes.readUInt32BE(at + 1);
      return at + 5;
    }
    if (first === LENGTH_64) {
      if (at + 9 > this.end) return this.short(at + 9);
      this.high = bytes.readUInt32BE(at + 1);
      this.low = bytes.readUInt32BE(at + 5);
      this.value = this.high * TWO_32 + this.low;
      return at + 9;
    }
    const reason = first >= LENGTH_SPECIAL ? 'string-encoding-for-length' : 'unknown-form';
    throw new FormatError('rdb/bad-length', this.base + at, { reason, byte: first });
  }
}

/** The unsigned 32-bit word at a position that is known to have one, little endian. */
export function wordAt(bytes: Buffer, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
