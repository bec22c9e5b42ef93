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
    this.bytes += bytes + raxBytes(count, APART);
  }

  /** A group with so many pending entries. */
  group(pending: number): void {
    this.bytes += GROUP + raxBytes(pending, NEXT) + PENDING * pending;
  }

  /** One more pending entry of the group told last: it is in the group's index and in its consumer's. */
  pending(): void {
    this.bytes += PENDING + 2 * (RAX_KEY + RAX_NODE);
  }

  consumer(nameLength: number, pending: number): void {
    this.bytes += CONSUMER + nameLength + raxBytes(pending, NEXT);
  }

  end(): number {
    return this.bytes;
  }
}

/** Ids that begin alike: each has a node of its own, and those far apart another where they part from the one before. */
function raxBytes(keys: number, nodesEach: number): number {
  if (keys === 0) return RAX_NODE;
  return keys * RAX_KEY + RAX_NODE * (keys === 1 ? 2 : keys * nodesEach + 1);
}

/** Nodes of a stream are far apart, pending entries next to each other. */
const APART = 1.9;
const NEXT = 1;
