import { describe, expect, it } from 'vitest';
import { lzfCompress, lzfDecompress } from '../../src/kernels/lzf.js';
import { lzfCompressPlain, lzfDecompressPlain } from '../../src/kernels/lzf-plain.js';
import { LZF_INPUT_MAX, LZF_OUTPUT_MAX, LzfWasm } from '../../src/kernels/lzf-wasm.js';
import { random64, randomBytes } from './random.js';

const GUARD = 0xa5;

/** Words from a small vocabulary: what compresses. */
function prose(seed: number, length: number): Buffer {
  const next = random64(seed);
  let text = '';
  while (text.length < length) text += `${['user', 'session', 'cart:', '0000', 'x'][Number(next() % 5n)]}`;
  return Buffer.from(text.slice(0, length));
}

const wasm = LzfWasm.create()!;

describe.each([
  ['chosen', lzfCompress, lzfDecompress],
  ['TypeScript', lzfCompressPlain, lzfDecompressPlain],
  ['WebAssembly', wasm.compress.bind(wasm), wasm.decompress.bind(wasm)],
] as const)('LZF, %s', (_name, lzfPack, lzfUnpack) => {
  /** Null: refused. Bytes around both ranges are held to stay as they are. */
  function decompress(stream: Uint8Array, size: number): Buffer | null {
    const input = Buffer.concat([Buffer.from([7, 7]), stream, Buffer.from([7])]);
    const output = Buffer.alloc(size + 6, GUARD);
    const exact = lzfUnpack(input, 2, 2 + stream.length, output, 3, 3 + size);
    expect([...output.subarray(0, 3), ...output.subarray(3 + size)]).toEqual(Array(6).fill(GUARD));
    return exact ? output.subarray(3, 3 + size) : null;
  }

  function compress(plain: Uint8Array, budget: number): Buffer | null {
    const input = Buffer.concat([plain.subarray(0, 5), plain, plain.subarray(0, 5)]);
    const start = Math.min(5, plain.length);
    const output = Buffer.alloc(budget + 4, GUARD);
    const written = lzfPack(input, start, start + plain.length, output, 2, budget);
    expect([...output.subarray(0, 2), ...output.subarray(budget + 2)]).toEqual(Array(4).fill(GUARD));
    return written === 0 ? null : output.subarray(2, 2 + written);
  }

  it('copies literals, short and long matches, and overlaps', () => {
    expect(decompress(Buffer.from([2, 97, 98, 99]), 3)?.toString()).toBe('abc');
    expect(decompress(Buffer.from([0, 97, 0xe0, 9, 0]), 19)?.toString()).toBe('a'.repeat(19));
    expect(decompress(Buffer.from([2, 97, 98, 99, 0x20, 2, 0x60, 3]), 11)?.toString()).toBe('abcabccabcc');
  });

  it('copies matches of every length from every short distance', () => {
    for (let distance = 1; distance <= 20; distance++) {
      const literals = randomBytes(distance, 20);
      for (let length = 3; length <= 264; length += 7) {
        const match = length < 9 ? [(length - 2) << 5] : [0xe0, length - 9];
        const stream = Buffer.concat([Buffer.from([19]), literals, Buffer.from([...match, distance - 1])]);
        const expected = [...literals];
        for (let i = 0; i < length; i++) expected.push(expected[expected.length - distance]!);
        expect([...(decompress(stream, 20 + length) ?? [])]).toEqual(expected);
      }
    }
  });

  it.each([
    ['a literal run past the input', [4, 97], 5],
    ['a literal run past the output', [2, 97, 98, 99], 2],
    ['a match before the start', [0, 97, 0x20, 1], 4],
    ['a match at the very start', [0x20, 0], 3],
    ['a match past the output', [0, 97, 0x40, 0], 4],
    ['a match without its offset', [0, 97, 0x20], 4],
    ['a long match without its length', [0, 97, 0xe0], 10],
    ['a long match without its offset', [0, 97, 0xe0, 1], 11],
    ['too few bytes', [0, 97], 2],
    ['nothing where something is due', [], 1],
  ])('refuses %s', (_what, stream, size) => {
    expect(decompress(Buffer.from(stream), size)).toBeNull();
  });

  it('gives the other implementation’s answer to any bytes', () => {
    for (let seed = 0; seed < 1500; seed++) {
      const stream = randomBytes(seed, seed % 60);
      // Most random streams fail at once: half of these only have literals and near matches.
      if (seed % 2 === 0) for (let i = 0; i < stream.length; i++) stream[i]! &= 0x67;
      const size = (seed * 7) % 300;
      const other = Buffer.alloc(size);
      const exact = lzfDecompressPlain(stream, 0, stream.length, other, 0, size);
      const ours = decompress(stream, size);
      expect(ours !== null).toBe(exact);
      if (exact) expect(ours!.equals(other)).toBe(true);
    }
  });

  it('decompresses what it compressed, and what the other implementation did', () => {
    for (let seed = 0; seed < 200; seed++) {
      const length = (seed * seed) % 30_000;
      const plain = seed % 3 === 0 ? randomBytes(seed, length % 200) : prose(seed, length);
      const packed = compress(plain, plain.length * 2 + 8);
      if (plain.length === 0) {
        expect(packed).toBeNull();
        continue;
      }
      expect(decompress(packed!, plain.length)?.equals(plain)).toBe(true);
      const other = Buffer.alloc(plain.length * 2 + 8);
      const size = lzfCompressPlain(plain, 0, plain.length, other, 0, other.length);
      expect(other.subarray(0, size).equals(packed!)).toBe(true);
    }
  });

  it('shrinks what repeats, across the whole distance and beyond it', () => {
    const block = randomBytes(9, 8192);
    expect(compress(Buffer.concat([block, block]), 20_000)!.length).toBeLessThan(9000);
    const far = Buffer.concat([block, randomBytes(10, 1), block]);
    const packed = compress(far, 20_000)!;
    expect(decompress(packed, far.length)?.equals(far)).toBe(true);
    expect(compress(Buffer.alloc(100_000, 97), 2000)!.length).toBeLessThan(1200);
  });

  it('keeps to every budget', () => {
    const plain = prose(11, 500);
    const best = compress(plain, 2000)!.length;
    for (let budget = 0; budget < best; budget++) expect(compress(plain, budget)).toBeNull();
    expect(compress(plain, best + 2)?.length).toBe(best);
    expect(compress(randomBytes(12, 100), 96)).toBeNull();
  });
});

describe('sizes the kernel has no room for', () => {
  it.each([LZF_INPUT_MAX, LZF_INPUT_MAX + 1, LZF_OUTPUT_MAX + 1])('%i bytes go the other way', (size) => {
    const plain = Buffer.alloc(size, 'abcdefghij');
    const packed = Buffer.alloc(size);
    const packedSize = lzfCompress(plain, 0, size, packed, 0, size);
    expect(packedSize).toBeGreaterThan(0);
    const out = Buffer.alloc(size);
    expect(lzfDecompress(packed, 0, packedSize, out, 0, size)).toBe(true);
    expect(out.equals(plain)).toBe(true);
  });
});
