import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localDisk } from '../../src/bytes/disk.js';
import { FileTarget, MemoryTarget } from '../../src/bytes/target.js';
import { OutputError, UsageError } from '../../src/errors.js';
import { temporaryDirectory } from '../support/temporary.js';
import { faulty } from './faulty-disk.js';

const MIB = 1 << 20;

describe('a file', () => {
  const place = () => join(temporaryDirectory('target'), 'out.rdb');
  const beside = (path: string) => readdirSync(join(path, '..'));

  test('has its name when it is published, and not before', async () => {
    const path = place();
    const target = await FileTarget.create(path, { force: false });
    target.write(Buffer.from('hello '));
    target.write(Buffer.from('world'));
    await target.flush();
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(target.stagedPath, 'latin1')).toBe('hello world');
    await target.publish();
    expect(readFileSync(path, 'latin1')).toBe('hello world');
    expect(target.size).toBe(11);
    expect(beside(path)).toEqual(['out.rdb']);
  });

  test('holds what was written though the caller uses the memory again', async () => {
    const path = place();
    const target = await FileTarget.create(path, { force: false });
    const block = Buffer.alloc(100_000);
    for (let i = 0; i < 50; i++) {
      target.write(block.fill(i));
      if (target.full) await target.drain();
    }
    await target.publish();
    const bytes = readFileSync(path);
    expect(bytes.length).toBe(5_000_000);
    for (let i = 0; i < 50; i++) {
      expect(bytes[i * 100_000]).toBe(i);
      expect(bytes[i * 100_000 + 99_999]).toBe(i);
    }
  });

  test('is full when much waits, and takes more after a drain', async () => {
    const target = await FileTarget.create(place(), { force: false });
    target.write(Buffer.alloc(MIB));
    expect(target.full).toBe(false);
    target.write(Buffer.alloc(4 * MIB));
    expect(target.full).toBe(true);
    await target.drain();
    expect(target.full).toBe(false);
    await target.discard();
  });

  test('leaves nothing when discarded, however often', async () => {
    const path = place();
    const target = await FileTarget.create(path, { force: false });
    target.write(Buffer.alloc(3 * MIB));
    await target.discard();
    await target.discard();
    expect(beside(path)).toEqual([]);
    expect(() => target.write(Buffer.alloc(1))).toThrow('until it is published');
  });

  test('leaves nobody waiting when discarded during a drain', async () => {
    const path = place();
    const target = await FileTarget.create(path, { force: false });
    target.write(Buffer.alloc(16 * MIB));
    const draining = target.drain();
    await target.discard();
    await draining;
    expect(beside(path)).toEqual([]);
  });

  test('stays when discarded after it was published', async () => {
    const path = place();
    const target = await FileTarget.create(path, { force: false });
    await target.publish();
    await target.discard();
    expect(beside(path)).toEqual(['out.rdb']);
  });

  test('does not replace another without force', async () => {
    const path = place();
    writeFileSync(path, 'old');
    await expect(FileTarget.create(path, { force: false })).rejects.toThrow(UsageError);
    expect(beside(path)).toEqual(['out.rdb']);
    expect(readFileSync(path, 'latin1')).toBe('old');
  });

  test.each([
    ['by a link', localDisk],
    ['where there are no links, by a look', faulty('link', 1, 'EPERM')],
  ])('does not replace one that came meanwhile, found out %s', async (_how, disk) => {
    const path = place();
    const target = await FileTarget.create(path, { force: false, disk });
    writeFileSync(path, 'somebody else’s');
    await expect(target.publish()).rejects.toThrow(UsageError);
    expect(beside(path)).toEqual(['out.rdb']);
    expect(readFileSync(path, 'utf8')).toBe('somebody else’s');
  });

  test('gets its name where there are no links', async () => {
    const path = place();
    const target = await FileTarget.create(path, { force: false, disk: faulty('link', 1, 'EPERM') });
    target.write(Buffer.from('new'));
    await target.publish();
    expect(readFileSync(path, 'latin1')).toBe('new');
    expect(beside(path)).toEqual(['out.rdb']);
  });

  test('replaces another by force', async () => {
    const path = place();
    writeFileSync(path, 'old');
    const target = await FileTarget.create(path, { force: true });
    target.write(Buffer.from('new'));
    expect(readFileSync(path, 'latin1')).toBe('old');
    await target.publish();
    expect(readFileSync(path, 'latin1')).toBe('new');
    expect(beside(path)).toEqual(['out.rdb']);
  });

  test('replaces a symbolic link by force, not what it leads to', async () => {
    const path = place();
    const other = join(temporaryDirectory('target'), 'other');
    writeFileSync(other, 'old');
    symlinkSync(other, path);
    await expect(FileTarget.create(path, { force: false })).rejects.toThrow(UsageError);
    const target = await FileTarget.create(path, { force: true });
    target.write(Buffer.from('new'));
    await target.publish();
    expect(readFileSync(path, 'latin1')).toBe('new');
    expect(readFileSync(other, 'latin1')).toBe('old');
  });

  test('replaces no directory and no device, force or not', async () => {
    const path = place();
    mkdirSync(path);
    await expect(FileTarget.create(path, { force: true })).rejects.toThrow('is a directory');
    await expect(FileTarget.create('/dev/null', { force: true })).rejects.toThrow('is not a regular file');
  });

  test('has the mode that was asked for', async () => {
    const path = place();
    const target = await FileTarget.create(path, { force: false, mode: 0o600 });
    await target.publish();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('says what is in the way', async () => {
    const path = join(temporaryDirectory('target'), 'missing', 'out.rdb');
    const error = await FileTarget.create(path, { force: false }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OutputError);
    expect(error).toMatchObject({ path, message: 'the directory does not exist', hint: 'create it first' });
  });

  test.each([
    ['write', 1, 'ENOSPC', 'no space left on the device'],
    ['write', 3, 'ENOSPC', 'no space left on the device'],
    ['write', 9, 'EIO', 'the medium failed (I/O error)'],
    ['sync', 1, 'EIO', 'the medium failed (I/O error)'],
    ['close', 1, 'EDQUOT', 'the disk quota is used up'],
    ['link', 1, 'EACCES', 'permission denied'],
    ['unlink', 1, 'EACCES', 'permission denied'],
    ['syncDirectory', 1, 'EIO', 'the medium failed (I/O error)'],
    ['create', 1, 'EROFS', 'the file system is read-only'],
  ] as const)('leaves nothing when %s %i fails with %s', async (step, nth, code, message) => {
    const path = place();
    const disk = faulty(step, nth, code);
    const attempt = async () => {
      const target = await FileTarget.create(path, { force: false, disk });
      for (let i = 0; i < 12; i++) {
        target.write(Buffer.alloc(256 * 1024));
        if (target.full) await target.drain();
      }
      await target.publish();
    };
    const error = await attempt().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OutputError);
    expect(error).toMatchObject({ path, message });
    expect(beside(path)).toEqual([]);
  });

  test('takes large pieces as they stand, in their order', async () => {
    const path = place();
    const target = await FileTarget.create(path, { force: false });
    const large = Buffer.alloc(MIB, 'large');
    target.write(Buffer.from('before'));
    await target.writeThrough(large);
    // It is the caller's again, and no spare chunk of the target.
    large.fill(0);
    for (let i = 0; i < 9; i++) target.write(Buffer.alloc(256 * 1024, 'behind'));
    expect(large.every((byte) => byte === 0)).toBe(true);
    await target.publish();
    expect(target.size).toBe(6 + MIB + 9 * 256 * 1024);
    const text = readFileSync(path, 'latin1');
    expect(text.slice(0, 12)).toBe('beforelargel');
    expect(text.slice(6 + MIB - 5, 6 + MIB + 6)).toBe('argelbehind');
    expect(text.length).toBe(target.size);
  });

  test('tells of a large piece that the medium did not take, and of one that nobody waits for any more', async () => {
    const path = place();
    const target = await FileTarget.create(path, { force: false, disk: faulty('write', 2, 'ENOSPC') });
    await target.writeThrough(Buffer.alloc(10));
    await expect(target.writeThrough(Buffer.alloc(10))).rejects.toThrow('no space left');
    await expect(target.writeThrough(Buffer.alloc(10))).rejects.toThrow('no space left');
    await target.discard();
    expect(beside(path)).toEqual([]);

    const other = await FileTarget.create(path, { force: false });
    const waiting = Promise.all([
      other.writeThrough(Buffer.alloc(MIB)),
      other.writeThrough(Buffer.alloc(MIB)),
    ]);
    await other.discard();
    await waiting;
    expect(beside(path)).toEqual([]);
  });

  test('of many bytes is on its way to the medium before its end, and a failure of that is not lost', async () => {
    const path = place();
    const target = await FileTarget.create(path, { force: false, disk: faulty('sync', 1, 'EIO') });
    const attempt = async () => {
      for (let i = 0; i < 17; i++) {
        target.write(Buffer.alloc(MIB));
        await target.drain();
      }
      await target.publish();
    };
    // The first of two syncs: the one at the end would succeed.
    await expect(attempt()).rejects.toThrow('the medium failed');
    await target.discard();
    expect(beside(path)).toEqual([]);
  });

  test.each(['write', 'sync', 'rename'] as const)('leaves the old one when %s fails', async (step) => {
    const path = place();
    writeFileSync(path, 'old');
    const target = await FileTarget.create(path, { force: true, disk: faulty(step, 1, 'EIO') });
    target.write(Buffer.from('new'));
    await expect(target.publish()).rejects.toThrow(OutputError);
    expect(beside(path)).toEqual(['out.rdb']);
    expect(readFileSync(path, 'latin1')).toBe('old');
  });

  test('is full after a failure, so that the caller finds out', async () => {
    const target = await FileTarget.create(place(), { force: false, disk: faulty('write', 1, 'ENOSPC') });
    target.write(Buffer.alloc(MIB));
    await new Promise((resolve) => setImmediate(resolve));
    expect(target.full).toBe(true);
    await expect(target.drain()).rejects.toThrow('no space left');
    await target.discard();
  });
});

describe('memory', () => {
  test('holds everything, and forgets it when discarded', async () => {
    const target = new MemoryTarget();
    const block = Buffer.alloc(5000, 1);
    for (let i = 0; i < 10; i++) target.write(block.fill(i));
    expect(target.bytes().length).toBe(50_000);
    expect(target.bytes()[45_000]).toBe(9);
    await target.discard();
    expect(target.bytes().length).toBe(0);
  });
});
