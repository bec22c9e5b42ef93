import { compareIds, idOf, type StreamId, ZERO_ID } from '../../model/stream-id.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { indexAt, longAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { idKey } from '../stream/group.js';
import { hasOpenSequence, nextId, readIdText } from '../stream/id-text.js';
import type { References } from '../stream/stream.js';
import type { CommandRow } from './row.js';
import { BAD_ID, createStream, idAtArgument, idsAt, streamAt } from './streams-arguments.js';
import { referencesAt, TrimOptions } from './streams-options.js';
import { isRepeated, messageOf } from './streams-producers.js';

/** Commands on the entries of a stream. */
export const streamCommands: readonly CommandRow[] = [
  { name: 'XADD', arity: -5, apply: xadd },
  { name: 'XDEL', arity: -3, apply: xdel },
  { name: 'XDELEX', arity: -5, apply: xdelex },
  { name: 'XACKDEL', arity: -6, apply: xackdel },
  { name: 'XTRIM', arity: -4, apply: xtrim },
  { name: 'XSETID', arity: -3, apply: xsetid },
];

const TOO_SMALL = 'ERR The ID specified in XADD is equal or smaller than the target stream top item';

const WRONG_COUNT = "ERR wrong number of arguments for 'xadd' command";

const options = new TrimOptions();

function xadd(engine: Engine, command: CommandSpans): Outcome {
  const error = options.read(command, true);
  if (error !== '') return engine.fail(error);
  const idAt = options.next;
  if (idAt === command.argc) return engine.fail(WRONG_COUNT);
  const pairs = (command.argc - idAt - 1) / 2;
  const automatic = command.is(idAt, '*');
  const { bytes } = command;
  const start = command.starts[idAt]!;
  const end = command.ends[idAt]!;
  const open = !automatic && hasOpenSequence(bytes, start, end);
  const asked = automatic ? null : readIdText(bytes, start, open ? end - 2 : end);
  if (!automatic && asked === null) return engine.fail(BAD_ID);
  if (pairs < 1 || !Number.isInteger(pairs)) return engine.fail(WRONG_COUNT);
  if (asked !== null && !open && compareIds(asked, ZERO_ID) === 0) {
    return engine.fail('ERR The ID specified in XADD must be greater than 0-0');
  }
  const found = streamAt(engine, command, 1);
  if (found === 'other') return engine.wrongType();
  if (found === null && !options.createsKey) return APPLIED;
  const message = options.producer > 0 ? messageOf(command, options, idAt + 1) : null;
  if (message !== null && found !== null && isRepeated(found, message)) return APPLIED;
  const lastId = found === null ? ZERO_ID : found.lastId;
  const id = asked === null ? timeId(engine.nowMs, lastId) : open ? openId(asked, lastId) : asked;
  if (id === null || compareIds(id, lastId) <= 0) return engine.fail(TOO_SMALL);
  const stream = found ?? createStream(engine, command, 1);
  stream.append(id, command, idAt + 1, pairs);
  if (message !== null) stream.remembered.remember(message.producer, message.id, id);
  options.trim(stream);
  return APPLIED;
}

/** The id of `*`: the time, or the one after the last where the clock has not passed it. */
function timeId(nowMs: number, lastId: StreamId): StreamId | null {
  const now = idOf(nowMs, 0);
  return (now.msHigh - lastId.msHigh || now.msLow - lastId.msLow) > 0 ? now : nextId(lastId);
}

/** The id of `ms-*`: the first free one of that millisecond. */
function openId(asked: StreamId, lastId: StreamId): StreamId | null {
  if (asked.msHigh !== lastId.msHigh || asked.msLow !== lastId.msLow) return asked;
  const next = nextId(lastId);
  return next !== null && next.msHigh === asked.msHigh && next.msLow === asked.msLow ? next : null;
}

function xtrim(engine: Engine, command: CommandSpans): Outcome {
  const error = options.read(command, false);
  if (error !== '') return engine.fail(error);
  const stream = streamAt(engine, command, 1);
  if (stream === 'other') return engine.wrongType();
  if (stream !== null) options.trim(stream);
  return APPLIED;
}

function xdel(engine: Engine, command: CommandSpans): Outcome {
  const stream = streamAt(engine, command, 1);
  if (stream === 'other') return engine.wrongType();
  if (stream === null) return APPLIED;
  const ids = idsAt(command, 2, command.argc);
  if (ids === null) return engine.fail(BAD_ID);
  stream.delete(ids);
  return APPLIED;
}

/** What XDELEX and XACKDEL of Redis 8.2 say behind key and group. One object serves all commands. */
const deletion = { ids: [] as readonly StreamId[], references: 'keep' as References };

/** Reads `[KEEPREF | DELREF | ACKED] IDS n id …` from argument `from`; returns an error message, or ''. */
function readDeletion(command: CommandSpans, from: number): string {
  let references: References | null = null;
  let ids: StreamId[] | null = [];
  let listed = false;
  for (let i = from; i < command.argc; i++) {
    if (references === null && (references = referencesAt(command, i)) !== null) continue;
    if (i + 1 === command.argc || !command.is(i, 'IDS')) return 'ERR syntax error';
    const count = indexAt(command, i + 1);
    if (!(count > 0)) return 'ERR Number of IDs must be a positive integer';
    if (count > command.argc - i - 2) {
      return 'ERR The `numids` parameter must match the number of arguments';
    }
    ids = idsAt(command, i + 2, i + 2 + count);
    listed = true;
    i += 1 + count;
  }
  if (!listed) return 'ERR IDS option is required';
  deletion.references = references ?? 'keep';
  deletion.ids = ids ?? [];
  return ids === null ? BAD_ID : '';
}

function xdelex(engine: Engine, command: CommandSpans): Outcome {
  const stream = streamAt(engine, command, 1);
  if (stream === 'other') return engine.wrongType();
  const error = readDeletion(command, 2);
  // Where there is nothing to delete from, servers do not look at the ids.
  if (error !== '' && (stream !== null || error !== BAD_ID)) return engine.fail(error);
  stream?.delete(deletion.ids, deletion.references);
  return APPLIED;
}

function xackdel(engine: Engine, command: CommandSpans): Outcome {
  const stream = streamAt(engine, command, 1);
  if (stream === 'other') return engine.wrongType();
  const error = readDeletion(command, 3);
  const group = stream?.groups.get(command.latin1(2));
  if (error !== '' && (group !== undefined || error !== BAD_ID)) return engine.fail(error);
  if (stream === null || group === undefined) return APPLIED;
  stream.delete(
    deletion.ids.filter((id) => group.pending.remove(idKey(id))),
    deletion.references,
  );
  return APPLIED;
}

function xsetid(engine: Engine, command: CommandSpans): Outcome {
  const id = idAtArgument(command, 2);
  if (id === null) return engine.fail(BAD_ID);
  let entriesAdded = null;
  let maxDeletedId = ZERO_ID;
  for (let i = 3; i < command.argc; i += 2) {
    const last = i === command.argc - 1;
    if (!last && command.is(i, 'ENTRIESADDED')) {
      entriesAdded = longAt(command, i + 1);
      if (entriesAdded === null) return engine.notInteger();
      if (entriesAdded < 0) return engine.fail('ERR entries_added must be positive');
    } else if (!last && command.is(i, 'MAXDELETEDID')) {
      const given = idAtArgument(command, i + 1);
      if (given === null) return engine.fail(BAD_ID);
      if (compareIds(id, given) < 0) return engine.fail(`${SMALLER} provided max_deleted_entry_id`);
      maxDeletedId = given;
    } else {
      return engine.syntaxError();
    }
  }
  const stream = streamAt(engine, command, 1);
  if (stream === 'other') return engine.wrongType();
  if (stream === null) return engine.fail('ERR no such key');
  if (engine.release >= 702 && compareIds(id, stream.maxDeletedId) < 0) {
    return engine.fail(`${SMALLER} current max_deleted_entry_id`);
  }
  if (stream.length > 0) {
    if (compareIds(id, stream.entries.lastLiveId()) < 0)
      return engine.fail(`${SMALLER} target stream top item`);
    if (entriesAdded !== null && entriesAdded < stream.length) {
      return engine.fail(
        'ERR The entries_added specified in XSETID is smaller than the target stream length',
      );
    }
  }
  stream.lastId = id;
  if (entriesAdded !== null) stream.entriesAdded = entriesAdded;
  if (compareIds(maxDeletedId, ZERO_ID) !== 0) stream.maxDeletedId = maxDeletedId;
  return APPLIED;
}

const SMALLER = 'ERR The ID specified in XSETID is smaller than the';
