import { isUtf8 } from 'node:buffer';
import { copyBytes } from '../bytes/growing-bytes.js';
import type { Long } from '../bytes/int64.js';
import type { ByteTarget } from '../bytes/target.js';
import { INT64_TEXT_MAX, writeInteger } from '../kernels/decimal.js';
import { DOUBLE_TEXT_MAX, writeShortest } from '../kernels/doubles.js';

const SIZE = 64 * 1024;
/** Source bytes escaped at a time: six times as many may come out. */
const PIECE = 8 * 1024;
/** A multiple of three, so that pieces of base64 join without padding. */
const BASE64_PIECE = 36 * 1024;
/** `{"base64":""}` */
const BASE64_OPEN = '{"base64":"';
const QUOTE = 34;
/** Literals of up to this many characters are written by a loop. */
const LOOPED_MAX = 32;
const BACKSLASH = 92;
const HEX = Buffer.from('0123456789abcdef');

const PLAIN = 0;
const HIGH = 2;
/** By byte: PLAIN stands for itself in JSON, HIGH too if the text is UTF-8, others need an escape of which this is the letter, or \u. */
const ESCAPE_U = 117;
const CLASS = classes();

function classes(): Uint8Array {
  const table = new Uint8Array(256);
  table.fill(ESCAPE_U, 0, 0x20);
  for (const [byte, letter] of ['\bb', '\tt', '\nn', '\ff', '\rr', '""', '\\\\'].map((pair) => [...pair])) {
    table[byte!.charCodeAt(0)] = letter!.charCodeAt(0);
  }
  table[0x7f] = ESCAPE_U;
  table.fill(HIGH, 0x80);
  return table;
}

/** JSON on its way to a target, front to back through one buffer. Control bytes of terminals are escaped, C1 ones too. */
export class JsonOutput {
  private readonly bytes = Buffer.allocUnsafeSlow(SIZE);
  private position = 0;
  private flushed = 0;
  /** Bytes of base64 that wait for others to be three. */
  private readonly carry = Buffer.alloc(3);
  private carried = 0;

  constructor(private readonly target: ByteTarget) {}

  /** Bytes put out so far. */
  get size(): number {
    return this.flushed + this.position;
  }

  flush(): void {
    if (this.position === 0) return;
    this.target.write(this.bytes.subarray(0, this.position));
    this.flushed += this.position;
    this.position = 0;
  }

  /** JSON as it stands, of any length. */
  append(json: Uint8Array): void {
    this.flush();
    this.target.write(json);
    this.flushed += json.length;
  }

  private room(count: number): number {
    if (this.position + count > SIZE) this.flush();
    return this.position;
  }

  /** JSON as it stands; short, one byte per character. */
  literal(json: string): void {
    const { length } = json;
    const at = this.room(length);
    this.position = at + length;
    const { bytes } = this;
    // Most have a few characters, for which a call into the runtime takes longer than a loop.
    if (length > LOOPED_MAX) bytes.latin1Write(json, at);
    else for (let i = 0; i < length; i++) bytes[at + i] = json.charCodeAt(i);
  }

  /** One character of JSON. */
  mark(code: number): void {
    const at = this.room(1);
    this.bytes[at] = code;
    this.position = at + 1;
  }

  /** A string of one byte per character, taken as those bytes. */
  latin1(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.text(bytes, 0, bytes.length);
  }

  /** A 64-bit quantity: as a number while that is exact, else as a string of digits. */
  integer(value: Long): void {
    if (typeof value === 'bigint') {
      this.literal(`"${value}"`);
      return;
    }
    const at = this.room(INT64_TEXT_MAX);
    this.position = writeInteger(value, this.bytes, at);
  }

  /** A score: a number that reads back as the same double, or "inf", "-inf", "nan". */
  double(value: number): void {
    if (!Number.isFinite(value)) {
      this.literal(Number.isNaN(value) ? '"nan"' : value > 0 ? '"inf"' : '"-inf"');
      return;
    }
    const at = this.room(DOUBLE_TEXT_MAX);
    this.position = writeShortest(value, this.bytes, at);
  }

  /** Bytes: a string when they are valid UTF-8, else `{"base64":"…"}`. */
  text(source: Buffer, start: number, end: number): void {
    if (end - start <= PIECE) this.shortText(source, start, end);
    else if (isUtf8(source.subarray(start, end))) this.longText(source, start, end);
    else this.base64(source, start, end);
  }

  private shortText(source: Buffer, start: number, end: number): void {
    const before = this.room(2 + 6 * (end - start));
    const { bytes } = this;
    let to = before;
    bytes[to++] = QUOTE;
    let from = start;
    for (; from < end; from++) {
      const byte = source[from]!;
      if (CLASS[byte] !== PLAIN) break;
      bytes[to++] = byte;
    }
    if (from < end) {
      if (!isUtf8(source.subarray(from, end))) {
        this.base64(source, start, end);
        return;
      }
      to = putEscaped(source, from, end, bytes, to);
    }
    bytes[to] = QUOTE;
    this.position = to + 1;
  }

  private longText(source: Buffer, start: number, end: number): void {
    this.bytes[this.room(1)] = QUOTE;
    this.position++;
    for (let from = start; from < end; ) {
      let to = Math.min(end, from + PIECE);
      // A two-byte control character is told by both its bytes.
      if (to < end && source[to - 1] === 0xc2) to++;
      const at = this.room(6 * (to - from));
      this.position = putEscaped(source, from, to, this.bytes, at);
      from = to;
    }
    this.bytes[this.room(1)] = QUOTE;
    this.position++;
  }

  /** Bytes as `{"base64":"…"}`, whatever they are. */
  base64(source: Buffer, start: number, end: number): void {
    this.openBase64();
    this.moreBase64(source, start, end);
    this.closeBase64();
  }

  openBase64(): void {
    this.literal(BASE64_OPEN);
    this.carried = 0;
  }

  /** The next bytes of a text that comes in fragments. */
  moreBase64(source: Buffer, start: number, end: number): void {
    const { carry } = this;
    let from = start;
    if (this.carried > 0) {
      while (this.carried < 3 && from < end) carry[this.carried++] = source[from++]!;
      if (this.carried < 3) return;
      this.literal(carry.toString('base64'));
      this.carried = 0;
    }
    const whole = end - ((end - from) % 3);
    for (; from < whole; from += BASE64_PIECE) {
      this.literal(source.toString('base64', from, Math.min(whole, from + BASE64_PIECE)));
    }
    for (let left = whole; left < end; left++) carry[this.carried++] = source[left]!;
  }

  closeBase64(): void {
    if (this.carried > 0) this.literal(this.carry.toString('base64', 0, this.carried));
    this.literal('"}');
  }
}

/** Escapes valid UTF-8. Returns the position behind it. */
function putEscaped(source: Buffer, start: number, end: number, into: Buffer, at: number): number {
  let to = at;
  for (let from = start; from < end; from++) {
    const run = from;
    while (from < end && CLASS[source[from]!] === PLAIN) from++;
    if (from > run) {
      copyBytes(source, run, from, into, to);
      to += from - run;
      if (from === end) break;
    }
    const byte = source[from]!;
    const letter = CLASS[byte]!;
    if (letter === HIGH) {
      const next = from + 1 < end ? source[from + 1]! : 0;
      if (byte === 0xc2 && next < 0xa0) {
        to = escapeCode(next, into, to);
        from++;
      } else {
        into[to++] = byte;
      }
    } else if (letter === ESCAPE_U) {
      to = escapeCode(byte, into, to);
    } else {
      into[to++] = BACKSLASH;
      into[to++] = letter;
    }
  }
  return to;
}

function escapeCode(code: number, into: Buffer, at: number): number {
  const to = at + into.latin1Write('\\u00', at);
  into[to] = HEX[code >> 4]!;
  into[to + 1] = HEX[code & 15]!;
  return to + 2;
}
