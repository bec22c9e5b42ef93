const LF = 10;
const CR = 13;
const DOLLAR = 36;
const PLUS = 43;
const MINUS = 45;
const MARK_BYTES = 40;
/** A line longer than this is not from a server. */
const LINE_MAX = 4096;
/** Servers send a line feed a second while they fork; who sends so many more is no server. */
const IDLE_MAX = 1000;
const IDLE_PER_SECOND = 20;

/** Takes what a snapshot is made of. */
export interface SnapshotTaker {
  /** All replies to other commands are here. */
  ready(): void;
  /** The server makes a snapshot: it is to come. */
  accepted(): void;
  /** It makes none, and why; in its words. */
  refused(reply: string): void;
  /** Bytes of the RDB, the receiver's to keep. */
  bytes(chunk: Buffer): void;
  /** All of it has come. */
  ended(): void;
}

/** What a server does that none does; the message says what stood there. */
export class SnapshotProtocolError extends Error {
  override readonly name = 'SnapshotProtocolError';
}

type Phase = 'answers' | 'reply' | 'sized' | 'marked' | 'ended';

/**
 * What a server answers to SYNC or PSYNC, byte by byte as it comes: line feeds while it forks, then `$LENGTH` and so many
 * bytes, or `$EOF:` with 40 bytes that end what follows.
 */
export class SnapshotParser {
  /** Bytes of the RDB, where the server tells them in advance; null: it does not, or has not yet. */
  length: number | null = null;
  /** Bytes of the RDB so far. */
  received = 0;
  private phase: Phase;
  private line = '';
  private left = 0;
  private mark: Buffer = Buffer.alloc(0);
  /** The last bytes, in which the mark may have begun. */
  private tail: Buffer = Buffer.alloc(0);
  private idle = 0;
  private isAccepted = false;

  /** `answers` replies to other commands come first and do not matter. */
  constructor(
    private readonly taker: SnapshotTaker,
    private answers: number,
    private readonly clock: () => number,
  ) {
    this.phase = answers > 0 ? 'answers' : 'reply';
    this.startedMs = clock();
  }

  private readonly startedMs: number;

  /** @throws SnapshotProtocolError for what no server sends */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && (this.phase === 'answers' || this.phase === 'reply')) {
      const byte = chunk[at++]!;
      if (byte !== LF) this.character(byte);
      else if (this.line === '') this.idleLine();
      else this.lineEnd();
    }
    if (at === chunk.length) return;
    const rest = at === 0 ? chunk : chunk.subarray(at);
    if (this.phase === 'sized') this.sized(rest);
    else if (this.phase === 'marked') this.marked(rest);
  }

  /** The next reply is to another SYNC, or PSYNC. */
  again(): void {
    this.phase = 'reply';
    this.line = '';
  }

  private character(byte: number): void {
    if (byte === CR) return;
    if (this.line === '' && byte !== DOLLAR && byte !== PLUS && byte !== MINUS) {
      throw new SnapshotProtocolError(`byte 0x${byte.toString(16).padStart(2, '0')} where a reply begins`);
    }
    if (this.line.length === LINE_MAX)
      throw new SnapshotProtocolError(`a line of more than ${LINE_MAX} bytes`);
    this.line += String.fromCharCode(byte);
  }

  private idleLine(): void {
    if (this.phase === 'reply') this.accept();
    const seconds = (this.clock() - this.startedMs) / 1000;
    if (++this.idle > IDLE_MAX + IDLE_PER_SECOND * seconds) {
      throw new SnapshotProtocolError(
        `${this.idle} line feeds in ${seconds.toFixed(1)} seconds and nothing else`,
      );
    }
  }

  private accept(): void {
    if (!this.isAccepted) this.taker.accepted();
    this.isAccepted = true;
  }

  private lineEnd(): void {
    const { line } = this;
    this.line = '';
    if (this.phase === 'answers') {
      if (--this.answers > 0) return;
      this.phase = 'reply';
      this.taker.ready();
    } else if (line[0] === '-') {
      this.taker.refused(line.slice(1));
    } else if (line[0] === '$') {
      this.header(line.slice(1));
    } else if (/^\+FULLRESYNC /.test(line)) {
      this.accept();
    } else {
      throw new SnapshotProtocolError(`'${line.slice(0, 60)}' where a snapshot begins`);
    }
  }

  private header(text: string): void {
    const mark = /^EOF:(.*)$/s.exec(text)?.[1];
    if (mark !== undefined) {
      if (mark.length !== MARK_BYTES) {
        throw new SnapshotProtocolError(`a mark of ${mark.length} bytes, ${MARK_BYTES} were expected`);
      }
      this.mark = Buffer.from(mark, 'latin1');
      this.phase = 'marked';
    } else {
      const length = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      if (!Number.isSafeInteger(length))
        throw new SnapshotProtocolError(`'$${text.slice(0, 60)}' is no length`);
      this.length = this.left = length;
      this.phase = 'sized';
    }
    this.accept();
    if (this.phase === 'sized' && this.left === 0) this.end();
  }

  private sized(bytes: Buffer): void {
    const part = bytes.length > this.left ? bytes.subarray(0, this.left) : bytes;
    this.left -= part.length;
    this.give(part);
    if (this.left === 0) this.end();
  }

  /** The mark is random: the first place where it stands is the end, wherever packets end. */
  private marked(bytes: Buffer): void {
    const all = this.tail.length === 0 ? bytes : Buffer.concat([this.tail, bytes]);
    const found = all.indexOf(this.mark);
    if (found >= 0) {
      this.give(all.subarray(0, found));
      this.end();
      return;
    }
    const sure = Math.max(0, all.length - MARK_BYTES + 1);
    this.give(all.subarray(0, sure));
    this.tail = Buffer.from(all.subarray(sure));
  }

  private give(bytes: Buffer): void {
    this.received += bytes.length;
    if (bytes.length > 0) this.taker.bytes(bytes);
  }

  private end(): void {
    this.phase = 'ended';
    this.taker.ended();
  }
}
