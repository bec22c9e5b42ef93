import { setImmediate as breathe } from 'node:timers/promises';
import type { Long } from '../../bytes/int64.js';
import { ByteSlice } from '../../bytes/slice.js';
import { compareBytes } from '../../keyspace/bytes.js';
import type { Database } from '../../keyspace/database.js';
import { KIND_NAMES } from '../../keyspace/forms.js';
import type { Keyspace } from '../../keyspace/keyspace.js';
import { Glob } from '../../model/glob.js';
import { ELEMENTS } from '../../model/handler.js';
import type { ValueKind } from '../../model/kind.js';
import type { KeyRecord, RedisValue } from '../../model/value.js';
import { ValueCollector } from '../../model/value-collector.js';
import { decodeModuleValue } from '../../rdb/modules/decode.js';
import { sizeOf } from '../history/sight.js';

/** Which keys to list, and from where. */
export interface KeyQuery {
  readonly database: number;
  /** A pattern as KEYS takes it, one character per byte; '' or `*`: all. */
  readonly match: string;
  /** Keys from this one on (`after`: behind it; `before`: the last ones in front of it); null: from the first. */
  readonly key: Buffer | null;
  readonly from: 'at' | 'after' | 'before';
  readonly count: number;
}

export interface KeySummary {
  readonly key: Buffer;
  readonly kind: ValueKind;
  /** Elements, or bytes of a string; -1: unknown. */
  readonly size: number;
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAtMs: Long | null;
}

export interface KeyPage {
  /** In the order of their bytes. */
  readonly keys: readonly KeySummary[];
  /** Keys that match, and those of them in front of the page. */
  readonly total: number;
  readonly rank: number;
}

export interface KeyView extends KeySummary {
  readonly value: RedisValue;
}

/** Keys looked at before others get their turn. */
const KEYS_AT_ONCE = 50_000;

/** Lists keys in order without sorting them all: one pass over a database gathers the few of a page. */
export class KeyList {
  private readonly slice = new ByteSlice();

  constructor(private readonly keyspace: Keyspace) {}

  /** Null when the signal ended it. The keyspace must not change meanwhile. */
  async page(query: KeyQuery, signal?: AbortSignal): Promise<KeyPage | null> {
    const { database, key, from, count } = query;
    const db = this.keyspace.database(database);
    const pass = new Pass(db, query, new Nearest(count, from === 'before'));
    for (let entry = 0; entry < db.entriesEnd; entry += KEYS_AT_ONCE) {
      if (entry > 0) await breathe();
      if (signal?.aborted === true) return null;
      pass.look(entry, Math.min(db.entriesEnd, entry + KEYS_AT_ONCE));
    }
    const { chosen, total, inFront } = pass;
    const keys = chosen.sorted().map((entry) => this.summary(db, entry));
    const rank = from === 'before' ? (key === null ? total : inFront) - keys.length : inFront;
    return { keys, total, rank };
  }

  value(database: number, key: Buffer): KeyView | null {
    const db = this.keyspace.database(database);
    const entry = db.find(key, 0, key.length);
    if (entry < 0) return null;
    let record: KeyRecord | null = null;
    const collector = new ValueCollector((each) => (record = each), decodeModuleValue, ELEMENTS);
    this.keyspace.walk(collector).tellOne(database, entry);
    return { ...this.summary(db, entry), value: (record as unknown as KeyRecord).value };
  }

  summary(db: Database, entry: number): KeySummary {
    return {
      key: db.keyAt(entry, this.slice).copy(),
      kind: KIND_NAMES[db.kindAt(entry)]!,
      size: sizeOf(db, entry, this.slice),
      expiresAtMs: db.hasExpiry(entry) ? db.expiryAt(entry) : null,
    };
  }
}

/** One walk past all keys of a database. */
class Pass {
  total = 0;
  inFront = 0;
  private readonly glob: Glob | null;
  private readonly slice = new ByteSlice();

  constructor(
    private readonly db: Database,
    private readonly query: KeyQuery,
    readonly chosen: Nearest,
  ) {
    const { match } = query;
    this.glob = match === '' || match === '*' ? null : new Glob(match);
  }

  look(first: number, end: number): void {
    const { db, glob, slice } = this;
    const { key, from } = this.query;
    for (let entry = first; entry < end; entry++) {
      if (!db.isLive(entry)) continue;
      db.keyAt(entry, slice);
      if (glob !== null && !glob.matches(slice.bytes, slice.start, slice.end)) continue;
      this.total++;
      const order = key === null ? 1 : compareBytes(slice.bytes, slice.start, slice.end, key, 0, key.length);
      if (order < 0 || (order === 0 && from === 'after')) this.inFront++;
      const isMeant = from === 'before' ? key === null || order < 0 : from === 'at' ? order >= 0 : order > 0;
      if (isMeant) this.chosen.offer(slice.bytes, slice.start, slice.end, entry);
    }
  }
}

/** The least keys of those offered, or the greatest. */
class Nearest {
  private readonly found: { key: Buffer; entry: number }[] = [];

  constructor(
    private readonly count: number,
    private readonly greatest: boolean,
  ) {}

  offer(bytes: Buffer, start: number, end: number, entry: number): void {
    const { found, count } = this;
    if (count === 0) return;
    // Kept in order, the next to go last: most keys are turned away by one comparison.
    if (found.length === count && !this.isNearer(bytes, start, end, found[count - 1]!.key)) return;
    let low = 0;
    let high = found.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.isNearer(bytes, start, end, found[middle]!.key)) high = middle;
      else low = middle + 1;
    }
    found.splice(low, 0, { key: Buffer.from(bytes.subarray(start, end)), entry });
    if (found.length > count) found.pop();
  }

  /** Entries in the order of their keys. */
  sorted(): number[] {
    const entries = this.found.map(({ entry }) => entry);
    return this.greatest ? entries.reverse() : entries;
  }

  private isNearer(bytes: Buffer, start: number, end: number, key: Buffer): boolean {
    const order = compareBytes(bytes, start, end, key, 0, key.length);
    return this.greatest ? order > 0 : order < 0;
  }
}
