import { ByteSlice } from '../bytes/slice.js';
import { type ByteWindow, END, type Machine, NEED, PAUSE, type Progress } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { CommandSpans } from './command.js';
import {
  badLineEnd,
  badPrefix,
  CR,
  DOLLAR,
  follows,
  HASH,
  isTimestamp,
  LF,
  LINE_MAX,
  NumberLine,
  SHORT,
  STAR,
  timestampOf,
  tornTail,
} from './grammar.js';
import type { RecordPasser, RespHandler } from './handler.js';
import { LargeCommand } from './large-command.js';

/** Every command is gathered whole, however large, and handed over with all its arguments. */
export const WHOLE = 0;
/** Memory stays bounded: a command too large for a small window is walked past, its first arguments kept. */
export const SKIM = 1;

export type ScanMode = typeof WHOLE | typeof SKIM;

/** More of an unfinished command than this is not waited for when skimming. */
const SKIM_BYTES = 32 * 1024;
/** Room for the longest `$` line the fast path reads, so that it checks for the end once. */
const HEAD_MAX = 16;
const MOVED = 0;

/**
 * Reads the commands and annotations of an append-only file. It accepts what the servers' loaders accept (formats.md
 * C.2) and tells as flaws where redis-check-aof is stricter, except that two bytes other than CR LF after an argument
 * are believed only if a record or argument follows them. Makes no strings and, but for growing arrays once, no objects.
 */
export class RespScanner implements Machine {
  /** Absolute offset just past the last complete command or annotation. */
  lastGood = 0;
  private readonly spans = new CommandSpans();
  private readonly line = new NumberLine();
  private readonly slice = new ByteSlice();
  private readonly large = new LargeCommand();
  private final = false;
  /** True once an annotation without its line end was told. */
  private unended = false;

  constructor(
    private readonly handler: RespHandler,
    private readonly mode: ScanMode,
    private readonly passer: RecordPasser | null = null,
  ) {}

  run(window: ByteWindow): Progress {
    const { handler, spans, passer } = this;
    if (this.large.open && !this.skimLarge(window)) return NEED;
    if (handler.full) return handler.stopped ? END : PAUSE;
    const { bytes, end, base } = window;
    let at = window.position;
    spans.bytes = bytes;
    this.lastGood = base + at;
    for (;;) {
      if (passer?.pass(window)) {
        at = window.position;
        this.lastGood = base + at;
        if (handler.full) return handler.stopped ? END : PAUSE;
      }
      const next = this.frame(bytes, at, end);
      if (next > 0) {
        spans.offset = base + at;
        spans.length = next - at;
        window.position = at = next;
        this.lastGood = base + at;
        handler.command(spans);
      } else {
        if (this.general(window) === SHORT) return NEED;
        at = window.position;
        this.lastGood = base + at;
      }
      if (handler.full) return handler.stopped ? END : PAUSE;
    }
  }

  /** @throws FormatError aof/torn-tail when the input ends inside a command */
  finish(window: ByteWindow): void {
    // What an unfinished look-ahead kept back is complete now that nothing can follow.
    this.final = !Number.isFinite(window.limit) || window.base + window.end >= window.limit;
    if (this.large.open && !this.skimLarge(window)) throw this.large.torn(window);
    this.spans.bytes = window.bytes;
    while (window.position < window.end) {
      if (this.general(window) === SHORT) {
        throw tornTail(window, window.offset, window.need);
      }
      if (!this.unended) this.lastGood = window.offset;
      if (this.handler.full && this.handler.stopped) return;
    }
  }

  /**
   * The hot loop: one command in canonical form, complete in the bytes at hand. Returns the position after it, or 0
   * when `general` must look.
   */
  private frame(bytes: Buffer, start: number, end: number): number {
    const { spans } = this;
    const { starts, ends } = spans;
    if (end - start < HEAD_MAX || bytes[start] !== STAR) return 0;
    let argc = bytes[start + 1]! - 48;
    if (argc < 1 || argc > 9) return 0;
    let at = start + 2;
    let c = bytes[at]!;
    for (; c !== CR; c = bytes[++at]!) {
      if (c < 48 || c > 57 || at - start > 8) return 0;
      argc = argc * 10 + c - 48;
    }
    if (bytes[at + 1] !== LF || argc > starts.length) return 0;
    at += 2;
    for (let i = 0; i < argc; i++) {
      if (end - at < HEAD_MAX || bytes[at] !== DOLLAR) return 0;
      let length = bytes[at + 1]! - 48;
      if (length < 0 || length > 9) return 0;
      const head = at;
      at += 2;
      for (c = bytes[at]!; c !== CR; c = bytes[++at]!) {
        if (c < 48 || c > 57 || at - head > 10) return 0;
        length = length * 10 + c - 48;
      }
      if (bytes[at + 1] !== LF) return 0;
      at += 2;
      const stop = at + length;
      if (stop + 2 > end || bytes[stop] !== CR || bytes[stop + 1] !== LF) return 0;
      starts[i] = at;
      ends[i] = stop;
      at = stop + 2;
    }
    spans.argc = spans.held = argc;
    return at;
  }

  /** Any record, in the full grammar. Moves the window past it, or records the need and returns SHORT. */
  private general(window: ByteWindow): number {
    if (!window.has(1)) return SHORT;
    const first = window.bytes[window.position]!;
    if (first === HASH) return this.annotation(window);
    if (first !== STAR) throw badPrefix(window.bytes, window.position, '*', window.offset);
    return this.command(window);
  }

  private command(window: ByteWindow): number {
    const { line, spans, handler } = this;
    const { bytes, end, base, position: start } = window;
    let at = line.read(bytes, start, end, base + start);
    if (at === SHORT) return this.lack(window, end - start + 1);
    let flaw = line.loose ? start : -1;
    const argc = line.value;
    for (let i = 0; i < argc; i++) {
      if (at >= end) return this.lack(window, at - start + 1);
      if (bytes[at] !== DOLLAR) throw badPrefix(bytes, at, '$', base + at);
      const body = line.read(bytes, at, end, base + at);
      if (body === SHORT) return this.lack(window, end - start + 1);
      if (line.loose && flaw < 0) flaw = at;
      const stop = body + line.value;
      if (stop + 2 > end) return this.lack(window, stop + 2 - start);
      if (bytes[stop] !== CR || bytes[stop + 1] !== LF) {
        const last = i === argc - 1;
        if (stop + 2 === end && !(this.final && last)) return this.lack(window, stop + 3 - start);
        if (stop + 2 < end && !follows(bytes[stop + 2]!, last)) throw badLineEnd(bytes, stop, base + stop);
        if (flaw < 0) flaw = stop;
      }
      // By the arguments that are there, never by the number that is claimed.
      if (i === spans.starts.length) spans.reserve(i + 1);
      spans.starts[i] = body;
      spans.ends[i] = stop;
      at = stop + 2;
    }
    spans.argc = spans.held = argc;
    spans.offset = base + start;
    spans.length = at - start;
    window.position = at;
    if (flaw >= 0) handler.flaw('aof/loose-framing', base + flaw);
    handler.command(spans);
    return MOVED;
  }

  /** The command goes on for at least `need` bytes from its start: waits for them, or skims it when it is large. */
  private lack(window: ByteWindow, need: number): number {
    window.need = need;
    if (this.mode === WHOLE || this.final) return SHORT;
    if (need <= SKIM_BYTES && window.end - window.position <= SKIM_BYTES) return SHORT;
    this.large.begin(window.offset);
    return this.skimLarge(window) ? MOVED : SHORT;
  }

  private skimLarge(window: ByteWindow): boolean {
    const { large, handler } = this;
    if (!large.walk(window, this.final)) return false;
    this.lastGood = window.offset;
    if (large.flawOffset >= 0) handler.flaw('aof/loose-framing', large.flawOffset);
    handler.command(large.spans);
    return true;
  }

  private annotation(window: ByteWindow): number {
    const { handler } = this;
    const { bytes, end, base, position: at } = window;
    const last = Math.min(end, at + LINE_MAX);
    let stop = at;
    while (stop < last && bytes[stop] !== LF) stop++;
    if (stop < last) {
      const seconds = timestampOf(bytes, at, stop + 1);
      if (Number.isNaN(seconds) && isTimestamp(bytes, at, stop))
        handler.flaw('aof/bad-annotation', base + at);
      return this.tell(window, stop + 1, seconds);
    }
    if (last - at === LINE_MAX) {
      // Servers take the rest of a longer line for the next record.
      if (last === end && !this.final) return this.lack(window, LINE_MAX + 1);
      if (last < end && !follows(bytes[last]!, true)) {
        throw new FormatError('aof/annotation-too-long', base + at, { max: LINE_MAX });
      }
      handler.flaw('aof/loose-framing', base + at);
      return this.tell(window, last, Number.NaN);
    }
    if (!this.final) return this.lack(window, end - at + 1);
    handler.flaw('aof/torn-annotation', base + at);
    this.unended = true;
    return this.tell(window, end, Number.NaN);
  }

  private tell(window: ByteWindow, stop: number, seconds: number): number {
    const { bytes, base, position: at } = window;
    window.position = stop;
    this.handler.annotation(this.slice.set(bytes, at, stop), base + at, seconds);
    return MOVED;
  }
}
