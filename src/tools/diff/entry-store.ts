import type { ScratchFile } from '../../bytes/scratch-file.js';
import { BLOCK_BYTES, ENTRY_BYTES, PARTS } from '../../kernels/records.js';

/** What may be held, over both sides, and where the rest goes. */
export interface Room {
  /** Bytes held now. */
  heldBytes: number;
  readonly scratch: () => Promise<ScratchFile>;
}

/** Entries that were written out together: those of part `i` from `starts[i]` up to `starts[i + 1]`. */
type Run = Float64Array;

/** Entries of a part are held in pieces of up to so many bytes, the first of which are smaller. */
const PIECE_BYTES = 8 * BLOCK_BYTES;
const PIECE_BYTES_MIN = 12 * ENTRY_BYTES;

/** The entries of one part that are held. */
class Part {
  /** Bytes in them. */
  bytes = 0;
  /** Bytes that they take. */
  heldBytes = 0;
  private readonly pieces: Uint8Array[] = [];
  /** Bytes in the last piece. */
  private filled = 0;

  /** Takes bytes in. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const free = this.heldBytes - this.bytes;
      if (free === 0) this.grow();
      const count = Math.min(bytes.length - at, this.heldBytes - this.bytes);
      this.pieces.at(-1)!.set(bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      this.bytes += count;
      at += count;
    }
  }

  private grow(): void {
    const size = Math.max(PIECE_BYTES_MIN, Math.min(PIECE_BYTES, this.bytes));
    this.pieces.push(Buffer.allocUnsafeSlow(size));
    this.heldBytes += size;
    this.filled = 0;
  }

  /** The pieces, as far as they are filled. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    const last = this.pieces.length - 1;
    for (const [i, piece] of this.pieces.entries()) yield i < last ? piece : piece.subarray(0, this.filled);
  }
}

const emptyParts = (): Part[] => Array.from({ length: PARTS }, () => new Part());

/** The entries of one side, by part, each in the order in which the side holds its keys. */
export class EntryStore {
  private parts = emptyParts();
  private readonly runs: Run[] = [];
  private heldBytes = 0;
  /** Bytes of entries, held and written. */
  bytes = 0;

  constructor(private readonly room: Room) {}

  /** Takes full blocks. */
  take(blocks: Uint8Array, owners: Uint8Array): void {
    for (let i = 0; i < owners.length; i++) {
      this.takeLast(owners[i]!, blocks.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES));
    }
  }

  /** Takes some entries of a part, at most a block. */
  takeLast(part: number, entries: Uint8Array): void {
    const into = this.parts[part]!;
    const { heldBytes } = into;
    into.add(entries);
    this.bytes += entries.length;
    this.hold(into.heldBytes - heldBytes);
  }

  private hold(bytes: number): void {
    this.heldBytes += bytes;
    this.room.heldBytes += bytes;
  }

  /** Forgets all of it. */
  clear(): void {
    this.hold(-this.heldBytes);
    this.parts = emptyParts();
    this.runs.length = 0;
    this.bytes = 0;
  }

  /** Writes out what is held, while nobody else writes. @throws OutputError when there is no room for it */
  async spill(): Promise<void> {
    if (this.heldBytes === 0) return;
    const { parts, heldBytes } = this;
    this.parts = emptyParts();
    this.heldBytes = 0;
    const scratch = await this.room.scratch();
    const starts = new Float64Array(PARTS + 1);
    let start = scratch.size;
    for (const [part, held] of parts.entries()) {
      starts[part] = start;
      start += held.bytes;
    }
    starts[PARTS] = start;
    this.runs.push(starts);
    for (const held of parts) await scratch.write(Buffer.concat([...held]));
    this.room.heldBytes -= heldBytes;
  }

  /** Bytes of the entries of a part. */
  partBytes(part: number): number {
    let sum = 0;
    for (const starts of this.runs) sum += starts[part + 1]! - starts[part]!;
    return sum + this.parts[part]!.bytes;
  }

  /** Puts the entries of a part into `into`, which has room for them, and forgets those that are held. */
  async bring(part: number, into: Uint8Array): Promise<number> {
    let at = 0;
    for (const starts of this.runs) {
      const size = starts[part + 1]! - starts[part]!;
      if (size === 0) continue;
      const scratch = await this.room.scratch();
      await scratch.read(starts[part]!, into.subarray(at, at + size));
      at += size;
    }
    const held = this.parts[part]!;
    for (const piece of held) {
      into.set(piece, at);
      at += piece.length;
    }
    this.hold(-held.heldBytes);
    this.parts[part] = new Part();
    return at / ENTRY_BYTES;
  }
}
