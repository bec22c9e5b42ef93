import { HashLanes, hashRange } from '../../model/value-hash.js';

/** How many keys begin with the same word. */
export interface PrefixCount {
  /** Up to the separator, without it, one character per byte; '' for keys that have none. */
  readonly prefix: string;
  readonly keys: number;
}

/** Distinct prefixes that are told apart: behind that every key has its own, and they say nothing. */
const PREFIXES_MAX = 4096;
/** Longer ones are ids, not kinds of keys. */
const PREFIX_BYTES_MAX = 64;
const SLOTS = PREFIXES_MAX * 4;

/** Counts keys by what stands in front of the first separator. Makes a string for a prefix it meets first, none for a key. */
export class PrefixCounter {
  /** Keys whose prefix came when there were too many. */
  others = 0;
  private readonly names: Buffer[] = [];
  private readonly counts: number[] = [];
  private readonly slots = new Int32Array(SLOTS).fill(-1);
  private readonly lanes = new HashLanes();
  private last = -1;

  /** @param separator the byte behind a prefix */
  constructor(private readonly separator: number) {}

  add(bytes: Buffer, start: number, end: number): void {
    const limit = Math.min(end, start + PREFIX_BYTES_MAX);
    let stop = start;
    while (stop < limit && bytes[stop] !== this.separator) stop++;
    if (stop === limit) stop = start;
    const { last, counts } = this;
    if (last >= 0 && this.isAt(last, bytes, start, stop)) counts[last]!++;
    else this.find(bytes, start, stop);
  }

  private find(bytes: Buffer, start: number, stop: number): void {
    const { slots, lanes, counts, names } = this;
    hashRange(bytes, start, stop, 0, 0, lanes);
    for (let slot = (lanes.a >>> 0) % SLOTS; ; slot = (slot + 1) % SLOTS) {
      const at = slots[slot]!;
      if (at >= 0 && !this.isAt(at, bytes, start, stop)) continue;
      if (at >= 0) {
        counts[at]!++;
        this.last = at;
      } else if (names.length < PREFIXES_MAX) {
        this.last = slots[slot] = names.length;
        names.push(Buffer.from(bytes.subarray(start, stop)));
        counts.push(1);
      } else {
        this.others++;
      }
      return;
    }
  }

  private isAt(index: number, bytes: Buffer, start: number, stop: number): boolean {
    const name = this.names[index]!;
    return name.length === stop - start && name.compare(bytes, start, stop) === 0;
  }

  /** The most frequent first. */
  largest(count: number): PrefixCount[] {
    const { names, counts } = this;
    return names
      .map((name, i) => ({ prefix: name.latin1Slice(), keys: counts[i]! }))
      .sort((a, b) => b.keys - a.keys || (a.prefix < b.prefix ? -1 : 1))
      .slice(0, count);
  }

  /** Keys of one prefix; 0 for one that was not met. */
  of(prefix: string): number {
    const name = Buffer.from(prefix, 'latin1');
    const at = this.names.findIndex((each) => each.equals(name));
    return at < 0 ? 0 : this.counts[at]!;
  }
}
