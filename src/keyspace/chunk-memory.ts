import { ENGINE_OWN_BYTES, type EngineKernel } from '../kernels/engine-kernel.js';

/** Bytes of one chunk of an arena: a power of two, and as much as the kernel has for itself. */
export const CHUNK_BYTES = ENGINE_OWN_BYTES;
/** Chunks that the memory of a kernel can hold: chunk i stands at i times their size. */
export const KERNEL_CHUNKS = 1024;
const WORD_SHIFT = 2;
/** Memory is asked for in steps of so many chunks. */
const STEP = 4;

/**
 * The memory that an arena has in common with the kernel of the engine, in chunks; the first is the kernel's own. Fresh
 * chunks are zero, others hold what stood there.
 */
export class ChunkMemory {
  private chunksEnd = 1;
  /** Chunks that were given back. */
  private readonly spare: number[] = [];
  private tablesEnd = 0;
  private readonly spareTables: number[] = [];

  constructor(readonly kernel: EngineKernel) {}

  /** Forgets everything: nothing that was taken may be used any more. */
  reset(): void {
    this.chunksEnd = 1;
    this.spare.length = 0;
    this.tablesEnd = 0;
    this.spareTables.length = 0;
    this.kernel.free.fill(0);
    this.kernel.marks.fill(0);
  }

  /** A chunk; -1 when there is no more room. */
  takeChunk(): number {
    return this.spare.pop() ?? this.takeRun(1);
  }

  /** The first of chunks in a row; -1 when there is no room for so many. */
  takeRun(count: number): number {
    const end = this.chunksEnd + count;
    if (end >= KERNEL_CHUNKS) return -1;
    const ahead = Math.min(KERNEL_CHUNKS - 1, Math.ceil(end / STEP) * STEP);
    if (!this.kernel.reach(ahead * CHUNK_BYTES) && !this.kernel.reach(end * CHUNK_BYTES)) return -1;
    this.chunksEnd = end;
    return end - count;
  }

  giveBack(chunk: number, count: number): void {
    for (let i = 0; i < count; i++) this.spare.push(chunk + i);
  }

  /** Where tables tell the kernel of themselves; -1 when there are too many. */
  takeTable(): number {
    return (
      this.spareTables.pop() ?? (this.kernel.tableWords(this.tablesEnd) === null ? -1 : this.tablesEnd++)
    );
  }

  giveTableBack(table: number): void {
    this.spareTables.push(table);
  }

  bytes(address: number, length: number): Buffer {
    return this.kernel.bytes(address, length);
  }

  words(address: number, count: number): Int32Array {
    const { buffer, byteOffset } = this.kernel.bytes(address, count << WORD_SHIFT);
    return new Int32Array(buffer, byteOffset, count);
  }
}
