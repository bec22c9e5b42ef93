import type { Long } from '../../bytes/int64.js';
import { compareIds, type StreamId, ZERO_ID } from '../../model/stream-id.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { longAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { idKey, idOfKey, type PendingEntry, type StreamConsumer, type StreamGroup } from '../stream/group.js';
import { nextId, readIdText, readRangeIdText } from '../stream/id-text.js';
import type { StreamValue } from '../stream/stream.js';
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

/** Commands that hand pending entries to another consumer. */
export const streamClaimCommands: readonly CommandRow[] = [
  { name: 'XCLAIM', arity: -6, apply: xclaim },
  { name: 'XAUTOCLAIM', arity: -6, apply: xautoclaim },
];

/** The first release that forgets a pending entry when it is claimed after its message was deleted. */
const DROPS_DELETED = 700;

/** What the options of XCLAIM say. One object serves all commands. */
class ClaimOptions {
  force = false;
  justId = false;
  /** Null: not given. */
  deliveredAtMs: Long | null = null;
  /** Negative: not given. */
  deliveryCount: Long = -1;
  lastId = ZERO_ID;

  /** Reads options from argument `from`; returns an error message, or '' when all is well. */
  read(command: CommandSpans, from: number, nowMs: number): string {
    this.force = this.justId = false;
    this.deliveredAtMs = null;
    this.deliveryCount = -1;
    this.lastId = ZERO_ID;
    for (let i = from; i < command.argc; i++) {
      const last = i === command.argc - 1;
      if (command.is(i, 'FORCE')) this.force = true;
      else if (command.is(i, 'JUSTID')) this.justId = true;
      else if (last) return UNRECOGNIZED;
      else if (command.is(i, 'LASTID')) {
        const id = idAtArgument(command, ++i);
        if (id === null) return BAD_ID;
        this.lastId = id;
      } else {
        const value = longAt(command, i + 1);
        if (value === null) return 'ERR value is not an integer or out of range';
        if (command.is(i, 'TIME')) this.deliveredAtMs = value < 0 ? nowMs : value;
        else if (command.is(i, 'IDLE')) this.deliveredAtMs = idleSince(nowMs, value);
        else if (command.is(i, 'RETRYCOUNT')) this.deliveryCount = value;
        else return UNRECOGNIZED;
        i++;
      }
    }
    return '';
  }
}

const UNRECOGNIZED = 'ERR Unrecognized XCLAIM option';

function idleSince(nowMs: number, idleMs: Long): number {
  const since = nowMs - Number(idleMs);
  return since < 0 || since > nowMs ? nowMs : since;
}

const options = new ClaimOptions();

function xclaim(engine: Engine, command: CommandSpans): Outcome {
  const stream = streamAt(engine, command, 1);
  if (stream === 'other') return engine.wrongType();
  const group = stream?.groups.get(command.latin1(2));
  if (stream === null || group === undefined) return engine.fail(NO_GROUP);
  const minIdleMs = longAt(command, 4);
  if (minIdleMs === null) return engine.fail('ERR Invalid min-idle-time argument for XCLAIM');
  const ids: StreamId[] = [];
  for (let i = 5; i < command.argc; i++) {
    const id = idAtArgument(command, i);
    if (id === null) break;
    ids.push(id);
  }
  const error = options.read(command, 5 + ids.length, engine.nowMs);
  if (error !== '') return engine.fail(error);
  if (compareIds(options.lastId, group.lastId) > 0) group.lastId = options.lastId;
  const claimant = new Claimant(engine, group, command.latin1(3));
  for (const id of ids) claimOne(engine, stream, claimant, id, minIdleMs);
  return APPLIED;
}

/** The consumer that claims: created with its first entry, or at once by newer servers. */
class Claimant {
  private found: StreamConsumer | null = null;

  constructor(
    private readonly engine: Engine,
    readonly group: StreamGroup,
    private readonly name: string,
  ) {
    if (engine.release >= CREATES_IDLE_CONSUMERS) this.consumer;
  }

  get consumer(): StreamConsumer {
    if (this.found === null) {
      this.found = consumerOf(this.engine, this.group, this.name);
      this.found.seenAtMs = this.engine.nowMs;
    }
    return this.found;
  }
}

function claimOne(
  engine: Engine,
  stream: StreamValue,
  claimant: Claimant,
  id: StreamId,
  minIdleMs: Long,
): void {
  const { pending } = claimant.group;
  const key = idKey(id);
  let entry = pending.get(key);
  const drops = engine.release >= DROPS_DELETED;
  if ((drops || entry === undefined) && !stream.entries.has(id)) {
    if (drops) pending.remove(key);
    return;
  }
  if (entry === undefined) {
    if (!options.force) return;
    entry = pending.insert(key, engine.nowMs, 1);
  } else if (isFresh(engine, entry, minIdleMs)) {
    return;
  }
  take(engine, claimant, key, entry);
}

/** Gives an entry to the claimant, with the delivery time and count that the options say. */
function take(engine: Engine, claimant: Claimant, key: string, entry: PendingEntry): void {
  const { consumer } = claimant;
  entry.deliveredAtMs = options.deliveredAtMs ?? engine.nowMs;
  if (options.deliveryCount >= 0) entry.deliveryCount = options.deliveryCount;
  else if (!options.justId) entry.deliveryCount = oneMore(engine, entry.deliveryCount);
  claimant.group.pending.assign(key, entry, consumer);
  consumer.activeAtMs = engine.nowMs;
}

/** True when an entry was delivered to somebody less than `minIdleMs` ago. */
function isFresh(engine: Engine, entry: PendingEntry, minIdleMs: Long): boolean {
  return entry.consumer !== null && minIdleMs > 0 && engine.nowMs - Number(entry.deliveredAtMs) < minIdleMs;
}

function xautoclaim(engine: Engine, command: CommandSpans): Outcome {
  const minIdleMs = longAt(command, 4);
  if (minIdleMs === null) return engine.fail('ERR Invalid min-idle-time argument for XAUTOCLAIM');
  const { bytes } = command;
  const at = command.starts[5]!;
  const exclusive = command.size(5) > 1 && bytes[at] === 0x28;
  const given = exclusive
    ? readIdText(bytes, at + 1, command.ends[5]!)
    : readRangeIdText(bytes, at, command.ends[5]!);
  if (given === null) return engine.fail(BAD_ID);
  const from = exclusive ? nextId(given) : given;
  if (from === null) return engine.fail('ERR invalid start ID for the interval');
  let count = 100;
  let justId = false;
  for (let i = 6; i < command.argc; i++) {
    if (command.is(i, 'JUSTID')) justId = true;
    else if (command.is(i, 'COUNT') && i + 1 < command.argc) {
      const limit = longAt(command, ++i);
      if (limit === null || limit < 1) return engine.fail('ERR COUNT must be > 0');
      count = Number(limit);
    } else return engine.syntaxError();
  }
  const stream = streamAt(engine, command, 1);
  if (stream === 'other') return engine.wrongType();
  const group = stream?.groups.get(command.latin1(2));
  if (stream === null || group === undefined) return engine.fail(NO_GROUP);
  options.force = false;
  options.justId = justId;
  options.deliveredAtMs = null;
  options.deliveryCount = -1;
  claimFrom(engine, stream, new Claimant(engine, group, command.latin1(3)), idKey(from), count, minIdleMs);
  return APPLIED;
}

/** Claims up to `count` pending entries from a key on, looking at ten times as many at most. */
function claimFrom(
  engine: Engine,
  stream: StreamValue,
  claimant: Claimant,
  from: string,
  count: number,
  minIdleMs: Long,
): void {
  const { pending } = claimant.group;
  const drops = engine.release >= DROPS_DELETED;
  let left = count;
  let looks = count * 10;
  for (const [key, entry] of pending.inOrder()) {
    if (key < from) continue;
    if (looks-- === 0 || left === 0) return;
    if (drops && !stream.entries.has(idOfKey(key))) {
      pending.remove(key);
      left--;
    } else if (!isFresh(engine, entry, minIdleMs)) {
      take(engine, claimant, key, entry);
      left--;
    }
  }
}
