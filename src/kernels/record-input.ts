const INPUT = 0x120000;
const INPUT_BYTES = 0xa0000;
const STATUS = 0x200;

/** Why a kernel stopped. */
const FULL = 0;
const SHORT = 1;

/** The records that a kernel over assembly/record-scan.ts has in its memory. */
export class RecordInput {
  /** Records that the last `walk` took. */
  taken = 0;
  /** The record where it stopped is not all there; more of it is worth another try. */
  incomplete = false;
  /** Why the kernel stopped, records taken, and two numbers of its own. */
  readonly status: Int32Array;
  readonly memory: Buffer;
  private bytes: Uint8Array | null = null;
  private base = 0;
  private from = 0;
  private to = 0;

  constructor(memory: WebAssembly.Memory) {
    this.memory = Buffer.from(memory.buffer);
    this.status = new Int32Array(memory.buffer, STATUS, 4);
  }

  /** Says how values of each of the 256 types are laid out. */
  setLayouts(layouts: Uint8Array): void {
    this.memory.set(layouts, 0);
  }

  /**
   * Has the kernel go through `bytes[position..end)`, which start with a record's first byte, as often as it takes. `base`
   * is the offset of `bytes[0]`: by it one knows whether they are in memory, unless that is where they were read to. `run` is also given the position that `from` stands
   * for, and returns where it stopped.
   * @returns the position behind the last record taken
   */
  walk(
    bytes: Buffer,
    position: number,
    end: number,
    base: number,
    run: (from: number, to: number, at: number) => number,
  ): number {
    const { status } = this;
    const own = bytes.buffer === this.memory.buffer;
    this.taken = 0;
    for (let at = position; ; ) {
      if (!own) this.bring(bytes, at, end, base);
      const shift = own ? bytes.byteOffset : INPUT - this.from;
      const to = own ? end : this.to;
      const from = at + shift;
      const stop = run(from, to + shift, at);
      this.taken += status[1]!;
      at += stop - from;
      const reason = status[0]!;
      // Short of what was brought, not of what is there.
      if (reason === FULL || (reason === SHORT && to < end && stop > from)) continue;
      this.incomplete = reason === SHORT && to === end;
      return at;
    }
  }

  /** Sees to it that the bytes from `at` on are in memory, as many as there is room for. */
  private bring(bytes: Buffer, at: number, end: number, base: number): void {
    const known = this.bytes === bytes && this.base === base && at >= this.from;
    if (known && (this.to === end || this.to - at >= INPUT_BYTES / 2)) return;
    this.bytes = bytes;
    this.base = base;
    this.from = at;
    this.to = Math.min(end, at + INPUT_BYTES);
    bytes.copy(this.memory, INPUT, at, this.to);
  }
}
