import * as zlib from 'node:zlib';
import { FormatError } from '../errors.js';
import { type RunningHash, runningXxh64 } from '../kernels/xxhash.js';
import {
  readZstdHeader,
  ZSTD_BLOCK_MAX,
  ZSTD_WINDOW_MAX,
  ZstdBlocks,
  type ZstdHeader,
  zstdHeader,
} from '../kernels/zstd.js';
import type { PackedInput } from './packed-input.js';
import type { Fail } from './unpack.js';

const BLOCK_HEADER = 3;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;
/** What moving the window may cost beside a fair share for each plain byte: a few seconds. */
const MOVED_MAX = 16 * 1024 * 1024 * 1024;
const MOVED_PER_BYTE = 4096;

/** Decodes the blocks of one frame. */
interface ZstdEngine {
  push(block: Uint8Array, last: boolean): Uint8Array[] | Promise<Uint8Array[]>;
  close(): void;
}

/**
 * The blocks of one zstd frame after the other. Frame and block headers are read here, so that no claim is believed and
 * damage has a place; blocks are decoded by zlib where it knows zstd (Node.js 22.15 and later), else by fzstd.
 */
export class ZstdFrameReader {
  private header: ZstdHeader = NO_HEADER;
  private engine: ZstdEngine | null = null;
  private hash: RunningHash | null = null;
  private startedAt = 0;
  private produced = 0;
  private blockMax = 0;
  private moved = 0;
  private ended = false;
  private ready: Uint8Array[] = [];

  constructor(
    private readonly input: PackedInput,
    private readonly fail: Fail,
  ) {}

  /** Reads the header behind the magic that stood at `offset`. @throws FormatError when it is none */
  async begin(offset: number): Promise<void> {
    const { input, fail } = this;
    this.startedAt = offset;
    let header: ZstdHeader | number | null = 1;
    while (typeof header === 'number') {
      if (!(await input.has(header))) throw this.truncated('frame-header');
      header = readZstdHeader(input.bytes, input.position, input.end);
    }
    if (header === null) throw fail('packed/corrupt', input.offset, { reason: 'frame-header' });
    const { windowBytes, dictionary } = header;
    if (dictionary !== 0) throw fail('packed/unsupported', offset, { reason: 'dictionary', dictionary });
    if (windowBytes > ZSTD_WINDOW_MAX) {
      throw fail('packed/unsupported', offset, {
        reason: 'window',
        claimed: windowBytes,
        limit: ZSTD_WINDOW_MAX,
      });
    }
    input.position += header.bytes;
    this.header = header;
    this.blockMax = Math.min(ZSTD_BLOCK_MAX, windowBytes);
    this.produced = 0;
    this.ended = false;
    // Compared here whoever decodes: zlib would keep the last block of a frame whose checksum is wrong to itself.
    this.hash = header.hasChecksum ? runningXxh64() : null;
    if (header.hasChecksum && this.hash === null)
      throw fail('packed/unsupported', offset, { reason: 'no-webassembly' });
    this.engine = NativeZstd.create(header) ?? this.plainEngine();
  }

  private plainEngine(): ZstdEngine {
    const blocks = new ZstdBlocks(Math.min(this.header.windowBytes, this.reach()));
    return {
      push: (block, last) => {
        this.moved += blocks.windowBytes;
        return blocks.push(block, last);
      },
      close: () => {},
    };
  }

  /** The most that the frame can yield, when its end is in memory already: a small frame gets a small window. */
  private reach(): number {
    const { bytes, position, end } = this.input;
    let reach = 0;
    for (let at = position; at + BLOCK_HEADER <= end; ) {
      const word = bytes.readUIntLE(at, BLOCK_HEADER);
      reach += ZSTD_BLOCK_MAX;
      if (word & 1) return reach;
      at += BLOCK_HEADER + (((word >> 1) & 3) === BLOCK_RLE ? 1 : word >> 3);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** The bytes of a block; null once the frame has ended well. */
  async next(): Promise<Uint8Array | null> {
    for (;;) {
      const bytes = this.ready.shift();
      if (bytes !== undefined) return bytes;
      if (this.ended) return this.end();
      await this.block();
    }
  }

  private async block(): Promise<void> {
    const { input, fail, header } = this;
    const { offset } = input;
    if (!(await input.has(BLOCK_HEADER))) throw this.truncated('block-header');
    const word = input.bytes.readUIntLE(input.position, BLOCK_HEADER);
    const kind = (word >> 1) & 3;
    const size = word >> 3;
    if (kind === BLOCK_RESERVED) throw fail('packed/corrupt', offset, { reason: 'block-type' });
    if (size > this.blockMax) {
      throw fail('packed/corrupt', offset, { reason: 'block-size', claimed: size, limit: this.blockMax });
    }
    this.ended = (word & 1) !== 0;
    const inFile = BLOCK_HEADER + (kind === BLOCK_RLE ? 1 : size);
    const checksumBytes = this.ended && header.hasChecksum ? 4 : 0;
    if (!(await input.has(inFile + checksumBytes))) throw this.truncated('block');
    const stop = input.position + inFile;
    const block = Buffer.from(input.bytes.subarray(input.position, stop));
    input.position = stop + checksumBytes;
    this.ready = await this.decode(block, offset);
    for (const bytes of this.ready) this.count(bytes, offset);
  }

  private async decode(block: Buffer, offset: number): Promise<Uint8Array[]> {
    try {
      return await this.engine!.push(block, this.ended);
    } catch (error) {
      if (error instanceof FormatError) throw error;
      throw this.fail('packed/corrupt', offset, { reason: (error as Error).message });
    }
  }

  private count(bytes: Uint8Array, offset: number): void {
    this.produced += bytes.length;
    this.hash?.update(bytes);
    const { contentSize } = this.header;
    if (contentSize >= 0 && this.produced > contentSize) throw this.wrongSize(offset);
    if (this.moved > MOVED_MAX + MOVED_PER_BYTE * this.produced) {
      throw this.fail('packed/unsupported', offset, { reason: 'tiny-blocks-in-large-window' });
    }
  }

  /** Compares what the frame promised with what came, once all of that has been handed out. */
  private end(): null {
    const { input, header, produced, hash } = this;
    if (header.contentSize >= 0 && produced !== header.contentSize) throw this.wrongSize(this.startedAt);
    if (hash === null) return null;
    const stored = input.bytes.readUInt32LE(input.position - 4);
    const computed = hash.low();
    if (stored === computed) return null;
    throw this.fail('packed/checksum-mismatch', input.offset - 4, {
      of: 'content',
      stored: hex(stored),
      computed: hex(computed),
    });
  }

  private wrongSize(offset: number) {
    const { header, produced } = this;
    const claimed = header.contentSize;
    return this.fail('packed/corrupt', offset, { reason: 'content-size', claimed, produced });
  }

  private truncated(reading: string) {
    const { input } = this;
    return this.fail('packed/truncated', input.offset + input.end - input.position, { reading });
  }

  close(): void {
    this.engine?.close();
  }
}

const NO_HEADER: ZstdHeader = {
  bytes: 0,
  windowBytes: 0,
  contentSize: -1,
  dictionary: 0,
  hasChecksum: false,
};
const hex = (word: number): string => word.toString(16).padStart(8, '0');

/** zlib's stream, in the types of Node.js 20, which has none for zstd. */
type ZstdStream = zlib.Gunzip;
const createZstdDecompress = (zlib as { readonly createZstdDecompress?: () => ZstdStream })
  .createZstdDecompress;

/** zlib's own decoder: one frame, given block by block, so that what comes out at once is one block. */
class NativeZstd implements ZstdEngine {
  private decoded: Uint8Array[] = [];
  private settle: ((error: Error | null) => void) | null = null;
  private error: Error | null = null;

  static create(header: ZstdHeader): NativeZstd | null {
    return createZstdDecompress === undefined ? null : new NativeZstd(createZstdDecompress(), header);
  }

  private constructor(
    private readonly stream: ZstdStream,
    header: ZstdHeader,
  ) {
    stream.on('data', (bytes: Uint8Array) => this.decoded.push(bytes));
    stream.on('end', () => this.settle?.(null));
    stream.on('error', (error) => {
      this.error = error;
      this.settle?.(error);
    });
    stream.write(zstdHeader(header.windowBytes));
  }

  async push(block: Uint8Array, last: boolean): Promise<Uint8Array[]> {
    await new Promise<void>((resolve, reject) => {
      if (this.error !== null) return reject(this.error);
      this.settle = (error) => (error === null ? resolve() : reject(error));
      if (last) this.stream.end(block);
      else this.stream.write(block, (error) => this.settle?.(error ?? null));
    });
    this.settle = null;
    return this.decoded.splice(0);
  }

  close(): void {
    this.stream.destroy();
  }
}
