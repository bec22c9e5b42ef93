import type { Long } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import {
  type Depth,
  ITEMS,
  type KeyHead,
  RAW,
  type StreamIdempotence,
  type StreamMeta,
} from '../model/handler.js';
import type { ValueKind } from '../model/kind.js';
import type { StreamId } from '../model/stream-id.js';
import { MEMBER_FIELD, MEMBER_TIME_FIELD } from '../rdb/constants.js';
import { RdbSink } from '../rdb/handler.js';
import { VECTOR_SET_NAME } from '../rdb/types/vector-set.js';
import { isPortable, type PortableKind } from '../rdb/value-teller.js';
import { ArrayValue } from './array/array.js';
import { copyBytes } from './bytes.js';
import type { Database } from './database.js';
import {
  ARRAY_OBJECT,
  CRON_OBJECT,
  GCRA_OBJECT,
  MODULE_OBJECT,
  PACKED_HASH,
  PACKED_LIST,
  PACKED_SET,
  PACKED_TTL_HASH,
  PACKED_ZSET,
  type SideValue,
  STREAM_OBJECT,
  TEXT,
  VECTOR_SET_OBJECT,
} from './forms.js';
import { GcraValue } from './gcra-value.js';
import { HASH_LIMITS, NEVER, putField, setFieldExpiry } from './hashes.js';
import { longOf } from './integers.js';
import type { Keyspace } from './keyspace.js';
import { elementSize } from './large-list.js';
import { libraryName } from './library.js';
import { LIST_LIMITS, pushTail } from './lists.js';
import { OpaqueValue } from './opaque-value.js';
import { DOUBLE_SIZE } from './packed.js';
import { PackedBuilder, partSize } from './packed-builder.js';
import { addToSet, SET_LIMITS } from './sets.js';
import { StreamLoader } from './stream/loader.js';
import { DEFAULT_THRESHOLDS, type Thresholds } from './thresholds.js';
import { VectorSet } from './vectorset/value.js';
import { packZset, putMember, ZSET_LIMITS, zsetSize } from './zsets.js';

const NO_ENTRY = -1;

const OPAQUE_FORMS: Readonly<Record<PortableKind, number>> = {
  module: MODULE_OBJECT,
  cron: CRON_OBJECT,
};

function isVectorSet(head: KeyHead): boolean {
  return head.moduleName === VECTOR_SET_NAME && !head.opaque;
}

/**
 * Fills a keyspace with what an RDB tells, or another keyspace. A key told twice holds what it was told last. Keys past
 * their expiry are kept; collections without elements are passed over, as servers do.
 */
export class KeyspaceLoader extends RdbSink {
  /** Keys that entered the keyspace. */
  keys = 0;
  private db: Database;
  /** The key at hand: heads are borrowed. */
  private keyBytes: Buffer = Buffer.allocUnsafeSlow(256);
  private keyLength = 0;
  private entry = NO_ENTRY;
  private isList = false;
  private isGcra = false;
  private fieldsExpire = false;
  private readonly fragments: Buffer[] = [];
  /** A member whose expiry is told next. */
  private memberName: string | null = null;
  private readonly streams = new StreamLoader();
  private array = new ArrayValue();
  private readonly builder = new PackedBuilder();

  constructor(
    private readonly keyspace: Keyspace,
    private readonly thresholds: Thresholds = DEFAULT_THRESHOLDS,
  ) {
    super();
    this.db = keyspace.database(0);
  }

  /** Puts the keys told from now on into that database, until another is told. */
  into(database: Database): this {
    this.db = database;
    return this;
  }

  override database(index: number): void {
    this.db = this.keyspace.database(index);
  }

  override functionLibrary(code: ByteSlice): void {
    const owned = code.copy();
    const name = libraryName(owned);
    if (name !== null) this.keyspace.functions.set(name, owned);
  }

  override key(head: KeyHead): Depth {
    const { bytes, start, end } = head.key;
    this.keyLength = end - start;
    if (this.keyLength > this.keyBytes.length) this.keyBytes = Buffer.allocUnsafeSlow(this.keyLength * 2);
    copyBytes(bytes, start, end, this.keyBytes, 0);
    this.entry = NO_ENTRY;
    this.isList = head.kind === 'list';
    this.isGcra = head.kind === 'gcra';
    this.fieldsExpire = head.fieldsExpire;
    this.builder.begin();
    this.fragments.length = 0;
    // Vector sets are kept as their bytes, too, but must be known to be whole.
    return isPortable(head.kind) && !isVectorSet(head) ? RAW : ITEMS;
  }

  override text({ bytes, start, end }: ByteSlice): void {
    if (this.isGcra) {
      const time = longOf(bytes, start, end);
      if (time !== null) this.openObject(GCRA_OBJECT, new GcraValue(time));
      return;
    }
    this.entry = this.db.setString(this.keyBytes, 0, this.keyLength, bytes, start, end);
  }

  override element({ bytes, start, end }: ByteSlice): void {
    if (this.isList) this.listElement(bytes, start, end);
    else this.setMember(bytes, start, end);
  }

  private listElement(bytes: Buffer, start: number, end: number): void {
    const { builder } = this;
    if (this.entry < 0) {
      if (builder.fits(elementSize(end - start), LIST_LIMITS.bytes)) {
        builder.element(bytes, start, end);
        builder.count++;
        return;
      }
      this.open(PACKED_LIST);
    }
    pushTail(this.db, this.entry, bytes, start, end);
  }

  private setMember(bytes: Buffer, start: number, end: number): void {
    const { builder } = this;
    if (this.entry < 0) {
      const size = partSize(end - start);
      if (builder.count < SET_LIMITS.count && builder.takes(size, SET_LIMITS.bytes, bytes, start, end)) {
        builder.part(bytes, start, end);
        builder.count++;
        return;
      }
      this.open(PACKED_SET);
    }
    addToSet(this.db, this.entry, bytes, start, end);
  }

  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    const { builder } = this;
    if (this.entry < 0) {
      const size = partSize(name.length) + partSize(value.length) + (this.fieldsExpire ? DOUBLE_SIZE : 0);
      const fits = builder.count < HASH_LIMITS.count && (this.fieldsExpire || expiresAtMs === NEVER);
      if (fits && builder.takes(size, HASH_LIMITS.bytes, name.bytes, name.start, name.end)) {
        builder.part(name.bytes, name.start, name.end);
        builder.part(value.bytes, value.start, value.end);
        if (this.fieldsExpire) builder.double(expiresAtMs);
        builder.count++;
        return;
      }
      this.open(this.fieldsExpire ? PACKED_TTL_HASH : PACKED_HASH);
    }
    const { db, entry } = this;
    putField(db, entry, name.bytes, name.start, name.end, value.bytes, value.start, value.end);
    if (expiresAtMs !== NEVER) setFieldExpiry(db, entry, name.bytes, name.start, name.end, expiresAtMs);
  }

  override member({ bytes, start, end }: ByteSlice, score: number): void {
    const { builder } = this;
    if (this.entry < 0) {
      const size = DOUBLE_SIZE + partSize(end - start);
      if (builder.count < ZSET_LIMITS.count && builder.takes(size, ZSET_LIMITS.bytes, bytes, start, end)) {
        builder.double(score);
        builder.part(bytes, start, end);
        builder.count++;
        return;
      }
      this.openZset();
    }
    putMember(this.db, this.entry, bytes, start, end, score, this.thresholds);
  }

  override raw(fragment: ByteSlice): void {
    this.fragments.push(fragment.copy());
  }

  override streamEntry(id: StreamId, fieldCount: number): void {
    this.streams.streamEntry(id, fieldCount);
  }

  override streamField(name: ByteSlice, value: ByteSlice): void {
    this.streams.streamField(name, value);
  }

  override streamMeta(meta: StreamMeta): void {
    this.streams.streamMeta(meta);
  }

  override streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.streams.streamGroup(name, lastId, entriesRead);
  }

  override streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.streams.streamPending(id, deliveredAtMs, deliveryCount);
  }

  override streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    this.streams.streamConsumer(name, seenAtMs, activeAtMs);
  }

  override streamConsumerPending(id: StreamId): void {
    this.streams.streamConsumerPending(id);
  }

  override streamReleased(id: StreamId): void {
    this.streams.streamReleased(id);
  }

  override streamIdempotence(settings: StreamIdempotence): void {
    this.streams.streamIdempotence(settings);
  }

  override streamProducer(name: ByteSlice): void {
    this.streams.streamProducer(name);
  }

  override streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.streams.streamProduced(messageId, id);
  }

  override streamProducedTotals(added: Long, duplicates: Long): void {
    this.streams.streamProducedTotals(added, duplicates);
  }

  override arrayCursor(index: Long): void {
    this.array.cursor = index;
  }

  override arrayElement(index: Long, { bytes, start, end }: ByteSlice): void {
    this.array.set(index, bytes, start, end);
  }

  override keyEnd(head: KeyHead): void {
    if (head.kind === 'stream') this.openObject(STREAM_OBJECT, this.streams.finish());
    else if (head.kind === 'array') this.finishArray();
    else if (isPortable(head.kind)) {
      const bytes = Buffer.concat(this.fragments);
      if (isVectorSet(head)) this.openObject(VECTOR_SET_OBJECT, VectorSet.loaded(bytes));
      else this.openObject(OPAQUE_FORMS[head.kind], new OpaqueValue(head.typeId, bytes));
    }
    if (this.entry < 0 && this.builder.count > 0) this.openAs(head.kind);
    if (this.entry < 0) return;
    if (head.kind === 'zset') this.settle(head.encoding === 'skiplist');
    if (head.hasExpiry) this.db.setExpiry(this.entry, head.expiresAtMs);
    this.keys++;
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    const text = name.latin1();
    if (text === MEMBER_FIELD) this.memberName = value.latin1();
    else if (text === MEMBER_TIME_FIELD && this.memberName !== null) {
      const expiresAtMs = longOf(value.bytes, value.start, value.end);
      if (expiresAtMs !== null) this.expireMember(this.memberName, expiresAtMs);
      this.memberName = null;
    }
  }

  override memberExpiry(member: ByteSlice, expiresAtMs: Long): void {
    this.expireMember(member.latin1(), expiresAtMs);
  }

  /** Of the key that was told last. */
  private expireMember(member: string, expiresAtMs: Long): void {
    if (this.entry >= 0) this.db.memberExpiries.set(this.entry, member, expiresAtMs);
  }

  /** Gives the key at hand a value: what was built of it so far. */
  private open(form: number): void {
    const { db, builder } = this;
    const entry = db.reset(this.keyBytes, 0, this.keyLength, form);
    this.entry = entry;
    if (builder.count === 0) return;
    db.resizePacked(entry, builder.length);
    db.write(entry, db.packedStart(entry), builder.bytes, 0, builder.length);
    db.setCount(entry, builder.count);
  }

  private openObject(form: number, object: SideValue): void {
    this.open(TEXT);
    this.db.setObject(this.entry, form, object);
  }

  private finishArray(): void {
    const { array } = this;
    if (array.count > 0) this.openObject(ARRAY_OBJECT, array);
    this.array = new ArrayValue();
  }

  private openAs(kind: ValueKind): void {
    if (kind === 'list') this.open(PACKED_LIST);
    else if (kind === 'set') this.open(PACKED_SET);
    else if (kind === 'zset') this.openZset();
    else this.open(this.fieldsExpire ? PACKED_TTL_HASH : PACKED_HASH);
  }

  private openZset(): void {
    this.open(PACKED_ZSET);
    this.db.mark(this.entry);
  }

  /**
   * Scores were taken as they came. A skiplist within the thresholds becomes packed, as a server does when it loads it;
   * what came packed and fits stays as it is, even a -0 that an old server packed.
   */
  private settle(isPlain: boolean): void {
    const { db, entry, thresholds } = this;
    if (isPlain) packZset(db, entry, thresholds);
    else if (zsetSize(db, entry) <= thresholds.zsetMaxPackedEntries) db.unmark(entry);
  }
}
