import { randomBytes } from 'node:crypto';
import { ByteSlice } from '../bytes/slice.js';
import { FileTarget } from '../bytes/target.js';
import { UsageError } from '../errors.js';
import { libraryName } from '../keyspace/library.js';
import type { ItemHandler, KeyHead } from '../model/handler.js';
import type { ValueKind } from '../model/kind.js';
import type { KeyRecord } from '../model/value.js';
import type { DialectName } from '../rdb/dialect.js';
import { RDB_TARGETS, type RdbTarget } from '../rdb/writer-target.js';
import type { ToolContext } from './context.js';
import { HeldValues, MeetingValues } from './diff/changed-values.js';
import { changesInside, type Inside } from './diff/inside.js';
import { CHANGED, KeyTable, SEEN, TTL_CHANGED } from './diff/key-table.js';
import {
  Comparing,
  type Comparison,
  Gathering,
  HeadListener,
  MarkedGate,
  type Pace,
  Pass,
  type Seeds,
  sameTime,
} from './diff/passes.js';
import { PatchWriter } from './diff/patch.js';
import { Side } from './diff/side.js';
import { ProducerAux } from './family.js';
import type { KeyConditions } from './filter.js';
import { realPlace } from './output-place.js';
import type { DatasetSource } from './source.js';
import { targetOf } from './target-choice.js';
import type { Told } from './tell-source.js';
import type { Loss } from './write-dataset.js';

/** One difference. Texts of the dataset have one character per byte. */
export type Difference =
  | {
      readonly op: 'added' | 'removed' | 'changed';
      readonly database: number;
      readonly key: string;
      /** The kind it has, or had when it was removed. */
      readonly kind: ValueKind;
      /** The kind it had, when that is another; null else. */
      readonly kindBefore: ValueKind | null;
      readonly valueChanged: boolean;
      /** Milliseconds since the epoch, null: never. Both are there when the TTL changed. */
      readonly ttl: { readonly before: number | null; readonly after: number | null } | null;
      /** What changed inside the value, when that was asked for and can be told. */
      readonly inside: Inside | null;
    }
  | { readonly op: 'added' | 'removed'; readonly library: string };

/** Who takes the differences, one by one. */
export interface DiffListener {
  difference(difference: Difference): void;
  readonly full: boolean;
  drain(): Promise<void>;
}

export interface DiffOptions {
  readonly conditions: KeyConditions;
  /** TTLs that differ by no more are the same. */
  readonly toleranceMs: number;
  /** Tell what changed inside values: takes further passes over both sides. */
  readonly values: boolean;
  /** Where to write the commands that turn the first side into the second; null: nowhere. */
  readonly patch: {
    readonly path: string;
    readonly force: boolean;
    readonly target: RdbTarget | null;
  } | null;
  readonly dialect: DialectName | null;
  readonly onUnknown: 'stop' | 'skip';
  readonly listener: DiffListener;
  /** Drawn at random when missing. */
  readonly seeds?: Seeds;
}

export interface DiffReport {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly same: number;
  /** Function libraries that only one side has. */
  readonly libraries: number;
  /** Names that stand twice on a side; the last of them counts. */
  readonly duplicates: number;
  readonly patch: {
    readonly path: string;
    readonly target: string;
    readonly bytes: number;
    readonly lost: readonly Loss[];
  } | null;
  /** Bytes of the table of keys. */
  readonly tableBytes: number;
  /** By side, what executing its log left to say; null when nothing had to be executed. */
  readonly told: readonly [Told | null, Told | null];
}

/**
 * Compares two datasets, whatever files and encodings they stand in: meaning counts. Holds at most 48 bytes for each key of
 * the first, and the datasets of logs.
 *
 * @throws DamageError when a side is damaged, UsageError for a patch that cannot be, OutputError when writing it fails
 */
export async function diff(
  before: DatasetSource,
  after: DatasetSource,
  options: DiffOptions,
  context: ToolContext,
): Promise<DiffReport> {
  const comparison = new DatasetComparison(before, after, options, context);
  if (options.patch === null) return comparison.run(null);
  for (const { path } of [before, after]) {
    if ((await realPlace(path)) === (await realPlace(options.patch.path))) {
      throw new UsageError(`--patch: ${path} is a source`, 'write somewhere else: a source is never changed');
    }
  }
  const target = await FileTarget.create(options.patch.path, { force: options.patch.force });
  try {
    return await comparison.run(target);
  } finally {
    await target.discard();
  }
}

class DatasetComparison {
  private readonly a: Side;
  private readonly b: Side;
  private readonly table = new KeyTable();
  private readonly seeds: Seeds;
  private readonly counts = { added: 0, removed: 0, changed: 0, libraries: 0 };
  private producer = new ProducerAux();

  constructor(
    before: DatasetSource,
    after: DatasetSource,
    private readonly options: DiffOptions,
    private readonly context: ToolContext,
  ) {
    this.a = new Side(before, options, context);
    this.b = new Side(after, options, context);
    this.seeds = options.seeds ?? randomSeeds();
  }

  /** Tells a side once. */
  private async pass(side: Side, target: ItemHandler, pace: Pace | null): Promise<Pass> {
    const pass = new Pass(target, this.options.conditions, this.context.nowMs, pace);
    await side.tell(pass);
    return pass;
  }

  async run(patch: FileTarget | null): Promise<DiffReport> {
    const { table, seeds, options, counts, a, b } = this;
    const gathering = new Gathering(table, seeds);
    this.producer = (await this.pass(a, gathering, null)).producer;
    if (patch !== null) this.patchTarget();
    const comparing = new Comparing(table, seeds, options.toleranceMs, this.onDifference);
    await this.pass(b, comparing, options.listener);
    const libraries = { before: gathering.libraries, after: comparing.libraries };
    await this.compareLibraries(libraries);
    if (comparing.found < table.size) await this.tellRemoved();
    if (options.values && counts.changed > 0) await this.tellInside();
    return {
      ...counts,
      same: comparing.same,
      duplicates: gathering.duplicates,
      patch: patch === null ? null : await this.writePatch(patch, libraries),
      tableBytes: table.bytes,
      told: [a.told, b.told],
    };
  }

  private readonly onDifference = (head: KeyHead, comparison: Comparison): void => {
    const { op, kindBefore, valueChanged } = comparison;
    this.counts[op]++;
    // What changed inside is told by a later pass, which has both values.
    if (this.options.values && op === 'changed' && valueChanged && kindBefore === head.kind) return;
    this.tell(head, comparison, null);
  };

  private tell(
    head: Pick<KeyHead, 'database' | 'key' | 'kind'>,
    comparison: Comparison,
    inside: Inside | null,
  ): void {
    const { op, kindBefore, valueChanged, ttlChanged, expiredBeforeMs, expiresAtMs } = comparison;
    const time = (ms: number): number | null => (Number.isNaN(ms) ? null : ms);
    this.options.listener.difference({
      op,
      database: head.database,
      key: head.key.latin1(),
      kind: head.kind,
      kindBefore: kindBefore === head.kind ? null : kindBefore,
      valueChanged,
      ttl: ttlChanged ? { before: time(expiredBeforeMs), after: time(expiresAtMs) } : null,
      inside,
    });
  }

  private async compareLibraries({ before, after }: Libraries): Promise<void> {
    const { listener } = this.options;
    const nameOf = (code: Buffer): string => libraryName(code) ?? '';
    const tell = (op: 'added' | 'removed', code: Buffer): void => {
      this.counts.libraries++;
      listener.difference({ op, library: nameOf(code) });
    };
    for (const [text, code] of before) if (!after.has(text)) tell('removed', code);
    for (const [text, code] of after) if (!before.has(text)) tell('added', code);
    if (listener.full) await listener.drain();
  }

  private async tellRemoved(): Promise<void> {
    const { table, seeds, counts, options } = this;
    const heads = new HeadListener((head) => {
      counts.removed++;
      this.tell(head, { ...GONE, op: 'removed' }, null);
    });
    const unseen = new MarkedGate(heads, table, seeds, (inTable) => inTable && !table.marked(SEEN));
    await this.pass(this.a, unseen, options.listener);
  }

  /** Holds some values of one side at a time and meets them with those of the other. */
  private async tellInside(): Promise<void> {
    const { table, seeds, options } = this;
    const wanted = (inTable: boolean): boolean => inTable && table.marked(CHANGED);
    for (let from = 0, more = true; more; ) {
      const held = new HeldValues(from);
      await this.pass(this.a, new MarkedGate(held, table, seeds, wanted), null);
      const meeting = new MeetingValues(held.records, (before, after) => {
        // Of another kind, and told as such.
        if (before.value.kind !== after.value.kind) return;
        const key = new ByteSlice().set(after.key, 0, after.key.length);
        const head = { database: after.database, key, kind: after.value.kind };
        this.tell(head, comparisonOf(before, after, options.toleranceMs), changesInside(before, after));
      });
      await this.pass(this.b, meeting, options.listener);
      ({ more, reached: from } = held);
    }
  }

  private async writePatch(
    file: FileTarget,
    libraries: Libraries,
  ): Promise<NonNullable<DiffReport['patch']>> {
    const { table, seeds, options } = this;
    const target = this.patchTarget();
    const patch = new PatchWriter(file, target);
    for (const [text, code] of libraries.before) if (!libraries.after.has(text)) patch.removeLibrary(code);
    for (const [text, code] of libraries.after) if (!libraries.before.has(text)) patch.addLibrary(code);
    const gate = (listener: ItemHandler, wants: (inTable: boolean) => boolean): MarkedGate =>
      new MarkedGate(listener, table, seeds, wants);
    const goes = new HeadListener((head) => patch.remove(head));
    await this.pass(
      this.a,
      gate(goes, (inTable) => inTable && (!table.marked(SEEN) || table.marked(CHANGED))),
      file,
    );
    await this.pass(
      this.b,
      gate(patch.emitter, (inTable) => !inTable || table.marked(CHANGED)),
      file,
    );
    patch.forgetDatabase();
    const expires = new HeadListener((head) => patch.expire(head));
    const ttlAlone = (inTable: boolean): boolean =>
      inTable && table.marked(TTL_CHANGED) && !table.marked(CHANGED);
    await this.pass(this.b, gate(expires, ttlAlone), file);
    await file.publish();
    return { path: options.patch!.path, target: target.name, bytes: file.size, lost: patch.lost };
  }

  /** The server that holds the first side. */
  private patchTarget(): RdbTarget {
    const { server } = this.producer;
    const known = this.options.patch?.target ?? (server === null ? null : targetOf(server));
    if (known !== null) return known;
    throw new UsageError(
      '--patch: the first side does not say which server holds it',
      `say it: --for ${[...RDB_TARGETS.keys()].join(', ')}`,
    );
  }
}

interface Libraries {
  /** By their whole text. */
  readonly before: ReadonlyMap<string, Buffer>;
  readonly after: ReadonlyMap<string, Buffer>;
}

const GONE = {
  kindBefore: null,
  valueChanged: true,
  ttlChanged: false,
  expiredBeforeMs: Number.NaN,
  expiresAtMs: Number.NaN,
} as const;

function comparisonOf(before: KeyRecord, after: KeyRecord, toleranceMs: number): Comparison {
  const time = ({ expiresAtMs }: KeyRecord): number =>
    expiresAtMs === null ? Number.NaN : Number(expiresAtMs);
  const [expiredBeforeMs, expiresAtMs] = [time(before), time(after)];
  return {
    op: 'changed',
    kindBefore: before.value.kind,
    valueChanged: true,
    ttlChanged: !sameTime(expiredBeforeMs, expiresAtMs, toleranceMs),
    expiredBeforeMs,
    expiresAtMs,
  };
}

function randomSeeds(): Seeds {
  const bytes = randomBytes(12);
  return { a: bytes.readInt32LE(0), b: bytes.readInt32LE(4), c: bytes.readInt32LE(8) };
}
