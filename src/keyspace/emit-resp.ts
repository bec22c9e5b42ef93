import { copyBytes, GrowingBytes } from '../bytes/growing-bytes.js';
import type { ByteTarget } from '../bytes/target.js';
import { INT64_TEXT_MAX, writeInteger } from '../kernels/decimal.js';

const SIZE = 64 * 1024;
const STAR = 42;
const DOLLAR = 36;
const CR = 13;
const LF = 10;
/** A length line: mark, digits, line end. */
const LINE_MAX = INT64_TEXT_MAX + 3;
/** Items per command at most, as in the servers' own rewrites, and bytes of them after which it is ended early. */
const ITEMS_MAX = 64;
const BATCH_BYTES_MAX = 256 * 1024;
/** Name and key. */
const FRONT_ARGUMENTS = 2;

/** Writes `<mark><value>\r\n`. Returns the position after it. */
function writeLine(mark: number, value: number, into: Buffer, at: number): number {
  into[at] = mark;
  const end = writeInteger(value, into, at + 1);
  into[end] = CR;
  into[end + 1] = LF;
  return end + 2;
}

/** Appends one argument to `into`. */
function putBulk(into: GrowingBytes, bytes: Buffer, start: number, end: number): void {
  into.reserve(end - start + LINE_MAX + 2);
  into.end = writeLine(DOLLAR, end - start, into.bytes, into.end);
  into.put(bytes, start, end);
  into.bytes[into.end++] = CR;
  into.bytes[into.end++] = LF;
}

/** Commands on their way to a target: a head with the number of arguments, then that many arguments. */
export class RespOutput {
  private readonly bytes = Buffer.allocUnsafeSlow(SIZE);
  private position = 0;

  constructor(private readonly target: ByteTarget) {}

  flush(): void {
    if (this.position === 0) return;
    this.target.write(this.bytes.subarray(0, this.position));
    this.position = 0;
  }

  private line(mark: number, value: number): void {
    if (this.position + LINE_MAX > SIZE) this.flush();
    this.position = writeLine(mark, value, this.bytes, this.position);
  }

  head(argc: number): void {
    this.line(STAR, argc);
  }

  bulk(bytes: Buffer, start: number, end: number): void {
    this.openBulk(end - start);
    this.raw(bytes, start, end);
    this.closeBulk();
  }

  /** Begins an argument of so many bytes, which `raw` brings. */
  openBulk(length: number): void {
    this.line(DOLLAR, length);
  }

  closeBulk(): void {
    if (this.position + 2 > SIZE) this.flush();
    this.bytes[this.position++] = CR;
    this.bytes[this.position++] = LF;
  }

  /** An argument of one byte per character. */
  word(text: string): void {
    this.line(DOLLAR, text.length);
    if (this.position + text.length + 2 > SIZE) this.flush();
    this.position += this.bytes.latin1Write(text, this.position);
    this.bytes[this.position++] = CR;
    this.bytes[this.position++] = LF;
  }

  /** Arguments that are encoded already. */
  raw(bytes: Buffer, start: number, end: number): void {
    const count = end - start;
    if (this.position + count > SIZE) {
      this.flush();
      if (count > SIZE / 2) {
        this.target.write(bytes.subarray(start, end));
        return;
      }
    }
    copyBytes(bytes, start, end, this.bytes, this.position);
    this.position += count;
  }
}

/** One command after the other with the same name and key, each with up to 64 items. */
export class ItemBatch {
  private readonly front = new GrowingBytes();
  private readonly items = new GrowingBytes();
  private itemArguments = 0;
  private count = 0;

  constructor(private readonly output: RespOutput) {}

  /** What every command starts with: its name, then the key. */
  begin(name: string, key: GrowingBytes): void {
    const word = Buffer.from(name, 'latin1');
    this.front.reset();
    putBulk(this.front, word, 0, word.length);
    putBulk(this.front, key.bytes, 0, key.end);
    this.items.reset();
    this.itemArguments = this.count = 0;
  }

  /** Adds an argument to the item at hand. */
  add(bytes: Buffer, start: number, end: number): void {
    putBulk(this.items, bytes, start, end);
    this.itemArguments++;
  }

  /** Ends the item at hand. */
  next(): void {
    if (++this.count === ITEMS_MAX || this.items.end > BATCH_BYTES_MAX) this.flush();
  }

  /** Writes the command of the items that wait, if there are any. */
  flush(): void {
    if (this.count === 0) return;
    const { output, front, items } = this;
    output.head(FRONT_ARGUMENTS + this.itemArguments);
    output.raw(front.bytes, 0, front.end);
    output.raw(items.bytes, 0, items.end);
    items.reset();
    this.itemArguments = this.count = 0;
  }
}
