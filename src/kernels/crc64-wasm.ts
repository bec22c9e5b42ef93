import { compile } from './compile.js';
import type { Int64Words } from './decimal.js';
import { CRC64_WASM } from './wasm/crc64.generated.js';

/** What assembly/crc64.ts exports, and where it keeps things. */
interface Crc64Exports {
  readonly memory: WebAssembly.Memory;
  prepare(): void;
  update(length: number): void;
}

const INPUT = 0x20000;
const INPUT_SIZE = 0x20000;
const STATE = 0xd000;

/** The WebAssembly version of `updateCrc64`. One instance serves any number of running checksums. */
export class Crc64Wasm {
  private readonly input: Uint8Array;
  private readonly state: Uint32Array;

  private constructor(private readonly exports: Crc64Exports) {
    this.input = new Uint8Array(exports.memory.buffer, INPUT, INPUT_SIZE);
    this.state = new Uint32Array(exports.memory.buffer, STATE, 2);
    exports.prepare();
  }

  /** Compiles and starts the kernel; null where that is not allowed or not supported. */
  static create(): Crc64Wasm | null {
    try {
      return new Crc64Wasm(new WebAssembly.Instance(compile(CRC64_WASM)).exports as unknown as Crc64Exports);
    } catch {
      return null;
    }
  }

  /** Continues the checksum in `crc` over `bytes[start..end)`. */
  update(crc: Int64Words, bytes: Uint8Array, start: number, end: number): void {
    const { state, input } = this;
    state[0] = crc.low;
    state[1] = crc.high;
    for (let at = start; at < end; at += INPUT_SIZE) {
      const stop = Math.min(at + INPUT_SIZE, end);
      input.set(at === 0 && stop === bytes.length ? bytes : bytes.subarray(at, stop));
      this.exports.update(stop - at);
    }
    crc.low = state[0]!;
    crc.high = state[1]!;
  }
}
