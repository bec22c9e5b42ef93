import { join } from 'node:path';
import { assert, OutputError } from '../errors.js';
import { type Disk, errorCode, localDisk, type OutputFile } from './disk.js';
import { DescriptorReader } from './source.js';
import { closeDescriptor, openDescriptor } from './system.js';

/** How often the space left is looked at, in bytes, and how much is left to others. */
const LOOK_EVERY = 16 * 1024 * 1024;
const LEAVE_FREE = 64 * 1024 * 1024;

let serial = 0;

/** Opens a file for reading, and takes its name away. */
export async function openNameless(path: string, disk: Disk): Promise<number> {
  const descriptor = await openDescriptor(path, 'r').catch(async (error) => {
    await disk.unlink(path);
    throw error;
  });
  try {
    await disk.unlink(path);
    return descriptor;
  } catch (error) {
    await closeDescriptor(descriptor);
    throw error;
  }
}

/**
 * A temporary file that bytes are written to and read back from. It has no name any more before its first byte is
 * written, so it is gone with the process, however that ends.
 */
export class ScratchFile {
  /** Bytes written. */
  size = 0;
  private lookedAt = -LOOK_EVERY;

  private constructor(
    private readonly directory: string,
    private readonly disk: Disk,
    private readonly file: OutputFile,
    private readonly descriptor: number,
  ) {}

  /** @throws OutputError when no file can be made in the directory */
  static async create(directory: string, disk: Disk = localDisk): Promise<ScratchFile> {
    const name = `rekindle-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}-${++serial}.scratch`;
    const path = join(directory, name);
    try {
      const file = await disk.create(path, 0o600);
      try {
        return new ScratchFile(directory, disk, file, await openNameless(path, disk));
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      throw new OutputError(
        directory,
        `no temporary file can be made there: ${errorCode(error)}`,
        'set TMPDIR to a directory that can be written to',
      );
    }
  }

  /** Appends bytes. @throws OutputError when there is no room for them */
  async write(bytes: Uint8Array): Promise<void> {
    const { directory, disk, size } = this;
    try {
      if (size - this.lookedAt >= LOOK_EVERY) {
        this.lookedAt = size;
        if ((await disk.freeBytes(directory)) < LEAVE_FREE + bytes.length) throw this.noRoom('');
      }
      await this.file.write(bytes);
      this.size += bytes.length;
    } catch (error) {
      throw error instanceof OutputError ? error : this.noRoom(`: ${errorCode(error)}`);
    }
  }

  /** Fills `into` with the bytes from `start` on, all of which were written. */
  async read(start: number, into: Uint8Array): Promise<void> {
    const reader = new DescriptorReader(this.directory, this.descriptor, start, this.size, async () => {});
    assert(start + into.length <= this.size, 'more was asked for than was written');
    for (let at = 0; at < into.length; ) at += await reader.read(into.subarray(at));
  }

  async close(): Promise<void> {
    await this.file.close();
    await closeDescriptor(this.descriptor);
  }

  private noRoom(why: string): OutputError {
    return new OutputError(
      this.directory,
      `a temporary file could not grow beyond ${this.size} bytes${why}`,
      'set TMPDIR to a directory with more space, or give more --memory',
    );
  }
}
