import { describe, expect, it } from 'vitest';
import { PipeSource } from '../../src/bytes/pipe.js';
import type { ByteReader } from '../../src/bytes/source.js';

async function readAll(reader: ByteReader): Promise<Buffer> {
  const parts: Buffer[] = [];
  const chunk = Buffer.alloc(100_000);
  for (;;) {
    const count = await reader.read(chunk);
    if (count === 0) return Buffer.concat(parts);
    parts.push(Buffer.from(chunk.subarray(0, count)));
  }
}

describe('a pipe', () => {
  it('gives what is written, in order, and lets a fast writer wait', async () => {
    let waited = 0;
    const piece = Buffer.alloc(70_001, 1);
    const source = new PipeSource('p', async (into) => {
      for (let i = 0; i < 200; i++) {
        piece[0] = i;
        into.write(piece);
        if (!into.full) continue;
        waited++;
        await into.drain();
      }
    });
    const all = await readAll(await source.open());
    expect(all.length).toBe(200 * piece.length);
    for (let i = 0; i < 200; i++) expect(all[i * piece.length]).toBe(i);
    expect(waited).toBeGreaterThan(0);
    await expect(source.open()).rejects.toThrow('read only once');
  });

  it('tells who reads what went wrong, behind what was written before', async () => {
    const source = new PipeSource('p', async (into) => {
      into.write(Buffer.from('abc'));
      throw new Error('broken');
    });
    const reader = await source.open();
    const chunk = Buffer.alloc(10);
    expect(await reader.read(chunk)).toBe(3);
    await expect(reader.read(chunk)).rejects.toThrow('broken');
  });

  it('tells who writes that nobody reads any more', async () => {
    let ended = () => {};
    const finished = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const source = new PipeSource('p', async (into, signal) => {
      while (!signal.aborted) {
        into.write(Buffer.alloc(1 << 20));
        await into.drain();
        await new Promise((resolve) => setImmediate(resolve));
      }
      ended();
    });
    const reader = await source.open();
    await reader.read(Buffer.alloc(10));
    await reader.close();
    await finished;
    expect(await reader.read(Buffer.alloc(10))).toBe(0);
  });
});
