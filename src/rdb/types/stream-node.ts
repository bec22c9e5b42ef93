import type { FormatError } from '../../errors.js';
import { compareIds, type StreamId, ZERO_ID } from '../../model/stream-id.js';
import type { ItemOutput, ValueWalk } from '../codec.js';
import { PackedEntry } from '../packed/entry.js';
import type { ListpackReader } from '../packed/listpack.js';
import type { PartialValue } from '../shortcut.js';

const DELETED = 1;
const SAME_FIELDS = 2;
const TWO_32 = 4294967296;

/** Reads one node of a stream: the listpack in `walk.other`, whose ids count from the node's key. */
export class StreamNodeReader {
  /** Live entries of all nodes since `begin`. */
  liveEntries = 0;
  /** The first live entry since `begin`. */
  firstLive: StreamId | null = null;
  private lastEntry = ZERO_ID;
  private readonly entry = new PackedEntry();
  private readonly value = new PackedEntry();
  /** Where the master entry's field names stand in the listpack at hand. */
  private names = new Int32Array(16);
  private listpack!: ListpackReader;

  begin(): void {
    this.liveEntries = 0;
    this.firstLive = null;
    this.lastEntry = ZERO_ID;
  }

  /** Goes on behind the nodes that somebody else has read. */
  resume({ lastEntry, firstLive, liveEntries }: PartialValue): void {
    this.lastEntry = lastEntry;
    this.firstLive = firstLive;
    this.liveEntries = liveEntries;
  }

  /** @throws FormatError when the listpack is damaged or is no node of a stream */
  read(walk: ValueWalk, key: StreamId, out: ItemOutput): void {
    const { listpack } = walk;
    this.listpack = listpack;
    listpack.open(walk.other);
    if (listpack.empty) throw listpack.wholeError('rdb/bad-stream', { reason: 'empty-node' });
    const live = this.number();
    const deleted = this.number();
    const nameCount = this.fieldCount();
    const nameIndex = listpack.index;
    this.readNames(nameCount);
    if (this.number() !== 0) throw this.error('no-end-of-master-entry');
    if (live < 0 || deleted < 0) throw listpack.wholeError('rdb/bad-stream', { reason: 'negative-count' });
    let liveSeen = 0;
    let seen = 0;
    for (; seen < live + deleted; seen++) {
      if (this.readEntry(key, nameCount, nameIndex, out)) liveSeen++;
    }
    if (listpack.next(this.entry)) throw this.error('more-entries-than-declared');
    if (walk.deep && liveSeen !== live) {
      throw listpack.wholeError('rdb/bad-stream', {
        reason: 'count-differs',
        declared: live,
        counted: liveSeen,
      });
    }
    this.liveEntries += liveSeen;
  }

  /** The master entry's field names: only where they stand, they are read again for every entry that shares them. */
  private readNames(count: number): void {
    const { listpack } = this;
    for (let i = 0; i < count; i++) {
      if (i === this.names.length) {
        const larger = new Int32Array(i * 2);
        larger.set(this.names);
        this.names = larger;
      }
      this.names[i] = listpack.at;
      this.expect(this.entry);
    }
  }

  /** Reads an entry; true when it is alive, and then reported. */
  private readEntry(key: StreamId, nameCount: number, nameIndex: number, out: ItemOutput): boolean {
    const { listpack } = this;
    const flags = this.number();
    const id = this.readEntryId(key);
    const same = (flags & SAME_FIELDS) !== 0;
    const live = (flags & DELETED) === 0;
    const count = same ? nameCount : this.fieldCount();
    if (live) {
      this.firstLive ??= id;
      out.streamEntry(id, count);
    }
    for (let i = 0; i < count; i++) {
      if (same && live) {
        const { at, index } = listpack;
        listpack.seek(this.names[i]!, nameIndex + i);
        this.expect(this.entry);
        listpack.seek(at, index);
      } else if (!same) {
        this.expect(this.entry);
      }
      this.expect(this.value);
      if (live) out.streamField(this.entry.text(), this.value.text());
    }
    const elements = this.number();
    if (elements !== (same ? count + 3 : 2 * count + 4)) throw this.error('back-count-differs');
    return live;
  }

  /** Two differences to the node's key, each modulo 2^64. */
  private readEntryId(key: StreamId): StreamId {
    const { entry } = this;
    this.integer();
    const msLow = key.msLow + lowOf(entry);
    const msHigh = key.msHigh + highOf(entry) + (msLow >= TWO_32 ? 1 : 0);
    this.integer();
    const seqLow = key.seqLow + lowOf(entry);
    const seqHigh = key.seqHigh + highOf(entry) + (seqLow >= TWO_32 ? 1 : 0);
    const id = { msHigh: msHigh >>> 0, msLow: msLow >>> 0, seqHigh: seqHigh >>> 0, seqLow: seqLow >>> 0 };
    if (compareIds(id, this.lastEntry) <= 0) throw this.error('ids-not-ascending');
    this.lastEntry = id;
    return id;
  }

  /** A number of fields: no more than the listpack has bytes. */
  private fieldCount(): number {
    const count = this.number();
    if (count < 0 || count > this.listpack.bytesLeft) throw this.error('bad-field-count');
    return count;
  }

  private number(): number {
    this.integer();
    return this.entry.value;
  }

  private integer(): void {
    this.expect(this.entry);
    if (!this.entry.integer) throw this.error('not-an-integer');
  }

  private expect(entry: PackedEntry): void {
    if (!this.listpack.next(entry)) throw this.error('ends-inside-an-entry');
  }

  private error(reason: string): FormatError {
    return this.listpack.lastError('rdb/bad-stream', { reason });
  }
}

function lowOf(entry: PackedEntry): number {
  return entry.wide ? entry.low : entry.value >>> 0;
}

function highOf(entry: PackedEntry): number {
  return entry.wide ? entry.high : Math.floor(entry.value / TWO_32) >>> 0;
}
