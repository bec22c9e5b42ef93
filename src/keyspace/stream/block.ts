import { compareIds, type StreamId } from '../../model/stream-id.js';
import { copyBytes } from '../bytes.js';
import { integerSize, stringSize } from './node-size.js';
import { readUint, readVarint, uintSize, varint, varintSize, writeUint, writeVarint } from './varint.js';

/** Arguments as spans into borrowed bytes; CommandSpans is one. */
export interface FieldSpans {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

const DELETED = 1;
/** The entry has the field names of the block, in their order: only values are stored. */
const SAME_FIELDS = 2;

/** Defaults of stream-node-max-bytes and stream-node-max-entries. */
const NODE_BYTES = 4096;
const NODE_ENTRIES = 100;
const SMALLEST = 96;
const TWO_32 = 4294967296;

/**
 * Entries that stand together, as a server's stream node does: the names of the first entry's fields once, then each
 * entry as a flag, the length of the rest, its id relative to the first one, and its values. `nodeBytes` keeps what the
 * server's listpack of the same entries measures, so that blocks end where its nodes end.
 *
 * Layout: the names, then entries: `flags:u8 length:varint ms:varint64 seq:varint64 [count] (length bytes)*`, where
 * `ms` is the difference to the first id, and `seq` too while `ms` is 0, else it is absolute.
 */
export class StreamBlock {
  bytes: Buffer;
  used = 0;
  /** Position of the first entry that may be live. */
  start = 0;
  live = 0;
  deleted = 0;
  /** Id of the last entry, deleted or not. */
  lastId: StreamId;
  private nodeBytes = 0;
  /** Where the name of field i stands: start and end are at 2i and 2i+1. */
  readonly names: Int32Array;

  constructor(
    readonly firstId: StreamId,
    fields: FieldSpans,
    from: number,
    readonly nameCount: number,
  ) {
    this.lastId = firstId;
    let size = 0;
    for (let i = 0; i < nameCount; i++) size += fields.ends[from + 2 * i]! - fields.starts[from + 2 * i]!;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(SMALLEST, size * 2));
    this.names = new Int32Array(nameCount * 2);
    // Header, end mark, the counters of live and deleted entries, the closing zero of the master entry.
    this.nodeBytes = 7 + 3 * integerSize(0) + integerSize(nameCount);
    for (let i = 0; i < nameCount; i++) {
      const start = fields.starts[from + 2 * i]!;
      const end = fields.ends[from + 2 * i]!;
      this.names[2 * i] = this.used;
      this.put(fields.bytes, start, end);
      this.names[2 * i + 1] = this.used;
      this.nodeBytes += stringSize(fields.bytes, start, end);
    }
    this.start = this.used;
  }

  /** True when the server would put an entry of that many bytes of names and values into this node. */
  accepts(contentBytes: number): boolean {
    return this.nodeBytes + contentBytes < NODE_BYTES && this.live + this.deleted < NODE_ENTRIES;
  }

  append(id: StreamId, fields: FieldSpans, from: number, count: number): void {
    const same = this.hasNames(fields, from, count);
    relate(id, this.firstId);
    let size = varintSize(related.msHigh, related.msLow) + varintSize(related.seqHigh, related.seqLow);
    if (!same) size += uintSize(count);
    for (let i = same ? 1 : 0; i < count * 2; i += same ? 2 : 1) {
      const length = fields.ends[from + i]! - fields.starts[from + i]!;
      size += uintSize(length) + length;
      this.nodeBytes += stringSize(fields.bytes, fields.starts[from + i]!, fields.ends[from + i]!);
    }
    this.nodeBytes += this.overhead(same, count);
    this.makeRoom(1 + uintSize(size) + size);
    const { bytes } = this;
    let at = this.used;
    bytes[at++] = same ? SAME_FIELDS : 0;
    at = writeUint(bytes, at, size);
    at = writeVarint(bytes, at, related.msHigh, related.msLow);
    at = writeVarint(bytes, at, related.seqHigh, related.seqLow);
    if (!same) at = writeUint(bytes, at, count);
    this.used = at;
    for (let i = same ? 1 : 0; i < count * 2; i += same ? 2 : 1) {
      const start = fields.starts[from + i]!;
      const end = fields.ends[from + i]!;
      this.used = writeUint(bytes, this.used, end - start);
      this.put(fields.bytes, start, end);
    }
    this.live++;
    this.lastId = id;
  }

  /** Gives back memory kept for more entries: called when the next block begins. */
  seal(): void {
    if (this.bytes.length - this.used > 64) this.resize(this.used);
  }

  /** Marks the entry the cursor stands on as deleted. */
  remove(cursor: EntryCursor): void {
    this.bytes[cursor.at]! |= DELETED;
    this.live--;
    this.deleted++;
    if (cursor.at === this.start) this.start = cursor.next;
  }

  /** An independent copy. */
  clone(): StreamBlock {
    const copy: StreamBlock = Object.assign(Object.create(StreamBlock.prototype), this);
    copy.bytes = Buffer.allocUnsafeSlow(this.bytes.length);
    this.bytes.copy(copy.bytes, 0, 0, this.used);
    return copy;
  }

  private hasNames(fields: FieldSpans, from: number, count: number): boolean {
    if (count !== this.nameCount) return false;
    const { names, bytes } = this;
    for (let i = 0; i < count; i++) {
      const start = fields.starts[from + 2 * i]!;
      const length = fields.ends[from + 2 * i]! - start;
      const own = names[2 * i]!;
      if (names[2 * i + 1]! - own !== length) return false;
      for (let k = 0; k < length; k++) if (bytes[own + k] !== fields.bytes[start + k]) return false;
    }
    return true;
  }

  /** Listpack bytes of an entry besides its names and values: flags, id, counts. */
  private overhead(same: boolean, count: number): number {
    const { msHigh, msLow, seqHigh, seqLow } = related;
    const ms = msHigh * TWO_32 + msLow;
    let seq = seqHigh * TWO_32 + seqLow;
    if (ms !== 0) seq -= this.firstId.seqHigh * TWO_32 + this.firstId.seqLow;
    const elements = same ? count + 3 : 2 * count + 4;
    const size = integerSize(0) + integerSize(ms) + integerSize(seq) + integerSize(elements);
    return same ? size : size + integerSize(count);
  }

  private put(source: Buffer, start: number, end: number): void {
    copyBytes(source, start, end, this.bytes, this.used);
    this.used += end - start;
  }

  private makeRoom(count: number): void {
    const wanted = this.used + count;
    if (wanted > this.bytes.length)
      this.resize(Math.max(wanted, Math.min(this.bytes.length * 2, wanted + 4096)));
  }

  private resize(size: number): void {
    const larger = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(larger, 0, 0, this.used);
    this.bytes = larger;
  }
}

/** One entry of a block, read in place. One object serves a whole walk. */
export class EntryCursor {
  /** Position of the entry, of its first field count or value, and of the next entry. */
  at = 0;
  content = 0;
  next = 0;
  flags = 0;
  msHigh = 0;
  msLow = 0;
  seqHigh = 0;
  seqLow = 0;

  /** Reads the entry at a position; false at the end of the block. */
  read(block: StreamBlock, at: number): boolean {
    if (at >= block.used) return false;
    const { bytes, firstId } = block;
    this.at = at;
    this.flags = bytes[at]!;
    readUint(bytes, at + 1);
    this.next = varint.end + varint.low;
    readVarint(bytes, varint.end);
    const sameMs = varint.high === 0 && varint.low === 0;
    let low = firstId.msLow + varint.low;
    this.msLow = low >>> 0;
    this.msHigh = (firstId.msHigh + varint.high + (low > 0xffffffff ? 1 : 0)) >>> 0;
    readVarint(bytes, varint.end);
    this.content = varint.end;
    if (!sameMs) {
      this.seqHigh = varint.high;
      this.seqLow = varint.low;
      return true;
    }
    low = firstId.seqLow + varint.low;
    this.seqLow = low >>> 0;
    this.seqHigh = (firstId.seqHigh + varint.high + (low > 0xffffffff ? 1 : 0)) >>> 0;
    return true;
  }

  get isDeleted(): boolean {
    return (this.flags & DELETED) !== 0;
  }

  get hasBlockNames(): boolean {
    return (this.flags & SAME_FIELDS) !== 0;
  }

  get id(): StreamId {
    const { msHigh, msLow, seqHigh, seqLow } = this;
    return { msHigh, msLow, seqHigh, seqLow };
  }

  compareTo(id: StreamId): number {
    return compareIds(this, id);
  }
}

/** The id of an entry as its block stores it. */
const related = { msHigh: 0, msLow: 0, seqHigh: 0, seqLow: 0 };

function relate(id: StreamId, first: StreamId): void {
  const msLow = id.msLow - first.msLow;
  related.msLow = msLow >>> 0;
  related.msHigh = (id.msHigh - first.msHigh - (msLow < 0 ? 1 : 0)) >>> 0;
  related.seqLow = id.seqLow;
  related.seqHigh = id.seqHigh;
  if (related.msLow !== 0 || related.msHigh !== 0) return;
  const seqLow = id.seqLow - first.seqLow;
  related.seqLow = seqLow >>> 0;
  related.seqHigh = (id.seqHigh - first.seqHigh - (seqLow < 0 ? 1 : 0)) >>> 0;
}
