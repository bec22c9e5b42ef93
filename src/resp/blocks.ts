import type { ByteSlice } from '../bytes/slice.js';
import { type ByteWindow, type Machine, NEED, type Progress } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { Crc64 } from '../kernels/crc64.js';
import { HASH, LF, LINE_MAX } from './grammar.js';
import type { RespHandler } from './handler.js';
import { RespScanner, SKIM } from './scanner.js';

/** A block of records and what the `#HDR:` line before it says of it. One object is reused for all blocks. */
export interface LogBlock {
  /** Absolute offset of the line. */
  offset: number;
  /** Bytes of the records, the line not counted. */
  length: number;
  /** What `checksum:` says, as it stands: the proposals differ in whether that is decimal or hexadecimal. */
  stated: string;
  /** CRC-64 from zero of the line up to `checksum:`, as unsigned words; `headBytes` long. */
  headHigh: number;
  headLow: number;
  headBytes: number;
  /** CRC-64 from zero of the records. */
  bodyHigh: number;
  bodyLow: number;
}

const VERSION_1 = /^#HDR:v1;/;
const PREFIX = Buffer.from('#HDR:');

/** True for an annotation that announces a block, well-formed or not. */
export function announcesBlock({ bytes, start, end }: ByteSlice): boolean {
  return startsLikeBlock(bytes, start, end);
}

/**
 * Sums the blocks of a log that has `#HDR:v1;len:N;checksum:X;` lines: an annotation proposed for Valkey and Redis, and
 * in no release. `onBlock` is told each whole block. Records outside of any block are walked past, and so are lines
 * that say too little: `malformed` counts those.
 */
export class BlockSummer implements Machine {
  malformed = 0;
  private readonly block: LogBlock = {
    offset: 0,
    length: 0,
    stated: '',
    headHigh: 0,
    headLow: 0,
    headBytes: 0,
    bodyHigh: 0,
    bodyLow: 0,
  };
  /** Bytes of the block at hand that are still to come; -1 outside of any. */
  private left = -1;
  private readonly crc = new Crc64();
  private readonly record = new OneRecord();

  constructor(private readonly onBlock: (block: LogBlock) => void) {}

  /** @throws FormatError for bytes outside of blocks that are no record */
  run(window: ByteWindow): Progress {
    for (;;) {
      if (this.left >= 0) {
        if (!this.sum(window)) return NEED;
      } else if (this.record.open || (window.has(1) && window.bytes[window.position] !== HASH)) {
        if (!this.record.pass(window)) return NEED;
      } else if (!window.has(1) || !this.line(window)) {
        return NEED;
      }
    }
  }

  /** A block that the end of the file cuts is none: how a log may end is not asked here. */
  finish(): void {}

  private sum(window: ByteWindow): boolean {
    const { crc, block } = this;
    const { bytes, position, end } = window;
    const stop = Math.min(end, position + this.left);
    crc.update(bytes, position, stop);
    this.left -= stop - position;
    window.position = stop;
    if (this.left > 0) {
      window.need = 1;
      return false;
    }
    block.bodyHigh = crc.high;
    block.bodyLow = crc.low;
    this.left = -1;
    this.onBlock(block);
    return true;
  }

  private line(window: ByteWindow): boolean {
    const { bytes, position: at, end } = window;
    const stop = bytes.subarray(at, Math.min(end, at + LINE_MAX)).indexOf(LF) + 1;
    if (stop > 0) {
      if (startsLikeBlock(bytes, at, at + stop)) this.announce(window, bytes.latin1Slice(at, at + stop));
      window.position = at + stop;
      return true;
    }
    if (end - at >= LINE_MAX)
      throw new FormatError('aof/annotation-too-long', window.offset, { max: LINE_MAX });
    window.need = end - at + 1;
    return false;
  }

  private announce(window: ByteWindow, line: string): void {
    const { block, crc } = this;
    const length = Number(/;len:(\d{1,15});/.exec(line)?.[1] ?? Number.NaN);
    const checksum = /;checksum:([\da-f]{1,20});?\r?\n?/i.exec(line);
    if (!VERSION_1.test(line) || Number.isNaN(length) || checksum === null) {
      this.malformed++;
      return;
    }
    block.offset = window.offset;
    block.length = length;
    block.stated = checksum[1]!;
    block.headBytes = checksum.index + 1;
    crc.reset();
    crc.update(window.bytes, window.position, window.position + block.headBytes);
    block.headHigh = crc.high;
    block.headLow = crc.low;
    crc.reset();
    this.left = length;
  }
}

/** Walks past one record, however large. */
class OneRecord implements RespHandler {
  /** True in the middle of one. */
  open = false;
  full = false;
  readonly stopped = true;
  private readonly scanner = new RespScanner(this, SKIM);

  /** True when it is passed, false when the window is short. */
  pass(window: ByteWindow): boolean {
    this.open = true;
    this.full = false;
    this.scanner.run(window);
    this.open = !this.full;
    return this.full;
  }

  command(): void {
    this.full = true;
  }

  annotation(): void {
    this.full = true;
  }

  flaw(): void {}
}

function startsLikeBlock(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < PREFIX.length) return false;
  return bytes.compare(PREFIX, 0, PREFIX.length, start, start + PREFIX.length) === 0;
}
