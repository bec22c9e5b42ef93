import { compile } from './compile.js';
import { LZ4_WASM } from './wasm/lz4.generated.js';

const INPUT = 0x400;
const OUTPUT = 0x410800;
const WINDOW_BYTES = 0x10000;
const BLOCK_MAX = 0x400000;

/** What assembly/lz4.ts exports. Lengths in bytes. */
interface Lz4Exports {
  readonly memory: WebAssembly.Memory;
  /** Bytes written; -1: malformed, or more than `room`. */
  decode(length: number, history: number, room: number): number;
}

/** LZ4 blocks in WebAssembly: as `Lz4Plain`, several times as fast. */
export class Lz4Wasm {
  readonly output: Buffer;
  private readonly input: Uint8Array;

  private constructor(private readonly exports: Lz4Exports) {
    const { buffer } = exports.memory;
    this.input = new Uint8Array(buffer, INPUT, BLOCK_MAX);
    this.output = Buffer.from(buffer, OUTPUT - WINDOW_BYTES, WINDOW_BYTES + BLOCK_MAX);
  }

  /** Compiles and starts the kernel; null where that is not allowed or not supported. */
  static create(): Lz4Wasm | null {
    try {
      return new Lz4Wasm(new WebAssembly.Instance(compile(LZ4_WASM)).exports as unknown as Lz4Exports);
    } catch {
      return null;
    }
  }

  /** Nothing has to be done: blocks of every size fit. */
  room(): void {}

  /** Within 4 MiB each way, which no block exceeds. */
  decode(input: Uint8Array, start: number, end: number, history: number, outputMax: number): number {
    this.input.set(input.subarray(start, end));
    return this.exports.decode(end - start, history, outputMax);
  }
}
