import type { CommandSpans } from './command.js';

const SIZE = 64 * 1024;

/** Writes commands and annotations, byte for byte as servers log them, into a buffer that grows. */
export class RespEncoder {
  /** Bytes written since the last `clear`. */
  length = 0;
  private bytes: Buffer = Buffer.allocUnsafeSlow(SIZE);

  /** What was written: a view, valid until the next call. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  /** Starts over; the room of an uncommonly large command is given back. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > 64 * SIZE) this.bytes = Buffer.allocUnsafeSlow(SIZE);
  }

  /** A command of that many arguments begins; they follow one by one. */
  begin(argc: number): void {
    this.head(STAR, argc);
  }

  argument(bytes: Buffer, start = 0, end = bytes.length): void {
    this.head(DOLLAR, end - start);
    this.reserve(end - start + 2);
    this.length += bytes.copy(this.bytes, this.length, start, end);
    this.lineEnd();
  }

  /** One byte per character. */
  text(latin1: string): void {
    this.head(DOLLAR, latin1.length);
    this.reserve(latin1.length + 2);
    this.length += this.bytes.latin1Write(latin1, this.length);
    this.lineEnd();
  }

  /** A whole command; texts are one byte per character. */
  command(...args: readonly (string | Buffer)[]): void {
    this.begin(args.length);
    for (const arg of args) {
      if (typeof arg === 'string') this.text(arg);
      else this.argument(arg);
    }
  }

  /** A command that was read, in canonical form. */
  spans(command: CommandSpans): void {
    this.begin(command.argc);
    for (let i = 0; i < command.argc; i++) {
      this.argument(command.bytes, command.starts[i]!, command.ends[i]!);
    }
  }

  /** `#TS:` with whole unix seconds. */
  timestamp(seconds: number): void {
    const text = `#TS:${seconds}\r\n`;
    this.reserve(text.length);
    this.length += this.bytes.latin1Write(text, this.length);
  }

  private head(prefix: number, value: number): void {
    this.reserve(HEAD_MAX);
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = prefix;
    if (value < 10) bytes[at++] = 48 + value;
    else at += bytes.latin1Write(String(value), at);
    this.length = at;
    this.lineEnd();
  }

  private lineEnd(): void {
    this.bytes[this.length++] = 13;
    this.bytes[this.length++] = 10;
  }

  private reserve(count: number): void {
    const wanted = this.length + count;
    if (wanted <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

const STAR = 42;
const DOLLAR = 36;
/** Prefix, a safe integer, CR LF. */
const HEAD_MAX = 20;
