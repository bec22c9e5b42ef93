import type { AofSet } from '../../../aof/set.js';
import { OutputError } from '../../../errors.js';
import type { ToolContext } from '../../context.js';
import { Outgrown, rebuild } from '../../rebuild.js';
import { findGroups } from './joins.js';
import { LogMeter, piecesFor } from './log-meter.js';
import { LocalPart, type Part, type PartReading, type PartRequest } from './part.js';
import { PartsCrossed } from './part-gate.js';
import type { BlockSource } from './parts-content.js';
import { PartsInTurn } from './parts-in-turn.js';
import { bucketsFor, newSecret } from './placement.js';
import { joinReadings, type Replayed, type ReplayRequest, wholeReplay } from './replayed.js';
import { PartLost, ThreadPart, threadsCode } from './thread-part.js';

/** Below this a second thread, which passes over the whole log, too, costs more than it saves. */
const TWO_THREADS_BYTES = 384 << 20;
/** Where memory may be too short, it is from here on that threads of their own are worth it. */
const TIGHT_BYTES = 1 << 20;
/** Memory for each byte of a log that is nearly always enough, packed bases aside. */
const HELD_PER_BYTE = 4;
/** A thread that has more than this share of the log has too little help from the other. */
const LARGEST_SHARE = 0.7;

/**
 * Replays a log: in two threads where it is large and there are two cores, each with the keys of one part; part after part
 * where the dataset is larger than the memory it may take; else in one.
 *
 * @throws what `rebuild` throws
 */
export async function replayDataset(
  set: AofSet,
  request: ReplayRequest,
  context: ToolContext,
): Promise<Replayed> {
  const meter = new LogMeter(set, context);
  if (request.parts !== undefined) return inTurn(set, request, request.parts, context);
  try {
    const parted = await inTwoThreads(set, request, meter.context);
    return parted ?? (await inOneThread(set, request, meter.context));
  } catch (error) {
    if (!(error instanceof Outgrown)) throw error;
    return inTurn(set, request, piecesFor(meter.share), context);
  }
}

async function inOneThread(set: AofSet, request: ReplayRequest, context: ToolContext): Promise<Replayed> {
  const rebuilt = await rebuild(set, request, context);
  return wholeReplay(rebuilt, request, context);
}

/** Keys by half, for as long as no command wants two together: many buckets would be a cache miss for each command. */
const HALVES = Uint8Array.of(0, 1);

/** Null when it is one thread's work. @throws Outgrown */
async function inTwoThreads(
  set: AofSet,
  request: ReplayRequest,
  context: ToolContext,
): Promise<Replayed | null> {
  const size = set.files.reduce((sum, file) => sum + (file.size ?? 0), 0);
  const tight = size * HELD_PER_BYTE > context.memoryBytes;
  if (size < (tight ? TIGHT_BYTES : TWO_THREADS_BYTES) || threadsCode() === null) return null;
  const secret = newSecret();
  try {
    return await readBoth(set, { ...request, secret, partOf: HALVES }, tight, context);
  } catch (error) {
    if (!(error instanceof PartsCrossed)) throw error;
  }
  const rdb = { verifyChecksum: false, deep: false, dialect: request.dialect ?? undefined };
  const groups = await findGroups(set, request.cut, rdb, secret, context);
  if (groups.anyKeys !== null) return null;
  const partOf = new Uint8Array(bucketsFor(size));
  if (groups.deal(partOf, 0, [0, 1]).share > LARGEST_SHARE) return null;
  return readBoth(set, { ...request, secret, partOf }, tight, context);
}

/** Null when something went wrong that one thread can tell better. @throws PartsCrossed, Outgrown */
async function readBoth(
  set: AofSet,
  request: Omit<PartRequest, 'part'> & ReplayRequest,
  tight: boolean,
  context: ToolContext,
): Promise<Replayed | null> {
  const stop = new AbortController();
  const cancel = (): void => stop.abort(context.signal.reason);
  context.signal.addEventListener('abort', cancel, { once: true });
  const there = await ThreadPart.start(
    set,
    { ...requestOf(request), part: 1 },
    { ...context, progress: () => {} },
  );
  if (there === null) return null;
  const own = { ...context, signal: stop.signal };
  const mine = { ...requestOf(request), part: 0 };
  // Where it may turn out too large, nothing is held here: a thread gives its memory back at once when it ends.
  const here = (tight ? await ThreadPart.start(set, mine, own) : null) ?? new LocalPart(set, mine, own);
  const parts = [here, there];
  const close = async (): Promise<void> => {
    context.signal.removeEventListener('abort', cancel);
    await Promise.all(parts.map((part) => part.close()));
  };
  try {
    const reading = here.read();
    there.read().catch((error) => stop.abort(error));
    const readings = await Promise.all([reading, there.read()]);
    if (sameEnd(readings)) return joined(set, request, readings, parts, close, context);
    await close();
    return null;
  } catch (error) {
    stop.abort(error);
    await close();
    context.signal.throwIfAborted();
    if (error instanceof PartsCrossed || error instanceof Outgrown) throw error;
    return null;
  }
}

/** What threads are told: functions stay where they are. */
function requestOf(request: Omit<PartRequest, 'part'>): Omit<PartRequest, 'part'> {
  const { cut, as, onUnknown, dialect, conditions, digest, secret, partOf } = request;
  return { cut, as, onUnknown, dialect, conditions, digest, secret, partOf };
}

/** Both read the same log, or one of them saw another. */
function sameEnd([first, ...others]: readonly PartReading[]): boolean {
  const end = JSON.stringify(first!.end);
  return others.every((each) => JSON.stringify(each.end) === end);
}

function joined(
  set: AofSet,
  request: ReplayRequest,
  readings: readonly PartReading[],
  parts: readonly Part[],
  close: () => Promise<void>,
  context: ToolContext,
): Replayed {
  const sources: BlockSource[] = parts.map((part) => (encode) => named(part.blocks(encode)));
  return joinReadings(set, request, readings, sources, close, context);
}

/** A thread that is lost while its keys are written is told as a failed output: that is what it is. */
async function* named<T, R>(blocks: AsyncGenerator<T, R>): AsyncGenerator<T, R> {
  try {
    return yield* blocks;
  } catch (error) {
    if (!(error instanceof PartLost)) throw error;
    throw new OutputError(
      'a thread with half of the keys',
      `ended before it had told them: ${error.message}`,
      'run it again; where memory is short, with a smaller --memory',
    );
  }
}

function inTurn(set: AofSet, request: ReplayRequest, count: number, context: ToolContext): Promise<Replayed> {
  return new PartsInTurn(set, request, context).run(count);
}
