import type { Long } from '../../bytes/int64.js';
import { ZERO_ID } from '../../model/stream-id.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { longAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { idKey, StreamGroup } from '../stream/group.js';
import { readRangeIdText } from '../stream/id-text.js';
import { type StreamValue, UNKNOWN_READS } from '../stream/stream.js';
import type { CommandRow } from './row.js';
import { BAD_ID, consumerOf, createStream, idAtArgument, idsAt, streamAt } from './streams-arguments.js';

/** Commands on consumer groups as such. */
export const streamGroupCommands: readonly CommandRow[] = [
  { name: 'XGROUP', arity: -2, apply: xgroup },
  { name: 'XACK', arity: -4, apply: xack },
];

function xgroup(engine: Engine, command: CommandSpans): Outcome {
  const { argc } = command;
  if (command.is(1, 'CREATE'))
    return argc >= 5 && argc <= 8 ? create(engine, command) : badSubcommand(engine);
  if (command.is(1, 'SETID'))
    return argc === 5 || argc === 7 ? setId(engine, command) : badSubcommand(engine);
  if (command.is(1, 'DESTROY') && argc === 4) {
    return withStream(engine, command, (stream) => {
      stream.groups.delete(command.latin1(3));
      return APPLIED;
    });
  }
  if (command.is(1, 'CREATECONSUMER') && argc === 5) {
    return withGroup(engine, command, (group) => {
      consumerOf(engine, group, command.latin1(4));
      return APPLIED;
    });
  }
  if (command.is(1, 'DELCONSUMER') && argc === 5) {
    return withGroup(engine, command, (group) => {
      group.deleteConsumer(command.latin1(4));
      return APPLIED;
    });
  }
  return badSubcommand(engine);
}

/** What MKSTREAM and ENTRIESREAD say. One object serves all commands. */
const options = { createsKey: false, entriesRead: UNKNOWN_READS as Long };

/** Reads the options from argument 5; returns an error message, or '' when all is well. */
function readOptions(command: CommandSpans, isCreate: boolean): string {
  options.createsKey = false;
  options.entriesRead = UNKNOWN_READS;
  for (let i = 5; i < command.argc; i++) {
    if (isCreate && command.is(i, 'MKSTREAM')) {
      options.createsKey = true;
    } else if (command.is(i, 'ENTRIESREAD') && i + 1 < command.argc) {
      const count = longAt(command, ++i);
      if (count === null) return 'ERR value is not an integer or out of range';
      if (count < UNKNOWN_READS) return 'ERR value for ENTRIESREAD must be positive or -1';
      options.entriesRead = count;
    } else {
      return BAD_SUBCOMMAND;
    }
  }
  return '';
}

function create(engine: Engine, command: CommandSpans): Outcome {
  const error = readOptions(command, true);
  if (error !== '') return engine.fail(error);
  const found = streamAt(engine, command, 2);
  if (found === 'other') return engine.wrongType();
  if (found === null && !options.createsKey) return engine.fail(NO_KEY);
  const id = command.is(4, '$') ? (found?.lastId ?? ZERO_ID) : idAtArgument(command, 4);
  if (id === null) return engine.fail(BAD_ID);
  const name = command.latin1(3);
  if (found?.groups.has(name) === true) return engine.fail('BUSYGROUP Consumer Group name already exists');
  const stream = found ?? createStream(engine, command, 2);
  stream.groups.set(name, new StreamGroup(id, boundedReads(engine, stream)));
  return APPLIED;
}

function setId(engine: Engine, command: CommandSpans): Outcome {
  const error = readOptions(command, false);
  if (error !== '') return engine.fail(error);
  return withGroup(engine, command, (group, stream) => {
    const { bytes, starts, ends } = command;
    const id = command.is(4, '$') ? stream.lastId : readRangeIdText(bytes, starts[4]!, ends[4]!);
    if (id === null) return engine.fail(BAD_ID);
    group.lastId = id;
    group.entriesRead = boundedReads(engine, stream);
    return APPLIED;
  });
}

/** What ENTRIESREAD says: not more, since Redis 8.4, than was ever added. */
function boundedReads(engine: Engine, stream: StreamValue): Long {
  const bounds = engine.release >= 804 && engine.product === 'redis';
  return bounds && options.entriesRead > stream.entriesAdded ? stream.entriesAdded : options.entriesRead;
}

function xack(engine: Engine, command: CommandSpans): Outcome {
  const stream = streamAt(engine, command, 1);
  if (stream === 'other') return engine.wrongType();
  const group = stream?.groups.get(command.latin1(2));
  if (group === undefined) return APPLIED;
  const ids = idsAt(command, 3, command.argc);
  if (ids === null) return engine.fail(BAD_ID);
  for (const id of ids) group.pending.remove(idKey(id));
  return APPLIED;
}

function withStream(engine: Engine, command: CommandSpans, use: (stream: StreamValue) => Outcome): Outcome {
  const stream = streamAt(engine, command, 2);
  if (stream === 'other') return engine.wrongType();
  return stream === null ? engine.fail(NO_KEY) : use(stream);
}

function withGroup(
  engine: Engine,
  command: CommandSpans,
  use: (group: StreamGroup, stream: StreamValue) => Outcome,
): Outcome {
  return withStream(engine, command, (stream) => {
    const group = stream.groups.get(command.latin1(3));
    return group === undefined ? engine.fail(NO_GROUP) : use(group, stream);
  });
}

function badSubcommand(engine: Engine): Outcome {
  return engine.fail(BAD_SUBCOMMAND);
}

const BAD_SUBCOMMAND = 'ERR Unknown subcommand or wrong number of arguments for XGROUP';
const NO_KEY = 'ERR The XGROUP subcommand requires the key to exist';
const NO_GROUP = 'NOGROUP No such consumer group';
