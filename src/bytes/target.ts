import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { assert, InputError, OutputError, UsageError } from '../errors.js';
import { ChunkFiller } from './chunk-filler.js';
import { type Disk, errorCode, localDisk, type OutputFile } from './disk.js';

/** Somewhere bytes go, in order. What was written shows under its name when it is published, whole, or never. */
export interface ByteTarget {
  /** How messages name this output. */
  readonly label: string;
  /** Bytes taken so far. */
  readonly size: number;
  /** Appends a copy of the bytes. Never waits: a failure of the medium is told by `drain` or `publish`. */
  write(bytes: Uint8Array): void;
  /** True when the caller should `drain` before it writes more. */
  readonly full: boolean;
  /** Resolves when there is room again. @throws OutputError when the medium failed */
  drain(): Promise<void>;
  /** Makes the output complete and visible. A failure discards it. @throws OutputError */
  publish(): Promise<void>;
  /** Takes everything back that was not published. Never throws, may be called at any time and twice. */
  discard(): Promise<void>;
}

const CHUNK = 256 * 1024;
/** Bytes waiting for the medium at which a target is full, and the number it drains to. */
const FULL = 16 * CHUNK;
const DRAINED = 4 * CHUNK;

/** Bytes of a file after which the medium is asked to take them while more is written. */
const SYNC_EVERY = 16 * 1024 * 1024;

/** Gathers bytes in chunks and hands them on one after the other while the caller goes on. */
export abstract class ChunkedTarget extends ChunkFiller implements ByteTarget {
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  private flushing: Promise<void> | null = null;
  /** Called after each chunk, for whoever drains. */
  private wake: (() => void) | null = null;
  private failure: OwnError | null = null;
  /** Called when these chunks of somebody else are done with. */
  private readonly lent = new Map<Buffer, () => void>();
  protected open = true;

  constructor(readonly label: string) {
    super(CHUNK, FULL / CHUNK);
  }

  protected abstract append(bytes: Buffer): Promise<void>;

  /** True once published or discarded. */
  get closed(): boolean {
    return !this.open;
  }

  get full(): boolean {
    return this.queuedBytes >= FULL || this.failure !== null;
  }

  override write(bytes: Uint8Array): void {
    assert(this.open, 'a target takes bytes until it is published or discarded');
    super.write(bytes);
  }

  /**
   * Appends the bytes as they stand, for large pieces that need not be copied first: they must stay so until it resolves.
   *
   * @throws OutputError when the medium failed
   */
  async writeThrough(bytes: Buffer): Promise<void> {
    assert(this.open, 'a target takes bytes until it is published or discarded');
    this.seal();
    this.size += bytes.length;
    const done = new Promise<void>((resolve) => this.lent.set(bytes, resolve));
    this.hand(bytes);
    await done;
    if (this.failure !== null) throw this.failure;
  }

  protected override hand(chunk: Buffer): void {
    this.queue.push(chunk);
    this.queuedBytes += chunk.length;
    this.flushing ??= this.flushQueue();
  }

  private async flushQueue(): Promise<void> {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      try {
        if (this.failure === null) await this.append(next);
      } catch (error) {
        this.failure = outputErrorOf(error, this.label);
      }
      this.queuedBytes -= next.length;
      this.release(next);
      this.wake?.();
    }
    this.flushing = null;
  }

  private release(chunk: Buffer): void {
    const done = this.lent.get(chunk);
    if (done === undefined) {
      this.recycle(chunk);
    } else {
      this.lent.delete(chunk);
      done();
    }
  }

  async drain(): Promise<void> {
    while (this.queuedBytes > DRAINED && this.failure === null) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    if (this.failure !== null) throw this.failure;
  }

  /** Hands everything taken so far to the medium. @throws OutputError when it failed */
  async flush(): Promise<void> {
    this.seal();
    await this.flushing;
    if (this.failure !== null) throw this.failure;
  }

  /** Drops what waits, and waits for the write that is under way. */
  protected async abandon(): Promise<void> {
    this.open = false;
    for (const chunk of this.queue) this.release(chunk);
    this.queue = [];
    this.queuedBytes = 0;
    this.wake?.();
    await this.flushing;
  }

  abstract publish(): Promise<void>;
  abstract discard(): Promise<void>;
}

export interface FileTargetOptions {
  /** Replace what stands under the name. A directory or a device is refused even so. */
  readonly force: boolean;
  /** Permission bits, before the umask. */
  readonly mode?: number;
  readonly disk?: Disk;
}

/**
 * A file that appears complete or not at all: written beside its destination under another name, synced, renamed, and
 * the rename made to last. A symbolic link at the destination is replaced, not followed.
 */
export class FileTarget extends ChunkedTarget {
  private syncing: Promise<void> | null = null;
  /** A sync of what was written so far, under way while more is written. */
  private early: Promise<void> = Promise.resolve();
  private earlyError: unknown = null;
  private unsynced = 0;

  private constructor(
    private readonly path: string,
    /** Where the bytes are until they are published; may be read after `flush`. */
    readonly stagedPath: string,
    private readonly file: OutputFile,
    private readonly disk: Disk,
    private readonly force: boolean,
    label: string,
  ) {
    super(label);
  }

  /**
   * @throws UsageError when the destination exists and `force` is not given
   * @throws OutputError when nothing can be created beside it
   */
  static async create(path: string, options: FileTargetOptions): Promise<FileTarget> {
    const disk = options.disk ?? localDisk;
    try {
      await refuseOccupied(disk, path, options.force);
      const stagedPath = stagingName(path);
      const file = await disk.create(stagedPath, options.mode ?? 0o666);
      return new FileTarget(path, stagedPath, file, disk, options.force, path);
    } catch (error) {
      throw outputErrorOf(error, path);
    }
  }

  /** A file inside a directory that is itself not published yet: it has its final name from the start. */
  static async staged(stagedPath: string, label: string, disk: Disk, mode = 0o666): Promise<FileTarget> {
    try {
      return new FileTarget(stagedPath, stagedPath, await disk.create(stagedPath, mode), disk, false, label);
    } catch (error) {
      throw outputErrorOf(error, label);
    }
  }

  protected override append(bytes: Buffer): Promise<void> {
    assert(this.syncing === null, 'nothing is written behind what is being synced');
    if (this.earlyError !== null) return Promise.reject(this.earlyError);
    this.unsynced += bytes.length;
    if (this.unsynced > SYNC_EVERY && !this.file.bypassing) this.syncEarly();
    return this.file.write(bytes);
  }

  override async flush(): Promise<void> {
    await super.flush();
    try {
      await this.file.settle();
    } catch (error) {
      throw outputErrorOf(error, this.label);
    }
  }

  /** The last sync must not find a whole large file waiting for the medium, which could have begun long before. */
  private syncEarly(): void {
    this.unsynced = Number.NEGATIVE_INFINITY;
    this.early = this.file.sync().then(
      () => {
        this.unsynced = 0;
      },
      (error) => {
        this.earlyError = error;
      },
    );
  }

  /**
   * Lets the medium begin while the caller goes on: when all is written, and before it is checked. `publish` waits for
   * it and tells when it failed.
   */
  async beginSync(): Promise<void> {
    await this.flush();
    this.syncing = this.file.sync();
    this.syncing.catch(() => {});
  }

  override async publish(): Promise<void> {
    assert(this.open, 'a target is published once');
    try {
      await this.flush();
      await this.early;
      if (this.earlyError !== null) throw this.earlyError;
      await (this.syncing ?? this.file.sync());
      this.open = false;
      await this.file.close();
      if (this.stagedPath !== this.path) await this.moveIntoPlace();
    } catch (error) {
      await this.remove();
      throw outputErrorOf(error, this.label);
    }
  }

  private async moveIntoPlace(): Promise<void> {
    const { disk, path, stagedPath } = this;
    await refuseOccupied(disk, path, this.force);
    if (this.force || !(await linkedIntoPlace(disk, stagedPath, path))) await disk.rename(stagedPath, path);
    try {
      await disk.syncDirectory(dirname(path));
    } catch (error) {
      if (!this.force) await disk.unlink(path).catch(() => {});
      throw error;
    }
  }

  override async discard(): Promise<void> {
    if (this.open) await this.remove();
  }

  private async remove(): Promise<void> {
    const wasOpen = this.open;
    await this.abandon();
    await this.early;
    if (wasOpen) await this.file.close().catch(() => {});
    await this.disk.unlink(this.stagedPath).catch(() => {});
  }
}

/**
 * A link, unlike a rename, fails when somebody else took the name meanwhile. False where the file system has no links.
 */
async function linkedIntoPlace(disk: Disk, stagedPath: string, path: string): Promise<boolean> {
  try {
    await disk.link(stagedPath, path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw occupied(path);
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errorCode(error))) return false;
    throw error;
  }
  try {
    await disk.unlink(stagedPath);
  } catch (error) {
    await disk.unlink(path).catch(() => {});
    throw error;
  }
  return true;
}

/** Bytes kept in memory. `bytes()` is complete at any time; nothing depends on publishing. */
export class MemoryTarget implements ByteTarget {
  readonly full = false;
  size = 0;
  private buffer = Buffer.allocUnsafeSlow(4096);

  constructor(readonly label = '<memory>') {}

  write(bytes: Uint8Array): void {
    const end = this.size + bytes.length;
    if (end > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, this.size);
      this.buffer = larger;
    }
    this.buffer.set(bytes, this.size);
    this.size = end;
  }

  /** A view of everything written: valid until the next write. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.size);
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  publish(): Promise<void> {
    return Promise.resolve();
  }

  discard(): Promise<void> {
    this.size = 0;
    return Promise.resolve();
  }
}

const occupied = (path: string) => new UsageError(`${path} exists`, 'give --force to replace it');

async function refuseOccupied(disk: Disk, path: string, force: boolean): Promise<void> {
  const occupant = await disk.occupant(path);
  if (occupant === 'nothing') return;
  if (!force) throw occupied(path);
  if (occupant === 'file') return;
  const what = occupant === 'other' ? 'is not a regular file' : 'is a directory';
  throw new OutputError(path, `${what} and is not replaced`, 'give the name of a file');
}

/** A name beside `path` that no loader takes for data and nobody else uses. */
export function stagingName(path: string): string {
  // A name may have 255 bytes; the part kept of the real one is only there for people.
  const stem = basename(path).slice(0, 50);
  return join(dirname(path), `${stem}.partial-${randomBytes(6).toString('hex')}`);
}

/** The kinds of errors that users can act on; one of an input comes up while an output is written from it. */
type OwnError = OutputError | UsageError | InputError;

const HINTS: Readonly<Record<string, readonly [string, string]>> = {
  ENOSPC: ['no space left on the device', 'free some space or write elsewhere'],
  EDQUOT: ['the disk quota is used up', 'free some space or write elsewhere'],
  EFBIG: ['the file would be larger than the file system allows', 'write elsewhere'],
  EROFS: ['the file system is read-only', 'write elsewhere'],
  ENOENT: ['the directory does not exist', 'create it first'],
  ENOTDIR: ['a part of the path is not a directory', 'check the path'],
  EACCES: ['permission denied', 'run as a user who may write there'],
  EPERM: ['operation not permitted', 'run as a user who may write there'],
  EPIPE: ['the reader of the pipe is gone', ''],
  EIO: ['the medium failed (I/O error)', 'check the disk'],
  EMFILE: ['cannot be opened: too many files are open', 'raise the limit (ulimit -n) and run it again'],
  ENFILE: ['cannot be opened: too many files are open', 'close other programs and run it again'],
  EBUSY: ['is in use by the system', 'write elsewhere'],
  ELOOP: ['the path leads through links in a circle', 'check the path'],
  ENAMETOOLONG: ['the name is longer than the file system allows', 'give a shorter one'],
};

/** Turns an error of the file system into one the user can act on. Errors that are already that pass. */
export function outputErrorOf(error: unknown, path: string): OwnError {
  if (error instanceof OutputError || error instanceof UsageError || error instanceof InputError)
    return error;
  const known = HINTS[errorCode(error)];
  if (known !== undefined) return new OutputError(path, known[0], known[1]);
  return new OutputError(path, `cannot be written: ${(error as Error).message}`, 'write elsewhere');
}
