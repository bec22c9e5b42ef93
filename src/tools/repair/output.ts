import { basename, dirname, join, relative, resolve } from 'node:path';
import type { AofSet } from '../../aof/set.js';
import { DirectoryTarget } from '../../bytes/directory-target.js';
import { type Disk, errorCode } from '../../bytes/disk.js';
import { localTree, statsOf } from '../../bytes/file-tree.js';
import { FileSource, inputErrorOf } from '../../bytes/source.js';
import { realpath } from '../../bytes/system.js';
import { FileTarget, outputErrorOf } from '../../bytes/target.js';
import { type InputError, OutputError, UsageError } from '../../errors.js';
import type { ToolContext } from '../context.js';
import { leadsOut } from '../output-place.js';
import type { Source } from '../source.js';
import { giveTo } from './backup.js';
import { writeContent } from './content.js';
import type { FileOutcome } from './plan.js';

/** A repaired dataset that does not show yet. */
export interface StagedOutput {
  /** Where it can be read. */
  readonly stagedPath: string;
  /** Files of the source that were carried over as they are, by name. */
  readonly carried: readonly string[];
  /** What stands in the source directory and was not carried over, by name. */
  readonly leftBehind: readonly string[];
  /** Files that could not be given to the owner of the original. */
  readonly notOwned: readonly string[];
  /** Makes it visible. @throws OutputError UsageError */
  publish(): Promise<void>;
  /** Where a directory that stood there was moved. */
  readonly backupPath: string | null;
  discard(): Promise<void>;
}

export interface OutputOptions {
  readonly path: string;
  readonly force: boolean;
  /** Hard-link what no server changes, instead of copying it. */
  readonly link: boolean;
}

/** True when the dataset is one file, and so is what is made of it. */
export function isSingleFile(source: Source): boolean {
  if (source.isDirectory) return false;
  return source.kind === 'rdb' || (source.set.manifestPath === null && source.set.findings.length === 0);
}

/** Writes one repaired file. @throws OutputError UsageError InputError */
export async function stageFile(
  outcome: FileOutcome,
  options: OutputOptions,
  context: ToolContext,
  disk: Disk,
): Promise<StagedOutput> {
  const target = await FileTarget.create(options.path, { force: options.force, disk });
  try {
    await writeContent(outcome, target, context);
    await target.beginSync();
    // What was packed or piped has no owner to carry over.
    const owned =
      !(outcome.source instanceof FileSource) || (await carryOver(outcome.path, target.stagedPath, disk));
    return {
      stagedPath: target.stagedPath,
      carried: [],
      leftBehind: [],
      notOwned: owned ? [] : [options.path],
      backupPath: null,
      publish: () => target.publish(),
      discard: () => target.discard(),
    };
  } catch (error) {
    await target.discard();
    throw outputErrorOf(error, options.path);
  }
}

/** Mode and owner of one file for another. False when the owner could not be carried over. */
export async function carryOver(from: string, to: string, disk: Disk): Promise<boolean> {
  const facts = await disk.facts(from).catch((error) => {
    throw inputErrorOf(error, from);
  });
  const owned = await giveTo(to, facts, disk);
  // After the owner: changing that takes set-id bits away.
  await disk.setMode(to, facts.mode);
  return owned;
}

/** Writes a whole data directory. @throws OutputError UsageError InputError */
export async function stageDirectory(
  source: Source,
  outcomes: readonly FileOutcome[],
  options: OutputOptions,
  context: ToolContext,
  disk: Disk,
): Promise<StagedOutput> {
  const target = await DirectoryTarget.create(options.path, { force: options.force, disk });
  try {
    const stage = new DirectoryStage(source, target, options, context, disk);
    await stage.fill(outcomes);
    return {
      stagedPath: target.stagedPath,
      carried: stage.carried,
      leftBehind: stage.leftBehind,
      notOwned: stage.notOwned,
      get backupPath() {
        return target.backupPath;
      },
      publish: async () => {
        for (const file of stage.files) await file.publish();
        await target.publish();
      },
      discard: () => target.discard(),
    };
  } catch (error) {
    await target.discard();
    throw error;
  }
}

/** What a running or crashed server, or a repair in place, leaves behind and no server reads. */
const LEFTOVER = /^temp-|\.bak-\d{8}T\d{6}Z(-\d+)?$|\.partial-[0-9a-f]{12}$|\.(pid|log|sock)$/;
const LOG_FILE = /\.(base\.(rdb|aof)|incr\.aof|manifest)$/;

class DirectoryStage {
  /** Written and on their way to the medium, not published. */
  readonly files: FileTarget[] = [];
  readonly carried: string[] = [];
  readonly leftBehind: string[] = [];
  readonly notOwned: string[] = [];
  private readonly root: string;
  /** In front of names in the output. */
  private readonly folder: string;
  /** Of an archive the dataset is taken, and nothing beside it. */
  private readonly isArchive: boolean;

  constructor(
    source: Source,
    private readonly target: DirectoryTarget,
    private readonly options: OutputOptions,
    private readonly context: ToolContext,
    private readonly disk: Disk,
  ) {
    const logs = source.kind === 'aof' ? source.set : null;
    const { root, folder } = layoutOf(source, logs, options.path);
    this.root = root;
    this.isArchive = source.leftOut !== undefined;
    this.folder = folder;
  }

  async fill(outcomes: readonly FileOutcome[]): Promise<void> {
    const last = outcomes
      .filter(({ change, path }) => change !== 'remove' && !/\.manifest$/.test(path))
      .at(-1);
    const done = new Set<string>();
    for (const outcome of outcomes) {
      const name = relative(this.root, outcome.path);
      done.add(name);
      if (outcome.change === 'remove') continue;
      // A server appends to the last file of a log: it must not be the same file as that of the source.
      const shared =
        outcome.change === 'keep' && outcome !== last && !/\.(manifest|conf)$/.test(outcome.path);
      await this.put(name, outcome, shared);
    }
    if (this.isArchive) return;
    await this.carryRest('', done);
    for (const name of this.rooms()) await this.carryDirectory(name);
  }

  private readonly made = new Set<string>(['']);

  private rooms(): string[] {
    // The innermost first: a directory may become read-only.
    return [...this.made].sort((a, b) => b.length - a.length);
  }

  private async put(name: string, outcome: FileOutcome, shared: boolean): Promise<void> {
    const { target, context, options, root } = this;
    const placed = join(this.folder, name);
    if (name.startsWith('..')) {
      throw new UsageError(
        `${outcome.path} belongs to the log and stands outside ${root}`,
        'give the data directory',
      );
    }
    this.made.add(roomOf(name));
    if (options.link && shared && outcome.source instanceof FileSource)
      return this.link(outcome.path, placed);
    const file = await target.file(placed);
    await writeContent(outcome, file, context);
    await file.beginSync();
    this.files.push(file);
    await this.own(outcome, placed);
    if (outcome.change === 'keep') this.carried.push(name);
  }

  private async link(from: string, placed: string): Promise<void> {
    const { target, disk, options } = this;
    const to = await target.reserve(placed);
    try {
      const own = await realpath(from).catch((error) => {
        throw inputErrorOf(error, from);
      });
      await disk.link(own, to);
    } catch (error) {
      if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP'].includes(errorCode(error))) {
        throw outputErrorOf(error, join(options.path, placed));
      }
      const why = errorCode(error) === 'EXDEV' ? 'it is on another file system' : 'the file system refuses';
      throw new OutputError(options.path, `cannot hold a hard link to ${from}: ${why}`, 'leave --link out');
    }
    this.carried.push(relative(this.folder, placed));
  }

  /** A file that is new takes after the directory it is for. */
  private async own({ source, path }: FileOutcome, placed: string): Promise<void> {
    const { target, disk, options } = this;
    if (this.isArchive) return;
    const to = join(target.stagedPath, placed);
    try {
      const owned =
        source === null ? await giveTo(to, await this.rootFacts(), disk) : await carryOver(path, to, disk);
      if (!owned) this.notOwned.push(join(options.path, placed));
    } catch (error) {
      throw outputErrorOf(error, join(options.path, placed));
    }
  }

  private async rootFacts(): ReturnType<Disk['facts']> {
    try {
      return await this.disk.facts(this.root);
    } catch (error) {
      throw inputErrorOf(error, this.root);
    }
  }

  private async carryDirectory(name: string): Promise<void> {
    const { disk, target, root, options } = this;
    const staged = join(target.stagedPath, this.folder, name);
    try {
      if (!(await carryOver(join(root, name), staged, disk))) this.notOwned.push(join(options.path, name));
    } catch (error) {
      throw outputErrorOf(error, options.path);
    }
  }

  /** Every other file that a server might want: its configuration, another dataset. */
  private async carryRest(room: string, done: ReadonlySet<string>): Promise<void> {
    const { root, context, leftBehind } = this;
    for (const entry of await localTree.list(join(root, room))) {
      const name = join(room, entry);
      if (done.has(name)) continue;
      const path = join(root, name);
      if (await leadsOut(path, root)) {
        if (!this.made.has(name)) leftBehind.push(name);
        continue;
      }
      const stats = await statsOf(path);
      const holdsLog = stats?.isDirectory() === true && room === '' && (await holdsLogFiles(path));
      if (holdsLog) {
        await this.carryRest(name, done);
      } else if (
        stats?.isFile() !== true ||
        LEFTOVER.test(entry) ||
        (this.isLogRoom(room, done) && LOG_FILE.test(entry))
      ) {
        leftBehind.push(stats?.isDirectory() === true ? `${name}/` : name);
      } else {
        context.signal.throwIfAborted();
        const source = await FileSource.at(path);
        const outcome = {
          path,
          source,
          bytes: source.size,
          change: 'keep',
          pieces: [],
          dropped: [],
        } as const;
        await this.put(name, outcome, /\.rdb$/.test(entry));
      }
    }
  }

  /** In the directory of the repaired log no file counts that its manifest does not name. */
  private isLogRoom(room: string, done: ReadonlySet<string>): boolean {
    return [...done].some((name) => LOG_FILE.test(name) && roomOf(name) === room);
  }
}

/** The directory of a name, '' for the outermost. */
const roomOf = (name: string): string => (dirname(name) === '.' ? '' : dirname(name));

async function holdsLogFiles(path: string): Promise<boolean> {
  // What this user may not look into is named among what was left behind.
  const names = await localTree.list(path).catch((error: InputError) => {
    if (error.code === 'input/permission') return [];
    throw error;
  });
  return names.some((name) => LOG_FILE.test(name));
}

/** The directory that is carried over, and where in the output it goes. */
function layoutOf(source: Source, logs: AofSet | null, output: string): { root: string; folder: string } {
  const root = source.isDirectory ? source.path : (logs?.directory ?? '.');
  const isLog = logs !== null && resolve(logs.directory) === resolve(root) && holdsSet(logs);
  if (!isLog) return { root, folder: '' };
  const name = basename(resolve(root));
  return { root, folder: [name, APPEND_DIRECTORY].includes(basename(resolve(output))) ? '' : name };
}

/** True for the directory of a manifest; false for one with a legacy log. */
const holdsSet = (set: AofSet): boolean => set.manifestPath !== null || set.findings.length > 0;

/** The name that servers look for in their working directory. */
const APPEND_DIRECTORY = 'appendonlydir';
