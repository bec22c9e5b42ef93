import { type ByteWindow, END, type Machine, NEED, PAUSE, type Progress } from '../../bytes/window.js';
import { ANNOTATIONS, FOLLOWED, type LogScan, TRANSACTIONS } from '../../kernels/log-scan.js';
import { LogPasser, type PassedTransaction, type PassingHandler } from '../../resp/passer.js';

/** Why a scan ended. */
export type ScanEnd =
  /** At the end of the file, in a valid place or not: `error` says. */
  | 'end'
  /** At a record that is none: `error` says what is wrong, unless the file ends where it should go on. */
  | 'bad-record'
  /** At a byte that starts no record. */
  | 'bad-start'
  /** At an annotation later than the time asked for. */
  | 'past-time'
  /** At a `#TS:` line without a proper number; looked at only when a time is asked for. */
  | 'bad-annotation';

const CR = 13;
const LF = 10;
const HASH = 35;
const DOLLAR = 36;
const STAR = 42;

/** What the original reads of a line at once, without the terminating zero. */
const NUMBER_LINE_MAX = 127;
const ANNOTATION_MAX = 1023;
/** Room for the longest line the fast path reads. */
const HEAD_MAX = 16;
/** Bytes of an argument that tell MULTI and EXEC from all others. */
const NAME_BYTES = 6;
const LONG_MAX = 2n ** 63n - 1n;
const LONG_MIN = -(2n ** 63n);

const RECORD = 0;
const ARGUMENT = 1;
const NAME = 2;
const BODY = 3;
const BODY_END = 4;

/** `step` went on; otherwise it says why it did not. */
const MOVED = -1;
const SHORT = -1;

/** The parts of a C string that `strtol` looks at: what it makes of them, and the index it stops at. */
interface Parsed {
  readonly value: bigint;
  readonly stop: number;
  readonly overflow: boolean;
}

/** Lines of a log, as the original counts them. */
export interface StrictLines {
  readonly line: number;
}

/**
 * Reads a log by the rules of redis-check-aof 7.0, which are not the loaders': stricter in line ends, laxer in argument
 * counts, and told here in its words. Arguments are walked past, so memory stays bounded whatever a length claims. The
 * window must know where its input ends.
 */
export class StrictScan implements Machine, PassingHandler, StrictLines {
  ended: ScanEnd = 'end';
  /** The original's line of the error, '' for none. */
  error = '';
  /** Start of the record that could not be read, or of the transaction around it. */
  okUpTo = 0;
  /** Offset of the last thing that was read: where the original says errors are. */
  place = 0;
  /** The first record that ends here or behind is told to `onReach`. */
  passUpTo = Number.POSITIVE_INFINITY;
  /** Told where that record ends, and whether a transaction is open there. */
  onReach: (end: number, open: boolean) => void = () => {};
  full = false;
  /** Read when `full`: what follows was read by another. */
  stopped = false;
  readonly looks: number;
  private readonly transaction: PassedTransaction = { open: false, offset: 0, queued: 0 };
  private readonly passer: LogPasser | null;
  private phase = RECORD;
  private argc = 0;
  private index = 0;
  private length = 0;
  private left = 0;
  private role: '' | 'multi' | 'exec' = '';
  private atEnd = false;

  /**
   * @param path how messages name the file
   * @param line lines counted so far, over all files
   * @param time unix seconds to stop after; 0: never
   * @param shown makes a byte fit to be printed
   * @param scan passes over what is in order, where the window is in its memory; null: without
   */
  constructor(
    private readonly path: string,
    public line: number,
    private readonly time: bigint,
    private readonly shown: (latin1: string) => string,
    scan: LogScan | null = null,
  ) {
    // The last thing that was read, of which errors tell, is left for here.
    this.looks = TRANSACTIONS | FOLLOWED | (time === 0n ? ANNOTATIONS : 0);
    this.passer = scan && new LogPasser(scan, this, this.transaction);
  }

  run(window: ByteWindow): Progress {
    for (;;) {
      const step = this.step(window);
      if (step === NEED || step === PAUSE) return step;
      if (step !== MOVED) return this.close(window);
    }
  }

  /** Counts the lines that another has read of what follows. */
  adopt({ line }: StrictLines): void {
    this.line += line;
  }

  passed({ commands, argumentCount }: LogScan, end: number): void {
    this.line += commands + 2 * argumentCount;
    const { open, offset } = this.transaction;
    this.okUpTo = open ? offset : end;
  }

  /** The file turned out shorter than it was. */
  finish(window: ByteWindow): void {
    window.limit = window.base + window.end;
    this.run(window);
  }

  private close(window: ByteWindow): Progress {
    if (this.atEnd && this.transaction.open && this.error === '') {
      this.fail('Reached EOF before reading EXEC for MULTI');
    }
    window.need = 1;
    return END;
  }

  private step(window: ByteWindow): Progress | typeof MOVED {
    switch (this.phase) {
      case RECORD:
        return this.record(window);
      case ARGUMENT:
        return this.argument(window);
      case NAME:
        return this.name(window);
      case BODY: {
        const here = Math.min(this.left, window.end - window.position);
        window.position += here;
        this.left -= here;
        if (this.left > 0) return lack(window, 1);
        this.phase = BODY_END;
        return MOVED;
      }
      default:
        return this.bodyEnd(window);
    }
  }

  private record(window: ByteWindow): Progress | typeof MOVED {
    if (!this.stopped) {
      this.passCommands(window);
      if (!this.transaction.open) this.okUpTo = window.offset;
      if (window.offset >= this.passUpTo) this.onReach(window.offset, this.transaction.open);
    }
    if (this.stopped) {
      this.okUpTo = window.limit;
      return this.stop('end', false);
    }
    if (this.full) return PAUSE;
    if (window.offset >= window.limit) return this.stop('end', true);
    if (!window.has(1)) return NEED;
    const first = window.bytes[window.position]!;
    if (first === HASH) return this.annotation(window);
    if (first !== STAR) return this.stop('bad-start', false);
    const length = lineLength(window, NUMBER_LINE_MAX);
    if (length === SHORT) return NEED;
    const argc = this.number(window, length);
    if (argc === null) return this.stop('bad-record', false);
    this.argc = Number(argc);
    this.index = 0;
    if (this.argc > 0) this.phase = ARGUMENT;
    return MOVED;
  }

  private argument(window: ByteWindow): Progress | typeof MOVED {
    const length = lineLength(window, NUMBER_LINE_MAX);
    if (length === SHORT) return NEED;
    this.place = window.offset;
    if (length === 0) return this.stop('bad-record', true);
    const prefix = window.bytes[window.position]!;
    if (prefix !== DOLLAR) {
      return this.refuse(`Expected prefix '$', got: '${this.shown(String.fromCharCode(prefix))}'`);
    }
    const bytes = this.number(window, length);
    if (bytes === null) return this.stop('bad-record', false);
    if (bytes < 0n || bytes > LONG_MAX - 2n) {
      return this.refuse(`Expected to read string of ${bytes} bytes, which is not in the suitable range`);
    }
    this.place = window.offset;
    const there = Math.max(0, window.limit - window.offset);
    if (bytes + 2n > BigInt(there)) {
      this.atEnd = true;
      return this.refuse(`Expected to read ${bytes + 2n} bytes, got ${there} bytes`);
    }
    this.length = this.left = Number(bytes);
    this.role = '';
    this.phase = this.index === 0 ? NAME : BODY;
    return MOVED;
  }

  private name(window: ByteWindow): Progress | typeof MOVED {
    if (!window.has(Math.min(this.length, NAME_BYTES))) return NEED;
    this.role = roleOf(window.bytes, window.position, this.length);
    this.phase = BODY;
    return MOVED;
  }

  private bodyEnd(window: ByteWindow): Progress | typeof MOVED {
    if (!window.has(2)) return NEED;
    const { bytes, position: at } = window;
    if (bytes[at] !== CR || bytes[at + 1] !== LF)
      return this.refuse(lineEndError(bytes[at]!, bytes[at + 1]!));
    window.position = at + 2;
    this.line++;
    const { transaction } = this;
    if (this.role === 'multi') {
      if (transaction.open) return this.refuse(`Unexpected MULTI in AOF ${this.path}`);
      transaction.open = true;
      transaction.offset = this.okUpTo;
    } else if (this.role === 'exec') {
      if (!transaction.open && !this.strayExec()) {
        return this.refuse(`Unexpected EXEC in AOF ${this.path}`);
      }
      transaction.open = false;
    }
    this.role = '';
    this.phase = ARGUMENT;
    if (++this.index === this.argc) {
      this.phase = RECORD;
      this.recordEnd(window.offset);
    }
    return MOVED;
  }

  /** Told of an EXEC without a MULTI: true to go on. */
  protected strayExec(): boolean {
    return false;
  }

  /** Told where a record ended that asked for a closer look. */
  protected recordEnd(_offset: number): void {}

  /** The number of a line of `length` bytes, which is passed; null when it does not end as it should. */
  private number(window: ByteWindow, length: number): bigint | null {
    const { bytes, position: at } = window;
    this.place = window.offset;
    const { value, stop } = parseLong(bytes.latin1Slice(at, at + length), 1);
    const first = stop < length ? bytes[at + stop]! : 0;
    const second = stop + 1 < length ? bytes[at + stop + 1]! : 0;
    if (first !== CR || second !== LF) {
      this.fail(lineEndError(first, second));
      return null;
    }
    window.position = at + length;
    this.line++;
    return value;
  }

  private annotation(window: ByteWindow): Progress | typeof MOVED {
    const length = lineLength(window, ANNOTATION_MAX);
    if (length === SHORT) return NEED;
    this.place = window.offset;
    const at = window.position;
    window.position = at + length;
    if (this.time === 0n) return MOVED;
    const text = window.bytes.latin1Slice(at, at + length);
    if (!text.startsWith('#TS:')) return MOVED;
    const { value, stop, overflow } = parseLong(text, 4);
    if (overflow || text[stop] !== '\r') return this.stop('bad-annotation', false);
    return value > this.time ? this.stop('past-time', false) : MOVED;
  }

  private refuse(what: string): Progress {
    this.fail(what);
    return this.stop('bad-record', this.atEnd);
  }

  private fail(what: string): void {
    this.error = `0x${this.place.toString(16).padStart(16)}: ${what}`;
  }

  private stop(ended: ScanEnd, atEnd: boolean): Progress {
    this.ended = ended;
    this.atEnd = atEnd;
    return END;
  }

  /** The fast path: whole commands in the form servers write; MULTI and EXEC only with a kernel. */
  private passCommands(window: ByteWindow): void {
    const { passer } = this;
    for (;;) {
      if (passer?.pass(window) === true) continue;
      if (window.offset >= this.passUpTo) return;
      const next = this.passCommand(window.bytes, window.position, window.end, window.base);
      if (next === 0) return;
      window.position = next;
    }
  }

  /** The position after the command, 0 when it wants a closer look. */
  private passCommand(bytes: Buffer, start: number, end: number, base: number): number {
    if (end - start < HEAD_MAX || bytes[start] !== STAR) return 0;
    let argc = 0;
    let at = start + 1;
    for (let c = bytes[at]!; c !== CR; c = bytes[++at]!) {
      if (c < 48 || c > 57 || at - start > 8) return 0;
      argc = argc * 10 + c - 48;
    }
    if (argc === 0 || bytes[at + 1] !== LF) return 0;
    at += 2;
    let body = 0;
    for (let i = 0; i < argc; i++) {
      if (end - at < HEAD_MAX || bytes[at] !== DOLLAR) return 0;
      const head = at++;
      let length = 0;
      for (let c = bytes[at]!; c !== CR; c = bytes[++at]!) {
        if (c < 48 || c > 57 || at - head > 10) return 0;
        length = length * 10 + c - 48;
      }
      if (bytes[at + 1] !== LF || at === head + 1) return 0;
      body = at + 2;
      at = body + length;
      if (at + 2 > end || bytes[at] !== CR || bytes[at + 1] !== LF) return 0;
      if (i === 0 && roleOf(bytes, body, length) !== '') return 0;
      at += 2;
    }
    this.line += 1 + 2 * argc;
    this.place = base + body;
    return at;
  }
}

/** Length of the line at hand, its line feed included, cut where `fgets` would; 0 at the end, SHORT: not all here. */
function lineLength(window: ByteWindow, max: number): number {
  const room = Math.min(max, window.limit - window.offset);
  const { bytes, position: at } = window;
  const here = Math.min(room, window.end - at);
  for (let i = 0; i < here; i++) if (bytes[at + i] === LF) return i + 1;
  if (here === room) return room;
  window.need = room;
  return SHORT;
}

function lack(window: ByteWindow, count: number): Progress {
  window.need = count;
  return NEED;
}

/** MULTI and EXEC in any case; like the original's strings, the name ends at a zero byte. */
function roleOf(bytes: Buffer, at: number, length: number): '' | 'multi' | 'exec' {
  if (length < 4) return '';
  const first = bytes[at]! | 32;
  if (first !== 0x6d && first !== 0x65) return '';
  const text = bytes
    .latin1Slice(at, at + Math.min(length, NAME_BYTES))
    .split('\0', 1)[0]!
    .toLowerCase();
  return text === 'multi' || text === 'exec' ? text : '';
}

/** `strtol` of a C string from an index on: held at the ends of its range. */
export function parseLong(text: string, from: number): Parsed {
  const string = text.split('\0', 1)[0]!.slice(from);
  const match = /^[ \t\n\v\f\r]*([+-]?\d+)/.exec(string);
  if (match === null) return { value: 0n, stop: from, overflow: false };
  const value = BigInt(match[1]!.replace(/^\+/, ''));
  const held = value > LONG_MAX ? LONG_MAX : value < LONG_MIN ? LONG_MIN : value;
  return { value: held, stop: from + match[0].length, overflow: held !== value };
}

const lineEndError = (first: number, second: number) =>
  `Expected \\r\\n, got: ${signedHex(first)}${signedHex(second)}`;

/** As C prints a `char` of a machine where it is signed. */
function signedHex(byte: number): string {
  return (byte < 0x80 ? '' : 'ffffff') + byte.toString(16).padStart(2, '0');
}
