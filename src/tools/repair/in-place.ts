import { basename, dirname, join } from 'node:path';
import { type Disk, errorCode } from '../../bytes/disk.js';
import { FileSource } from '../../bytes/source.js';
import { realpath } from '../../bytes/system.js';
import { FileTarget, outputErrorOf } from '../../bytes/target.js';
import { OutputError } from '../../errors.js';
import type { ToolContext } from '../context.js';
import { type Backup, backUp, freeBackupName, giveTo, sha256Of } from './backup.js';
import { writeContent } from './content.js';
import { findUsers } from './open-files.js';
import { carryOver } from './output.js';
import type { FileOutcome } from './plan.js';

/** New content of one file, beside it, not visible yet. */
interface Staged {
  readonly outcome: FileOutcome;
  /** The file itself, links resolved. */
  readonly path: string;
  readonly target: FileTarget;
}

/** A file that no longer belongs to its set. */
type Leaving = Pick<Staged, 'path' | 'outcome'>;

/**
 * Replaces files of a dataset by their new content. All of it is written and synced beside the old first; then, until
 * the last step, a server that is started meanwhile finds the old dataset or none: what leaves the set goes first, the
 * manifest comes last.
 */
export class InPlace {
  readonly notOwned: string[] = [];
  readonly backups: (Backup & { readonly of: string })[] = [];
  private readonly staged: Staged[] = [];
  private readonly leaving: Leaving[] = [];

  private constructor(
    private readonly context: ToolContext,
    private readonly disk: Disk,
  ) {}

  /**
   * Sees that it can be done: nobody writes the files, they may be replaced, and there is room.
   *
   * @throws OutputError when not; nothing has been written then
   */
  static async prepare(
    outcomes: readonly FileOutcome[],
    directories: readonly string[],
    trusted: boolean,
    context: ToolContext,
    disk: Disk,
  ): Promise<InPlace> {
    const changed = outcomes.filter(({ change }) => change !== 'keep');
    const all = await Promise.all(outcomes.map(({ path }) => realPath(path)));
    const rooms = await Promise.all(directories.map(realPath));
    refuseUsed(all, rooms, trusted);
    for (const { path, source } of changed) if (source !== null) await refuseReadOnly(path, disk);
    await refuseCrowded(changed, disk);
    return new InPlace(context, disk);
  }

  /** Writes the new content beside the old. Where each file can be read until it is published: `stagedPathOf`. */
  async write(outcomes: readonly FileOutcome[]): Promise<void> {
    const { context, disk } = this;
    for (const outcome of outcomes) {
      if (outcome.change === 'keep') continue;
      const path = await realPath(outcome.path);
      if (outcome.change === 'remove') {
        this.leaving.push({ path, outcome });
        continue;
      }
      const target = await FileTarget.create(path, { force: outcome.source !== null, disk });
      this.staged.push({ outcome, path, target });
      await writeContent(outcome, target, context);
      await target.flush();
      try {
        const owned =
          outcome.source === null
            ? await giveTo(target.stagedPath, await disk.facts(dirname(path)), disk)
            : await carryOver(path, target.stagedPath, disk);
        if (!owned) this.notOwned.push(path);
      } catch (error) {
        throw outputErrorOf(error, path);
      }
    }
  }

  /** Where the result of a file can be read; null when it is no longer there. */
  stagedPathOf(outcome: FileOutcome): string | null {
    if (outcome.change === 'keep') return outcome.path;
    return this.staged.find((each) => each.outcome === outcome)?.target.stagedPath ?? null;
  }

  /** Makes verified backups. @throws OutputError, and no backup is left */
  async backUp(): Promise<void> {
    const { context, disk } = this;
    try {
      for (const { outcome, path } of this.staged) {
        const { source } = outcome;
        if (!(source instanceof FileSource)) continue;
        await refuseChanged(source, path, disk);
        this.backups.push({ of: path, ...(await backUp(await sameFile(source, path), context, disk)) });
      }
    } catch (error) {
      for (const { path } of this.backups.splice(0)) await disk.unlink(path).catch(() => {});
      throw error;
    }
  }

  /**
   * Puts the new content in place. A failure puts back what stood there; what cannot be put back has its backup.
   *
   * @throws OutputError
   */
  async publish(): Promise<void> {
    const { disk, leaving, staged } = this;
    const undo: (() => Promise<void>)[] = [];
    try {
      for (const { outcome, path } of [...staged, ...leaving]) {
        if (outcome.source instanceof FileSource) await refuseChanged(outcome.source, path, disk);
      }
      for (const each of leaving) await this.putAside(each, undo);
      for (const room of new Set(leaving.map(({ path }) => dirname(path)))) await disk.syncDirectory(room);
      for (const { target, path, outcome } of staged) {
        const backup = this.backups.find(({ of }) => of === path);
        if (outcome.source === null) undo.push(() => disk.unlink(path));
        else if (backup !== undefined) undo.push(() => disk.rename(backup.path, path));
        await target.publish();
      }
    } catch (error) {
      for (const step of undo.reverse()) await step().catch(() => {});
      throw outputErrorOf(error, leaving[0]?.path ?? staged[0]?.path ?? '');
    }
  }

  /** A file that leaves its set keeps its bytes under the name of a backup. */
  private async putAside({ path, outcome }: Leaving, undo: (() => Promise<void>)[]): Promise<void> {
    const { context, disk } = this;
    const to = await freeBackupName(path, context, disk);
    const sha256 = outcome.source === null ? '' : await sha256Of(outcome.source, context);
    await disk.rename(path, to);
    undo.push(() => disk.rename(to, path));
    this.backups.push({ of: path, path: to, sha256 });
  }

  /** Takes back what does not show yet. Never throws. */
  async discard(): Promise<void> {
    for (const { target } of this.staged) await target.discard();
  }
}

async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path));
  }
}

/** The same file by its real name, at the size it had when it was planned. */
async function sameFile(source: FileSource, path: string): Promise<FileSource> {
  return source.label === path ? source : FileSource.at(path);
}

function refuseUsed(files: readonly string[], rooms: readonly string[], trusted: boolean): void {
  const { users, unseen, known } = findUsers(files, rooms);
  const [user] = users;
  if (user !== undefined) {
    throw new OutputError(
      user.path,
      `is in use by ${user.name} (process ${user.pid}): nothing was changed`,
      'stop it first, or write a repaired copy with --out',
    );
  }
  if (trusted || (known && unseen.length === 0)) return;
  const [other] = unseen;
  const why =
    other === undefined
      ? 'this system does not tell which process has it open'
      : `${other.name} (process ${other.pid}) runs, and this user may not see what it has open`;
  throw new OutputError(
    files[0] ?? '',
    `${why}: nothing was changed`,
    'run as root, or add --yes once you know that no server uses it',
  );
}

/** Somebody made it so for a reason; a rename would not even notice. */
async function refuseReadOnly(path: string, disk: Disk): Promise<void> {
  const facts = await disk.facts(path).catch((error) => {
    throw outputErrorOf(error, path);
  });
  if ((facts.mode & 0o222) !== 0) return;
  throw new OutputError(
    path,
    'is read-only: nothing was changed',
    'chmod u+w it if it may be replaced, or write a repaired copy with --out',
  );
}

/** Room for directories, names and what other processes write meanwhile. */
const SPARE_BYTES = 1024 * 1024;

async function refuseCrowded(changed: readonly FileOutcome[], disk: Disk): Promise<void> {
  const [first] = changed;
  if (first === undefined) return;
  let wanted = 0;
  for (const { bytes, dropped, change, pieces } of changed) {
    if (change === 'remove') continue;
    const lost = dropped.reduce((sum, { from, to }) => sum + to - from, 0);
    const own = pieces.reduce((sum, piece) => sum + (piece.kind === 'text' ? piece.bytes.length : 0), 0);
    wanted += bytes + Math.max(0, bytes - lost) + own;
  }
  const room = dirname(await realPath(first.path));
  let free: number;
  try {
    free = await disk.freeBytes(room);
  } catch (error) {
    if (['ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(errorCode(error))) return;
    throw outputErrorOf(error, room);
  }
  if (free >= wanted + SPARE_BYTES) return;
  throw new OutputError(
    room,
    `the backup and the repaired files take ${wanted} bytes, ${free} are free: nothing was changed`,
    'free some space, or write a repaired copy to another file system with --out',
  );
}

/** A server that still appends would lose what it wrote meanwhile. */
async function refuseChanged(source: FileSource, path: string, disk: Disk): Promise<void> {
  const { size } = await disk.facts(path).catch((error) => {
    throw outputErrorOf(error, path);
  });
  if (size === source.size) return;
  throw new OutputError(
    path,
    `has ${size} bytes now and had ${source.size} when it was read: nothing was changed`,
    'stop the server that writes it, then run this again',
  );
}
