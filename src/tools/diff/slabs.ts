import { BLOCK_BYTES } from '../../kernels/records.js';

/** Blocks that a slab has room for. */
export const SLAB_BLOCKS = 256;
const SLAB_BYTES = SLAB_BLOCKS * (1 + BLOCK_BYTES);

/**
 * Memory for blocks of entries: behind the parts that they are of, one byte each, the blocks. Threads have them in common, so
 * that they go from one to another without a copy; as no collector counts them, they are used again.
 */
export type Slab = SharedArrayBuffer;

/** The parts that the blocks of a slab are of. */
export const ownersOf = (slab: Slab): Uint8Array => new Uint8Array(slab, 0, SLAB_BLOCKS);

/** A block of a slab. */
export const blockOf = (slab: Slab, block: number): Uint8Array =>
  new Uint8Array(slab, SLAB_BLOCKS + block * BLOCK_BYTES, BLOCK_BYTES);

/** Puts blocks into slabs, and hands these on. */
export class SlabFiller {
  private bytes: Uint8Array | null = null;
  private count = 0;

  /** `spare` has those that may be used again. */
  constructor(
    private readonly spare: Slab[],
    private readonly onSlab: (slab: Slab, blocks: number) => void,
  ) {}

  /** Takes full blocks, which stay the caller's. */
  take(blocks: Uint8Array, owners: Uint8Array): void {
    for (let at = 0; at < owners.length; ) {
      this.bytes ??= new Uint8Array(this.spare.pop() ?? new SharedArrayBuffer(SLAB_BYTES));
      const { bytes, count } = this;
      const to = Math.min(owners.length, at + SLAB_BLOCKS - count);
      bytes.set(owners.subarray(at, to), count);
      bytes.set(blocks.subarray(at * BLOCK_BYTES, to * BLOCK_BYTES), SLAB_BLOCKS + count * BLOCK_BYTES);
      this.count += to - at;
      at = to;
      if (this.count === SLAB_BLOCKS) this.finish();
    }
  }

  /** Hands on the last one, however full it is. */
  finish(): void {
    const { bytes, count } = this;
    if (bytes === null) return;
    this.bytes = null;
    this.count = 0;
    this.onSlab(bytes.buffer as Slab, count);
  }
}
