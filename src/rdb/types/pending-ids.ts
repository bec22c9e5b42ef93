import type { StreamId } from '../../model/stream-id.js';

/** Ids remembered of one group; above this the group's consumers are not compared with it. */
const IDS_MAX = 4 << 20;

/** The pending entries of one consumer group, to see that each belongs to exactly one consumer. */
export class PendingIds {
  private words = new Uint32Array(256);
  private owned = new Uint8Array(64);
  private count = 0;
  private ownedCount = 0;
  /** False once there were too many to remember. */
  private complete = true;

  reset(): void {
    this.count = this.ownedCount = 0;
    this.complete = true;
  }

  /** Takes the next id; false when it does not come after the one before. */
  add(id: StreamId): boolean {
    if (this.count > 0 && this.compare(this.count - 1, id) >= 0) return false;
    if (this.count === IDS_MAX) this.complete = false;
    if (!this.complete) return true;
    if (this.count === this.owned.length) this.grow();
    const at = this.count * 4;
    this.words[at] = id.msHigh;
    this.words[at + 1] = id.msLow;
    this.words[at + 2] = id.seqHigh;
    this.words[at + 3] = id.seqLow;
    this.owned[this.count++] = 0;
    return true;
  }

  /** Gives an id to a consumer; false when the group has no such entry, or it has an owner. */
  own(id: StreamId): boolean {
    if (!this.complete) return true;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(middle, id) < 0) low = middle + 1;
      else high = middle;
    }
    if (low === this.count || this.compare(low, id) !== 0 || this.owned[low] === 1) return false;
    this.owned[low] = 1;
    this.ownedCount++;
    return true;
  }

  get allOwned(): boolean {
    return !this.complete || this.ownedCount === this.count;
  }

  private compare(entry: number, id: StreamId): number {
    const { words } = this;
    const at = entry * 4;
    return (
      words[at]! - id.msHigh ||
      words[at + 1]! - id.msLow ||
      words[at + 2]! - id.seqHigh ||
      words[at + 3]! - id.seqLow
    );
  }

  private grow(): void {
    const words = new Uint32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    const owned = new Uint8Array(this.owned.length * 2);
    owned.set(this.owned);
    this.owned = owned;
  }
}
