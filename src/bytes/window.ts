/** The next item is not complete: `window.need` says how many bytes from `window.position` it wants. */
export const NEED = 0;
/** The handler asked to stop; run again after its drain. */
export const PAUSE = 1;
/** The format ended here; bytes may follow in the window. */
export const END = 2;

export type Progress = typeof NEED | typeof PAUSE | typeof END;

/**
 * The bytes of an input that are in memory now: `bytes[position..end)`. A machine reads from `position` and moves it
 * only past whole items. Offsets are absolute in the input, positions are in `bytes`.
 */
export class ByteWindow {
  bytes: Buffer = EMPTY;
  position = 0;
  end = 0;
  /** Absolute offset of `bytes[0]`; may be negative when the bytes stand behind headroom. */
  base = 0;
  /** Bytes from `position` that the current item needs before the machine is worth running again. */
  need = 1;
  /** Absolute offset at which the input ends; Infinity while that is unknown (a pipe). */
  limit = Number.POSITIVE_INFINITY;

  /** Absolute offset of the next byte. */
  get offset(): number {
    return this.base + this.position;
  }

  /** True when `count` bytes stand at `position`; otherwise records the need. */
  has(count: number): boolean {
    if (this.end - this.position >= count) return true;
    this.need = count;
    return false;
  }

  /** True when the input can hold `count` bytes from `position`, in memory or not. */
  reaches(count: number): boolean {
    return this.base + this.position + count <= this.limit;
  }
}

const EMPTY = Buffer.alloc(0);

/**
 * A synchronous consumer of a window. `run` consumes as many whole items as it can and says why it stopped. `finish` is
 * called once when input ends: it returns at a valid end and throws a FormatError otherwise.
 */
export interface Machine {
  run(window: ByteWindow): Progress;
  finish(window: ByteWindow): void;
}
