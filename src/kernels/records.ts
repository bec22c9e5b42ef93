import { RECORDS_WASM } from './wasm.generated.js';

/** What is known of one record: 96 bits of a hash of its name and database, 64 of one of all that it holds. */
export const ENTRY_BYTES = 20;
/** Entries come sorted into so many parts, by the upper byte of the second word of their names' hashes. */
export const PARTS = 256;
/** Entries come in blocks of one part. */
export const BLOCK_BYTES = 204 * ENTRY_BYTES;

/** How the value of a type is laid out, as the kernels know it; 0: they do not. */
export const LAYOUT_TEXT = 1;
export const LAYOUT_BLOB = 2;
export const LAYOUT_STRINGS = 3;
export const LAYOUT_PAIRS = 4;
export const LAYOUT_SCORED = 5;
export const LAYOUT_NODES = 6;

/** Why the kernel stopped. */
const FULL = 0;
const SHORT = 1;

const STATUS = 0x200;
const TEXTS = 0x10000;
const TEXTS_BYTES = 0x100000;
const INPUT = 0x120000;
const INPUT_BYTES = 0xa0000;
const COUNTS = 0x1d0000;
const OWNERS = 0x1d0800;
const BLOCKS = 0x1e0000;
const BLOCK_STRIDE = 4096;
const QUEUE = 0x2e0000;
const HASH_BYTES = 12;
/** The queue is emptied from so many blocks on. */
const QUEUE_FROM = 240;

/** What assembly/records.ts exports. */
interface RecordsExports {
  readonly memory: WebAssembly.Memory;
  prepare(a: number, b: number, c: number): void;
  gather(from: number, to: number, database: number): number;
  emptied(): void;
  nameOf(at: number, size: number, database: number): void;
  begin(): void;
  update(from: number, size: number): void;
  finishPieces(type: number, expires: number, expiryHigh: number, expiryLow: number): number;
  seek(high: number, low: number): void;
  seekNothing(): void;
  search(from: number, to: number, database: number): number;
  resetTaken(): void;
}

/** Takes blocks of entries: `owners` says which part each is of. Both are borrowed. */
export type TakeBlocks = (blocks: Uint8Array, owners: Uint8Array) => void;

/** Hashes records of an RDB as they stand in it, and others piece by piece, to the same entries. */
export class RecordKernel {
  /** Records that the last `gather` or `search` took. */
  taken = 0;
  /** The record where it stopped is not all there; more of it is worth another try. */
  incomplete = false;
  /** Three words: the hash of the name given last. */
  readonly name: Int32Array;
  private readonly memory: Buffer;
  private readonly status: Int32Array;
  private copied: Uint8Array | null = null;
  private copiedBase = 0;
  private copiedFrom = 0;
  private copiedTo = 0;

  private constructor(private readonly exports: RecordsExports) {
    const { buffer } = exports.memory;
    this.memory = Buffer.from(buffer);
    this.status = new Int32Array(buffer, STATUS, 4);
    this.name = new Int32Array(buffer, STATUS + 16, 3);
  }

  /** `layouts`: of each of the 256 types. Equal seeds give equal hashes. Null where WebAssembly is not to be had. */
  static create(seeds: { readonly a: number; readonly b: number; readonly c: number }): RecordKernel | null {
    try {
      const module = new WebAssembly.Module(Buffer.from(RECORDS_WASM, 'base64'));
      const exports = new WebAssembly.Instance(module).exports as unknown as RecordsExports;
      exports.prepare(seeds.a, seeds.b, seeds.c);
      return new RecordKernel(exports);
    } catch {
      return null;
    }
  }

  /** Says how values of each of the 256 types are laid out. */
  setLayouts(layouts: Uint8Array): void {
    this.memory.set(layouts, 0);
  }

  /**
   * Takes whole records of `bytes[position..end)`, which start with a record's first byte. `base` is the offset of
   * `bytes[0]`: by it the kernel knows whether it has these bytes.
   * @returns the position behind the last record taken
   */
  gather(
    bytes: Buffer,
    position: number,
    end: number,
    base: number,
    database: number,
    take: TakeBlocks,
  ): number {
    this.taken = 0;
    let at = position;
    for (;;) {
      const { from, to } = this.bring(bytes, at, end, base);
      const stop = this.exports.gather(from, to, database);
      this.taken += this.status[1]!;
      const next = at + stop - from;
      if (this.status[2]! >= QUEUE_FROM) this.empty(take);
      const reason = this.status[0]!;
      const moved = next > at;
      at = next;
      if (reason === FULL) continue;
      // Short of what was brought, not of what is there.
      if (reason === SHORT && this.copiedTo < end && moved) continue;
      this.incomplete = reason === SHORT && this.copiedTo === end;
      return at;
    }
  }

  /** Passes over whole records whose names are not among those sought: the one where it stops may be. */
  search(bytes: Buffer, position: number, end: number, base: number, database: number): number {
    this.exports.resetTaken();
    let at = position;
    for (;;) {
      const { from, to } = this.bring(bytes, at, end, base);
      const stop = this.exports.search(from, to, database);
      this.taken = this.status[1]!;
      const moved = stop > from;
      at += stop - from;
      if (this.status[0] === SHORT && this.copiedTo < end && moved) continue;
      this.incomplete = this.status[0] === SHORT && this.copiedTo === end;
      return at;
    }
  }

  /** Sees to it that the bytes from `at` on are in the kernel's memory, as many as there is room for. */
  private bring(bytes: Buffer, at: number, end: number, base: number): { from: number; to: number } {
    const known = this.copied === bytes && this.copiedBase === base && at >= this.copiedFrom;
    if (!known || (this.copiedTo < end && this.copiedTo - at < INPUT_BYTES / 2)) {
      this.copied = bytes;
      this.copiedBase = base;
      this.copiedFrom = at;
      this.copiedTo = Math.min(end, at + INPUT_BYTES);
      bytes.copy(this.memory, INPUT, at, this.copiedTo);
    }
    return { from: INPUT + at - this.copiedFrom, to: INPUT + this.copiedTo - this.copiedFrom };
  }

  private empty(take: TakeBlocks): void {
    const count = this.status[2]!;
    const blocks = this.memory.subarray(QUEUE, QUEUE + count * BLOCK_BYTES);
    take(blocks, this.memory.subarray(OWNERS, OWNERS + count));
    this.exports.emptied();
    this.status[2] = 0;
  }

  /** Hands over what is left: full blocks, then of each part the one that is not. */
  finish(take: TakeBlocks, takeLast: (part: number, entries: Uint8Array) => void): void {
    if (this.status[2]! > 0) this.empty(take);
    const counts = new Int32Array(this.exports.memory.buffer, COUNTS, PARTS);
    for (let part = 0; part < PARTS; part++) {
      const at = BLOCKS + part * BLOCK_STRIDE;
      const entries = this.memory.subarray(at, at + counts[part]! * ENTRY_BYTES);
      if (entries.length > 0) takeLast(part, new Uint8Array(entries));
    }
    counts.fill(0);
  }

  /** Begins a record that is told piece by piece, with its name; leaves the hash of that in `name`. */
  begin(database: number, bytes: Buffer, start: number, end: number): void {
    this.hashName(database, bytes, start, end);
    this.exports.begin();
  }

  /** Hashes a name into `name`. */
  hashName(database: number, bytes: Buffer, start: number, end: number): void {
    const { memory, exports } = this;
    if (end - start <= 32) {
      for (let at = start; at < end; at++) memory[TEXTS + at - start] = bytes[at]!;
      exports.nameOf(TEXTS, end - start, database);
      return;
    }
    // A name that is longer than the room for it goes there part by part, behind the hash of those before.
    for (let at = start, before = 0; at < end; before = HASH_BYTES) {
      const stop = Math.min(end, at + TEXTS_BYTES - before);
      if (before > 0) memory.copy(memory, TEXTS, STATUS + 16, STATUS + 16 + HASH_BYTES);
      bytes.copy(memory, TEXTS + before, at, stop);
      exports.nameOf(TEXTS, before + stop - at, database);
      at = stop;
    }
  }

  /** Goes on with its value. */
  update(bytes: Buffer, start: number, end: number): void {
    const { memory, exports } = this;
    for (let at = start; at < end; at += TEXTS_BYTES) {
      const stop = Math.min(end, at + TEXTS_BYTES);
      if (stop - at > 32) bytes.copy(memory, TEXTS, at, stop);
      else for (let i = at; i < stop; i++) memory[TEXTS + i - at] = bytes[i]!;
      exports.update(TEXTS, stop - at);
    }
  }

  /** Ends it. `type` tells values apart whose bytes mean different things. */
  end(type: number, expires: boolean, expiryHigh: number, expiryLow: number, take: TakeBlocks): void {
    this.status[2] = this.exports.finishPieces(type, expires ? 1 : 0, expiryHigh, expiryLow);
    if (this.status[2]! >= QUEUE_FROM) this.empty(take);
  }

  /** Adds a name to those that `search` stops at; it must not gather from then on. */
  seek(middle: number, low: number): void {
    this.exports.seek(middle, low);
  }

  seekNothing(): void {
    this.exports.seekNothing();
  }
}
