import { LZ4_MAGIC } from '../kernels/lz4-frame.js';
import { ZSTD_MAGIC } from '../kernels/zstd.js';
import type { PackedInput } from './packed-input.js';
import type { Fail, Unpacker } from './unpack.js';
import { Lz4FrameReader } from './unpack-lz4.js';
import { ZstdFrameReader } from './unpack-zstd.js';

const MAGIC_LZ4_LEGACY = 0x184c2102;
/** With any value in the lowest four bits. */
const MAGIC_SKIPPABLE = 0x184d2a50;

/** Frames of zstd and LZ4, one after the other in any order, skippable ones left out. */
export class FramesUnpacker implements Unpacker {
  private readonly lz4: Lz4FrameReader;
  private readonly zstd: ZstdFrameReader;
  /** The reader of the frame at hand; null between frames. */
  private frame: Lz4FrameReader | ZstdFrameReader | null = null;
  private frames = 0;

  constructor(
    private readonly input: PackedInput,
    private readonly fail: Fail,
  ) {
    this.lz4 = new Lz4FrameReader(input, fail);
    this.zstd = new ZstdFrameReader(input, fail);
  }

  async next(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.frame === null && !(await this.startFrame())) return null;
      const bytes = await this.frame!.next();
      if (bytes !== null) return bytes;
      this.frame = null;
    }
  }

  /** Reads up to the first block of the next frame; false at the end. */
  private async startFrame(): Promise<boolean> {
    const { input, fail } = this;
    for (;;) {
      const { offset } = input;
      if (!(await input.has(1))) return false;
      if (!(await input.has(4))) throw this.noFrame(offset);
      const magic = input.word();
      if ((magic & 0xfffffff0) >>> 0 === MAGIC_SKIPPABLE) {
        if (!(await input.has(4)) || !(await input.skip(input.word())))
          throw fail('packed/truncated', input.offset, { reading: 'skippable-frame' });
        continue;
      }
      if (magic === LZ4_MAGIC) this.frame = this.lz4;
      else if (magic === ZSTD_MAGIC) this.frame = this.zstd;
      else if (magic === MAGIC_LZ4_LEGACY)
        throw fail('packed/unsupported', offset, { reason: 'lz4-legacy-frame' });
      else throw this.noFrame(offset);
      this.frames++;
      await this.frame.begin(offset);
      return true;
    }
  }

  private noFrame(offset: number) {
    const { input, fail, frames } = this;
    const found = input.bytes.toString('hex', input.position - 4, input.position);
    if (frames > 0) return fail('packed/trailing-bytes', offset, { frames, found });
    return fail('packed/corrupt', offset, { reason: 'no-frame', found });
  }

  close(): void {
    this.zstd.close();
  }
}
