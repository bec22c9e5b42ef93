import type { ByteSlice } from '../../bytes/slice.js';
import { UsageError } from '../../errors.js';
import { libraryName } from '../../keyspace/library.js';
import { type Depth, type ItemHandler, ItemSink, type KeyHead, SKIP } from '../../model/handler.js';
import { RDB_TARGETS, type RdbTarget } from '../../rdb/writer-target.js';
import type { ToolContext } from '../context.js';
import type { ConvertOptions, ConvertReport } from '../convert.js';
import { type KeyConditions, KeyFilter } from '../filter.js';
import { MetKeys } from '../gate.js';
import type { DatasetSource } from '../source.js';
import { assertReadsStream, targetOf } from '../target-choice.js';
import { type Told, tellSource } from '../tell-source.js';
import type { Loss } from '../write-dataset.js';
import { chainTo } from './chain.js';
import { type Origin, SourceEntry } from './entry.js';
import { assertConvertForm, isForServer } from './forms.js';
import { KeyNames } from './names.js';
import { ConvertOutput } from './output.js';
import { DuplicateGate, OutputRouter } from './sink.js';
import { markedPath, Router } from './split.js';

const LOSSES_LISTED = 1000;

/** One conversion under way: its outputs, and what leads from a source to them. */
export class Conversion {
  private readonly lost: Loss[] = [];
  private lostCount = 0;
  private readonly told: Told[] = [];
  private readonly unmatched: string[] = [];
  private readonly router: Router;
  private readonly outputs = new Map<number, ConvertOutput>();
  private readonly routed: OutputRouter;
  private readonly names: KeyNames | null;
  private readonly libraries = new Map<string, Buffer>();
  private duplicates = 0;
  private target: RdbTarget | null;
  private opened = false;

  /** `joins`: two keys may come with one name. */
  constructor(
    private readonly options: ConvertOptions,
    private readonly context: ToolContext,
    joins: boolean,
  ) {
    this.router = new Router(options.split);
    this.routed = new OutputRouter(this.outputs, this.router);
    this.names = joins ? new KeyNames() : null;
    this.target = options.target;
    if (this.target !== null) assertConvertForm(options.form, this.target);
  }

  /** @throws UsageError when something stands at one of them and `force` is not given, OutputError */
  async takeOutputs(sources: readonly DatasetSource[]): Promise<void> {
    const { split } = this.options;
    const marks: Iterable<readonly [number, string]> =
      split?.kind === 'db'
        ? (await this.databasesOf(sources)).map((index) => [index, `.db${index}`] as const)
        : this.router.marks.entries();
    const { path } = this.options;
    for (const [index, mark] of marks) {
      this.outputs.set(index, await ConvertOutput.take({ ...this.options, path: markedPath(path, mark) }));
    }
  }

  /** Numbers of the databases that will have keys: found in a pass of its own. */
  private async databasesOf(sources: readonly DatasetSource[]): Promise<number[]> {
    const finder = new DatabaseFinder();
    for (const source of sources) {
      const entry = new SourceEntry(this.routed, false, (origin) => this.chain(finder, origin));
      await tellSource(source, entry, this.options, this.context);
    }
    return [...finder.databases].sort((a, b) => a - b);
  }

  /** Takes everything from a source that the outputs are to hold. */
  async take(source: DatasetSource): Promise<void> {
    const counters: { met: MetKeys; meant: MetKeys }[] = [];
    const open = (origin: Origin): ItemHandler => {
      this.open(origin);
      if (isOpen(this.options.conditions, this.context.nowMs))
        return this.chain(this.duplicateGate(), origin);
      const meant = new MetKeys(this.duplicateGate());
      const met = new MetKeys(this.chain(meant, origin));
      counters.push({ met, meant });
      return met;
    };
    const entry = new SourceEntry(this.routed, this.told.length === 0, open, (code) =>
      this.keepsLibrary(code),
    );
    this.told.push(await tellSource(source, entry, this.options, this.context));
    entry.begin();
    if (counters.some(({ met, meant }) => met.count > 0 && meant.count === 0))
      this.unmatched.push(source.path);
  }

  private duplicateGate(): ItemHandler {
    const { names, routed, options } = this;
    if (names === null) return routed;
    return new DuplicateGate(routed, names, options.onDuplicate, options.shown, () => this.duplicates++);
  }

  /** Servers refuse a second library of one name, be it the same. */
  private keepsLibrary(code: ByteSlice): boolean {
    const bytes = code.copy();
    const name = libraryName(bytes) ?? '';
    const before = this.libraries.get(name);
    if (before === undefined) {
      this.libraries.set(name, bytes);
      return true;
    }
    if (this.options.onDuplicate === 'error' && !before.equals(bytes)) {
      throw new UsageError(
        `function library ${this.options.shown(name)} comes twice, with different code`,
        'give --on-duplicate first or last to keep one of them',
      );
    }
    return false;
  }

  private chain(last: ItemHandler, { producer }: Origin): ItemHandler {
    return chainTo(last, this.options, producer.savedAtMs, this.context.nowMs);
  }

  /** Makes the writers, once it is known who wrote the first source. */
  private open(origin: Origin): void {
    if (this.opened) return;
    this.opened = true;
    const { options, context } = this;
    this.target ??= this.targetFor(origin);
    assertConvertForm(options.form, this.target);
    if (options.compressedStream) assertReadsStream(this.target, '--vcs', 'give --for valkey-9.1');
    for (const output of this.outputs.values()) {
      output.open({
        compressedStream: options.compressedStream,
        target: this.target,
        // For the server that wrote the source its values stand as they are; for another they look like its own.
        copyValues: options.target === null,
        nowMs: context.nowMs,
        onLoss: this.onLoss,
        shown: options.shown,
      });
    }
  }

  private targetFor({ producer, version }: Origin): RdbTarget {
    const known = producer.server === null ? null : targetOf(producer.server);
    if (known !== null) return known;
    if (!isForServer(this.options.form)) return RDB_TARGETS.get('redis-8.8')!;
    const fitting = [...RDB_TARGETS.values()].find(
      (each) => each.product === 'redis' && version !== null && each.version >= version,
    );
    if (fitting !== undefined) return fitting;
    throw new UsageError(
      'the source does not say which server wrote it',
      `say for which one to write: --for ${[...RDB_TARGETS.keys()].slice(-1)[0]}, --for redis-7.2, …`,
    );
  }

  private readonly onLoss = (head: KeyHead | null, what: Loss['what']): void => {
    if (++this.lostCount > LOSSES_LISTED) return;
    this.lost.push({ database: head?.database ?? null, key: head?.key.latin1() ?? null, what });
  };

  /** Completes the outputs and shows them, unless something was lost that must not be. @throws OutputError */
  async finish(): Promise<ConvertReport> {
    const { form, refuseLoss } = this.options;
    const outputs = [...this.outputs.values()];
    for (const output of outputs) await output.finish();
    this.context.signal.throwIfAborted();
    const published = !(refuseLoss && this.lostCount > 0);
    if (published) for (const output of outputs) await output.publish();
    const parts = outputs.map((output) => ({
      path: output.place.path,
      keys: output.writer.keys,
      bytes: output.bytes,
      backupPath: output.backupPath,
    }));
    return {
      form,
      target: isForServer(form) ? this.target!.name : null,
      published,
      keys: parts.reduce((sum, { keys }) => sum + keys, 0),
      bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
      outputs: parts,
      lost: this.lost,
      lostCount: this.lostCount,
      duplicates: this.duplicates,
      unrouted: this.routed.unrouted,
      unmatched: this.unmatched,
      told: this.told,
    };
  }

  /** Takes everything back that was not published. */
  async close(): Promise<void> {
    for (const output of this.outputs.values()) await output.close();
  }
}

/** Whether all keys pass. */
const isOpen = (conditions: KeyConditions, nowMs: number): boolean =>
  conditions.minSizeBytes === 0 && new KeyFilter(conditions, nowMs).open;

class DatabaseFinder extends ItemSink {
  readonly databases = new Set<number>();

  override key(head: KeyHead): Depth {
    this.databases.add(head.database);
    return SKIP;
  }
}
