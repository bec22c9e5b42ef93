import { setImmediate as breathe } from 'node:timers/promises';
import { ByteSlice } from '../../bytes/slice.js';
import { compareBytes } from '../../keyspace/bytes.js';
import type { Database } from '../../keyspace/database.js';
import { inSideTable, STRING } from '../../keyspace/forms.js';
import type { Keyspace } from '../../keyspace/keyspace.js';
import { ELEMENTS } from '../../model/handler.js';
import type { KeyRecord, RedisValue } from '../../model/value.js';
import { ValueCollector } from '../../model/value-collector.js';
import { changesBetween } from '../history/changes.js';
import { KeyList, type KeySummary } from './key-list.js';

/** A key that is not the same in two datasets. */
export interface KeyDifference {
  readonly op: 'added' | 'removed' | 'changed';
  readonly database: number;
  readonly key: Buffer;
  /** Null: not there. */
  readonly before: KeySummary | null;
  readonly after: KeySummary | null;
}

export interface Comparison {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly same: number;
  /** By database and key; the first of them, when they are many. */
  readonly differences: readonly KeyDifference[];
}

const LISTED = 100_000;
/** Keys looked at before others get their turn. */
const KEYS_AT_ONCE = 20_000;

/** What there is in `after` that is not so in `before`: keys, values and expiries. */
export async function compareKeyspaces(
  before: Keyspace,
  after: Keyspace,
  signal?: AbortSignal,
): Promise<Comparison | null> {
  const comparer = new Comparer(before, after);
  const indexes = new Set([...before.indexes(), ...after.indexes()]);
  for (const index of [...indexes].sort((a, b) => a - b)) {
    for (const reversed of [false, true]) {
      const end = (reversed ? before : after).database(index).entriesEnd;
      for (let entry = 0; entry < end; entry += KEYS_AT_ONCE) {
        comparer.compare(index, entry, Math.min(end, entry + KEYS_AT_ONCE), reversed);
        await breathe();
        if (signal?.aborted === true) return null;
      }
    }
  }
  return comparer.result();
}

class Comparer {
  private readonly counts = { added: 0, removed: 0, changed: 0, same: 0 };
  private readonly differences: KeyDifference[] = [];
  private readonly slice = new ByteSlice();
  private readonly left: ValueReader;
  private readonly right: ValueReader;

  constructor(
    private readonly before: Keyspace,
    private readonly after: Keyspace,
  ) {
    this.left = new ValueReader(before);
    this.right = new ValueReader(after);
  }

  /** Entries `from` to `to` of one side: of `after` all, of `before` those that are gone. */
  compare(index: number, from: number, to: number, gone: boolean): void {
    const here = (gone ? this.before : this.after).database(index);
    const there = (gone ? this.after : this.before).database(index);
    for (let entry = from; entry < to; entry++) {
      if (!here.isLive(entry)) continue;
      const { bytes, start, end } = here.keyAt(entry, this.slice);
      const other = there.find(bytes, start, end);
      if (gone) {
        if (other < 0) this.note('removed', index, this.left.list.summary(here, entry), null);
      } else if (other < 0) {
        this.note('added', index, null, this.right.list.summary(here, entry));
      } else if (this.isSame(index, there, other, here, entry)) {
        this.counts.same++;
      } else {
        const summaries = [
          this.left.list.summary(there, other),
          this.right.list.summary(here, entry),
        ] as const;
        this.note('changed', index, ...summaries);
      }
    }
  }

  result(): Comparison {
    this.differences.sort((a, b) => a.database - b.database || a.key.compare(b.key));
    return { ...this.counts, differences: this.differences };
  }

  private isSame(index: number, a: Database, entryA: number, b: Database, entryB: number): boolean {
    if (a.kindAt(entryA) !== b.kindAt(entryB)) return false;
    if (a.hasExpiry(entryA) !== b.hasExpiry(entryB)) return false;
    if (a.hasExpiry(entryA) && a.expiryAt(entryA) !== b.expiryAt(entryB)) return false;
    const form = a.formAt(entryA);
    if (form === b.formAt(entryB) && !inSideTable(form)) {
      const order = compareBytes(
        a.packedBytes(entryA),
        a.packedStart(entryA),
        a.packedEnd(entryA),
        b.packedBytes(entryB),
        b.packedStart(entryB),
        b.packedEnd(entryB),
      );
      if (order === 0) return true;
      if (a.kindAt(entryA) === STRING) return false;
    }
    return changesBetween(this.left.value(index, entryA), this.right.value(index, entryB)) === null;
  }

  private note(
    op: KeyDifference['op'],
    database: number,
    before: KeySummary | null,
    after: KeySummary | null,
  ): void {
    this.counts[op]++;
    if (this.differences.length >= LISTED) return;
    this.differences.push({ op, database, key: (after ?? before)!.key, before, after });
  }
}

class ValueReader {
  readonly list: KeyList;
  private record: KeyRecord | null = null;
  private readonly walk: ReturnType<Keyspace['walk']>;

  constructor(keyspace: Keyspace) {
    this.list = new KeyList(keyspace);
    this.walk = keyspace.walk(new ValueCollector((record) => (this.record = record), undefined, ELEMENTS));
  }

  value(index: number, entry: number): RedisValue {
    this.walk.tellOne(index, entry);
    return this.record!.value;
  }
}
