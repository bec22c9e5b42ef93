import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { OutputFile } from './disk.js';
import { open } from './system.js';

/** What the bytes of a direct write, and where they go, must be multiples of: the block of every medium in use. */
const ALIGNED = 4096;
/** Bytes of one direct write. */
const BLOCK = 4 * 1024 * 1024;
/** Codes of a system or medium that does not write directly, at all or so many bytes. */
const CANNOT = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'];

/**
 * A file on this machine, written front to back. From `directFromBytes` on bytes go to the medium past the cache of the
 * system, where it can do that: a file that large would push out of memory what others need, a server beside us among
 * them, and what looking for room there takes grows faster than the file.
 */
export class LocalFile implements OutputFile {
  /** Bytes that stand in the file. */
  private position = 0;
  private direct: DirectBlock | null = null;
  private mayBeDirect = true;

  constructor(
    private readonly handle: FileHandle,
    private readonly path: string,
    private readonly directFromBytes: number,
  ) {}

  get bypassing(): boolean {
    return this.direct !== null;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let at = 0;
    if (this.mayBeDirect && this.direct === null && this.position + bytes.length >= this.directFromBytes) {
      at = Math.min(bytes.length, -this.position & (ALIGNED - 1));
      await this.append(bytes, 0, at);
      if (this.position % ALIGNED === 0) await this.begin();
    }
    while (this.direct !== null && at < bytes.length) {
      at += this.direct.take(bytes, at);
      if (this.direct.isFull) await this.writeBlock(this.direct);
    }
    await this.append(bytes, at, bytes.length);
  }

  /** Begins with direct writes, or notes that there are none. */
  private async begin(): Promise<void> {
    this.direct = await DirectBlock.open(this.path, this.handle);
    this.mayBeDirect = this.direct !== null;
  }

  private async writeBlock(direct: DirectBlock): Promise<void> {
    const { bytes } = direct;
    try {
      for (let at = 0; at < bytes.length; ) at += await direct.write(bytes.subarray(at), this.position + at);
    } catch (error) {
      if (!CANNOT.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      // What of it was written stands there a second time, the same.
      await this.endDirect(direct);
      return;
    }
    this.position += bytes.length;
    direct.empty();
  }

  private async endDirect(direct: DirectBlock): Promise<void> {
    this.direct = null;
    this.mayBeDirect = false;
    await direct.close();
    await this.append(direct.bytes, 0, direct.bytes.length);
  }

  private async append(bytes: Uint8Array, from: number, to: number): Promise<void> {
    for (let at = from; at < to; ) {
      const { bytesWritten } = await this.handle.write(bytes, at, to - at, this.position);
      at += bytesWritten;
      this.position += bytesWritten;
    }
  }

  /** The last block is not a whole one: it goes the usual way. */
  async settle(): Promise<void> {
    if (this.direct !== null) await this.endDirect(this.direct);
  }

  sync(): Promise<void> {
    return this.handle.sync();
  }

  async close(): Promise<void> {
    try {
      await this.direct?.close();
    } finally {
      await this.handle.close();
    }
  }
}

/** Bytes that are gathered for one direct write, and the file they go to. */
class DirectBlock {
  private filled = 0;

  private constructor(
    private readonly handle: FileHandle,
    private readonly block: Buffer,
  ) {}

  /** Opens the file of `same` once more; null where that cannot be done or the name is another's by now. */
  static async open(path: string, same: FileHandle): Promise<DirectBlock | null> {
    const { O_DIRECT, O_NOFOLLOW, O_WRONLY } = constants;
    const block = O_DIRECT === undefined ? null : alignedBlock();
    if (block === null) return null;
    const handle = await open(path, O_WRONLY | O_DIRECT | O_NOFOLLOW).catch(() => null);
    if (handle === null) return null;
    const isSame = await Promise.all([same.stat(), handle.stat()]).then(
      ([a, b]) => a.ino === b.ino && a.dev === b.dev,
      () => false,
    );
    if (isSame) return new DirectBlock(handle, block);
    await handle.close();
    return null;
  }

  get bytes(): Buffer {
    return this.block.subarray(0, this.filled);
  }

  get isFull(): boolean {
    return this.filled === BLOCK;
  }

  /** Takes bytes from `at` on; returns how many there was room for. */
  take(bytes: Uint8Array, at: number): number {
    const count = Math.min(bytes.length - at, BLOCK - this.filled);
    this.block.set(bytes.subarray(at, at + count), this.filled);
    this.filled += count;
    return count;
  }

  empty(): void {
    this.filled = 0;
  }

  async write(bytes: Buffer, position: number): Promise<number> {
    const { bytesWritten } = await this.handle.write(bytes, 0, bytes.length, position);
    return bytesWritten;
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** Memory that begins at a page, which a `Buffer` does not; null where there is none to be had. */
function alignedBlock(): Buffer | null {
  const pages = BLOCK / 65_536;
  try {
    return Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer);
  } catch {
    return null;
  }
}
