import { ScratchFile } from '../../bytes/scratch-file.js';
import { FileSource, type FileTicket } from '../../bytes/source.js';
import { PARTS, type RecordKernel } from '../../kernels/records.js';
import type { DialectName } from '../../rdb/dialect.js';
import type { ToolContext } from '../context.js';
import { ProducerAux } from '../family.js';
import { type KeyConditions, KeyFilter } from '../filter.js';
import { reclaimYoung } from '../reclaim.js';
import { type NotesTask, type ThreadAnswer, ThreadJob } from '../thread.js';
import { EntryMaker, EntryShortcut } from './entries.js';
import { EntryStore, type Room } from './entry-store.js';
import { EntryJoin } from './join.js';
import type { KeyTable } from './key-table.js';
import type { Seeds } from './names.js';
import { Passages } from './passages.js';
import { Pass } from './passes.js';
import type { Side } from './side.js';

/** Smaller files are read before a thread has started. */
export const THREAD_FROM_BYTES = 8 * 1024 * 1024;

export interface QuickOptions {
  readonly conditions: KeyConditions;
  readonly seeds: Seeds;
  readonly dialect: DialectName | null;
  /** False: everything on one thread. */
  readonly threads: boolean;
  /** Bytes of entries that may be held. */
  readonly memoryBytes: number;
  readonly temporaryDirectory: string;
  /** Names that only one side has are only counted. */
  readonly counting: boolean;
}

/** So often as blocks were taken garbage is collected: it would take some bytes for each key. */
const TAKES_RECLAIMED = 64;
const NO_SKIPS = new Float64Array(0);
/** Below this many bytes of entries asking another thread costs more than it saves. */
const JOINED_FROM_BYTES = 8 * 1024 * 1024;
/** A table has at most so many times the bytes of the entries. */
const TABLE_ENTRIES_MAX = 3;

/** What one side told besides its keys. */
export interface SideFacts {
  readonly libraries: ReadonlyMap<string, Buffer>;
  readonly producer: ProducerAux;
  /** There are keys, and the conditions mean none of them. */
  readonly unmatched: boolean;
}

/** The first look at two sides: an entry of every key, compared by part. */
export class QuickLook {
  readonly join: EntryJoin;
  private scratch: Promise<ScratchFile> | null = null;
  /** Reads the first side, until `close`. */
  private job: ThreadJob | null = null;
  private readonly room: Room;
  private readonly memoryBytes: number;
  private spilling: Promise<void> = Promise.resolve();
  private readonly stores: readonly [EntryStore, EntryStore];
  private readonly passages: [Passages, Passages] = [new Passages(), new Passages()];
  facts: readonly [SideFacts, SideFacts] = [noFacts(), noFacts()];
  /** Entries of values that stand in files are made of their bytes. */
  private readonly bytes: boolean;
  private readonly open: boolean;

  constructor(
    private readonly before: Side,
    private readonly after: Side,
    /** Also used for later passes, once this is through. */
    private readonly kernel: RecordKernel,
    private readonly options: QuickOptions,
    private readonly context: ToolContext,
  ) {
    const { conditions, temporaryDirectory, memoryBytes } = options;
    this.bytes = before.source.kind === 'rdb' && after.source.kind === 'rdb';
    this.open = conditions.minSizeBytes === 0 && new KeyFilter(conditions, context.nowMs).open;
    this.memoryBytes = memoryBytes;
    this.room = {
      heldBytes: 0,
      spare: [],
      scratch: () => (this.scratch ??= ScratchFile.create(temporaryDirectory)),
    };
    this.stores = [new EntryStore(this.room), new EntryStore(this.room)];
    this.join = new EntryJoin(...this.stores, options.counting);
  }

  /** Bytes of all entries, and how many of them went to disk. */
  get bytesMade(): number {
    return this.stores[0].bytes + this.stores[1].bytes;
  }

  async spilledBytes(): Promise<number> {
    return this.scratch === null ? 0 : (await this.scratch).size;
  }

  /** @throws DamageError for a damaged side, the first before the second */
  async run(): Promise<void> {
    const job = this.startThread();
    this.job = job;
    const other = job === null ? null : this.takeFrom(job, this.stores[0]);
    if (other === null) {
      const first = await this.tell(this.before, 0);
      this.facts = [first, await this.tell(this.after, 1)];
      return;
    }
    const own = await settled(this.tell(this.after, 1));
    const first = await other;
    if (first === null) {
      // Whatever went wrong there, it is told by doing it here.
      this.stores[0].clear();
      await this.tell(this.before, 0);
    }
    if ('error' in own) throw own.error;
    this.before.setVerified();
    this.facts = [first ?? this.facts[0], own.value];
  }

  /**
   * Goes on until all entries are compared, or the table has become larger than that; at least one part. The thread that read
   * the first side takes half of the parts where all of them are in memory, and the table may become as large as it gets.
   */
  async fill(table: KeyTable, tableBytesMax: number): Promise<void> {
    const { join } = this;
    const job = tableBytesMax < TABLE_ENTRIES_MAX * this.bytesMade ? null : this.startJoin();
    await join.fill(table, tableBytesMax);
    if (job === null) return;
    const answer = await job.result();
    if (answer?.kind === 'joined' && answer.joined !== null) join.adopt(answer.joined, table);
    else await join.takeBack(table, tableBytesMax);
  }

  private startJoin(): ThreadJob | null {
    const { job, join, stores } = this;
    if (job === null || join.part > 0 || this.bytesMade < JOINED_FROM_BYTES) return null;
    const [before, after] = [stores[0].share(), stores[1].share()];
    if (before === null || after === null) return null;
    join.leaveFrom(PARTS / 2);
    job.again({ kind: 'join', from: PARTS / 2, before, after, counting: this.options.counting });
    return job;
  }

  /** Asks the thread that read the first side for notes; null when there is none. */
  startNotes(task: Omit<NotesTask, 'kind' | 'dialect' | 'seeds'>): ThreadJob | null {
    const { job, options } = this;
    const { dialect, seeds } = options;
    job?.again({ kind: 'notes', dialect, seeds, ...task });
    return job;
  }

  /** Parts of either side's file without any key that the last look found to differ, as `Passages.without` tells them. */
  skips(): readonly [Float64Array, Float64Array] {
    const { doubtful } = this.join;
    if (doubtful === null) return [NO_SKIPS, NO_SKIPS];
    return [this.passages[0].without(doubtful[0]), this.passages[1].without(doubtful[1])];
  }

  async close(): Promise<void> {
    await this.job?.cancel();
    if (this.scratch !== null) await (await this.scratch.catch(() => null))?.close();
  }

  /** More is held than there is room for. */
  get full(): boolean {
    return this.room.heldBytes > this.memoryBytes;
  }

  /** Writes out what is held, one after the other. */
  drain(): Promise<void> {
    this.spilling = this.spilling.then(async () => {
      if (this.full) for (const store of this.stores) await store.spill();
    });
    return this.spilling;
  }

  private async tell(side: Side, index: 0 | 1): Promise<SideFacts> {
    const store = this.stores[index];
    const { source } = side;
    const passages = new Passages(null, source.kind === 'rdb' ? (source.bytes.size ?? 0) : 0);
    this.passages[index] = passages;
    const { kernel, options, bytes, open, context } = this;
    let takes = 0;
    const take = (blocks: Uint8Array, owners: Uint8Array): void => {
      store.take(blocks, owners);
      if (++takes % TAKES_RECLAIMED === 0) reclaimYoung();
    };
    const maker = new EntryMaker(kernel, options.seeds, bytes, take);
    const shortcut = open ? new EntryShortcut(kernel, bytes, take, passages, this) : null;
    const pass = new Pass(maker, options.conditions, context.nowMs, this, shortcut);
    await side.tell(pass, NO_SKIPS, kernel.rooms);
    kernel.finish(take, (part, entries) => store.takeLast(part, entries));
    store.finish();
    if (this.full) await this.drain();
    const unmatched = pass.keysMet > 0 && maker.keys === 0;
    return { libraries: maker.libraries, producer: pass.producer, unmatched };
  }

  /** The file of the first side, if it is worth a thread of its own. */
  get threadFile(): FileTicket | null {
    const { options, before, after, open } = this;
    const { source } = before;
    if (!options.threads || !open || source.kind !== 'rdb' || after.source.kind === 'aof') return null;
    const { bytes: file } = source;
    return file instanceof FileSource && file.size >= THREAD_FROM_BYTES ? file.ticket : null;
  }

  private startThread(): ThreadJob | null {
    const file = this.threadFile;
    const { seeds, dialect } = this.options;
    return file === null
      ? null
      : ThreadJob.start({ kind: 'entries', file, seeds, bytes: this.bytes, dialect });
  }

  /** Takes the entries that another thread makes; null when it did not come to an end. */
  private async takeFrom(job: ThreadJob, store: EntryStore): Promise<SideFacts | null> {
    let failure: { error: unknown } | null = null;
    let last: Promise<void> = Promise.resolve();
    const take = async (answer: Extract<ThreadAnswer, { kind: 'blocks' }>): Promise<void> => {
      store.takeSlab(answer.slab, answer.blocks);
      if (this.full) await this.drain();
      job.post(this.room.spare.pop() ?? null);
    };
    job.listen((answer) => {
      if (answer.kind !== 'blocks') return;
      last = last
        .then(() => (failure === null ? take(answer) : undefined))
        .catch((error) => {
          failure = { error };
          void job.cancel();
        });
    });
    const answer = await job.result();
    await last;
    if (failure !== null) throw (failure as { error: unknown }).error;
    if (answer?.kind !== 'entries') return null;
    this.passages[0] = new Passages(answer.passages);
    for (const { part, entries } of answer.last) store.takeLast(part, entries);
    if (this.full) await this.drain();
    const producer = new ProducerAux();
    for (const [name, value] of answer.aux) producer.take(name, value);
    const libraries = answer.libraries.map((text) => [text, Buffer.from(text, 'latin1')] as const);
    return { libraries: new Map(libraries), producer, unmatched: false };
  }
}

const noFacts = (): SideFacts => ({
  libraries: new Map(),
  producer: new ProducerAux(),
  unmatched: false,
});

async function settled<T>(promise: Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}
