import { describe, expect, it } from 'vitest';
import { Lz4Blocks, lz4Flaw } from '../../src/kernels/lz4.js';
import { LZ4_WINDOW, Lz4Plain, lz4Measure } from '../../src/kernels/lz4-plain.js';
import { Lz4Wasm } from '../../src/kernels/lz4-wasm.js';
import { lz4Block } from '../support/pack.js';
import { random64, randomBytes } from './random.js';

const wasm = Lz4Wasm.create()!;
const plain = new Lz4Plain();
const GUARD = 0xa5;

/** Words from a small vocabulary: what compresses. */
function prose(seed: number, length: number): Buffer {
  const next = random64(seed);
  let text = '';
  while (text.length < length) text += `${['user', 'session', 'cart:', '0000', 'x'][Number(next() % 5n)]}`;
  return Buffer.from(text.slice(0, length));
}

describe.each([
  ['plain', plain],
  ['WebAssembly', wasm],
] as const)('LZ4, %s', (_name, kernel) => {
  /** Null: refused. What stands before the output is held to stay as it is. */
  function decode(block: Uint8Array, max: number, history: Uint8Array = Buffer.alloc(0)): Buffer | null {
    const input = Buffer.concat([Buffer.from([7, 7]), block, Buffer.from([7])]);
    const from = LZ4_WINDOW - history.length;
    const before = Buffer.concat([Buffer.alloc(32, GUARD), history]);
    kernel.output.set(before, from - 32);
    const size = kernel.decode(input, 2, 2 + block.length, history.length, max);
    expect(kernel.output.subarray(from - 32, LZ4_WINDOW).equals(before)).toBe(true);
    return size < 0 ? null : Buffer.from(kernel.output.subarray(LZ4_WINDOW, LZ4_WINDOW + size));
  }

  it('copies literals of every length', () => {
    for (const length of [0, 1, 14, 15, 16, 17, 31, 32, 33, 269, 270, 271, 60_000]) {
      const bytes = randomBytes(length, length);
      expect(decode(lz4Block(bytes, 0, length, 0), length)?.equals(bytes)).toBe(true);
    }
  });

  it('copies matches of every length from every short distance, and from what stood before', () => {
    const before = randomBytes(5, 40);
    for (let distance = 1; distance <= 40; distance++) {
      for (const length of [4, 5, 8, 11, 12, 17, 18, 19, 20, 33, 273, 274, 275, 4000]) {
        const more = length < 19 ? [] : [...Array<number>(Math.floor((length - 19) / 255)).fill(255)];
        if (length >= 19) more.push((length - 19) % 255);
        const block = [0x10 | Math.min(15, length - 4), 1, distance, 0, ...more, 0x10, 2];
        const expected = [...before, 1];
        for (let i = 0; i < length; i++) expected.push(expected[expected.length - distance]!);
        const got = decode(Buffer.from(block), 5000, before);
        expect([...got!]).toEqual([...expected.slice(40), 2]);
      }
    }
  });

  it.each([
    ['literals past the input', [0x20, 1]],
    ['a count of literals past the input', [0xf0, 255]],
    ['a distance of none', [0x14, 65, 0, 0, 0]],
    ['a match before the start', [0x14, 65, 2, 0, 0]],
    ['half a distance', [0x14, 65, 1]],
    ['a count of a match past the input', [0x1f, 65, 1, 0, 255]],
    ['a match at the end', [0x14, 65, 1, 0]],
    ['literals past the output', [0x90, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['a match past the output', [0x15, 65, 1, 0, 0]],
    ['a bomb', [0x1f, 65, 1, 0, ...Array<number>(5000).fill(255), 0, 0]],
    ['nothing', []],
  ])('refuses %s', (_what, block) => {
    expect(decode(Buffer.from(block), 8)).toBeNull();
    expect(lz4Measure(Buffer.from(block), 0, block.length, 0, 8)).toBe(-1);
    expect(lz4Flaw.why).not.toBe('');
  });

  it('gives the same answer as measuring to any bytes', () => {
    let whole = 0;
    for (let seed = 0; seed < 1500; seed++) {
      const bytes = prose(seed, 60);
      const history = bytes.subarray(0, seed % 30);
      const block = lz4Block(bytes, history.length, bytes.length, 0);
      const [at, change] = randomBytes(seed, 2);
      block[at! % block.length]! ^= change!;
      const size = lz4Measure(block, 0, block.length, history.length, 300);
      const ours = decode(block, 300, history);
      expect(ours?.length ?? -1).toBe(size);
      if (ours === null) continue;
      whole++;
      plain.output.set(history, LZ4_WINDOW - history.length);
      plain.decode(block, 0, block.length, history.length, 300);
      expect(plain.output.compare(ours, 0, size, LZ4_WINDOW, LZ4_WINDOW + size)).toBe(0);
    }
    expect(whole).toBeGreaterThan(300);
    expect(whole).toBeLessThan(1200);
  });

  it('decodes what was packed, linked to what stood before', () => {
    for (let seed = 1; seed < 30; seed++) {
      const bytes = seed % 3 === 0 ? randomBytes(seed, 3000) : prose(seed, 3000 + 40 * seed);
      const middle = 37 * seed;
      const block = lz4Block(bytes, middle, bytes.length, 0);
      const expected = bytes.subarray(middle);
      expect(decode(block, expected.length, bytes.subarray(0, middle))?.equals(expected)).toBe(true);
      expect(decode(block, expected.length - 1, bytes.subarray(0, middle))).toBeNull();
    }
  });

  it('fills the largest block there is', () => {
    const bytes = Buffer.alloc(1 << 22, 'abcdefg');
    const got = decode(lz4Block(bytes, 0, bytes.length, 0), bytes.length);
    expect(got?.equals(bytes)).toBe(true);
  });
});

describe('blocks of a frame', () => {
  it('refer back over several, as far as the window goes, and not into another frame', () => {
    const bytes = Buffer.concat([randomBytes(1, 50_000), randomBytes(2, 10_000)]);
    const twice = Buffer.concat([bytes, bytes]);
    const blocks = new Lz4Blocks();
    for (const linked of [true, false]) {
      blocks.begin(65536, linked);
      blocks.copy(bytes, 0, 30_000);
      blocks.copy(bytes, 30_000, bytes.length);
      const block = lz4Block(twice, bytes.length, twice.length, 0);
      const size = blocks.decode(block, 0, block.length);
      expect(size).toBe(linked ? bytes.length : -1);
      if (linked) expect(blocks.bytes.equals(bytes)).toBe(true);
      else expect(lz4Flaw.why).toBe('match-before-start');
    }
  });
});
