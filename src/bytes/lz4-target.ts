import { LZ4_MAGIC, LZ4_PLAIN_BLOCK } from '../kernels/lz4-frame.js';
import { LZ4_PACK_BLOCK, Lz4PackPlain } from '../kernels/lz4-pack-plain.js';
import { Lz4PackWasm } from '../kernels/lz4-pack-wasm.js';
import { type RunningHash, runningXxh32, xxh32 } from '../kernels/xxhash.js';
import type { ByteTarget } from './target.js';

/** Of the frame: version 1, linked blocks; and where they can be computed, checksums of blocks and of the content. */
const FLAGS = 0x40;
const FLAGS_CHECKED = 0x54;
/** Blocks of 64 KiB at most. */
const SIZES = 0x40;

/** One LZ4 frame around what is written: linked blocks of 64 KiB. */
export class Lz4Target implements ByteTarget {
  size = 0;
  private readonly packer = Lz4PackWasm.create() ?? new Lz4PackPlain();
  private readonly hash: RunningHash | null = runningXxh32();
  /** Bytes of the block that is being filled. */
  private filled = 0;
  /** Bytes before it that it may refer to. */
  private history = 0;
  private ended = false;

  /** `front` stands before the frame. */
  constructor(
    private readonly into: ByteTarget,
    front: Uint8Array = Buffer.alloc(0),
  ) {
    this.packer.begin();
    const fields = Buffer.from([this.hash === null ? FLAGS : FLAGS_CHECKED, SIZES]);
    const check = (xxh32(fields, 0, fields.length) >>> 8) & 0xff;
    into.write(Buffer.concat([front, word(LZ4_MAGIC), fields, Buffer.from([check])]));
  }

  get label(): string {
    return this.into.label;
  }

  get full(): boolean {
    return this.into.full;
  }

  write(bytes: Uint8Array): void {
    this.size += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(bytes.length - at, LZ4_PACK_BLOCK - this.filled);
      this.packer.source.set(bytes.subarray(at, at + count), LZ4_PACK_BLOCK + this.filled);
      this.filled += count;
      at += count;
      if (this.filled === LZ4_PACK_BLOCK) this.endBlock();
    }
  }

  private endBlock(): void {
    const { packer, hash, into, filled } = this;
    const plain = packer.source.subarray(LZ4_PACK_BLOCK, LZ4_PACK_BLOCK + filled);
    hash?.update(plain);
    const size = packer.pack(filled, this.history);
    const block = size > 0 ? packer.output.subarray(0, size) : plain;
    into.write(word(size > 0 ? size : LZ4_PLAIN_BLOCK + filled));
    into.write(block);
    if (hash !== null) into.write(word(xxh32(block, 0, block.length)));
    packer.source.copyWithin(LZ4_PACK_BLOCK - filled, LZ4_PACK_BLOCK, LZ4_PACK_BLOCK + filled);
    this.history = LZ4_PACK_BLOCK;
    this.filled = 0;
  }

  drain(): Promise<void> {
    return this.into.drain();
  }

  /** Hands the end of the frame on; nothing may be written after it. */
  end(): Promise<void> {
    if (!this.ended) {
      this.ended = true;
      if (this.filled > 0) this.endBlock();
      this.into.write(word(0));
      if (this.hash !== null) this.into.write(word(this.hash.low()));
    }
    return this.into.drain();
  }

  async publish(): Promise<void> {
    await this.end();
    await this.into.publish();
  }

  discard(): Promise<void> {
    return this.into.discard();
  }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
