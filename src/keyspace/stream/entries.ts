import { compareIds, type StreamId, ZERO_ID } from '../../model/stream-id.js';
import { EntryCursor, type FieldSpans, StreamBlock } from './block.js';

const removeAny = (): boolean => true;

/** The entries of a stream in the order of their ids. */
export class StreamEntries {
  /** Live entries. */
  length = 0;
  private readonly blocks: StreamBlock[] = [];
  private readonly cursor = new EntryCursor();

  /** Adds an entry whose id is above all others; the pairs stand at `from` in name, value order. */
  append(id: StreamId, fields: FieldSpans, from: number, count: number): void {
    let content = 0;
    for (let i = from; i < from + count * 2; i++) content += fields.ends[i]! - fields.starts[i]!;
    let block = this.blocks[this.blocks.length - 1];
    if (block === undefined || !block.accepts(content)) {
      block?.seal();
      block = new StreamBlock(id, fields, from, count);
      this.blocks.push(block);
    }
    block.append(id, fields, from, count);
    this.length++;
  }

  has(id: StreamId): boolean {
    return this.seek(id) >= 0;
  }

  /** Removes one entry; false when there is none. */
  delete(id: StreamId): boolean {
    const index = this.seek(id);
    if (index < 0) return false;
    const block = this.blocks[index]!;
    block.remove(this.cursor);
    if (block.live === 0) this.blocks.splice(index, 1);
    this.length--;
    return true;
  }

  /**
   * Removes the oldest entries until `length` are left. With `wholeNodes` only nodes that can go as a whole, as
   * `MAXLEN ~` does. Returns how many were removed.
   */
  trimToLength(length: number, wholeNodes: boolean): number {
    const before = this.length;
    let gone = 0;
    for (const block of this.blocks) {
      if (this.length <= length || this.length - block.live < length) break;
      this.length -= block.live;
      gone++;
    }
    if (gone > 0) this.blocks.splice(0, gone);
    const block = this.blocks[0];
    if (block !== undefined && this.length > length && !wholeNodes) {
      this.removeOldest(block, (_cursor, left) => left <= length, removeAny);
    }
    return before - this.length;
  }

  /** Removes the entries before `id`, with `wholeNodes` as above. Returns how many were removed. */
  trimBefore(id: StreamId, wholeNodes: boolean): number {
    const before = this.length;
    let gone = 0;
    for (const block of this.blocks) {
      if (compareIds(block.lastId, id) >= 0) break;
      this.length -= block.live;
      gone++;
    }
    if (gone > 0) this.blocks.splice(0, gone);
    const block = this.blocks[0];
    if (block !== undefined && !wholeNodes) {
      this.removeOldest(block, (cursor) => cursor.compareTo(id) >= 0, removeAny);
    }
    return before - this.length;
  }

  /**
   * Removes the oldest entries until `length` are left, or those before `id`, as far as `mayRemove` lets each go. As in
   * a server, nothing behind the first node that cannot go as a whole is looked at. Returns how many were removed.
   */
  trimChecked(length: number, id: StreamId | null, mayRemove: (id: StreamId) => boolean): number {
    const before = this.length;
    const isEnough = (cursor: EntryCursor, left: number): boolean =>
      id === null ? left <= length : cursor.compareTo(id) >= 0;
    const { blocks } = this;
    let seen = 0;
    let kept = 0;
    for (let goesWhole = true; goesWhole && seen < blocks.length; seen++) {
      const block = blocks[seen]!;
      if (id === null && this.length <= length) break;
      goesWhole = id === null ? this.length - block.live >= length : compareIds(block.lastId, id) < 0;
      this.removeOldest(block, isEnough, mayRemove);
      if (!goesWhole || block.live > 0) blocks[kept++] = block;
    }
    blocks.splice(kept, seen - kept);
    return before - this.length;
  }

  /** Id of the oldest live entry; 0-0 when there is none. */
  firstLiveId(): StreamId {
    for (const block of this.blocks) {
      if (block.live === 0) continue;
      let at = block.start;
      while (this.cursor.read(block, at)) {
        if (!this.cursor.isDeleted) return this.cursor.id;
        at = this.cursor.next;
      }
    }
    return ZERO_ID;
  }

  /** Id of the newest live entry; 0-0 when there is none. */
  lastLiveId(): StreamId {
    for (let i = this.blocks.length - 1; i >= 0; i--) {
      const block = this.blocks[i]!;
      if (block.live === 0) continue;
      let last: StreamId | null = null;
      for (let at = block.start; this.cursor.read(block, at); at = this.cursor.next) {
        if (!this.cursor.isDeleted) last = this.cursor.id;
      }
      if (last !== null) return last;
    }
    return ZERO_ID;
  }

  /** Walks the live entries after an id (or all) until the visitor answers false. The cursor is reused. */
  walk(after: StreamId | null, visit: (cursor: EntryCursor, block: StreamBlock) => boolean): void {
    const cursor = new EntryCursor();
    const first = after === null ? 0 : Math.max(0, this.blockOf(after));
    for (let i = first; i < this.blocks.length; i++) {
      const block = this.blocks[i]!;
      for (let at = block.start; cursor.read(block, at); at = cursor.next) {
        if (cursor.isDeleted || (after !== null && cursor.compareTo(after) <= 0)) continue;
        if (!visit(cursor, block)) return;
      }
    }
  }

  clone(): StreamEntries {
    const copy = new StreamEntries();
    copy.length = this.length;
    for (const block of this.blocks) copy.blocks.push(block.clone());
    return copy;
  }

  /** Blocks in use: as many as a server that was given the same commands has nodes. */
  get blockCount(): number {
    return this.blocks.length;
  }

  /** Deletes entries of a block that may go until `stop`, asked before each with the entries left, says enough. */
  private removeOldest(
    block: StreamBlock,
    stop: (cursor: EntryCursor, left: number) => boolean,
    mayRemove: (id: StreamId) => boolean,
  ): void {
    const { cursor } = this;
    for (let at = block.start; cursor.read(block, at); at = cursor.next) {
      if (stop(cursor, this.length)) return;
      if (cursor.isDeleted) {
        if (at === block.start) block.start = cursor.next;
        continue;
      }
      if (mayRemove !== removeAny && !mayRemove(cursor.id)) continue;
      block.remove(cursor);
      this.length--;
    }
  }

  /** Puts the cursor on a live entry and returns the index of its block; -1 when there is none. */
  private seek(id: StreamId): number {
    const index = this.blockOf(id);
    if (index < 0) return -1;
    const block = this.blocks[index]!;
    if (compareIds(block.lastId, id) < 0) return -1;
    const { cursor } = this;
    for (let at = block.start; cursor.read(block, at); at = cursor.next) {
      const order = cursor.compareTo(id);
      if (order === 0) return cursor.isDeleted ? -1 : index;
      if (order > 0) return -1;
    }
    return -1;
  }

  /** Index of the last block that begins at or before an id; -1 when the id is before all. */
  private blockOf(id: StreamId): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareIds(this.blocks[middle]!.firstId, id) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
