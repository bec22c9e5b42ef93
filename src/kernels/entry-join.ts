import { compile } from './compile.js';
import { ENTRY_BYTES } from './records.js';
import { ENTRY_JOIN_WASM } from './wasm/entry-join.generated.js';

// What an entry came to, of assembly/entry-join.ts those that matter here.
/** The other side does not have the name, and its own has it once. */
export const ALONE = 0;
/** Of the first side: the second has the name once, with an equal value or with another. */
export const SAME = 1;
export const OTHER = 2;
/** Of the second side: the name of one of the first, and its value is another. */
export const MET_OTHER = 5;

const ENTRIES = 64;
/** What is read behind the end of entries. */
const SLACK = 16;
const SLOTS_MIN = 1024;
const PAGE = 65536;

/** What assembly/entry-join.ts exports. */
interface EntryJoinExports {
  readonly memory: WebAssembly.Memory;
  begin(entries: number, states: number, slots: number, slotCount: number, middle: number, end: number): void;
  meet(from: number): number;
  knownEntry(): number;
  knownStateWas(): number;
  sameCount(): number;
  nextDifferent(from: number): number;
}

/** Compares the entries of one part of two sides, which stand in its memory one side behind the other. */
export class EntryJoinKernel {
  private bytes: Buffer;
  private states = 0;

  private constructor(private readonly exports: EntryJoinExports) {
    this.bytes = Buffer.from(exports.memory.buffer);
  }

  /** @throws Error where WebAssembly is not to be had */
  static create(): EntryJoinKernel {
    const { exports } = new WebAssembly.Instance(compile(ENTRY_JOIN_WASM));
    return new EntryJoinKernel(exports as unknown as EntryJoinExports);
  }

  /** Room for so many entries. What was there before is lost; valid until the next call. */
  roomFor(entries: number): Uint8Array {
    const { memory } = this.exports;
    const states = ENTRIES + entries * ENTRY_BYTES + SLACK;
    const wanted = this.slotsAt(states, entries) + 4 * slotsFor(entries);
    const missing = Math.ceil((wanted - memory.buffer.byteLength) / PAGE);
    if (missing > 0) {
      memory.grow(missing);
      this.bytes = Buffer.from(memory.buffer);
    }
    return this.bytes.subarray(ENTRIES, ENTRIES + entries * ENTRY_BYTES);
  }

  /** Begins with the entries that were put there: those up to `middle` are of the first side. */
  begin(middle: number, end: number): void {
    this.states = ENTRIES + end * ENTRY_BYTES + SLACK;
    this.exports.begin(ENTRIES, this.states, this.slotsAt(this.states, end), slotsFor(end), middle, end);
  }

  private slotsAt(states: number, entries: number): number {
    return Math.ceil((states + entries) / 8) * 8;
  }

  /** Takes entries from `from` on, up to the first whose name stands twice on a side: returns that, or the end. */
  meet(from: number): number {
    return this.exports.meet(from);
  }

  /** The entry in front of the one where `meet` stopped that has the same name. */
  get known(): number {
    return this.exports.knownEntry();
  }

  /** What that had come to. */
  get knownState(): number {
    return this.exports.knownStateWas();
  }

  /** Entries of the first side that are equal to one of the second. */
  get same(): number {
    return this.exports.sameCount();
  }

  /** The first entry from `from` on that is not known to be equal; the end without any. */
  nextDifferent(from: number): number {
    return this.exports.nextDifferent(from);
  }

  stateOf(entry: number): number {
    return this.bytes[this.states + entry]!;
  }

  /** Puts the three words of the name of an entry of `part` into `words`. */
  readName(entry: number, part: number, words: Int32Array): void {
    readEntryName(this.bytes, ENTRIES + entry * ENTRY_BYTES, part, words);
  }
}

/** A power of two, so that at least a quarter of them stay free. */
function slotsFor(entries: number): number {
  let count = SLOTS_MIN;
  while (count < (entries * 4) / 3) count *= 2;
  return count;
}

/** Puts the three words of the name of the entry at `at`, which is of `part`, into `words`. */
export function readEntryName(bytes: Buffer, at: number, part: number, words: Int32Array): void {
  const low = bytes.readInt32LE(at);
  const high = bytes.readInt32LE(at + 4);
  words[0] = (low >>> 8) | (high << 24);
  words[1] = (high >>> 8) | (part << 24);
  words[2] = (low & 0xff) | (bytes.readUInt16LE(at + 8) << 8);
}
