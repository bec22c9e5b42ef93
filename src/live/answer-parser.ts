import type { Answer, Reply } from './connection.js';
import {
  COLON,
  CR,
  DOLLAR,
  LF,
  LINE_MAX,
  lengthOf,
  MINUS,
  numberOf,
  PLUS,
  STAR,
  strange,
} from './reply-grammar.js';

const DEPTH_MAX = 16;
const FIRST = 64 * 1024;

/** An error that a server answered with. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

interface OpenArray {
  readonly items: Answer[];
  left: number;
}

/**
 * Replies of a server (RESP2) with their values, each handed over as soon as it is complete. Holds what is not complete yet,
 * and never more than came.
 */
export class AnswerParser {
  private bytes: Buffer = Buffer.allocUnsafeSlow(FIRST);
  private start = 0;
  private end = 0;
  /** Nothing can be complete before this many bytes are there. */
  private need = 1;
  private readonly open: OpenArray[] = [];

  constructor(private readonly take: (answer: Answer) => void) {}

  /** @throws Error when the bytes are no replies */
  push(chunk: Buffer): void {
    this.append(chunk);
    while (this.end - this.start >= this.need && this.item()) this.need = 1;
    if (this.start === this.end) this.start = this.end = 0;
  }

  private append(chunk: Buffer): void {
    const held = this.end - this.start;
    if (this.end + chunk.length > this.bytes.length) {
      const wanted = held + chunk.length;
      const into = wanted > this.bytes.length / 2 ? Buffer.allocUnsafeSlow(2 * wanted) : this.bytes;
      this.bytes.copy(into, 0, this.start, this.end);
      this.bytes = into;
      this.start = 0;
      this.end = held;
    }
    chunk.copy(this.bytes, this.end);
    this.end += chunk.length;
  }

  /** Takes one item off the front; false when it is not complete. */
  private item(): boolean {
    const { bytes, start } = this;
    const lineEnd = bytes.subarray(0, this.end).indexOf(LF, start);
    if (lineEnd < 0) {
      if (this.end - start > LINE_MAX) throw strange();
      this.need = this.end - start + 1;
      return false;
    }
    if (lineEnd - start > LINE_MAX) throw strange();
    const textEnd = bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    const mark = bytes[start]!;
    const after = lineEnd + 1;
    if (mark === DOLLAR) return this.text(start, textEnd, after);
    const text = bytes.latin1Slice(start + 1, textEnd);
    this.start = after;
    if (mark === PLUS) this.complete(Buffer.from(text, 'latin1'));
    else if (mark === MINUS) this.complete(new ReplyError(text));
    else if (mark === COLON) this.complete(numberOf(text));
    else if (mark === STAR) this.array(numberOf(text));
    else throw strange();
    return true;
  }

  private text(start: number, textEnd: number, after: number): boolean {
    const { bytes } = this;
    const length = lengthOf(bytes.latin1Slice(start + 1, textEnd));
    if (length < 0) {
      this.start = after;
      this.complete(null);
      return true;
    }
    const end = after + length;
    if (this.end < end + 2) {
      this.need = end + 2 - start;
      return false;
    }
    this.start = end + 2;
    this.complete(Buffer.from(bytes.subarray(after, end)));
    return true;
  }

  private array(count: number): void {
    if (count < 0) this.complete(null);
    else if (count === 0) this.complete([]);
    else if (this.open.length === DEPTH_MAX) throw strange();
    else this.open.push({ items: [], left: count });
  }

  private complete(answer: Answer): void {
    let done = answer;
    for (;;) {
      const array = this.open.at(-1);
      if (array === undefined) {
        this.take(done);
        return;
      }
      array.items.push(done);
      if (--array.left > 0) return;
      this.open.pop();
      done = array.items as readonly Reply[];
    }
  }
}
