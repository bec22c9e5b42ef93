import { addLong, type Long } from '../../bytes/int64.js';
import { ByteSlice, sliceOf } from '../../bytes/slice.js';
import type { ItemHandler } from '../../model/handler.js';
import { compareIds, type StreamId, ZERO_ID } from '../../model/stream-id.js';
import type { SideValue } from '../forms.js';
import type { EntryCursor, FieldSpans, StreamBlock } from './block.js';
import { StreamEntries } from './entries.js';
import { idKey, idOfKey, type StreamGroup } from './group.js';
import { StreamProducers } from './producers.js';
import { readUint, varint } from './varint.js';

/** `entriesRead` of a group whose position in the history of the stream is not known. */
export const UNKNOWN_READS = -1;

/**
 * What removing an entry does to groups that refer to it: their pending entries stay, or go with it; or it is removed
 * only when every group has read and acknowledged it.
 */
export type References = 'keep' | 'drop' | 'respect';

/** A stream: its entries, its counters and its consumer groups. */
export class StreamValue implements SideValue {
  entries = new StreamEntries();
  lastId: StreamId = ZERO_ID;
  /** Id of the oldest entry as the server records it; 0-0 when there is none. */
  firstId: StreamId = ZERO_ID;
  /** Highest id that was removed by XDEL; trimming does not count. */
  maxDeletedId: StreamId = ZERO_ID;
  /** Entries ever added. */
  entriesAdded: Long = 0;
  /** By name, one character per byte. */
  readonly groups = new Map<string, StreamGroup>();
  /** What is remembered of messages sent before; null: nothing was ever told or sent. */
  producers: StreamProducers | null = null;

  get length(): number {
    return this.entries.length;
  }

  /** What is remembered of messages, from now on if nothing was yet. */
  get remembered(): StreamProducers {
    return (this.producers ??= new StreamProducers());
  }

  /** Adds an entry. The caller has made sure that the id is above `lastId`. */
  append(id: StreamId, fields: FieldSpans, from: number, count: number): void {
    this.entries.append(id, fields, from, count);
    this.entriesAdded = addLong(this.entriesAdded, 1);
    this.lastId = id;
    if (this.length === 1) this.firstId = id;
  }

  /** Removes entries by id as XDEL does, where the references of groups to them allow it. Returns how many went. */
  delete(ids: readonly StreamId[], references: References = 'keep'): number {
    let deleted = 0;
    let firstGone = false;
    for (const id of ids) {
      if (!this.mayRemove(id, references) || !this.entries.delete(id)) continue;
      deleted++;
      if (compareIds(id, this.firstId) === 0) firstGone = true;
      if (compareIds(id, this.maxDeletedId) > 0) this.maxDeletedId = id;
    }
    if (deleted > 0 && (firstGone || this.length === 0)) this.firstId = this.entries.firstLiveId();
    return deleted;
  }

  trimToLength(length: number, wholeNodes: boolean): number {
    return this.trimmed(this.entries.trimToLength(length, wholeNodes));
  }

  trimBefore(id: StreamId, wholeNodes: boolean): number {
    return this.trimmed(this.entries.trimBefore(id, wholeNodes));
  }

  /** Removes the oldest entries until `length` are left, or those before `id`, where references allow it. */
  trimChecked(length: number, id: StreamId | null, references: References): number {
    return this.trimmed(this.entries.trimChecked(length, id, (each) => this.mayRemove(each, references)));
  }

  /** Whether an entry may go; with 'drop', what groups hold of it goes at once. */
  private mayRemove(id: StreamId, references: References): boolean {
    if (references === 'keep' || this.groups.size === 0) return true;
    const key = idKey(id);
    for (const group of this.groups.values()) {
      if (references === 'drop') group.pending.remove(key);
      else if (compareIds(group.lastId, id) < 0 || group.pending.get(key) !== undefined) return false;
    }
    return true;
  }

  /** True when an entry above `from` may have been deleted; what a group read so far can then not be counted. */
  hasTombstonesFrom(from: StreamId): boolean {
    if (this.length === 0 || compareIds(this.maxDeletedId, ZERO_ID) === 0) return false;
    if (compareIds(this.firstId, this.maxDeletedId) > 0) return false;
    return compareIds(from, this.maxDeletedId) <= 0;
  }

  /** How many entries were ever added up to an id; `UNKNOWN_READS` when that cannot be told. */
  readsUpTo(id: StreamId): Long {
    if (this.entriesAdded === 0) return 0;
    const toLast = compareIds(id, this.lastId);
    if (this.length === 0 && toLast <= 0) return this.entriesAdded;
    if (toLast === 0) return this.entriesAdded;
    if (toLast > 0) return UNKNOWN_READS;
    const toFirst = compareIds(id, this.firstId);
    const whole =
      compareIds(this.maxDeletedId, ZERO_ID) === 0 || compareIds(this.maxDeletedId, this.firstId) < 0;
    if (!whole || toFirst > 0) return UNKNOWN_READS;
    return addLong(this.entriesAdded, (toFirst === 0 ? 1 : 0) - this.length);
  }

  /** Tells the entries (those after an id alone), the counters and the groups in the order of `ItemHandler`. */
  tell(out: ItemHandler, after: StreamId | null = null): void {
    tellEntries(this.entries, after, out);
    const { length, lastId, firstId, maxDeletedId, entriesAdded } = this;
    out.streamMeta({ length, lastId, firstId, maxDeletedId, entriesAdded });
    for (const name of [...this.groups.keys()].sort()) tellGroup(name, this.groups.get(name)!, out);
    this.producers?.tell(out);
  }

  /** An independent copy. */
  clone(): StreamValue {
    const copy = new StreamValue();
    copy.entries = this.entries.clone();
    copy.lastId = this.lastId;
    copy.firstId = this.firstId;
    copy.maxDeletedId = this.maxDeletedId;
    copy.entriesAdded = this.entriesAdded;
    for (const [name, group] of this.groups) copy.groups.set(name, group.clone());
    copy.producers = this.producers === null ? null : this.producers.clone();
    return copy;
  }

  /** Nothing of a stream is in the arena. */
  release(): void {}

  private trimmed(count: number): number {
    if (this.length === 0) this.firstId = ZERO_ID;
    else if (count > 0) this.firstId = this.entries.firstLiveId();
    return count;
  }
}

function tellEntries(entries: StreamEntries, after: StreamId | null, out: ItemHandler): void {
  const name = new ByteSlice();
  const value = new ByteSlice();
  const tellOne = (cursor: EntryCursor, block: StreamBlock): boolean => {
    const { bytes, names } = block;
    const own = !cursor.hasBlockNames;
    let at = cursor.content;
    let count = block.nameCount;
    if (own) {
      readUint(bytes, at);
      count = varint.low;
      at = varint.end;
    }
    out.streamEntry(cursor.id, count);
    for (let i = 0; i < count; i++) {
      if (own) {
        readUint(bytes, at);
        at = varint.end + varint.low;
        name.set(bytes, varint.end, at);
      } else {
        name.set(bytes, names[2 * i]!, names[2 * i + 1]!);
      }
      readUint(bytes, at);
      at = varint.end + varint.low;
      value.set(bytes, varint.end, at);
      out.streamField(name, value);
    }
    return true;
  };
  entries.walk(after, tellOne);
}

function tellGroup(name: string, group: StreamGroup, out: ItemHandler): void {
  out.streamGroup(sliceOf(name), group.lastId, group.entriesRead);
  const owned = new Map<object, string[]>();
  for (const [key, entry] of group.pending.inOrder()) {
    out.streamPending(idOfKey(key), entry.deliveredAtMs, entry.deliveryCount);
    if (entry.consumer === null) continue;
    const keys = owned.get(entry.consumer);
    if (keys === undefined) owned.set(entry.consumer, [key]);
    else keys.push(key);
  }
  for (const consumerName of [...group.consumers.keys()].sort()) {
    const consumer = group.consumers.get(consumerName)!;
    out.streamConsumer(sliceOf(consumerName), consumer.seenAtMs, consumer.activeAtMs);
    for (const key of owned.get(consumer) ?? []) out.streamConsumerPending(idOfKey(key));
  }
  for (const key of group.pending.released) out.streamReleased(idOfKey(key));
}
