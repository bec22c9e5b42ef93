import type { ByteSlice } from '../bytes/slice.js';

/** Cuts a text that comes in fragments into pieces of about one size, none of which ends inside a character of UTF-8. */
export class TextPieces {
  private readonly held: Buffer;
  private end = 0;

  /** `take` gets each piece; the bytes are borrowed. */
  constructor(
    pieceBytes: number,
    private readonly take: (bytes: Buffer, end: number) => void,
  ) {
    this.held = Buffer.allocUnsafeSlow(pieceBytes);
  }

  add({ bytes, start, end }: ByteSlice): void {
    const { held } = this;
    for (let at = start; at < end; ) {
      if (this.end === held.length) this.give(wholeCharacters(held, this.end));
      const stop = Math.min(end, at + held.length - this.end);
      bytes.copy(held, this.end, at, stop);
      this.end += stop - at;
      at = stop;
    }
  }

  /** Gives what is left, which may be nothing. */
  finish(): void {
    this.give(this.end);
  }

  private give(end: number): void {
    this.take(this.held, end);
    this.held.copyWithin(0, end, this.end);
    this.end -= end;
  }
}

/** The end of `bytes[0..end)`, without the character that does not end there. */
function wholeCharacters(bytes: Buffer, end: number): number {
  for (let at = end - 1; at >= end - 3 && at > 0; at--) {
    const byte = bytes[at]!;
    if (byte < 0x80) return end;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return at + length > end ? at : end;
  }
  return end;
}
