/**
 * The pattern language of KEYS and SCAN on bytes, as the servers match it: `*` any bytes, `?` one, `[a-z]` and `[^x]`
 * sets, `\` takes the next byte as it is. An unclosed set ends with the pattern.
 */
export class Glob {
  private readonly pattern: Buffer;

  /** @param text the pattern, one byte per character */
  constructor(
    text: string,
    private readonly ignoreCase = false,
  ) {
    this.pattern = Buffer.from(text, 'latin1');
  }

  /** True when all of `bytes[start..end)` matches. */
  matches(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
    const { pattern } = this;
    // Position after the last star and the first byte it did not take: only the last star is ever tried again,
    // because a longer match of an earlier one leaves less for the rest. That bounds the work by length * length.
    let star = -1;
    let resume = 0;
    let p = 0;
    let s = start;
    for (;;) {
      if (p < pattern.length && pattern[p] === STAR) {
        star = ++p;
        resume = s;
        if (p === pattern.length) return true;
        continue;
      }
      if (s === end) return p === pattern.length;
      const next = p < pattern.length ? this.step(p, bytes[s]!) : -1;
      if (next > 0) {
        p = next;
        s++;
      } else {
        if (star < 0) return false;
        p = star;
        s = ++resume;
      }
    }
  }

  /** Matches one byte with the element at `p`; returns the position after the element, or -1. */
  private step(p: number, byte: number): number {
    const { pattern } = this;
    const element = pattern[p]!;
    if (element === QUESTION) return p + 1;
    if (element === OPEN) return this.set(p + 1, byte);
    const at = element === BACKSLASH && p + 1 < pattern.length ? p + 1 : p;
    return this.fold(pattern[at]!) === this.fold(byte) ? at + 1 : -1;
  }

  private set(from: number, byte: number): number {
    const { pattern } = this;
    const size = pattern.length;
    let p = from;
    const negated = pattern[p] === CARET;
    if (negated) p++;
    let hit = false;
    for (; p < size && pattern[p] !== CLOSE; p++) {
      if (pattern[p] === BACKSLASH && p + 1 < size) {
        // Case counts behind a backslash even where it is ignored elsewhere: so the servers do.
        if (pattern[++p] === byte) hit = true;
      } else if (p + 2 < size && pattern[p + 1] === DASH) {
        const [a, b] = [signed(pattern[p]!), signed(pattern[p + 2]!)];
        const c = this.fold(signed(byte));
        if (c >= this.fold(Math.min(a, b)) && c <= this.fold(Math.max(a, b))) hit = true;
        p += 2;
      } else if (this.fold(pattern[p]!) === this.fold(byte)) {
        hit = true;
      }
    }
    return hit === negated ? -1 : Math.min(p + 1, size);
  }

  private fold(c: number): number {
    return this.ignoreCase && c >= 65 && c <= 90 ? c + 32 : c;
  }
}

/** Ranges compare as the servers' `char` does: bytes from 128 up come before all others. */
const signed = (byte: number): number => (byte << 24) >> 24;

const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const CLOSE = 93;
const CARET = 94;
const DASH = 45;
const BACKSLASH = 92;
