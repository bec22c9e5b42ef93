import { copyBytes } from '../../bytes/growing-bytes.js';
import { highWord, type Long, lowWord } from '../../bytes/int64.js';
import { Int64Words, parseInt64 } from '../../kernels/decimal.js';
import { DOUBLE_TEXT_MAX, writeShortest } from '../../kernels/doubles.js';
import { lzfCompress } from '../../kernels/lzf.js';
import type { StreamId } from '../../model/stream-id.js';
import { LENGTH_32, LENGTH_64, STRING_INT8, STRING_INT16, STRING_INT32, STRING_LZF } from '../constants.js';

const SIZE = 64 * 1024;
const TWO_32 = 4294967296;
/** Texts of up to this many bytes are tried as integers: those of 32 bits have no more. */
const INTEGER_TEXT_MAX = 11;
/** Texts above this are tried with compression. */
const COMPRESSION_MIN = 20;
/** Texts above this are not, as compressing takes as much memory again. */
const COMPRESSION_MAX = 64 << 20;
const SCRATCH_KEPT = 1 << 20;

const words = new Int64Words();
let scratch: Buffer = Buffer.allocUnsafeSlow(16 * 1024);

/** The primitives of an RDB, written front to back through one buffer. */
export class RdbOutput {
  private readonly bytes = Buffer.allocUnsafeSlow(SIZE);
  private position = 0;

  /** `emit` gets what is ready, in order; the bytes are borrowed. */
  constructor(
    private readonly emit: (bytes: Buffer) => void,
    private readonly compress: boolean,
  ) {}

  flush(): void {
    if (this.position === 0) return;
    this.emit(this.bytes.subarray(0, this.position));
    this.position = 0;
  }

  /** Drops what has not been emitted. */
  reset(): void {
    this.position = 0;
  }

  /** Appends what has not been emitted to `into`, in place of emitting it. */
  moveTo(into: RdbOutput): void {
    into.raw(this.bytes, 0, this.position);
    this.position = 0;
  }

  /** Makes room for `count` bytes, much less than the buffer, and returns where they go. */
  private room(count: number): number {
    if (this.position + count > SIZE) this.flush();
    return this.position;
  }

  byte(value: number): void {
    const at = this.room(1);
    this.bytes[at] = value;
    this.position = at + 1;
  }

  raw(source: Buffer, start: number, end: number): void {
    const count = end - start;
    if (count > SIZE / 2) {
      this.flush();
      this.emit(source.subarray(start, end));
      return;
    }
    const at = this.room(count);
    copyBytes(source, start, end, this.bytes, at);
    this.position = at + count;
  }

  /** A length in its shortest form. */
  length(value: number): void {
    const at = this.room(9);
    const { bytes } = this;
    if (value < 0x40) {
      bytes[at] = value;
      this.position = at + 1;
    } else if (value < 0x4000) {
      bytes[at] = 0x40 | (value >> 8);
      bytes[at + 1] = value & 0xff;
      this.position = at + 2;
    } else if (value < TWO_32) {
      bytes[at] = LENGTH_32;
      bytes.writeUInt32BE(value, at + 1);
      this.position = at + 5;
    } else {
      this.wideLength(Math.floor(value / TWO_32), value >>> 0);
    }
  }

  /** A length of any 64 bits; a negative value goes as its two's complement. */
  longLength(value: Long): void {
    this.lengthWords(highWord(value), lowWord(value));
  }

  lengthWords(high: number, low: number): void {
    if (high === 0) this.length(low);
    else this.wideLength(high, low);
  }

  private wideLength(high: number, low: number): void {
    const at = this.room(9);
    this.bytes[at] = LENGTH_64;
    this.bytes.writeUInt32BE(high, at + 1);
    this.bytes.writeUInt32BE(low, at + 5);
    this.position = at + 9;
  }

  /** A string object in the form the servers choose: small integer, compressed, or plain. */
  text(source: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length <= INTEGER_TEXT_MAX) {
      if (this.integerText(source, start, end)) return;
    } else if (length > COMPRESSION_MIN && this.compress && this.compressedText(source, start, end)) {
      return;
    }
    this.length(length);
    this.raw(source, start, end);
  }

  private integerText(source: Buffer, start: number, end: number): boolean {
    if (!parseInt64(source, start, end, words)) return false;
    const value = words.low | 0;
    if (words.high !== (value < 0 ? 0xffffffff : 0)) return false;
    const at = this.room(5);
    const { bytes } = this;
    if (value >= -128 && value < 128) {
      bytes[at] = STRING_INT8;
      bytes[at + 1] = value;
      this.position = at + 2;
    } else if (value >= -32768 && value < 32768) {
      bytes[at] = STRING_INT16;
      bytes.writeInt16LE(value, at + 1);
      this.position = at + 3;
    } else {
      bytes[at] = STRING_INT32;
      bytes.writeInt32LE(value, at + 1);
      this.position = at + 5;
    }
    return true;
  }

  private compressedText(source: Buffer, start: number, end: number): boolean {
    const length = end - start;
    if (length > COMPRESSION_MAX) return false;
    const budget = length - 4;
    if (budget > scratch.length) scratch = Buffer.allocUnsafeSlow(budget);
    const count = lzfCompress(source, start, end, scratch, 0, budget);
    if (count > 0) {
      this.byte(STRING_LZF);
      this.length(count);
      this.length(length);
      this.raw(scratch, 0, count);
    }
    if (scratch.length > SCRATCH_KEPT) scratch = Buffer.allocUnsafeSlow(16 * 1024);
    return count > 0;
  }

  /** Text of one byte per character. */
  latin1(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.text(bytes, 0, bytes.length);
  }

  /** Bytes of a magic or the like, without a length. */
  latin1Raw(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.raw(bytes, 0, bytes.length);
  }

  int32(value: number): void {
    const at = this.room(4);
    this.bytes.writeInt32LE(value, at);
    this.position = at + 4;
  }

  /** Eight bytes, little endian; a negative value as two's complement. */
  int64(value: Long): void {
    const at = this.room(8);
    this.bytes.writeUInt32LE(lowWord(value), at);
    this.bytes.writeUInt32LE(highWord(value), at + 4);
    this.position = at + 8;
  }

  double(value: number): void {
    const at = this.room(8);
    this.bytes.writeDoubleLE(value, at);
    this.position = at + 8;
  }

  /** A double as text behind a length byte, as servers before 4.0 hold scores. */
  textDouble(value: number): void {
    if (!Number.isFinite(value)) {
      this.byte(Number.isNaN(value) ? 253 : value > 0 ? 254 : 255);
      return;
    }
    const at = this.room(1 + DOUBLE_TEXT_MAX);
    const end = writeShortest(value, this.bytes, at + 1);
    this.bytes[at] = end - at - 1;
    this.position = end;
  }
}

/** Both halves of a stream's id as lengths. */
export function writeIdLengths(output: RdbOutput, id: StreamId): void {
  output.lengthWords(id.msHigh, id.msLow);
  output.lengthWords(id.seqHigh, id.seqLow);
}

/** Output kept in memory until what stands in front of it is known. */
export class SideOutput {
  readonly output: RdbOutput;
  private chunks: Buffer[] = [];

  constructor(compress: boolean) {
    this.output = new RdbOutput((bytes) => this.chunks.push(Buffer.from(bytes)), compress);
  }

  reset(): void {
    if (this.chunks.length > 0) this.chunks = [];
    this.output.reset();
  }

  /** Appends everything to `into` and forgets it. */
  moveTo(into: RdbOutput): void {
    for (const chunk of this.chunks) into.raw(chunk, 0, chunk.length);
    this.output.moveTo(into);
    this.reset();
  }
}
