/**
 * One command of a log as spans into borrowed bytes: argument i is `bytes[starts[i]..ends[i])`. One object is reused;
 * it is valid until the call it was passed to returns.
 */
export class CommandSpans {
  bytes: Buffer = Buffer.alloc(0);
  argc = 0;
  /**
   * Arguments whose bytes are here, from the first on. Less than `argc` only for a command that was skimmed because it
   * is too large to be held: then a few short leading arguments at most.
   */
  held = 0;
  starts: Int32Array;
  ends: Int32Array;
  /** Absolute offset of the `*` in its file, and the bytes of the whole record. */
  offset = 0;
  length = 0;

  /** `room`: arguments that there is room for. */
  constructor(room = 64) {
    this.starts = new Int32Array(room);
    this.ends = new Int32Array(room);
  }

  /** Makes room for `argc` arguments, keeping what is there. */
  reserve(argc: number): void {
    if (argc <= this.starts.length) return;
    const size = Math.max(argc, this.starts.length * 2);
    const starts = new Int32Array(size);
    const ends = new Int32Array(size);
    starts.set(this.starts);
    ends.set(this.ends);
    this.starts = starts;
    this.ends = ends;
  }

  /** Argument i, one character per byte. */
  latin1(i: number): string {
    return this.bytes.latin1Slice(this.starts[i]!, this.ends[i]!);
  }

  size(i: number): number {
    return this.ends[i]! - this.starts[i]!;
  }

  /** True when argument i is held and `upper` (ASCII upper case) in any case. */
  is(i: number, upper: string): boolean {
    if (i >= this.held) return false;
    const start = this.starts[i]!;
    if (this.ends[i]! - start !== upper.length) return false;
    for (let k = 0; k < upper.length; k++) {
      let c = this.bytes[start + k]!;
      if (c >= 97 && c <= 122) c -= 32;
      if (c !== upper.charCodeAt(k)) return false;
    }
    return true;
  }

  /** Takes over owned arguments; for tests, and for commands that come from elsewhere than a log. */
  static of(...args: readonly (string | Uint8Array)[]): CommandSpans {
    const parts = args.map((arg) =>
      typeof arg === 'string' ? Buffer.from(arg, 'latin1') : Buffer.from(arg),
    );
    const spans = new CommandSpans(parts.length);
    spans.bytes = Buffer.concat(parts);
    spans.argc = spans.held = parts.length;
    let at = 0;
    parts.forEach((part, i) => {
      spans.starts[i] = at;
      at += part.length;
      spans.ends[i] = at;
    });
    return spans;
  }
}
