import { dirname, join } from 'node:path';
import { openAofSet } from '../../aof/set.js';
import { nothing, type WriteContent, writeAofFiles } from '../../aof/writer.js';
import { DirectoryTarget } from '../../bytes/directory-target.js';
import type { Disk } from '../../bytes/disk.js';
import { FileSource } from '../../bytes/source.js';
import { outputErrorOf } from '../../bytes/target.js';
import { OutputError, UsageError } from '../../errors.js';
import { FINDINGS, type FindingCode } from '../../model/finding.js';
import type { ServerConfig } from '../../model/server-config.js';
import { checkFile } from '../check/file.js';
import type { ToolContext } from '../context.js';
import { digest } from '../digest.js';
import type { Server } from '../family.js';
import { EVERY_KEY } from '../filter.js';
import { realPlace } from '../output-place.js';
import { writeContent } from '../repair/content.js';
import { carryOver } from '../repair/output.js';
import { oldestTarget, targetOf } from '../target-choice.js';
import { DatasetContent, type Loss } from '../write-dataset.js';
import { type Measured, measureWay, rebuildWay, snapshotOf } from './measure.js';
import { isInside } from './place.js';
import type { Part, Way } from './ways.js';

export interface RecoverOutputRequest {
  readonly path: string;
  /** Replace what stands there; a directory is put aside. */
  readonly force: boolean;
}

/** What a directory for a server is to hold. */
export interface OutputShape {
  /** An append-only directory, for servers with appendonly yes. */
  readonly log: 'directory' | 'single' | 'none';
  /** `dump.rdb`, for servers with appendonly no. */
  readonly snapshot: boolean;
}

export interface RecoverOutput {
  readonly path: string;
  readonly shape: OutputShape;
  /** Below `path`. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly keys: number;
  /** Of what was written, read back. */
  readonly digest: string;
  /** What a snapshot has no place for. */
  readonly lost: readonly Loss[];
  readonly lostCount: number;
  /** Where a directory that stood there was moved. */
  readonly backupPath: string | null;
  /** False when the files could not be given to the owner of the originals. */
  readonly owned: boolean;
}

export interface Carrying {
  readonly directory: string;
  readonly chosen: Measured;
  readonly config: ServerConfig;
  readonly shape: OutputShape;
  readonly as: Server;
  readonly request: RecoverOutputRequest;
}

/**
 * Writes a state as a directory that a server starts from, reads it back, and shows it only when it holds what it should.
 *
 * @throws UsageError when the output exists or stands in the directory that is read
 * @throws OutputError when writing fails, or when what was written does not read back
 */
export async function carryOut(carrying: Carrying, context: ToolContext, disk: Disk): Promise<RecoverOutput> {
  const { request, directory } = carrying;
  await refuseInside(request.path, directory, '--out');
  await refuseWithoutRoom(carrying, disk);
  const target = await DirectoryTarget.create(request.path, { force: request.force, disk });
  try {
    const stage = new Stage(target, carrying, context, disk);
    await stage.write();
    const found = await stage.readBack();
    context.signal.throwIfAborted();
    await target.publish();
    const { files, lost, lostCount, owned } = stage;
    const { backupPath } = target;
    return { path: request.path, shape: carrying.shape, files, ...found, lost, lostCount, backupPath, owned };
  } finally {
    await target.discard();
  }
}

/** @throws UsageError when an output would change the directory that is read */
export async function refuseInside(output: string, directory: string, option: string): Promise<void> {
  const inside = await isInside(output, directory);
  if (!inside && !(await isInside(directory, output))) return;
  const what = inside ? 'is inside the directory that is read' : 'holds the directory that is read';
  throw new UsageError(`${option}: ${output} ${what}`, 'write somewhere else: a source is never changed');
}

/** @throws OutputError when the file system has no room for what is to be written */
async function refuseWithoutRoom({ request, chosen, shape }: Carrying, disk: Disk): Promise<void> {
  const parent = dirname(await realPlace(request.path));
  // A snapshot of a log is smaller than the log.
  const needed = chosen.way.bytes * (Number(shape.log !== 'none') + Number(shape.snapshot));
  const free = await disk.freeBytes(parent).catch(() => Number.POSITIVE_INFINITY);
  if (free >= needed) return;
  throw new OutputError(
    request.path,
    `needs up to ${needed} bytes, the file system has ${free}`,
    'write to another file system, or free some space',
  );
}

/** Errors of a log that servers load all the same, and that cutting would only lose more by. */
const LOADED: ReadonlySet<FindingCode> = new Set<FindingCode>(['aof/nested-multi', 'aof/exec-without-multi']);

class Stage {
  readonly files: { name: string; bytes: number }[] = [];
  readonly lost: Loss[] = [];
  lostCount = 0;
  owned = true;
  private readonly way: Way;

  constructor(
    private readonly target: DirectoryTarget,
    private readonly carrying: Carrying,
    private readonly context: ToolContext,
    private readonly disk: Disk,
  ) {
    this.way = carrying.chosen.way;
  }

  async write(): Promise<void> {
    const { shape, config, directory } = this.carrying;
    if (shape.log === 'directory') await this.logDirectory();
    if (shape.log === 'single') await this.put(config.appendFilename, this.wholeOf(this.way.parts[0]!));
    if (shape.snapshot) await this.snapshot();
    await this.carry(directory, '');
  }

  private async logDirectory(): Promise<void> {
    const { config, directory } = this.carrying;
    const [first, ...rest] = this.way.parts;
    const isBase = first!.role === 'base';
    const increments = isBase ? rest : this.way.parts;
    const write = (part: Part) => ({ seq: part.candidate.seq, write: this.wholeOf(part) });
    // Numbers go on from those of the originals where these rise; a server needs an increment to append to.
    const rises = increments.every((part, i) => part.candidate.seq > (increments[i - 1]?.candidate.seq ?? 0));
    const numbered = increments.map((part, i) => (rises ? write(part) : { ...write(part), seq: i + 1 }));
    const plan = {
      filename: config.appendFilename,
      base: isBase
        ? {
            seq: Math.max(1, first!.candidate.seq),
            format: first!.candidate.hasRdb ? ('rdb' as const) : ('aof' as const),
            write: this.wholeOf(first!),
          }
        : null,
      increments:
        numbered.length > 0 ? numbered : [{ seq: Math.max(1, first!.candidate.seq), write: nothing }],
    };
    const folder = config.appendDirname;
    const written = await writeAofFiles(this.target, folder, plan);
    const like = this.way.parts.at(-1)!.candidate.path;
    for (const { name, bytes } of written) {
      this.files.push({ name: join(folder, name), bytes });
      await this.carry(like, join(folder, name));
    }
    const room = dirname(like);
    await this.carry(room === directory ? directory : room, folder);
  }

  private wholeOf({ candidate, content }: Part): WriteContent {
    const { source, path, bytes } = candidate;
    const outcome = { path, source, bytes, change: 'rewrite', pieces: content.pieces, dropped: [] } as const;
    return (target) => writeContent(outcome, target, this.context);
  }

  private async put(name: string, write: WriteContent): Promise<void> {
    const target = await this.target.file(name);
    await write(target);
    await target.publish();
    this.files.push({ name, bytes: target.size });
    await this.carry(this.way.parts[0]!.candidate.path, name);
  }

  /** Mode and owner as of what stands in the directory that is read. */
  private async carry(from: string, to: string): Promise<void> {
    try {
      if (!(await carryOver(from, join(this.target.stagedPath, to), this.disk))) this.owned = false;
    } catch (error) {
      throw outputErrorOf(error, join(this.target.label, to));
    }
  }

  private async snapshot(): Promise<void> {
    const { config, chosen, directory, as } = this.carrying;
    const only = snapshotOf(this.way);
    if (only !== null) return this.put(config.dbFilename, this.wholeOf(only));
    const rebuilt = await rebuildWay(chosen.way, directory, as, this.context);
    const producer = rebuilt.producer ?? as;
    const server = targetOf(producer) ?? oldestTarget({ fromManifest: true, fieldTtls: true });
    const content = new DatasetContent(rebuilt.keyspace, server, this.context);
    await this.put(config.dbFilename, content.rdb(false));
    this.lost.push(...content.lost);
    this.lostCount += content.lostCount;
  }

  /** Checks every file written and executes the log again. @throws OutputError when anything is not as it should be */
  async readBack(): Promise<{ keys: number; digest: string }> {
    const { shape, config, chosen, as } = this.carrying;
    const { stagedPath } = this.target;
    const wrong = (what: string) => {
      const hint = 'nothing was written; please report this, with --evidence';
      return new OutputError(this.target.label, `does not read back as it should: ${what}`, hint);
    };
    for (const { name } of this.files) {
      if (name.endsWith('.manifest')) continue;
      const source = await FileSource.at(join(stagedPath, name));
      const form = name === config.dbFilename ? 'rdb' : 'aof';
      const options = { form, last: true, quick: false, dialect: null } as const;
      const { file } = await checkFile(source, options, this.context);
      const error = file.findings.find(({ code }) => FINDINGS[code] === 'error' && !LOADED.has(code));
      if (error !== undefined) throw wrong(`${name}: ${error.code} at offset ${error.where.offset}`);
    }
    const results: { keys: number; digest: string }[] = [];
    const everything = { as, dialect: null, conditions: EVERY_KEY, keys: null };
    const common = { path: stagedPath, choice: '', isDirectory: true } as const;
    if (shape.log !== 'none') {
      const inside = shape.log === 'single' ? config.appendFilename : config.appendDirname;
      const set = await openAofSet(join(stagedPath, inside));
      const finding = set.findings[0];
      if (finding !== undefined) throw wrong(`${finding.where.file}: ${finding.code}`);
      // A log that the engine cannot execute, with commands of modules in it, was copied byte for byte.
      if (chosen.measure?.unknownCommands === 0) {
        results.push(await digest({ ...common, kind: 'aof', set }, everything, this.context));
      }
    }
    if (shape.snapshot) {
      const bytes = await FileSource.at(join(stagedPath, config.dbFilename));
      results.push(await digest({ ...common, kind: 'rdb', bytes }, everything, this.context));
    }
    const expected = chosen.measure ?? results[0];
    for (const { digest: found } of results) {
      if (found !== expected?.digest && this.lostCount === 0) throw wrong(`its digest is ${found}`);
    }
    return { keys: expected?.keys ?? 0, digest: expected?.digest ?? '' };
  }
}

/** What it takes to be sure of an output: a way that was not measured yet is measured now. */
export async function measuredFor(
  measured: Measured,
  directory: string,
  as: Server,
  context: ToolContext,
): Promise<Measured> {
  return measured.measure === null ? measureWay(measured.way, directory, as, context) : measured;
}
