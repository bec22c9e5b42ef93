import type { ByteWindow } from '../bytes/window.js';
import { ENGINE_COPY_AT, ENGINE_COPY_MAX, EngineKernel, type KeyShare } from '../kernels/engine-kernel.js';
import { CommandSpans } from '../resp/command.js';
import { HASH_SECRET } from './bytes.js';
import { ChunkMemory } from './chunk-memory.js';
import type { Engine } from './engine.js';
import { LIST_LIMITS } from './lists.js';

/** A command shorter than this is none. */
const COMMAND_MIN = 16;

/** Is given what the kernel does not execute: a command, its number in the run from 0, whether it is in a transaction. */
export type LeftCommand = (command: CommandSpans, index: number, inTransaction: boolean) => void;

/** Memory for a keyspace whose commands a `BatchRunner` will execute; null where there is no WebAssembly. */
export function batchMemory(): ChunkMemory | null {
  const kernel = EngineKernel.create();
  return kernel === null ? null : new ChunkMemory(kernel);
}

/**
 * Executes commands in batches, straight from a window, on a keyspace that has its memory in common with the kernel. What
 * the kernel leaves goes through the engine, which sees the same keys.
 */
export class BatchRunner {
  private readonly kernel: EngineKernel;
  private readonly spans = new CommandSpans();
  private apply: LeftCommand = () => {};
  /** What of which window is in the kernel's input: `bytes[first..to)`, each byte `from` before its position there. */
  private bytes: Buffer | null = null;
  private base = 0;
  private from = 0;
  private first = 0;
  private to = 0;

  constructor(
    private readonly engine: Engine,
    { kernel }: ChunkMemory,
    /** Whose keys' commands are executed; the rest counts as taken. Null: all. */
    share: KeyShare | null = null,
  ) {
    this.kernel = kernel;
    if (share !== null) kernel.setPart(share);
    const { nowMs, thresholds } = engine;
    const { zsetMaxPackedEntries, zsetMaxPackedValue } = thresholds;
    const listMaxBytes = LIST_LIMITS.bytes;
    kernel.setRules({ secret: HASH_SECRET, nowMs, zsetMaxPackedEntries, zsetMaxPackedValue, listMaxBytes });
    kernel.leave = (i) => this.leave(i);
    this.spans.bytes = kernel.input;
  }

  /**
   * Executes whole commands and whole transactions in canonical form from the window's position on, that end by the
   * position `end`, at most `most`, and moves the window past them. Returns how many; `apply` gets those that the kernel
   * leaves, in their turn, and what it throws is passed on.
   */
  run(window: ByteWindow, end: number, most: number, apply: LeftCommand): number {
    if (end - window.position < COMMAND_MIN) return 0;
    this.apply = apply;
    const { bytes, base, position } = window;
    if (bytes !== this.bytes || base !== this.base || position < this.from || position >= this.to)
      this.load(window);
    let count = this.runLoaded(window, end, most);
    if (count === 0 && this.to < end && position > this.first) {
      this.load(window);
      count = this.runLoaded(window, end, most);
    }
    return count;
  }

  /** Has the window's bytes in the input: copied, unless they were read into one of its rooms. */
  private load({ bytes, base, position, end }: ByteWindow): void {
    const { input } = this.kernel;
    this.bytes = bytes;
    this.base = base;
    this.first = position;
    if (bytes.buffer === input.buffer) {
      this.from = input.byteOffset - bytes.byteOffset;
      this.to = bytes.length;
      return;
    }
    this.from = position - ENGINE_COPY_AT;
    this.to = Math.min(end, position + ENGINE_COPY_MAX);
    bytes.copy(input, ENGINE_COPY_AT, position, this.to);
  }

  private runLoaded(window: ByteWindow, end: number, most: number): number {
    const { kernel, engine, from } = this;
    const stop = kernel.run(window.position - from, Math.min(end, this.to) - from, most, this.table());
    engine.db.table.forget();
    window.position = from + stop;
    return kernel.taken;
  }

  /** Where the kernel finds the keys of the selected database; 0: it must not touch them. */
  private table(): number {
    const { db } = this.engine;
    return db.memberExpiries.isEmpty ? db.table.address : 0;
  }

  private leave(i: number): number {
    const { kernel, spans, engine } = this;
    const { argc, start, end, inTransaction } = kernel.itemAt(i);
    spans.reserve(argc);
    const { starts, ends } = spans;
    for (let k = 0; k < argc; k++) {
      const at = kernel.argumentStart(k);
      starts[k] = at;
      ends[k] = at + kernel.argumentSize(k);
    }
    spans.argc = spans.held = argc;
    spans.offset = this.base + this.from + start;
    spans.length = end - start;
    engine.db.table.forget();
    this.apply(spans, kernel.taken + i, inTransaction);
    return this.table();
  }
}
