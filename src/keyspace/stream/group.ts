import type { Long } from '../../bytes/int64.js';
import { readId, type StreamId, writeId } from '../../model/stream-id.js';

/** Someone who reads through a group. Names are texts of one character per byte. */
export interface StreamConsumer {
  readonly name: string;
  seenAtMs: Long;
  /** -1: never active. */
  activeAtMs: Long;
  /** Pending entries this consumer owns. */
  pending: number;
}

/** An entry that was delivered and not yet acknowledged. */
export interface PendingEntry {
  /** Null when nobody owns it. */
  consumer: StreamConsumer | null;
  deliveredAtMs: Long;
  deliveryCount: Long;
}

const scratch = Buffer.alloc(16);

/** The sixteen bytes of an id as a text: orders as the ids do. */
export function idKey(id: StreamId): string {
  writeId(id, scratch, 0);
  return scratch.latin1Slice(0, 16);
}

/** The inverse of `idKey`. */
export function idOfKey(key: string): StreamId {
  scratch.latin1Write(key, 0, 16);
  return readId(scratch, 0);
}

/** The pending entries of a group: found by id, walked in the order of ids. */
export class PendingList {
  private entries = new Map<string, PendingEntry>();
  private lastKey = '';
  /** False when an id was inserted below another: the map is then put in order before a walk. */
  private ordered = true;
  /** Keys of entries that consumers gave back and nobody owns, in the order in which they will be delivered again. */
  readonly released = new Set<string>();

  get size(): number {
    return this.entries.size;
  }

  get(key: string): PendingEntry | undefined {
    return this.entries.get(key);
  }

  /** Creates an entry that nobody owns yet; the key must not be there. */
  insert(key: string, deliveredAtMs: Long, deliveryCount: Long): PendingEntry {
    const entry: PendingEntry = { consumer: null, deliveredAtMs, deliveryCount };
    if (this.entries.size === 0) this.ordered = true;
    else if (key < this.lastKey) this.ordered = false;
    this.entries.set(key, entry);
    this.lastKey = key;
    return entry;
  }

  /** Gives the entry of a key to a consumer. */
  assign(key: string, entry: PendingEntry, consumer: StreamConsumer): void {
    this.disown(key, entry);
    entry.consumer = consumer;
    consumer.pending++;
  }

  /** Takes the entry of a key from its owner, if any, for whoever asks next; it comes behind those given back before. */
  release(key: string, entry: PendingEntry): void {
    this.disown(key, entry);
    this.released.add(key);
    entry.deliveredAtMs = 0;
  }

  /** Removes an entry from the group and from its owner; false when there is none. */
  remove(key: string): boolean {
    const entry = this.entries.get(key);
    if (entry === undefined) return false;
    this.disown(key, entry);
    return this.entries.delete(key);
  }

  private disown(key: string, entry: PendingEntry): void {
    if (entry.consumer === null) this.released.delete(key);
    else entry.consumer.pending--;
    entry.consumer = null;
  }

  /** Removes everything a consumer owns. */
  removeOf(consumer: StreamConsumer): void {
    if (consumer.pending === 0) return;
    for (const [key, entry] of this.entries) if (entry.consumer === consumer) this.entries.delete(key);
    consumer.pending = 0;
  }

  /** The entries by id. Entries may be removed during the walk, not inserted. */
  inOrder(): IterableIterator<[string, PendingEntry]> {
    if (!this.ordered) {
      const keys = [...this.entries.keys()].sort();
      const sorted = new Map<string, PendingEntry>();
      for (const key of keys) sorted.set(key, this.entries.get(key)!);
      this.entries = sorted;
      this.lastKey = keys[keys.length - 1] ?? '';
      this.ordered = true;
    }
    return this.entries.entries();
  }

  clone(consumers: ReadonlyMap<string, StreamConsumer>): PendingList {
    const copy = new PendingList();
    for (const [key, entry] of this.inOrder()) {
      const owner = entry.consumer === null ? null : consumers.get(entry.consumer.name)!;
      copy.insert(key, entry.deliveredAtMs, entry.deliveryCount).consumer = owner;
    }
    for (const key of this.released) copy.released.add(key);
    return copy;
  }
}

/** A consumer group of a stream. */
export class StreamGroup {
  readonly consumers = new Map<string, StreamConsumer>();
  pending = new PendingList();

  /** `entriesRead` -1: unknown. */
  constructor(
    public lastId: StreamId,
    public entriesRead: Long,
  ) {}

  /** The consumer of a name, created when it is not there. */
  consumer(name: string, seenAtMs: Long, activeAtMs: Long): StreamConsumer {
    const known = this.consumers.get(name);
    if (known !== undefined) return known;
    const created: StreamConsumer = { name, seenAtMs, activeAtMs, pending: 0 };
    this.consumers.set(name, created);
    return created;
  }

  /** Removes a consumer with all it owns; false when there is none. */
  deleteConsumer(name: string): boolean {
    const consumer = this.consumers.get(name);
    if (consumer === undefined) return false;
    this.pending.removeOf(consumer);
    return this.consumers.delete(name);
  }

  clone(): StreamGroup {
    const copy = new StreamGroup(this.lastId, this.entriesRead);
    for (const [name, consumer] of this.consumers) copy.consumers.set(name, { ...consumer });
    copy.pending = this.pending.clone(copy.consumers);
    return copy;
  }
}
