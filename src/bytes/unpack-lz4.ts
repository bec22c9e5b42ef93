import { LZ4_WINDOW, lz4Decode, lz4Flaw, lz4Measure } from '../kernels/lz4.js';
import { type RunningHash, runningXxh32, xxh32 } from '../kernels/xxhash.js';
import type { PackedInput } from './packed-input.js';
import type { Fail } from './unpack.js';

const FLAG_DICTIONARY = 0x01;
const FLAG_RESERVED = 0x02;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_INDEPENDENT = 0x20;
/** Blocks hold at most 64 KiB, 256 KiB, 1 MiB or 4 MiB, as bits 4 to 6 of the second byte say: 4 to 7. */
const BLOCK_BYTES: Readonly<Record<number, number>> = { 4: 0x10000, 5: 0x40000, 6: 0x100000, 7: 0x400000 };
const PLAIN_BLOCK = 0x80000000;

/**
 * The blocks of one LZ4 frame after the other. Holds one block and the 64 KiB before it; header, block and content
 * checksums are compared wherever the frame has them.
 */
export class Lz4FrameReader {
  private flags = 0;
  private blockMax = 0;
  /** Plain bytes the header promises; -1: it doesn't. */
  private contentSize = -1;
  private produced = 0;
  private startedAt = 0;
  private hash: RunningHash | null = null;
  /** What linked blocks may refer to, then the block: `history` bytes up to `LZ4_WINDOW`, the block from there. */
  private output: Buffer = Buffer.allocUnsafeSlow(2 * LZ4_WINDOW);
  private history = 0;
  private lastSize = 0;

  constructor(
    private readonly input: PackedInput,
    private readonly fail: Fail,
  ) {}

  /** Reads the header behind the magic that stood at `offset`. @throws FormatError when it is none */
  async begin(offset: number): Promise<void> {
    const { input, fail } = this;
    this.startedAt = offset;
    if (!(await input.has(3))) throw this.truncated('frame-header');
    const start = input.position;
    const flags = input.bytes[start]!;
    const sizes = input.bytes[start + 1]!;
    const size = flags & FLAG_CONTENT_SIZE ? 10 : 2;
    if (flags >> 6 !== 1 || flags & FLAG_RESERVED || sizes & 0x8f) {
      throw fail('packed/corrupt', input.offset, { reason: 'frame-header', flags, sizes });
    }
    if (flags & FLAG_DICTIONARY) throw fail('packed/unsupported', input.offset, { reason: 'dictionary' });
    if (!(await input.has(size + 1))) throw this.truncated('frame-header');
    const at = input.position;
    const computed = (xxh32(input.bytes, at, at + size) >>> 8) & 0xff;
    const stored = input.bytes[at + size]!;
    if (computed !== stored) {
      throw fail('packed/checksum-mismatch', input.offset + size, { of: 'frame-header', stored, computed });
    }
    this.blockMax = BLOCK_BYTES[sizes >> 4] ?? 0;
    if (this.blockMax === 0) throw fail('packed/corrupt', input.offset + 1, { reason: 'block-size', sizes });
    this.flags = flags;
    this.contentSize =
      size === 2 ? -1 : input.bytes.readUInt32LE(at + 2) + input.bytes.readUInt32LE(at + 6) * 4294967296;
    input.position += size + 1;
    this.hash = null;
    if (flags & FLAG_CONTENT_CHECKSUM) {
      this.hash = runningXxh32();
      if (this.hash === null) throw fail('packed/unsupported', offset, { reason: 'no-webassembly' });
    }
    this.produced = this.history = this.lastSize = 0;
  }

  /** The bytes of the next block that has any, borrowed until the next call; null once the frame has ended well. */
  async next(): Promise<Uint8Array | null> {
    const { input, fail } = this;
    for (;;) {
      this.keepHistory();
      const { offset } = input;
      if (!(await input.has(4))) throw this.truncated('block-size');
      const word = input.word();
      if (word === 0) return this.end();
      const size = word % PLAIN_BLOCK;
      if (size > this.blockMax) {
        throw fail('packed/corrupt', offset, { reason: 'block-size', claimed: size, limit: this.blockMax });
      }
      const checksumBytes = this.flags & FLAG_BLOCK_CHECKSUM ? 4 : 0;
      if (!(await input.has(size + checksumBytes))) throw this.truncated('block');
      const start = input.position;
      if (checksumBytes > 0) this.compare('block', xxh32(input.bytes, start, start + size), start + size);
      const plain = word >= PLAIN_BLOCK ? this.copy(start, size) : this.decode(start, size);
      input.position += size + checksumBytes;
      this.lastSize = plain;
      this.produced += plain;
      if (this.contentSize >= 0 && this.produced > this.contentSize) throw this.wrongSize(offset);
      const bytes = this.output.subarray(LZ4_WINDOW, LZ4_WINDOW + plain);
      this.hash?.update(bytes);
      if (plain > 0) return bytes;
    }
  }

  private copy(start: number, size: number): number {
    this.room(size);
    this.input.bytes.copy(this.output, LZ4_WINDOW, start, start + size);
    return size;
  }

  private decode(start: number, size: number): number {
    const { bytes } = this.input;
    const plain = lz4Measure(bytes, start, start + size, this.history, this.blockMax);
    if (plain < 0) {
      const offset = this.input.offset - this.input.position + lz4Flaw.at;
      throw this.fail('packed/corrupt', offset, { reason: lz4Flaw.why, limit: this.blockMax });
    }
    this.room(plain);
    lz4Decode(bytes, start, start + size, this.output, LZ4_WINDOW);
    return plain;
  }

  private room(size: number): void {
    if (LZ4_WINDOW + size <= this.output.length) return;
    const larger = Buffer.allocUnsafeSlow(LZ4_WINDOW + Math.max(size, Math.min(this.blockMax, 2 * size)));
    this.output.copy(larger, 0, 0, LZ4_WINDOW);
    this.output = larger;
  }

  /** Moves the end of the block handed out last to where the next one can refer to it. */
  private keepHistory(): void {
    const { lastSize, output } = this;
    this.lastSize = 0;
    if (this.flags & FLAG_INDEPENDENT) return;
    const end = LZ4_WINDOW + lastSize;
    this.history = Math.min(LZ4_WINDOW, this.history + lastSize);
    output.copyWithin(LZ4_WINDOW - this.history, end - this.history, end);
  }

  private async end(): Promise<null> {
    const { input, hash } = this;
    if (hash !== null) {
      if (!(await input.has(4))) throw this.truncated('content-checksum');
      this.compare('content', hash.low(), input.position);
      input.position += 4;
    }
    if (this.contentSize >= 0 && this.produced !== this.contentSize) throw this.wrongSize(this.startedAt);
    return null;
  }

  private compare(of: string, computed: number, at: number): void {
    const { input } = this;
    const stored = input.bytes.readUInt32LE(at);
    if (stored === computed) return;
    const offset = input.offset - input.position + at;
    throw this.fail('packed/checksum-mismatch', offset, { of, stored: hex(stored), computed: hex(computed) });
  }

  private truncated(reading: string) {
    const { input } = this;
    return this.fail('packed/truncated', input.offset + input.end - input.position, { reading });
  }

  private wrongSize(offset: number) {
    const { contentSize, produced } = this;
    return this.fail('packed/corrupt', offset, { reason: 'content-size', claimed: contentSize, produced });
  }
}

const hex = (word: number): string => word.toString(16).padStart(8, '0');
