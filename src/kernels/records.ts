import { compile } from './compile.js';
import { RecordInput } from './record-input.js';
import { RECORDS_WASM } from './wasm/records.generated.js';

/**
 * What is known of one record: 88 bits of a hash of its name and database, of which 8 are the number of its part and stand in no
 * entry, and 64 of one of all that it holds.
 */
export const ENTRY_BYTES = 18;
/** Entries come sorted into so many parts, by the upper byte of the second word of their names' hashes. */
export const PARTS = 256;
/** Entries come in blocks of one part. */
export const BLOCK_BYTES = 226 * ENTRY_BYTES;

/** How the value of a type is laid out, as the kernels know it; 0: they do not. */
export const LAYOUT_TEXT = 1;
export const LAYOUT_BLOB = 2;
export const LAYOUT_STRINGS = 3;
export const LAYOUT_PAIRS = 4;
export const LAYOUT_SCORED = 5;
export const LAYOUT_NODES = 6;

const STATUS = 0x200;
const TEXTS = 0x10000;
const TEXTS_BYTES = 0x100000;
const COUNTS = 0x1d0000;
const OWNERS = 0x1d0800;
const BLOCKS = 0x1e0000;
const BLOCK_STRIDE = 4096;
const QUEUE = 0x2e0000;
const ROOMS = 0x4e0000;
const ROOM_BYTES = 0x91000;
/** What is read behind the end of an input. */
const SLACK = 64;
const HASH_BYTES = 12;
/** Why the kernel stopped: a record that is not for it. */
const UNUSUAL = 2;
const BLOCK_ENTRIES = BLOCK_BYTES / ENTRY_BYTES;
/** Bytes of records that make one passage. */
export const PASSAGE_BYTES = 128 * 1024;
const FULL = 0;
/** The queue is emptied from so many blocks on. */
const QUEUE_FROM = 32;

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
}

/** Told of each run of records that entries were made of at once. */
export interface PassageListener {
  /** `totals`: how many entries of each part were made so far; borrowed. */
  add(start: number, end: number, records: number, totals: Int32Array): void;
}

/** Takes blocks of entries: `owners` says which part each is of. Both are borrowed. */
export type TakeBlocks = (blocks: Uint8Array, owners: Uint8Array) => void;

/** Hashes records of an RDB as they stand in it, and others piece by piece, to the same entries. */
export class RecordKernel {
  readonly input: RecordInput;
  /** Three words: the hash of the name given last. */
  readonly name: Int32Array;
  /** Two pieces of its memory, equally long, to read records into. */
  readonly rooms: readonly [Buffer, Buffer];
  private readonly memory: Buffer;
  /** Entries in the blocks of each part that are full, blocks of the queue that are counted, and all entries. */
  private readonly inBlocks = new Int32Array(PARTS);
  private counted = 0;
  private readonly totals = new Int32Array(PARTS);
  private readonly counts: Int32Array;
  /** Entries were made since the last passage. */
  private between = false;

  private constructor(private readonly exports: RecordsExports) {
    const { buffer } = exports.memory;
    this.input = new RecordInput(exports.memory);
    this.memory = this.input.memory;
    const room = (i: number) => Buffer.from(buffer, ROOMS + i * ROOM_BYTES, ROOM_BYTES - SLACK);
    this.rooms = [room(0), room(1)];
    this.name = new Int32Array(buffer, STATUS + 16, 3);
    this.counts = new Int32Array(buffer, COUNTS, PARTS);
  }

  /** `layouts`: of each of the 256 types. Equal seeds give equal hashes. Null where WebAssembly is not to be had. */
  static create(seeds: { readonly a: number; readonly b: number; readonly c: number }): RecordKernel | null {
    try {
      const exports = new WebAssembly.Instance(compile(RECORDS_WASM)).exports as unknown as RecordsExports;
      exports.prepare(seeds.a, seeds.b, seeds.c);
      return new RecordKernel(exports);
    } catch {
      return null;
    }
  }

  /** Makes entries of whole records of `bytes[position..end)`, telling which passages they are; as `RecordInput.walk`. */
  gather(
    bytes: Buffer,
    position: number,
    end: number,
    base: number,
    database: number,
    take: TakeBlocks,
    passages: PassageListener,
  ): number {
    const { status } = this.input;
    return this.input.walk(bytes, position, end, base, (from, to, at) => {
      const limit = Math.min(to, from + PASSAGE_BYTES);
      if (this.between) this.passage(passages, base + at, base + at, 0);
      let stop = this.exports.gather(from, limit, database);
      if (limit < to) {
        // Short of what this passage may hold; a record that is larger is one by itself.
        if (stop === from) stop = this.exports.gather(from, to, database);
        else if (status[0] !== UNUSUAL) status[0] = FULL;
      }
      if (stop > from) this.passage(passages, base + at, base + at + stop - from, status[1]!);
      if (status[2]! >= QUEUE_FROM) this.empty(take);
      return stop;
    });
  }

  private passage(passages: PassageListener, start: number, end: number, records: number): void {
    const { totals, inBlocks, counts } = this;
    this.countQueue();
    for (let part = 0; part < PARTS; part++) totals[part] = inBlocks[part]! + counts[part]!;
    this.between = false;
    passages.add(start, end, records, totals);
  }

  private countQueue(): void {
    const { memory, inBlocks } = this;
    const queued = this.input.status[2]!;
    for (; this.counted < queued; this.counted++) inBlocks[memory[OWNERS + this.counted]!]! += BLOCK_ENTRIES;
  }

  /** Passes over whole records whose names are not among those sought: the one where it stops may be. */
  search(bytes: Buffer, position: number, end: number, base: number, database: number): number {
    return this.input.walk(bytes, position, end, base, (from, to) => this.exports.search(from, to, database));
  }

  private empty(take: TakeBlocks): void {
    this.countQueue();
    this.counted = 0;
    const count = this.input.status[2]!;
    const blocks = this.memory.subarray(QUEUE, QUEUE + count * BLOCK_BYTES);
    take(blocks, this.memory.subarray(OWNERS, OWNERS + count));
    this.exports.emptied();
    this.input.status[2] = 0;
  }

  /** Hands over what is left: full blocks, then of each part the one that is not. */
  finish(take: TakeBlocks, takeLast: (part: number, entries: Uint8Array) => void): void {
    if (this.input.status[2]! > 0) this.empty(take);
    const { counts, inBlocks } = this;
    for (let part = 0; part < PARTS; part++) {
      const at = BLOCKS + part * BLOCK_STRIDE;
      const entries = this.memory.subarray(at, at + counts[part]! * ENTRY_BYTES);
      if (entries.length > 0) takeLast(part, new Uint8Array(entries));
    }
    counts.fill(0);
    inBlocks.fill(0);
    this.between = false;
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
    this.between = true;
    this.input.status[2] = this.exports.finishPieces(type, expires ? 1 : 0, expiryHigh, expiryLow);
    if (this.input.status[2]! >= QUEUE_FROM) this.empty(take);
  }

  /** Adds a name to those that `search` stops at; it must not gather from then on. */
  seek(middle: number, low: number): void {
    this.exports.seek(middle, low);
  }

  seekNothing(): void {
    this.exports.seekNothing();
  }
}
