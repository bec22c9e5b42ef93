import { updateCrc64 } from './crc64-tables.js';
import { Crc64Wasm } from './crc64-wasm.js';
import { Int64Words } from './decimal.js';

export { combineCrc64 } from './crc64-tables.js';

/** Below this many bytes entering WebAssembly costs more than it saves. */
const WASM_FROM = 256;

let wasm: Crc64Wasm | null | undefined;

/** The compiled kernel, made when first wanted; null where WebAssembly is switched off. */
function crc64Wasm(): Crc64Wasm | null {
  if (wasm === undefined) wasm = Crc64Wasm.create();
  return wasm;
}

/** Continues a checksum over bytes that stand in memory of a kernel's own; false when these do not. */
export type InPlaceSums = (crc: Int64Words, bytes: Uint8Array, start: number, end: number) => boolean;

/** A running CRC-64 of RDB files and DUMP payloads. Starts at zero. */
export class Crc64 {
  private readonly words = new Int64Words();

  constructor(private readonly inPlace: InPlaceSums | null = null) {}

  /** The upper 32 bits so far, unsigned. */
  get high(): number {
    return this.words.high;
  }

  /** The lower 32 bits so far, unsigned. */
  get low(): number {
    return this.words.low;
  }

  /** Takes in `bytes[start..end)`; large blocks are the fastest. */
  update(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (this.inPlace?.(this.words, bytes, start, end)) return;
    const kernel = end - start < WASM_FROM ? null : crc64Wasm();
    if (kernel === null) updateCrc64(this.words, bytes, start, end);
    else kernel.update(this.words, bytes, start, end);
  }

  reset(): void {
    this.words.high = this.words.low = 0;
  }
}
