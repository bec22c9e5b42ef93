import type { Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errorCode } from './disk.js';
import { type ByteSource, FileSource, inputErrorOf } from './source.js';
import { lstat, readdir, stat } from './system.js';

/** A source whose size is known. */
export type SizedSource = ByteSource & { readonly size: number };

/** Where the files of a dataset are found: directories of this machine, or an archive. Paths are joined with `/`. */
export interface FileTree {
  /** Base names in a directory, sorted. @throws InputError when it cannot be read */
  list(directory: string): Promise<string[]>;
  /** What stands there, and the size of a file; null where nothing is. @throws InputError when that cannot be found out */
  look(
    path: string,
  ): Promise<{ readonly kind: 'file' | 'directory' | 'other'; readonly size: number } | null>;
  /** @throws InputError when it is missing, unreadable or not a file */
  open(path: string): Promise<SizedSource>;
  /** The directory that `directory` is in. */
  parent(directory: string): string;
}

/** The path of what stands in a directory of a tree. Those with a scheme (`s3://…`) are no paths to be made shorter. */
export function pathIn(directory: string, name: string): string {
  return /^[a-z\d]+:\/\//i.test(directory)
    ? `${directory.replace(/\/+$/, '')}/${name}`
    : join(directory, name);
}

/** What the system says of names behind which nothing is, a link that leads nowhere or in a circle included. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

/**
 * What the file system tells of a name, links followed unless `ofLink`; null where nothing is.
 *
 * @throws InputError when that cannot be found out: to go on without the file would be to read another dataset
 */
export async function statsOf(path: string, ofLink = false): Promise<Stats | null> {
  try {
    return await (ofLink ? lstat(path) : stat(path));
  } catch (error) {
    if (ABSENT.has(errorCode(error))) return null;
    throw inputErrorOf(error, path);
  }
}

/** The file system this process sees. */
export const localTree: FileTree = {
  async list(directory) {
    try {
      return (await readdir(directory)).sort();
    } catch (error) {
      throw inputErrorOf(error, directory);
    }
  },
  async look(path) {
    const stats = await statsOf(path);
    if (stats === null) return null;
    const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
    return { kind, size: stats.size };
  },
  open: (path) => FileSource.at(path),
  parent: (directory) => dirname(resolve(directory)),
};

/** The same for files of a server that goes on meanwhile: what was found stays readable, whatever becomes of its name. */
export const holdingTree: FileTree = { ...localTree, open: (path) => FileSource.held(path) };
