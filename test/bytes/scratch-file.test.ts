import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Disk, localDisk } from '../../src/bytes/disk.js';
import { ScratchFile } from '../../src/bytes/scratch-file.js';
import { temporaryDirectory } from '../support/temporary.js';

const room = temporaryDirectory('scratch');

/** A disk on which the n-th write ends as a full one does. */
function fullAfter(writes: number): Disk {
  let left = writes;
  return {
    ...localDisk,
    async create(path, mode) {
      const file = await localDisk.create(path, mode);
      return {
        write: (bytes) =>
          left-- > 0
            ? file.write(bytes)
            : Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
        bypassing: false,
        settle: () => file.settle(),
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
  };
}

describe('a scratch file', () => {
  test('has no name, and gives back what was written from anywhere', async () => {
    const scratch = await ScratchFile.create(room);
    await scratch.write(Buffer.from('hello '));
    await scratch.write(Buffer.from('world'));
    expect(readdirSync(room)).toEqual([]);
    const into = Buffer.alloc(5);
    await scratch.read(6, into);
    expect([into.toString(), scratch.size]).toEqual(['world', 11]);
    await scratch.close();
  });

  test('on a full disk fails as an output does, and leaves nothing', async () => {
    const scratch = await ScratchFile.create(room, fullAfter(1));
    await scratch.write(Buffer.from('fits'));
    await expect(scratch.write(Buffer.from('does not'))).rejects.toMatchObject({
      name: 'OutputError',
      path: room,
    });
    expect(scratch.size).toBe(4);
    await scratch.close();
    expect(readdirSync(room)).toEqual([]);
    const low: Disk = { ...localDisk, freeBytes: () => Promise.resolve(1000) };
    const other = await ScratchFile.create(room, low);
    await expect(other.write(Buffer.from('x'))).rejects.toMatchObject({ name: 'OutputError' });
    await other.close();
  });
});
