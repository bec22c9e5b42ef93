import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { randomBytes } from './random.js';

/** Node.js started with `--jitless` has no WebAssembly at all. */
describe('without WebAssembly', () => {
  beforeEach(() => {
    vi.resetModules();
    vi.stubGlobal('WebAssembly', undefined);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('sums by tables', async () => {
    const { Crc64 } = await import('../../src/kernels/crc64.js');
    const { Crc64Wasm } = await import('../../src/kernels/crc64-wasm.js');
    expect(Crc64Wasm.create()).toBeNull();
    const crc = new Crc64();
    crc.update(Buffer.alloc(20_000, '123456789'));
    crc.reset();
    crc.update(Buffer.from('123456789'));
    expect([crc.high, crc.low]).toEqual([0xe9c6d914, 0xc4b8d9ca]);
  });

  it('hashes in TypeScript', async () => {
    const { sha1Hex } = await import('../../src/kernels/sha1.js');
    expect(sha1Hex(Buffer.from('abc'))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  });

  it('packs and unpacks in TypeScript', async () => {
    const { lzfCompress, lzfDecompress } = await import('../../src/kernels/lzf.js');
    const plain = Buffer.concat([randomBytes(1, 500), randomBytes(1, 500)]);
    const packed = Buffer.alloc(2000);
    const size = lzfCompress(plain, 0, 1000, packed, 0, 2000);
    expect(size).toBeLessThan(600);
    const out = Buffer.alloc(1000);
    expect(lzfDecompress(packed, 0, size, out, 0, 1000)).toBe(true);
    expect(out.equals(plain)).toBe(true);
  });

  it('has no short way from records to lines', async () => {
    const { LineKernel } = await import('../../src/kernels/line-kernel.js');
    expect(LineKernel.create([])).toBeNull();
  });

  it('has the decoder check every record', async () => {
    const { RdbCheckKernel } = await import('../../src/kernels/rdb-check.js');
    expect(RdbCheckKernel.create(0, 1)).toBeNull();
  });

  it('unpacks LZ4 with lz4js', async () => {
    const { Lz4Blocks } = await import('../../src/kernels/lz4.js');
    const { Lz4Wasm } = await import('../../src/kernels/lz4-wasm.js');
    expect(Lz4Wasm.create()).toBeNull();
    const blocks = new Lz4Blocks();
    blocks.begin(1 << 22, true);
    expect(blocks.copy(Buffer.from('rekindle'), 0, 8)).toBe(8);
    const block = Buffer.from([0x0f, 8, 0, ...Array<number>(784).fill(255), 0, 0]);
    expect(blocks.decode(block, 0, block.length)).toBe(784 * 255 + 19);
    expect(blocks.bytes.toString()).toBe('rekindle'.repeat(24993).slice(0, 784 * 255 + 19));
  });
});
