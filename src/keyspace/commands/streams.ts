import { compareIds, idOf, type StreamId, ZERO_ID } from '../../model/stream-id.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { longAt } from '../integers.js';
import { APPLIED, type Outcome, UNKNOWN } from '../outcome.js';
import { hasOpenSequence, nextId, readIdText } from '../stream/id-text.js';
import type { StreamValue } from '../stream/stream.js';
import type { CommandRow } from './row.js';
import { BAD_ID, createStream, idAtArgument, idsAt, streamAt } from './streams-arguments.js';

/** Commands on the entries of a stream. */
export const streamCommands: readonly CommandRow[] = [
  { name: 'XADD', arity: -5, apply: xadd },
  { name: 'XDEL', arity: -3, apply: xdel },
  { name: 'XTRIM', arity: -4, apply: xtrim },
  { name: 'XSETID', arity: -3, apply: xsetid },
];

/** What the options of XADD and XTRIM say. One object serves all commands. */
class Options {
  /** The first argument that is no option: the id of an XADD. */
  next = 0;
  createsKey = true;
  /** Entries to leave; -1: none given. */
  maxLength = -1;
  minId: StreamId | null = null;
  wholeNodes = false;
  /** An idempotent XADD (Redis 8.6): its table is not kept. */
  idempotent = false;
  /** Trims by what groups have read or acknowledged (Redis 8.2): not known here. */
  byReference = false;

  /** Reads the options from argument 2; returns an error message, or '' when all is well. */
  read(command: CommandSpans, isAdd: boolean): string {
    this.createsKey = true;
    this.maxLength = -1;
    this.minId = null;
    this.wholeNodes = this.idempotent = this.byReference = false;
    let limited = false;
    let i = 2;
    for (; i < command.argc; i++) {
      const last = i === command.argc - 1;
      if (isAdd && command.is(i, '*')) break;
      if (!last && (command.is(i, 'MAXLEN') || command.is(i, 'MINID'))) {
        if (this.maxLength >= 0 || this.minId !== null) return INCOMPATIBLE;
        const byId = command.is(i, 'MINID');
        this.wholeNodes = command.is(i + 1, '~');
        if (i + 2 < command.argc && (this.wholeNodes || command.is(i + 1, '='))) i++;
        const error = this.readBound(command, ++i, byId);
        if (error !== '') return error;
      } else if (!last && command.is(i, 'LIMIT')) {
        const limit = longAt(command, ++i);
        if (limit === null) return NOT_INTEGER;
        if (limit < 0) return 'ERR The LIMIT argument must be >= 0.';
        limited = limit > 0;
      } else if (isAdd && command.is(i, 'NOMKSTREAM')) {
        this.createsKey = false;
      } else if (isAdd && !last && command.is(i, 'IDMPAUTO')) {
        this.idempotent = true;
        i++;
      } else if (isAdd && i + 2 < command.argc && command.is(i, 'IDMP')) {
        this.idempotent = true;
        i += 2;
      } else if (command.is(i, 'DELREF') || command.is(i, 'ACKED')) {
        this.byReference = true;
      } else if (!command.is(i, 'KEEPREF')) {
        if (!isAdd) return SYNTAX;
        break;
      }
    }
    this.next = i;
    const trims = this.maxLength >= 0 || this.minId !== null;
    if (limited && !trims)
      return 'ERR syntax error, LIMIT cannot be used without specifying a trimming strategy';
    return trims || isAdd ? '' : 'ERR syntax error, XTRIM must be called with a trimming strategy';
  }

  private readBound(command: CommandSpans, i: number, byId: boolean): string {
    if (byId) {
      this.minId = idAtArgument(command, i);
      return this.minId === null ? BAD_ID : '';
    }
    const length = longAt(command, i);
    if (length === null) return NOT_INTEGER;
    if (length < 0) return 'ERR The MAXLEN argument must be >= 0.';
    this.maxLength = Number(length);
    return '';
  }

  trim(stream: StreamValue): void {
    if (this.minId !== null) stream.trimBefore(this.minId, this.wholeNodes);
    else if (this.maxLength >= 0) stream.trimToLength(this.maxLength, this.wholeNodes);
  }
}

const SYNTAX = 'ERR syntax error';
const NOT_INTEGER = 'ERR value is not an integer or out of range';
const INCOMPATIBLE = 'ERR syntax error, MAXLEN and MINID options at the same time are not compatible';
const TOO_SMALL = 'ERR The ID specified in XADD is equal or smaller than the target stream top item';

const WRONG_COUNT = "ERR wrong number of arguments for 'xadd' command";

const options = new Options();

function xadd(engine: Engine, command: CommandSpans): Outcome {
  const error = options.read(command, true);
  if (error !== '') return engine.fail(error);
  if (options.byReference) return notKnown(engine);
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
  // A repeated idempotent XADD is logged with the id it did not use.
  if (options.idempotent && automatic) return APPLIED;
  const found = streamAt(engine, command, 1);
  if (found === 'other') return engine.wrongType();
  if (found === null && !options.createsKey) return APPLIED;
  const lastId = found === null ? ZERO_ID : found.lastId;
  const id = asked === null ? timeId(engine.nowMs, lastId) : open ? openId(asked, lastId) : asked;
  if (id === null || compareIds(id, lastId) <= 0) return engine.fail(TOO_SMALL);
  const stream = found ?? createStream(engine, command, 1);
  stream.append(id, command, idAt + 1, pairs);
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
  if (options.byReference) return notKnown(engine);
  const stream = streamAt(engine, command, 1);
  if (stream === 'other') return engine.wrongType();
  if (stream !== null) options.trim(stream);
  return APPLIED;
}

/** To refuse would say that a server refuses, too; to trim without them would keep or lose the wrong entries. */
function notKnown(engine: Engine): Outcome {
  engine.lastError = 'the options DELREF and ACKED are not known';
  return UNKNOWN;
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
