import { LZ4_WINDOW, Lz4Plain, lz4Flaw, lz4Measure } from './lz4-plain.js';
import { Lz4Wasm } from './lz4-wasm.js';

/**
 * The blocks of one frame after the other. Holds one block and what linked blocks may refer to: the 64 KiB before it.
 */
export class Lz4Blocks {
  private readonly memory: Lz4Plain | Lz4Wasm = Lz4Wasm.create() ?? new Lz4Plain();
  private linked = false;
  private blockMax = 0;
  private history = 0;
  private size = 0;

  /** A frame begins, of blocks up to `blockMax` bytes. */
  begin(blockMax: number, linked: boolean): void {
    this.blockMax = blockMax;
    this.linked = linked;
    this.history = this.size = 0;
  }

  /** The block that was read last: borrowed until the next one. */
  get bytes(): Buffer {
    return this.memory.output.subarray(LZ4_WINDOW, LZ4_WINDOW + this.size);
  }

  /** Takes `input[start..end)` as the next block as it stands. */
  copy(input: Buffer, start: number, end: number): number {
    this.keepHistory();
    this.memory.room(end - start, this.blockMax);
    input.copy(this.memory.output, LZ4_WINDOW, start, end);
    this.size = end - start;
    return this.size;
  }

  /** Decodes `input[start..end)`, at most `blockMax` bytes. Returns its bytes; -1 with `lz4Flaw` set when it is malformed. */
  decode(input: Buffer, start: number, end: number): number {
    this.keepHistory();
    const { memory, history, blockMax } = this;
    const size = memory.decode(input, start, end, history, blockMax);
    if (size < 0) lz4Measure(input, start, end, history, blockMax);
    else this.size = size;
    return size;
  }

  /** Moves the end of the last block to where the next one can refer to it. */
  private keepHistory(): void {
    const { size, memory } = this;
    this.size = 0;
    if (!this.linked) return;
    const end = LZ4_WINDOW + size;
    this.history = Math.min(LZ4_WINDOW, this.history + size);
    memory.output.copyWithin(LZ4_WINDOW - this.history, end - this.history, end);
  }
}

export { lz4Flaw };
