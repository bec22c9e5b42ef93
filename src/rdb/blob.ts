import type { ByteSlice } from '../bytes/slice.js';
import { FormatError } from '../errors.js';
import { lz4DecodeFrame } from '../kernels/lz4-frame.js';
import { readZstdHeader, ZSTD_BLOCK_MAX, ZSTD_MAGIC, zstdDecompress } from '../kernels/zstd.js';
import type { GatheredValue } from './chunks.js';
import { type Cursor, SHORT } from './cursor.js';
import { insideBlob } from './dragonfly.js';
import type { TextReader } from './text.js';

/** Dragonfly packs records of up to 1 MiB, one large value in a blob of its own beside. */
const PLAIN_BYTES_MAX = 512 * 1024 * 1024;
const MAGIC_BYTES = 4;

export type BlobRule = 'blob-zstd' | 'blob-lz4';

/**
 * Records of an RDB that stand compressed in one of its records: while a blob is open the decoder's cursor goes through
 * its plain bytes. Offsets inside count from the blob's own offset in the file.
 */
export class Blob {
  private bytes: Buffer = EMPTY;
  private position = 0;
  /** Offset of the blob's opcode. */
  private offset = 0;
  /** Bytes in front of those of the file. */
  private before = 0;
  private kind = '';
  private outerBytes: Buffer = EMPTY;
  private outerPosition = 0;
  private outerEnd = 0;
  private outerBase = 0;
  private outerLimit = 0;
  isOpen = false;

  /**
   * Reads the blob whose opcode is at the cursor, and turns the cursor to its plain bytes.
   * @returns false when the window is short
   * @throws FormatError `rdb/bad-blob` when it can't be unpacked
   */
  open(rule: BlobRule, cursor: Cursor, text: TextReader): boolean {
    const offset = cursor.offsetOf(cursor.position);
    const end = text.read(cursor, cursor.position + 1);
    if (end === SHORT) return false;
    const plain = unpackBlob(rule, text.slice, offset);
    cursor.position = end;
    this.begin(cursor, plain, offset, 0, rule === 'blob-zstd' ? 'zstd-blob' : 'lz4-blob');
    return true;
  }

  /** Turns the cursor, which stands behind their last chunk, to the records of a key that came in chunks. */
  openGathered({ bytes, offset, start }: GatheredValue, cursor: Cursor): void {
    this.begin(cursor, bytes, offset, start, 'tagged-chunks');
  }

  private begin(cursor: Cursor, plain: Buffer, offset: number, before: number, kind: string): void {
    this.bytes = plain;
    this.position = 0;
    this.offset = offset;
    this.before = before;
    this.kind = kind;
    this.isOpen = true;
    this.enter(cursor);
  }

  /** Turns the cursor from the window to where it stood in the blob. */
  enter(cursor: Cursor): void {
    this.outerBytes = cursor.bytes;
    this.outerPosition = cursor.position;
    this.outerEnd = cursor.end;
    this.outerBase = cursor.base;
    this.outerLimit = cursor.limit;
    cursor.bytes = this.bytes;
    cursor.position = this.position;
    cursor.end = this.bytes.length;
    cursor.base = this.offset - this.before;
    cursor.limit = cursor.base + this.bytes.length;
  }

  /** Turns the cursor back to the window. */
  leave(cursor: Cursor): void {
    this.position = cursor.position;
    cursor.bytes = this.outerBytes;
    cursor.position = this.outerPosition;
    cursor.end = this.outerEnd;
    cursor.base = this.outerBase;
    cursor.limit = this.outerLimit;
    this.outerBytes = EMPTY;
  }

  /**
   * The window is short inside the blob, which is as it should be at its end only.
   * @throws FormatError when an item is not complete there
   */
  close(cursor: Cursor, betweenRecords: boolean): void {
    const available = cursor.end - cursor.position;
    if (!betweenRecords || available > 0) {
      const offset = cursor.offsetOf(cursor.position);
      throw new FormatError('rdb/truncated', offset, { reading: 'record', available });
    }
    this.leave(cursor);
    cursor.need = 1;
    this.isOpen = false;
    this.bytes = EMPTY;
  }

  /** The error as one of the file. */
  located(error: unknown): unknown {
    return error instanceof FormatError ? insideBlob(error, this.offset, this.kind) : error;
  }
}

const EMPTY = Buffer.alloc(0);

/** The plain bytes of a blob, whose opcode stands at `offset`. @throws FormatError `rdb/bad-blob` */
export function unpackBlob(rule: BlobRule, { bytes, start, end }: ByteSlice, offset: number): Buffer {
  const packing = rule === 'blob-zstd' ? 'zstd' : 'lz4';
  const plain =
    packing === 'zstd' ? unpackZstd(bytes, start, end) : lz4DecodeFrame(bytes, start, end, PLAIN_BYTES_MAX);
  if (typeof plain !== 'string') return plain;
  throw new FormatError('rdb/bad-blob', offset, { packing, reason: plain, bytes: end - start });
}

/** Plain bytes of a whole frame, or what is wrong with it. Dragonfly always states the size, and no frame is larger. */
function unpackZstd(bytes: Buffer, start: number, end: number): Buffer | string {
  if (end - start < MAGIC_BYTES || bytes.readUInt32LE(start) !== ZSTD_MAGIC) return 'no-frame';
  const header = readZstdHeader(bytes, start + MAGIC_BYTES, end);
  if (header === null) return 'frame-header';
  if (typeof header === 'number') return 'truncated';
  const { contentSize, dictionary } = header;
  if (dictionary !== 0) return 'dictionary';
  if (contentSize < 0) return 'no-content-size';
  let reach = 0;
  let last = false;
  let at = start + MAGIC_BYTES + header.bytes;
  while (!last) {
    if (at + 3 > end) return 'truncated';
    const word = bytes.readUIntLE(at, 3);
    const kind = (word >> 1) & 3;
    last = (word & 1) !== 0;
    if (kind === 3 || word >> 3 > ZSTD_BLOCK_MAX) return 'block-header';
    reach += kind === 2 ? ZSTD_BLOCK_MAX : word >> 3;
    at += 3 + (kind === 1 ? 1 : word >> 3);
  }
  if (at + (header.hasChecksum ? 4 : 0) !== end) return at > end ? 'truncated' : 'trailing-bytes';
  // What is claimed is allocated only when the blocks can yield it.
  if (contentSize > reach || contentSize > PLAIN_BYTES_MAX) return 'content-size';
  try {
    const plain = zstdDecompress(bytes.subarray(start, end), contentSize);
    if (plain.length !== contentSize) return 'content-size';
    return Buffer.from(plain.buffer, plain.byteOffset, plain.length);
  } catch (error) {
    return (error as Error).message;
  }
}
