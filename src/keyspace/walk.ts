import { ByteSlice, sliceOf } from '../bytes/slice.js';
import { END, PAUSE } from '../bytes/window.js';
import { type Depth, type ItemHandler, KeyHead, SKIP } from '../model/handler.js';
import type { ValueKind } from '../model/kind.js';
import { TYPE_MODULE_2 } from '../rdb/constants.js';
import { VECTOR_SET_NAME } from '../rdb/types/vector-set.js';
import { isOpaque, isPortable, moduleOf, type PortableKind, ValueTeller } from '../rdb/value-teller.js';
import type { ArrayValue } from './array/array.js';
import type { Database } from './database.js';
import {
  ARRAY,
  GCRA,
  HASH_KIND,
  KIND_NAMES,
  LIST,
  SET,
  STREAM,
  STRING,
  VECTOR_SET_OBJECT,
  ZSET,
} from './forms.js';
import type { GcraValue } from './gcra-value.js';
import { HashCursor, hasFieldExpiries, hashSize } from './hashes.js';
import type { Keyspace } from './keyspace.js';
import { ListCursor, listLength } from './lists.js';
import type { OpaqueValue } from './opaque-value.js';
import { SetCursor, setSize } from './sets.js';
import type { StreamValue } from './stream/stream.js';
import type { VectorSet } from './vectorset/value.js';
import { ZsetView, zsetSize } from './zsets.js';

/** Records of so many keys are asked for at a time: one by one each would be waited for. */
const AHEAD = 64;

/**
 * Tells a keyspace to a handler: functions, then databases ascending, keys in no particular order, sorted sets in their
 * order. The keyspace must not change meanwhile.
 */
export class Walk {
  private readonly indexes: readonly number[];
  private place = -1;
  private entry = 0;
  private db: Database;
  private readonly head = new KeyHead();
  private readonly slice = new ByteSlice();
  private readonly list = new ListCursor();
  private readonly set = new SetCursor();
  private readonly hash = new HashCursor();
  private readonly zset = new ZsetView();
  private readonly opaque = new ValueTeller();

  constructor(
    private readonly keyspace: Keyspace,
    private readonly handler: ItemHandler,
  ) {
    this.indexes = keyspace.indexes();
    this.db = keyspace.scratch;
  }

  /** Goes on until all is told, END, or until the handler is `full` after a key, PAUSE. */
  run(): typeof PAUSE | typeof END {
    const handler = this.handler as ItemHandler & { readonly full?: boolean };
    if (this.place < 0) this.begin();
    for (; this.place < this.indexes.length; this.nextDatabase()) {
      const { db } = this;
      while (this.entry < db.entriesEnd) {
        const entry = this.entry++;
        if (entry % AHEAD === 0) db.table.touch(entry, Math.min(entry + AHEAD, db.entriesEnd));
        if (!db.isLive(entry)) continue;
        this.tellKey(db, entry);
        if (handler.full === true) return PAUSE;
      }
    }
    return END;
  }

  /** Tells one key, by its entry in the database of that number. */
  tellOne(index: number, entry: number): void {
    this.head.database = index;
    this.tellKey(this.keyspace.database(index), entry);
  }

  private begin(): void {
    for (const code of this.keyspace.functions.values()) {
      this.handler.functionLibrary(this.slice.set(code, 0, code.length));
    }
    this.nextDatabase();
  }

  private nextDatabase(): void {
    this.place++;
    this.entry = 0;
    const index = this.indexes[this.place];
    if (index === undefined) return;
    this.db = this.keyspace.database(index);
    this.head.database = index;
    this.handler.database(index);
  }

  private tellKey(db: Database, entry: number): void {
    const { head, handler } = this;
    const kind = db.kindAt(entry);
    db.keyAt(entry, head.key);
    head.kind = KIND_NAMES[kind]!;
    head.hasExpiry = db.hasExpiry(entry);
    head.expiresAtMs = head.hasExpiry ? db.expiryAt(entry) : 0;
    this.describeOpaque(db, entry, head.kind);
    head.fieldsExpire = kind === HASH_KIND && hasFieldExpiries(db, entry);
    head.encoding = ENCODINGS[db.formAt(entry)]!;
    head.count = countOf(db, entry, kind);
    const depth = handler.key(head);
    if (depth !== SKIP) this.tellValue(db, entry, kind, depth);
    handler.keyEnd(head);
    const members = db.memberExpiries.of(entry);
    if (members === null || handler.memberExpiry === undefined) return;
    for (const [member, expiresAtMs] of members) handler.memberExpiry(sliceOf(member), expiresAtMs);
  }

  private describeOpaque(db: Database, entry: number, kind: ValueKind): void {
    const { head } = this;
    head.typeId = -1;
    head.moduleName = '';
    head.moduleVersion = 0;
    head.opaque = false;
    if (!isPortable(kind)) return;
    if (db.formAt(entry) === VECTOR_SET_OBJECT) {
      head.typeId = TYPE_MODULE_2;
      head.moduleName = VECTOR_SET_NAME;
      return;
    }
    const { typeId, bytes } = db.objectAt(entry) as OpaqueValue;
    head.typeId = typeId;
    const { name, version } = moduleOf(kind, bytes);
    head.moduleName = name;
    head.moduleVersion = version;
    head.opaque = isOpaque(kind, bytes);
  }

  private tellValue(db: Database, entry: number, kind: number, depth: Depth): void {
    const { handler, slice } = this;
    if (kind === STRING) handler.text(db.getString(entry, slice));
    else if (kind === LIST) this.tellList(db, entry);
    else if (kind === SET) this.tellSet(db, entry);
    else if (kind === ZSET) this.tellZset(db, entry);
    else if (kind === HASH_KIND) this.tellHash(db, entry);
    else if (kind === STREAM) (db.objectAt(entry) as StreamValue).tell(handler);
    else if (kind === ARRAY) (db.objectAt(entry) as ArrayValue).tell(handler);
    else if (kind === GCRA) (db.objectAt(entry) as GcraValue).tell(handler);
    else if (db.formAt(entry) === VECTOR_SET_OBJECT) (db.objectAt(entry) as VectorSet).tell(depth, handler);
    else {
      const { bytes } = db.objectAt(entry) as OpaqueValue;
      this.opaque.tell(KIND_NAMES[kind] as PortableKind, bytes, depth, handler);
    }
  }

  private tellList(db: Database, entry: number): void {
    const { list, handler } = this;
    list.open(db, entry);
    while (list.next()) handler.element(list.element);
  }

  private tellSet(db: Database, entry: number): void {
    const { set, handler } = this;
    set.open(db, entry);
    while (set.next()) handler.element(set.member);
  }

  private tellHash(db: Database, entry: number): void {
    const { hash, handler } = this;
    hash.open(db, entry);
    while (hash.next()) handler.field(hash.name, hash.value, hash.expiresAtMs);
  }

  private tellZset(db: Database, entry: number): void {
    const { zset, handler } = this;
    zset.open(db, entry);
    zset.select(0, zset.size);
    for (let rank = 0; rank < zset.size; rank++) {
      zset.seek(rank);
      handler.member(zset.member, zset.score);
    }
  }
}

/** Names of the servers' encodings that come nearest to our forms. */
const ENCODINGS: readonly string[] = [
  '',
  'raw',
  'raw',
  'listpack',
  'quicklist',
  'listpack',
  'hashtable',
  'listpack',
  'skiplist',
  'listpack',
  'listpackex',
  'hashtable',
  'stream',
  'module',
  'sliced-array',
  'raw',
  'raw',
  'module',
];

function countOf(db: Database, entry: number, kind: number): number {
  if (kind === LIST) return listLength(db, entry);
  if (kind === SET) return setSize(db, entry);
  if (kind === ZSET) return zsetSize(db, entry);
  if (kind === HASH_KIND) return hashSize(db, entry);
  if (kind === ARRAY) return (db.objectAt(entry) as ArrayValue).count;
  return kind === STREAM ? (db.objectAt(entry) as StreamValue).length : -1;
}
