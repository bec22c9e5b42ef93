import type { FileHandle } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { type ByteReader, type ByteSource, inputErrorOf } from './source.js';
import { open } from './system.js';

/**
 * A file that somebody still appends to. It is opened at once, read-only, and stays readable when its name is gone.
 * Readers wait at its end for more until `complete` says that no more comes.
 */
export class GrowingFile implements ByteSource {
  /** Unknown: it grows. */
  readonly size = null;
  readonly once = true;
  private isComplete = false;
  private isClosed = false;
  private waiting: (() => void)[] = [];

  private constructor(
    readonly label: string,
    private readonly handle: FileHandle,
    /** Bytes that were there when it was opened. */
    readonly presentBytes: number,
    /** Differs between two files of the same name. */
    readonly identity: string,
  ) {}

  /** @throws InputError when the file is missing, unreadable or not a regular file */
  static async at(path: string): Promise<GrowingFile> {
    let handle: FileHandle | null = null;
    try {
      handle = await open(path, 'r');
      const stats = await handle.stat();
      if (!stats.isFile()) throw new InputError('input/not-a-file', path, 'is not a regular file');
      const file = new GrowingFile(path, handle, stats.size, `${stats.dev}:${stats.ino}`);
      handle = null;
      return file;
    } catch (error) {
      throw error instanceof InputError ? error : inputErrorOf(error, path);
    } finally {
      await handle?.close();
    }
  }

  /** Bytes may have been appended: whoever waits looks again. */
  wake(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** All that comes has been appended: reading ends where the file ends. */
  complete(): void {
    this.isComplete = true;
    this.wake();
  }

  async open(start = 0): Promise<ByteReader> {
    let position = start;
    let left = false;
    return {
      read: async (into) => {
        for (;;) {
          if (left || this.isClosed) return 0;
          // Asked before reading: what is appended before it is complete is read after this.
          const wasComplete = this.isComplete;
          const count = await this.readAt(position, into);
          position += count;
          if (count > 0 || wasComplete) return count;
          await this.refuseCut(position);
          // It may have become complete meanwhile, and nobody wakes a reader of what is complete.
          if (!this.isComplete && !left) await new Promise<void>((resolve) => this.waiting.push(resolve));
        }
      },
      close: async () => {
        left = true;
        this.wake();
      },
    };
  }

  /** Ends all reading. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.wake();
    await this.handle.close();
  }

  private async readAt(position: number, into: Uint8Array): Promise<number> {
    try {
      return (await this.handle.read(into, 0, into.length, position)).bytesRead;
    } catch (error) {
      if (this.isClosed) return 0;
      throw inputErrorOf(error, this.label, position);
    }
  }

  /** A server that starts on a torn log cuts it: what was read of the torn record will not go on. */
  private async refuseCut(position: number): Promise<void> {
    const size = this.isClosed ? position : (await this.handle.stat()).size;
    if (size >= position) return;
    throw new InputError(
      'input/changed',
      this.label,
      `was cut to ${size} bytes while it was followed, with ${position} read`,
      'run it again: a server that starts cuts a torn end off',
    );
  }
}
