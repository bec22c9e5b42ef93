import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { UnpackedSource } from '../../src/bytes/unpack.js';
import { VcsTarget } from '../../src/bytes/vcs-target.js';
import { LZ4_PACK_BLOCK, Lz4PackPlain } from '../../src/kernels/lz4-pack-plain.js';
import { Lz4PackWasm } from '../../src/kernels/lz4-pack-wasm.js';
import { Lz4Plain } from '../../src/kernels/lz4-plain.js';
import { readRdb, writeRdb } from '../../src/tools/library.js';
import { corpusBytes } from '../support/corpus.js';
import { Random } from '../support/random.js';
import { recordRdb } from '../support/rdb.js';
import { temporaryDirectory } from '../support/temporary.js';

const random = new Random(5);
const noise = (count: number) => Buffer.from(Array.from({ length: count }, () => random.between(0, 255)));
const BULK = corpusBytes('redis-7.0.15', 'bulk.rdb');

async function unpacked(bytes: Buffer): Promise<Buffer> {
  const reader = await new UnpackedSource(new MemorySource(bytes), 'vcs').open();
  const parts: Buffer[] = [];
  for (;;) {
    const into = Buffer.alloc(1 << 16);
    const count = await reader.read(into);
    if (count === 0) return Buffer.concat(parts);
    parts.push(into.subarray(0, count));
  }
}

/** Bytes of the literals that end a block. */
function lastLiterals(block: Buffer): number {
  const count = (at: number, half: number): [value: number, next: number] => {
    if (half < 15) return [half, at];
    let next = at;
    while (block[next] === 255) next++;
    return [15 + 255 * (next - at) + block[next]!, next + 1];
  };
  for (let at = 0; ; ) {
    const token = block[at]!;
    const [literals, next] = count(at + 1, token >> 4);
    if (next + literals >= block.length) return literals;
    at = count(next + literals + 2, token & 15)[1];
  }
}

async function enveloped(plain: Buffer, piece: number): Promise<Buffer> {
  const memory = new MemoryTarget();
  const target = new VcsTarget(memory);
  for (let at = 0; at < plain.length; at += piece) target.write(plain.subarray(at, at + piece));
  expect(target.size).toBe(plain.length);
  await target.publish();
  return Buffer.from(memory.bytes());
}

describe('an envelope that is written', () => {
  const block = noise(LZ4_PACK_BLOCK);
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a few bytes', Buffer.from('REDIS0009')],
    ['zeros', Buffer.alloc(300_000)],
    ['what repeats as far back as can be told', Buffer.concat([block, block.subarray(1), block])],
    ['noise', noise(70_000)],
    ['an RDB', BULK],
  ])('holds %s', async (_what, plain) => {
    const packed = await enveloped(plain, 1 << 20);
    expect(packed.subarray(0, 13).toString('hex')).toBe('56435301010001' + '04224d18' + '5440');
    expect((await unpacked(packed)).equals(plain)).toBe(true);
    expect(packed.length).toBeLessThan(plain.length + 60);
    expect((await enveloped(plain, 999)).equals(packed)).toBe(true);
  });

  it('is small where its bytes repeat, from one block to the next too', async () => {
    expect((await enveloped(Buffer.alloc(1 << 20), 1 << 16)).length).toBeLessThan(5000);
    const once = BULK.subarray(0, 50_000);
    const single = (await enveloped(once, 1 << 16)).length;
    expect((await enveloped(Buffer.concat([once, once, once]), 1 << 16)).length).toBeLessThan(single * 1.6);
  });
});

describe('packed blocks', () => {
  it('are the same from both kernels, and end as the format wants it', () => {
    const wasm = Lz4PackWasm.create()!;
    const plain = new Lz4PackPlain();
    const decoder = new Lz4Plain();
    for (const kernel of [wasm, plain]) kernel.begin();
    let history = 0;
    for (let at = 0, i = 0; at < BULK.length; i++) {
      const size = Math.min(BULK.length - at, [65536, 1, 12, 13, 4000, 65536][i % 6]!);
      const bytes = BULK.subarray(at, at + size);
      for (const { source } of [wasm, plain]) bytes.copy(source, LZ4_PACK_BLOCK);
      const count = wasm.pack(size, history);
      expect(plain.pack(size, history)).toBe(count);
      expect(wasm.output.compare(plain.output, 0, count, 0, count)).toBe(0);
      plain.source.copy(decoder.output, 0, 0, LZ4_PACK_BLOCK);
      if (count > 0) {
        expect(decoder.decode(wasm.output, 0, count, history, size)).toBe(size);
        expect(decoder.output.compare(bytes, 0, size, LZ4_PACK_BLOCK, LZ4_PACK_BLOCK + size)).toBe(0);
        // Decoders of others want the last 5 bytes as literals.
        expect(lastLiterals(wasm.output.subarray(0, count))).toBeGreaterThanOrEqual(5);
      }
      for (const { source } of [wasm, plain]) source.copyWithin(0, size, LZ4_PACK_BLOCK + size);
      history = Math.min(LZ4_PACK_BLOCK, history + size);
      at += size;
    }
  });
});

describe('writeRdb with a compressed stream', () => {
  it('writes one that reads as the same dataset, unchecked and uncompressed inside', async () => {
    const path = join(temporaryDirectory('vcs'), 'dump.rdb');
    const source = corpusBytes('valkey-9.1', 'types.rdb');
    const { keys } = await writeRdb(path, readRdb(source), { for: 'valkey-9.1', compress: 'lz4-stream' });
    const plain = await unpacked(readFileSync(path));
    expect(plain.subarray(-8).equals(Buffer.alloc(8))).toBe(true);
    expect(plain.toString('latin1', 0, 9)).toBe('VALKEY080');
    const written = await recordRdb(plain);
    expect(written.keys.length).toBe(keys);
    expect(written.keys.map(({ key }) => key)).toEqual((await recordRdb(source)).keys.map(({ key }) => key));
  });

  it('refuses to for servers that will never read it', async () => {
    const path = join(temporaryDirectory('vcs'), 'dump.rdb');
    for (const server of ['redis-8.8', 'valkey-8.1', 'keydb-6.3']) {
      await expect(writeRdb(path, [], { for: server, compress: 'lz4-stream' })).rejects.toThrow(
        /compressed streams/,
      );
    }
  });
});
