import { createInflateRaw, type InflateRaw, type ZlibOptions } from 'node:zlib';
import { crc32 } from '../kernels/crc32.js';
import type { PackedInput } from './packed-input.js';
import type { Fail, Unpacker } from './unpack.js';

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const FLAG_HEADER_CRC = 0x02;
const FLAG_EXTRA = 0x04;
const FLAG_NAME = 0x08;
const FLAG_COMMENT = 0x10;
const FLAGS_RESERVED = 0xe0;
const DEFLATE = 8;
const PIECE_BYTES = 64 * 1024;
const CHUNK_BYTES = 128 * 1024;

/** The members of a gzip file one after the other, each held to its CRC-32 and size; zlib inflates on its own threads. */
export class GzipUnpacker implements Unpacker {
  private inflate: Inflate | null = null;
  private sum = 0;
  private size = 0;
  private members = 0;

  constructor(
    private readonly input: PackedInput,
    private readonly fail: Fail,
  ) {}

  async next(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.inflate === null && !(await this.startMember())) return null;
      const bytes = await this.pull(this.inflate!);
      if (bytes !== null) {
        this.sum = crc32(bytes, this.sum);
        this.size = (this.size + bytes.length) >>> 0;
        return bytes;
      }
      await this.endMember();
    }
  }

  private async pull(inflate: Inflate): Promise<Uint8Array | null> {
    const { input, fail } = this;
    for (;;) {
      const bytes = await inflate.next();
      if (bytes === 'more') {
        if (!(await input.has(1))) throw this.truncated('compressed-data');
        const size = Math.min(PIECE_BYTES, input.end - input.position);
        inflate.give(input.bytes.subarray(input.position, input.position + size));
        input.position += size;
      } else if (bytes instanceof Error) {
        const at = input.offset - inflate.untaken;
        throw fail('packed/corrupt', at, { reason: bytes.message, member: this.members });
      } else {
        return bytes;
      }
    }
  }

  /** Reads the header of the next member; false at the end of the file, zeros behind the last member left aside. */
  private async startMember(): Promise<boolean> {
    const { input, fail } = this;
    if (this.members > 0 && !(await this.passZeros())) return false;
    const { offset } = input;
    const isMember =
      (await input.has(2)) &&
      input.bytes[input.position] === 0x1f &&
      input.bytes[input.position + 1] === 0x8b;
    if (!isMember && this.members > 0) throw fail('packed/trailing-bytes', offset, { members: this.members });
    if (!(await input.has(HEADER_BYTES))) throw this.truncated('header');
    const method = input.bytes[input.position + 2]!;
    const flags = input.bytes[input.position + 3]!;
    if (method !== DEFLATE) throw fail('packed/unsupported', offset, { reason: 'method', method });
    if (flags & FLAGS_RESERVED) throw fail('packed/corrupt', offset + 3, { reason: 'header-flags', flags });
    input.position += HEADER_BYTES;
    if (flags & FLAG_EXTRA) {
      if (!(await input.has(2))) throw this.truncated('header');
      const size = input.bytes.readUInt16LE(input.position);
      if (!(await input.skip(2 + size))) throw this.truncated('header');
    }
    if (flags & FLAG_NAME) await this.passText();
    if (flags & FLAG_COMMENT) await this.passText();
    if (flags & FLAG_HEADER_CRC && !(await input.skip(2))) throw this.truncated('header');
    this.members++;
    this.sum = this.size = 0;
    this.inflate = new Inflate();
    return true;
  }

  private async passZeros(): Promise<boolean> {
    const { input } = this;
    while (await input.has(1)) {
      if (input.bytes[input.position] !== 0) return true;
      input.position++;
    }
    return false;
  }

  private async passText(): Promise<void> {
    const { input } = this;
    while (await input.has(1)) {
      if (input.bytes[input.position++] === 0) return;
    }
    throw this.truncated('header');
  }

  private async endMember(): Promise<void> {
    const { input, fail, sum, size, members: member } = this;
    input.position -= this.inflate!.untaken;
    this.close();
    this.inflate = null;
    const { offset } = input;
    if (!(await input.has(TRAILER_BYTES))) throw this.truncated('trailer');
    const stored = input.word();
    const claimed = input.word();
    if (stored !== sum) {
      const detail = { of: 'content', stored: hex(stored), computed: hex(sum), member };
      throw fail('packed/checksum-mismatch', offset, detail);
    }
    if (claimed !== size) {
      throw fail('packed/corrupt', offset + 4, { reason: 'content-size', claimed, produced: size, member });
    }
  }

  private truncated(reading: string) {
    const { input } = this;
    return this.fail('packed/truncated', input.offset + input.end - input.position, { reading });
  }

  close(): void {
    this.inflate?.close();
  }
}

const hex = (word: number): string => word.toString(16).padStart(8, '0');

/**
 * zlib's stream as something to ask for bytes. Its own buffer holds one chunk at most, so that it goes on only when that
 * was taken: a bomb expands no further than it is read.
 */
class Inflate {
  private readonly stream: InflateRaw;
  private given = 0;
  private working = false;
  private ended = false;
  private error: Error | null = null;
  private wake: () => void = () => {};

  constructor() {
    const options: ZlibOptions & { readableHighWaterMark: number } = {
      chunkSize: CHUNK_BYTES,
      readableHighWaterMark: 1,
    };
    this.stream = createInflateRaw(options);
    this.stream.on('readable', () => this.wake());
    this.stream.on('end', () => {
      this.ended = true;
      this.wake();
    });
    this.stream.on('error', (error) => {
      this.error = error;
      this.wake();
    });
    this.stream.on('close', () => this.wake());
  }

  /** Bytes that were given and not used. */
  get untaken(): number {
    return this.given - this.stream.bytesWritten;
  }

  /** The next bytes; 'more' when it wants input, null at the end of the compressed data, or what is wrong with it. */
  async next(): Promise<Buffer | 'more' | Error | null> {
    for (;;) {
      const bytes = this.stream.read() as Buffer | null;
      if (bytes !== null) return bytes;
      if (this.ended) return null;
      if (this.error !== null) return this.error;
      if (this.stream.destroyed) return null;
      // Bytes it leaves stand behind the end of the compressed data, which it is about to tell.
      if (!this.working && this.untaken === 0) return 'more';
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** The bytes must stay as they are until `next` asks for more. */
  give(bytes: Uint8Array): void {
    this.given += bytes.length;
    this.working = true;
    this.stream.write(bytes, () => {
      this.working = false;
      this.wake();
    });
  }

  close(): void {
    this.stream.destroy();
  }
}
