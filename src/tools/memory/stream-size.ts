import { OBJECT } from './allocation.js';

const STREAM = 80;
const GROUP = 40;
const CONSUMER = 40;
const PENDING = 32;
/** What a server counts for a node of a radix tree, and for the key that is in it. */
const RAX_NODE = 4 + 8 * 30;
const RAX_KEY = 16;

/** Counts what the parts of a stream take in a server. */
export class StreamSize {
  private bytes = 0;

  begin(): void {
    this.bytes = OBJECT + STREAM;
  }

  /** Its entries stand in so many packed nodes of so many bytes in all. */
  nodes(count: number, bytes: number): void {
    this.bytes += bytes + raxBytes(count);
  }

  /** A group with so many pending entries. */
  group(pending: number): void {
    this.bytes += GROUP + raxBytes(pending) + PENDING * pending;
  }

  /** One more pending entry of the group told last: it is in the group's index and in its consumer's. */
  pending(): void {
    this.bytes += PENDING + 2 * (RAX_KEY + RAX_NODE);
  }

  consumer(nameLength: number, pending: number): void {
    this.bytes += CONSUMER + nameLength + raxBytes(pending);
  }

  end(): number {
    return this.bytes;
  }
}

/** Keys that are ids, and so begin alike: each has a node of its own, and another where it parts from those before. */
function raxBytes(keys: number): number {
  return keys === 0 ? RAX_NODE : keys * RAX_KEY + RAX_NODE * (keys === 1 ? 2 : keys * 1.07 + 2);
}
