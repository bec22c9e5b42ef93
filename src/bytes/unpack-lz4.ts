import { Lz4Blocks, lz4Flaw } from '../kernels/lz4.js';
import { LZ4_PLAIN_BLOCK, type Lz4Header, type Lz4HeaderFlaw, readLz4Header } from '../kernels/lz4-frame.js';
import { type RunningHash, runningXxh32, xxh32 } from '../kernels/xxhash.js';
import type { PackedInput } from './packed-input.js';
import type { Fail } from './unpack.js';

/**
 * The blocks of one LZ4 frame after the other, checked: header, block and content
 * checksums are compared wherever the frame has them.
 */
export class Lz4FrameReader {
  private header: Lz4Header = NO_HEADER;
  private produced = 0;
  private startedAt = 0;
  private hash: RunningHash | null = null;
  private blocks: Lz4Blocks | null = null;

  constructor(
    private readonly input: PackedInput,
    private readonly fail: Fail,
  ) {}

  /** Reads the header behind the magic that stood at `offset`. @throws FormatError when it is none */
  async begin(offset: number): Promise<void> {
    const { input, fail } = this;
    this.startedAt = offset;
    let header: Lz4Header | Lz4HeaderFlaw | number = 3;
    while (typeof header === 'number') {
      if (!(await input.has(header))) throw this.truncated('frame-header');
      header = readLz4Header(input.bytes, input.position, input.end);
    }
    if ('flaw' in header) {
      const { flaw, at, stored, computed } = header;
      const place = input.offset - input.position + at;
      if (flaw !== 'checksum') throw fail('packed/corrupt', place, { reason: flaw, found: stored });
      throw fail('packed/checksum-mismatch', place, { of: 'frame-header', stored, computed });
    }
    if (header.dictionary) throw fail('packed/unsupported', offset, { reason: 'dictionary' });
    input.position += header.bytes;
    this.header = header;
    this.hash = null;
    if (header.contentChecksum) {
      this.hash = runningXxh32();
      if (this.hash === null) throw fail('packed/unsupported', offset, { reason: 'no-webassembly' });
    }
    this.produced = 0;
    this.blocks ??= new Lz4Blocks();
    this.blocks.begin(header.blockMax, !header.independent);
  }

  /** The bytes of the next block that has any, borrowed until the next call; null once the frame has ended well. */
  async next(): Promise<Uint8Array | null> {
    const { input, fail, header } = this;
    const { blockMax, contentSize } = header;
    const blocks = this.blocks!;
    for (;;) {
      const { offset } = input;
      if (!(await input.has(4))) throw this.truncated('block-size');
      const word = input.word();
      if (word === 0) return this.end();
      const size = word % LZ4_PLAIN_BLOCK;
      if (size > blockMax) {
        throw fail('packed/corrupt', offset, { reason: 'block-size', claimed: size, limit: blockMax });
      }
      const checksumBytes = header.blockChecksums ? 4 : 0;
      if (!(await input.has(size + checksumBytes))) throw this.truncated('block');
      const start = input.position;
      if (checksumBytes > 0) this.compare('block', xxh32(input.bytes, start, start + size), start + size);
      const isPlain = word >= LZ4_PLAIN_BLOCK;
      const plain = isPlain ? blocks.copy(input.bytes, start, start + size) : this.decode(start, size);
      input.position += size + checksumBytes;
      this.produced += plain;
      if (contentSize >= 0 && this.produced > contentSize) throw this.wrongSize(offset);
      const { bytes } = blocks;
      this.hash?.update(bytes);
      if (plain > 0) return bytes;
    }
  }

  private decode(start: number, size: number): number {
    const { input, fail, header } = this;
    const plain = this.blocks!.decode(input.bytes, start, start + size);
    if (plain >= 0) return plain;
    const offset = input.offset - input.position + lz4Flaw.at;
    throw fail('packed/corrupt', offset, { reason: lz4Flaw.why, limit: header.blockMax });
  }

  private async end(): Promise<null> {
    const { input, hash, header } = this;
    if (hash !== null) {
      if (!(await input.has(4))) throw this.truncated('content-checksum');
      this.compare('content', hash.low(), input.position);
      input.position += 4;
    }
    if (header.contentSize >= 0 && this.produced !== header.contentSize) throw this.wrongSize(this.startedAt);
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
    const { header, produced } = this;
    const claimed = header.contentSize;
    return this.fail('packed/corrupt', offset, { reason: 'content-size', claimed, produced });
  }
}

const NO_HEADER: Lz4Header = {
  bytes: 0,
  blockMax: 0,
  contentSize: -1,
  blockChecksums: false,
  contentChecksum: false,
  independent: false,
  dictionary: false,
};

const hex = (word: number): string => word.toString(16).padStart(8, '0');
