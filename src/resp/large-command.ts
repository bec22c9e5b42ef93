import type { ByteWindow } from '../bytes/window.js';
import type { FormatError } from '../errors.js';
import { CommandSpans } from './command.js';
import { badLineEnd, badPrefix, CR, DOLLAR, follows, LF, NumberLine, SHORT, tornTail } from './grammar.js';

/** Leading arguments are kept as long as they fit in here together. */
const HELD_BYTES = 256;
const HELD_ARGUMENTS = 8;

/** What stands next. */
const COUNT = 0;
const LENGTH = 1;
const BODY = 2;
const LINE_END = 3;

/** Walks past one command of any size, argument by argument and a large argument in pieces, in constant memory. */
export class LargeCommand {
  open = false;
  /** Absolute offset of the first thing that servers load and redis-check-aof refuses; -1: nothing. */
  flawOffset = -1;
  readonly spans = new CommandSpans();
  private readonly line = new NumberLine();
  private phase = COUNT;
  private index = 0;
  private rest = 0;
  private keeping = true;

  constructor() {
    this.spans.bytes = Buffer.alloc(HELD_BYTES);
  }

  /** Starts at the `*` that stands at `offset`, the window's position. */
  begin(offset: number): void {
    this.open = true;
    this.flawOffset = -1;
    this.spans.offset = offset;
    this.spans.held = 0;
    this.phase = COUNT;
    this.keeping = true;
  }

  /** Goes as far as the window allows; true when the command ended, its `spans` then told in full. */
  walk(window: ByteWindow, final: boolean): boolean {
    for (;;) {
      const moved =
        this.phase === BODY
          ? this.body(window)
          : this.phase === LINE_END
            ? this.lineEnd(window, final)
            : this.number(window);
      if (!moved) return false;
      if (this.phase === LENGTH && this.index === this.spans.argc) {
        this.spans.length = window.offset - this.spans.offset;
        this.open = false;
        return true;
      }
    }
  }

  torn(window: ByteWindow): FormatError {
    const left = this.phase === BODY ? this.rest + 2 : window.need;
    return tornTail(window, this.spans.offset, left);
  }

  /** The `*` line or a `$` line. */
  private number(window: ByteWindow): boolean {
    const { line } = this;
    const { bytes, end, position } = window;
    if (!window.has(1)) return false;
    if (this.phase === LENGTH && bytes[position] !== DOLLAR) {
      throw badPrefix(bytes, position, '$', window.offset);
    }
    const next = line.read(bytes, position, end, window.offset);
    if (next === SHORT) return window.has(end - position + 1);
    if (this.phase === COUNT) {
      this.spans.argc = line.value;
      this.index = 0;
      this.phase = LENGTH;
    } else {
      if (!this.keep(window, next, line.value)) return false;
      this.rest = line.value;
      this.phase = BODY;
    }
    if (line.loose) this.flaw(window.offset);
    window.position = next;
    return true;
  }

  /** Copies a short leading argument; false when its bytes are not all here yet. */
  private keep(window: ByteWindow, start: number, length: number): boolean {
    const { spans } = this;
    const i = spans.held;
    const at = i === 0 ? 0 : spans.ends[i - 1]!;
    this.keeping &&= i < HELD_ARGUMENTS && at + length <= HELD_BYTES;
    if (!this.keeping) return true;
    if (!window.has(start + length - window.position)) return false;
    window.bytes.copy(spans.bytes, at, start, start + length);
    spans.starts[i] = at;
    spans.ends[i] = at + length;
    spans.held = i + 1;
    return true;
  }

  private body(window: ByteWindow): boolean {
    const count = Math.min(this.rest, window.end - window.position);
    window.position += count;
    this.rest -= count;
    // A length that the input cannot hold is asked for as it stands, so that nothing more is read for it.
    if (this.rest > 0) return window.has(window.reaches(this.rest + 2) ? 1 : this.rest + 2);
    this.phase = LINE_END;
    return true;
  }

  private lineEnd(window: ByteWindow, final: boolean): boolean {
    if (!window.has(2)) return false;
    const { bytes, position: at } = window;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) {
      const last = this.index === this.spans.argc - 1;
      if (!window.has(3)) {
        if (!final || !last) return false;
      } else if (!follows(bytes[at + 2]!, last)) {
        throw badLineEnd(bytes, at, window.offset);
      }
      this.flaw(window.offset);
    }
    window.position += 2;
    this.index++;
    this.phase = LENGTH;
    return true;
  }

  private flaw(offset: number): void {
    if (this.flawOffset < 0) this.flawOffset = offset;
  }
}
