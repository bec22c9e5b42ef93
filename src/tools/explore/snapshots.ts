import type { LogPlace } from '../../aof/log.js';
import type { Keyspace } from '../../keyspace/keyspace.js';
import { type Snapshot, SnapshotStore } from '../../keyspace/snapshot.js';

/** A keyspace at a place of the log. */
export interface Kept {
  readonly place: LogPlace;
  /** Bytes of the log before it. */
  readonly bytes: number;
  readonly snapshot: Snapshot;
}

/** An object beside the pages takes about so many bytes. */
const OBJECT_BYTES = 100;
/** What is left free for a keyspace to grow into. */
const MARGIN = 0.1;

/** The snapshots of one log: as many as memory allows, spread over it. */
export class SnapshotRow {
  readonly store = new SnapshotStore();
  private readonly kept: Kept[] = [];

  /** `memoryBytes` for the whole process, `heldBytes` what it holds now. */
  constructor(
    private readonly memoryBytes: number,
    private readonly heldBytes: () => number,
  ) {}

  get length(): number {
    return this.kept.length;
  }

  /** Bytes the snapshots take. */
  get bytes(): number {
    let objects = 0;
    for (const { snapshot } of this.kept) objects += snapshot.objects;
    return this.store.pool.usedBytes + objects * OBJECT_BYTES;
  }

  /** The last one at or before a position. */
  before(number: number): Kept | null {
    let found: Kept | null = null;
    for (const each of this.kept) if (each.place.number <= number) found = each;
    return found;
  }

  /** Keeps the keyspace as it is, if there is room. */
  add(keyspace: Keyspace, place: LogPlace, bytes: number): void {
    if (this.before(place.number)?.place.number === place.number) return;
    const snapshot = this.store.take(keyspace);
    const at = this.kept.findIndex((each) => each.place.number > place.number);
    this.kept.splice(at < 0 ? this.kept.length : at, 0, { place, bytes, snapshot });
    this.thin();
  }

  /** Gives up snapshots until the process holds what it may. */
  thin(): void {
    while (this.kept.length > 0 && this.isTight()) this.drop(this.leastUseful());
  }

  clear(): void {
    while (this.kept.length > 0) this.drop(this.kept.length - 1);
  }

  private isTight(): boolean {
    const { pool } = this.store;
    const others = Math.max(0, this.heldBytes() - pool.heldBytes);
    return others + pool.usedBytes > this.memoryBytes * (1 - MARGIN);
  }

  /**
   * The one without which the longest way from a snapshot grows least. The first stands for the base of the log, which
   * takes long to read: it goes last.
   */
  private leastUseful(): number {
    let best = this.kept.length - 1;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 1; i < this.kept.length - 1; i++) {
      const way = this.kept[i + 1]!.bytes - this.kept[i - 1]!.bytes;
      if (way < least) {
        least = way;
        best = i;
      }
    }
    return best;
  }

  private drop(i: number): void {
    const [gone] = this.kept.splice(i, 1);
    this.store.drop(gone!.snapshot);
  }
}
