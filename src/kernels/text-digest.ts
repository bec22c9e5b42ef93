import { compile } from './compile.js';
import { RecordInput } from './record-input.js';
import { TEXT_DIGEST_WASM } from './wasm/text-digest.generated.js';

const WORDS = 0x210;

/** What assembly/text-digest.ts exports. */
interface TextDigestExports {
  readonly memory: WebAssembly.Memory;
  prepare(nowMs: bigint): void;
  digest(from: number, to: number): number;
}

/** What texts of an RDB add to DEBUG DIGEST, from their records as they stand in it. */
export class TextDigest {
  readonly input: RecordInput;
  /** Of the last walk: keys past their time. */
  expired = 0;
  /** Five words: what its keys add up to. */
  readonly words = new Int32Array(5);
  private readonly found: Int32Array;

  private constructor(private readonly exports: TextDigestExports) {
    this.input = new RecordInput(exports.memory);
    this.found = new Int32Array(exports.memory.buffer, WORDS, 5);
  }

  /** `nowMs` null: no key is past its time. Null where WebAssembly is not to be had. */
  static create(nowMs: number | null): TextDigest | null {
    try {
      const exports = new WebAssembly.Instance(compile(TEXT_DIGEST_WASM))
        .exports as unknown as TextDigestExports;
      exports.prepare(nowMs === null ? -(1n << 63n) : BigInt(Math.trunc(nowMs)));
      return new TextDigest(exports);
    } catch {
      return null;
    }
  }

  /** Takes whole records of `bytes[position..end)`; `base` is the offset of `bytes[0]`. @returns the position behind */
  walk(bytes: Buffer, position: number, end: number, base: number): number {
    this.expired = 0;
    this.words.fill(0);
    return this.input.walk(bytes, position, end, base, this.run);
  }

  private readonly run = (from: number, to: number): number => {
    const stop = this.exports.digest(from, to);
    this.expired += this.input.status[2]!;
    for (let i = 0; i < 5; i++) this.words[i]! ^= this.found[i]!;
    return stop;
  };
}
