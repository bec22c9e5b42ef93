import type { Long } from '../bytes/int64.js';
import { type ByteSlice, sliceOf } from '../bytes/slice.js';
import type { ByteTarget } from '../bytes/target.js';
import {
  type CronTimes,
  type Depth,
  FRAGMENTS,
  ITEMS,
  type KeyHead,
  RAW,
  SKIP,
  type StreamIdempotence,
  type StreamMeta,
} from '../model/handler.js';
import type { StreamId } from '../model/stream-id.js';
import {
  MEMBER_FIELD,
  MEMBER_TIME_FIELD,
  MODULE_END,
  OPCODE_FUNCTION2,
  OPCODE_MODULE_AUX,
  OPCODE_RESIZEDB,
  OPCODE_SELECTDB,
} from './constants.js';
import type { Dialect } from './dialect.js';
import { RdbFile } from './encode/file.js';
import { fitsWholeSeconds, KeyRecord } from './encode/key-record.js';
import type { RdbOutput } from './encode/output.js';
import { lostKind, type ValueLoss, ValueWriter } from './encode/value-writer.js';
import type { RdbHandler, RdbHeader, RdbSummary } from './handler.js';
import { AuxBlock, type AuxOptions, keepsScript, writeAux } from './writer-aux.js';
import { knowsKind, loadsUnchanged, magicOf, type RdbTarget } from './writer-target.js';

/** What a target had no place for. */
export type RdbLoss =
  | 'function'
  | 'module-aux'
  /** TTLs of set members or hash fields as KeyDB keeps them, beside the key. */
  | 'member-expiry'
  /** The part of an expiry below one second, or beyond 2038. */
  | 'expiry-precision'
  /** Idle time or access frequency. */
  | 'eviction-hint'
  /** What modules attached to a key. */
  | 'key-metadata'
  /** That a slot was being imported. */
  | 'slot-import'
  | ValueLoss;

export interface RdbWriterOptions extends AuxOptions {
  readonly target: RdbTarget;
  /** Compress texts above 20 bytes, as servers do by default. */
  readonly compress: boolean;
  /** Compute the trailer; otherwise it says that nobody did. */
  readonly checksum: boolean;
  /** Take values that the target loads as they are byte for byte, rather than apart and together again. */
  readonly copyValues: boolean;
  /**
   * Write the records alone, for the `records` of another writer: not what stands in front of them and behind, nor of
   * which database they are.
   */
  readonly fragment?: boolean;
  /** Told once per kind of loss and key; `head` is null when it concerns no key, and borrowed. */
  readonly onLoss: (head: KeyHead | null, what: RdbLoss) => void;
}

/**
 * Writes a dataset as an RDB for one server. Told by an RDB decoder it copies what the server can load as it is; told by
 * a keyspace it is ended with `finish`. The output is complete then, and still to be published by its owner.
 *
 * Memory: a value whose number of elements is known up front goes out element by element once it is too large for a
 * packed form. Otherwise (lists told by their nodes, streams, hashes whose fields expire, blobs that don't say how much
 * they hold) the encoded value waits in memory until its end.
 */
export class RdbWriter implements RdbHandler {
  /** Keys written so far. */
  keys = 0;
  private readonly file: RdbFile;
  private readonly output: RdbOutput;
  private readonly keyRecord: KeyRecord;
  private readonly values: ValueWriter;
  private readonly target: RdbTarget;
  private readonly auxBlock = new AuxBlock();
  private source: Dialect | null = null;
  private opened = false;
  private selected = -1;
  private resizeKeys = -1;
  private resizeExpires = 0;
  private inModuleAux = false;
  /** False while a key goes by that the target has no place for. */
  private taken = false;
  /** Whether the last key stands in the file. */
  private written = false;

  constructor(
    private readonly into: ByteTarget,
    private readonly options: RdbWriterOptions,
  ) {
    this.target = options.target;
    this.file = new RdbFile(into, options.compress, options.fragment !== true);
    this.output = this.file.output;
    this.keyRecord = new KeyRecord(this.output, options.target);
    this.values = new ValueWriter(this.keyRecord, options.target, options.compress);
  }

  get full(): boolean {
    return this.into.full;
  }

  drain(): Promise<void> {
    return this.into.drain();
  }

  header(header: RdbHeader): void {
    this.source = header.dialect;
  }

  aux(name: ByteSlice, value: ByteSlice): void {
    const text = name.latin1();
    if (text === MEMBER_FIELD || text === MEMBER_TIME_FIELD) {
      this.memberField(text, value);
      return;
    }
    if (!this.opened) this.auxBlock.offer(text, value, this.target);
    else if (keepsScript(text, this.target)) writeAux(this.output, text, value.copy());
  }

  /** One half of a member's TTL as KeyDB tells it, behind the key. */
  private memberField(name: string, value: ByteSlice): void {
    if (this.target.product !== 'keydb') {
      if (name === MEMBER_FIELD) this.options.onLoss(null, 'member-expiry');
    } else if (this.written) {
      writeAux(this.output, name, value.copy());
    }
  }

  memberExpiry(member: ByteSlice, expiresAtMs: Long): void {
    this.memberField(MEMBER_FIELD, member);
    this.memberField(MEMBER_TIME_FIELD, sliceOf(String(expiresAtMs)));
  }

  /** Writes what stands in front of the data, once the source's own fields have been heard. */
  private open(): void {
    if (this.opened) return;
    this.opened = true;
    if (this.options.fragment === true) return;
    this.output.latin1Raw(magicOf(this.target));
    this.auxBlock.write(this.output, this.target, this.options);
  }

  moduleAux(fragment: ByteSlice, last: boolean): void {
    this.open();
    if (this.target.moduleAux) {
      if (!this.inModuleAux) this.output.byte(OPCODE_MODULE_AUX);
      this.output.raw(fragment.bytes, fragment.start, fragment.end);
      if (last) this.output.byte(MODULE_END);
    } else if (last) {
      this.options.onLoss(null, 'module-aux');
    }
    this.inModuleAux = !last;
  }

  functionLibrary(code: ByteSlice): void {
    this.open();
    if (!this.target.functions) {
      this.options.onLoss(null, 'function');
      return;
    }
    this.output.byte(OPCODE_FUNCTION2);
    this.output.text(code.bytes, code.start, code.end);
  }

  database(_index: number): void {
    this.resizeKeys = -1;
  }

  resize(keys: number, expires: number): void {
    this.resizeKeys = keys;
    this.resizeExpires = expires;
  }

  slotInfo(_slot: number, _keys: number, _expires: number): void {}

  slotImport(_job: ByteSlice, _slots: number): void {
    this.options.onLoss(null, 'slot-import');
  }

  private select(database: number): void {
    const { output } = this;
    this.selected = database;
    if (this.options.fragment === true) return;
    output.byte(OPCODE_SELECTDB);
    output.length(database);
    if (this.resizeKeys >= 0 && this.target.aux !== 'none') {
      output.byte(OPCODE_RESIZEDB);
      output.length(this.resizeKeys);
      output.length(this.resizeExpires);
    }
    this.resizeKeys = -1;
  }

  key(head: KeyHead): Depth {
    this.open();
    const refused = this.refusal(head);
    this.taken = refused === null;
    if (refused !== null) {
      this.options.onLoss(head, refused);
      return SKIP;
    }
    if (head.database !== this.selected) this.select(head.database);
    this.keyRecord.hold(head);
    if (this.copies(head)) {
      this.values.copy(head);
      return RAW;
    }
    this.values.begin(head);
    return head.textBytes >= 0 ? FRAGMENTS : ITEMS;
  }

  private refusal(head: KeyHead): RdbLoss | null {
    return knowsKind(this.target, head.kind) ? null : lostKind(head.kind);
  }

  private copies(head: KeyHead): boolean {
    if (!this.options.copyValues || this.source === null || head.typeId < 0) return false;
    return head.kind !== 'module' && loadsUnchanged(this.target, this.source, head.typeId);
  }

  raw(fragment: ByteSlice): void {
    this.values.raw(fragment);
  }

  text(value: ByteSlice): void {
    this.values.text(value);
  }

  element(value: ByteSlice): void {
    this.values.element(value);
  }

  field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.values.field(name, value, expiresAtMs);
  }

  member(value: ByteSlice, score: number): void {
    this.values.member(value, score);
  }

  streamEntry(id: StreamId, fieldCount: number): void {
    this.values.streamEntry(id, fieldCount);
  }

  streamField(name: ByteSlice, value: ByteSlice): void {
    this.values.streamField(name, value);
  }

  streamMeta(meta: StreamMeta): void {
    this.values.streamMeta(meta);
  }

  streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.values.streamGroup(name, lastId, entriesRead);
  }

  streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.values.streamPending(id, deliveredAtMs, deliveryCount);
  }

  streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    this.values.streamConsumer(name, seenAtMs, activeAtMs);
  }

  streamConsumerPending(id: StreamId): void {
    this.values.streamConsumerPending(id);
  }

  streamReleased(id: StreamId): void {
    this.values.streamReleased(id);
  }

  streamIdempotence(settings: StreamIdempotence): void {
    this.values.streamIdempotence(settings);
  }

  streamProducer(name: ByteSlice): void {
    this.values.streamProducer(name);
  }

  streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.values.streamProduced(messageId, id);
  }

  streamProducedTotals(added: Long, duplicates: Long): void {
    this.values.streamProducedTotals(added, duplicates);
  }

  arrayCursor(index: Long): void {
    this.values.arrayCursor(index);
  }

  arrayElement(index: Long, value: ByteSlice): void {
    this.values.arrayElement(index, value);
  }

  cron(script: ByteSlice, times: CronTimes, keyCount: number): void {
    this.values.cron(script, times, keyCount);
  }

  /** Vector sets are written from their bytes. */
  vectorSet(): void {}

  vector(): void {}

  keyEnd(head: KeyHead): void {
    this.written = false;
    if (!this.taken) return;
    this.written = this.values.finish();
    for (const what of this.values.losses) this.options.onLoss(head, what);
    if (!this.written) return;
    this.keys++;
    this.reportHead(head);
  }

  private reportHead(head: KeyHead): void {
    const { target } = this;
    if (head.hasExpiry && !target.millisecondExpiry && !fitsWholeSeconds(head.expiresAtMs)) {
      this.options.onLoss(head, 'expiry-precision');
    }
    if (!target.evictionHints && (head.idleSeconds >= 0 || head.freq >= 0)) {
      this.options.onLoss(head, 'eviction-hint');
    }
    if (!target.keyMetadata && head.metadata !== null) this.options.onLoss(head, 'key-metadata');
  }

  end(_summary: RdbSummary): void {
    this.finish();
  }

  /** Takes in records of one database that another writer wrote as a fragment; -1: they are of none. */
  records(database: number, bytes: Buffer): void {
    this.open();
    if (database >= 0 && database !== this.selected) this.select(database);
    this.output.raw(bytes, 0, bytes.length);
  }

  /** Ends the file when the dataset does not come from an RDB; a fragment may go on. */
  finish(): void {
    this.open();
    if (this.options.fragment === true) {
      this.output.flush();
      return;
    }
    const trailer = this.options.checksum ? 'checksum' : 'zero';
    this.file.end(this.target.checksum ? trailer : 'none');
  }
}
