import { join } from 'node:path';
import { assert, InputError } from '../errors.js';
import { type Disk, errorCode, localDisk } from './disk.js';
import { HeldFile } from './held-file.js';
import { openNameless } from './scratch-file.js';
import { type ByteReader, type ByteSource, DescriptorReader, inputErrorOf } from './source.js';
import { closeDescriptor } from './system.js';

export interface SpoolOptions {
  /** Where temporary files go. */
  readonly directory: string;
  readonly signal: AbortSignal | null;
  readonly disk?: Disk;
  /** Called after each chunk with the bytes copied so far. */
  readonly progress?: (bytes: number) => void;
}

const CHUNK = 512 * 1024;
/** How often the space left is looked at, and how much is left to others. */
const LOOK_EVERY = 16 * 1024 * 1024;
const LEAVE_FREE = 64 * 1024 * 1024;

let serial = 0;

/**
 * Copies a source that opens once, or at a cost, into a temporary file that only this user can read. It has no name any
 * more before its first byte is written, so it is gone with the process, however that ends. Close the result when done.
 *
 * @throws InputError when the disk has no room for it; whatever reading the source throws; the signal's reason
 */
export async function spooled(source: ByteSource, options: SpoolOptions): Promise<SpooledSource> {
  const { directory, signal, disk = localDisk } = options;
  const name = `rekindle-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}-${++serial}.spool`;
  const path = join(directory, name);
  let size = 0;
  try {
    const file = await disk.create(path, 0o600);
    try {
      const descriptor = await openNameless(path, disk);
      try {
        for await (const bytes of chunksOf(source, signal)) {
          if (size % LOOK_EVERY < bytes.length && (await disk.freeBytes(directory)) < LEAVE_FREE) {
            throw noRoom(source, directory, size);
          }
          await file.write(bytes);
          size += bytes.length;
          options.progress?.(size);
        }
        return new SpooledSource(source.label, size, descriptor);
      } catch (error) {
        await closeDescriptor(descriptor);
        throw error;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(errorCode(error))) throw noRoom(source, directory, size);
    if (['ENOENT', 'EACCES', 'EROFS', 'ENOTDIR'].includes(errorCode(error))) {
      throw inputErrorOf(error, directory);
    }
    // Errors of the system are of the temporary file: those of the source have words already.
    if (/^E[A-Z\d]+$/.test(errorCode(error))) throw unusable(source, directory, error);
    throw error;
  }
}

async function* chunksOf(source: ByteSource, signal: AbortSignal | null): AsyncGenerator<Uint8Array> {
  const reader = await source.open();
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  // Closing the pipe is what ends a read of it.
  const close = () => void reader.close();
  signal?.addEventListener('abort', close);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const count = await reader.read(chunk);
      if (count === 0) break;
      yield chunk.subarray(0, count);
    }
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener('abort', close);
    await reader.close();
  }
}

function unusable({ label }: ByteSource, directory: string, error: unknown): InputError {
  return new InputError(
    'input/unreadable',
    label,
    `has to be kept in a temporary file, and that fails in ${directory}: ${(error as Error).message}`,
    'set TMPDIR to a directory that can be written to, or unpack it to a file and give that',
  );
}

function noRoom({ label }: ByteSource, directory: string, size: number): InputError {
  return new InputError(
    'input/no-room',
    label,
    `has to be kept in a temporary file, and ${directory} has no room for more of it after ${size} bytes`,
    'set TMPDIR to a directory with more space, or unpack it to a file and give that',
  );
}

/**
 * A spooled source: opens as often as wanted, until it is closed, or no longer reachable. Takes the label of what it was
 * copied from.
 */
export class SpooledSource implements ByteSource {
  private readonly file: HeldFile;

  constructor(
    readonly label: string,
    readonly size: number,
    descriptor: number,
  ) {
    this.file = HeldFile.nameless(this, descriptor);
  }

  async open(start = 0): Promise<ByteReader> {
    // What a reader knows of must not be this source: it would be reachable as long as it is read.
    const { file, label, size } = this;
    const descriptor = file.take();
    assert(descriptor !== null, 'a closed spool was opened');
    return new DescriptorReader(label, descriptor, start, size, () => file.giveBack());
  }

  close(): Promise<void> {
    return this.file.letGo();
  }
}
