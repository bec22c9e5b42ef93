import { compile } from './compile.js';
import { SHA1_WASM } from './wasm/sha1.generated.js';

/** Longer inputs are not for this kernel: from about here on OpenSSL is faster even from JavaScript. */
export const SHA1_INPUT_MAX = 1536;

/** Up to this many bytes a loop copies faster than the call that copies memory. */
const LOOP_MAX = 96;

const STATE = 0x40;
const INPUT = 0x100;

/** What assembly/sha1.ts exports. */
interface Sha1Exports {
  readonly memory: WebAssembly.Memory;
  sha1(length: number): void;
  sha1OfState(): void;
}

/** SHA-1 in WebAssembly, about twice as fast as `sha1Plain`. */
export class Sha1Wasm {
  private readonly input: Uint8Array;
  private readonly state: Int32Array;

  private constructor(private readonly exports: Sha1Exports) {
    this.input = new Uint8Array(exports.memory.buffer, INPUT, SHA1_INPUT_MAX);
    this.state = new Int32Array(exports.memory.buffer, STATE, 5);
  }

  /** Compiles and starts the kernel; null where that is not allowed or not supported. */
  static create(): Sha1Wasm | null {
    try {
      return new Sha1Wasm(new WebAssembly.Instance(compile(SHA1_WASM)).exports as unknown as Sha1Exports);
    } catch {
      return null;
    }
  }

  /** SHA-1 of `bytes[start..end)`, at most `SHA1_INPUT_MAX` bytes, as five words into `out`. */
  sha1(bytes: Uint8Array, start: number, end: number, out: Int32Array): void {
    const { input } = this;
    const length = end - start;
    if (length > LOOP_MAX) input.set(bytes.subarray(start, end));
    else for (let i = 0; i < length; i++) input[i] = bytes[start + i]!;
    this.exports.sha1(length);
    this.take(out);
  }

  /** SHA-1 of the twenty bytes that `words` stand for. `out` may be `words`. */
  sha1OfDigest(words: Int32Array, out: Int32Array): void {
    const { state } = this;
    state[0] = words[0]!;
    state[1] = words[1]!;
    state[2] = words[2]!;
    state[3] = words[3]!;
    state[4] = words[4]!;
    this.exports.sha1OfState();
    this.take(out);
  }

  private take(out: Int32Array): void {
    const { state } = this;
    out[0] = state[0]!;
    out[1] = state[1]!;
    out[2] = state[2]!;
    out[3] = state[3]!;
    out[4] = state[4]!;
  }
}
