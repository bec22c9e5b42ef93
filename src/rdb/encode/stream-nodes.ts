import type { ByteSlice } from '../../bytes/slice.js';
import { assert } from '../../errors.js';
import { type StreamId, writeId, ZERO_ID } from '../../model/stream-id.js';
import { ListpackBuilder } from '../packed/listpack-builder.js';
import { ItemStore } from './item-store.js';
import { type RdbOutput, SideOutput } from './output.js';

const NODE_BYTES_MAX = 4096;
const NODE_ENTRIES_MAX = 100;
const ID_BYTES = 16;
/** The entry has the field names of its node's first one, and holds its values only. */
const SAME_FIELDS = 2;

/** The entries of a stream as listpacks, each under the id of its first entry. Finished nodes wait in memory. */
export class StreamNodes {
  private readonly side: SideOutput;
  private readonly listpack = new ListpackBuilder();
  /** Field names of the node's first entry. */
  private readonly master = new ItemStore();
  /** Names and values of the entry that is being told. */
  private readonly entry = new ItemStore();
  private readonly key = Buffer.alloc(ID_BYTES);
  private nodeId: StreamId = ZERO_ID;
  private entryId: StreamId = ZERO_ID;
  private fieldsLeft = 0;
  private nodeEntries = 0;
  private nodeCount = 0;

  constructor(compress: boolean) {
    this.side = new SideOutput(compress);
  }

  begin(): void {
    this.side.reset();
    this.nodeEntries = 0;
    this.nodeCount = 0;
    this.fieldsLeft = 0;
  }

  startEntry(id: StreamId, fieldCount: number): void {
    assert(this.fieldsLeft === 0, 'an entry is told with all its fields');
    this.entryId = id;
    this.fieldsLeft = fieldCount;
    this.entry.reset();
    if (fieldCount === 0) this.closeEntry();
  }

  field(name: ByteSlice, value: ByteSlice): void {
    this.entry.add(name.bytes, name.start, name.end);
    this.entry.add(value.bytes, value.start, value.end);
    if (--this.fieldsLeft === 0) this.closeEntry();
  }

  private closeEntry(): void {
    const full =
      this.nodeEntries >= NODE_ENTRIES_MAX || this.listpack.size + this.entry.size >= NODE_BYTES_MAX;
    if (this.nodeEntries > 0 && full) this.closeNode();
    if (this.nodeEntries === 0) this.startNode();
    this.nodeEntries++;
    this.appendEntry();
  }

  private startNode(): void {
    const { listpack, master, entry } = this;
    this.nodeId = this.entryId;
    master.reset();
    for (let i = 0; i < entry.count; i += 2) master.add(entry.bytes, entry.start(i), entry.end(i));
    listpack.reset();
    listpack.appendInteger(0); // live entries: set when the node is closed
    listpack.appendInteger(0); // deleted ones
    listpack.appendInteger(master.count);
    for (let i = 0; i < master.count; i++) listpack.append(master.bytes, master.start(i), master.end(i));
    listpack.appendInteger(0);
  }

  private appendEntry(): void {
    const { listpack, entry, entryId: id, nodeId: node } = this;
    const same = this.hasMasterFields();
    const fields = entry.count / 2;
    listpack.appendInteger(same ? SAME_FIELDS : 0);
    appendDifference(listpack, id.msHigh, id.msLow, node.msHigh, node.msLow);
    appendDifference(listpack, id.seqHigh, id.seqLow, node.seqHigh, node.seqLow);
    if (!same) listpack.appendInteger(fields);
    for (let i = same ? 1 : 0; i < entry.count; i += same ? 2 : 1) {
      listpack.append(entry.bytes, entry.start(i), entry.end(i));
    }
    // Listpack entries of this one, for walking backwards.
    listpack.appendInteger(same ? fields + 3 : 2 * fields + 4);
  }

  private hasMasterFields(): boolean {
    const { master, entry } = this;
    if (entry.count !== 2 * master.count) return false;
    for (let i = 0; i < master.count; i++) {
      const [start, end] = [entry.start(2 * i), entry.end(2 * i)];
      if (master.bytes.compare(entry.bytes, start, end, master.start(i), master.end(i)) !== 0) return false;
    }
    return true;
  }

  private closeNode(): void {
    if (this.nodeEntries === 0) return;
    const { output } = this.side;
    this.listpack.setFirst(this.nodeEntries);
    writeId(this.nodeId, this.key, 0);
    output.text(this.key, 0, ID_BYTES);
    const packed = this.listpack.finish();
    output.text(packed, 0, packed.length);
    this.nodeEntries = 0;
    this.nodeCount++;
  }

  /** Writes the number of nodes and the nodes. */
  finish(into: RdbOutput): void {
    assert(this.fieldsLeft === 0, 'an entry is told with all its fields');
    this.closeNode();
    into.length(this.nodeCount);
    this.side.moveTo(into);
  }
}

/** Appends a − b, modulo 2^64, as a signed integer. */
function appendDifference(
  listpack: ListpackBuilder,
  aHigh: number,
  aLow: number,
  bHigh: number,
  bLow: number,
): void {
  const borrow = aLow < bLow ? 1 : 0;
  listpack.appendWords((aHigh - bHigh - borrow) >>> 0, (aLow - bLow) >>> 0);
}
