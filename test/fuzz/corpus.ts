import type { Random } from '../support/random.js';

interface Entry {
  readonly bytes: Buffer;
  /** Edges that ran with it. */
  readonly ran: Uint32Array;
  /** Of those, for how many it is the smallest input. */
  best: number;
}

const ENTRIES_MAX = 3000;

/** Inputs of one target that reached something: those are changed again that are the smallest to reach a place. */
export class Corpus {
  private entries: Entry[] = [];
  private readonly smallest = new Map<number, Entry>();
  private favoured: Entry[] = [];
  private isStale = false;

  get size(): number {
    return this.entries.length;
  }

  add(bytes: Buffer, ran: readonly number[]): void {
    const entry = { bytes, ran: Uint32Array.from(ran), best: 0 };
    this.entries.push(entry);
    for (const edge of entry.ran) {
      const before = this.smallest.get(edge);
      if (before !== undefined && before.bytes.length <= bytes.length) continue;
      if (before !== undefined) before.best--;
      entry.best++;
      this.smallest.set(edge, entry);
    }
    this.isStale = true;
    if (this.entries.length > ENTRIES_MAX) this.cull();
  }

  pick(random: Random): Buffer {
    if (this.isStale && (this.favoured.length === 0 || random.once(32))) this.choose();
    const { entries, favoured } = this;
    const kind = random.below(10);
    if (kind < 3) return entries[entries.length - 1 - random.below(Math.min(32, entries.length))]!.bytes;
    // Where no input reaches anything none is the smallest to do so.
    return random.pick(kind < 9 && favoured.length > 0 ? favoured : entries).bytes;
  }

  /** The inputs without which a place would not be reached. */
  minimal(): Buffer[] {
    return this.entries.filter(({ best }) => best > 0).map(({ bytes }) => bytes);
  }

  private choose(): void {
    this.favoured = this.entries.filter(({ best }) => best > 0);
    this.isStale = false;
  }

  private cull(): void {
    // The newest stay: what they found anew in numbers is not counted in `best`.
    const keep = this.entries.length - ENTRIES_MAX / 4;
    this.entries = this.entries.filter(({ best }, i) => best > 0 || i > keep);
  }
}
