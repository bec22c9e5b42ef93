import { tmpdir } from 'node:os';
import { ByteSlice } from '../../bytes/slice.js';
import type { FileTarget } from '../../bytes/target.js';
import { UsageError } from '../../errors.js';
import { RecordKernel } from '../../kernels/records.js';
import { libraryName } from '../../keyspace/library.js';
import type { ItemHandler, KeyHead } from '../../model/handler.js';
import { RDB_TARGETS, type RdbTarget } from '../../rdb/writer-target.js';
import type { ToolContext } from '../context.js';
import type { DiffOptions, DiffReport } from '../diff.js';
import { ProducerAux } from '../family.js';
import type { DatasetSource } from '../source.js';
import { targetOf } from '../target-choice.js';
import type { ThreadJob } from '../thread.js';
import { HeldValues, MeetingValues } from './changed-values.js';
import type { Inside } from './changes.js';
import { Searcher } from './entries.js';
import { changesInside } from './inside.js';
import type { Repeated } from './join.js';
import { CHANGED, KeyTable, SEEN, TTL_CHANGED } from './key-table.js';
import { NameFinder, randomSeeds, type Seeds } from './names.js';
import { NOTED_MAX, namesOf, takeNotes, WaitingKeys } from './notes.js';
import { type Group, OrderedDifferences } from './ordered.js';
import {
  Comparing,
  type Comparison,
  comparisonOf,
  Gathering,
  HeadListener,
  MarkedGate,
  Noting,
  type Pace,
  Pass,
  type Repeats,
} from './passes.js';
import { PatchWriter } from './patch.js';
import { QuickLook } from './quick.js';
import { Side } from './side.js';

/** What may be held at least of either: the smallest table. */
const ROOM_BYTES_MIN = 512 * 1024;
/** More names than this are not worth looking for in the bytes of a file. */
const SOUGHT_MAX = 1 << 21;

/**
 * One comparison. A first look at both sides finds the keys that are equal for sure, by hashes of their bytes; the others go
 * into a table, in as many rounds as the memory takes, and are compared by what they mean.
 */
export class DatasetComparison {
  private readonly a: Side;
  private readonly b: Side;
  private readonly seeds: Seeds;
  private readonly kernel: RecordKernel | null;
  private readonly name: NameFinder;
  private readonly ordered: OrderedDifferences;
  private readonly counts = { added: 0, removed: 0, changed: 0, libraries: 0 };
  private same = 0;
  private duplicates = 0;
  private held = { tableBytes: 0, entryBytes: 0, spilledBytes: 0 };
  private producer = new ProducerAux();
  private unmatched: readonly [boolean, boolean] = [false, false];
  private libraries: Libraries = { before: new Map(), after: new Map() };
  private repeated: Repeated = new Map();
  private table = new KeyTable();
  private searcher: Searcher | null = null;
  /** Parts of either file that a searcher need not look at. */
  private skips: readonly [Float64Array, Float64Array] = [new Float64Array(0), new Float64Array(0)];
  private patch: PatchWriter | null = null;

  constructor(
    before: DatasetSource,
    after: DatasetSource,
    private readonly options: DiffOptions,
    private readonly context: ToolContext,
  ) {
    this.a = new Side(before, options, context);
    this.b = new Side(after, options, context);
    this.seeds = options.seeds ?? randomSeeds();
    this.kernel = RecordKernel.create(this.seeds);
    this.name = new NameFinder(this.seeds, this.kernel);
    this.ordered = new OrderedDifferences(options.listener, options.temporaryDirectory ?? tmpdir());
  }

  /** Whether keys that only one side has need not be found again. */
  private get counting(): boolean {
    const { listener, patch, values } = this.options;
    return listener.silent === true && patch === null && !values;
  }

  async run(patch: FileTarget | null): Promise<DiffReport> {
    const { kernel, counts, a, b } = this;
    try {
      if (kernel === null) await this.compareAll(patch);
      else await this.compareDoubtful(kernel, patch);
      const written = patch === null ? null : await this.endPatch(patch);
      const { same, duplicates, held, unmatched } = this;
      return { ...counts, same, unmatched, duplicates, ...held, patch: written, told: [a.told, b.told] };
    } finally {
      await this.ordered.close();
    }
  }

  /** Without a first look: every key of the first side goes into the table. */
  private async compareAll(patch: FileTarget | null): Promise<void> {
    const { table, name, seeds } = this;
    const gathering = new Gathering(table, name, seeds);
    const first = await this.pass(this.a, gathering, null);
    this.producer = first.producer;
    this.duplicates = gathering.duplicates;
    if (patch !== null) this.patchTarget();
    const comparing = this.comparing(() => 0);
    const second = await this.pass(this.b, comparing, this.ordered);
    const isUnmatched = ({ keysMet }: Pass, { told }: { readonly told: number }): boolean =>
      keysMet > 0 && told === 0;
    this.unmatched = [isUnmatched(first, gathering), isUnmatched(second, comparing)];
    this.libraries = { before: gathering.libraries, after: comparing.libraries };
    this.beginPatch(patch);
    await this.tellLibraries();
    await this.endRound(gathering, comparing, patch);
  }

  private async compareDoubtful(kernel: RecordKernel, patch: FileTarget | null): Promise<void> {
    const { a, b, seeds, options, context, ordered } = this;
    // One half for each: entries that are still to be compared, and the table.
    const memoryBytes = Math.max(ROOM_BYTES_MIN, (context.memoryBytes - context.heldBytes()) / 2);
    const look = new QuickLook(
      a,
      b,
      kernel,
      {
        threads: true,
        temporaryDirectory: tmpdir(),
        ...options,
        seeds,
        memoryBytes,
        counting: this.counting,
      },
      context,
    );
    try {
      await look.run();
      const [before, after] = look.facts;
      this.producer = before.producer;
      this.unmatched = [before.unmatched, after.unmatched];
      this.libraries = { before: before.libraries, after: after.libraries };
      this.beginPatch(patch);
      await look.fill(this.table, memoryBytes);
      const several = !look.join.done;
      this.repeated = look.join.repeated;
      for (;;) {
        for (const group of GROUPS) if (several) await ordered.beginRun(group);
        this.skips = look.skips();
        await this.round(kernel, look, several, patch);
        if (look.join.done) break;
        this.table = new KeyTable();
        await look.fill(this.table, memoryBytes);
      }
      this.same += look.join.same;
      this.counts.removed += look.join.lone[0];
      this.counts.added += look.join.lone[1];
      this.held.entryBytes = look.bytesMade;
      this.held.spilledBytes = await look.spilledBytes();
      this.countDuplicates();
      if (!several) return;
      await ordered.release(0);
      await this.tellLibraries();
      await ordered.release(1);
      await ordered.release(2);
    } finally {
      await look.close();
    }
  }

  /** Compares the keys in the table, of which nothing is known yet. */
  private async round(
    kernel: RecordKernel,
    look: QuickLook,
    several: boolean,
    patch: FileTarget | null,
  ): Promise<void> {
    const { table, name, seeds } = this;
    if (table.size === 0) {
      if (!several) await this.tellLibraries();
      return;
    }
    this.searcher = table.size > SOUGHT_MAX ? null : new Searcher(kernel, table);
    const [before, after] = table.sides;
    const gathering = new Gathering(table, name, seeds);
    let place = (): number => gate.met + (this.searcher?.passed ?? 0);
    const comparing = this.comparing(() => place());
    const waiting = new WaitingKeys();
    const job = this.startNotes(look);
    const noting = new Noting(table, name, seeds, (head, value) => waiting.add(head, name, value, place()));
    const gate = this.gate('after', job === null ? comparing : noting, THERE);
    const gather = async (): Promise<void> => {
      if (before) await this.pass(this.a, this.gate('before', gathering, THERE), null);
    };
    if (job === null) await gather();
    if (after) await this.pass(this.b, gate, this.ordered);
    const answer = await job?.result();
    if (answer?.kind === 'notes') gathering.keys = takeNotes(answer.notes, table);
    else if (job !== null) await gather();
    let at = 0;
    if (job !== null) place = () => at;
    const goTo = (to: number): void => {
      at = to;
    };
    await waiting.compare(comparing, goTo, this.ordered);
    if (!several) await this.tellLibraries();
    await this.endRound(gathering, comparing, patch);
  }

  /** Has the first side looked at on another thread, where that and few names make it worth while. */
  private startNotes(look: QuickLook): ThreadJob | null {
    const { table, repeated, skips } = this;
    if (table.size > NOTED_MAX || !table.sides[0]) return null;
    return look.startNotes({ names: namesOf(table), repeated, skips: skips[0] });
  }

  /** What is told and written once the second side was compared with the table. */
  private async endRound(
    gathering: Gathering,
    comparing: Comparing,
    patch: FileTarget | null,
  ): Promise<void> {
    this.same += comparing.same;
    this.held.tableBytes = Math.max(this.held.tableBytes, this.table.bytes);
    if (comparing.found < gathering.keys) await this.tellRemoved();
    if (this.options.values && this.counts.changed > 0) await this.tellInside();
    if (patch !== null) await this.writePatch(this.patch!, patch);
  }

  /** Tells a side once. */
  private async pass(side: Side, target: ItemHandler, pace: Pace | null): Promise<Pass> {
    const { options, context, searcher } = this;
    const skips = searcher === null ? null : this.skips[side === this.a ? 0 : 1];
    searcher?.begin(skips ?? undefined);
    const pass = new Pass(target, options.conditions, context.nowMs, pace, searcher);
    await side.tell(pass, skips, this.kernel?.rooms);
    return pass;
  }

  private gate(side: Repeats['side'], target: ItemHandler, wants: (inTable: boolean) => boolean): MarkedGate {
    const repeats = { names: this.repeated, side };
    return new MarkedGate(target, this.table, this.name, repeats, wants, wants !== THERE);
  }

  private comparing(ordinal: () => number): Comparing {
    const { table, name, seeds, options, counts } = this;
    return new Comparing(table, name, seeds, options.toleranceMs, (head, comparison) => {
      const { op, kindBefore, valueChanged } = comparison;
      counts[op]++;
      // What changed inside is told by a later pass, which has both values.
      if (options.values && op === 'changed' && valueChanged && kindBefore === head.kind) return;
      this.tell([0, ordinal()], head, comparison, null);
    });
  }

  private tell(
    [group, ordinal]: readonly [Group, number],
    head: Pick<KeyHead, 'database' | 'key' | 'kind'>,
    comparison: Comparison,
    inside: Inside | null,
  ): void {
    if (this.options.listener.silent === true) return;
    const { op, kindBefore, valueChanged, ttlChanged, expiredBeforeMs, expiresAtMs } = comparison;
    const time = (ms: number): number | null => (Number.isNaN(ms) ? null : ms);
    this.ordered.tell(group, ordinal, {
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

  private async tellLibraries(): Promise<void> {
    const { listener } = this.options;
    const { before, after } = this.libraries;
    const tell = (op: 'added' | 'removed', code: Buffer): void => {
      this.counts.libraries++;
      listener.difference({ op, library: libraryName(code) ?? '' });
    };
    for (const [text, code] of before) if (!after.has(text)) tell('removed', code);
    for (const [text, code] of after) if (!before.has(text)) tell('added', code);
    if (listener.full) await listener.drain();
  }

  private async tellRemoved(): Promise<void> {
    const { table, counts, ordered } = this;
    const heads = new HeadListener((head) => {
      counts.removed++;
      this.tell([1, gate.met + (this.searcher?.passed ?? 0)], head, { ...GONE, op: 'removed' }, null);
    });
    const gate = this.gate('before', heads, (inTable) => inTable && !table.marked(SEEN));
    await this.pass(this.a, gate, ordered);
  }

  /** Holds some values of one side at a time and meets them with those of the other. */
  private async tellInside(): Promise<void> {
    const { table, options, ordered } = this;
    const wanted = (inTable: boolean): boolean => inTable && table.there && table.marked(CHANGED);
    const alone = !ordered.keeps(2);
    for (let from = 0, more = true; more; ) {
      const held = new HeldValues(from);
      await this.pass(this.a, this.gate('before', held, wanted), null);
      if (from > 0 || held.more) await ordered.beginRun(2);
      const meeting = new MeetingValues(held.records, (before, after) => {
        // Of another kind, and told as such.
        if (before.value.kind !== after.value.kind) return;
        const key = new ByteSlice().set(after.key, 0, after.key.length);
        const head = { database: after.database, key, kind: after.value.kind };
        const inside = changesInside(before, after);
        const place = gate.met + (this.searcher?.passed ?? 0);
        this.tell([2, place], head, comparisonOf(before, after, options.toleranceMs), inside);
      });
      const gate = this.gate('after', meeting, wanted);
      await this.pass(this.b, gate, ordered);
      ({ more, reached: from } = held);
    }
    if (alone && ordered.keeps(2)) await ordered.release(2);
  }

  private beginPatch(file: FileTarget | null): void {
    if (file === null) return;
    const { before, after } = this.libraries;
    const patch = new PatchWriter(file, this.patchTarget(), this.context.nowMs);
    for (const [text, code] of before) if (!after.has(text)) patch.removeLibrary(code);
    for (const [text, code] of after) if (!before.has(text)) patch.addLibrary(code);
    this.patch = patch;
  }

  /** Writes what the keys in the table take: first what goes, then what comes, then times alone. */
  private async writePatch(patch: PatchWriter, file: FileTarget): Promise<void> {
    const { table } = this;
    const goes = (inTable: boolean): boolean =>
      inTable && table.there && (!table.marked(SEEN) || table.marked(CHANGED));
    const comes = (inTable: boolean): boolean =>
      inTable ? !table.there || table.marked(CHANGED) : this.kernel === null;
    const ttlAlone = (inTable: boolean): boolean =>
      inTable && table.marked(TTL_CHANGED) && !table.marked(CHANGED);
    const removing = new HeadListener((head) => patch.remove(head));
    await this.pass(this.a, this.gate('before', removing, goes), file);
    await this.pass(this.b, this.gate('after', patch.emitter, comes), file);
    patch.forgetDatabase();
    const expiring = new HeadListener((head) => patch.expire(head));
    await this.pass(this.b, this.gate('after', expiring, ttlAlone), file);
  }

  private async endPatch(file: FileTarget): Promise<NonNullable<DiffReport['patch']>> {
    await file.publish();
    const { lost } = this.patch!;
    return { path: this.options.patch!.path, target: this.patchTarget().name, bytes: file.size, lost };
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

  private countDuplicates(): void {
    for (const { before, after } of this.repeated.values()) {
      this.duplicates += Math.max(0, before - 1) + Math.max(0, after - 1);
    }
  }
}

const THERE = (inTable: boolean): boolean => inTable;
const GROUPS: readonly Group[] = [0, 1, 2];

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
