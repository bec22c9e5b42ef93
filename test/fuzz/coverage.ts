declare global {
  /** One counter a branch of the sources, which count in it as they run. Missing where they do not. */
  var __edges: Uint8Array | undefined;
}

const bytes = globalThis.__edges ?? new Uint8Array(8);
globalThis.__edges = bytes;
const words = new Int32Array(bytes.buffer);

/** Most inputs stay in few files of the sources: what is untouched is passed over in blocks. */
const BLOCK_WORDS = 128;
const BLOCKS = Array.from({ length: Math.ceil(words.length / BLOCK_WORDS) }, (_, i) =>
  Buffer.from(
    bytes.buffer,
    i * BLOCK_WORDS * 4,
    Math.min(BLOCK_WORDS * 4, bytes.length - i * BLOCK_WORDS * 4),
  ),
);
const UNTOUCHED = BLOCKS.map(({ length }) => Buffer.alloc(length));

/** How often is told apart as once, twice, three times, and by powers of two. */
const BUCKET = Uint8Array.from({ length: 256 }, (_, n) =>
  n === 0 ? 0 : n <= 3 ? 1 << (n - 1) : n < 8 ? 8 : n < 16 ? 16 : n < 32 ? 32 : n < 128 ? 64 : 128,
);

/** What the inputs of one target have reached by now. */
export class Coverage {
  /** By edge, a bit for each bucket of counts that was seen. */
  private readonly seen = new Uint8Array(bytes.length);
  /** Branches that were taken. */
  count = 0;

  static reset(): void {
    bytes.fill(0);
  }

  /** Takes in what ran since the reset. Returns the edges that were new, or new in their number; null: none. */
  news(): number[] | null {
    let found: number[] | null = null;
    for (let w = 0; w < words.length; w++) {
      if (w % BLOCK_WORDS === 0 && BLOCKS[w / BLOCK_WORDS]!.equals(UNTOUCHED[w / BLOCK_WORDS]!)) {
        w += BLOCK_WORDS - 1;
        continue;
      }
      if (words[w] === 0) continue;
      for (let i = w * 4; i < w * 4 + 4; i++) {
        const bucket = BUCKET[bytes[i]!]!;
        if ((this.seen[i]! | bucket) === this.seen[i]!) continue;
        if (this.seen[i] === 0) this.count++;
        this.seen[i]! |= bucket;
        (found ??= []).push(i);
      }
    }
    return found;
  }

  /** The edges that ran since the reset. */
  static ran(): number[] {
    const ran: number[] = [];
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) ran.push(i);
    return ran;
  }

  /** Whether each edge was ever seen, one byte each. */
  map(): Uint8Array {
    return this.seen.map((bits) => (bits === 0 ? 0 : 1));
  }
}
