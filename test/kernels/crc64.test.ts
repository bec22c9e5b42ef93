import { describe, expect, it } from 'vitest';
import { Crc64, combineCrc64 } from '../../src/kernels/crc64.js';
import { updateCrc64 } from '../../src/kernels/crc64-tables.js';
import { Crc64Wasm } from '../../src/kernels/crc64-wasm.js';
import { Int64Words } from '../../src/kernels/decimal.js';
import { random64, randomBytes } from './random.js';

/** Bit by bit, as the parameters read. */
function reference(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
  }
  return crc;
}

const joined = (words: { high: number; low: number }): bigint =>
  (BigInt(words.high) << 32n) | BigInt(words.low);

const wasm = Crc64Wasm.create()!;
const IMPLEMENTATIONS = [
  ['TypeScript', updateCrc64],
  ['WebAssembly', wasm.update.bind(wasm)],
] as const;

describe.each(IMPLEMENTATIONS)('CRC-64 in %s', (_name, update) => {
  const sum = (bytes: Uint8Array, start = 0, end = bytes.length): bigint => {
    const words = new Int64Words();
    update(words, bytes, start, end);
    return joined(words);
  };

  it('has the check value', () => {
    expect(sum(Buffer.from('123456789'))).toBe(0xe9c6d914c4b8d9can);
  });

  it('equals the definition at every length and alignment', () => {
    const bytes = randomBytes(1, 700);
    for (let length = 0; length < 300; length++) {
      const start = length % 37;
      expect(sum(bytes, start, start + length)).toBe(reference(bytes.subarray(start, start + length)));
    }
  });

  it('goes on where it stopped', () => {
    const bytes = randomBytes(2, 200_000);
    const whole = sum(bytes);
    const next = random64(3);
    for (let round = 0; round < 20; round++) {
      const words = new Int64Words();
      for (let at = 0; at < bytes.length; ) {
        const stop = Math.min(bytes.length, at + Number(next() % (round < 10 ? 70_000n : 3000n)));
        update(words, bytes, at, stop);
        at = stop;
      }
      expect(joined(words)).toBe(whole);
    }
  });

  it('equals the other implementation on large blocks', () => {
    const bytes = randomBytes(4, 300_000);
    const around = (length: number): number[] => Array.from({ length: 70 }, (_, i) => length - 3 + i);
    for (const length of [
      ...around(6144),
      ...around(49_152),
      ...around(65_536),
      ...around(131_072),
      299_999,
    ]) {
      const words = new Int64Words();
      updateCrc64(words, bytes, 1, 1 + length);
      expect(sum(bytes, 1, 1 + length)).toBe(joined(words));
    }
  });
});

describe('Crc64', () => {
  it('sums small and large parts alike, and starts again after reset', () => {
    const bytes = randomBytes(5, 100_000);
    const crc = new Crc64();
    let at = 0;
    for (const size of [1, 255, 256, 257, 5, 70_000]) {
      crc.update(bytes, at, at + size);
      at += size;
    }
    crc.update(bytes.subarray(at));
    const words = new Int64Words();
    updateCrc64(words, bytes, 0, bytes.length);
    expect(joined(crc)).toBe(joined(words));
    crc.reset();
    crc.update(Buffer.from('123456789'));
    expect([crc.high, crc.low]).toEqual([0xe9c6d914, 0xc4b8d9ca]);
  });

  it('keeps several sums apart', () => {
    const bytes = randomBytes(6, 2000);
    const [a, b] = [new Crc64(), new Crc64()];
    a.update(bytes, 0, 1000);
    b.update(bytes, 500, 1500);
    a.update(bytes, 1000, 2000);
    expect(joined(a)).toBe(reference(bytes));
    expect(joined(b)).toBe(reference(bytes.subarray(500, 1500)));
  });
});

describe('combining', () => {
  it('gives the checksum of the whole from those of the parts', () => {
    const bytes = randomBytes(7, 5000);
    for (const cut of [0, 1, 7, 8, 100, 4095, 4999, 5000]) {
      const [a, b] = [new Crc64(), new Crc64()];
      a.update(bytes, 0, cut);
      b.update(bytes, cut, 5000);
      const out = new Int64Words();
      combineCrc64(a, b, 5000 - cut, out);
      expect(joined(out)).toBe(reference(bytes));
    }
  });

  it('may write over a part', () => {
    const a = new Int64Words();
    const b = new Int64Words();
    updateCrc64(a, Buffer.from('1234'), 0, 4);
    updateCrc64(b, Buffer.from('56789'), 0, 5);
    combineCrc64(a, b, 5, a);
    expect(joined(a)).toBe(0xe9c6d914c4b8d9can);
  });
});
