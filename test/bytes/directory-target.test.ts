import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DirectoryTarget } from '../../src/bytes/directory-target.js';
import { OutputError, UsageError } from '../../src/errors.js';
import { temporaryDirectory } from '../support/temporary.js';
import { faulty } from './faulty-disk.js';

const MIB = 1 << 20;

describe('a directory', () => {
  const place = () => join(temporaryDirectory('target'), 'appendonlydir');
  const beside = (path: string) => readdirSync(join(path, '..'));

  async function write(target: DirectoryTarget, names: readonly string[]): Promise<void> {
    for (const name of names) {
      const file = await target.file(name);
      file.write(Buffer.from(`content of ${name}`));
      await file.publish();
    }
  }

  test('appears with all its files', async () => {
    const path = place();
    const target = await DirectoryTarget.create(`${path}/`, { force: false });
    await write(target, ['a.base.rdb', 'deep/er/a.incr.aof', 'deep/a.manifest']);
    expect(existsSync(path)).toBe(false);
    await target.publish();
    expect(beside(path)).toEqual(['appendonlydir']);
    expect(readdirSync(path, { recursive: true }).sort()).toEqual(
      ['a.base.rdb', 'deep', 'deep/a.manifest', 'deep/er', 'deep/er/a.incr.aof'].sort(),
    );
    expect(readFileSync(join(path, 'deep/er/a.incr.aof'), 'latin1')).toBe('content of deep/er/a.incr.aof');
    expect(target.backupPath).toBeNull();
  });

  test('takes the place of an empty one', async () => {
    const path = place();
    mkdirSync(path);
    const target = await DirectoryTarget.create(path, { force: false });
    await write(target, ['a']);
    await target.publish();
    expect(readdirSync(path)).toEqual(['a']);
    expect(target.backupPath).toBeNull();
  });

  test('puts another aside by force, and never without', async () => {
    const path = place();
    mkdirSync(path);
    writeFileSync(join(path, 'old'), 'old');
    await expect(DirectoryTarget.create(path, { force: false })).rejects.toThrow(UsageError);
    const target = await DirectoryTarget.create(path, { force: true });
    await write(target, ['new']);
    await target.publish();
    expect(readdirSync(path)).toEqual(['new']);
    expect(readFileSync(join(target.backupPath!, 'old'), 'latin1')).toBe('old');
    expect(beside(path).length).toBe(2);
  });

  test('does not take the place of a file', async () => {
    const path = place();
    writeFileSync(path, 'a file');
    await expect(DirectoryTarget.create(path, { force: true })).rejects.toThrow(OutputError);
  });

  test('leaves nothing when discarded, with files open or not', async () => {
    const path = place();
    const target = await DirectoryTarget.create(path, { force: false });
    await write(target, ['one', 'sub/two']);
    const open = await target.file('three');
    open.write(Buffer.alloc(2 * MIB));
    await target.discard();
    await target.discard();
    expect(beside(path)).toEqual([]);
  });

  test('is not published over files that are not, nor takes names outside', async () => {
    const target = await DirectoryTarget.create(place(), { force: false });
    await expect(target.file('../outside')).rejects.toThrow('stays inside');
    await expect(target.file('/outside')).rejects.toThrow('stays inside');
    await target.file('open');
    await expect(target.publish()).rejects.toThrow('published before');
    await target.discard();
  });

  test.each([
    ['write', 2, 'ENOSPC'],
    ['sync', 2, 'EIO'],
    ['create', 2, 'ENOSPC'],
    ['makeDirectory', 1, 'EACCES'],
    ['makeDirectory', 2, 'ENOSPC'],
    ['syncDirectory', 1, 'EIO'],
    ['rename', 1, 'EIO'],
  ] as const)('leaves nothing when %s %i fails with %s', async (step, nth, code) => {
    const path = place();
    const disk = faulty(step, nth, code);
    const attempt = async () => {
      const target = await DirectoryTarget.create(path, { force: false, disk });
      try {
        await write(target, ['one', 'sub/two']);
        await target.publish();
      } finally {
        await target.discard();
      }
    };
    await expect(attempt()).rejects.toThrow(OutputError);
    expect(beside(path)).toEqual([]);
  });

  test.each([
    ['the old one cannot be moved', 1],
    ['the new one cannot be moved', 2],
  ])('leaves the old one when %s', async (_what, nth) => {
    const path = place();
    mkdirSync(path);
    writeFileSync(join(path, 'old'), 'old');
    const target = await DirectoryTarget.create(path, { force: true, disk: faulty('rename', nth, 'EIO') });
    await write(target, ['new']);
    await expect(target.publish()).rejects.toThrow(OutputError);
    expect(beside(path)).toEqual(['appendonlydir']);
    expect(readdirSync(path)).toEqual(['old']);
  });
});
