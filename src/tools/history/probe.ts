import { ByteSlice } from '../../bytes/slice.js';
import { parseSafeInteger } from '../../kernels/decimal.js';
import type { Database } from '../../keyspace/database.js';
import { HASH_KIND, LIST, SET, STREAM, ZSET } from '../../keyspace/forms.js';
import { fieldExpiry, fieldValue, findField, NEVER } from '../../keyspace/hashes.js';
import { ListCursor, listLength, peekHead, peekTail } from '../../keyspace/lists.js';
import { setHas } from '../../keyspace/sets.js';
import type { StreamValue } from '../../keyspace/stream/stream.js';
import { scoreOf } from '../../keyspace/zsets.js';
import { KeyHead } from '../../model/handler.js';
import type { StreamId } from '../../model/stream-id.js';
import type { HashField, RedisValue, ZsetMember } from '../../model/value.js';
import { ValueCollector } from '../../model/value-collector.js';
import type { CommandSpans } from '../../resp/command.js';
import { type Splice, sameField, sameScore, streamChanges, type ValueChanges } from './changes.js';

/** What must be remembered of a large collection to tell what a command changed in it, without a copy of it all. */
export interface Probe {
  /** What changed, the command executed; null: nothing. */
  changes(db: Database, entry: number): ValueChanges | null;
}

/** Commands that touch no other elements than those among their arguments. */
const BY_ELEMENT = new Set(
  (
    'HSET HMSET HSETNX HINCRBY HINCRBYFLOAT HDEL HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT HPERSIST HSETEX HGETDEL ' +
    'HGETEX SADD SREM SMOVE ZADD ZREM ZINCRBY GEOADD'
  ).split(' '),
);

/** Commands after which a stream has other entries at its ends alone, if any. */
const BY_STREAM_END = new Set('XADD XTRIM XGROUP XREADGROUP XCLAIM XAUTOCLAIM XACK XSETID XNACK'.split(' '));

const LONGEST_NAME = 16;

/** Null when the command may change the value anywhere. */
export function probeFor(command: CommandSpans, db: Database, entry: number, key: Buffer): Probe | null {
  if (command.argc < 2 || command.size(0) > LONGEST_NAME) return null;
  const name = command.latin1(0).toUpperCase();
  const kind = db.kindAt(entry);
  if (kind === STREAM) return changesStreamEnds(name, command) ? new StreamProbe(db, entry) : null;
  if (kind === LIST) {
    const ends = listEnds(name, command, listLength(db, entry), key);
    return ends === null ? null : new ListProbe(ends, db, entry);
  }
  if (!BY_ELEMENT.has(name)) return null;
  if (kind === HASH_KIND) return new HashProbe(namesIn(command), db, entry);
  if (kind === ZSET) return new ZsetProbe(namesIn(command), db, entry);
  return kind === SET ? new SetProbe(namesIn(command), db, entry) : null;
}

/** Trimming that spares entries leaves holes, and what producers sent is not among what a probe remembers. */
const NOT_AT_ENDS = ['ACKED', 'IDMP', 'IDMPAUTO'] as const;

function changesStreamEnds(name: string, command: CommandSpans): boolean {
  if (!BY_STREAM_END.has(name)) return false;
  for (let i = 2; i < command.argc; i++) {
    if (NOT_AT_ENDS.some((word) => command.is(i, word))) return false;
  }
  return true;
}

/** Every argument behind the key, once. */
function namesIn(command: CommandSpans): Buffer[] {
  const names = new Map<string, Buffer>();
  for (let i = 2; i < command.argc; i++) {
    const text = command.latin1(i);
    if (!names.has(text)) names.set(text, Buffer.from(text, 'latin1'));
  }
  return [...names.values()];
}

class SetProbe implements Probe {
  private readonly before: readonly boolean[];

  constructor(
    private readonly names: readonly Buffer[],
    db: Database,
    entry: number,
  ) {
    this.before = names.map((name) => setHas(db, entry, name, 0, name.length));
  }

  changes(db: Database, entry: number): ValueChanges | null {
    const added: Buffer[] = [];
    const removed: Buffer[] = [];
    for (const [i, name] of this.names.entries()) {
      const there = setHas(db, entry, name, 0, name.length);
      if (there && !this.before[i]!) added.push(name);
      else if (!there && this.before[i]!) removed.push(name);
    }
    return added.length + removed.length === 0 ? null : { kind: 'set', added, removed };
  }
}

class ZsetProbe implements Probe {
  private readonly before: readonly (ZsetMember | null)[];

  constructor(
    private readonly names: readonly Buffer[],
    db: Database,
    entry: number,
  ) {
    this.before = names.map((name) => memberOf(db, entry, name));
  }

  changes(db: Database, entry: number): ValueChanges | null {
    const found = compared(this.names, this.before, (name) => memberOf(db, entry, name), sameScore);
    return found === null ? null : { kind: 'zset', ...found };
  }
}

function memberOf(db: Database, entry: number, member: Buffer): ZsetMember | null {
  const score = scoreOf(db, entry, member, 0, member.length);
  return Number.isNaN(score) ? null : { member, score };
}

class HashProbe implements Probe {
  private readonly before: readonly (HashField | null)[];

  constructor(
    private readonly names: readonly Buffer[],
    db: Database,
    entry: number,
  ) {
    this.before = names.map((name) => fieldOf(db, entry, name));
  }

  changes(db: Database, entry: number): ValueChanges | null {
    const found = compared(this.names, this.before, (name) => fieldOf(db, entry, name), sameField);
    return found === null ? null : { kind: 'hash', ...found };
  }
}

const slice = new ByteSlice();

function fieldOf(db: Database, entry: number, name: Buffer): HashField | null {
  const place = findField(db, entry, name, 0, name.length);
  if (place < 0) return null;
  const expiresAtMs = fieldExpiry(db, entry, place);
  const value = fieldValue(db, entry, place, slice).copy();
  return { name, value, expiresAtMs: expiresAtMs === NEVER ? null : expiresAtMs };
}

function compared<T>(
  names: readonly Buffer[],
  before: readonly (T | null)[],
  now: (name: Buffer) => T | null,
  equal: (a: T, b: T) => boolean,
): { added: T[]; removed: T[]; changed: { before: T; after: T }[] } | null {
  const added: T[] = [];
  const removed: T[] = [];
  const changed: { before: T; after: T }[] = [];
  for (const [i, name] of names.entries()) {
    const old = before[i]!;
    const item = now(name);
    if (old === null && item !== null) added.push(item);
    else if (old !== null && item === null) removed.push(old);
    else if (old !== null && item !== null && !equal(old, item)) changed.push({ before: old, after: item });
  }
  return added.length + removed.length + changed.length === 0 ? null : { added, removed, changed };
}

/** How many elements a command takes from the ends of a list, and then puts there. */
interface ListEnds {
  readonly popHead: number;
  readonly popTail: number;
  readonly pushHead: number;
  readonly pushTail: number;
}

const NO_ENDS: ListEnds = { popHead: 0, popTail: 0, pushHead: 0, pushTail: 0 };

/** Null when the command may change the list elsewhere. */
function listEnds(name: string, command: CommandSpans, size: number, key: Buffer): ListEnds | null {
  const { argc } = command;
  switch (name) {
    case 'LPUSH':
    case 'LPUSHX':
      return { ...NO_ENDS, pushHead: argc - 2 };
    case 'RPUSH':
    case 'RPUSHX':
      return { ...NO_ENDS, pushTail: argc - 2 };
    case 'LPOP':
      return { ...NO_ENDS, popHead: Math.min(size, argc > 2 ? integerAt(command, 2) : 1) };
    case 'RPOP':
      return { ...NO_ENDS, popTail: Math.min(size, argc > 2 ? integerAt(command, 2) : 1) };
    case 'LTRIM':
      return argc === 4 ? trimmedEnds(integerAt(command, 2), integerAt(command, 3), size) : null;
    case 'RPOPLPUSH':
    case 'BRPOPLPUSH':
      return movedEnds(command, key, false, true);
    case 'LMOVE':
    case 'BLMOVE':
      return argc < 5 ? null : movedEnds(command, key, command.is(3, 'LEFT'), command.is(4, 'LEFT'));
    default:
      return null;
  }
}

function integerAt(command: CommandSpans, i: number): number {
  return parseSafeInteger(command.bytes, command.starts[i]!, command.ends[i]!);
}

function trimmedEnds(start: number, stop: number, size: number): ListEnds | null {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(stop)) return null;
  const first = Math.max(0, start < 0 ? size + start : start);
  const last = Math.min(size - 1, stop < 0 ? size + stop : stop);
  if (first > last) return null;
  return { ...NO_ENDS, popHead: first, popTail: size - 1 - last };
}

function movedEnds(command: CommandSpans, key: Buffer, fromHead: boolean, toHead: boolean): ListEnds {
  const isKey = (i: number) => (key.compare(command.bytes, command.starts[i], command.ends[i]) === 0 ? 1 : 0);
  const from = isKey(1);
  const to = isKey(2);
  return {
    popHead: fromHead ? from : 0,
    popTail: fromHead ? 0 : from,
    pushHead: toHead ? to : 0,
    pushTail: toHead ? 0 : to,
  };
}

class ListProbe implements Probe {
  private readonly size: number;
  private readonly head: readonly Buffer[];
  private readonly tail: readonly Buffer[];

  constructor(
    private readonly ends: ListEnds,
    db: Database,
    entry: number,
  ) {
    this.size = listLength(db, entry);
    this.head = headOf(db, entry, ends.popHead);
    this.tail = tailOf(db, entry, ends.popTail);
  }

  changes(db: Database, entry: number): ValueChanges | null {
    const { size, head, tail } = this;
    const splices: Splice[] = [];
    const kept = size - head.length - tail.length;
    // What was pushed is what is there beyond what was kept: LPUSHX and the like may have pushed nothing.
    const pushed = listLength(db, entry) - kept;
    const { pushHead, pushTail } = this.ends;
    if (head.length > 0) splices.push({ index: 0, removed: head, inserted: [] });
    if (tail.length > 0) splices.push({ index: kept, removed: tail, inserted: [] });
    if (pushed > 0 && pushHead > 0) {
      splices.push({ index: 0, removed: [], inserted: headOf(db, entry, pushed) });
    }
    if (pushed > 0 && pushTail > 0) {
      splices.push({ index: kept, removed: [], inserted: tailOf(db, entry, pushed) });
    }
    return splices.length === 0 ? null : { kind: 'list', splices };
  }
}

function headOf(db: Database, entry: number, count: number): Buffer[] {
  if (count === 1) return [peekHead(db, entry, slice).copy()];
  const elements: Buffer[] = [];
  const cursor = new ListCursor();
  cursor.open(db, entry);
  while (elements.length < count && cursor.next()) elements.push(cursor.element.copy());
  return elements;
}

/** The last elements, in the order of the list. */
function tailOf(db: Database, entry: number, count: number): Buffer[] {
  if (count === 1) return [peekTail(db, entry, slice).copy()];
  if (count === 0) return [];
  const elements: Buffer[] = [];
  const cursor = new ListCursor();
  cursor.open(db, entry);
  for (let skipped = listLength(db, entry) - count; cursor.next(); skipped--) {
    if (skipped <= 0) elements.push(cursor.element.copy());
  }
  return elements;
}

type StreamRecord = Extract<RedisValue, { kind: 'stream' }>;

class StreamProbe implements Probe {
  private readonly length: number;
  private readonly lastId: StreamId;
  private readonly before: StreamRecord;

  constructor(db: Database, entry: number) {
    const stream = db.objectAt(entry) as StreamValue;
    this.length = stream.length;
    this.lastId = stream.lastId;
    this.before = recordAfter(stream, this.lastId);
  }

  changes(db: Database, entry: number): ValueChanges | null {
    const stream = db.objectAt(entry) as StreamValue;
    const after = recordAfter(stream, this.lastId);
    const count = this.length + after.entries.length - stream.length;
    const before = stream.entries.firstLiveId();
    // A command that trims to nothing leaves what came last as the border.
    const border = stream.length === 0 ? { ...after.meta.lastId } : before;
    const trimmed = count <= 0 ? null : { before: border, count };
    return streamChanges({ added: after.entries, removed: [], trimmed }, this.before, after);
  }
}

/** A stream with its entries behind an id alone. */
function recordAfter(stream: StreamValue, id: StreamId): StreamRecord {
  let taken: RedisValue | null = null;
  const collector = new ValueCollector(({ value }) => (taken = value));
  const head = new KeyHead();
  head.kind = 'stream';
  collector.key(head);
  stream.tell(collector, id);
  collector.keyEnd(head);
  return taken as unknown as StreamRecord;
}
