import type { ByteSlice } from '../../bytes/slice.js';
import { UsageError } from '../../errors.js';
import { libraryName } from '../../keyspace/library.js';
import { type Depth, type ItemHandler, ItemSink, type KeyHead } from '../../model/handler.js';
import type { DialectName } from '../../rdb/dialect.js';
import type { ToolContext } from '../context.js';
import { Side } from '../diff/side.js';
import { ProducerAux } from '../family.js';
import { KeyFilter } from '../filter.js';
import { Inventory } from '../inventory.js';
import { RdbRelay } from '../relay.js';
import { identityOf } from '../replay/progress-record.js';
import type { Selection, SelectionListener } from '../replay/selection.js';
import { type SendReport, type SendRequest, SendTarget } from '../replay/send.js';
import type { DatasetSource } from '../source.js';
import type { Told } from '../tell-source.js';
import { type ChainOptions, chainTo } from './chain.js';
import { KeyNames } from './names.js';
import { DuplicateGate, type OnDuplicate } from './sink.js';
import { mayJoin } from './transform.js';

export interface IntoServerOptions extends ChainOptions {
  readonly send: SendRequest;
  readonly onDuplicate: OnDuplicate;
  readonly dialect: DialectName | null;
  readonly onUnknown: 'stop' | 'skip';
  /** How a key is shown in an error; one character per byte. */
  readonly shown: (name: string) => string;
}

export interface IntoServerReport {
  readonly sent: SendReport;
  /** Keys that were meant to go there. */
  readonly keys: number;
  /** Keys left out because one of the same name came before. */
  readonly duplicates: number;
  /** By source, what executing its log left to say; null when nothing had to be executed. */
  readonly told: readonly (Told | null)[];
}

/**
 * Puts datasets into a live server, as `convert` would write them to a file. Sources are told several times, so each must
 * open as often; an RDB and NDJSON stream through, a log is held in memory.
 *
 * @throws DamageError when a source is damaged: nothing was written then; UsageError for keys in the way, OutputError
 */
export async function convertIntoServer(
  sources: readonly DatasetSource[],
  options: IntoServerOptions,
  context: ToolContext,
): Promise<IntoServerReport> {
  const { onDuplicate, transforms, conditions, send } = options;
  if (onDuplicate === 'last' && mayJoin(transforms)) throw lastOfJoined();
  if (send.resume !== null) for (const source of sources) refuseResumed(source);
  const target = await SendTarget.probe(send);
  const selection = new SourcesSelection(sources, options, context);
  await selection.survey();
  const identity = identityOf({
    sources: sources.map((source) => [source.path, source.kind === 'aof' ? null : source.bytes.size]),
    ...{ conditions, transforms, onDuplicate, keys: selection.inventory.total },
  });
  const sent = await target.send(selection, { identity, digest: null }, context);
  return {
    sent,
    keys: selection.inventory.total.keys,
    duplicates: selection.duplicates,
    told: selection.told,
  };
}

const lastOfJoined = (): UsageError =>
  new UsageError(
    '--on-duplicate last cannot be kept where --rename or --map-db make two keys one',
    'give --on-duplicate first, or error to hear of the first such key',
  );

function refuseResumed({ path, live }: DatasetSource): void {
  if (live === undefined) return;
  throw new UsageError(
    `--resume: ${path} is another dataset each time it is read`,
    'convert it to a file first, and that into the target',
  );
}

/** Keys of sources as they are filtered and changed, told from the sources themselves each time. */
class SourcesSelection implements Selection {
  readonly inventory: Inventory;
  duplicates = 0;
  private readonly libraries = new Map<string, Buffer>();
  private readonly sides: readonly Side[];
  private readonly joins: boolean;
  private readonly quiet: ToolContext;

  constructor(
    sources: readonly DatasetSource[],
    private readonly options: IntoServerOptions,
    private readonly context: ToolContext,
  ) {
    this.inventory = new Inventory(context.nowMs);
    // The transfer tells its own progress, in keys.
    this.quiet = { ...context, progress: () => {} };
    // The last of several is the first that is met from the other end.
    const order = options.onDuplicate === 'last' ? [...sources].reverse() : sources;
    this.sides = order.map((source) => new Side(source, options, this.quiet));
    this.joins = sources.length > 1 || mayJoin(options.transforms);
  }

  /** By source, in the order in which they were given. */
  get told(): readonly (Told | null)[] {
    const told = this.sides.map((side) => side.told);
    return this.options.onDuplicate === 'last' ? told.reverse() : told;
  }

  /** Reads everything once: what is damaged is found before anything is written. */
  async survey(): Promise<void> {
    const libraries = (code: ByteSlice): void => this.library(code.copy());
    this.duplicates = await this.pass(this.inventory, () => Promise.resolve(), libraries);
    const { context, sides } = this;
    const { keys } = this.inventory.total;
    context.progress({ label: sides[0]?.source.path ?? '', done: keys, total: null, unit: 'keys' });
  }

  async tell(handler: SelectionListener, drain: () => Promise<void>): Promise<void> {
    await this.pass(handler, drain, () => {});
  }

  /** Returns how many keys were left out because of their names. */
  private async pass(
    handler: SelectionListener,
    drain: () => Promise<void>,
    library: (code: ByteSlice) => void,
  ): Promise<number> {
    const { options, context, joins } = this;
    const names = joins ? new KeyNames() : null;
    let duplicates = 0;
    const last =
      names === null
        ? handler
        : new DuplicateGate(handler, names, options.onDuplicate, options.shown, () => duplicates++);
    for (const side of this.sides) {
      const open = (savedAtMs: number | null) => chainTo(last, options, savedAtMs, context.nowMs);
      await side.tell(new SelectionEntry(handler, drain, open, library));
    }
    return duplicates;
  }

  private library(code: Buffer): void {
    const name = libraryName(code) ?? '';
    const before = this.libraries.get(name);
    if (before === undefined) this.libraries.set(name, code);
    else if (this.options.onDuplicate === 'error' && !before.equals(code)) {
      throw new UsageError(
        `function library ${this.options.shown(name)} comes twice, with different code`,
        'give --on-duplicate first or last to keep one of them',
      );
    }
  }

  functions(): readonly Buffer[] {
    const { conditions } = this.options;
    const whole = new KeyFilter(conditions, this.context.nowMs).open && conditions.minSizeBytes === 0;
    return whole ? [...this.libraries.values()] : [];
  }
}

/** Takes one source. What leads on is made at its first key: by then it has said when it was saved. */
class SelectionEntry extends RdbRelay {
  private readonly producer = new ProducerAux();
  private begun = false;

  constructor(
    private readonly listener: SelectionListener,
    private readonly waits: () => Promise<void>,
    private readonly begin: (savedAtMs: number | null) => ItemHandler,
    private readonly library: (code: ByteSlice) => void,
  ) {
    super(new ItemSink());
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    this.producer.take(name.latin1(), value.latin1());
  }

  override functionLibrary(code: ByteSlice): void {
    this.library(code);
  }

  override database(): void {}

  override key(head: KeyHead): Depth {
    if (!this.begun) {
      this.begun = true;
      this.target = this.begin(this.producer.savedAtMs);
    }
    return super.key(head);
  }

  override get full(): boolean {
    return this.listener.full === true;
  }

  drain(): Promise<void> {
    return this.waits();
  }
}
