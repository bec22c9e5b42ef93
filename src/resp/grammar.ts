import type { ByteWindow } from '../bytes/window.js';
import { FormatError } from '../errors.js';

export const CR = 13;
export const LF = 10;
export const HASH = 35;
export const DOLLAR = 36;
export const STAR = 42;

/** What servers read of a line at once: 1024 bytes with the terminating zero, since 7.0; 128 before. */
export const LINE_MAX = 1023;
const ARGUMENTS_MAX = 0x7fff_ffff;

/** The line is not complete in the bytes given. */
export const SHORT = -1;

/** A `*` or `$` line as servers read it: `atoi` of what follows the prefix, up to the line feed. One object is reused. */
export class NumberLine {
  value = 0;
  /** True when redis-check-aof would refuse the line though servers load it: no CR, or text behind the number. */
  loose = false;

  /**
   * Reads the line whose prefix stands at `at`; returns the position after it, or SHORT.
   *
   * @throws FormatError at `offset` when servers would refuse the line, too
   */
  read(bytes: Buffer, at: number, end: number, offset: number): number {
    const last = Math.min(end, at + LINE_MAX);
    let feed = at + 1;
    while (feed < last && bytes[feed] !== LF) feed++;
    if (feed === last) {
      if (last - at < LINE_MAX) return SHORT;
      throw this.bad(bytes, at, last, offset);
    }
    let digit = at + 1;
    while (digit < feed && isBlank(bytes[digit]!)) digit++;
    const sign = bytes[digit]!;
    if (sign === 43 || sign === 45) digit++;
    const first = digit;
    let value = 0;
    for (; digit < feed; digit++) {
      const n = bytes[digit]! - 48;
      if (n < 0 || n > 9) break;
      value = value * 10 + n;
    }
    const isArgument = bytes[at] === DOLLAR;
    // Servers take a line without any number for 0: an argument of that length is real, text in its place is damage.
    const isEmpty =
      digit === first && isArgument && sign !== 43 && sign !== 45 && restIsEnd(bytes, digit, feed);
    const inRange = isArgument
      ? value === 0 || (sign !== 45 && value < Number.MAX_SAFE_INTEGER)
      : value > 0 && sign !== 45 && value <= ARGUMENTS_MAX;
    if ((digit === first && !isEmpty) || !inRange) throw this.bad(bytes, at, feed, offset);
    this.value = value;
    this.loose = !(digit === feed - 1 && bytes[digit] === CR) && !isEmpty;
    return feed + 1;
  }

  private bad(bytes: Buffer, at: number, stop: number, offset: number): FormatError {
    const code = bytes[at] === DOLLAR ? 'aof/bad-bulk-length' : 'aof/bad-argument-count';
    const found = bytes.latin1Slice(at, Math.min(stop, at + 40)).replace(/\r$/, '');
    return new FormatError(code, offset, { found });
  }
}

/** True when nothing but blanks, the CR among them, stands before the line feed. */
function restIsEnd(bytes: Buffer, at: number, feed: number): boolean {
  for (let i = at; i < feed; i++) if (!isBlank(bytes[i]!)) return false;
  return bytes[feed - 1] === CR;
}

const isBlank = (c: number): boolean => c === 32 || (c >= 9 && c <= 13);

const TS = Buffer.from('#TS:');

/** The seconds of a `#TS:` line that ends at `end`, by the rule of redis-check-aof; NaN when it is none or malformed. */
export function timestampOf(bytes: Buffer, at: number, end: number): number {
  if (!isTimestamp(bytes, at, end)) return Number.NaN;
  const match = /^[ \t\n\v\f\r]*([+-]?\d{1,19})\r\n$/.exec(bytes.latin1Slice(at + 4, end));
  const seconds = match === null ? Number.NaN : Number(match[1]);
  return Number.isSafeInteger(seconds) ? seconds : Number.NaN;
}

export function isTimestamp(bytes: Buffer, at: number, end: number): boolean {
  return end - at >= 4 && bytes.compare(TS, 0, 4, at, at + 4) === 0;
}

/** A record that the end of the input cuts short; it needs `need` bytes from the window's position at least. */
export function tornTail(window: ByteWindow, offset: number, need: number): FormatError {
  // Not all of the input need be in memory: a length beyond its end is known without reading what is left.
  const end = Number.isFinite(window.limit) ? window.limit : window.base + window.end;
  return new FormatError('aof/torn-tail', offset, { end, missing: Math.max(1, window.offset + need - end) });
}

/** True when the byte can start what comes after an argument: the next argument, or after the last the next record. */
export function follows(c: number, last: boolean): boolean {
  return last ? c === STAR || c === HASH : c === DOLLAR;
}

export function badLineEnd(bytes: Buffer, at: number, offset: number): FormatError {
  return new FormatError('aof/bad-line-end', offset, { found: bytes.toString('hex', at, at + 2) });
}

export function badPrefix(bytes: Buffer, at: number, expected: string, offset: number): FormatError {
  return new FormatError('aof/bad-prefix', offset, { expected, found: bytes[at]! });
}
