import type { Long } from '../../bytes/int64.js';
import { ByteSlice } from '../../bytes/slice.js';
import type { Database } from '../../keyspace/database.js';
import { HASH_KIND, KIND_NAMES, LIST, SET, STREAM, STRING, ZSET } from '../../keyspace/forms.js';
import { hashSize } from '../../keyspace/hashes.js';
import type { Keyspace } from '../../keyspace/keyspace.js';
import { listLength } from '../../keyspace/lists.js';
import { setSize } from '../../keyspace/sets.js';
import type { StreamValue } from '../../keyspace/stream/stream.js';
import type { Walk } from '../../keyspace/walk.js';
import { zsetSize } from '../../keyspace/zsets.js';
import { ELEMENTS } from '../../model/handler.js';
import type { ValueKind } from '../../model/kind.js';
import type { RedisValue } from '../../model/value.js';
import { ValueCollector } from '../../model/value-collector.js';
import type { CommandSpans } from '../../resp/command.js';
import { changesBetween, type ValueChanges } from './changes.js';
import { type Probe, probeFor } from './probe.js';

/** A key at a moment. */
export interface KeyState {
  readonly kind: ValueKind;
  /** Elements, fields, members or entries; bytes of a string; -1 of what has no such count. */
  readonly size: number;
  /** Milliseconds since the epoch; null: the key has no TTL. */
  readonly expiresAtMs: Long | null;
  /** Null for a large collection, of which a command changed a part: the changes tell it. */
  readonly value: RedisValue | null;
}

/** What a command did to a key. */
export interface KeyChange {
  readonly before: KeyState | null;
  readonly after: KeyState | null;
  /** Null: the value stayed as it was, and only the TTL changed. */
  readonly changes: ValueChanges | null;
}

/** Collections of more elements than this are not taken as a whole where a command says which elements it means. */
const WHOLE_MAX = 256;

/** Looks at keys of one keyspace. */
export class Sights {
  private taken: RedisValue | null = null;
  private readonly collector = new ValueCollector(({ value }) => (this.taken = value), undefined, ELEMENTS);
  private readonly walk: Walk;
  private readonly slice = new ByteSlice();

  constructor(private readonly keyspace: Keyspace) {
    this.walk = keyspace.walk(this.collector);
  }

  /** The key as it is now; `command` is about to be executed, null: something that is no command. */
  take(database: number, key: Buffer, command: CommandSpans | null): Sight {
    const db = this.keyspace.database(database);
    const entry = db.find(key, 0, key.length);
    if (entry < 0) return new Sight(database, key, null, null);
    const size = sizeOf(db, entry, this.slice);
    const probe =
      command === null || db.kindAt(entry) === STRING || size <= WHOLE_MAX
        ? null
        : probeFor(command, db, entry, key);
    const value = probe === null ? this.valueOf(database, entry) : null;
    return new Sight(database, key, stateOf(db, entry, size, value), probe);
  }

  /** What became of a key since a sight of it; null: nothing. */
  since({ database, key, before, probe }: Sight): KeyChange | null {
    const db = this.keyspace.database(database);
    const entry = db.find(key, 0, key.length);
    if (entry < 0) return before === null ? null : { before, after: null, changes: { kind: 'whole' } };
    const size = sizeOf(db, entry, this.slice);
    const kind = KIND_NAMES[db.kindAt(entry)];
    const probed = probe !== null && before?.kind === kind ? probe.changes(db, entry) : undefined;
    const value = probed === undefined ? this.valueOf(database, entry) : null;
    const after = stateOf(db, entry, size, value);
    const changes = probed === undefined ? valueChanges(before, value!) : probed;
    if (changes === null && before?.expiresAtMs === after.expiresAtMs) return null;
    return { before, after, changes };
  }

  private valueOf(database: number, entry: number): RedisValue {
    this.walk.tellOne(database, entry);
    return this.taken!;
  }
}

/** A key before a command. */
export class Sight {
  constructor(
    readonly database: number,
    readonly key: Buffer,
    readonly before: KeyState | null,
    readonly probe: Probe | null,
  ) {}
}

function valueChanges(before: KeyState | null, value: RedisValue): ValueChanges | null {
  const old = before?.value ?? null;
  return old === null ? { kind: 'whole' } : changesBetween(old, value);
}

function stateOf(db: Database, entry: number, size: number, value: RedisValue | null): KeyState {
  return {
    kind: KIND_NAMES[db.kindAt(entry)]!,
    size,
    expiresAtMs: db.hasExpiry(entry) ? db.expiryAt(entry) : null,
    value,
  };
}

/** Elements of a key's value, or bytes of a string; -1 where neither is known. */
export function sizeOf(db: Database, entry: number, slice: ByteSlice): number {
  switch (db.kindAt(entry)) {
    case STRING:
      return db.getString(entry, slice).length;
    case LIST:
      return listLength(db, entry);
    case SET:
      return setSize(db, entry);
    case ZSET:
      return zsetSize(db, entry);
    case HASH_KIND:
      return hashSize(db, entry);
    case STREAM:
      return (db.objectAt(entry) as StreamValue).length;
    default:
      return -1;
  }
}
