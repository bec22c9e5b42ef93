import { close, fstat, open, read } from 'node:fs';
import { promisify } from 'node:util';
import { InputError } from '../errors.js';

/** Something bytes can be read from, any number of times unless it is a pipe. */
export interface ByteSource {
  /** How messages name this input: a path, or `<stdin>`. */
  readonly label: string;
  /** Size in bytes, or null when it cannot be known in advance. */
  readonly size: number | null;
  /** Starts an independent pass over the bytes from `start`. A pipe can be opened once, from 0. */
  open(start?: number): Promise<ByteReader>;
}

export interface ByteReader {
  /** Fills part of `into`; resolves to the number of bytes, 0 at the end. The caller owns the memory. */
  read(into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

const openAsync = promisify(open);
const closeAsync = promisify(close);
const fstatAsync = promisify(fstat);

/** Turns an error of the file system into one the user can act on. */
export function inputErrorOf(error: unknown, path: string): InputError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOENT')
    return new InputError('input/missing', path, 'no such file or directory', 'check the path');
  if (code === 'EACCES' || code === 'EPERM') {
    return new InputError(
      'input/permission',
      path,
      'permission denied',
      'run as the user that owns the file',
    );
  }
  if (code === 'EISDIR')
    return new InputError('input/directory', path, 'is a directory, a file was expected');
  return new InputError('input/unreadable', path, `cannot be read: ${(error as Error).message}`);
}

/** A regular file, opened read-only. Its size is taken once: bytes appended later by a live server are not seen. */
export class FileSource implements ByteSource {
  private constructor(
    readonly label: string,
    readonly size: number,
  ) {}

  /** @throws InputError when the file is missing, unreadable or not a regular file */
  static async at(path: string): Promise<FileSource> {
    let descriptor: number | undefined;
    try {
      descriptor = await openAsync(path, 'r');
      const stats = await fstatAsync(descriptor);
      if (!stats.isFile()) throw new InputError('input/not-a-file', path, 'is not a regular file');
      return new FileSource(path, stats.size);
    } catch (error) {
      throw error instanceof InputError ? error : inputErrorOf(error, path);
    } finally {
      if (descriptor !== undefined) await closeAsync(descriptor);
    }
  }

  async open(start = 0): Promise<ByteReader> {
    try {
      return new FileReader(this.label, await openAsync(this.label, 'r'), start, this.size);
    } catch (error) {
      throw inputErrorOf(error, this.label);
    }
  }
}

class FileReader implements ByteReader {
  constructor(
    private readonly path: string,
    private readonly descriptor: number,
    private position: number,
    private readonly end: number,
  ) {}

  read(into: Uint8Array): Promise<number> {
    const count = Math.min(into.length, this.end - this.position);
    if (count <= 0) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      read(this.descriptor, into, 0, count, this.position, (error, bytesRead) => {
        if (error) return reject(inputErrorOf(error, this.path));
        this.position += bytesRead;
        resolve(bytesRead);
      });
    });
  }

  close(): Promise<void> {
    return closeAsync(this.descriptor);
  }
}

/** Bytes already in memory. */
export class MemorySource implements ByteSource {
  readonly size: number;

  constructor(
    private readonly bytes: Uint8Array,
    readonly label = '<memory>',
  ) {
    this.size = bytes.length;
  }

  open(start = 0): Promise<ByteReader> {
    let position = start;
    return Promise.resolve({
      read: (into: Uint8Array) => {
        const part = this.bytes.subarray(position, position + into.length);
        into.set(part);
        position += part.length;
        return Promise.resolve(part.length);
      },
      close: () => Promise.resolve(),
    });
  }
}

/** A pipe: unknown size, one pass. */
export class StreamSource implements ByteSource {
  readonly size = null;
  private opened = false;

  constructor(
    private readonly stream: AsyncIterable<Uint8Array>,
    readonly label = '<stdin>',
  ) {}

  open(start = 0): Promise<ByteReader> {
    if (this.opened || start !== 0) {
      throw new InputError(
        'input/pipe',
        this.label,
        'a pipe can be read only once',
        'save it to a file first',
      );
    }
    this.opened = true;
    const chunks = this.stream[Symbol.asyncIterator]();
    let rest: Uint8Array = new Uint8Array(0);
    return Promise.resolve({
      read: async (into: Uint8Array) => {
        while (rest.length === 0) {
          const next = await chunks.next();
          if (next.done === true) return 0;
          rest = next.value;
        }
        const part = rest.subarray(0, into.length);
        into.set(part);
        rest = rest.subarray(part.length);
        return part.length;
      },
      close: async () => {
        await chunks.return?.();
      },
    });
  }
}
