import { LZ4_VARIANTS, lz4Frame, skippable, vcs, zstdFrame } from '../support/pack.js';

/** A member of gzip without the time and system it was made on. */
export function gzipMember(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[9] = 0xff;
  return copy;
}

export const lz4Frames = (plain: readonly Buffer[]): Buffer[] => [
  ...plain.flatMap((bytes) => LZ4_VARIANTS.map((options) => lz4Frame(bytes, options))),
  Buffer.concat([skippable(Buffer.from('skip')), lz4Frame(plain[0]!)]),
];

export const vcsStream = (plain: readonly Buffer[]): Buffer[] =>
  plain.flatMap((bytes) => [
    vcs(bytes),
    vcs(bytes, { linked: true, blockBytes: 100, contentChecksum: true }),
  ]);

export const zstdFrames = (): Buffer[] => [
  zstdFrame([Buffer.from('hello')]),
  zstdFrame([Buffer.from('hello'), { byte: 65, count: 1000 }], { checksum: true }),
  zstdFrame([{ byte: 0, count: 30_000 }], { windowLog: 10 }),
  Buffer.concat([skippable(Buffer.from('skip')), zstdFrame([Buffer.from('a')])]),
];
