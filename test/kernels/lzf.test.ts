import { describe, expect, it } from 'vitest';
import { lzfCompress, lzfDecompress } from '../../src/kernels/lzf.js';
import { random64, randomBytes } from './random.js';

const GUARD = 0xa5;

function decompress(stream: Uint8Array, size: number): Buffer | null {
  const input = Buffer.concat([Buffer.from([7, 7]), stream, Buffer.from([7])]);
  const output = Buffer.alloc(size + 6, GUARD);
  const exact = lzfDecompress(input, 2, 2 + stream.length, output, 3, 3 + size);
  expect([...output.subarray(0, 3), ...output.subarray(3 + size)]).toEqual(Array(6).fill(GUARD));
  return exact ? output.subarray(3, 3 + size) : null;
}

function compress(plain: Uint8Array, budget: number): Buffer | null {
  const input = Buffer.concat([plain.subarray(0, 5), plain, plain.subarray(0, 5)]);
  const start = Math.min(5, plain.length);
  const output = Buffer.alloc(budget + 4, GUARD);
  const written = lzfCompress(input, start, start + plain.length, output, 2, budget);
  expect([output[0], output[1], output[budget + 2], output[budget + 3]]).toEqual([
    GUARD,
    GUARD,
    GUARD,
    GUARD,
  ]);
  return written === 0 ? null : output.subarray(2, 2 + written);
}

/** Words from a small vocabulary: what compresses. */
function prose(seed: number, length: number): Buffer {
  const next = random64(seed);
  let text = '';
  while (text.length < length) text += `${['user', 'session', 'cart:', '0000', 'x'][Number(next() % 5n)]}`;
  return Buffer.from(text.slice(0, length));
}

describe('decompression', () => {
  it('copies literals, short and long matches, and overlaps', () => {
    expect(decompress(Buffer.from([2, 97, 98, 99]), 3)?.toString()).toBe('abc');
    expect(decompress(Buffer.from([0, 97, 0xe0, 9, 0]), 19)?.toString()).toBe('a'.repeat(19));
    expect(decompress(Buffer.from([2, 97, 98, 99, 0x20, 2, 0x60, 3]), 11)?.toString()).toBe('abcabccabcc');
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

  it('survives any bytes', () => {
    for (let seed = 0; seed < 3000; seed++) {
      const stream = randomBytes(seed, seed % 60);
      decompress(stream, (seed * 7) % 300);
    }
  });
});

describe('compression', () => {
  it('is undone by decompression', () => {
    for (let seed = 0; seed < 400; seed++) {
      const length = (seed * seed) % 30_000;
      const plain = seed % 3 === 0 ? randomBytes(seed, length % 200) : prose(seed, length);
      const packed = compress(plain, plain.length * 2 + 8);
      if (plain.length === 0) expect(packed).toBeNull();
      else expect(decompress(packed!, plain.length)?.equals(plain)).toBe(true);
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
