import { addLong, type Long } from '../../bytes/int64.js';
import type { StreamId } from '../../model/stream-id.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { STREAM_OBJECT, TEXT } from '../forms.js';
import type { StreamConsumer, StreamGroup } from '../stream/group.js';
import { readIdText } from '../stream/id-text.js';
import { StreamValue } from '../stream/stream.js';

/** Argument i as a stream id; null when it is none. */
export function idAtArgument(command: CommandSpans, i: number): StreamId | null {
  return readIdText(command.bytes, command.starts[i]!, command.ends[i]!);
}

/** Arguments `from` to `to` (excluded) as stream ids; null when one is none. */
export function idsAt(command: CommandSpans, from: number, to: number): StreamId[] | null {
  const ids: StreamId[] = [];
  for (let i = from; i < to; i++) {
    const id = idAtArgument(command, i);
    if (id === null) return null;
    ids.push(id);
  }
  return ids;
}

/** The stream that argument i names, null when there is no such key, `'other'` when the key holds something else. */
export function streamAt(engine: Engine, command: CommandSpans, i: number): StreamValue | null | 'other' {
  const entry = engine.find(command, i);
  if (entry < 0) return null;
  return engine.db.formAt(entry) === STREAM_OBJECT ? (engine.db.objectAt(entry) as StreamValue) : 'other';
}

/** Adds an empty stream under the key that argument i names, which must be absent. */
export function createStream(engine: Engine, command: CommandSpans, i: number): StreamValue {
  const { db } = engine;
  const stream = new StreamValue();
  db.setObject(db.create(command.bytes, command.starts[i]!, command.ends[i]!, TEXT), STREAM_OBJECT, stream);
  return stream;
}

export const BAD_ID = 'ERR Invalid stream ID specified as stream command argument';
export const NO_GROUP = 'NOGROUP No such key or consumer group';

/** The first release that tells when a consumer was seen from when it was last given something. */
const KEEPS_ACTIVE_TIMES = 702;

/** The consumer of a name, created as one seen now when it is not there. */
export function consumerOf(engine: Engine, group: StreamGroup, name: string): StreamConsumer {
  const { nowMs } = engine;
  return group.consumer(name, nowMs, engine.release >= KEEPS_ACTIVE_TIMES ? -1 : nowMs);
}

/** The first release whose commands create the consumer they name even when it gets nothing. */
export const CREATES_IDLE_CONSUMERS = 702;

/** The first release that delivers no more often than it can count: entries given back for good have been so often. */
const BOUNDS_DELIVERIES = 808;

export const MOST_DELIVERIES = 9223372036854775807n;

/** The number of deliveries after one more. */
export function oneMore(engine: Engine, deliveries: Long): Long {
  if (engine.release >= BOUNDS_DELIVERIES && deliveries === MOST_DELIVERIES) return deliveries;
  return addLong(deliveries, 1);
}
