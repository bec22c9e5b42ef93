import { constants } from 'node:fs';
import { LocalFile } from './local-file.js';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  unlink,
} from './system.js';

/** A file being written, front to back. */
export interface OutputFile {
  /** Appends all of the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** True while bytes go to the medium as they are written: a sync before the end would hasten nothing. */
  readonly bypassing: boolean;
  /** Has all bytes stand in the file, where some may have been kept to be written together. */
  settle(): Promise<void>;
  /** Returns when the bytes that stand in the file are on the medium. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export type Occupant = 'nothing' | 'file' | 'empty-directory' | 'directory' | 'other';

/** What one file hands on to another that takes its place. */
export interface FileFacts {
  readonly size: number;
  /** Permission bits, set-id bits included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What publishing needs of a file system, in one place so that a test can make any step of it fail. */
export interface Disk {
  /** Creates a file that must not exist yet. */
  create(path: string, mode: number): Promise<OutputFile>;
  /** What stands under the name; a symbolic link is 'file' whatever it leads to. */
  occupant(path: string): Promise<Occupant>;
  /** Gives a file a second name that must not exist yet. */
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Creates one directory, and with `parents` those above it that are missing. */
  makeDirectory(path: string, parents: boolean): Promise<void>;
  removeEmptyDirectory(path: string): Promise<void>;
  /** Removes a directory and all in it; nothing there is fine. */
  removeTree(path: string): Promise<void>;
  /** Makes names created, renamed or removed in the directory last. */
  syncDirectory(path: string): Promise<void>;
  /** Of the file that a symbolic link leads to. */
  facts(path: string): Promise<FileFacts>;
  setMode(path: string, mode: number): Promise<void>;
  setOwner(path: string, uid: number, gid: number): Promise<void>;
  /** Bytes this user may still write on the file system that `path` is on. */
  freeBytes(path: string): Promise<number>;
}

export const errorCode = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/** From so many bytes on a file is written past the cache of the system. */
const DIRECT_FROM_BYTES = 1024 * 1024 * 1024;

/** The file system this process sees. */
export const localDisk: Disk = {
  async create(path, mode) {
    return new LocalFile(await open(path, 'wx', mode), path, DIRECT_FROM_BYTES);
  },
  async occupant(path) {
    try {
      const stats = await lstat(path);
      if (stats.isFile() || stats.isSymbolicLink()) return 'file';
      if (!stats.isDirectory()) return 'other';
      return (await readdir(path)).length === 0 ? 'empty-directory' : 'directory';
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return 'nothing';
      throw error;
    }
  },
  link,
  rename,
  unlink,
  async makeDirectory(path, parents) {
    await mkdir(path, { recursive: parents });
  },
  removeEmptyDirectory: rmdir,
  removeTree: (path) => rm(path, { recursive: true, force: true }),
  async syncDirectory(path) {
    // Some file systems can't sync a directory; there the rename itself is all that can be had.
    const handle = await open(path, constants.O_RDONLY);
    try {
      await handle.sync();
    } catch (error) {
      if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EISDIR'].includes(errorCode(error))) throw error;
    } finally {
      await handle.close();
    }
  },
  async facts(path) {
    const { size, mode, uid, gid } = await stat(path);
    return { size, mode: mode & 0o7777, uid, gid };
  },
  setMode: chmod,
  setOwner: chown,
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};
