import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { assertPacks, type OutputPacking, packingTarget } from '../../src/bytes/packing-target.js';
import { MemorySource } from '../../src/bytes/source.js';
import { FileTarget, MemoryTarget } from '../../src/bytes/target.js';
import { UnpackedSource } from '../../src/bytes/unpack.js';
import { Random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary.js';
import { faulty } from './faulty-disk.js';

const room = temporaryDirectory('packing');

const random = new Random(9);
const noise = Buffer.from(Array.from({ length: 300_000 }, () => random.below(256)));
const CONTENTS: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['a few bytes', Buffer.from('REDIS0009')],
  ['zeros', Buffer.alloc(3_000_000)],
  ['noise', noise],
  ['noise twice', Buffer.concat([noise.subarray(0, 50_000), noise.subarray(0, 50_000)])],
];
const writesZstd = 'createZstdCompress' in zlib;
const PACKINGS = (['gzip', 'lz4', 'zstd'] as const).filter((packing) => packing !== 'zstd' || writesZstd);

async function packed(packing: OutputPacking, plain: Buffer): Promise<Buffer> {
  const memory = new MemoryTarget();
  const target = packingTarget(packing, memory);
  for (let at = 0; at < plain.length; at += 70_001) {
    target.write(plain.subarray(at, at + 70_001));
    if (target.full) await target.drain();
  }
  await target.end();
  const { size } = memory;
  await target.publish();
  expect([target.size, memory.size]).toEqual([plain.length, size]);
  return Buffer.from(memory.bytes());
}

describe.each(PACKINGS)('what is written as %s', (packing) => {
  test.each(CONTENTS)('is read back, and passes the test of the program: %s', async (_what, plain) => {
    const bytes = await packed(packing, plain);
    expect(bytes.length).toBeLessThan(plain.length + 200);
    const reader = await new UnpackedSource(new MemorySource(bytes), packing).open();
    const into = Buffer.alloc(plain.length + 1);
    let size = 0;
    for (let count = -1; count !== 0; size += count) count = await reader.read(into.subarray(size));
    expect(into.subarray(0, size).equals(plain)).toBe(true);
    const original = spawnSync(packing, ['-d', '-c'], { input: bytes, maxBuffer: 1 << 26 });
    // Where the program is not installed there is nobody to ask.
    if (original.error === undefined) {
      expect([original.status, original.stdout.equals(plain)]).toEqual([0, true]);
    }
  });

  test('fails with its medium, and leaves nothing', async () => {
    const disk = faulty('write', 1, 'ENOSPC');
    const path = join(room, `out.${packing}`);
    const target = packingTarget(packing, await FileTarget.create(path, { force: false, disk }));
    const fill = async () => {
      for (let i = 0; i < 40; i++) {
        target.write(noise);
        if (target.full) await target.drain();
      }
      await target.publish();
    };
    await expect(fill()).rejects.toMatchObject({ message: expect.stringContaining('no space left') });
    await target.discard();
    expect(readdirSync(room)).toEqual([]);
  });
});

test('zstd is refused where Node.js cannot write it', () => {
  expect(() => assertPacks('zstd', false)).toThrow(/Node\.js 22\.15 or later/);
  expect(() => assertPacks('gzip', false)).not.toThrow();
});
