import { copyInto, viewOf } from './bytes.js';
import { CHUNK_BYTES, type ChunkMemory, KERNEL_CHUNKS } from './chunk-memory.js';

/** log2 of the bytes of one unit; a reference counts units. */
const UNIT_BITS = 3;
/** log2 of the units of one chunk: 4 MiB. */
const CHUNK_BITS = 19;
const OFFSET_MASK = (1 << CHUNK_BITS) - 1;
/** Blocks above this get a chunk of their own. */
const SHARED_BYTES = CHUNK_BYTES / 4;
/** The first chunk, where no kernel gives it: many datasets are small. */
const FIRST_CHUNK_BYTES = CHUNK_BYTES / 64;
const CLASSES = 128;
const CHUNKS_MAX = 1 << (32 - CHUNK_BITS);

/**
 * Bytes of many small records in few large buffers. A block is named by a 32-bit reference; its bytes stand in
 * `chunks[ref >>> CHUNK_SHIFT]` from `offsetOf(ref)` and do not move while it lives. Freed blocks go to a list per size
 * class and are handed out again, so that overwriting and churn reuse space. Classes are as wide as those of the
 * servers' allocator: a value that grows bit by bit moves now and then, not each time. The caller remembers sizes.
 */
export class Arena {
  readonly chunks: Buffer[] = [];
  /** The same memory in words of four bytes, for what is aligned. */
  readonly words: Int32Array[] = [];
  private readonly views: DataView[] = [];
  /** Head of the list of free blocks of each class; a free block's first word is the next one. */
  private readonly free: Int32Array;
  /** Where the chunk at hand is filled to, and where it ends, in units. */
  private readonly marks: Uint32Array;
  /** Numbers of chunks outside the memory of a kernel whose oversized blocks were freed. */
  private readonly spareChunks: number[] = [];

  /** `memory`: what a kernel has in common with it; chunks are there as long as there is room. Its contents go. */
  constructor(readonly memory: ChunkMemory | null = null) {
    memory?.reset();
    this.free = memory === null ? new Int32Array(CLASSES) : memory.kernel.free;
    this.marks = memory === null ? new Uint32Array(2) : memory.kernel.marks;
    if (memory === null) return;
    this.chunks = new Array<Buffer>(KERNEL_CHUNKS).fill(NO_BYTES);
    this.words = new Array<Int32Array>(KERNEL_CHUNKS).fill(NO_WORDS);
    this.views = new Array<DataView>(KERNEL_CHUNKS).fill(NO_VIEW);
  }

  /** A block of at least `size` bytes, 8-byte aligned, contents arbitrary. @throws RangeError when 32 GiB are full */
  alloc(size: number): number {
    if (size > SHARED_BYTES) return this.allocOversized(size);
    const index = classOf(size);
    const head = this.free[index]!;
    if (head !== 0) {
      this.free[index] = this.words[head >>> CHUNK_BITS]![(head & OFFSET_MASK) << 1]!;
      return head;
    }
    const wanted = unitsOfClass(index);
    const { marks } = this;
    while (marks[TOP_END]! - marks[TOP]! < wanted) this.openChunk();
    const ref = marks[TOP]!;
    marks[TOP] = ref + wanted;
    return ref | 0;
  }

  /** Gives back a block that was allocated for `size` bytes, or resized within its class to that. */
  release(ref: number, size: number): void {
    if (size > SHARED_BYTES) {
      this.chunks[ref >>> CHUNK_BITS] = NO_BYTES;
      this.words[ref >>> CHUNK_BITS] = NO_WORDS;
      this.views[ref >>> CHUNK_BITS] = NO_VIEW;
      this.spareChunks.push(ref >>> CHUNK_BITS);
      return;
    }
    const index = classOf(size);
    this.words[ref >>> CHUNK_BITS]![(ref & OFFSET_MASK) << 1] = this.free[index]!;
    this.free[index] = ref;
  }

  /** Copies a range to a position in the chunk of a block. */
  write(ref: number, at: number, bytes: Buffer, start: number, end: number): void {
    const chunk = ref >>> CHUNK_BITS;
    copyInto(this.views[chunk]!, this.chunks[chunk]!, at, bytes, start, end);
  }

  /** Words that are zero, for tables: in the memory of the kernel where there is any. */
  takeWords(count: number): WordBlock {
    const size = count << 2;
    const { memory } = this;
    if (memory !== null && size <= SHARED_BYTES) {
      const ref = this.alloc(size);
      if (ref >>> CHUNK_BITS < KERNEL_CHUNKS) return this.wordBlock(memory, (ref << UNIT_BITS) >>> 0, count);
      this.release(ref, size);
    } else if (memory !== null) {
      const chunk = memory.takeRun(Math.ceil(size / CHUNK_BYTES));
      if (chunk >= 0) return this.wordBlock(memory, chunk * CHUNK_BYTES, count);
    }
    return { words: new Int32Array(count), address: 0 };
  }

  private wordBlock(memory: ChunkMemory, address: number, count: number): WordBlock {
    return { words: memory.words(address, count).fill(0), address };
  }

  /** Gives back words. They must not be used again. */
  releaseWords({ words, address }: WordBlock): void {
    if (address === 0) return;
    const size = words.length << 2;
    if (size <= SHARED_BYTES) this.release(address >>> UNIT_BITS, size);
    else this.memory!.giveBack(address / CHUNK_BYTES, Math.ceil(size / CHUNK_BYTES));
  }

  /** Starts a chunk; what is left of the last one becomes free blocks. */
  private openChunk(): void {
    const { marks } = this;
    while (marks[TOP]! < marks[TOP_END]!) {
      const left = marks[TOP_END]! - marks[TOP]!;
      let index = classOfUnits(left);
      if (unitsOfClass(index) > left) index--;
      const ref = marks[TOP]! | 0;
      marks[TOP] = marks[TOP]! + unitsOfClass(index);
      this.release(ref, unitsOfClass(index) << UNIT_BITS);
    }
    const chunk = this.takeChunk();
    // Unit 0 of the first chunk stays unused: reference 0 ends a free list.
    marks[TOP] = chunk * (OFFSET_MASK + 1) + (chunk === 0 ? 1 : 0);
    // The last unit of all is never used, so that the end is a number of 32 bits, too.
    const units = this.chunks[chunk]!.length >> UNIT_BITS;
    marks[TOP_END] = Math.min(chunk * (OFFSET_MASK + 1) + units, 0xffffffff);
  }

  private allocOversized(size: number): number {
    if (this.chunks.length === 0) this.openChunk();
    return (this.takeOwnChunk(size) << CHUNK_BITS) | 0;
  }

  private takeChunk(): number {
    const chunk = this.memory?.takeChunk() ?? -1;
    if (this.memory === null || chunk < 0) {
      return this.takeOwnChunk(this.chunks.length === 0 ? FIRST_CHUNK_BYTES : CHUNK_BYTES);
    }
    this.place(chunk, this.memory.bytes(chunk * CHUNK_BYTES, CHUNK_BYTES));
    return chunk;
  }

  /** A chunk in memory of its own. */
  private takeOwnChunk(size: number): number {
    const chunk = this.spareChunks.pop() ?? this.chunks.length;
    if (chunk >= CHUNKS_MAX) throw new RangeError('the dataset does not fit in the embedded engine');
    this.place(chunk, Buffer.allocUnsafeSlow(Math.ceil(size / 8) * 8));
    return chunk;
  }

  private place(chunk: number, bytes: Buffer): void {
    this.chunks[chunk] = bytes;
    this.words[chunk] = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    this.views[chunk] = viewOf(bytes);
  }
}

/** Words of a table, and where they stand in the memory of a kernel; 0: elsewhere. */
export interface WordBlock {
  readonly words: Int32Array;
  readonly address: number;
}

const TOP = 0;
const TOP_END = 1;
const NO_BYTES = Buffer.alloc(0);
const NO_WORDS = new Int32Array(0);
const NO_VIEW = viewOf(NO_BYTES);

/** `chunks[ref >>> CHUNK_SHIFT]` holds the block. */
export const CHUNK_SHIFT = CHUNK_BITS;

/** Where in its chunk a block starts. */
export function offsetOf(ref: number): number {
  return (ref & OFFSET_MASK) << UNIT_BITS;
}

/** Where in its chunk a block starts, in words. */
export function wordOf(ref: number): number {
  return (ref & OFFSET_MASK) << 1;
}

/** True when a block allocated for `a` bytes can hold `b` bytes and be released as one of `b`. */
export function sameClass(a: number, b: number): boolean {
  if (a > SHARED_BYTES || b > SHARED_BYTES) return a === b;
  return classOf(a) === classOf(b);
}

function classOf(size: number): number {
  return classOfUnits((size + 7) >>> UNIT_BITS);
}

/** One class for every 16 bytes up to 128 (and one for 8), then four per doubling. */
function classOfUnits(units: number): number {
  if (units <= 16) return units <= 1 ? 0 : (units + 1) >>> 1;
  const last = units - 1;
  const shift = 29 - Math.clz32(last);
  return (shift << 2) + (last >>> shift) - 3;
}

function unitsOfClass(index: number): number {
  if (index <= 8) return index === 0 ? 1 : index << 1;
  const step = index + 3;
  const shift = (step >>> 2) - 1;
  return (step - (shift << 2) + 1) << shift;
}
