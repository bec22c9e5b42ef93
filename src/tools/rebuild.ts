import type { Cut } from '../aof/cut.js';
import { type LogContext, type LogEnd, type LogHandler, readLog } from '../aof/log.js';
import type { AofSet } from '../aof/set.js';
import type { ByteSlice } from '../bytes/slice.js';
import { type ErrorDetail, FormatError, UsageError } from '../errors.js';
import type { KeyShare } from '../kernels/engine-kernel.js';
import { sha1Hex } from '../kernels/sha1.js';
import { BatchRunner, batchMemory } from '../keyspace/batch-runner.js';
import type { ChunkMemory } from '../keyspace/chunk-memory.js';
import { Engine, type EngineOptions } from '../keyspace/engine.js';
import { Keyspace } from '../keyspace/keyspace.js';
import { KeyspaceLoader } from '../keyspace/load.js';
import { FAILED, type Outcome, UNKNOWN } from '../keyspace/outcome.js';
import { thresholdsOf } from '../keyspace/thresholds.js';
import { digestFamilyOf } from '../model/digest.js';
import { type Depth, ItemSink, type KeyHead, SKIP } from '../model/handler.js';
import type { DialectName } from '../rdb/dialect.js';
import type { CommandSpans } from '../resp/command.js';
import type { ToolContext } from './context.js';
import { ProducerAux, productOf, releaseOf, type Server, TODAY } from './family.js';
import { RdbRelay } from './relay.js';
import { findingOf, namingFile } from './report.js';

export interface RebuildOptions {
  readonly cut: Cut;
  /** The server whose rules hold where the log does not say who wrote it. */
  readonly as: Server | null;
  /** What to do at a command that the engine does not know. */
  readonly onUnknown: 'stop' | 'skip';
  readonly dialect: DialectName | null;
  /** Sees every command before it is executed; none when missing. */
  readonly watch?: CommandWatch;
  /** Which part of the dataset is meant; all of it when missing. */
  readonly part?: RebuildPart;
}

/** One part of a dataset: its keys, and what of the commands concerns them. */
export interface RebuildPart {
  /** Whether it is the part that also has what belongs to no key: functions, and refusals of what names none. */
  readonly isFirst: boolean;
  /** Whether it is this part that tells when the command taken last is refused or unknown. */
  readonly tells: boolean;
  /** By which keys belong to it. */
  readonly share: KeyShare;
  owns(key: ByteSlice): boolean;
  /** What of a command is to be executed; null: nothing. Borrowed. */
  take(command: CommandSpans, context: LogContext): CommandSpans | null;
}

/** Sees the commands of a log just before they are executed. */
export interface CommandWatch {
  /** True once nothing more of the log is needed: damage behind that is a finding, not an error. */
  readonly satisfied: boolean;
  /** True: the command is not to be executed. */
  take(command: CommandSpans, context: LogContext, engine: Engine): boolean;
}

/** A command that was not executed, or that a server would have refused, too. */
export interface PassedOver {
  /** Base name. */
  readonly file: string;
  readonly offset: number;
  /** Counted from 1 over all files. */
  readonly number: number;
  /** Its name as it stands there, one character per byte. */
  readonly command: string;
  readonly reason: string;
}

/** A dataset as a log leaves it. */
export interface Rebuilt {
  readonly keyspace: Keyspace;
  readonly end: LogEnd;
  /** Who wrote the RDB that the log opens with; null when there is none or it does not say. */
  readonly producer: Server | null;
  /** When that RDB was saved, in milliseconds since the epoch; null as above. */
  readonly savedAtMs: number | null;
  /** Commands unknown to the engine: the dataset lacks what they did. */
  readonly skipped: readonly PassedOver[];
  /** Commands that failed as they do when a server loads the log: the first few, and how many in all. */
  readonly refused: readonly PassedOver[];
  readonly refusedCount: number;
  /** What stood beside keys of the RDB and has no place in a rebuilt dataset. */
  readonly dropped: Dropped;
}

export interface Dropped {
  /** Keys that modules had attached something to. */
  readonly metadata: number;
  /** Records of modules beside the keys. */
  readonly moduleAux: number;
}

/** How often progress is told and memory is watched, which takes as long as a hundred commands. */
const PROGRESS_BYTES = 4 << 20;
/** More refused commands than these are counted, not listed. */
export const REFUSED_LISTED = 20;

/**
 * Executes a log up to a cut in an embedded engine.
 *
 * @throws DamageError when the log is damaged before the cut, or holds an unknown command and `onUnknown` is 'stop'
 * @throws UsageError when the cut names no place in the log, or the dataset outgrows the context's memory
 */
export async function rebuild(set: AofSet, options: RebuildOptions, context: ToolContext): Promise<Rebuilt> {
  const memory = options.watch === undefined ? batchMemory() : null;
  const replayer = new Replayer(options, context, undefined, memory);
  const place = set.manifestPath ?? set.directory;
  let told = Number.POSITIVE_INFINITY;
  const reading = readLog(set, replayer, options.cut, {
    rdb: { verifyChecksum: true, deep: false, dialect: options.dialect ?? undefined },
    signal: context.signal,
    progress: (file, done) => {
      if (done >= told && done < told + PROGRESS_BYTES && done !== file.size) return;
      told = done;
      context.progress({ phase: 'replaying', label: file.path, done, total: file.size });
      replayer.watchMemory();
    },
  });
  const end = await namingFile(place, () =>
    reading.catch((error) => {
      if (!(error instanceof FormatError) || options.watch?.satisfied !== true) throw error;
      return { ...NOT_READ, findings: [findingOf(error, place)] };
    }),
  );
  const { keyspace, skipped, refused, refusedCount } = replayer;
  const { server, savedAtMs } = replayer.rdb.producer;
  const { dropped } = replayer.rdb;
  return { keyspace, end, producer: server, savedAtMs, skipped, refused, refusedCount, dropped };
}

/** The end of a log that was damaged behind all that was needed of it. */
const NOT_READ: LogEnd = {
  stoppedAt: { file: null, offset: 0, command: 0, timeMs: -1, reason: 'end' },
  applied: 0,
  annotations: 0,
  findings: [],
};

/** Loads what an RDB tells, by the rules of whoever wrote it: that is known when its first key comes. */
class Preamble extends RdbRelay {
  readonly producer = new ProducerAux();
  readonly dropped = { metadata: 0, moduleAux: 0 };
  private loader: KeyspaceLoader | null = null;
  /** True while a key goes by that belongs to another part. */
  private foreign = false;

  constructor(
    private readonly keyspace: Keyspace,
    private readonly as: Server | null,
    private readonly part: RebuildPart | null,
  ) {
    super(new ItemSink());
  }

  /** The server whose rules hold. */
  get server(): Server {
    return this.producer.server ?? this.as ?? TODAY;
  }

  private open(): void {
    if (this.loader !== null) return;
    this.loader = new KeyspaceLoader(this.keyspace, thresholdsOf(releaseOf(this.server)));
    this.target = this.loader;
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    const text = name.latin1();
    if (text === 'lua') keepScript(this.keyspace, value);
    else this.producer.take(text, value.latin1());
    if (!this.foreign) this.loader?.aux(name, value);
  }

  override moduleAux(_fragment: ByteSlice, last: boolean): void {
    if (last) this.dropped.moduleAux++;
  }

  override database(index: number): void {
    this.open();
    super.database(index);
  }

  override functionLibrary(code: ByteSlice): void {
    this.open();
    if (this.part?.isFirst !== false) super.functionLibrary(code);
  }

  override key(head: KeyHead): Depth {
    this.open();
    this.foreign = this.part?.owns(head.key) === false;
    if (this.foreign) return SKIP;
    if (head.metadata !== null) this.dropped.metadata++;
    return super.key(head);
  }

  override keyEnd(head: KeyHead): void {
    if (!this.foreign) super.keyEnd(head);
  }
}

/** Executes what a log tells. */
export class Replayer implements LogHandler {
  readonly keyspace: Keyspace;
  readonly rdb: Preamble;
  readonly skipped: PassedOver[] = [];
  readonly refused: PassedOver[] = [];
  refusedCount = 0;
  readonly full = false;
  private engine: Engine | null = null;
  private batches: BatchRunner | null = null;

  constructor(
    private readonly options: RebuildOptions,
    private readonly context: ToolContext,
    private readonly createEngine = (keyspace: Keyspace, rules: EngineOptions) => new Engine(keyspace, rules),
    /** Memory for a runner; null: each command is executed by the engine. */
    private readonly memory: ChunkMemory | null = null,
  ) {
    this.keyspace = new Keyspace(memory);
    this.rdb = new Preamble(this.keyspace, options.as, options.part ?? null);
  }

  fileStart(): void {
    this.engine?.select(0);
  }

  apply(command: CommandSpans, context: LogContext): void {
    // Made at the first command: by then the RDB before it has said whose rules hold.
    const engine = (this.engine ??= this.start());
    const { watch, part } = this.options;
    if (watch?.take(command, context, engine) === true) return;
    if (part !== undefined) {
      this.applyPart(part, command, context, engine);
      return;
    }
    const outcome = engine.execute(command);
    if (outcome !== 0) this.passOver(outcome, engine.lastError, command, context);
  }

  private applyPart(part: RebuildPart, command: CommandSpans, context: LogContext, engine: Engine): void {
    const share = part.take(command, context);
    if (share === null) return;
    const outcome = engine.execute(share);
    if (outcome !== 0 && part.tells) this.passOver(outcome, engine.lastError, command, context);
  }

  get rooms(): readonly [Buffer, Buffer] | undefined {
    return this.memory?.kernel.rooms;
  }

  get runner(): BatchRunner | null {
    if (this.memory === null) return null;
    this.engine ??= this.start();
    this.batches ??= new BatchRunner(this.engine, this.memory, this.options.part?.share ?? null);
    return this.batches;
  }

  private start(): Engine {
    return this.createEngine(this.keyspace, this.engineOptions());
  }

  /** The rules that hold: known once the RDB that the log opens with is read. */
  engineOptions(): EngineOptions {
    const { server } = this.rdb;
    const { scoreText } = digestFamilyOf(server.product, server.version);
    const { nowMs } = this.context;
    const product = this.options.dialect ?? productOf(server);
    return { nowMs, scoreText, release: releaseOf(server), product };
  }

  private passOver(outcome: Outcome, error: string, command: CommandSpans, context: LogContext): void {
    const name = command.latin1(0);
    const { file, offset, number } = context;
    if (outcome === UNKNOWN && !isFrame(command)) {
      const { code, detail } = this.engine?.obstacle ?? UNKNOWN_COMMAND;
      if (this.engine !== null) this.engine.obstacle = null;
      if (this.options.onUnknown === 'stop') {
        throw new FormatError(code, offset, { ...detail, command: name, number }).inFile(file.path);
      }
      const reason = code === UNKNOWN_COMMAND.code ? 'unknown command' : reasonOf(code, detail);
      this.skipped.push({ file: file.name, offset, number, command: name, reason });
    } else if (outcome === FAILED && ++this.refusedCount <= REFUSED_LISTED) {
      this.refused.push({ file: file.name, offset, number, command: name, reason: error });
    }
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  /** @throws UsageError when the process holds more than it may */
  watchMemory(): void {
    const { memoryBytes, heldBytes, reclaim } = this.context;
    if (heldBytes() <= memoryBytes) return;
    // What nobody uses any more counts until it is looked for.
    reclaim?.();
    const held = heldBytes();
    if (held <= memoryBytes) return;
    throw new Outgrown(held, memoryBytes);
  }
}

/** A dataset holds more memory than it may. */
export class Outgrown extends UsageError {
  constructor(heldBytes: number, memoryBytes: number) {
    super(
      `the dataset outgrows --memory: ${heldBytes} bytes are held, ${memoryBytes} are allowed`,
      'give a larger --memory, or a machine that has it',
    );
  }
}

/** What frames a transaction, and does nothing by itself: what is between comes whole or not at all. */
function isFrame(command: CommandSpans): boolean {
  return command.is(0, 'EXEC') || command.is(0, 'MULTI') || command.is(0, 'DISCARD');
}

const UNKNOWN_COMMAND = { code: 'aof/unknown-command', detail: {} } as const;

function reasonOf(code: string, detail: ErrorDetail): string {
  return [code, ...Object.values(detail)].join(' ');
}

/** Scripts that the server had, by their SHA1: what follows may call them by that. */
function keepScript(keyspace: Keyspace, body: ByteSlice): void {
  keyspace.scripts.set(sha1Hex(body.bytes, body.start, body.end), body.latin1());
}
