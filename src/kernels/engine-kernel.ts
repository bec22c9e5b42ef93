import { compile } from './compile.js';
import { ENGINE_WASM } from './wasm/engine.generated.js';

/** Bytes that can be copied into the input at once, and where there. */
export const ENGINE_COPY_MAX = 0xb0000;
export const ENGINE_COPY_AT = 0x130000;
/** Memory below this is the kernel's own: what follows is for keys. */
export const ENGINE_OWN_BYTES = 0x400000;

const PAGE_BYTES = 0x10000;
const PAGES_MAX = 0x10000;

const TAKEN = 0x1000 >> 2;
const STOPPED = 0x1004 >> 2;
const FREE = 0x2000;
const FREE_WORDS = 128;
const MARKS = 0x2200;
const TABLES = 0x4000;
const TABLE_BYTES = 64;
const TABLES_MAX = 4096;
const ITEMS = 0x50000 >> 2;
const ITEM_WORDS = 8;
const PARTS = 0x100000;
const INPUT = 0x200000;
const INPUT_BYTES = 0x1e0000;

/** What assembly/engine.ts exports. */
interface EngineExports {
  run(start: number, end: number, most: number, table: number): void;
  setSecret(first: number, second: number, seed: number): void;
  setThresholds(zsetEntries: number, zsetLongest: number, listBytes: number): void;
  setNow(ms: number): void;
  setPart(part: number, shift: number, first: number, second: number, seed: number): void;
}

/** The rules and numbers that the kernel goes by. */
export interface EngineRules {
  /** Multipliers and seed of the hash of keys. */
  readonly secret: readonly [first: number, second: number, seed: number];
  readonly nowMs: number;
  readonly zsetMaxPackedEntries: number;
  readonly zsetMaxPackedValue: number;
  readonly listMaxBytes: number;
}

/** One part of the keys of a dataset: those whose bucket, by the uppermost bits of their hash, belongs to it. */
export interface KeyShare {
  readonly part: number;
  /** By bucket: a power of two of them, at most 2^20. */
  readonly partOf: Uint8Array;
  /** Of the hash of names that tells the bucket. */
  readonly secret: { readonly first: number; readonly second: number; readonly seed: number };
}

/** A command of the batch at hand. One object is reused. */
export class BatchItem {
  argc = 0;
  /** Positions of its record in the input. */
  start = 0;
  end = 0;
  inTransaction = false;
  /** Number of its first argument among the words of the kernel. */
  args = 0;
}

/**
 * Executes the common commands on keys in its memory, which it shares with the engine: up to 4 GiB, which grow by pages.
 * Whoever has no WebAssembly, or no room for it, executes all by the engine.
 */
export class EngineKernel {
  /** Executes what the kernel leaves: command `i` of the batch. Returns the address of the selected database's table. */
  leave: (i: number) => number = () => 0;
  readonly item = new BatchItem();
  /** The bytes that commands are taken from. */
  readonly input: Buffer;
  /** Places in the input to read a file into, so that it need not be copied. */
  readonly rooms: readonly [Buffer, Buffer];
  private readonly words: Int32Array;
  private exports!: EngineExports;
  private pages = ENGINE_OWN_BYTES / PAGE_BYTES + 1;

  private constructor(private readonly memory: WebAssembly.Memory) {
    const buffer = memory.buffer as unknown as SharedArrayBuffer;
    this.input = Buffer.from(buffer as unknown as ArrayBuffer, INPUT, INPUT_BYTES);
    const half = ENGINE_COPY_AT / 2;
    this.rooms = [this.input.subarray(0, half), this.input.subarray(half, 2 * half)];
    this.words = new Int32Array(buffer, 0, ENGINE_OWN_BYTES >> 2);
  }

  /** Null where WebAssembly is switched off, or so much address space is not to be had. */
  static create(): EngineKernel | null {
    try {
      const initial = ENGINE_OWN_BYTES / PAGE_BYTES + 1;
      const memory = new WebAssembly.Memory({ initial, maximum: PAGES_MAX, shared: true });
      const kernel = new EngineKernel(memory);
      const imports = { env: { memory }, engine: { leave: (i: number) => kernel.leave(i) } };
      kernel.exports = new WebAssembly.Instance(compile(ENGINE_WASM), imports)
        .exports as unknown as EngineExports;
      return kernel;
    } catch {
      return null;
    }
  }

  /** The heads of the lists of free blocks. */
  get free(): Int32Array {
    return this.words.subarray(FREE >> 2, (FREE >> 2) + FREE_WORDS);
  }

  /** Where the arena's chunk at hand is filled to, and where it ends. */
  get marks(): Uint32Array {
    return new Uint32Array(this.words.buffer, MARKS, 2);
  }

  /** The words in which table number `i` tells of itself; null when there are no more. */
  tableWords(i: number): Int32Array | null {
    if (i >= TABLES_MAX) return null;
    const at = (TABLES + i * TABLE_BYTES) >> 2;
    return this.words.subarray(at, at + TABLE_BYTES / 4);
  }

  /** Where `tableWords` stand. */
  tableAddress(i: number): number {
    return TABLES + i * TABLE_BYTES;
  }

  /** Makes the memory so large; false when it cannot be. */
  reach(bytes: number): boolean {
    // One page more: the kernel may read a little past a record.
    const wanted = Math.ceil(bytes / PAGE_BYTES) + 1;
    if (wanted <= this.pages) return true;
    if (wanted > PAGES_MAX) return false;
    try {
      this.memory.grow(wanted - this.pages);
    } catch {
      return false;
    }
    this.pages = wanted;
    return true;
  }

  /** A range of the memory, which stays where it is. */
  bytes(address: number, length: number): Buffer {
    return Buffer.from(this.memory.buffer, address, length);
  }

  setRules(rules: EngineRules): void {
    this.exports.setSecret(...rules.secret);
    this.exports.setNow(rules.nowMs);
    this.exports.setThresholds(rules.zsetMaxPackedEntries, rules.zsetMaxPackedValue, rules.listMaxBytes);
  }

  /** Has it execute commands on the keys of one part alone. The rest counts as taken. */
  setPart({ part, partOf, secret }: KeyShare): void {
    this.bytes(PARTS, partOf.length).set(partOf);
    this.exports.setPart(part, Math.clz32(partOf.length) + 1, secret.first, secret.second, secret.seed);
  }

  /** Executes at most `most` commands of the input from one position up to another. Returns the position behind them. */
  run(start: number, end: number, most: number, table: number): number {
    this.exports.run(INPUT + start, INPUT + end, Math.min(most, 0x7fffffff), table);
    return this.words[STOPPED]! - INPUT;
  }

  /** Commands taken by the run; while one is left, those of the batches before. */
  get taken(): number {
    return this.words[TAKEN]!;
  }

  /** Command `i` of the batch. */
  itemAt(i: number): BatchItem {
    const { words, item } = this;
    const at = ITEMS + i * ITEM_WORDS;
    item.args = words[at + 1]! >> 2;
    item.argc = words[at + 2]!;
    item.start = words[at + 4]! - INPUT;
    item.end = words[at + 5]! - INPUT;
    item.inTransaction = words[at + 6] !== 0;
    return item;
  }

  /** Where in the input argument `k` of the item starts, and how long it is. */
  argumentStart(k: number): number {
    return this.words[this.item.args + 2 * k]! - INPUT;
  }

  argumentSize(k: number): number {
    return this.words[this.item.args + 2 * k + 1]!;
  }
}
