import { FormatError } from '../errors.js';
import { CommandSpans } from '../resp/command.js';

/** What a command is to the transactions of its file. */
export const PLAIN = 0;
/** Opens a transaction. */
export const MULTI = 1;
/** Inside one: not in effect before its EXEC. */
export const QUEUED = 2;
/** Closes one. */
export const EXEC = 3;

export type CommandRole = typeof PLAIN | typeof MULTI | typeof QUEUED | typeof EXEC;

/**
 * Follows MULTI and EXEC through one file as the loaders of today do: inside a transaction everything but EXEC is
 * queued, another MULTI and DISCARD included; an EXEC outside does nothing.
 */
export class TransactionTracker {
  /** True between MULTI and EXEC. */
  open = false;
  /** Absolute offset of the MULTI; meaningful while open. */
  offset = 0;
  /** Commands queued so far, the MULTI not counted. */
  queued = 0;

  classify(command: CommandSpans): CommandRole {
    if (this.open) {
      if (command.is(0, 'EXEC')) {
        this.open = false;
        return EXEC;
      }
      this.queued++;
      return QUEUED;
    }
    if (!command.is(0, 'MULTI')) return PLAIN;
    this.open = true;
    this.offset = command.offset;
    this.queued = 0;
    return MULTI;
  }
}

const BYTES = 16 * 1024;
const COMMANDS = 64;
/** Positions are 32-bit. */
const BYTES_MAX = 0x7fff_ffff;

/**
 * Owned copies of commands, in order, until it is known whether they count. Buffers are reused from one transaction to
 * the next; those of an uncommonly large one are given back.
 */
export class CommandQueue {
  count = 0;
  private bytes: Buffer = Buffer.allocUnsafeSlow(BYTES);
  private filled = 0;
  /** End of each argument in `bytes`, all commands in a row: they lie side by side. */
  private argumentEnds = new Int32Array(4 * COMMANDS);
  private argumentCount = 0;
  /** Per command: argc, offset, length. */
  private heads = new Float64Array(3 * COMMANDS);
  private readonly spans = new CommandSpans();

  /** @throws FormatError input/item-too-large when a transaction outgrows what can be held */
  add(command: CommandSpans): void {
    const { argc, starts, ends, bytes } = command;
    let size = this.filled;
    for (let i = 0; i < argc; i++) size += ends[i]! - starts[i]!;
    if (size > BYTES_MAX) throw new FormatError('input/item-too-large', command.offset, { bytes: size });
    if (size > this.bytes.length) this.bytes = grown(this.bytes, this.filled, size);
    if (this.argumentCount + argc > this.argumentEnds.length) {
      const larger = new Int32Array(Math.max(this.argumentCount + argc, this.argumentEnds.length * 2));
      larger.set(this.argumentEnds);
      this.argumentEnds = larger;
    }
    for (let i = 0; i < argc; i++) {
      this.filled += bytes.copy(this.bytes, this.filled, starts[i]!, ends[i]!);
      this.argumentEnds[this.argumentCount++] = this.filled;
    }
    const head = this.count++ * 3;
    if (head === this.heads.length) {
      const larger = new Float64Array(this.heads.length * 2);
      larger.set(this.heads);
      this.heads = larger;
    }
    this.heads[head] = argc;
    this.heads[head + 1] = command.offset;
    this.heads[head + 2] = command.length;
  }

  /**
   * Hands over the commands from number `from` on, until all are told or `take` returns false after one. Returns how
   * many are told in all. The spans are borrowed: valid until `take` returns.
   */
  tell(from: number, take: (command: CommandSpans) => boolean): number {
    const { spans, heads, argumentEnds } = this;
    let argument = 0;
    for (let k = 0; k < from; k++) argument += heads[k * 3]!;
    let at = argument === 0 ? 0 : argumentEnds[argument - 1]!;
    spans.bytes = this.bytes;
    for (let k = from; k < this.count; k++) {
      const argc = heads[k * 3]!;
      spans.reserve(argc);
      for (let i = 0; i < argc; i++) {
        spans.starts[i] = at;
        at = argumentEnds[argument++]!;
        spans.ends[i] = at;
      }
      spans.argc = spans.held = argc;
      spans.offset = heads[k * 3 + 1]!;
      spans.length = heads[k * 3 + 2]!;
      if (!take(spans)) return k + 1;
    }
    return this.count;
  }

  clear(): void {
    this.count = this.filled = this.argumentCount = 0;
    if (this.bytes.length > 64 * BYTES) this.bytes = Buffer.allocUnsafeSlow(BYTES);
    if (this.argumentEnds.length > 1024 * COMMANDS) this.argumentEnds = new Int32Array(4 * COMMANDS);
    if (this.heads.length > 1024 * COMMANDS) this.heads = new Float64Array(3 * COMMANDS);
  }
}

function grown(bytes: Buffer, filled: number, size: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.min(BYTES_MAX, Math.max(size, bytes.length * 2)));
  bytes.copy(larger, 0, 0, filled);
  return larger;
}
