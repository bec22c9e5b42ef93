import type { ByteSlice } from '../../bytes/slice.js';
import { type Depth, type ItemHandler, ItemSink, type KeyHead, SKIP } from '../../model/handler.js';
import type { ValueKind } from '../../model/kind.js';
import { HashLanes, hashRange, ValueHasher } from '../../model/value-hash.js';
import { ProducerAux } from '../family.js';
import { type KeyConditions, KeyFilter } from '../filter.js';
import { KeyGate, SizeGate } from '../gate.js';
import { ItemRelay, RdbRelay } from '../relay.js';
import type { DatasetListener } from '../tell-source.js';
import { CHANGED, type KeyTable, SEEN, TTL_CHANGED } from './key-table.js';

/** Kinds by the numbers that the table keeps. */
const KINDS: readonly ValueKind[] = [
  ...(['string', 'list', 'set', 'zset', 'hash', 'stream', 'module', 'array', 'gcra', 'cron'] as const),
];

/** Seeds of one comparison, drawn anew for each: nobody can make names or values that are taken for each other. */
export interface Seeds {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Points the table at the key at hand. */
class NameFinder {
  readonly lanes = new HashLanes();
  third = 0;
  private readonly extra = new HashLanes();

  constructor(private readonly seeds: Seeds) {}

  take({ database, key }: KeyHead): void {
    const { seeds, lanes, extra } = this;
    const { bytes, start, end } = key;
    const mixed = Math.imul(database + 1, 0x9e3779b1);
    hashRange(bytes, start, end, seeds.a ^ mixed, seeds.b, lanes);
    hashRange(bytes, start, end, seeds.c ^ mixed, seeds.a, extra);
    this.third = extra.a;
  }
}

const expiryOf = (head: KeyHead): number => (head.hasExpiry ? Number(head.expiresAtMs) : Number.NaN);

/** Whoever may have to be waited for. */
export interface Pace {
  readonly full: boolean;
  drain(): Promise<void>;
}

/** The listener of one pass: filters in front, and somebody who sets the pace. */
export class Pass extends RdbRelay implements DatasetListener {
  /** Who wrote the side, as far as it says. */
  readonly producer = new ProducerAux();

  constructor(
    target: ItemHandler,
    conditions: KeyConditions,
    nowMs: number,
    private readonly pace: Pace | null,
  ) {
    const sized = conditions.minSizeBytes > 0 ? new SizeGate(target, conditions.minSizeBytes) : target;
    const filter = new KeyFilter(conditions, nowMs);
    super(filter.open ? sized : new KeyGate(sized, filter));
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
abstract class Hashing extends ItemRelay {
  /** By their whole text. */
  readonly libraries = new Map<string, Buffer>();
  protected readonly name: NameFinder;
  protected readonly hasher: ValueHasher;

  constructor(
    protected readonly table: KeyTable,
    seeds: Seeds,
  ) {
    const hasher = new ValueHasher(seeds.a, seeds.b);
    super(hasher);
    this.hasher = hasher;
    this.name = new NameFinder(seeds);
  }

  override functionLibrary(code: ByteSlice): void {
    const bytes = code.copy();
    this.libraries.set(bytes.latin1Slice(), bytes);
  }

  override key(head: KeyHead): Depth {
    this.name.take(head);
    return this.hasher.key(head);
  }
}

/** The first pass: puts every key of one side into the table. */
export class Gathering extends Hashing {
  /** Keys whose name came before; the last one counts. */
  duplicates = 0;

  override keyEnd(head: KeyHead): void {
    const { table, hasher, name } = this;
    hasher.keyEnd(head);
    if (!table.insert(name.lanes, name.third)) this.duplicates++;
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
    seeds: Seeds,
    private readonly toleranceMs: number,
    private readonly onDifference: (head: KeyHead, comparison: Comparison) => void,
  ) {
    super(table, seeds);
  }

  override keyEnd(head: KeyHead): void {
    const { table, hasher, name } = this;
    hasher.keyEnd(head);
    const expiresAtMs = expiryOf(head);
    if (!table.find(name.lanes, name.third)) {
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
    const valueChanged = kindBefore !== head.kind || !table.hasValue(hasher.value);
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

/** Whether two times of expiry are the same; NaN: none. */
export function sameTime(before: number, now: number, toleranceMs: number): boolean {
  if (Number.isNaN(before) || Number.isNaN(now)) return Number.isNaN(before) && Number.isNaN(now);
  return Math.abs(now - before) <= toleranceMs;
}

/** A later pass over either side: hands on the keys that are marked, or that no mark was set on. */
export class MarkedGate extends ItemRelay {
  private readonly name: NameFinder;
  private passing = false;

  /** `wants` is asked with the table at the key, or with false when it is not in the table. */
  constructor(
    target: ItemHandler,
    private readonly table: KeyTable,
    seeds: Seeds,
    private readonly wants: (inTable: boolean) => boolean,
  ) {
    super(target);
    this.name = new NameFinder(seeds);
  }

  override functionLibrary(_code: ByteSlice): void {}

  override key(head: KeyHead): Depth {
    this.name.take(head);
    this.passing = this.wants(this.table.find(this.name.lanes, this.name.third));
    return this.passing ? this.target.key(head) : SKIP;
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
