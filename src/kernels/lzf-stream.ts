/** How far back a reference may reach, and the most bytes that one step puts out. */
const HISTORY = 8192;
const STEP_MAX = 264;
const ROOM = 256 * 1024;
const LITERAL_MAX = 32;

/** Decompresses an LZF stream that is too long to be held, piece by piece. */
export class LzfStream {
  /** What came out: the last `unpack` put out `bytes[start..end)`. */
  readonly bytes = Buffer.allocUnsafeSlow(HISTORY + ROOM + STEP_MAX);
  start = 0;
  end = 0;

  /** Begins another stream. */
  reset(): void {
    this.start = this.end = 0;
  }

  /**
   * Unpacks whole steps of `input[from..to)` until none is complete or a good deal came out. Returns the position behind
   * the last of them, which is `from` when not even one is there; -1 for a reference to before the stream's start.
   */
  unpack(input: Uint8Array, from: number, to: number): number {
    const { bytes } = this;
    if (this.end > HISTORY) {
      bytes.copyWithin(0, this.end - HISTORY, this.end);
      this.end = HISTORY;
    }
    this.start = this.end;
    let at = from;
    let out = this.end;
    while (at < to && out < HISTORY + ROOM) {
      const control = input[at]!;
      if (control < LITERAL_MAX) {
        const stop = at + control + 2;
        if (stop > to) break;
        for (at++; at < stop; at++) bytes[out++] = input[at]!;
        continue;
      }
      const isLong = control >> 5 === 7;
      const stop = at + (isLong ? 3 : 2);
      if (stop > to) break;
      const length = (control >> 5) + (isLong ? input[at + 1]! : 0) + 2;
      let source = out - ((control & 31) << 8) - input[stop - 1]! - 1;
      if (source < 0) return -1;
      for (const end = out + length; out < end; ) bytes[out++] = bytes[source++]!;
      at = stop;
    }
    this.end = out;
    return at;
  }
}
