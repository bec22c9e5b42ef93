import { compile } from './compile.js';
import type { Int64Words } from './decimal.js';
import { RDB_CHECK_WASM } from './wasm/rdb-check.generated.js';

/** How a run ends: it wants more of the input; names are to be taken away; else what comes next is for others. */
export const CHECK_NEED = 0;
export const CHECK_FULL = 1;

/** Names come sorted into so many parts, by the upper byte of the 56 bits of their hashes. */
export const NAME_PARTS = 256;
/** Of each name what the part does not tell, in blocks of one part. */
const NAME_BYTES = 6;
const BLOCK_NAMES = 680;
export const NAME_BLOCK_BYTES = BLOCK_NAMES * NAME_BYTES;

const ACTIONS = 0;
const STATE = 0x200;
const COUNTS = 0x800;
const OWNERS = 0xc00;
const SCRATCH = 0x20000;
const BLOCKS = 0x180000;
const QUEUE = 0x280000;
const BLOCK_STRIDE = 4096;
const INPUT = 0x2c0000;
const ROOM_BYTES = 0x91000;
/** What is read behind the end of an input. */
const SLACK = 64;
/** So many names at once are looked through for those that came twice. */
const ROUND = 1 << 20;

/** What assembly/rdb-check.ts exports. */
interface RdbCheckExports {
  readonly memory: WebAssembly.Memory;
  prepare(oldestMs: number, newestMs: number): void;
  sum(start: number, length: number): void;
  run(from: number, end: number, database: number, collect: boolean): number;
  emptied(): void;
  addName(upper: number, lower: number): number;
  moveNames(at: number, count: number, database: number): void;
  beginPart(names: number, round: number, mask: number): void;
  findTwice(at: number, count: number): number;
}

/** Takes blocks of names: `owners` says which part each is of. Both are borrowed. */
export type TakeNames = (blocks: Uint8Array, stride: number, owners: Uint8Array) => void;

/** Names of one part, six bytes each; those of another database were kept as if of database 0. */
export interface NameBlock {
  readonly names: Uint8Array;
  /** 0: they are what they are. */
  readonly database: number;
}

/** Told of a name that came before: the upper 32 bits of its hash, and 24 more. */
export type OnTwice = (upper: number, lower: number) => void;

/** Checks records of an RDB as they stand in it. Whoever has none of these has the decoder check them. */
export class RdbCheckKernel {
  /** Two pieces of its memory, equally long, to read into. */
  readonly rooms: readonly [Buffer, Buffer];
  /** Where the last run ended, and the bytes that it wanted from there. */
  position = 0;
  wanted = 1;
  /** Keys that the last run passed, and those of them that expire. */
  keys = 0;
  expiring = 0;
  private readonly memory: Buffer;
  private readonly state: Uint32Array;
  /** Offsets in the file of the bytes that were copied here last. */
  private copiedFrom = 0;
  private copiedTo = 0;

  private constructor(private readonly exports: RdbCheckExports) {
    const { buffer } = exports.memory;
    const room = (i: number) => Buffer.from(buffer, INPUT + i * ROOM_BYTES, ROOM_BYTES - SLACK);
    this.memory = Buffer.from(buffer);
    this.state = new Uint32Array(buffer, STATE, 5);
    this.rooms = [room(0), room(1)];
  }

  /** Times of expiry outside of `[oldestMs, newestMs)` are for others to look at. Null where there is no WebAssembly. */
  static create(oldestMs: number, newestMs: number): RdbCheckKernel | null {
    try {
      const exports = new WebAssembly.Instance(compile(RDB_CHECK_WASM)).exports as unknown as RdbCheckExports;
      exports.prepare(oldestMs, newestMs);
      return new RdbCheckKernel(exports);
    } catch {
      return null;
    }
  }

  /** Forgets the file before, and its names. */
  begin(): void {
    this.copiedFrom = this.copiedTo = 0;
    this.exports.emptied();
    this.takeRest();
  }

  /** Says what it is that starts with each of the 256 bytes. */
  setActions(actions: Uint8Array): void {
    this.memory.set(actions, ACTIONS);
  }

  /**
   * Goes through whole records of `bytes[position..end)`, of which the first byte stands at `base` in the file. Leaves
   * `position` behind the last that is in order. With `take` names are kept, and given to it when there are many.
   */
  run(
    bytes: Buffer,
    position: number,
    end: number,
    base: number,
    database: number,
    take: TakeNames | null,
  ): number {
    this.keys = this.expiring = 0;
    this.position = position;
    const own = bytes.buffer === this.exports.memory.buffer;
    for (;;) {
      if (!own) this.bring(bytes, end, base);
      const shift = own ? bytes.byteOffset : INPUT + 2 * ROOM_BYTES - (this.copiedFrom - base);
      const stop = own ? end : this.copiedTo - base;
      const from = this.position;
      const status = this.exports.run(from + shift, stop + shift, database, take !== null);
      this.position = this.state[0]! - shift;
      this.wanted = this.state[1]!;
      this.keys += this.state[2]!;
      this.expiring += this.state[3]!;
      if (status === CHECK_FULL) this.empty(take!);
      // Short of what was brought, not of what is there.
      else if (status !== CHECK_NEED || stop === end || this.position === from) return status;
    }
  }

  /** Sees to it that the bytes from `position` on are in memory, as many as there is room for. */
  private bring(bytes: Buffer, end: number, base: number): void {
    const { position } = this;
    const [from, to] = [this.copiedFrom - base, this.copiedTo - base];
    if (position >= from && position < to && (to === end || to - position >= ROOM_BYTES / 2)) return;
    const stop = Math.min(end, position + ROOM_BYTES - SLACK);
    bytes.copy(this.memory, INPUT + 2 * ROOM_BYTES, position, stop);
    this.copiedFrom = base + position;
    this.copiedTo = base + stop;
  }

  private empty(take: TakeNames): void {
    const count = this.state[4]!;
    if (count === 0) return;
    take(this.memory.subarray(QUEUE), BLOCK_STRIDE, this.memory.subarray(OWNERS, OWNERS + count));
    this.exports.emptied();
  }

  /** As `InPlaceSums` says. */
  readonly continueSum = (crc: Int64Words, bytes: Uint8Array, start: number, end: number): boolean => {
    const { exports, state } = this;
    if (bytes.buffer !== exports.memory.buffer) return false;
    state[0] = crc.low;
    state[1] = crc.high;
    exports.sum(bytes.byteOffset + start, end - start);
    crc.low = state[0];
    crc.high = state[1];
    return true;
  };

  /** Keeps a name that was read otherwise. */
  addName(upper: number, lower: number, take: TakeNames): void {
    this.state[4] = this.exports.addName(upper, lower);
    this.empty(take);
  }

  /** Names that are in no block yet, six bytes each, part by part, and the bytes of each part; they are forgotten here. */
  takeRest(): { readonly rest: Uint8Array; readonly restBytes: Uint32Array } {
    const counts = new Uint32Array(this.exports.memory.buffer, COUNTS, NAME_PARTS);
    const restBytes = counts.map((count) => count * NAME_BYTES);
    const rest = new Uint8Array(new SharedArrayBuffer(restBytes.reduce((sum, bytes) => sum + bytes, 0)));
    let to = 0;
    for (const [part, bytes] of restBytes.entries()) {
      const at = BLOCKS + part * BLOCK_STRIDE;
      rest.set(this.memory.subarray(at, at + bytes), to);
      to += bytes;
    }
    counts.fill(0);
    return { rest, restBytes };
  }

  /**
   * Looks for names that came twice among those of a part.
   * @returns false when there are too many of them
   */
  findTwice(part: number, blocks: readonly NameBlock[], onTwice: OnTwice): boolean {
    const names = blocks.reduce((sum, { names }) => sum + names.length, 0) / NAME_BYTES;
    let rounds = 1;
    while (names / rounds > ROUND) rounds *= 2;
    for (let round = 0; round < rounds; round++) {
      this.exports.beginPart(Math.ceil(names / rounds), round, rounds - 1);
      for (const { names, database } of blocks) {
        const count = names.length / NAME_BYTES;
        this.memory.set(names, SCRATCH);
        if (database > 0) this.exports.moveNames(SCRATCH, count, database);
        const found = this.exports.findTwice(SCRATCH, count);
        if (found < 0) return false;
        for (let at = SCRATCH; at < SCRATCH + found * NAME_BYTES; at += NAME_BYTES) {
          onTwice(((part << 24) | this.memory.readUIntLE(at + 3, 3)) >>> 0, this.memory.readUIntLE(at, 3));
        }
      }
    }
    return true;
  }
}
