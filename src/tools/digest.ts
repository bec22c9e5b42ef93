import { NO_CUT } from '../aof/cut.js';
import type { AofSet } from '../aof/set.js';
import type { ByteSlice } from '../bytes/slice.js';
import { PAUSE } from '../bytes/window.js';
import { TextDigest } from '../kernels/text-digest.js';
import { Walk } from '../keyspace/walk.js';
import { DigestHandler } from '../model/digest.js';
import type { Finding } from '../model/finding.js';
import { type Depth, type ItemHandler, ItemSink, type KeyHead } from '../model/handler.js';
import type { Cursor } from '../rdb/cursor.js';
import type { DialectName } from '../rdb/dialect.js';
import type { RdbHeader } from '../rdb/handler.js';
import type { Shortcut } from '../rdb/shortcut.js';
import type { ToolContext } from './context.js';
import { type ChosenFamily, chooseFamily, ProducerAux, type Server } from './family.js';
import { type KeyConditions, KeyFilter } from './filter.js';
import { KeyGate, MetKeys, SizeGate } from './gate.js';
import { type Rebuilt, rebuild } from './rebuild.js';
import { RecordShortcut } from './record-shortcut.js';
import { ItemRelay, RdbRelay } from './relay.js';
import type { NotChecked } from './report.js';
import type { DatasetSource } from './source.js';
import { tellSource } from './tell-source.js';

export interface DigestOptions {
  /** The server whose digest is wanted; null: the one that wrote the file. */
  readonly as: Server | null;
  readonly conditions: KeyConditions;
  readonly dialect: DialectName | null;
  /** Told of every key; null: nobody wants to know. */
  readonly keys: KeyListener | null;
}

/** Who takes the keys of a digest, one by one. */
export interface KeyListener {
  /** `valueDigest` is what DEBUG DIGEST-VALUE prints; null for a module value. The head is borrowed. */
  key(head: KeyHead, valueDigest: string | null): void;
  readonly full: boolean;
  drain(): Promise<void>;
}

/** A digest, and what must be known to compare it. */
export interface DigestReport {
  /** Forty lower-case hexadecimal digits. */
  readonly digest: string;
  /** Keys that entered it. */
  readonly keys: number;
  /** There are keys, and the conditions mean none of them. */
  readonly unmatched: boolean;
  readonly chosen: ChosenFamily;
  /** Keys past their TTL at the clock of the context; they count in the digest. */
  readonly expired: number;
  /** Scores of -0: a server's digest of them depends on the encoding it chose. */
  readonly negativeZeros: number;
  readonly notChecked: readonly NotChecked[];
  /** What servers load all the same, and a torn tail. */
  readonly findings: readonly Finding[];
}

/** What the keys of one part of a dataset add up to. Plain data. */
export interface DigestSums {
  readonly databases: readonly (readonly [database: number, words: Int32Array])[];
  readonly keys: number;
  readonly expired: number;
  readonly negativeZeros: number;
  readonly opaque: number;
  readonly gaping: number;
  /** Keys there were, whether the conditions mean them or not; null: they mean all. */
  readonly met: number | null;
}

/** A digest being made of whatever tells keys: filters in front, the counters behind. */
class DigestPipeline {
  readonly entry: ItemHandler;
  /** Digests texts without telling them, where every key counts and nobody is told of each. */
  readonly shortcut: Shortcut | null;
  private readonly digest: DigestHandler;
  /** Null: every key counts. */
  private readonly met: MetKeys | null;

  constructor(
    readonly chosen: ChosenFamily,
    options: Pick<DigestOptions, 'conditions' | 'keys'>,
    nowMs: number,
  ) {
    const { conditions, keys } = options;
    const onKey = keys === null ? null : keys.key.bind(keys);
    this.digest = new DigestHandler({ ...chosen.family, nowMs, onKey });
    const sized =
      conditions.minSizeBytes > 0 ? new SizeGate(this.digest, conditions.minSizeBytes) : this.digest;
    const filter = new KeyFilter(conditions, nowMs);
    const gated = filter.open ? sized : new KeyGate(sized, filter);
    this.met = gated === this.digest ? null : new MetKeys(gated);
    this.entry = this.met ?? this.digest;
    const texts = this.met === null && keys === null ? TextDigest.create(nowMs) : null;
    this.shortcut = texts === null ? null : new TextShortcut(texts, this.digest);
  }

  sums(): DigestSums {
    const { keys, expired, negativeZeros, opaque, gaping } = this.digest;
    return {
      ...{ keys, expired, negativeZeros, opaque, gaping },
      databases: this.digest.sums(),
      met: this.met?.count ?? null,
    };
  }

  /** Takes in what another part of the dataset adds up to. */
  add({ databases, keys, expired, negativeZeros, opaque, gaping, met }: DigestSums): void {
    const { digest } = this;
    for (const [database, words] of databases) digest.add(database, words, 0, 0);
    digest.keys += keys;
    digest.expired += expired;
    digest.negativeZeros += negativeZeros;
    digest.opaque += opaque;
    digest.gaping += gaping;
    if (this.met !== null) this.met.count += met ?? 0;
  }

  report(path: string): DigestReport {
    const { keys, expired, negativeZeros, opaque, gaping } = this.digest;
    const notChecked: NotChecked[] = [];
    if (opaque > 0) {
      const why = 'its digest is known to the module alone: left out of the digest';
      notChecked.push({ path, what: `values of ${opaque} module keys`, why, routine: false });
    }
    if (gaping > 0) {
      const why =
        'a server would go through all their gaps one by one, and never end: left out of the digest';
      notChecked.push({ path, what: `values of ${gaping} arrays`, why, routine: false });
    }
    return {
      digest: this.digest.result(),
      keys,
      unmatched: this.met !== null && this.met.count > 0 && keys + opaque + gaping === 0,
      chosen: this.chosen,
      expired,
      negativeZeros,
      notChecked,
      findings: [],
    };
  }
}

class TextShortcut extends RecordShortcut {
  protected readonly full = false;

  constructor(
    private readonly texts: TextDigest,
    private readonly digest: DigestHandler,
  ) {
    super(texts.input, true);
  }

  protected walk({ bytes, position, end, base }: Cursor, database: number): number {
    const { texts } = this;
    const next = texts.walk(bytes, position, end, base);
    if (texts.input.taken > 0) this.digest.add(database, texts.words, texts.input.taken, texts.expired);
    return next;
  }
}

/** The digest of a dataset in files. See `digestStream` and `digestLog`. */
export function digest(
  source: DatasetSource,
  options: DigestOptions,
  context: ToolContext,
): Promise<DigestReport> {
  return source.kind === 'aof'
    ? digestLog(source.set, options, context)
    : digestStream(source, options, context);
}

/**
 * The digest of an RDB or NDJSON, computed as it streams past: memory does not depend on the number of keys.
 *
 * @throws DamageError when the file is damaged
 */
async function digestStream(
  source: Exclude<DatasetSource, { kind: 'aof' }>,
  options: DigestOptions,
  context: ToolContext,
): Promise<DigestReport> {
  const reader = new DigestReader(options, context);
  await tellSource(source, reader, { dialect: options.dialect, onUnknown: 'stop' }, context);
  return reader.pipeline().report(source.bytes.label);
}

/**
 * The digest of what a log leads to: it must be executed, so the dataset is held in memory.
 *
 * @throws DamageError when the log is damaged or holds a command that the engine does not know
 */
async function digestLog(set: AofSet, options: DigestOptions, context: ToolContext): Promise<DigestReport> {
  const { as, dialect } = options;
  const rebuilt = await rebuild(set, { cut: NO_CUT, as, onUnknown: 'stop', dialect }, context);
  const report = await digestKeyspace(rebuilt, options, context);
  return { ...report, findings: rebuilt.end.findings };
}

/** The digest of a dataset in memory. */
export async function digestKeyspace(
  { keyspace, producer }: Pick<Rebuilt, 'keyspace' | 'producer'>,
  options: DigestOptions,
  context: ToolContext,
): Promise<DigestReport> {
  const pipeline = new DigestPipeline(chooseFamily(options.as, producer), options, context.nowMs);
  const { keys } = options;
  const walk = new Walk(keyspace, new PausingRelay(pipeline.entry, () => keys?.full ?? false));
  while (walk.run() === PAUSE) await keys?.drain();
  return pipeline.report('');
}

/** What the keys of one part of a dataset add up to. */
export function digestPart(
  { keyspace, producer }: Pick<Rebuilt, 'keyspace' | 'producer'>,
  options: Omit<DigestOptions, 'keys'>,
  nowMs: number,
): DigestSums {
  const all = { ...options, keys: null };
  const pipeline = new DigestPipeline(chooseFamily(options.as, producer), all, nowMs);
  new Walk(keyspace, pipeline.entry).run();
  return pipeline.sums();
}

/** The digest of a dataset from those of its parts. */
export function digestOfParts(
  parts: readonly DigestSums[],
  producer: Server | null,
  options: Omit<DigestOptions, 'keys'>,
  nowMs: number,
): DigestReport {
  const all = { ...options, keys: null };
  const pipeline = new DigestPipeline(chooseFamily(options.as, producer), all, nowMs);
  for (const part of parts) pipeline.add(part);
  return pipeline.report('');
}

/** A relay that is full when somebody else is. */
class PausingRelay extends ItemRelay {
  constructor(
    target: ItemHandler,
    private readonly isFull: () => boolean,
  ) {
    super(target);
  }

  get full(): boolean {
    return this.isFull();
  }
}

/** Waits with the choice of the family until the first key: by then the file has said who wrote it. */
class DigestReader extends RdbRelay {
  private readonly producer = new ProducerAux();
  private version: number | null = null;
  private made: DigestPipeline | null = null;

  constructor(
    private readonly options: DigestOptions,
    private readonly context: ToolContext,
  ) {
    super(new ItemSink());
  }

  pipeline(): DigestPipeline {
    const { options, context, producer } = this;
    if (this.made === null) {
      const chosen = chooseFamily(options.as, producer.server, this.version);
      this.made = new DigestPipeline(chosen, options, context.nowMs);
      this.target = this.made.entry;
    }
    return this.made;
  }

  override key(head: KeyHead): Depth {
    if (this.made === null) this.pipeline();
    return this.target.key(head);
  }

  /** From the first key on. */
  get shortcut(): Shortcut | null {
    return this.made?.shortcut ?? null;
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    this.producer.take(name.latin1(), value.latin1());
  }

  override get full(): boolean {
    return this.options.keys?.full ?? false;
  }

  drain(): Promise<void> {
    return this.options.keys?.drain() ?? Promise.resolve();
  }

  override header(header: RdbHeader): void {
    this.version = header.version;
  }
}
