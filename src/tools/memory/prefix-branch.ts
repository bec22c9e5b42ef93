import type { SeparatorRanks } from './key-segment.js';

/** A key that came before it was clear what separates the names of its group. */
export interface HeldKey {
  /** The name behind the prefix of the group. */
  readonly rest: Uint8Array;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly expires: boolean;
}

const NO_RANKS: SeparatorRanks = new Uint8Array(0);
const CROWDED = 256;
/** A table of children starts this large. */
const SLOTS = 4;

/** One group of a `PrefixTree`: what it counted, and its children by name in a hash table. */
export class PrefixBranch {
  keys = 0;
  fileBytes = 0;
  memoryBytes = 0;
  withExpiry = 0;
  /** Keys held back; null once the names are parted by `ranks`. */
  held: HeldKey[] | null = [];
  ranks = NO_RANKS;
  /** Every digit in names below is a number. */
  foldsDigits = false;
  /** Names below that are not known by now are names of things. */
  closed = false;
  /** Children at which to ask whether there are too many. */
  crowded = CROWDED;
  childCount = 0;
  private table: (PrefixBranch | null)[] = [];

  constructor(
    /** The segment that leads here, with its separator. */
    readonly name: Uint8Array,
    readonly hash: number,
    /** Names go on behind this one. */
    readonly isOpen: boolean,
  ) {}

  /** By what groups are compared: keys count where nobody knows bytes. */
  get weight(): number {
    return this.memoryBytes + this.keys;
  }

  count(keys: number, fileBytes: number, memoryBytes: number, withExpiry: number): void {
    this.keys += keys;
    this.fileBytes += fileBytes;
    this.memoryBytes += memoryBytes;
    this.withExpiry += withExpiry;
  }

  find(name: Uint8Array, length: number, hash: number): PrefixBranch | null {
    const { table } = this;
    if (table.length === 0) return null;
    const mask = table.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const child = table[slot]!;
      if (child === null) return null;
      if (child.hash === hash && isSame(child.name, name, length)) return child;
    }
  }

  adopt(child: PrefixBranch): void {
    this.childCount++;
    if (this.childCount * 2 > this.table.length) {
      const children = [...this.children()];
      this.table = new Array(Math.max(SLOTS, this.table.length * 2)).fill(null);
      for (const each of children) this.place(each);
    }
    this.place(child);
  }

  *children(): Generator<PrefixBranch, void, void> {
    for (const child of this.table) if (child !== null) yield child;
  }

  /** Lets go of all children. */
  abandon(): void {
    this.table = [];
    this.childCount = 0;
  }

  /** The same group under another name. */
  renamed(name: Uint8Array, hash: number): PrefixBranch {
    const other = new PrefixBranch(name, hash, this.isOpen);
    other.count(this.keys, this.fileBytes, this.memoryBytes, this.withExpiry);
    other.held = this.held;
    other.ranks = this.ranks;
    other.foldsDigits = this.foldsDigits;
    other.closed = this.closed;
    other.crowded = this.crowded;
    other.childCount = this.childCount;
    other.table = this.table;
    return other;
  }

  private place(child: PrefixBranch): void {
    const mask = this.table.length - 1;
    let slot = child.hash & mask;
    while (this.table[slot] !== null) slot = (slot + 1) & mask;
    this.table[slot] = child;
  }
}

function isSame(a: Uint8Array, b: Uint8Array, length: number): boolean {
  if (a.length !== length) return false;
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}
