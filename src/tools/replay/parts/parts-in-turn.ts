import { tmpdir } from 'node:os';
import type { AofSet } from '../../../aof/set.js';
import { ScratchFile } from '../../../bytes/scratch-file.js';
import { assert, FormatError, UsageError } from '../../../errors.js';
import type { RdbTarget } from '../../../rdb/writer-target.js';
import type { ToolContext } from '../../context.js';
import { Outgrown } from '../../rebuild.js';
import { isCommands } from '../../write-dataset.js';
import { type BucketGroups, findGroups } from './joins.js';
import { LogMeter, piecesFor } from './log-meter.js';
import { LocalPart, type Part, type PartReading, type PartRequest } from './part.js';
import type { PartBlock, PartLosses } from './part-encoder.js';
import type { BlockSource } from './parts-content.js';
import { newSecret, PARTS_MAX } from './placement.js';
import { joinReadings, type Replayed, type ReplayRequest } from './replayed.js';
import { ThreadPart } from './thread-part.js';

/** Records of one database of one part in the scratch file. */
interface Extent {
  readonly database: number;
  readonly start: number;
  end: number;
}

/** A part that was executed and let go of: what came of it, and where its records are. */
interface DonePart {
  readonly reading: PartReading;
  readonly extents: readonly Extent[];
  readonly losses: PartLosses;
}

/** With more than this share of the memory taken before it begins, no part is small enough. */
const ROOM_SHARE = 0.9;
/** Nor when it is too large before this share of the log: what there is of memory is taken by the program. */
const LEAST_SHARE = 0.02;
const READ_BYTES = 256 * 1024;
/** A part with more than this share of what was to be split does not get smaller by splitting. */
const SPLIT_SHARE = 0.97;
const NO_LOSSES: PartLosses = { lost: [], lostCount: 0 };

/**
 * Replays a log whose dataset is larger than the memory it may take: one pass over the log for each part of the keys,
 * whose records go to a scratch file. A part that is too large in its turn is split.
 */
export class PartsInTurn {
  private readonly secret = newSecret();
  private partOf = new Uint8Array(0);
  private readonly done = new Map<number, DonePart>();
  private pending: number[] = [];
  /** Numbers of parts that are taken. */
  private used = 1;
  /** Whether a part was executed, so that there is something to say of how large it is. */
  private tried = false;
  /** Bytes held when the part at hand was begun. */
  private heldBefore = 0;
  private groups: BucketGroups | null = null;
  private scratch: ScratchFile | null = null;
  private target: RdbTarget | null = null;
  private fieldTtls = false;
  private cut: PartRequest['cut'];
  /** The first command in the log at which a replay has to stop, of those found so far. */
  private failure: FormatError | null = null;

  constructor(
    private readonly set: AofSet,
    private readonly request: ReplayRequest,
    private readonly context: ToolContext,
  ) {
    this.cut = request.cut;
  }

  /** @throws UsageError when the commands of the log hold too much together, and what `rebuild` throws */
  async run(count: number): Promise<Replayed> {
    const { set, request, context } = this;
    try {
      this.groups = await this.findGroups();
      context.reclaim?.();
      this.partOf = new Uint8Array(this.groups.count);
      this.pending = this.split(0, count);
      for (let part = this.pending.shift(); part !== undefined; part = this.pending.shift()) {
        await this.runPart(part);
      }
      if (this.failure !== null) throw this.failure;
      const parts = [...this.done.entries()].sort(([a], [b]) => a - b).map(([, each]) => each);
      const readings = parts.map(({ reading }) => reading);
      const sources = parts.map((part) => this.sourceOf(part));
      return joinReadings(set, request, readings, sources, () => this.close(), context);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  private async findGroups(): Promise<BucketGroups> {
    const { set, request, context } = this;
    const rdb = { verifyChecksum: true, deep: false, dialect: request.dialect ?? undefined };
    const groups = await findGroups(set, request.cut, rdb, this.secret, context);
    if (groups.anyKeys === null) return groups;
    const { name, file, offset } = groups.anyKeys;
    throw new UsageError(
      `the dataset outgrows --memory, and cannot be replayed part by part: ${name} at offset ${offset} of ${file} may reach any key`,
      'give a larger --memory, or a machine that has it',
    );
  }

  /** Makes of one part so many, and returns their numbers. */
  private split(part: number, pieces: number): number[] {
    const numbers = [part];
    while (numbers.length < pieces && this.used < PARTS_MAX) numbers.push(this.used++);
    if (numbers.length < Math.min(pieces, 2)) throw this.tooTight(`more than ${PARTS_MAX} would be needed`);
    const { share, joined } = this.groups!.deal(this.partOf, part, numbers);
    // The first time it may be that there is little else: whether that is too much is still to be seen.
    if (share > SPLIT_SHARE && this.tried) throw this.tooTight(this.whyTight(joined));
    return numbers;
  }

  private whyTight(joined: boolean): string {
    const joiner = joined ? this.groups!.joiner : null;
    if (joiner === null) return 'a single key, or a few, are most of one part';
    const { name, offset, file } = joiner;
    return `commands such as ${name} (the first at offset ${offset} of ${file}) need most of its keys together`;
  }

  private tooTight(why: string): UsageError {
    const { memoryBytes } = this.context;
    return new UsageError(
      `the dataset outgrows --memory (${memoryBytes} bytes, of which ${this.heldBefore} were held before the part that is too large), and cannot be replayed in smaller parts: ${why}`,
      'give a larger --memory, or a machine that has it',
    );
  }

  private async runPart(number: number): Promise<void> {
    this.tried = true;
    const { set, context } = this;
    this.heldBefore = context.heldBytes();
    const meter = new LogMeter(set, this.contextOf());
    const part = await this.open(number, meter.context);
    try {
      const reading = await part.read();
      if (this.failure !== null) return;
      if (!(await this.settleTarget(reading))) {
        this.pending.unshift(...this.done.keys(), number);
        this.done.clear();
        return;
      }
      const stored = await this.store(part);
      this.done.set(number, { reading, ...stored });
    } catch (error) {
      if (error instanceof Outgrown) {
        await part.close();
        context.reclaim?.();
        const isFull = context.heldBytes() > context.memoryBytes * ROOM_SHARE;
        if (isFull || meter.share < LEAST_SHARE) throw error;
        this.pending.unshift(...this.split(number, piecesFor(meter.share)));
      } else if (isNumbered(error)) {
        // A part executed later may have to stop earlier: what is behind is of no interest any more.
        this.failure = error;
        this.cut = { ...this.cut, commands: error.detail.number - 1 };
      } else {
        throw error;
      }
    } finally {
      await part.close();
      context.reclaim?.();
    }
  }

  /** Says which part of how many it is. */
  private contextOf(): ToolContext {
    const { context } = this;
    const at = this.done.size + 1;
    const of = this.done.size + this.pending.length + 1;
    const phase = `replaying part ${at} of ${of}`;
    return { ...context, progress: (progress) => context.progress({ ...progress, phase }) };
  }

  /** In a thread of its own where that can be: its memory is free for the next one as soon as it ends. */
  private async open(part: number, context: ToolContext): Promise<Part> {
    const { set, secret, partOf, cut } = this;
    const { as, onUnknown, dialect, conditions, digest } = this.request;
    const request = { as, onUnknown, dialect, conditions, digest, secret, partOf, part, cut };
    return (await ThreadPart.start(set, request, context)) ?? new LocalPart(set, request, context);
  }

  /** Chooses the server that the output is for; false when those before were written for another. */
  private async settleTarget(reading: PartReading): Promise<boolean> {
    const { output } = this.request;
    if (output === null) return true;
    const { producer, survey } = reading;
    const before = [...this.done.values()].map((part) => part.reading.survey);
    const fieldTtls = this.fieldTtls || [survey, ...before].some((each) => each.fieldTtls);
    this.fieldTtls = fieldTtls;
    const target = output.target({ producer, fieldTtls });
    const same = this.target === null || this.target.name === target.name;
    this.target = target;
    if (same) return true;
    await this.close();
    return false;
  }

  /** Moves the records of a part to the scratch file. */
  private async store(part: Part): Promise<Omit<DonePart, 'reading'>> {
    const { target, commands } = this.form();
    if (target === null) return { extents: [], losses: NO_LOSSES };
    this.scratch ??= await ScratchFile.create(tmpdir());
    const { scratch } = this;
    const extents: Extent[] = [];
    const blocks = part.blocks({ commands, target });
    for (;;) {
      const { done, value } = await blocks.next();
      if (done === true) return { extents, losses: value };
      const start = scratch.size;
      await scratch.write(value.bytes);
      const last = extents.at(-1);
      if (last?.database === value.database) last.end = scratch.size;
      else extents.push({ database: value.database, start, end: scratch.size });
    }
  }

  private form(): { target: RdbTarget | null; commands: boolean } {
    const { target } = this;
    const { output } = this.request;
    return { target, commands: target !== null && output !== null && isCommands(output.form, target) };
  }

  private sourceOf({ extents, losses }: DonePart): BlockSource {
    return ({ commands, target }) => {
      const mine = this.form();
      assert(
        mine.commands === commands && mine.target?.name === target.name,
        'parts are told as they were kept',
      );
      return this.told(extents, losses);
    };
  }

  private async *told(extents: readonly Extent[], losses: PartLosses): AsyncGenerator<PartBlock, PartLosses> {
    for (const { database, start, end } of extents) {
      for (let at = start; at < end; ) {
        const bytes = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
        await this.scratch!.read(at, bytes);
        at += bytes.length;
        yield { database, bytes, whole: at === end };
      }
    }
    return losses;
  }

  private async close(): Promise<void> {
    const { scratch } = this;
    this.scratch = null;
    await scratch?.close();
  }
}

/** True for an error at a command of the log that it names by number. */
function isNumbered(error: unknown): error is FormatError & { readonly detail: { readonly number: number } } {
  return error instanceof FormatError && typeof error.detail['number'] === 'number';
}
