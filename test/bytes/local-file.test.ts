import { constants, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { localDisk } from '../../src/bytes/disk.js';
import { LocalFile } from '../../src/bytes/local-file.js';
import { system } from '../../src/bytes/system.js';
import { FileTarget } from '../../src/bytes/target.js';
import { temporaryDirectory } from '../support/temporary.js';
import { failure } from './faulty-disk.js';

const KIB = 1024;
const BLOCK = 4096 * KIB;
const FROM = 64 * KIB;

const room = temporaryDirectory('local-file');
const original = system.open;
afterEach(() => void (system.open = original));

const isDirect = (flags: unknown): boolean => typeof flags === 'number' && (flags & constants.O_DIRECT) !== 0;

/** Whether what the tests write can be written directly: not everywhere. */
const canBeDirect = await open(join(room, 'probe'), 'wx')
  .then((made) => made.close())
  .then(() => open(join(room, 'probe'), constants.O_WRONLY | constants.O_DIRECT))
  .then(
    async (direct) => {
      await direct.close();
      return true;
    },
    () => false,
  );

/** Has `direct` do what is done to a file that is opened for direct writes. */
function meddle(
  direct: (handle: FileHandle) => void,
  opening = (): void => {},
): { opened: number; closed: number } {
  const seen = { opened: 0, closed: 0 };
  system.open = (async (path: string, flags: string | number, mode?: number) => {
    if (!isDirect(flags)) return original(path, flags, mode);
    opening();
    // What is tested is told by the handle alone: the system need not know direct writes.
    const handle = await original(path, constants.O_WRONLY);
    seen.opened++;
    const close = handle.close.bind(handle);
    direct(handle);
    const counted = (): Promise<void> => {
      seen.closed++;
      return close();
    };
    return Object.assign(handle, { close: counted });
  }) as typeof system.open;
  return seen;
}

type Write = (from: Buffer, at: number, count: number, position: number) => Promise<unknown>;

/** Has writes of a file go through something else, which is given what they did. */
function rewire(handle: FileHandle, how: (write: Write) => Write): void {
  handle.write = how(handle.write.bind(handle) as Write) as typeof handle.write;
}

let serial = 0;

async function begun(): Promise<{ readonly path: string; readonly file: LocalFile }> {
  const path = join(room, `out-${++serial}`);
  return { path, file: new LocalFile(await original(path, 'wx'), path, FROM) };
}

const bytes = Buffer.from(
  Uint8Array.from({ length: 2 * BLOCK + 300_001 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24),
);

/** Writes all of `bytes` in pieces. */
async function write(file: LocalFile, pieceBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) await file.write(bytes.subarray(at, at + pieceBytes));
}

const stands = (path: string, expected = bytes): void =>
  void expect(Buffer.compare(readFileSync(path), expected)).toBe(0);

describe('a large file', () => {
  test.each([256 * KIB, 100_003, 5 * KIB, bytes.length])(
    'is whole, written %i bytes at a time',
    async (piece) => {
      const { path, file } = await begun();
      await write(file, piece);
      expect(file.bypassing).toBe(canBeDirect);
      await file.settle();
      await file.sync();
      await file.close();
      stands(path);
    },
  );

  test('that is not large has no direct write', async () => {
    const seen = meddle(() => {});
    const { path, file } = await begun();
    await file.write(bytes.subarray(0, FROM - 1));
    expect(file.bypassing).toBe(false);
    await file.close();
    stands(path, bytes.subarray(0, FROM - 1));
    expect(seen.opened).toBe(0);
  });

  test('is written the usual way where there are no direct writes', async () => {
    meddle(
      () => {},
      () => {
        throw failure('EINVAL');
      },
    );
    const { path, file } = await begun();
    await write(file, 256 * KIB);
    expect(file.bypassing).toBe(false);
    await file.settle();
    await file.close();
    stands(path);
  });

  test.each([1, 2])(
    'goes on the usual way when direct write %i is one that the medium cannot do',
    async (nth) => {
      let writes = 0;
      const seen = meddle((handle) => {
        const write = handle.write.bind(handle) as (...args: unknown[]) => Promise<unknown>;
        handle.write = (async (...args: unknown[]) => {
          if (++writes === nth) throw failure('EINVAL');
          return write(...args);
        }) as typeof handle.write;
      });
      const { path, file } = await begun();
      await write(file, 256 * KIB);
      expect([writes, file.bypassing]).toEqual([nth, false]);
      await file.settle();
      await file.close();
      stands(path);
      expect(seen).toEqual({ opened: 1, closed: 1 });
    },
  );

  test('is whole when each direct write takes a part', async () => {
    meddle((handle) =>
      rewire(
        handle,
        (write) => (from, at, count, position) =>
          write(from, at, Math.min(count, 1024 * KIB + 4096), position),
      ),
    );
    const { path, file } = await begun();
    await write(file, 256 * KIB);
    expect(file.bypassing).toBe(true);
    await file.settle();
    await file.close();
    stands(path);
  });

  test('tells of a full medium', async () => {
    const seen = meddle((handle) => {
      handle.write = () => Promise.reject(failure('ENOSPC'));
    });
    const { file } = await begun();
    await expect(write(file, 256 * KIB)).rejects.toMatchObject({ code: 'ENOSPC' });
    await file.close();
    expect(seen).toEqual({ opened: 1, closed: 1 });
  });

  test('does not write into what has taken its name', async () => {
    const { path, file } = await begun();
    const seen = meddle(
      () => {},
      () => {
        renameSync(path, `${path}.moved`);
        writeFileSync(path, 'of somebody else');
      },
    );
    await write(file, 256 * KIB);
    await file.settle();
    await file.close();
    stands(`${path}.moved`);
    expect(readFileSync(path, 'latin1')).toBe('of somebody else');
    expect(seen).toEqual({ opened: 1, closed: 1 });
  });

  test('can be read before it is published', async () => {
    const path = join(room, `out-${++serial}`);
    const disk = {
      ...localDisk,
      create: async (path: string) => new LocalFile(await original(path, 'wx'), path, FROM),
    };
    const target = await FileTarget.create(path, { force: false, disk });
    target.write(bytes.subarray(0, BLOCK + 5));
    await target.flush();
    stands(target.stagedPath, bytes.subarray(0, BLOCK + 5));
    target.write(bytes.subarray(BLOCK + 5));
    await target.publish();
    stands(path);
  });
});
