import { LZ4_MAGIC } from '../kernels/lz4-frame.js';
import type { PackedInput } from './packed-input.js';
import type { Fail, Unpacker } from './unpack.js';
import { Lz4FrameReader } from './unpack-lz4.js';

/** What the four bytes after `VCS` are in the one version there is; everything else is refused. */
const FIELDS: readonly (readonly [name: string, value: number])[] = [
  ['version', 1],
  ['codec', 1],
  ['reserved-byte', 0],
  ['stream-kind', 1],
];
const MAGIC_BYTES = 3;

/** Valkey's compressed stream: an envelope of seven bytes, exactly one LZ4 frame, nothing after it. */
export class VcsUnpacker implements Unpacker {
  private readonly frame: Lz4FrameReader;
  private started = false;

  constructor(
    private readonly input: PackedInput,
    private readonly fail: Fail,
  ) {
    this.frame = new Lz4FrameReader(input, fail);
  }

  async next(): Promise<Uint8Array | null> {
    if (!this.started) await this.start();
    const bytes = await this.frame.next();
    if (bytes !== null) return bytes;
    const { offset } = this.input;
    if (await this.input.has(1)) throw this.fail('packed/trailing-bytes', offset, { frames: 1 });
    return null;
  }

  private async start(): Promise<void> {
    const { input, fail } = this;
    this.started = true;
    const envelope = MAGIC_BYTES + FIELDS.length;
    const whole = await input.has(envelope + 4);
    const here = input.end - input.position;
    for (const [i, [field, expected]] of FIELDS.entries()) {
      const found = input.bytes[input.position + MAGIC_BYTES + i]!;
      if (MAGIC_BYTES + i < here && found !== expected) {
        throw fail('packed/unsupported', MAGIC_BYTES + i, { reason: field, expected, found });
      }
    }
    if (!whole) throw fail('packed/truncated', input.offset + here, { reading: 'envelope' });
    input.position += envelope;
    const { offset } = input;
    const magic = input.word();
    if (magic !== LZ4_MAGIC) {
      const found = input.bytes.toString('hex', input.position - 4, input.position);
      throw fail('packed/corrupt', offset, { reason: 'no-frame', found });
    }
    await this.frame.begin(offset);
  }

  close(): void {}
}
