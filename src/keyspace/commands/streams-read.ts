import { addLong } from '../../bytes/int64.js';
import { compareIds, type StreamId } from '../../model/stream-id.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { longAt } from '../integers.js';
import { APPLIED, type Outcome, UNKNOWN } from '../outcome.js';
import { idKey, idOfKey, type StreamConsumer, type StreamGroup } from '../stream/group.js';
import { LARGEST_ID } from '../stream/id-text.js';
import { type StreamValue, UNKNOWN_READS } from '../stream/stream.js';
import type { CommandRow } from './row.js';
import {
  BAD_ID,
  CREATES_IDLE_CONSUMERS,
  consumerOf,
  idAtArgument,
  NO_GROUP,
  oneMore,
  streamAt,
} from './streams-arguments.js';

/** Reading through a group: servers log its effects instead, so that it stands in foreign logs only. */
export const streamReadCommands: readonly CommandRow[] = [
  { name: 'XREADGROUP', arity: -7, apply: xreadgroup },
];

/** One stream of an XREADGROUP. */
interface Reading {
  readonly stream: StreamValue;
  readonly group: StreamGroup;
  /** Null for `>`: what nobody in the group has seen. */
  readonly after: StreamId | null;
}

function xreadgroup(engine: Engine, command: CommandSpans): Outcome {
  const { argc } = command;
  let count = 0;
  let keepsPending = true;
  let groupAt = 0;
  let i = 1;
  for (; i < argc && !command.is(i, 'STREAMS'); i++) {
    if (command.is(i, 'GROUP') && i + 2 < argc) {
      groupAt = i + 1;
      i += 2;
    } else if (command.is(i, 'COUNT') && i + 1 < argc) {
      const limit = longAt(command, ++i);
      if (limit === null) return engine.notInteger();
      count = Math.max(0, Number(limit));
    } else if (command.is(i, 'NOACK')) {
      keepsPending = false;
    } else if (command.is(i, 'CLAIM') && i + 1 < argc) {
      // Redis 8.4 logs what came of it; what that was is not for the engine's clock to say.
      engine.lastError = 'ERR the option CLAIM of XREADGROUP is not known here';
      return UNKNOWN;
    } else if (!command.is(i, 'BLOCK') || ++i >= argc) {
      return engine.syntaxError();
    }
  }
  const keysAt = i + 1;
  const streams = (argc - keysAt) / 2;
  if (streams < 1 || !Number.isInteger(streams)) return engine.fail('ERR Unbalanced list of streams');
  if (groupAt === 0) return engine.fail('ERR Missing GROUP option for XREADGROUP');
  const readings: Reading[] = [];
  for (let k = 0; k < streams; k++) {
    const reading = readingOf(engine, command, keysAt + k, keysAt + streams + k, groupAt);
    if (typeof reading === 'number') return reading;
    readings.push(reading);
  }
  const name = command.latin1(groupAt + 1);
  for (const reading of readings) readOne(engine, reading, name, count, keepsPending);
  return APPLIED;
}

function readingOf(
  engine: Engine,
  command: CommandSpans,
  keyAt: number,
  idAt: number,
  groupAt: number,
): Reading | Outcome {
  const stream = streamAt(engine, command, keyAt);
  if (stream === 'other') return engine.wrongType();
  const group = stream?.groups.get(command.latin1(groupAt));
  if (stream === null || group === undefined) return engine.fail(NO_GROUP);
  if (command.is(idAt, '>')) return { stream, group, after: null };
  const after = idAtArgument(command, idAt);
  if (after === null) return engine.fail(BAD_ID);
  return { stream, group, after: compareIds(after, LARGEST_ID) === 0 ? null : after };
}

function readOne(engine: Engine, reading: Reading, name: string, count: number, keepsPending: boolean): void {
  const { stream, group, after } = reading;
  const { nowMs } = engine;
  const serves = after !== null || compareIds(stream.entries.lastLiveId(), group.lastId) > 0;
  if (!serves && engine.release < CREATES_IDLE_CONSUMERS) return;
  const consumer = consumerOf(engine, group, name);
  consumer.seenAtMs = nowMs;
  if (!serves) return;
  if (after !== null) {
    redeliver(engine, reading, consumer, after, count);
    return;
  }
  let left = count;
  stream.entries.walk(group.lastId, (cursor) => {
    const { id } = cursor;
    countRead(engine, reading, id);
    if (keepsPending) {
      const key = idKey(id);
      const entry = group.pending.get(key) ?? group.pending.insert(key, nowMs, 1);
      entry.deliveredAtMs = nowMs;
      entry.deliveryCount = 1;
      group.pending.assign(key, entry, consumer);
      consumer.activeAtMs = nowMs;
    }
    return --left !== 0;
  });
}

/** The first release that looks for deleted entries before it counts on from what a group has read. */
const SEES_GAPS = 800;

/** Moves a group past an entry, keeping its count of entries read where that is known. */
function countRead(engine: Engine, { stream, group }: Reading, id: StreamId): void {
  const careful = engine.release >= SEES_GAPS;
  const isWhole = careful
    ? compareIds(group.lastId, stream.firstId) >= 0 && !stream.hasTombstonesFrom(group.lastId)
    : !stream.hasTombstonesFrom(id);
  if (group.entriesRead !== UNKNOWN_READS && isWhole) {
    group.entriesRead = addLong(group.entriesRead, 1);
  } else if (stream.entriesAdded !== 0) {
    const isBehind = compareIds(id, stream.maxDeletedId) < 0;
    group.entriesRead = careful && stream.length > 0 && isBehind ? UNKNOWN_READS : stream.readsUpTo(id);
  }
  group.lastId = id;
}

/** Delivers once more what a consumer has pending after an id. */
function redeliver(
  engine: Engine,
  { stream, group }: Reading,
  consumer: StreamConsumer,
  after: StreamId,
  count: number,
): void {
  const from = idKey(after);
  let left = count;
  for (const [key, entry] of group.pending.inOrder()) {
    if (entry.consumer !== consumer || key <= from) continue;
    if (stream.entries.has(idOfKey(key))) {
      entry.deliveredAtMs = engine.nowMs;
      entry.deliveryCount = oneMore(engine, entry.deliveryCount);
    }
    if (--left === 0) return;
  }
}
