import { Decompress, decompress } from 'fzstd';

/** Bytes of the magic that opens a frame. */
export const ZSTD_MAGIC = 0xfd2fb528;
/** No block decodes to more. */
export const ZSTD_BLOCK_MAX = 131072;
/** The largest window the zstd program accepts unless told otherwise. */
export const ZSTD_WINDOW_MAX = 1 << 27;

/** What the header of a frame says. */
export interface ZstdHeader {
  /** Bytes of the header, the magic excluded. */
  readonly bytes: number;
  readonly windowBytes: number;
  /** -1: not told. */
  readonly contentSize: number;
  readonly dictionary: number;
  readonly hasChecksum: boolean;
}

const SIZE_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;

/** Reads the header behind the magic; the bytes it wants when they are not all here; null when it is none. */
export function readZstdHeader(bytes: Buffer, start: number, end: number): ZstdHeader | number | null {
  if (start >= end) return 1;
  const flags = bytes[start]!;
  if (flags & 0x08) return null;
  const single = (flags & 0x20) !== 0;
  const dictionaryBytes = DICTIONARY_BYTES[(flags & 3) as 0 | 1 | 2 | 3];
  const sizeBytes = SIZE_BYTES[(flags >> 6) as 0 | 1 | 2 | 3] || (single ? 1 : 0);
  const total = 1 + (single ? 0 : 1) + dictionaryBytes + sizeBytes;
  if (start + total > end) return total;
  let at = start + (single ? 1 : 2);
  const dictionary = dictionaryBytes === 0 ? 0 : bytes.readUIntLE(at, dictionaryBytes);
  at += dictionaryBytes;
  let contentSize = -1;
  if (sizeBytes === 8) contentSize = bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 4294967296;
  else if (sizeBytes > 0) contentSize = bytes.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  let windowBytes = contentSize;
  if (!single) {
    const descriptor = bytes[start + 1]!;
    const base = 2 ** (10 + (descriptor >> 3));
    windowBytes = base + (base / 8) * (descriptor & 7);
  }
  return { bytes: total, windowBytes, contentSize, dictionary, hasChecksum: (flags & 0x04) !== 0 };
}

/** One block after the other of a frame, decoded in plain JavaScript. What the blocks claim must be checked around it. */
export class ZstdBlocks {
  private readonly decoder: Decompress;
  private decoded: Uint8Array[] = [];
  private header: Buffer | null;
  /** Bytes the decoder moves for each block to keep its window. */
  readonly windowBytes: number;

  constructor(windowBytes: number) {
    this.windowBytes = windowBytes;
    this.header = zstdHeader(windowBytes);
    this.decoder = new Decompress((bytes) => {
      if (bytes.length > 0) this.decoded.push(bytes);
    });
  }

  /** Takes a whole block with its header, and returns what came out by now. @throws Error when it is malformed */
  push(block: Uint8Array, last: boolean): Uint8Array[] {
    const bytes = this.header === null ? block : Buffer.concat([this.header, block]);
    this.header = null;
    this.decoder.push(bytes, last);
    return this.decoded.splice(0);
  }
}

/** A header, magic included, with a window of the next power of two and nothing else that decoding can do without. */
export function zstdHeader(windowBytes: number): Buffer {
  const exponent = Math.max(0, Math.ceil(Math.log2(Math.max(1024, windowBytes))) - 10);
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3]);
}

/** Decodes a whole frame into memory of `size` bytes, which is what it must yield. @throws Error when it is malformed */
export function zstdDecompress(frame: Uint8Array, size: number): Uint8Array {
  return decompress(frame, new Uint8Array(size));
}
