import { addLong } from '../../bytes/int64.js';
import { xxh128 } from '../../kernels/xxh3.js';
import { compareIds } from '../../model/stream-id.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { indexAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { DURATION_MAX_SECONDS, ENTRIES_MAX } from '../stream/producers.js';
import type { StreamValue } from '../stream/stream.js';
import type { CommandRow } from './row.js';
import { BAD_ID, idAtArgument, streamAt } from './streams-arguments.js';
import type { TrimOptions } from './streams-options.js';

/** Redis 8.6: what streams remember of messages that producers sent. */
export const streamProducerCommands: readonly CommandRow[] = [
  { name: 'XCFGSET', arity: -2, apply: xcfgset },
  { name: 'XIDMPRECORD', arity: 5, apply: xidmprecord },
];

/** A message by its producer and the id that it gave it, one character per byte. */
export interface ProducedMessage {
  readonly producer: string;
  readonly id: string;
}

/** The message that an XADD with IDMP or IDMPAUTO adds, whose fields begin at an argument. */
export function messageOf(command: CommandSpans, options: TrimOptions, fieldsAt: number): ProducedMessage {
  const { producer, message } = options;
  return {
    producer: command.latin1(producer),
    id: message > 0 ? command.latin1(message) : messageHash(command, fieldsAt),
  };
}

const MASK = 0xffffffffffffffffn;

/** Sixteen bytes that are the same for the same fields in any order, as IDMPAUTO takes them for a message's id. */
function messageHash({ bytes, starts, ends, argc }: CommandSpans, fieldsAt: number): string {
  let [sumLow, sumHigh, xorLow, xorHigh] = [0n, 0n, 0n, 0n];
  for (let i = fieldsAt; i < argc; i += 2) {
    const size = ends[i]! - starts[i]!;
    const all = Buffer.alloc(size + 8 + ends[i + 1]! - starts[i + 1]!);
    bytes.copy(all, 0, starts[i], ends[i]);
    all.writeUInt32LE(size, size);
    bytes.copy(all, size + 8, starts[i + 1], ends[i + 1]);
    const { low, high } = xxh128(all, 0, all.length);
    sumLow += low;
    sumHigh += high;
    xorLow ^= low;
    xorHigh ^= high;
  }
  const hash = Buffer.alloc(16);
  hash.writeBigUInt64LE((sumLow & MASK) ^ turned(xorHigh), 0);
  hash.writeBigUInt64LE((sumHigh & MASK) ^ turned(xorLow), 8);
  return hash.latin1Slice();
}

/** Rotated left by one bit. */
function turned(value: bigint): bigint {
  return ((value << 1n) & MASK) | (value >> 63n);
}

/**
 * Whether the stream has that message already, which it then counts. A repeated XADD is logged with the id it did not
 * use; one with the id it got may find a message that was forgotten for its age in the meantime: servers, which forget
 * nothing while they load, leave it out as well.
 */
export function isRepeated(stream: StreamValue, message: ProducedMessage): boolean {
  const { remembered } = stream;
  if (!remembered.of(message.producer).has(message.id)) return false;
  remembered.duplicates = addLong(remembered.duplicates, 1);
  return true;
}

function xcfgset(engine: Engine, command: CommandSpans): Outcome {
  const stream = streamAt(engine, command, 1);
  if (stream === null) return engine.fail('ERR no such key');
  if (stream === 'other') return engine.wrongType();
  let seconds = 0;
  let entries = 0;
  for (let i = 2; i < command.argc; i += 2) {
    const last = i === command.argc - 1;
    const value = last ? 0 : indexAt(command, i + 1);
    if (!last && command.is(i, 'IDMP-DURATION')) {
      if (seconds !== 0) return engine.fail('ERR IDMP-DURATION specified multiple times');
      if (Number.isNaN(value)) return engine.notInteger();
      if (value < 1 || value > DURATION_MAX_SECONDS) {
        return engine.fail(`ERR IDMP-DURATION must be between 1 and ${DURATION_MAX_SECONDS} seconds`);
      }
      seconds = value;
    } else if (!last && command.is(i, 'IDMP-MAXSIZE')) {
      if (entries !== 0) return engine.fail('ERR IDMP-MAXSIZE specified multiple times');
      if (Number.isNaN(value)) return engine.notInteger();
      if (value < 1 || value > ENTRIES_MAX) {
        return engine.fail(`ERR IDMP-MAXSIZE must be between 1 and ${ENTRIES_MAX} entries`);
      }
      entries = value;
    } else {
      return engine.syntaxError();
    }
  }
  if (seconds === 0 && entries === 0) return engine.fail('ERR At least one parameter must be specified');
  stream.remembered.configure(seconds, entries);
  return APPLIED;
}

function xidmprecord(engine: Engine, command: CommandSpans): Outcome {
  const id = idAtArgument(command, 4);
  if (id === null) return engine.fail(BAD_ID);
  if (command.size(2) === 0) return engine.fail('ERR producer ID must be non-empty');
  if (command.size(3) === 0) return engine.fail('ERR idempotent ID must be non-empty');
  const stream = streamAt(engine, command, 1);
  if (stream === null) return engine.fail('ERR no such key');
  if (stream === 'other') return engine.wrongType();
  if (!stream.entries.has(id)) return engine.fail('ERR No such message in stream');
  const { remembered } = stream;
  const producer = command.latin1(2);
  const message = command.latin1(3);
  const known = remembered.of(producer).get(message);
  if (known === undefined) remembered.remember(producer, message, id);
  else if (compareIds(known, id) !== 0) {
    return engine.fail('ERR IID already exists for this producer with a different stream ID');
  }
  return APPLIED;
}
