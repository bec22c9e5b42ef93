import type { MessagePort } from 'node:worker_threads';
import { pump } from '../../bytes/pump.js';
import type { FileSource, WaitingReader } from '../../bytes/source.js';
import { ByteWindow, type Machine, type Progress } from '../../bytes/window.js';
import { FormatError } from '../../errors.js';
import { Crc64, combineCrc64 } from '../../kernels/crc64.js';
import type { RdbCheckKernel } from '../../kernels/rdb-check.js';
import { type Depth, SKIP } from '../../model/handler.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import type { Dialect, DialectName } from '../../rdb/dialect.js';
import { RdbSink, type RdbSummary } from '../../rdb/handler.js';
import { kernelActions } from '../../rdb/kernel-actions.js';
import { FileShare } from '../file-share.js';
import type { ThreadAnswer } from '../thread.js';
import type { Checksum } from './checksum.js';
import { FindingList, placeOf } from './findings.js';
import { joinParts, KernelNames, type NameBlocks, type NameJoinTask } from './kernel-names.js';
import { createCheckKernel, RdbCheck } from './keys.js';

/** Bytes in front of the first key that are looked at for the dialect. */
const HEAD_BYTES = 512 * 1024;
/** Bytes behind the start of a piece that are searched for a record, and how far one is followed. */
const SEARCH_BYTES = 16 * 1024;
const FOLLOWED_BYTES = 48 * 1024;
/** So many records one after the other are no accident. */
const RECORDS_ENOUGH = 8;
/** Bytes that are made to look for records everywhere cost no more than this. */
const SEARCH_MS = 50;

/** Giving away the names of a piece costs the same for any length. */
const PIECES_AT_ONCE = 8;

export interface RdbBackTask {
  readonly pieceBytes: number;
  readonly claimed: SharedArrayBuffer;
  readonly dialect: DialectName | null;
}

/** What stood between keys, and numbers of it. */
export interface BetweenKeys {
  readonly what: 'database' | 'resize' | 'slot';
  /** Keys of the piece before it, and those of them that expire. */
  readonly keys: number;
  readonly expiring: number;
  readonly offset: number;
  readonly numbers: readonly [number, number, number];
}

/** A piece of an RDB, from a record to where the next piece begins. */
export interface RdbPiece {
  readonly keys: number;
  readonly expiring: number;
  readonly between: readonly BetweenKeys[];
  /** Values of modules that could not be looked into. */
  readonly opaque: number;
  /** Names; the first of two are those of a database that was named before the piece, kept as if of database 0. */
  readonly names: readonly NameBlocks[];
}

/** The end of an RDB, if a record starts at `offset`: in order from there on. */
export interface RdbBack {
  readonly offset: number;
  /** In the order of the file. */
  readonly pieces: readonly RdbPiece[];
  readonly product: DialectName;
  readonly version: number;
  readonly summary: Omit<RdbSummary, 'dialect' | 'keys'>;
  /** Of the bytes from `offset` up to the trailer. */
  readonly sum: Checksum;
}

/** What a thread does that checks an RDB from its end: answers, and stays for the names, which both threads join. */
export async function serveRdbBack(source: FileSource, task: RdbBackTask, port: MessagePort): Promise<void> {
  const answer = (message: ThreadAnswer): void => port.postMessage(message);
  const kernel = createCheckKernel();
  const back = kernel && (await checkRdbBack(source, task, kernel));
  answer({ kind: 'rdb-back', back });
  if (kernel === null || back === null) return;
  port.once('message', (names: NameJoinTask) =>
    answer({ kind: 'join-names', twice: joinParts(kernel, names) }),
  );
}

/**
 * Checks an RDB from its end backwards: each piece from a place where a record seems to start up to where the piece behind
 * it began. Ends when no piece is left, or at one of which there is anything to tell. Null when it could not even begin.
 * Whether a record really starts at `offset` only who comes from the front can tell.
 */
export async function checkRdbBack(
  source: FileSource,
  task: RdbBackTask,
  kernel: RdbCheckKernel,
): Promise<RdbBack | null> {
  const share = new FileShare(0, source.size, task.pieceBytes, task.claimed);
  const reader = await source.openWaiting();
  try {
    const dialect = await readDialect(reader, source.size, task.dialect);
    if (dialect === null || !canBeEntered(dialect)) return null;
    const names = new KernelNames(kernel);
    const pieces: RdbPiece[] = [];
    const sum = { high: 0, low: 0 };
    let summary: RdbSummary | null = null;
    let offset = source.size;
    for (let left = share.pieces; left > 0; ) {
      const claimed = share.claimSome(PIECES_AT_ONCE);
      if (claimed === 0) break;
      left -= claimed;
      const from = await findRecord(reader, share.endOf(left), offset, kernel, dialect);
      // One value may be longer than a piece.
      if (from < 0) continue;
      const piece = new Piece(source.label, dialect, kernel, names);
      if (!(await piece.isGood(reader, from, offset, source.size))) break;
      pieces.unshift(piece.result(names));
      summary ??= piece.summary!;
      const { trailerOffset } = summary;
      combineCrc64(piece.crc, sum, Math.max(0, trailerOffset - offset), sum);
      offset = from;
    }
    if (summary === null) return null;
    const { endOffset, checksum, trailerOffset, storedHigh, storedLow } = summary;
    return {
      offset,
      pieces,
      product: dialect.name,
      version: dialect.version,
      summary: { endOffset, checksum, trailerOffset, storedHigh, storedLow },
      sum,
    };
  } finally {
    await reader.close();
  }
}

/** The dialect that header and aux fields tell; null when they, or what they say, are not understood. */
async function readDialect(
  reader: WaitingReader,
  size: number,
  product: DialectName | null,
): Promise<Dialect | null> {
  const head = new (class extends RdbSink {
    found = false;
    override key(): Depth {
      this.found = true;
      return SKIP;
    }
    override get full(): boolean {
      return this.found;
    }
  })();
  const decoder = new RdbDecoder(head, {
    verifyChecksum: false,
    deep: false,
    dialect: product ?? undefined,
  });
  const window = new ByteWindow();
  window.bytes = Buffer.allocUnsafeSlow(Math.min(size, HEAD_BYTES));
  window.limit = size;
  reader.enter(0, size);
  window.end = await reader.read(window.bytes);
  try {
    decoder.run(window);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return head.found ? decoder.dialect : null;
}

/** False where records mean something only together with those before them. */
const canBeEntered = ({ opcodeOf }: Dialect): boolean =>
  !opcodeOf.includes('hash-template') && !opcodeOf.includes('tagged-chunk');

/** Absolute offset of what seems to be the first record behind `from`; -1 when nothing does. */
async function findRecord(
  reader: WaitingReader,
  from: number,
  end: number,
  kernel: RdbCheckKernel,
  dialect: Dialect,
): Promise<number> {
  const actions = kernelActions(dialect);
  const room = kernel.rooms[0].subarray(0, FOLLOWED_BYTES);
  reader.enter(from, end);
  const count = await reader.read(room);
  kernel.setActions(actions);
  const until = performance.now() + SEARCH_MS;
  for (let at = 0; at < Math.min(count - 1, SEARCH_BYTES); at++) {
    // Zeros are records, too: of nothing under an empty name.
    if (actions[room[at]!] === 0 || room[at + 1] === 0) continue;
    if (performance.now() > until) break;
    kernel.run(room, at, count, 0, 0, null);
    // The first of them may begin in the middle of one, but each brings the next closer to where a record does begin.
    if (kernel.keys >= RECORDS_ENOUGH) return from + kernel.position;
  }
  return -1;
}

/** Keeps what stands between keys for who knows what came before. */
class PieceCheck extends RdbCheck {
  readonly between: BetweenKeys[] = [];
  readonly given: NameBlocks[] = [];

  constructor(
    flaws: FindingList,
    kernel: RdbCheckKernel,
    private readonly own: KernelNames,
    private readonly offset: () => number,
  ) {
    super(flaws, false, NOWHERE, UNBOUNDED);
    this.hurry(kernel, own);
  }

  override database(index: number): void {
    this.note('database', index);
    // Behind this one knows whose they are.
    if (this.given.length === 0) this.given.push(this.own.give());
  }

  override resize(keys: number, expires: number): void {
    this.note('resize', keys, expires);
  }

  override slotInfo(slot: number, keys: number, expires: number): void {
    this.note('slot', slot, keys, expires);
  }

  override end(summary: RdbSummary): void {
    this.summary = summary;
  }

  private note(what: BetweenKeys['what'], a: number, b = 0, c = 0): void {
    this.between.push({
      what,
      keys: this.keys,
      expiring: this.expires,
      offset: this.offset(),
      numbers: [a, b, c],
    });
  }
}

const UNBOUNDED = { memoryBytes: Number.POSITIVE_INFINITY, heldBytes: () => 0 };
const NOWHERE = () => ({ offset: 0, dialect: null });

/** Checks one piece. */
class Piece implements Machine {
  readonly crc: Crc64;
  private readonly flaws: FindingList;
  private readonly check: PieceCheck;
  private readonly decoder: RdbDecoder;

  constructor(
    label: string,
    private readonly dialect: Dialect,
    private readonly kernel: RdbCheckKernel,
    names: KernelNames,
  ) {
    this.crc = new Crc64(kernel.continueSum);
    const flaws = new FindingList(label);
    this.flaws = flaws;
    this.check = new PieceCheck(flaws, kernel, names, () => this.decoder.offset);
    this.decoder = new RdbDecoder(this.check, {
      verifyChecksum: false,
      deep: true,
      inside: dialect,
      onWarning: (code, offset, detail) => flaws.add(code, offset, detail, placeOf(this.decoder.head)),
    });
  }

  get summary(): RdbSummary | null {
    return this.check.summary;
  }

  /** True when it is in order, with nothing to tell, and ends where the next one begins, or with the file. */
  async isGood(reader: WaitingReader, from: number, end: number, size: number): Promise<boolean> {
    const window = new ByteWindow();
    window.base = from;
    window.limit = end;
    reader.enter(from, end);
    try {
      await pump(reader, window, this, { rooms: this.kernel.rooms });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return false;
    }
    const { flaws, decoder, dialect, summary } = this;
    const ended = (summary !== null) === (end === size) && window.offset === end;
    return ended && flaws.list.length === 0 && decoder.dialect === dialect;
  }

  run(window: ByteWindow): Progress {
    const { position } = window;
    const progress = this.decoder.run(window);
    const { summary } = this;
    const stop = summary === null ? window.position : Math.max(position, summary.trailerOffset - window.base);
    this.crc.update(window.bytes, position, stop);
    return progress;
  }

  finish(window: ByteWindow): void {
    if (window.position === window.end && this.decoder.betweenRecords) return;
    throw new FormatError('rdb/truncated', window.offset);
  }

  result(names: KernelNames): RdbPiece {
    const { between, given, keys, expires, opaque } = this.check;
    return { keys, expiring: expires, between, opaque, names: [...given, names.give()] };
  }
}
