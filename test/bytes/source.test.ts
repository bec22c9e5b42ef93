import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type ByteReader, FileSource, MemorySource, readHead } from '../../src/bytes/source.js';
import { StreamSource } from '../../src/bytes/stream-source.js';
import type { InputError } from '../../src/errors.js';
import { temporaryDirectory } from '../support/temporary.js';

async function readAll(reader: ByteReader, chunk = 3): Promise<string> {
  const parts: Buffer[] = [];
  for (;;) {
    const into = Buffer.alloc(chunk);
    const count = await reader.read(into);
    if (count === 0) return Buffer.concat(parts).latin1Slice();
    parts.push(into.subarray(0, count));
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

const openDescriptors = () => readdirSync('/proc/self/fd').length;

describe('files', () => {
  const directory = temporaryDirectory('source');
  const path = join(directory, 'data');
  writeFileSync(path, 'hello world');

  test('are read from any place, any number of times', async () => {
    const source = await FileSource.at(path);
    expect(source.size).toBe(11);
    expect(source.label).toBe(path);
    for (const [start, text] of [
      [0, 'hello world'],
      [6, 'world'],
      [11, ''],
      [99, ''],
    ] as const) {
      const reader = await source.open(start);
      expect(await readAll(reader)).toBe(text);
      expect(await reader.read(Buffer.alloc(4))).toBe(0);
      await reader.close();
    }
    expect((await readHead(source, 5)).latin1Slice()).toBe('hello');
    expect((await readHead(source, 50)).latin1Slice()).toBe('hello world');
  });

  test('leave no descriptor behind, not even when closed twice or while reading', async () => {
    const before = openDescriptors();
    const source = await FileSource.at(path);
    const reader = await source.open();
    const reading = reader.read(Buffer.alloc(4));
    await reader.close();
    await reader.close();
    expect(await reading).toBe(4);
    expect(openDescriptors()).toBe(before);
  });

  test('bytes appended later are not seen', async () => {
    const growing = join(directory, 'growing');
    writeFileSync(growing, 'abc');
    const source = await FileSource.at(growing);
    const reader = await source.open();
    appendFileSync(growing, 'def');
    expect(await readAll(reader)).toBe('abc');
    await reader.close();
    expect(await readAll(await source.open())).toBe('abc');
  });

  test('a file replaced or cut since is refused', async () => {
    const changing = join(directory, 'changing');
    writeFileSync(changing, 'abcdef');
    const source = await FileSource.at(changing);
    const before = openDescriptors();
    truncateSync(changing, 3);
    await expect(source.open()).rejects.toMatchObject({ code: 'input/changed', path: changing });
    writeFileSync(join(directory, 'other'), 'abcdef');
    renameSync(join(directory, 'other'), changing);
    await expect(source.open()).rejects.toMatchObject({ code: 'input/changed' });
    expect(openDescriptors()).toBe(before);
  });

  test('another thread reads the same file with the same size, or none', async () => {
    const shared = join(directory, 'shared');
    const other = join(directory, 'other');
    const lay = () => {
      writeFileSync(other, 'abcdef');
      renameSync(other, shared);
    };
    const changes: [string, () => void, string][] = [
      ['is as it was', () => {}, 'abcdef'],
      ['grew', () => appendFileSync(shared, 'g'), 'abcdef'],
      ['was replaced', lay, 'input/changed'],
      ['was cut', () => truncateSync(shared, 3), 'input/changed'],
      ['was written over', () => utimesSync(shared, 1, 1), 'input/changed'],
      ['went', () => unlinkSync(shared), 'input/missing'],
    ];
    for (const [what, change, wanted] of changes) {
      lay();
      const { ticket } = await FileSource.at(shared);
      change();
      const found = await FileSource.of(structuredClone(ticket)).then(
        async (source) => readAll(await source.open()),
        (error: InputError) => error.code,
      );
      expect(found, what).toBe(wanted);
    }
  });

  test('say what stands in the way', async () => {
    await expect(FileSource.at(join(directory, 'absent'))).rejects.toMatchObject({ code: 'input/missing' });
    await expect(FileSource.at(directory)).rejects.toMatchObject({ code: 'input/directory' });
    await expect(FileSource.at('/dev/null')).rejects.toMatchObject({ code: 'input/not-a-file' });
    await expect(FileSource.at(join(path, 'under'))).rejects.toMatchObject({ code: 'input/unreadable' });
  });

  test('a named pipe is refused at once, not waited for', async () => {
    const fifo = join(directory, 'fifo');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    await expect(FileSource.at(fifo)).rejects.toMatchObject({ code: 'input/not-a-file' });
  });

  test('are opened for reading only', async () => {
    const reader = await (await FileSource.at(path)).open();
    // The kernel tells the flags of a descriptor that is open; the lowest octal digit is 0 for reading only.
    const ours = readdirSync('/proc/self/fd').filter((fd) => linkOf(`/proc/self/fd/${fd}`) === path);
    const modes = ours.map(
      (fd) => /flags:\s*\d*(\d)\n/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1],
    );
    expect(modes).toEqual(['0']);
    await reader.close();
  });

  test('in a directory without permission', async () => {
    if (process.getuid?.() === 0) return; // root may read everything
    const closed = join(directory, 'closed');
    mkdirSync(closed, { mode: 0 });
    await expect(FileSource.at(join(closed, 'x'))).rejects.toMatchObject({ code: 'input/permission' });
  });
});

test('memory is read from any place', async () => {
  const source = new MemorySource(Buffer.from('abcdef'));
  expect(source.size).toBe(6);
  expect(await readAll(await source.open(2), 1)).toBe('cdef');
  expect(await readAll(await source.open(9))).toBe('');
});

describe('streams', () => {
  test('are read once, in whatever parts they come', async () => {
    const source = new StreamSource(
      (async function* () {
        yield Buffer.from('ab');
        yield Buffer.alloc(0);
        yield Buffer.from('cdefg');
      })(),
    );
    expect(source.size).toBe(null);
    const reader = await source.open();
    expect(await readAll(reader, 4)).toBe('abcdefg');
    expect(await reader.read(Buffer.alloc(1))).toBe(0);
    await reader.close();
    await expect(source.open()).rejects.toMatchObject({ code: 'input/pipe' });
  });

  test('cannot start in the middle', async () => {
    await expect(new StreamSource(Readable.from([])).open(1)).rejects.toMatchObject({ code: 'input/pipe' });
  });

  test('closing destroys a stream although a read waits for it', async () => {
    const stream = new PassThrough();
    const reader = await new StreamSource(stream).open();
    const reading = reader.read(Buffer.alloc(1)).catch((error) => error);
    await reader.close();
    expect(stream.destroyed).toBe(true);
    await reading;
  });

  test('closing ends an iterator that is no stream', async () => {
    let ended = false;
    const iterable = (async function* () {
      try {
        yield Buffer.from('abc');
        yield Buffer.from('def');
      } finally {
        ended = true;
      }
    })();
    const reader = await new StreamSource(iterable).open();
    await reader.read(Buffer.alloc(1));
    await reader.close();
    expect(ended).toBe(true);
  });

  test('an error of the stream names the input', async () => {
    const failing = (async function* () {
      yield Buffer.from('a');
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    })();
    const reader = await new StreamSource(failing, '<stdin>').open();
    await reader.read(Buffer.alloc(1));
    await expect(reader.read(Buffer.alloc(1))).rejects.toMatchObject({
      code: 'input/unreadable',
      path: '<stdin>',
    });
  });
});
