/** log2 of the bytes of one unit; a reference counts units. */
const UNIT_BITS = 3;
/** log2 of the units of one chunk: 4 MiB. */
const CHUNK_BITS = 19;
const CHUNK_BYTES = 1 << (CHUNK_BITS + UNIT_BITS);
const OFFSET_MASK = (1 << CHUNK_BITS) - 1;
/** Blocks above this get a chunk of their own. */
const SHARED_BYTES = CHUNK_BYTES / 4;
const CHUNKS_MAX = 1 << (32 - CHUNK_BITS);

/**
 * Bytes of many small records in few large buffers. A block is named by a 32-bit reference; its bytes stand in
 * `chunks[ref >>> CHUNK_SHIFT]` from `offsetOf(ref)` and do not move while it lives. Freed blocks go to a list per size
 * class and are handed out again, so that overwriting and churn reuse space. The caller remembers sizes.
 */
export class Arena {
  readonly chunks: Buffer[] = [];
  /** Head of the list of free blocks of each class; a free block's first word is the next one. */
  private readonly free = new Int32Array(256);
  private top = 0;
  private topEnd = 0;
  /** Chunk numbers of oversized blocks that were freed. */
  private readonly spareChunks: number[] = [];

  /** A block of at least `size` bytes, 8-byte aligned, contents arbitrary. @throws RangeError when 32 GiB are full */
  alloc(size: number): number {
    if (size > SHARED_BYTES) return this.allocOversized(size);
    const units = size === 0 ? 1 : (size + 7) >>> UNIT_BITS;
    const index = classOfUnits(units);
    const head = this.free[index]!;
    if (head !== 0) {
      this.free[index] = this.linkOf(head);
      return head;
    }
    const wanted = unitsOfClass(index);
    if (this.topEnd - this.top < wanted) this.openChunk();
    const ref = this.top;
    this.top += wanted;
    return ref | 0;
  }

  /** Gives back a block that was allocated for `size` bytes, or resized within its class to that. */
  release(ref: number, size: number): void {
    if (size > SHARED_BYTES) {
      this.chunks[ref >>> CHUNK_BITS] = NO_BYTES;
      this.spareChunks.push(ref >>> CHUNK_BITS);
      return;
    }
    const index = classOf(size);
    const bytes = this.chunks[ref >>> CHUNK_BITS]!;
    const at = (ref & OFFSET_MASK) << UNIT_BITS;
    const next = this.free[index]!;
    bytes[at] = next;
    bytes[at + 1] = next >>> 8;
    bytes[at + 2] = next >>> 16;
    bytes[at + 3] = next >>> 24;
    this.free[index] = ref;
  }

  private linkOf(ref: number): number {
    const bytes = this.chunks[ref >>> CHUNK_BITS]!;
    const at = (ref & OFFSET_MASK) << UNIT_BITS;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }

  /** Starts a chunk; what is left of the last one becomes free blocks. */
  private openChunk(): void {
    while (this.top < this.topEnd) {
      const left = this.topEnd - this.top;
      let index = classOfUnits(left);
      if (unitsOfClass(index) > left) index--;
      const ref = this.top | 0;
      this.top += unitsOfClass(index);
      this.release(ref, unitsOfClass(index) << UNIT_BITS);
    }
    const chunk = this.takeChunk(CHUNK_BYTES);
    // Unit 0 of the first chunk stays unused: reference 0 ends a free list.
    this.top = chunk * (OFFSET_MASK + 1) + (chunk === 0 ? 1 : 0);
    this.topEnd = (chunk + 1) * (OFFSET_MASK + 1);
  }

  private allocOversized(size: number): number {
    if (this.chunks.length === 0) this.openChunk();
    return (this.takeChunk(size) << CHUNK_BITS) | 0;
  }

  private takeChunk(size: number): number {
    const chunk = this.spareChunks.pop() ?? this.chunks.length;
    if (chunk >= CHUNKS_MAX) throw new RangeError('the dataset does not fit in the embedded engine');
    this.chunks[chunk] = Buffer.allocUnsafeSlow(size);
    return chunk;
  }
}

const NO_BYTES = Buffer.alloc(0);

/** `chunks[ref >>> CHUNK_SHIFT]` holds the block. */
export const CHUNK_SHIFT = CHUNK_BITS;

/** Where in its chunk a block starts. */
export function offsetOf(ref: number): number {
  return (ref & OFFSET_MASK) << UNIT_BITS;
}

/** True when a block allocated for `a` bytes can hold `b` bytes and be released as one of `b`. */
export function sameClass(a: number, b: number): boolean {
  if (a > SHARED_BYTES || b > SHARED_BYTES) return a === b;
  return classOf(a) === classOf(b);
}

function classOf(size: number): number {
  return classOfUnits(size === 0 ? 1 : (size + 7) >>> UNIT_BITS);
}

/** One class per unit up to 128 bytes, then eight per doubling. */
function classOfUnits(units: number): number {
  if (units <= 16) return units;
  const last = units - 1;
  const shift = 28 - Math.clz32(last);
  return (shift << 3) + (last >>> shift) + 1;
}

function unitsOfClass(index: number): number {
  if (index <= 16) return index;
  const step = index - 1;
  const shift = (step >>> 3) - 1;
  return (step - (shift << 3) + 1) << shift;
}
