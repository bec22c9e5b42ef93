import { dirname, isAbsolute, join, normalize, sep } from 'node:path';
import { assert, OutputError, UsageError } from '../errors.js';
import { type Disk, localDisk } from './disk.js';
import { FileTarget, outputErrorOf, stagingName } from './target.js';

export interface DirectoryTargetOptions {
  /** Let a directory that is not empty make way: it is kept under another name, see `backupPath`. */
  readonly force: boolean;
  readonly disk?: Disk;
}

/**
 * A directory of files that appears complete or not at all: built beside its destination under another name and renamed
 * when every file in it is synced. An empty directory at the destination is replaced.
 */
export class DirectoryTarget {
  /** Where a directory that stood at the destination was moved; null when there was none. Set by `publish`. */
  backupPath: string | null = null;
  private readonly files: FileTarget[] = [];
  private readonly directories: Set<string>;
  private open = true;

  private constructor(
    readonly label: string,
    /** Where the files are until they are published. */
    readonly stagedPath: string,
    private readonly disk: Disk,
    private readonly force: boolean,
  ) {
    this.directories = new Set([stagedPath]);
  }

  /**
   * @throws UsageError when the destination is not an empty directory and `force` is not given
   * @throws OutputError when nothing can be created beside it, or a file stands there
   */
  static async create(path: string, options: DirectoryTargetOptions): Promise<DirectoryTarget> {
    const disk = options.disk ?? localDisk;
    const destination = withoutTrailingSeparator(path);
    try {
      await refuseDestination(disk, destination, options.force);
      const stagedPath = stagingName(destination);
      await disk.makeDirectory(stagedPath, false).catch(async (error) => {
        // It may be there even so.
        await disk.removeTree(stagedPath).catch(() => {});
        throw error;
      });
      return new DirectoryTarget(destination, stagedPath, disk, options.force);
    } catch (error) {
      throw outputErrorOf(error, path);
    }
  }

  /**
   * Starts a file; `name` may have directories in front. Publish each file before the directory: that syncs it, under
   * its final name, inside the directory that is not visible yet.
   */
  async file(name: string, mode?: number): Promise<FileTarget> {
    assert(this.open, 'a directory takes files until it is published or discarded');
    const path = await this.reserve(name);
    const target = await FileTarget.staged(path, join(this.label, name), this.disk, mode);
    this.files.push(target);
    return target;
  }

  /** The path at which the caller may put a file itself (a hard link, a copy), its directories made. */
  async reserve(name: string): Promise<string> {
    const relative = normalize(name);
    assert(!isAbsolute(relative) && relative.split(sep)[0] !== '..', `${name} stays inside the directory`);
    const path = join(this.stagedPath, relative);
    const directory = dirname(path);
    if (!this.directories.has(directory)) {
      try {
        await this.disk.makeDirectory(directory, true);
      } catch (error) {
        throw outputErrorOf(error, join(this.label, name));
      }
      for (let at = directory; !this.directories.has(at); at = dirname(at)) this.directories.add(at);
    }
    return path;
  }

  /** Makes the directory visible under its name. A failure discards it. @throws OutputError UsageError */
  async publish(): Promise<void> {
    assert(this.open, 'a directory is published once');
    assert(
      this.files.every((file) => file.closed),
      'the files of a directory are published before it',
    );
    try {
      for (const directory of this.directories) await this.disk.syncDirectory(directory);
      await this.moveIntoPlace();
      this.open = false;
    } catch (error) {
      await this.discard();
      throw outputErrorOf(error, this.label);
    }
  }

  private async moveIntoPlace(): Promise<void> {
    const { disk, label } = this;
    const occupant = await refuseDestination(disk, label, this.force);
    if (occupant === 'directory') {
      const backupPath = `${label}.bak-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`;
      if ((await disk.occupant(backupPath)) !== 'nothing') {
        throw new OutputError(label, `${backupPath} stands in the way of a backup`, 'try again');
      }
      await disk.rename(label, backupPath);
      this.backupPath = backupPath;
    } else if (occupant === 'empty-directory') {
      await disk.removeEmptyDirectory(label);
    }
    try {
      await disk.rename(this.stagedPath, label);
    } catch (error) {
      await this.putBack(occupant === 'empty-directory');
      throw error;
    }
    await disk.syncDirectory(dirname(label));
  }

  private async putBack(wasEmpty: boolean): Promise<void> {
    if (wasEmpty) await this.disk.makeDirectory(this.label, false).catch(() => {});
    if (this.backupPath === null) return;
    await this.disk.rename(this.backupPath, this.label);
    this.backupPath = null;
  }

  /** Removes everything that was not published. Never throws, may be called at any time and twice. */
  async discard(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    for (const file of this.files) await file.discard();
    await this.disk.removeTree(this.stagedPath).catch(() => {});
  }
}

function withoutTrailingSeparator(path: string): string {
  const clean = normalize(path);
  return clean.length > 1 && clean.endsWith(sep) ? clean.slice(0, -1) : clean;
}

async function refuseDestination(disk: Disk, path: string, force: boolean) {
  const occupant = await disk.occupant(path);
  if (occupant === 'nothing' || occupant === 'empty-directory') return occupant;
  if (occupant !== 'directory') {
    throw new OutputError(path, 'is a file, a directory is to be made', 'give the name of a directory');
  }
  if (!force) throw new UsageError(`${path} exists and is not empty`, 'give --force to put it aside');
  return occupant;
}
