import { setTimeout as sleep } from 'node:timers/promises';
import { assert, InputError } from '../errors.js';
import { identityOf } from './file-ticket.js';
import { HeldFile } from './held-file.js';
import {
  closeDescriptor,
  openDescriptor,
  readDescriptor,
  readDescriptorNow,
  stat,
  statDescriptor,
} from './system.js';

/** Something bytes can be read from, any number of times unless it is a pipe. */
export interface ByteSource {
  /** How messages name this input: a path, or `<stdin>`. */
  readonly label: string;
  /** Size in bytes, or null when it cannot be known in advance. */
  readonly size: number | null;
  /** True for a pipe, however it is unpacked: it can be opened once. */
  readonly once?: boolean;
  /** Starts an independent pass over the bytes from `start`. A pipe can be opened once, from 0. */
  open(start?: number): Promise<ByteReader>;
}

export interface ByteReader {
  /** Fills part of `into`; resolves to the number of bytes, 0 at the end. The caller owns the memory. */
  read(into: Uint8Array): Promise<number>;
  /**
   * True when `read` returns no sooner than its bytes are there: reading ahead would gain no time, and push out of the nearest
   * cache what is to be looked at first.
   */
  readonly waits?: boolean;
  /** May be called while a read is under way, whose outcome is then of no interest, and more than once. */
  close(): Promise<void>;
}

/**
 * Turns an error of the file system into one the user can act on. Those that already are one pass. `offset`: where in the
 * file, for an error of reading it.
 */
export function inputErrorOf(error: unknown, path: string, offset: number | null = null): InputError {
  if (error instanceof InputError) return error;
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
  const at = offset === null ? '' : ` at offset ${offset}`;
  if (code === 'EIO') {
    return new InputError(
      'input/unreadable',
      path,
      `cannot be read${at}: the medium failed (I/O error)`,
      'check the disk; copy what still reads with ddrescue or the like, and work on the copy',
    );
  }
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new InputError(
      'input/unreadable',
      path,
      'cannot be opened: too many files are open',
      'raise the limit (ulimit -n) and run it again',
    );
  }
  return new InputError(
    'input/unreadable',
    path,
    `cannot be read${at}: ${(error as Error).message}`,
    'try to copy the file, and work on the copy',
  );
}

/** What tells a file from any other, as plain data, so that another thread reads the same. */
export interface FileTicket {
  readonly path: string;
  readonly size: number;
  /** Of device and inode. */
  readonly identity: string;
  readonly modifiedMs: number;
}

/**
 * A regular file, opened read-only. Its size is taken once: bytes appended later by a live server are not seen. One that is
 * held can be read though its name is gone or means another by then; else a file that was replaced is refused rather
 * than read with the size of another, and so is one that was cut.
 */
export class FileSource implements ByteSource {
  private held: HeldFile | null = null;

  private constructor(
    readonly label: string,
    readonly size: number,
    private readonly identity: string,
    private readonly modifiedMs: number,
  ) {}

  /** For `of`. */
  get ticket(): FileTicket {
    const { label: path, size, identity, modifiedMs } = this;
    return { path, size, identity, modifiedMs };
  }

  /**
   * The file that another thread has, of the same size: what was appended since is not seen.
   *
   * @throws InputError when the name means another file by now, or the file was changed without growing
   */
  static async of({ path, size, identity, modifiedMs }: FileTicket): Promise<FileSource> {
    const now = await FileSource.at(path);
    const grown = now.size > size;
    if (now.identity !== identity || now.size < size || (!grown && now.modifiedMs !== modifiedMs)) {
      throw now.changed();
    }
    return new FileSource(path, size, identity, modifiedMs);
  }

  /** @throws InputError when the file is missing, unreadable or not a regular file */
  static at(path: string): Promise<FileSource> {
    return FileSource.find(path, false);
  }

  /** The same, held open as long as the source is in use: for files of a server that goes on meanwhile. */
  static held(path: string): Promise<FileSource> {
    return FileSource.find(path, true);
  }

  private static async find(path: string, hold: boolean): Promise<FileSource> {
    try {
      // Looked at before it is opened: opening a named pipe would wait for its writer.
      const stats = await stat(path);
      if (stats.isDirectory()) {
        throw new InputError('input/directory', path, 'is a directory, a file was expected');
      }
      if (!stats.isFile()) throw new InputError('input/not-a-file', path, 'is not a regular file');
      return await FileSource.opened(path, hold);
    } catch (error) {
      throw error instanceof InputError ? error : inputErrorOf(error, path);
    }
  }

  /** What it is now, not what was looked at: its name may mean another by then. */
  private static async opened(path: string, hold: boolean): Promise<FileSource> {
    let descriptor: number | undefined = await openDescriptor(path, 'r');
    try {
      const stats = await statDescriptor(descriptor);
      const source = new FileSource(path, stats.size, identityOf(stats), stats.mtimeMs);
      if (hold) {
        source.held = HeldFile.for(source, descriptor);
        descriptor = undefined;
      }
      return source;
    } finally {
      if (descriptor !== undefined) await closeDescriptor(descriptor);
    }
  }

  async open(start = 0): Promise<ByteReader> {
    const { descriptor, release } = await this.openHere();
    return new DescriptorReader(this.label, descriptor, start, this.size, release);
  }

  /** For a thread that has nothing else to do while it reads. */
  async openWaiting(): Promise<WaitingReader> {
    const { descriptor, release } = await this.openHere();
    return new WaitingReader(this.label, descriptor, this.size, release);
  }

  /** Whether somebody is appending to it: it has grown since, or does so right now. */
  async isGrowing(): Promise<boolean> {
    const { descriptor, release } = await this.openHere();
    try {
      for (let look = 0; look < LOOKS_MAX; look++) {
        const { size, mtimeMs } = await statDescriptor(descriptor);
        if (size > this.size) return true;
        if (Math.abs(Date.now() - mtimeMs) > LATELY_MS) return false;
        await sleep(LOOK_AGAIN_MS);
      }
      return false;
    } finally {
      await release();
    }
  }

  private async openHere(): Promise<{ descriptor: number; release: () => Promise<void> }> {
    const held = this.held;
    const descriptor = held?.take() ?? null;
    if (held === null || descriptor === null) return this.openAgain();
    const release = () => held.giveBack();
    try {
      if ((await statDescriptor(descriptor)).size < this.size) throw this.changed();
      return { descriptor, release };
    } catch (error) {
      await release();
      throw inputErrorOf(error, this.label);
    }
  }

  private async openAgain(): Promise<{ descriptor: number; release: () => Promise<void> }> {
    let descriptor: number | undefined;
    try {
      descriptor = await openDescriptor(this.label, 'r');
      const stats = await statDescriptor(descriptor);
      if (identityOf(stats) !== this.identity || stats.size < this.size) {
        throw this.changed();
      }
      const own = descriptor;
      descriptor = undefined;
      return { descriptor: own, release: () => closeDescriptor(own) };
    } catch (error) {
      throw error instanceof InputError ? error : inputErrorOf(error, this.label);
    } finally {
      if (descriptor !== undefined) await closeDescriptor(descriptor);
    }
  }

  private changed(): InputError {
    return changed(this.label);
  }
}

function changed(path: string): InputError {
  return new InputError(
    'input/changed',
    path,
    'was replaced or cut while it was being read',
    'work on a copy, or run again when the server is quiet',
  );
}

/** One write that is seen half done goes on within moments, on a busy machine within these. */
const LOOKS_MAX = 5;
const LOOK_AGAIN_MS = 5;
const LATELY_MS = 1000;

/** Reads `[position, end)` of an open file, which ends no earlier; `release` is called once no read is under way any more. */
export class DescriptorReader implements ByteReader {
  private reading: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly label: string,
    private readonly descriptor: number,
    private position: number,
    private readonly end: number,
    private readonly release: () => Promise<void>,
  ) {}

  read(into: Uint8Array): Promise<number> {
    assert(!this.closed, 'a closed reader was read');
    const count = Math.min(into.length, this.end - this.position);
    if (count <= 0) return Promise.resolve(0);
    const reading = new Promise<number>((resolve, reject) => {
      readDescriptor(this.descriptor, into, 0, count, this.position, (error, bytesRead) => {
        if (error) return reject(inputErrorOf(error, this.label, this.position));
        // Where it ends by now nothing says what stood there.
        if (bytesRead === 0) return reject(changed(this.label));
        this.position += bytesRead;
        resolve(bytesRead);
      });
    });
    this.reading = reading;
    return reading;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    // The number may name another file the moment it is closed: no read may still be on its way to it.
    await this.reading.catch(() => {});
    await this.release();
  }
}

/** Reads any part of an open file, one after the other, and waits for it: its promises are kept when they are given. */
export class WaitingReader implements ByteReader {
  readonly waits = true;
  private position = 0;
  private end: number;

  constructor(
    private readonly label: string,
    private readonly descriptor: number,
    private readonly size: number,
    private readonly release: () => Promise<void>,
  ) {
    this.end = size;
  }

  /** Goes on from `position`, up to `end`. */
  enter(position: number, end: number): void {
    this.position = position;
    this.end = Math.min(end, this.size);
  }

  async read(into: Uint8Array): Promise<number> {
    const count = Math.min(into.length, this.end - this.position);
    if (count <= 0) return 0;
    try {
      const bytesRead = readDescriptorNow(this.descriptor, into, 0, count, this.position);
      if (bytesRead === 0) throw changed(this.label);
      this.position += bytesRead;
      return bytesRead;
    } catch (error) {
      throw inputErrorOf(error, this.label, this.position);
    }
  }

  close(): Promise<void> {
    return this.release();
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

/** The first bytes of the source, fewer than `count` only when it has no more. Not for pipes: they open once. */
export function readHead(source: ByteSource, count: number): Promise<Buffer> {
  return readAt(source, 0, Math.min(count, source.size ?? count));
}

/** The bytes of the source from `offset` on, fewer than `count` only when it has no more. Not for pipes. */
export async function readAt(source: ByteSource, offset: number, count: number): Promise<Buffer> {
  const reader = await source.open(offset);
  try {
    const bytes = Buffer.alloc(count);
    let filled = 0;
    while (filled < count) {
      const read = await reader.read(bytes.subarray(filled));
      if (read === 0) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  } finally {
    await reader.close();
  }
}
