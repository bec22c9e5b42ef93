import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { slotOf } from '../../src/kernels/crc16.js';
import { Int64Words } from '../../src/kernels/decimal.js';
import { murmurHash64A } from '../../src/kernels/murmur.js';
import { digestHex, sha1, sha1Hex, sha1OfDigest } from '../../src/kernels/sha1.js';
import { sha1OfDigestPlain, sha1Plain } from '../../src/kernels/sha1-plain.js';
import { SHA1_INPUT_MAX, Sha1Wasm } from '../../src/kernels/sha1-wasm.js';
import { randomBytes } from './random.js';

const wasm = Sha1Wasm.create()!;

describe.each([
  ['chosen', sha1, sha1OfDigest],
  ['TypeScript', sha1Plain, sha1OfDigestPlain],
  ['WebAssembly', wasm.sha1.bind(wasm), wasm.sha1OfDigest.bind(wasm)],
] as const)('SHA-1, %s', (name, hash, hashDigest) => {
  const words = new Int32Array(5);

  it('equals the library at every length', () => {
    const bytes = randomBytes(1, 2200);
    const max = name === 'WebAssembly' ? SHA1_INPUT_MAX : 2000;
    for (let length = 0; length <= max; length++) {
      const start = length % 131;
      hash(bytes, start, start + length, words);
      const expected = createHash('sha1').update(bytes.subarray(start, start + length));
      expect(digestHex(words)).toBe(expected.digest('hex'));
    }
  });

  it('digests a digest, in place too', () => {
    for (let seed = 0; seed < 50; seed++) {
      const bytes = randomBytes(seed, 20);
      for (let i = 0; i < 5; i++) words[i] = bytes.readInt32BE(4 * i);
      hashDigest(words, words);
      expect(digestHex(words)).toBe(createHash('sha1').update(bytes).digest('hex'));
    }
  });

  it('leaves words, not bytes, in the order of the digest', () => {
    hash(Buffer.from('abc'), 0, 3, words);
    expect(words[0]! >>> 0).toBe(0xa9993e36);
    expect(sha1Hex(Buffer.from('xabcx'), 1, 4)).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  });
});

/** MurmurHash64A as published, on big integers. */
function referenceMurmur(bytes: Uint8Array, seed: bigint): bigint {
  const m = 0xc6a4a7935bd1e995n;
  const u64 = (n: bigint): bigint => BigInt.asUintN(64, n);
  let h = seed ^ u64(BigInt(bytes.length) * m);
  const whole = bytes.length & ~7;
  const view = Buffer.from(bytes);
  for (let at = 0; at < whole; at += 8) {
    let k = u64(view.readBigUInt64LE(at) * m);
    k = u64((k ^ (k >> 47n)) * m);
    h = u64((h ^ k) * m);
  }
  if (whole < bytes.length) {
    let tail = 0n;
    for (let i = bytes.length - 1; i >= whole; i--) tail = (tail << 8n) | BigInt(bytes[i]!);
    h = u64((h ^ tail) * m);
  }
  h = u64((h ^ (h >> 47n)) * m);
  return h ^ (h >> 47n);
}

describe('MurmurHash64A', () => {
  it('equals the published algorithm at every length', () => {
    const out = new Int64Words();
    for (let i = 0; i < 600; i++) {
      const bytes = randomBytes(i, 3 + (i % 70));
      murmurHash64A(bytes, 3, bytes.length, 0xadc83b19, out);
      const expected = referenceMurmur(bytes.subarray(3), 0xadc83b19n);
      expect((BigInt(out.high) << 32n) | BigInt(out.low)).toBe(expected);
    }
  });
});

describe('cluster slots', () => {
  // As CLUSTER KEYSLOT answers on a server.
  it.each([
    ['', 0],
    ['foo', 12182],
    ['123456789', 12739],
    ['{user1000}.following', 3443],
    ['{user1000}.followers', 3443],
    ['foo{}{bar}', 8363],
    ['foo{{bar}}zap', 4015],
    ['foo{bar}{zap}', 5061],
    ['foo{bar', 15278],
    ['a\x00\xff', 12971],
  ])('of %j is %i', (key, slot) => {
    const bytes = Buffer.from(`{${key}}`, 'latin1');
    expect(slotOf(bytes, 1, bytes.length - 1)).toBe(slot);
  });
});
