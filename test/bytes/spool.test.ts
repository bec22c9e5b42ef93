import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Disk, localDisk } from '../../src/bytes/disk.js';
import { MemorySource } from '../../src/bytes/source.js';
import { spooled } from '../../src/bytes/spool.js';
import { StreamSource } from '../../src/bytes/stream-source.js';
import { system } from '../../src/bytes/system.js';
import { temporaryDirectory } from '../support/temporary.js';
import { failure, faulty } from './faulty-disk.js';

const BYTES = Buffer.from('0123456789');
const room = () => temporaryDirectory('spool');

async function* pipe(...chunks: Buffer[]) {
  yield* chunks;
}

describe('a spooled pipe', () => {
  it('can be read again, from anywhere, and leaves no name behind', async () => {
    const directory = room();
    const source = new StreamSource(pipe(BYTES.subarray(0, 3), BYTES.subarray(3)));
    const spool = await spooled(source, { directory, signal: null });
    expect(readdirSync(directory)).toEqual([]);
    expect([spool.label, spool.size]).toEqual(['<stdin>', 10]);
    for (const start of [0, 4, 10]) {
      const reader = await spool.open(start);
      const into = Buffer.alloc(20);
      expect(into.latin1Slice(0, await reader.read(into))).toBe('0123456789'.slice(start));
      expect(await reader.read(into)).toBe(0);
      await reader.close();
    }
    await spool.close();
  });

  it('is made for its owner alone', async () => {
    const modes: number[] = [];
    const disk: Disk = {
      ...localDisk,
      create: (path, mode) => {
        modes.push(mode);
        return localDisk.create(path, mode);
      },
    };
    await (await spooled(new MemorySource(BYTES), { directory: room(), signal: null, disk })).close();
    expect(modes).toEqual([0o600]);
  });

  it('outlives its own end while it is read', async () => {
    const spool = await spooled(new MemorySource(BYTES), { directory: room(), signal: null });
    const reader = await spool.open();
    await spool.close();
    expect(await reader.read(Buffer.alloc(5))).toBe(5);
    await reader.close();
    await spool.close();
  });
});

describe('a spool that nobody knows of any more', () => {
  it('is closed, once nobody reads it', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let closed = 0;
    // Test files share a process: what is collected of others is closed meanwhile, too.
    const own = new Set<number>();
    const { closeDescriptor, openDescriptor } = system;
    system.openDescriptor = async (path, flags) => {
      const descriptor = await openDescriptor(path, flags);
      own.add(descriptor);
      return descriptor;
    };
    system.closeDescriptor = (descriptor) => {
      if (own.delete(descriptor)) closed++;
      return closeDescriptor(descriptor);
    };
    const collected = async () => {
      for (let i = 0; i < 20 && closed === 0; i++) {
        collect();
        await setTimeout(1);
      }
    };
    try {
      const reader = await spooled(new MemorySource(BYTES), { directory: room(), signal: null }).then(
        (spool) => spool.open(),
      );
      await collected();
      expect([closed, await reader.read(Buffer.alloc(20))]).toEqual([0, 10]);
      await reader.close();
      expect(closed).toBe(1);
      closed = 0;
      await spooled(new MemorySource(BYTES), { directory: room(), signal: null });
      await collected();
      expect(closed).toBe(1);
    } finally {
      Object.assign(system, { closeDescriptor, openDescriptor });
    }
  });
});

describe('what has no room', () => {
  it.each(['ENOSPC', 'EDQUOT'])('is refused with what to do: %s', async (code) => {
    const directory = room();
    const disk = faulty('write', 1, code);
    const spooling = spooled(new MemorySource(BYTES, 'x.gz'), { directory, signal: null, disk });
    await expect(spooling).rejects.toMatchObject({
      code: 'input/no-room',
      path: 'x.gz',
      hint: expect.stringContaining('TMPDIR') as string,
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is refused before others have none', async () => {
    const disk: Disk = { ...localDisk, freeBytes: () => Promise.resolve(1_000_000) };
    const spooling = spooled(new MemorySource(BYTES), { directory: room(), signal: null, disk });
    await expect(spooling).rejects.toMatchObject({ code: 'input/no-room' });
  });

  it('and what has no directory', async () => {
    const spooling = spooled(new MemorySource(BYTES), { directory: `${room()}/none`, signal: null });
    await expect(spooling).rejects.toMatchObject({ code: 'input/missing' });
  });
});

describe('spooling ends early', () => {
  it.each(['create', 'unlink', 'write', 'close'] as const)('when %s fails', async (step) => {
    const disk = faulty(step, 1, 'EIO');
    await expect(
      spooled(new MemorySource(BYTES), { directory: room(), signal: null, disk }),
    ).rejects.toMatchObject({ code: 'input/unreadable', message: expect.stringContaining('temporary file') });
  });

  it('when the source fails', async () => {
    const directory = room();
    const broken = async function* () {
      yield BYTES;
      throw failure('EIO');
    };
    await expect(spooled(new StreamSource(broken()), { directory, signal: null })).rejects.toMatchObject({
      code: 'input/unreadable',
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('when it is aborted, even while nothing comes', async () => {
    const abort = new AbortController();
    let wake = () => {};
    const silent = {
      destroy: () => wake(),
      async *[Symbol.asyncIterator]() {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        yield BYTES;
      },
    };
    const spooling = spooled(new StreamSource(silent), { directory: room(), signal: abort.signal });
    void setTimeout(5).then(() => abort.abort(new Error('enough')));
    await expect(spooling).rejects.toThrow('enough');
  });
});
