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

/** Who listens to the replies of a server, one call for each command that was sent. */
export interface ReplyListener {
  /** A status, text, array or map that holds no error. */
  done(): void;
  /** The null that says that nothing was there, or that a condition did not hold. */
  absent(): void;
  integer(value: number): void;
  /** The error as the server words it; of a transaction, the first one in its array. */
  failed(message: string): void;
}

/**
 * Counts the replies in what a server sends (RESP2), and makes strings of errors alone: a million acknowledgements cost
 * a million calls and nothing else.
 */
export class ReplyParser {
  /** The beginning of a line that the last chunk ended in. */
  private rest: Buffer | null = null;
  /** Bytes of a text that are still to come, its line end included. */
  private skipping = 0;
  /** Elements that are missing in each array that is open, outermost first. */
  private readonly open: number[] = [];
  private error: string | null = null;

  constructor(private readonly listener: ReplyListener) {}

  /** @throws Error when the bytes are no replies */
  push(chunk: Buffer): void {
    const { rest } = this;
    let bytes = chunk;
    if (rest !== null) {
      if (rest.length > LINE_MAX) throw strange();
      bytes = Buffer.concat([rest, chunk]);
      this.rest = null;
    }
    let at = 0;
    while (at < bytes.length) {
      if (this.skipping > 0) {
        const count = Math.min(this.skipping, bytes.length - at);
        this.skipping -= count;
        at += count;
        if (this.skipping === 0) this.item(null, 0, false);
        continue;
      }
      const end = lineEnd(bytes, at + 1);
      if (end < 0) {
        this.rest = Buffer.from(bytes.subarray(at));
        return;
      }
      this.line(bytes, at, bytes[end - 1] === CR ? end - 1 : end);
      at = end + 1;
    }
  }

  private line(bytes: Buffer, start: number, end: number): void {
    const mark = bytes[start]!;
    if (mark === PLUS) {
      this.item(null, 0, false);
    } else if (mark === COLON) {
      this.item(null, numberOf(bytes.latin1Slice(start + 1, end)), false, true);
    } else if (mark === MINUS) {
      this.item(bytes.latin1Slice(start + 1, end), 0, false);
    } else if (mark === DOLLAR) {
      const length = lengthOf(bytes.latin1Slice(start + 1, end));
      if (length < 0) this.item(null, 0, true);
      else this.skipping = length + 2;
    } else if (mark === STAR) {
      const count = numberOf(bytes.latin1Slice(start + 1, end));
      if (count < 0) this.item(null, 0, true);
      else if (count === 0) this.item(null, 0, false);
      else this.open.push(count);
    } else {
      throw strange();
    }
  }

  /** One value is complete: a reply, or an element of one. */
  private item(error: string | null, value: number, isNull: boolean, isInteger = false): void {
    const { open, listener } = this;
    if (open.length === 0) {
      if (error !== null) listener.failed(error);
      else if (isNull) listener.absent();
      else if (isInteger) listener.integer(value);
      else listener.done();
      return;
    }
    this.error ??= error;
    while (open.length > 0) {
      const left = open[open.length - 1]! - 1;
      open[open.length - 1] = left;
      if (left > 0) return;
      open.pop();
    }
    const first = this.error;
    this.error = null;
    if (first === null) listener.done();
    else listener.failed(first);
  }
}

/** Replies are mostly a few bytes long: a short loop beats a call into the runtime. */
function lineEnd(bytes: Buffer, from: number): number {
  const near = Math.min(bytes.length, from + 16);
  for (let at = from; at < near; at++) if (bytes[at] === LF) return at;
  return near === bytes.length ? -1 : bytes.indexOf(LF, near);
}
