import { compile } from './compile.js';
import { parseDouble } from './doubles.js';
import { grisuPowers } from './grisu.js';
import { RDB_LINES_WASM } from './wasm/rdb-lines.generated.js';

/** The most of a file that the kernel has in its memory at once, in bytes. */
export const LINE_INPUT_MAX = 0x100000;

/** How a run ends: the input does; the output is to be taken away; else what comes next is for others. */
export const LINES_NEED = 0;
export const LINES_FULL = 1;

const ESCAPES = 0x1000;
const ACTIONS = 0x1800;
const LITERALS = 0x2000;
const LITERAL_SIZE = 32;
const ALPHABET = 0x2800;
const PAIRS = 0x2900;
const POWERS = 0x2a00;
const STATE = 0x3300;
const NAME = 0x10000;
const INPUT = 0x240000;
const OUTPUT = 0x400000;

/** What assembly/rdb-lines.ts exports. */
interface LineExports {
  readonly memory: WebAssembly.Memory;
  run(from: number, end: number): number;
  leave(): void;
  emptyOutput(): void;
  setDatabase(index: number): void;
  setLineBytes(bytes: number): void;
}

/** A value of which the first items have been written. */
export interface HalfWritten {
  /** Its type number in the file. */
  readonly number: number;
  /** Name of its key, owned. */
  readonly name: Buffer;
  readonly itemsLeft: number;
  readonly itemIndex: number;
  /** Of hashes with times that count from it. */
  readonly smallestExpiry: number;
  /** Which of the value's lines is written, how many items it has, and how many bytes ago it began. */
  readonly part: number;
  readonly lineItems: number;
  readonly lineBytes: number;
  /** Of streams: key of the last node, id of the last entry, of the first that lives, and how many do. */
  readonly lastKey: Buffer;
  readonly lastEntry: Buffer;
  readonly firstLive: Buffer;
  readonly liveEntries: number;
}

/** Records of an RDB as lines of JSON, in WebAssembly. Whoever has none reads them by the ordinary way. */
export class LineKernel {
  /** The last run ended before this byte of the input, and wanted so many from there. */
  position = 0;
  wanted = 1;
  /** Keys completed by the last run. */
  keys = 0;
  private readonly memory: Buffer;
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;
  private outputEnd = OUTPUT;
  private lineBytesMax = 0;

  private constructor(private readonly exports: LineExports) {
    const { buffer } = exports.memory;
    this.memory = Buffer.from(buffer);
    this.words = new Int32Array(buffer, STATE, 10);
    this.doubles = new Float64Array(buffer, STATE + 40, 4);
  }

  /** `literals`: what is written, in the order of assembly/line.ts. Null where WebAssembly is switched off. */
  static create(literals: readonly string[]): LineKernel | null {
    try {
      const env = { parseDouble: (start: number, end: number) => parseDouble(kernel.memory, start, end) };
      const kernel = new LineKernel(
        new WebAssembly.Instance(compile(RDB_LINES_WASM), { env }).exports as unknown as LineExports,
      );
      kernel.fill(literals);
      return kernel;
    } catch {
      return null;
    }
  }

  private fill(literals: readonly string[]): void {
    const { memory } = this;
    for (let code = 0; code < 256; code++) {
      const text = SHORT_ESCAPES.get(code) ?? `\\u00${code.toString(16).padStart(2, '0')}`;
      memory.latin1Write(text, ESCAPES + 8 * code);
      memory[ESCAPES + 8 * code + 7] = text.length;
    }
    literals.forEach((literal, index) => {
      memory.latin1Write(literal, LITERALS + LITERAL_SIZE * index);
      memory[LITERALS + LITERAL_SIZE * index + LITERAL_SIZE - 1] = literal.length;
    });
    memory.latin1Write('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', ALPHABET);
    for (let pair = 0; pair < 100; pair++) {
      memory.latin1Write(String(pair).padStart(2, '0'), PAIRS + 2 * pair);
    }
    const { high, low, exponent } = grisuPowers();
    for (let index = 0; index < high.length; index++) {
      memory.writeUInt32LE(low[index]!, POWERS + 16 * index);
      memory.writeUInt32LE(high[index]!, POWERS + 16 * index + 4);
      memory.writeInt32LE(exponent[index]!, POWERS + 16 * index + 8);
    }
  }

  /** By the first byte of a record, what it is to the kernel; 0: nothing. */
  setActions(actions: Uint8Array): void {
    this.memory.set(actions, ACTIONS);
  }

  setDatabase(index: number): void {
    this.exports.setDatabase(index);
  }

  /** Bytes after which a line is broken between two items; 0: never. */
  setLineBytes(bytes: number): void {
    this.lineBytesMax = bytes;
    this.exports.setLineBytes(bytes);
  }

  /** Puts bytes of the file into the kernel's memory, at most `LINE_INPUT_MAX`. */
  load(bytes: Buffer, start: number, end: number): void {
    bytes.copy(this.memory, INPUT, start, end);
  }

  /** Goes on with the records that stand from `from` to `end` of the input, `from` where the last run ended. */
  run(from: number, end: number): number {
    const status = this.exports.run(INPUT + from, INPUT + end);
    const { words } = this;
    this.position = words[0]! - INPUT;
    this.outputEnd = words[1]!;
    this.keys = words[2]!;
    this.wanted = words[3]!;
    return status;
  }

  /** What was written since it was taken away last; valid until the next run. */
  get output(): Buffer {
    return this.memory.subarray(OUTPUT, this.outputEnd);
  }

  /** The output has been taken away. */
  emptyOutput(): void {
    const { words } = this;
    this.exports.emptyOutput();
    words[6] = words[6]! - (words[1]! - OUTPUT);
    words[1] = this.outputEnd = OUTPUT;
  }

  /** True when a value has been begun and is not complete. */
  get insideValue(): boolean {
    return this.words[5] !== 0;
  }

  /** Gives the value at hand to somebody else, who writes the rest of it; null between two records. */
  leave(): HalfWritten | null {
    if (!this.insideValue) return null;
    const { words, doubles, memory } = this;
    this.exports.leave();
    const half = {
      number: words[4]!,
      name: Buffer.from(memory.subarray(NAME, NAME + words[9]!)),
      itemsLeft: doubles[0]!,
      itemIndex: doubles[1]!,
      smallestExpiry: doubles[2]!,
      part: words[8]!,
      lineItems: words[7]!,
      lineBytes: words[1]! - (words[6]! - this.lineBytesMax),
      lastKey: idAt(memory, STATE + 72),
      lastEntry: idAt(memory, STATE + 88),
      firstLive: idAt(memory, STATE + 104),
      liveEntries: doubles[3]!,
    };
    words[5] = 0;
    return half;
  }
}

/** Two words, big endian, as ids stand in files. */
function idAt(memory: Buffer, at: number): Buffer {
  const id = Buffer.from(memory.subarray(at, at + 16));
  id.subarray(0, 8).reverse();
  id.subarray(8, 16).reverse();
  return id;
}

const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map([
  [8, '\\b'],
  [9, '\\t'],
  [10, '\\n'],
  [12, '\\f'],
  [13, '\\r'],
  [34, '\\"'],
  [92, '\\\\'],
]);
