import { type Long, signedLong } from '../../bytes/int64.js';
import { END, NEED, PAUSE, type Progress } from '../../bytes/window.js';
import { FormatError } from '../../errors.js';
import type { StreamMeta } from '../../model/handler.js';
import { compareIds, idOf, readId, type StreamId, ZERO_ID } from '../../model/stream-id.js';
import type { ItemOutput, ValueWalk } from '../codec.js';
import { type Cursor, SHORT } from '../cursor.js';
import type { PartialValue } from '../shortcut.js';
import { PendingIds } from './pending-ids.js';
import { StreamNodeReader } from './stream-node.js';
import { ProducersWalk } from './stream-producers.js';

/** What comes next in a stream. */
const NODE_COUNT = 0;
const NODE = 1;
const META = 2;
const GROUP_COUNT = 3;
const GROUP = 4;
const PENDING_COUNT = 5;
const PENDING = 6;
const CONSUMER_COUNT = 7;
const CONSUMER = 8;
const OWNED_COUNT = 9;
const OWNED = 10;
const RELEASED_COUNT = 11;
const RELEASED = 12;
const PRODUCERS = 13;
const DONE = 14;

/** Since this generation streams remember what producers sent. */
const WITH_PRODUCERS = 4;
/** Since this one entries may be pending for nobody, and are listed. */
const WITH_RELEASED = 5;

/** Groups and consumers whose names are compared; more than that in one stream or group is not of this world. */
const NAMES_MAX = 1 << 20;

/** What the servers take for the first id of a first-generation stream without live entries. */
const MAX_ID: StreamId = { msHigh: 0xffffffff, msLow: 0xffffffff, seqHigh: 0xffffffff, seqLow: 0xffffffff };

const NO_META: StreamMeta = {
  length: 0,
  lastId: ZERO_ID,
  firstId: ZERO_ID,
  maxDeletedId: ZERO_ID,
  entriesAdded: 0,
};

/** The state of a stream that is being decoded: what comes next, how often, and the counters read so far. */
export class StreamWalk {
  private generation = 1;
  private part = NODE_COUNT;
  private nodesLeft = 0;
  private groupsLeft = 0;
  private pendingLeft = 0;
  private consumersLeft = 0;
  private ownedLeft = 0;
  private releasedLeft = 0;
  private meta = NO_META;
  private previousKey = ZERO_ID;
  private readonly node = new StreamNodeReader();
  private readonly pending = new PendingIds();
  private readonly producers = new ProducersWalk();
  private readonly groups = new Set<string>();
  private readonly consumers = new Set<string>();

  /** `generation` 1: type 15; 2: type 19; 3: type 21; 4: type 26; 5: type 27. */
  begin(generation: number): void {
    this.generation = generation;
    this.part = NODE_COUNT;
    this.meta = NO_META;
    this.previousKey = ZERO_ID;
    this.node.begin();
    this.producers.begin();
    this.groups.clear();
  }

  /** Goes on behind the nodes that somebody else has read. */
  resume(value: PartialValue): void {
    this.nodesLeft = value.itemsLeft;
    this.part = value.itemsLeft > 0 ? NODE : META;
    this.previousKey = value.lastKey;
    this.node.resume(value);
  }

  decode(walk: ValueWalk, cursor: Cursor, out: ItemOutput): Progress {
    for (;;) {
      const at = this.readPart(walk, cursor, out);
      if (at === SHORT) return NEED;
      cursor.position = at;
      this.leaveLoops(walk, cursor);
      if (this.part === DONE) return END;
      if (out.full) return PAUSE;
    }
  }

  /** Goes on behind the loops that have nothing left. */
  private leaveLoops(walk: ValueWalk, cursor: Cursor): void {
    if (this.part === NODE && this.nodesLeft === 0) this.part = META;
    if (this.part === PENDING && this.pendingLeft === 0) this.part = CONSUMER_COUNT;
    if (this.part === OWNED && this.ownedLeft === 0) this.part = CONSUMER;
    if (this.part === CONSUMER && this.consumersLeft === 0) {
      this.part = this.generation < WITH_RELEASED ? this.endGroup(walk, cursor) : RELEASED_COUNT;
    }
    if (this.part === RELEASED && this.releasedLeft === 0) this.part = this.endGroup(walk, cursor);
    if (this.part === GROUP && this.groupsLeft === 0) {
      this.part = this.generation < WITH_PRODUCERS ? DONE : PRODUCERS;
    }
    if (this.part === PRODUCERS && this.producers.done) this.part = DONE;
  }

  private endGroup(walk: ValueWalk, cursor: Cursor): typeof GROUP {
    if (walk.deep && !this.pending.allOwned) throw this.fail(cursor, 'pending-entry-without-consumer');
    return GROUP;
  }

  private readPart(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    switch (this.part) {
      case NODE:
        return this.readNode(walk, cursor, out);
      case META:
        return this.readMeta(walk, cursor, out);
      case GROUP:
        return this.readGroup(walk, cursor, out);
      case PENDING:
        return this.readPending(walk, cursor, out);
      case CONSUMER:
        return this.readConsumer(walk, cursor, out);
      case OWNED:
        return this.readOwned(walk, cursor, out);
      case RELEASED:
        return this.readReleased(walk, cursor, out);
      case PRODUCERS:
        return this.producers.read(walk, cursor, out);
      default:
        return this.readLoopCount(cursor);
    }
  }

  private readLoopCount(cursor: Cursor): number {
    const at = cursor.length(cursor.position);
    if (at === SHORT) return SHORT;
    const count = cursor.value;
    if (this.part === NODE_COUNT) this.nodesLeft = count;
    else if (this.part === GROUP_COUNT) this.groupsLeft = count;
    else if (this.part === PENDING_COUNT) this.pendingLeft = count;
    else if (this.part === CONSUMER_COUNT) this.consumersLeft = count;
    else if (this.part === OWNED_COUNT) this.ownedLeft = count;
    else this.releasedLeft = count;
    this.part++;
    return at;
  }

  private readNode(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    const middle = walk.text.read(cursor, cursor.position);
    if (middle === SHORT) return SHORT;
    const { slice } = walk.text;
    if (slice.length !== 16) throw this.fail(cursor, 'node-key-size');
    const key = readId(slice.bytes, slice.start);
    if (compareIds(key, this.previousKey) <= 0) throw this.fail(cursor, 'node-keys-not-ascending');
    const at = walk.other.read(cursor, middle);
    if (at === SHORT) return SHORT;
    this.node.read(walk, key, out);
    this.previousKey = key;
    this.nodesLeft--;
    return at;
  }

  private readMeta(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    const count = this.generation > 1 ? 8 : 3;
    const values: Long[] = [];
    let at = cursor.position;
    for (let i = 0; i < count; i++) {
      at = cursor.length(at);
      if (at === SHORT) return SHORT;
      values.push(cursor.long());
    }
    const length = values[0]!;
    const lastId = idOf(values[1]!, values[2]!);
    this.meta =
      this.generation > 1
        ? {
            length,
            lastId,
            firstId: idOf(values[3]!, values[4]!),
            maxDeletedId: idOf(values[5]!, values[6]!),
            entriesAdded: values[7]!,
          }
        : {
            length,
            lastId,
            firstId: this.node.firstLive ?? MAX_ID,
            maxDeletedId: ZERO_ID,
            entriesAdded: length,
          };
    if (walk.deep && length !== this.node.liveEntries) throw this.fail(cursor, 'length-differs');
    out.streamMeta(this.meta);
    this.part = GROUP_COUNT;
    return at;
  }

  private readGroup(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    let at = walk.text.read(cursor, cursor.position);
    if (at === SHORT) return SHORT;
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
    const ms = cursor.long();
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
    const lastId = idOf(ms, cursor.long());
    let entriesRead: Long = -1;
    if (this.generation > 1) {
      at = cursor.length(at);
      if (at === SHORT) return SHORT;
      entriesRead = cursor.longOrMinusOne();
    } else {
      entriesRead = estimateEntriesRead(this.meta, lastId);
    }
    if (walk.deep && !isNewName(this.groups, walk)) throw this.fail(cursor, 'duplicate-group');
    this.groupsLeft--;
    this.pending.reset();
    this.consumers.clear();
    out.streamGroup(walk.text.slice, lastId, entriesRead);
    this.part = PENDING_COUNT;
    return at;
  }

  private readPending(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    const start = cursor.position;
    if (start + 25 > cursor.end) return cursor.short(start + 25);
    const at = cursor.length(start + 24);
    if (at === SHORT) return SHORT;
    const id = readId(cursor.bytes, start);
    if (walk.deep && !this.pending.add(id)) throw this.fail(cursor, 'pending-ids-not-ascending');
    this.pendingLeft--;
    out.streamPending(id, timeAt(cursor, start + 16), cursor.long());
    return at;
  }

  private readConsumer(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    const middle = walk.text.read(cursor, cursor.position);
    if (middle === SHORT) return SHORT;
    const at = middle + (this.generation > 2 ? 16 : 8);
    if (at > cursor.end) return cursor.short(at);
    if (walk.deep && !isNewName(this.consumers, walk)) throw this.fail(cursor, 'duplicate-consumer');
    const seenAtMs = timeAt(cursor, middle);
    this.consumersLeft--;
    out.streamConsumer(
      walk.text.slice,
      seenAtMs,
      this.generation > 2 ? timeAt(cursor, middle + 8) : seenAtMs,
    );
    this.part = OWNED_COUNT;
    return at;
  }

  private readOwned(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    const at = cursor.position + 16;
    if (at > cursor.end) return cursor.short(at);
    const id = readId(cursor.bytes, cursor.position);
    if (walk.deep && !this.pending.own(id)) throw this.fail(cursor, 'consumer-entry-not-pending-in-group');
    this.ownedLeft--;
    out.streamConsumerPending(id);
    return at;
  }

  private readReleased(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    const at = cursor.position + 16;
    if (at > cursor.end) return cursor.short(at);
    const id = readId(cursor.bytes, cursor.position);
    if (walk.deep && !this.pending.own(id)) throw this.fail(cursor, 'released-entry-not-pending-in-group');
    this.releasedLeft--;
    out.streamReleased(id);
    return at;
  }

  private fail(cursor: Cursor, reason: string): FormatError {
    return new FormatError('rdb/bad-stream', cursor.offsetOf(cursor.position), { reason });
  }
}

function timeAt(cursor: Cursor, at: number): Long {
  return signedLong(cursor.bytes.readUInt32LE(at + 4), cursor.bytes.readUInt32LE(at));
}

function isNewName(names: Set<string>, walk: ValueWalk): boolean {
  const name = walk.text.slice.latin1();
  if (names.has(name)) return false;
  if (names.size < NAMES_MAX) names.add(name);
  return true;
}

/** What a server assumes, on loading a stream of the first generation, that a group has read; -1: unknown. */
export function estimateEntriesRead(meta: StreamMeta, id: StreamId): Long {
  if (meta.entriesAdded === 0) return 0;
  const toLast = compareIds(id, meta.lastId);
  if (meta.length === 0 && toLast <= 0) return meta.entriesAdded;
  if (toLast === 0) return meta.entriesAdded;
  if (toLast > 0) return -1;
  // All entries ever added are taken to be there still, so the first live one is the first of all.
  const toFirst = compareIds(id, meta.firstId);
  if (toFirst < 0) return 0;
  return toFirst === 0 ? 1 : -1;
}
