import { gzipSync } from 'node:zlib';
import { runningXxh64, xxh32 } from '../../src/kernels/xxhash.js';

/** Options of an LZ4 frame: as the format names them. */
export interface Lz4Options {
  /** 4: blocks of 64 KiB, 5: 256 KiB, 6: 1 MiB, 7: 4 MiB. */
  readonly blockId?: 4 | 5 | 6 | 7;
  /** Plain bytes per block, no more than the id allows. */
  readonly blockBytes?: number;
  readonly linked?: boolean;
  readonly blockChecksums?: boolean;
  readonly contentChecksum?: boolean;
  readonly contentSize?: boolean;
}

/** Every feature of the frame format on its own, and all together. */
export const LZ4_VARIANTS: readonly Lz4Options[] = [
  {},
  { linked: true },
  { blockChecksums: true },
  { contentChecksum: true },
  { contentSize: true },
  { linked: true, blockChecksums: true, contentChecksum: true, contentSize: true, blockBytes: 500 },
];

/** One LZ4 frame, put together by hand. */
export function lz4Frame(plain: Buffer, options: Lz4Options = {}): Buffer {
  const { blockId = 4, linked, blockChecksums, contentChecksum, contentSize } = options;
  const blockBytes = options.blockBytes ?? 65536;
  const flags =
    0x40 |
    (linked ? 0 : 0x20) |
    (blockChecksums ? 0x10 : 0) |
    (contentSize ? 0x08 : 0) |
    (contentChecksum ? 0x04 : 0);
  const descriptor = Buffer.concat([
    Buffer.from([flags, blockId << 4]),
    ...(contentSize ? [word64(plain.length)] : []),
  ]);
  const headerByte = (xxh32(descriptor, 0, descriptor.length) >>> 8) & 0xff;
  const parts: Buffer[] = [Buffer.from('04224d18', 'hex'), descriptor, Buffer.from([headerByte])];
  for (let at = 0; at < plain.length; at += blockBytes) {
    const end = Math.min(plain.length, at + blockBytes);
    const packed = lz4Block(plain, at, end, linked === true ? Math.max(0, at - 65536) : at);
    const isSmaller = packed.length < end - at;
    const block = isSmaller ? packed : plain.subarray(at, end);
    parts.push(word(isSmaller ? block.length : (block.length | 0x80000000) >>> 0), block);
    if (blockChecksums) parts.push(word(xxh32(block, 0, block.length)));
  }
  parts.push(word(0));
  if (contentChecksum) parts.push(word(xxh32(plain, 0, plain.length)));
  return Buffer.concat(parts);
}

/** A block that decodes to `plain[start..end)`; its matches may begin from `from` on. */
export function lz4Block(plain: Buffer, start: number, end: number, from: number): Buffer {
  const seen = new Map<number, number>();
  const out: number[] = [];
  let anchor = start;
  const note = (at: number) => seen.set(plain.readUInt32LE(at), at);
  for (let at = from; at + 4 <= start; at++) note(at);
  for (let at = start; at + 12 < end; ) {
    const candidate = seen.get(plain.readUInt32LE(at));
    note(at);
    if (candidate === undefined || at - candidate > 65535) {
      at++;
      continue;
    }
    let length = 4;
    while (at + length < end - 5 && plain[candidate + length] === plain[at + length]) length++;
    sequence(out, plain.subarray(anchor, at), at - candidate, length);
    at += length;
    anchor = at;
  }
  sequence(out, plain.subarray(anchor, end), 0, 0);
  return Buffer.from(out);
}

/** Literals, then a match; a distance of 0 stands for none, which ends the block. */
function sequence(out: number[], literals: Buffer, distance: number, length: number): void {
  const matched = distance === 0 ? 0 : length - 4;
  out.push((Math.min(literals.length, 15) << 4) | Math.min(matched, 15));
  lengthBytes(out, literals.length);
  for (const byte of literals) out.push(byte);
  if (distance === 0) return;
  out.push(distance & 0xff, distance >> 8);
  lengthBytes(out, matched);
}

function lengthBytes(out: number[], length: number): void {
  if (length < 15) return;
  let left = length - 15;
  for (; left >= 255; left -= 255) out.push(255);
  out.push(left);
}

/** Valkey's envelope of version 1 around an LZ4 frame, its last four bytes of choice. */
export function vcs(plain: Buffer, options: Lz4Options = {}, fields = [1, 1, 0, 1]): Buffer {
  return Buffer.concat([Buffer.from('VCS'), Buffer.from(fields), lz4Frame(plain, options)]);
}

/** A zstd frame of plain blocks and blocks of one repeated byte, which is all that this writes. */
export function zstdFrame(
  blocks: readonly (Buffer | { readonly byte: number; readonly count: number })[],
  options: { readonly checksum?: boolean; readonly windowLog?: number } = {},
): Buffer {
  const { checksum = false, windowLog = 17 } = options;
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, checksum ? 4 : 0, (windowLog - 10) << 3])];
  const hash = runningXxh64()!;
  for (const [i, block] of blocks.entries()) {
    const last = i === blocks.length - 1 ? 1 : 0;
    const isPlain = Buffer.isBuffer(block);
    const size = isPlain ? block.length : block.count;
    const header = Buffer.alloc(3);
    header.writeUIntLE((size << 3) | (isPlain ? 0 : 2) | last, 0, 3);
    parts.push(header, isPlain ? block : Buffer.from([block.byte]));
    if (checksum) hash.update(isPlain ? block : Buffer.alloc(size, block.byte));
  }
  if (checksum) parts.push(word(hash.low()));
  return Buffer.concat(parts);
}

/** A skippable frame of both zstd and LZ4. */
export const skippable = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from('512a4d18', 'hex'), word(bytes.length), bytes]);

export const gzip = (plain: Buffer): Buffer => gzipSync(plain);

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const word64 = (value: number): Buffer =>
  Buffer.concat([word(value % 4294967296), word(Math.floor(value / 4294967296))]);
