/** Who takes some at once leaves the others of so many shares. */
const PARTS_OF_REST = 8;

/**
 * The pieces of a file that two threads take, one thread from the front and the other from the back. Each knows how many it
 * took itself; together they take no more than there are, so that they meet.
 */
export class FileShare {
  readonly pieces: number;
  private readonly claimed: Int32Array;

  /** Of `[start, end)`; `memory` is common to both threads. */
  constructor(
    private readonly start: number,
    private readonly end: number,
    private readonly pieceBytes: number,
    readonly memory: SharedArrayBuffer = new SharedArrayBuffer(4),
  ) {
    this.pieces = Math.ceil((end - start) / pieceBytes);
    this.claimed = new Int32Array(memory);
  }

  /** Takes one more; false when none is left. */
  claim(): boolean {
    return Atomics.add(this.claimed, 0, 1) < this.pieces;
  }

  /** Takes up to `most` more, fewer towards the end, so that both threads still end together; 0 when none is left. */
  claimSome(most: number): number {
    const left = this.pieces - Atomics.load(this.claimed, 0);
    const wanted = Math.max(1, Math.min(most, Math.floor(left / PARTS_OF_REST)));
    const before = Atomics.add(this.claimed, 0, wanted);
    return Math.max(0, Math.min(wanted, this.pieces - before));
  }

  /** Absolute offset at which so many pieces end. */
  endOf(pieces: number): number {
    return Math.min(this.end, this.start + pieces * this.pieceBytes);
  }

  /** Bytes of the pieces taken so far, by either thread. */
  get takenBytes(): number {
    return this.endOf(Math.min(this.pieces, Atomics.load(this.claimed, 0))) - this.start;
  }
}
