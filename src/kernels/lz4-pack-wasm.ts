import { compile } from './compile.js';
import { LZ4_PACK_BLOCK } from './lz4-pack-plain.js';
import { LZ4_PACK_WASM } from './wasm/lz4-pack.generated.js';

const SOURCE = 0x20000;
const OUTPUT = 0x30100;

/** What assembly/lz4-pack.ts exports. Lengths in bytes. */
interface Lz4PackExports {
  readonly memory: WebAssembly.Memory;
  begin(): void;
  /** Bytes written; 0: they would not be fewer than the block's. */
  pack(length: number, history: number): number;
}

/** Packs LZ4 blocks in WebAssembly: the same bytes as `Lz4PackPlain`. */
export class Lz4PackWasm {
  readonly source: Buffer;
  readonly output: Buffer;

  private constructor(private readonly exports: Lz4PackExports) {
    const { buffer } = exports.memory;
    this.source = Buffer.from(buffer, SOURCE - LZ4_PACK_BLOCK, 2 * LZ4_PACK_BLOCK);
    this.output = Buffer.from(buffer, OUTPUT, LZ4_PACK_BLOCK);
  }

  /** Compiles and starts the kernel; null where that is not allowed or not supported. */
  static create(): Lz4PackWasm | null {
    try {
      return new Lz4PackWasm(
        new WebAssembly.Instance(compile(LZ4_PACK_WASM)).exports as unknown as Lz4PackExports,
      );
    } catch {
      return null;
    }
  }

  begin(): void {
    this.exports.begin();
  }

  pack(length: number, history: number): number {
    return this.exports.pack(length, history);
  }
}
