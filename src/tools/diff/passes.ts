import type { ByteSlice } from '../../bytes/slice.js';
import { type Depth, type ItemHandler, ItemSink, type KeyHead, SKIP } from '../../model/handler.js';
import type { ValueKind } from '../../model/kind.js';
import type { KeyRecord } from '../../model/value.js';
import type { HashLanes } from '../../model/value-hash.js';
import type { Shortcut } from '../../rdb/shortcut.js';
import { ProducerAux } from '../family.js';
import { type KeyConditions, KeyFilter } from '../filter.js';
import { KeyGate, MetKeys, SizeGate } from '../gate.js';
import { ItemRelay, RdbRelay } from '../relay.js';
import type { DatasetListener } from '../tell-source.js';
import { HashedSide } from './hashed-side.js';
import { type Repeated, repeatedName } from './join.js';
import { CHANGED, type KeyTable, SEEN, TTL_CHANGED } from './key-table.js';
import { KINDS, type NameFinder, type Seeds } from './names.js';

/** When a key expires, in milliseconds since the epoch; NaN: never. */
export const expiryOf = (head: KeyHead): number => (head.hasExpiry ? Number(head.expiresAtMs) : Number.NaN);

/** Whoever may have to be waited for. */
export interface Pace {
  readonly full: boolean;
  drain(): Promise<void>;
}

/** The listener of one pass: filters in front, and somebody who sets the pace. */
export class Pass extends RdbRelay implements DatasetListener {
  /** Who wrote the side, as far as it says. */
  readonly producer = new ProducerAux();
  private readonly met: MetKeys;

  constructor(
    target: ItemHandler,
    conditions: KeyConditions,
    nowMs: number,
    private readonly pace: Pace | null,
    /** Takes what need not be told. */
    readonly shortcut: Shortcut | null = null,
  ) {
    const sized = conditions.minSizeBytes > 0 ? new SizeGate(target, conditions.minSizeBytes) : target;
    const filter = new KeyFilter(conditions, nowMs);
    const gated = filter.open ? sized : new KeyGate(sized, filter);
    const met = new MetKeys(gated);
    super(gated === target ? target : met);
    this.met = met;
  }

  /** Keys that came to the filters; 0 where there are none. */
  get keysMet(): number {
    return this.met.count;
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    this.producer.take(name.latin1(), value.latin1());
  }

  override get full(): boolean {
    return this.pace?.full === true;
  }

  async drain(): Promise<void> {
    await this.pace?.drain();
  }
}

/** Takes the hash of every key's name and value. */
abstract class Hashing extends HashedSide {
  /** Keys that were told. */
  told = 0;

  constructor(
    protected readonly table: KeyTable,
    protected readonly name: NameFinder,
    seeds: Seeds,
  ) {
    super(seeds);
  }

  override key(head: KeyHead): Depth {
    this.told++;
    this.name.take(head);
    return this.hasher.key(head);
  }
}

/** Takes notes of every key. */
export class Noting extends Hashing {
  constructor(
    table: KeyTable,
    name: NameFinder,
    seeds: Seeds,
    private readonly note: (head: KeyHead, value: HashLanes) => void,
  ) {
    super(table, name, seeds);
  }

  override keyEnd(head: KeyHead): void {
    this.hasher.keyEnd(head);
    this.note(head, this.hasher.value);
  }
}

/** Puts every key of one side into the table, or what is known of those that are there. */
export class Gathering extends Hashing {
  /** Keys of this side that are in the table now. */
  keys = 0;
  /** Keys whose name came before; the last one counts. */
  duplicates = 0;

  override keyEnd(head: KeyHead): void {
    const { table, hasher, name } = this;
    hasher.keyEnd(head);
    if (table.insert(name.lanes, name.third) || !table.there) this.keys++;
    else this.duplicates++;
    table.set(hasher.value, KINDS.indexOf(head.kind), expiryOf(head));
  }
}

/** How a key of the other side stands to the one in the table. */
export interface Comparison {
  readonly op: 'added' | 'changed' | 'removed';
  /** What kind it was before; null when there was none. */
  readonly kindBefore: ValueKind | null;
  readonly valueChanged: boolean;
  readonly ttlChanged: boolean;
  /** Milliseconds since the epoch; NaN: never. */
  readonly expiredBeforeMs: number;
  readonly expiresAtMs: number;
}

/** The second pass: compares every key of the other side with the table, and marks what it finds there. */
export class Comparing extends Hashing {
  same = 0;
  /** Keys that the table has, too. */
  found = 0;

  constructor(
    table: KeyTable,
    name: NameFinder,
    seeds: Seeds,
    private readonly toleranceMs: number,
    private readonly onDifference: (
      head: Pick<KeyHead, 'database' | 'key' | 'kind'>,
      comparison: Comparison,
    ) => void,
  ) {
    super(table, name, seeds);
  }

  override keyEnd(head: KeyHead): void {
    const { hasher, name } = this;
    hasher.keyEnd(head);
    this.compare(head, name.lanes, name.third, hasher.value, expiryOf(head));
  }

  /** Compares one key, whose name and value have these hashes. */
  compare(
    head: Pick<KeyHead, 'database' | 'key' | 'kind'>,
    lanes: HashLanes,
    third: number,
    value: HashLanes,
    expiresAtMs: number,
  ): void {
    const { table } = this;
    if (!table.find(lanes, third) || !table.there) {
      this.onDifference(head, {
        op: 'added',
        kindBefore: null,
        valueChanged: true,
        ttlChanged: false,
        expiredBeforeMs: Number.NaN,
        expiresAtMs,
      });
      return;
    }
    if (!table.marked(SEEN)) this.found++;
    const kindBefore = KINDS[table.kind]!;
    const expiredBeforeMs = table.expiresAtMs;
    const valueChanged = kindBefore !== head.kind || !table.hasValue(value);
    const ttlChanged = !sameTime(expiredBeforeMs, expiresAtMs, this.toleranceMs);
    table.mark(SEEN | (valueChanged ? CHANGED : 0) | (ttlChanged ? TTL_CHANGED : 0));
    if (!valueChanged && !ttlChanged) this.same++;
    else {
      this.onDifference(head, {
        op: 'changed',
        kindBefore,
        valueChanged,
        ttlChanged,
        expiredBeforeMs,
        expiresAtMs,
      });
    }
  }
}

/** How two values of a key differ that are not equal. */
export function comparisonOf(before: KeyRecord, after: KeyRecord, toleranceMs: number): Comparison {
  const time = ({ expiresAtMs }: KeyRecord): number =>
    expiresAtMs === null ? Number.NaN : Number(expiresAtMs);
  const [expiredBeforeMs, expiresAtMs] = [time(before), time(after)];
  return {
    op: 'changed',
    kindBefore: before.value.kind,
    valueChanged: true,
    ttlChanged: !sameTime(expiredBeforeMs, expiresAtMs, toleranceMs),
    expiredBeforeMs,
    expiresAtMs,
  };
}

/** Whether two times of expiry are the same; NaN: none. */
function sameTime(before: number, now: number, toleranceMs: number): boolean {
  if (Number.isNaN(before) || Number.isNaN(now)) return Number.isNaN(before) && Number.isNaN(now);
  return Math.abs(now - before) <= toleranceMs;
}

/** Which names stand several times, and how often on the side at hand. */
export interface Repeats {
  readonly names: Repeated;
  readonly side: 'before' | 'after';
}

/** A later pass over either side: hands on the keys that are wanted; of those that stand twice the last. */
export class MarkedGate extends ItemRelay {
  /** Keys met so far, those that a taker passed over left out. */
  met = 0;
  private passing = false;
  private readonly seen = new Map<string, number>();

  /**
   * `wants` is asked with the table at the key, or with false when it is not in the table. Without `lone` keys that only one
   * side has are told without what they hold.
   */
  constructor(
    target: ItemHandler,
    private readonly table: KeyTable,
    private readonly name: NameFinder,
    private readonly repeats: Repeats,
    private readonly wants: (inTable: boolean) => boolean,
    private readonly lone: boolean,
  ) {
    super(target);
  }

  override functionLibrary(_code: ByteSlice): void {}

  override key(head: KeyHead): Depth {
    const { name, table } = this;
    this.met++;
    name.take(head);
    this.passing = this.wants(table.find(name.lanes, name.third)) && this.isLast();
    if (!this.passing) return SKIP;
    const isTold = this.lone || !table.lone;
    const depth = this.target.key(head);
    return isTold ? depth : SKIP;
  }

  /** Whether the name at hand does not come again. */
  private isLast(): boolean {
    const { names, side } = this.repeats;
    if (names.size === 0) return true;
    const name = repeatedName(this.name.lanes, this.name.third);
    const times = names.get(name);
    if (times === undefined) return true;
    const seen = (this.seen.get(name) ?? 0) + 1;
    this.seen.set(name, seen);
    return seen === times[side];
  }

  override keyEnd(head: KeyHead): void {
    if (this.passing) this.target.keyEnd(head);
  }
}

/** Told of keys alone. */
export class HeadListener extends ItemSink {
  constructor(private readonly take: (head: KeyHead) => void) {
    super();
  }

  override key(head: KeyHead): Depth {
    this.take(head);
    return SKIP;
  }
}
