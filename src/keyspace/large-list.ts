import type { ByteSlice } from '../bytes/slice.js';
import { type Arena, CHUNK_SHIFT, offsetOf } from './arena.js';
import { copyBytes, equalBytes } from './bytes.js';
import type { HeldValue } from './forms.js';
import { headerSize, lengthAt, moveBytes, writeLength } from './packed.js';

/** Room of a node; an element that needs more gets a node of its own. */
const NODE_BYTES = 8192;

/** Bytes of an element in a list: its length stands before it and, backwards, behind it. */
export function elementSize(length: number): number {
  return length + 2 * headerSize(length);
}

/** Writes the lengths before and behind an element. Returns where its bytes belong. */
export function frameElement(into: Buffer, at: number, length: number): number {
  const from = writeLength(into, at, length);
  const to = from + length;
  if (length < 128) {
    into[to] = length;
    return from;
  }
  into[to] = length;
  into[to + 1] = length >>> 8;
  into[to + 2] = length >>> 16;
  into[to + 3] = 0x80 | (length >>> 24);
  return from;
}

/** The length of the element that ends at `end`. */
export function lengthBefore(bytes: Buffer, end: number): number {
  const last = bytes[end - 1]!;
  if (last < 128) return last;
  return ((last & 0x7f) << 24) | (bytes[end - 2]! << 16) | (bytes[end - 3]! << 8) | bytes[end - 4]!;
}

/** What `removeFromRun` did beside. */
export const removal = { removed: 0, skipped: 0 };

/**
 * Removes from packed elements those equal to a range, passing over the first `skip`, at most `limit`. Returns the new
 * end of the run; counts are in `removal`.
 */
export function removeFromRun(
  run: Buffer,
  runStart: number,
  runEnd: number,
  bytes: Buffer,
  start: number,
  end: number,
  skip: number,
  limit: number,
): number {
  let to = runStart;
  let at = runStart;
  removal.removed = removal.skipped = 0;
  while (at < runEnd && removal.removed < limit) {
    const length = lengthAt(run, at);
    const next = at + elementSize(length);
    const equal = length === end - start && equalBytes(run, at + headerSize(length), bytes, start, length);
    if (equal && removal.skipped === skip) {
      removal.removed++;
    } else {
      if (equal) removal.skipped++;
      if (to < at) moveBytes(run, at, next, to);
      to += next - at;
    }
    at = next;
  }
  if (to < at) moveBytes(run, at, runEnd, to);
  return to + runEnd - at;
}

/** A large element or run gets a block of its size: nothing else would fit behind it anyway. */
function capacityFor(size: number): number {
  return size > NODE_BYTES / 2 ? size : NODE_BYTES;
}

/** A run of elements: `[start, end)` of a block of `capacity` bytes. */
class ListNode {
  constructor(
    readonly ref: number,
    readonly capacity: number,
    public start: number,
    public end: number,
    public count: number,
  ) {}
}

/** A long list: a row of blocks with room at both ends. */
export class LargeList implements HeldValue {
  length = 0;
  private readonly nodes: ListNode[] = [];

  constructor(readonly arena: Arena) {}

  get nodeCount(): number {
    return this.nodes.length;
  }

  /** Sets `into` to all elements of node `i`, packed. */
  nodeAt(i: number, into: ByteSlice): ByteSlice {
    const node = this.nodes[i]!;
    const base = offsetOf(node.ref);
    return into.set(this.bytesOf(node), base + node.start, base + node.end);
  }

  /** Takes over packed elements, leaving room before them or behind. */
  adopt(bytes: Buffer, start: number, end: number, count: number, roomInFront: boolean): void {
    const size = end - start;
    const node = this.allocate(Math.max(NODE_BYTES, size));
    node.start = roomInFront ? node.capacity - size : 0;
    node.end = node.start + size;
    node.count = count;
    copyBytes(bytes, start, end, this.bytesOf(node), offsetOf(node.ref) + node.start);
    this.nodes.push(node);
    this.length += count;
  }

  pushTail(bytes: Buffer, start: number, end: number): void {
    const size = elementSize(end - start);
    let node = this.nodes[this.nodes.length - 1];
    if (node === undefined || node.capacity - node.end < size) {
      node = this.allocate(capacityFor(size));
      this.nodes.push(node);
    }
    this.write(node, node.end, bytes, start, end);
    node.end += size;
    node.count++;
    this.length++;
  }

  pushHead(bytes: Buffer, start: number, end: number): void {
    const size = elementSize(end - start);
    let node = this.nodes[0];
    if (node === undefined || node.start < size) {
      node = this.allocate(capacityFor(size));
      node.start = node.end = node.capacity;
      this.nodes.unshift(node);
    }
    node.start -= size;
    this.write(node, node.start, bytes, start, end);
    node.count++;
    this.length++;
  }

  peekHead(into: ByteSlice): void {
    const node = this.nodes[0]!;
    const bytes = this.bytesOf(node);
    const at = offsetOf(node.ref) + node.start;
    const length = lengthAt(bytes, at);
    const start = at + headerSize(length);
    into.set(bytes, start, start + length);
  }

  peekTail(into: ByteSlice): void {
    const node = this.nodes[this.nodes.length - 1]!;
    const bytes = this.bytesOf(node);
    const at = offsetOf(node.ref) + node.end;
    const length = lengthBefore(bytes, at);
    const end = at - headerSize(length);
    into.set(bytes, end - length, end);
  }

  dropHead(count: number): void {
    let left = Math.min(count, this.length);
    this.length -= left;
    let whole = 0;
    while (left > 0 && this.nodes[whole]!.count <= left) {
      left -= this.nodes[whole]!.count;
      this.free(this.nodes[whole++]!);
    }
    if (whole > 0) this.nodes.splice(0, whole);
    if (left === 0) return;
    const node = this.nodes[0]!;
    node.count -= left;
    const bytes = this.bytesOf(node);
    const base = offsetOf(node.ref);
    for (; left > 0; left--) node.start += elementSize(lengthAt(bytes, base + node.start));
  }

  dropTail(count: number): void {
    let left = Math.min(count, this.length);
    this.length -= left;
    while (left > 0 && this.nodes[this.nodes.length - 1]!.count <= left) {
      const node = this.nodes.pop()!;
      left -= node.count;
      this.free(node);
    }
    if (left === 0) return;
    const node = this.nodes[this.nodes.length - 1]!;
    node.count -= left;
    const bytes = this.bytesOf(node);
    const base = offsetOf(node.ref);
    for (; left > 0; left--) node.end -= elementSize(lengthBefore(bytes, base + node.end));
  }

  /** Replaces the element at `index`, which is within the list. */
  set(index: number, bytes: Buffer, start: number, end: number): void {
    const i = this.nodeOf(index);
    const node = this.nodes[i]!;
    const at = this.positionIn(node, this.indexInNode);
    const into = this.bytesOf(node);
    const size = elementSize(lengthAt(into, at));
    if (size === elementSize(end - start)) {
      this.write(node, at - offsetOf(node.ref), bytes, start, end);
      return;
    }
    this.cut(node, at, size);
    this.length--;
    this.insertAt(i, at - offsetOf(node.ref), bytes, start, end);
    if (node.count === 0) this.dropNode(this.nodes.indexOf(node));
  }

  /** Inserts before the element at `index`, or at the end when `index` is the length. */
  insert(index: number, bytes: Buffer, start: number, end: number): void {
    if (index >= this.length) {
      this.pushTail(bytes, start, end);
      return;
    }
    const i = this.nodeOf(index);
    const node = this.nodes[i]!;
    this.insertAt(i, this.positionIn(node, this.indexInNode) - offsetOf(node.ref), bytes, start, end);
  }

  /** Index of the first element equal to the range, or -1. */
  indexOf(bytes: Buffer, start: number, end: number): number {
    let index = 0;
    for (const node of this.nodes) {
      const value = this.bytesOf(node);
      const base = offsetOf(node.ref);
      for (let at = base + node.start; at < base + node.end; index++) {
        const length = lengthAt(value, at);
        if (length === end - start && equalBytes(value, at + headerSize(length), bytes, start, length)) {
          return index;
        }
        at += elementSize(length);
      }
    }
    return -1;
  }

  /** Removes the elements equal to the range but for the first `skip` of them, at most `limit`. Returns how many. */
  removeEqual(bytes: Buffer, start: number, end: number, skip: number, limit: number): number {
    let removed = 0;
    let skipped = 0;
    for (let i = 0; i < this.nodes.length && removed < limit; i++) {
      const node = this.nodes[i]!;
      const base = offsetOf(node.ref);
      const value = this.bytesOf(node);
      const left = limit - removed;
      const runEnd = base + node.end;
      node.end =
        removeFromRun(value, base + node.start, runEnd, bytes, start, end, skip - skipped, left) - base;
      node.count -= removal.removed;
      removed += removal.removed;
      skipped += removal.skipped;
      if (node.count === 0) this.dropNode(i--);
    }
    this.length -= removed;
    return removed;
  }

  clone(): LargeList {
    const copy = new LargeList(this.arena);
    for (const node of this.nodes) {
      const base = offsetOf(node.ref);
      copy.adopt(this.bytesOf(node), base + node.start, base + node.end, node.count, false);
    }
    return copy;
  }

  release(): void {
    for (const node of this.nodes) this.free(node);
  }

  /** Index within its node of the element that `nodeOf` was asked for. */
  private indexInNode = 0;

  private nodeOf(index: number): number {
    let left = index;
    let i = 0;
    if (index > this.length / 2) {
      i = this.nodes.length - 1;
      left -= this.length - this.nodes[i]!.count;
      while (left < 0) left += this.nodes[--i]!.count;
      this.indexInNode = left;
      return i;
    }
    while (left >= this.nodes[i]!.count) left -= this.nodes[i++]!.count;
    this.indexInNode = left;
    return i;
  }

  private positionIn(node: ListNode, index: number): number {
    const bytes = this.bytesOf(node);
    let at = offsetOf(node.ref) + node.start;
    for (let i = 0; i < index; i++) at += elementSize(lengthAt(bytes, at));
    return at;
  }

  /** Closes the gap of an element. `length` of the list is the caller's. */
  private cut(node: ListNode, at: number, size: number): void {
    moveBytes(this.bytesOf(node), at + size, offsetOf(node.ref) + node.end, at);
    node.end -= size;
    node.count--;
  }

  /** Inserts into node `i` at a position relative to its block, splitting the node when it is full. */
  private insertAt(i: number, position: number, bytes: Buffer, start: number, end: number): void {
    const node = this.nodes[i]!;
    const size = elementSize(end - start);
    this.length++;
    const base = offsetOf(node.ref);
    const into = this.bytesOf(node);
    if (node.capacity - node.end >= size) {
      moveBytes(into, base + position, base + node.end, base + position + size);
      this.write(node, position, bytes, start, end);
      node.end += size;
      node.count++;
      return;
    }
    const made = this.allocate(capacityFor(size));
    this.write(made, 0, bytes, start, end);
    made.end = size;
    made.count = 1;
    if (position === node.start) {
      this.nodes.splice(i, 0, made);
      return;
    }
    const rest = position < node.end ? [this.splitOff(node, position)] : [];
    this.nodes.splice(i + 1, 0, made, ...rest);
  }

  /** Moves what stands from a position on into a node of its own. */
  private splitOff(node: ListNode, position: number): ListNode {
    const base = offsetOf(node.ref);
    const bytes = this.bytesOf(node);
    const right = this.allocate(capacityFor(node.end - position));
    copyBytes(bytes, base + position, base + node.end, this.bytesOf(right), offsetOf(right.ref));
    right.end = node.end - position;
    for (let at = base + position; at < base + node.end; at += elementSize(lengthAt(bytes, at)))
      right.count++;
    node.end = position;
    node.count -= right.count;
    return right;
  }

  /** Writes an element at a position relative to the node's block. */
  private write(node: ListNode, position: number, bytes: Buffer, start: number, end: number): void {
    const at = frameElement(this.bytesOf(node), offsetOf(node.ref) + position, end - start);
    this.arena.write(node.ref, at, bytes, start, end);
  }

  private allocate(capacity: number): ListNode {
    return new ListNode(this.arena.alloc(capacity), capacity, 0, 0, 0);
  }

  private dropNode(i: number): void {
    this.free(this.nodes[i]!);
    this.nodes.splice(i, 1);
  }

  private free(node: ListNode): void {
    this.arena.release(node.ref, node.capacity);
  }

  private bytesOf(node: ListNode): Buffer {
    return this.arena.chunks[node.ref >>> CHUNK_SHIFT]!;
  }
}
