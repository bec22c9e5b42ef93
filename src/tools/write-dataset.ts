import { basename, join } from 'node:path';
import { nothing, type WriteContent, writeAofFiles } from '../aof/writer.js';
import { DirectoryTarget } from '../bytes/directory-target.js';
import {
  assertPacks,
  type OutputPacking,
  type PackingTarget,
  packingTarget,
} from '../bytes/packing-target.js';
import { FileTarget } from '../bytes/target.js';
import { END } from '../bytes/window.js';
import { UsageError } from '../errors.js';
import { CommandEmitter, type EmitLoss } from '../keyspace/emit.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import type { ItemHandler, KeyHead } from '../model/handler.js';
import { type RdbLoss, RdbWriter } from '../rdb/writer.js';
import type { RdbTarget } from '../rdb/writer-target.js';
import type { ToolContext } from './context.js';
import { EVERY_KEY } from './filter.js';
import type { Inventory } from './inventory.js';
import { ItemRelay } from './relay.js';
import { KeySelection } from './replay/selection.js';

/**
 * `aofdir`: a directory with a manifest, as servers from 7.0 on have it; `aof`: one file, as those before; `resp`:
 * commands alone, for `redis-cli --pipe` and for eyes.
 */
export type OutputForm = 'rdb' | 'aofdir' | 'aof' | 'resp';

export interface OutputRequest {
  readonly path: string;
  readonly form: OutputForm;
  /** How a file is compressed; missing or null: not at all. */
  readonly packing?: OutputPacking | null;
  /** Replace what stands there; a directory is put aside. */
  readonly force: boolean;
  /** Publish nothing when the server has no place for something. */
  readonly refuseLoss: boolean;
}

/** The server that is to load an output. */
export interface OutputServer {
  readonly target: RdbTarget;
  /** Its `appendfilename`. */
  readonly filename: string;
}

/** Something of a dataset that an output could not hold. */
export interface Loss {
  /** Null when it concerns no key; the key with one character per byte. */
  readonly database: number | null;
  readonly key: string | null;
  readonly what: RdbLoss | EmitLoss;
}

export interface WrittenOutput {
  readonly published: boolean;
  readonly bytes: number;
  readonly lost: readonly Loss[];
  /** Losses in all; `lost` lists the first of them. */
  readonly lostCount: number;
  /** Where a directory that stood there was moved; null when there was none. */
  readonly backupPath: string | null;
}

/** More losses than these are counted, not listed. */
export const LOSSES_LISTED = 1000;

/** The form an output has by its name. @throws UsageError when the name says something else */
export function formByName(path: string): OutputForm {
  if (/\.rdb$/i.test(path)) return 'rdb';
  if (/\.aof$/i.test(path)) return 'aof';
  if (/\.resp$/i.test(path)) return 'resp';
  const ending = /\.(json|ndjson|csv|parquet|gz|zst|lz4)$/i.exec(path);
  if (ending === null) return 'aofdir';
  throw new UsageError(
    `--out: nothing is written as ${ending[0]} yet`,
    'give a name that ends in .rdb, .aof or .resp, a directory, or --to',
  );
}

/** @throws UsageError when the target cannot have that form */
export function assertForm(form: OutputForm, target: RdbTarget): void {
  if (form === 'aofdir' && target.aux !== 'aof-base') {
    throw new UsageError(
      `${target.name} has no append-only directories`,
      'give --to aof, or --for a server from 7.0 on',
    );
  }
}

/** A dataset on its way into an output. */
export interface OutputContent {
  /** Losses so far; `lost` lists the first of them. */
  readonly lost: readonly Loss[];
  readonly lostCount: number;
  /** As one file of that form. */
  file(form: OutputForm): WriteContent;
  /** As an RDB, marked as the base of a log where it is that. */
  rdb(aofBase: boolean): WriteContent;
}

/** Writes everything into an output that is not visible yet; resolves to the bytes. */
export type PutContent = (target: FileTarget | DirectoryTarget) => Promise<number>;

/** Whether a file of that form is commands alone. */
export function isCommands(form: OutputForm, target: RdbTarget): boolean {
  // Servers that know preambles write them: nothing of the dataset is lost in one.
  return form === 'resp' || (form === 'aof' && !target.aux.startsWith('aof-'));
}

/**
 * The place of an output, taken before the work begins: a name that is not free or a directory that cannot be written
 * is found out first. Nothing shows there until `write`, and nothing is left there after `close`.
 */
export class OutputSlot {
  /** Compresses what is written, once that has begun. */
  private packer: PackingTarget | null = null;

  private constructor(
    private readonly request: OutputRequest,
    private readonly target: FileTarget | DirectoryTarget,
  ) {}

  /** @throws UsageError when something stands there and `force` is not given, OutputError when it cannot be written */
  static async take(request: OutputRequest): Promise<OutputSlot> {
    const { path, form, force, packing = null } = request;
    if (packing !== null) assertPacks(packing);
    const target =
      form === 'aofdir'
        ? await DirectoryTarget.create(path, { force })
        : await FileTarget.create(path, { force });
    return new OutputSlot(request, target);
  }

  /** Writes a dataset and makes it visible, whole or not at all. @throws OutputError when writing fails */
  async write(
    dataset: Keyspace | KeySelection,
    server: OutputServer,
    context: ToolContext,
  ): Promise<WrittenOutput> {
    return this.put(new DatasetContent(dataset, server.target, context), server.filename, context);
  }

  /** The same of a dataset wherever it is; `filename` as for a server. */
  async put(content: OutputContent, filename: string, context: ToolContext): Promise<WrittenOutput> {
    const { path, form, packing = null } = this.request;
    const put: PutContent = async (target) => {
      if (target instanceof DirectoryTarget) {
        const files = await writeAofFiles(target, folderIn(path), {
          filename,
          base: { seq: 1, format: 'rdb', write: content.rdb(true) },
          increments: [{ seq: 1, write: nothing }],
        });
        return files.reduce((sum, file) => sum + file.bytes, 0);
      }
      if (packing !== null) this.packer = packingTarget(packing, target);
      await content.file(form)(this.packer ?? target);
      await this.packer?.end();
      return target.size;
    };
    return this.fill(put, context, content);
  }

  /** Makes what `put` writes visible, whole or not at all. @throws OutputError when writing fails */
  async fill(
    put: PutContent,
    context: ToolContext,
    losses: Pick<WrittenOutput, 'lost' | 'lostCount'> = { lost: [], lostCount: 0 },
  ): Promise<WrittenOutput> {
    const { request, target } = this;
    const bytes = await put(target);
    context.signal.throwIfAborted();
    const { lost, lostCount } = losses;
    const published = !(request.refuseLoss && lostCount > 0);
    if (published) await target.publish();
    const backupPath = target instanceof DirectoryTarget ? target.backupPath : null;
    return { published, bytes, lost, lostCount, backupPath };
  }

  /** Takes everything back that was not published. May be called twice. */
  close(): Promise<void> {
    return (this.packer ?? this.target).discard();
  }
}

/** Tells a dataset to the writer of one form. */
export class DatasetContent implements OutputContent {
  readonly lost: Loss[] = [];
  lostCount = 0;
  private readonly selection: KeySelection;

  constructor(
    dataset: Keyspace | KeySelection,
    private readonly target: RdbTarget,
    private readonly context: ToolContext,
  ) {
    const whole = () => new KeySelection(dataset as Keyspace, EVERY_KEY, context.nowMs);
    this.selection = dataset instanceof KeySelection ? dataset : whole();
  }

  file(form: OutputForm): WriteContent {
    return isCommands(form, this.target) ? this.commands() : this.rdb(form === 'aof');
  }

  rdb(aofBase: boolean): WriteContent {
    return async (output) => {
      const writer = new RdbWriter(output, {
        target: this.target,
        compress: true,
        checksum: true,
        copyValues: false,
        aofBase,
        nowSeconds: Math.floor(this.context.nowMs / 1000),
        onLoss: this.onLoss,
      });
      await this.tell(new Resizer(writer, this.selection.survey()));
      writer.finish();
    };
  }

  private commands(): WriteContent {
    return async (output) => {
      const emitter = new CommandEmitter(output, { target: this.target, onLoss: this.onLoss });
      await this.tell(emitter);
      emitter.finish();
    };
  }

  private async tell(
    handler: ItemHandler & { readonly full: boolean; drain(): Promise<void> },
  ): Promise<void> {
    const walk = this.selection.walk(handler);
    while (walk.run() !== END) {
      await handler.drain();
      this.context.signal.throwIfAborted();
    }
  }

  private readonly onLoss = (head: KeyHead | null, what: Loss['what']): void => {
    if (++this.lostCount > LOSSES_LISTED) return;
    this.lost.push({ database: head?.database ?? null, key: head?.key.latin1() ?? null, what });
  };
}

/** Says in front of each database how many keys it has, as servers do. */
class Resizer extends ItemRelay {
  constructor(
    private readonly writer: RdbWriter,
    private readonly survey: Inventory,
  ) {
    super(writer);
  }

  override database(index: number): void {
    this.writer.database(index);
    const count = this.survey.databases.get(index);
    if (count !== undefined) this.writer.resize(count.keys, count.withExpiry);
  }

  get full(): boolean {
    return this.writer.full;
  }

  drain(): Promise<void> {
    return this.writer.drain();
  }
}

/** The name that servers look for in their working directory. */
const APPEND_DIRECTORY = 'appendonlydir';

/**
 * An output of that very name is the append-only directory itself; any other is the working directory of a server and
 * gets one, so that a server started in it finds the data.
 */
export function folderIn(path: string): string {
  return basename(path) === APPEND_DIRECTORY ? '' : APPEND_DIRECTORY;
}

/** Where the log of an output of form `aofdir` stands. */
export function logDirectoryOf(path: string): string {
  return join(path, folderIn(path));
}
