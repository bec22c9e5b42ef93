import { ByteSlice } from '../bytes/slice.js';
import { unreachable } from '../errors.js';
import { type ItemHandler, KeyHead, SKIP } from '../model/handler.js';
import type { KeyRecord, RedisValue, StreamGroup, StreamProducers } from '../model/value.js';

type StreamRecord = Extract<RedisValue, { kind: 'stream' }>;

/** Tells records that own their bytes to a handler, as a decoder would tell them. */
export class RecordTeller {
  private readonly head = new KeyHead();
  private readonly first = new ByteSlice();
  private readonly second = new ByteSlice();
  private database = -1;

  constructor(private readonly handler: ItemHandler) {}

  tell(record: KeyRecord): void {
    const { handler, head } = this;
    if (record.database !== this.database) {
      this.database = record.database;
      handler.database(record.database);
    }
    this.fill(record);
    if (handler.key(head) !== SKIP) this.tellValue(record.value);
    handler.keyEnd(head);
  }

  private fill(record: KeyRecord): void {
    const { head } = this;
    const { value, expiresAtMs } = record;
    head.database = record.database;
    head.key.set(record.key, 0, record.key.length);
    head.kind = value.kind;
    head.encoding = record.encoding;
    head.typeId = -1;
    head.hasExpiry = expiresAtMs !== null;
    head.expiresAtMs = expiresAtMs ?? 0;
    head.idleSeconds = record.idleSeconds ?? -1;
    head.freq = record.freq ?? -1;
    head.metadata = record.metadata;
    head.moduleName = value.kind === 'module' ? value.name : '';
    head.moduleVersion = value.kind === 'module' ? value.version : 0;
    head.opaque = value.kind === 'module';
    head.fieldsExpire = value.kind === 'hash' && value.fields.some((field) => field.expiresAtMs !== null);
    head.count = countOf(value);
  }

  private tellValue(value: RedisValue): void {
    const { handler } = this;
    switch (value.kind) {
      case 'string':
        handler.text(this.slice(value.text));
        break;
      case 'list':
        for (const element of value.elements) handler.element(this.slice(element));
        break;
      case 'set':
        for (const member of value.members) handler.element(this.slice(member));
        break;
      case 'zset':
        for (const { member, score } of value.members) handler.member(this.slice(member), score);
        break;
      case 'hash':
        for (const { name, value: text, expiresAtMs } of value.fields) {
          handler.field(this.slice(name), this.other(text), expiresAtMs ?? -1);
        }
        break;
      case 'stream':
        this.tellStream(value);
        break;
      case 'module':
        handler.raw(this.slice(value.raw));
        break;
      case 'array':
        handler.arrayCursor(value.cursor ?? -1);
        for (const { index, value: text } of value.elements) handler.arrayElement(index, this.slice(text));
        break;
      case 'gcra':
        handler.text(this.slice(Buffer.from(String(value.arrival))));
        break;
      case 'cron':
        handler.cron(this.slice(value.script), value, value.keys.length);
        for (const key of value.keys) handler.element(this.slice(key));
        for (const argument of value.arguments) handler.element(this.slice(argument));
        break;
      default:
        unreachable(value);
    }
  }

  private tellStream({ entries, meta, groups, producers }: StreamRecord): void {
    const { handler } = this;
    for (const { id, fields } of entries) {
      handler.streamEntry(id, fields.length);
      for (const [name, value] of fields) handler.streamField(this.slice(name), this.other(value));
    }
    handler.streamMeta(meta);
    for (const group of groups) this.tellGroup(group);
    if (producers !== null) this.tellProducers(producers);
  }

  private tellProducers(told: StreamProducers): void {
    const { handler } = this;
    handler.streamIdempotence(told);
    for (const { name, messages } of told.producers) {
      handler.streamProducer(this.slice(name));
      for (const { messageId, id } of messages) handler.streamProduced(this.slice(messageId), id);
    }
    handler.streamProducedTotals(told.added, told.duplicates);
  }

  private tellGroup({ name, lastId, entriesRead, pending, consumers, released }: StreamGroup): void {
    const { handler } = this;
    handler.streamGroup(this.slice(name), lastId, entriesRead ?? -1);
    for (const { id, deliveredAtMs, deliveryCount } of pending) {
      handler.streamPending(id, deliveredAtMs, deliveryCount);
    }
    for (const consumer of consumers) {
      handler.streamConsumer(this.slice(consumer.name), consumer.seenAtMs, consumer.activeAtMs ?? -1);
      for (const id of consumer.pending) handler.streamConsumerPending(id);
    }
    for (const id of released) handler.streamReleased(id);
  }

  private slice(bytes: Buffer): ByteSlice {
    return this.first.set(bytes, 0, bytes.length);
  }

  private other(bytes: Buffer): ByteSlice {
    return this.second.set(bytes, 0, bytes.length);
  }
}

function countOf(value: RedisValue): number {
  switch (value.kind) {
    case 'list':
      return value.elements.length;
    case 'set':
    case 'zset':
      return value.members.length;
    case 'hash':
      return value.fields.length;
    case 'stream':
      return value.entries.length;
    case 'array':
      return value.elements.length;
    default:
      return -1;
  }
}
