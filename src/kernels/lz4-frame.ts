import { Lz4Blocks, lz4Flaw } from './lz4.js';
import { xxh32 } from './xxhash.js';

/** Bytes of the magic that opens a frame. */
export const LZ4_MAGIC = 0x184d2204;
export const LZ4_PLAIN_BLOCK = 0x80000000;

const FLAG_DICTIONARY = 0x01;
const FLAG_RESERVED = 0x02;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_INDEPENDENT = 0x20;
/** Blocks hold at most 64 KiB, 256 KiB, 1 MiB or 4 MiB, as bits 4 to 6 of the second byte say: 4 to 7. */
const BLOCK_BYTES: Readonly<Record<number, number>> = { 4: 0x10000, 5: 0x40000, 6: 0x100000, 7: 0x400000 };

/** What the header of a frame says. */
export interface Lz4Header {
  /** Bytes of the header, the magic excluded. */
  readonly bytes: number;
  readonly blockMax: number;
  /** Plain bytes it promises; -1: it doesn't. */
  readonly contentSize: number;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  readonly independent: boolean;
  readonly dictionary: boolean;
}

/** Why bytes are no header: its checksum, or a field; `at` is the position of what is wrong. */
export interface Lz4HeaderFlaw {
  readonly flaw: 'checksum' | 'frame-header' | 'block-size';
  readonly at: number;
  readonly stored: number;
  readonly computed: number;
}

/** Reads the header behind the magic; the bytes it wants when they are not all here; or what is wrong with it. */
export function readLz4Header(bytes: Buffer, start: number, end: number): Lz4Header | Lz4HeaderFlaw | number {
  if (start + 3 > end) return 3;
  const flags = bytes[start]!;
  const sizes = bytes[start + 1]!;
  const size = flags & FLAG_CONTENT_SIZE ? 10 : 2;
  if (flags >> 6 !== 1 || flags & FLAG_RESERVED || sizes & 0x8f) {
    return { flaw: 'frame-header', at: start, stored: flags, computed: sizes };
  }
  const dictionary = (flags & FLAG_DICTIONARY) !== 0;
  const total = size + (dictionary ? 4 : 0) + 1;
  if (start + total > end) return total;
  const computed = (xxh32(bytes, start, start + total - 1) >>> 8) & 0xff;
  const stored = bytes[start + total - 1]!;
  if (computed !== stored) return { flaw: 'checksum', at: start + total - 1, stored, computed };
  const blockMax = BLOCK_BYTES[sizes >> 4];
  if (blockMax === undefined) return { flaw: 'block-size', at: start + 1, stored: sizes, computed: 0 };
  return {
    bytes: total,
    blockMax,
    contentSize: size === 2 ? -1 : bytes.readUInt32LE(start + 2) + bytes.readUInt32LE(start + 6) * 4294967296,
    blockChecksums: (flags & FLAG_BLOCK_CHECKSUM) !== 0,
    contentChecksum: (flags & FLAG_CONTENT_CHECKSUM) !== 0,
    independent: (flags & FLAG_INDEPENDENT) !== 0,
    dictionary,
  };
}

/** For frames that are all in memory, one after the other. */
let blobs: Lz4Blocks | null = null;

/**
 * Decodes `bytes[start..end)`, which must be exactly one frame that is all here, every checksum compared. Memory grows
 * as blocks turn out to hold bytes, up to `sizeMax`.
 *
 * @returns the plain bytes, or what is wrong
 */
export function lz4DecodeFrame(bytes: Buffer, start: number, end: number, sizeMax: number): Buffer | string {
  if (end - start < 4 || bytes.readUInt32LE(start) !== LZ4_MAGIC) return 'no-frame';
  const header = readLz4Header(bytes, start + 4, end);
  if (typeof header === 'number') return 'truncated';
  if ('flaw' in header) return header.flaw;
  if (header.dictionary) return 'dictionary';
  const { blockMax, blockChecksums } = header;
  blobs ??= new Lz4Blocks();
  const blocks = blobs;
  blocks.begin(blockMax, !header.independent);
  let output: Buffer = Buffer.allocUnsafe(Math.min(blockMax, 4 * (end - start)));
  let size = 0;
  let at = start + 4 + header.bytes;
  for (;;) {
    if (at + 4 > end) return 'truncated';
    const word = bytes.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const stop = at + (word % LZ4_PLAIN_BLOCK);
    const next = stop + (blockChecksums ? 4 : 0);
    if (stop - at > blockMax || next > end) return stop - at > blockMax ? 'block-size' : 'truncated';
    if (blockChecksums && bytes.readUInt32LE(stop) !== xxh32(bytes, at, stop)) return 'checksum';
    const isPlain = word >= LZ4_PLAIN_BLOCK;
    const plain = isPlain ? blocks.copy(bytes, at, stop) : blocks.decode(bytes, at, stop);
    if (plain < 0) return lz4Flaw.why;
    if (size + plain > sizeMax) return 'too-large';
    if (size + plain > output.length) output = enlarged(output, size, Math.max(2 * size, size + plain));
    blocks.bytes.copy(output, size);
    size += plain;
    at = next;
  }
  if (header.contentChecksum) {
    if (at + 4 > end) return 'truncated';
    if (bytes.readUInt32LE(at) !== xxh32(output, 0, size)) return 'checksum';
    at += 4;
  }
  if (at !== end) return 'trailing-bytes';
  if (header.contentSize >= 0 && header.contentSize !== size) return 'content-size';
  return output.subarray(0, size);
}

function enlarged(bytes: Buffer, used: number, size: number): Buffer {
  const larger = Buffer.allocUnsafe(size);
  bytes.copy(larger, 0, 0, used);
  return larger;
}
