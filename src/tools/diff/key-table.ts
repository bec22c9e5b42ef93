import type { HashLanes } from '../../model/value-hash.js';

const PARTITIONS = 256;
const CAPACITY_FIRST = 64;
/** How full a partition may be, and how much larger it grows: between 34 and 43 bytes a key. */
const LOAD_MAX = 0.85;
const GROWTH = 1.25;

/** Bytes of a place: five words, a time, and what kind of value with what is known of it. */
export const PLACE_BYTES = 5 * 4 + 8 + 1;

/** In the last byte of a place: the kind below, what became of the key above. */
export const KIND_MASK = 0x0f;
/** In the place of a kind: the first side does not have the key, as far as is known. */
const NO_KIND = 0x0f;
/** The same: only one side has it, so that its value does not matter. */
const LONE_KIND = 0x0e;
export const SEEN = 0x10;
export const CHANGED = 0x20;
/** Only the TTL is another. */
export const TTL_CHANGED = 0x40;
const TAKEN = 0x80;

/** One part of the table: columns of words, so that a key costs its bytes and no object. */
class Partition {
  used = 0;
  nameA = new Int32Array(CAPACITY_FIRST);
  nameB = new Int32Array(CAPACITY_FIRST);
  nameC = new Int32Array(CAPACITY_FIRST);
  valueA = new Int32Array(CAPACITY_FIRST);
  valueB = new Int32Array(CAPACITY_FIRST);
  expiry = new Float64Array(CAPACITY_FIRST);
  state = new Uint8Array(CAPACITY_FIRST);

  get capacity(): number {
    return this.state.length;
  }

  /** The place of a name, or ~place where it would go. */
  find(a: number, b: number, c: number): number {
    const { state, nameA, nameB, nameC } = this;
    const { length } = state;
    for (let place = homeOf(a, b, length); ; place = place + 1 === length ? 0 : place + 1) {
      if (state[place] === 0) return ~place;
      if (nameB[place] === b && nameA[place] === a && nameC[place] === c) return place;
    }
  }

  grow(): void {
    const { nameA, nameB, nameC, valueA, valueB, expiry, state } = this;
    const capacity = Math.ceil(state.length * GROWTH);
    this.nameA = new Int32Array(capacity);
    this.nameB = new Int32Array(capacity);
    this.nameC = new Int32Array(capacity);
    this.valueA = new Int32Array(capacity);
    this.valueB = new Int32Array(capacity);
    this.expiry = new Float64Array(capacity);
    this.state = new Uint8Array(capacity);
    for (let from = 0; from < state.length; from++) {
      if (state[from] === 0) continue;
      const place = ~this.find(nameA[from]!, nameB[from]!, nameC[from]!);
      this.nameA[place] = nameA[from]!;
      this.nameB[place] = nameB[from]!;
      this.nameC[place] = nameC[from]!;
      this.valueA[place] = valueA[from]!;
      this.valueB[place] = valueB[from]!;
      this.expiry[place] = expiry[from]!;
      this.state[place] = state[from]!;
    }
  }
}

/**
 * A name spread over `length` places without a division. Names come in the order of their second word's first byte: by it,
 * all that are there at any time would stand in one stretch of the places, and each new one behind them.
 */
function homeOf(a: number, b: number, length: number): number {
  return Math.floor((((b << 8) | (a >>> 24)) >>> 0) * (length / 4294967296));
}

/**
 * What is known of each key of one side: three words of its name, two of its value, its time of expiry, its kind. `find` and
 * `insert` point the cursor at a place, which the other methods then read and write.
 */
export class KeyTable {
  size = 0;
  /** Whether the first and the second side may have any of the names. */
  readonly sides = [false, false];
  private readonly partitions = Array.from({ length: PARTITIONS }, () => new Partition());
  private at = this.partitions[0]!;
  private place = 0;

  /** Points at a name; false when it is not there. */
  find(name: HashLanes, third: number): boolean {
    this.at = this.partitions[name.a & (PARTITIONS - 1)]!;
    this.place = this.at.find(name.a, name.b, third);
    return this.place >= 0;
  }

  /** Points at a name, which is there then; false when it was before. */
  insert(name: HashLanes, third: number): boolean {
    if (this.find(name, third)) return false;
    if (this.at.used >= this.at.capacity * LOAD_MAX) {
      this.at.grow();
      this.find(name, third);
    }
    const { at } = this;
    const place = (this.place = ~this.place);
    at.used++;
    this.size++;
    at.nameA[place] = name.a;
    at.nameB[place] = name.b;
    at.nameC[place] = third;
    return true;
  }

  /** `expiresAtMs` NaN: never. */
  set(value: HashLanes, kind: number, expiresAtMs: number): void {
    const { at, place } = this;
    at.valueA[place] = value.a;
    at.valueB[place] = value.b;
    at.expiry[place] = expiresAtMs;
    at.state[place] = TAKEN | kind;
  }

  /** Says that nothing is known yet of the name that was inserted. */
  setUnknown(): void {
    this.at.state[this.place] = TAKEN | NO_KIND;
  }

  /** Says that only one side has the name that was inserted, and there is nothing to compare it with. */
  setLone(): void {
    this.at.state[this.place] = TAKEN | LONE_KIND;
  }

  /** Whether that was said, and the key has not come yet. */
  get lone(): boolean {
    return this.kind === LONE_KIND;
  }

  /** Whether the first side has the key, as far as is known. */
  get there(): boolean {
    return this.kind < LONE_KIND;
  }

  /** Tells the three words of every name. */
  forEachName(take: (a: number, b: number, c: number) => void): void {
    for (const { state, nameA, nameB, nameC } of this.partitions) {
      for (let place = 0; place < state.length; place++) {
        if (state[place] !== 0) take(nameA[place]!, nameB[place]!, nameC[place]!);
      }
    }
  }

  hasValue(value: HashLanes): boolean {
    return this.at.valueA[this.place] === value.a && this.at.valueB[this.place] === value.b;
  }

  get kind(): number {
    return this.at.state[this.place]! & KIND_MASK;
  }

  get expiresAtMs(): number {
    return this.at.expiry[this.place]!;
  }

  mark(flags: number): void {
    this.at.state[this.place]! |= flags;
  }

  marked(flags: number): boolean {
    return (this.at.state[this.place]! & flags) !== 0;
  }

  /** Bytes of all places. */
  get bytes(): number {
    return this.partitions.reduce((sum, { capacity }) => sum + capacity * PLACE_BYTES, 0);
  }
}
