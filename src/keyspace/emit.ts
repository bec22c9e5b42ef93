import { GrowingBytes } from '../bytes/growing-bytes.js';
import { addLong, highWord, type Long, lowWord } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import type { ByteTarget } from '../bytes/target.js';
import { INT64_TEXT_MAX, writeUint64 } from '../kernels/decimal.js';
import { DOUBLE_TEXT_MAX, writeShortest } from '../kernels/doubles.js';
import {
  type CronTimes,
  type Depth,
  FRAGMENTS,
  ITEMS,
  type ItemHandler,
  type KeyHead,
  SKIP,
  type StreamIdempotence,
  type StreamMeta,
} from '../model/handler.js';
import type { ValueKind } from '../model/kind.js';
import type { StreamId } from '../model/stream-id.js';
import { FIELD_EXPIRY_COMMAND_MAX } from '../rdb/constants.js';
import { lostKind } from '../rdb/encode/value-writer.js';
import { PayloadWriter } from '../rdb/writer-payload.js';
import { knowsKind, type RdbTarget } from '../rdb/writer-target.js';
import { ItemBatch, RespOutput } from './emit-resp.js';
import { type StreamEmitLoss, StreamEmitter } from './emit-stream.js';
import { NegativeZeros } from './emit-zeros.js';

/** What the commands for a server could not say. The first concerns no key. */
export type EmitLoss =
  | 'function'
  /** The whole value, as no such values are known there. */
  | 'stream'
  | 'module'
  | 'array'
  | 'gcra'
  | 'cron'
  /** The value had no element, and no server keeps such. */
  | 'empty'
  /** TTLs of a hash's fields. */
  | 'field-expiry'
  /** TTLs of members as KeyDB keeps them, beside the key. */
  | 'member-expiry'
  /** What modules attached to a key. */
  | 'key-metadata'
  /** What a stream counted; pending entries of nobody, or of messages that are gone; consumers without pending entries; an entry without fields. */
  | StreamEmitLoss;

/** Values told by their bytes, or without commands of their own that could make them. */
const RESTORED_KINDS: ReadonlySet<ValueKind> = new Set<ValueKind>(['module', 'gcra', 'cron']);

export interface CommandEmitterOptions {
  /** The server that is to run the commands. */
  readonly target: RdbTarget;
  /** Told once per kind of loss and key; `head` is null when it concerns no key, and borrowed. */
  readonly onLoss: (head: KeyHead | null, what: EmitLoss) => void;
  /** The clock of who runs the commands, in milliseconds since the epoch. Default: all times have come. */
  readonly nowMs?: number;
}

/**
 * Turns a dataset into the commands that build it up again, as a server's own rewrite without preamble does. A log
 * cannot say when a key was last used or a consumer last seen. Values of modules and jobs are restored from their bytes.
 */
export class CommandEmitter implements ItemHandler {
  /** Keys told so far. */
  keys = 0;
  private readonly target: RdbTarget;
  private readonly output: RespOutput;
  private readonly batch: ItemBatch;
  private readonly streams: StreamEmitter;
  private readonly zeros: NegativeZeros;
  /** Values that no command but RESTORE makes. */
  private readonly restored: PayloadWriter;
  /** Name of the key at hand. */
  private readonly name = new GrowingBytes();
  private readonly losses = new Set<EmitLoss>();
  private readonly indexText = Buffer.alloc(INT64_TEXT_MAX);
  /** Length of the text at hand when it comes in fragments, else -1. */
  private textBytes = -1;
  /** Where the next insertion into the array at hand goes; 0: nowhere in particular. */
  private arrayNext: Long = 0;
  private readonly scoreText = Buffer.alloc(DOUBLE_TEXT_MAX);
  private selected = -1;
  /** True while a key goes by that RESTORE makes. */
  private isRestored = false;
  /** False while a key goes by that the target has no place for. */
  private taken = false;
  /** Whether the key at hand has got a command that creates it. */
  private created = false;

  constructor(
    private readonly into: ByteTarget,
    private readonly options: CommandEmitterOptions,
  ) {
    const { target } = options;
    this.target = target;
    this.output = new RespOutput(into);
    this.batch = new ItemBatch(this.output);
    this.zeros = new NegativeZeros(this.output, this.batch, this.name);
    this.restored = new PayloadWriter(target, false);
    const lose = (what: StreamEmitLoss) => this.losses.add(what);
    this.streams = new StreamEmitter(this.output, target, lose, options.nowMs ?? Number.POSITIVE_INFINITY);
  }

  get full(): boolean {
    return this.into.full;
  }

  drain(): Promise<void> {
    return this.into.drain();
  }

  functionLibrary(code: ByteSlice): void {
    if (!this.target.functions) {
      this.options.onLoss(null, 'function');
      return;
    }
    const { output } = this;
    output.head(3);
    output.word('FUNCTION');
    output.word('LOAD');
    output.bulk(code.bytes, code.start, code.end);
  }

  database(_index: number): void {}

  key(head: KeyHead): Depth {
    const refused = this.refusal(head);
    this.taken = refused === null;
    if (refused !== null) {
      this.options.onLoss(head, refused);
      return SKIP;
    }
    if (head.database !== this.selected) this.select(head.database);
    this.name.reset();
    this.name.put(head.key.bytes, head.key.start, head.key.end);
    this.losses.clear();
    this.created = false;
    this.begin(head);
    return head.textBytes >= 0 ? FRAGMENTS : ITEMS;
  }

  private refusal(head: KeyHead): EmitLoss | null {
    return knowsKind(this.target, head.kind) ? null : lostKind(head.kind);
  }

  private select(database: number): void {
    this.selected = database;
    this.output.head(2);
    this.output.word('SELECT');
    this.output.word(String(database));
  }

  private begin(head: KeyHead): void {
    this.isRestored = RESTORED_KINDS.has(head.kind);
    this.textBytes = head.textBytes;
    if (this.isRestored) {
      this.restored.begin(head);
      return;
    }
    switch (head.kind) {
      case 'string':
        break;
      case 'list':
        this.batch.begin('RPUSH', this.name);
        break;
      case 'set':
        this.batch.begin('SADD', this.name);
        break;
      case 'zset':
        this.batch.begin('ZADD', this.name);
        this.zeros.begin();
        break;
      case 'hash':
        this.batch.begin('HMSET', this.name);
        break;
      case 'stream':
        this.streams.begin(head.key);
        break;
      case 'array':
        this.batch.begin('ARMSET', this.name);
        break;
    }
  }

  raw(fragment: ByteSlice): void {
    this.restored.raw(fragment);
  }

  text({ bytes, start, end }: ByteSlice): void {
    const { output, textBytes } = this;
    if (!this.created) {
      output.head(3);
      output.word('SET');
      this.writeName();
      if (textBytes >= 0) output.openBulk(textBytes);
    }
    if (textBytes >= 0) output.raw(bytes, start, end);
    else output.bulk(bytes, start, end);
    this.created = true;
  }

  element(value: ByteSlice): void {
    if (this.isRestored) {
      this.restored.element(value);
      return;
    }
    this.batch.add(value.bytes, value.start, value.end);
    this.batch.next();
    this.created = true;
  }

  member(value: ByteSlice, score: number): void {
    const { scoreText } = this;
    this.zeros.before(value, score);
    this.batch.add(scoreText, 0, writeShortest(score, scoreText, 0));
    this.batch.add(value.bytes, value.start, value.end);
    this.batch.next();
    this.created = true;
  }

  field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.batch.add(name.bytes, name.start, name.end);
    this.batch.add(value.bytes, value.start, value.end);
    this.batch.next();
    this.created = true;
    if (expiresAtMs < 0) return;
    const { fieldExpiry } = this.target;
    // Valkey takes any time.
    const isTooLate = fieldExpiry === 'redis' && expiresAtMs > FIELD_EXPIRY_COMMAND_MAX;
    if (fieldExpiry === 'none' || isTooLate) this.losses.add('field-expiry');
    else this.expireField(name, expiresAtMs);
  }

  private expireField(name: ByteSlice, expiresAtMs: number): void {
    this.batch.flush(); // the field has to be there
    const { output } = this;
    output.head(6);
    output.word('HPEXPIREAT');
    this.writeName();
    output.word(String(expiresAtMs));
    output.word('FIELDS');
    output.word('1');
    output.bulk(name.bytes, name.start, name.end);
  }

  streamEntry(id: StreamId, fieldCount: number): void {
    this.streams.entry(id, fieldCount);
  }

  streamField(name: ByteSlice, value: ByteSlice): void {
    this.streams.field(name, value);
  }

  streamMeta(meta: StreamMeta): void {
    this.streams.counters(meta);
    this.created = true;
  }

  streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.streams.startGroup(name, lastId, entriesRead);
  }

  streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.streams.pendingEntry(id, deliveredAtMs, deliveryCount);
  }

  streamConsumer(name: ByteSlice, _seenAtMs: Long, _activeAtMs: Long): void {
    this.streams.startConsumer(name);
  }

  streamConsumerPending(id: StreamId): void {
    this.streams.consumerPending(id);
  }

  streamReleased(id: StreamId): void {
    this.streams.released(id);
  }

  streamIdempotence(settings: StreamIdempotence): void {
    this.streams.idempotence(settings);
  }

  streamProducer(name: ByteSlice): void {
    this.streams.startProducer(name);
  }

  streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.streams.produced(messageId, id);
  }

  streamProducedTotals(added: Long, duplicates: Long): void {
    this.streams.producedTotals(added, duplicates);
  }

  arrayCursor(index: Long): void {
    this.arrayNext = addLong(index, 1);
  }

  arrayElement(index: Long, value: ByteSlice): void {
    const { indexText } = this;
    this.batch.add(indexText, 0, writeUint64(highWord(index), lowWord(index), indexText, 0));
    this.batch.add(value.bytes, value.start, value.end);
    this.batch.next();
    this.created = true;
  }

  /** Puts the cursor of an array where the next insertion is to go. */
  private seekArray(): void {
    if (this.arrayNext === 0) return;
    const { output } = this;
    output.head(3);
    output.word('ARSEEK');
    this.writeName();
    output.word(String(this.arrayNext));
  }

  cron(script: ByteSlice, times: CronTimes, keyCount: number): void {
    this.restored.cron(script, times, keyCount);
  }

  /** Vector sets are restored from their bytes. */
  vectorSet(): void {}

  vector(): void {}

  keyEnd(head: KeyHead): void {
    if (!this.taken) return;
    if (head.kind === 'stream') this.streams.finish();
    else if (head.kind === 'string' && this.textBytes >= 0) this.output.closeBulk();
    else if (this.isRestored) this.restoreValue(head.kind);
    else if (head.kind !== 'string') this.batch.flush();
    if (head.kind === 'array' && this.created) this.seekArray();
    else if (head.kind === 'zset') this.zeros.end();
    if (!this.created && this.losses.size === 0) this.losses.add('empty');
    for (const what of this.losses) this.options.onLoss(head, what);
    if (!this.created) return;
    if (head.metadata !== null) this.options.onLoss(head, 'key-metadata');
    if (head.hasExpiry) this.expireKey(head.expiresAtMs);
    this.keys++;
  }

  memberExpiry(member: ByteSlice, expiresAtMs: Long): void {
    if (!this.taken || !this.created) return;
    if (this.target.product !== 'keydb') {
      this.options.onLoss(null, 'member-expiry');
      return;
    }
    const { output } = this;
    output.head(4);
    output.word('PEXPIREMEMBERAT');
    this.writeName();
    output.bulk(member.bytes, member.start, member.end);
    output.word(String(expiresAtMs));
  }

  private restoreValue(kind: ValueKind): void {
    if (!this.restored.finish()) {
      this.losses.add(lostKind(kind));
      return;
    }
    const payload = this.restored.payload();
    const { output } = this;
    output.head(4);
    output.word('RESTORE');
    this.writeName();
    output.word('0');
    output.bulk(payload, 0, payload.length);
    this.created = true;
  }

  private expireKey(expiresAtMs: Long): void {
    this.output.head(3);
    this.output.word('PEXPIREAT');
    this.writeName();
    this.output.word(String(expiresAtMs));
  }

  private writeName(): void {
    this.output.bulk(this.name.bytes, 0, this.name.end);
  }

  /** Hands the last commands to the target, which is still to be published by its owner. */
  finish(): void {
    this.output.flush();
  }
}
