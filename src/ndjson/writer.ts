import type { Long } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import type { ByteTarget } from '../bytes/target.js';
import {
  type CronTimes,
  type Depth,
  FRAGMENTS,
  ITEMS,
  type ItemHandler,
  type KeyHead,
  type StreamIdempotence,
  type StreamMeta,
} from '../model/handler.js';
import { formatId, type StreamId } from '../model/stream-id.js';
import { LISTED_KINDS } from './format.js';
import type { JsonOutput } from './output.js';
import { RecordFrame } from './records.js';
import { TextPieces } from './text-pieces.js';

export interface NdjsonOptions {
  /**
   * `lines`: one record a line, a large value on several. `document`: one JSON object with the same records in an array,
   * each whole.
   */
  readonly frame: 'lines' | 'document';
  /** Bytes of a line after which a value goes on in the next. Default: 1 MiB. */
  readonly lineBytes?: number;
  /** Bytes of one string after which it goes on in the next line. Default: 64 MiB. */
  readonly textBytes?: number;
}

const COMMA = 44;
const OPEN = 91;
const CLOSE = 93;

/** What stands in front of a list of items; the others say no count. */
const COUNTED = /^(list|set|zset|hash)$/;

/**
 * Writes a dataset as NDJSON: a line that says what this is, then one object for each function library and key, with all
 * there is to know of it. Bytes that are not UTF-8 stand as `{"base64":"…"}`, quantities beyond 2^53 as strings. Memory
 * does not depend on the size of a value.
 */
export class NdjsonWriter implements ItemHandler {
  /** Keys written so far. */
  keys = 0;
  private readonly frame: RecordFrame;
  private readonly out: JsonOutput;
  /** Bytes of a string that stand on one line. */
  private readonly textBytes: number;
  private items = 0;
  /** The text at hand comes in fragments; lines that it has. */
  private inFragments = false;
  private texts = 0;
  private pieces: TextPieces | null = null;
  private listed = false;
  private inModuleAux = false;
  /** Of the entry at hand. */
  private fieldsLeft = 0;

  constructor(
    private readonly into: ByteTarget,
    options: NdjsonOptions,
  ) {
    const lines = options.frame === 'lines';
    this.frame = new RecordFrame(into, lines, options.lineBytes ?? 1 << 20);
    this.out = this.frame.out;
    this.textBytes = lines ? (options.textBytes ?? 1 << 26) : Number.POSITIVE_INFINITY;
  }

  get full(): boolean {
    return this.into.full;
  }

  drain(): Promise<void> {
    return this.into.drain();
  }

  /** A field that stands around the dataset. */
  aux(name: ByteSlice, value: ByteSlice): void {
    this.frame.aux(name.copy(), value.copy());
  }

  functionLibrary(code: ByteSlice): void {
    this.frame.begin();
    this.out.literal('{"function":');
    this.out.text(code.bytes, code.start, code.end);
    this.frame.end();
  }

  /** What a module keeps beside its keys, byte for byte, in fragments. */
  moduleAux({ bytes, start, end }: ByteSlice, last: boolean): void {
    const { out } = this;
    if (!this.inModuleAux) {
      this.frame.begin();
      out.literal('{"moduleAux":');
      out.openBase64();
    }
    out.moreBase64(bytes, start, end);
    this.inModuleAux = !last;
    if (!last) return;
    out.closeBase64();
    this.frame.end();
  }

  database(_index: number): void {}

  /** How the records stand in the output. */
  get form(): RecordFrame {
    return this.frame;
  }

  /** Takes records as text in the form of this output, `keys` being counted by the caller; the last may be incomplete. */
  append(json: Uint8Array): void {
    this.frame.append(json);
  }

  /** Goes on behind `append` with a value of items of which the first are written, `lineItems` of them on the line at hand. */
  resume(
    head: KeyHead,
    line: { readonly bytes: number; readonly items: number; readonly part: number },
  ): void {
    this.listed = true;
    this.items = line.items;
    this.frame.resumeKey(head, line.bytes, line.part);
  }

  key(head: KeyHead): Depth {
    const { out, frame } = this;
    this.items = 0;
    this.listed = LISTED_KINDS.has(head.kind);
    frame.beginKey(head);
    if (head.hasExpiry) frame.property('expiresAtMs', head.expiresAtMs);
    if (head.idleSeconds >= 0) frame.property('idleSeconds', head.idleSeconds);
    if (head.freq >= 0) frame.property('freq', head.freq);
    if (head.kind === 'module') {
      out.literal(',"module":');
      out.latin1(head.moduleName);
    }
    if (head.metadata !== null) {
      out.literal(',"metadata":');
      out.base64(head.metadata, 0, head.metadata.length);
    }
    if (head.count >= 0 && COUNTED.test(head.kind)) frame.property('count', head.count);
    if (head.fieldsExpire) out.literal(',"fieldsExpire":true');
    if (head.textBytes >= 0) frame.property('bytes', head.textBytes);
    out.literal(this.listed ? ',"value":[' : ',"value":');
    if (head.kind === 'module') out.openBase64();
    this.inFragments = head.textBytes >= 0;
    if (this.inFragments) this.beginFragments();
    return head.textBytes >= 0 ? FRAGMENTS : ITEMS;
  }

  keyEnd(head: KeyHead): void {
    if (this.listed) this.out.mark(CLOSE);
    else if (this.inFragments) this.endFragments();
    else if (head.kind === 'module') this.out.closeBase64();
    this.frame.end();
    this.keys++;
  }

  /** When a member of the key before goes, as KeyDB keeps it. */
  memberExpiry(member: ByteSlice, expiresAtMs: Long): void {
    this.frame.begin();
    this.out.literal('{"memberExpiry":[');
    this.slice(member);
    this.out.mark(COMMA);
    this.out.integer(expiresAtMs);
    this.out.mark(CLOSE);
    this.frame.end();
  }

  /** A text that comes in fragments goes over lines of its own; a document, which has one for each value, takes its bytes. */
  private beginFragments(): void {
    this.texts = 0;
    if (!this.frame.lines) this.out.openBase64();
    else this.pieces ??= new TextPieces(this.frame.lineBytes, (bytes, end) => this.piece(bytes, end));
  }

  private endFragments(): void {
    if (this.frame.lines) this.pieces?.finish();
    else this.out.closeBase64();
  }

  private piece(bytes: Buffer, end: number): void {
    if (this.texts++ > 0) {
      this.frame.nextPart();
      this.out.literal(',"value":');
    }
    this.out.text(bytes, 0, end);
  }

  text(value: ByteSlice): void {
    const { bytes, start, end } = value;
    const { out, textBytes } = this;
    if (this.inFragments) {
      if (this.frame.lines) this.pieces?.add(value);
      else out.moreBase64(bytes, start, end);
      return;
    }
    let from = start;
    for (; end - from > textBytes; from += textBytes) {
      out.text(bytes, from, from + textBytes);
      this.frame.nextPart();
      out.literal(',"value":');
    }
    out.text(bytes, from, end);
  }

  raw({ bytes, start, end }: ByteSlice): void {
    const { out } = this;
    if (this.frame.long) {
      out.closeBase64();
      this.frame.nextPart();
      out.literal(',"value":');
      out.openBase64();
    }
    out.moreBase64(bytes, start, end);
  }

  /** Before each item of a list: ends the line when it has become long. */
  private item(opening: string): void {
    const { out } = this;
    if (this.frame.long) {
      out.mark(CLOSE);
      this.frame.nextPart();
      out.literal(',"value":[');
      this.items = 0;
    }
    if (this.items++ > 0) out.mark(COMMA);
    if (opening !== '') out.literal(opening);
  }

  element(value: ByteSlice): void {
    this.item('');
    this.slice(value);
  }

  field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.item('');
    this.out.mark(OPEN);
    this.pair(name, value);
    if (expiresAtMs >= 0) {
      this.out.mark(COMMA);
      this.out.integer(expiresAtMs);
    }
    this.out.mark(CLOSE);
  }

  member(value: ByteSlice, score: number): void {
    this.item('');
    this.out.mark(OPEN);
    this.slice(value);
    this.out.mark(COMMA);
    this.out.double(score);
    this.out.mark(CLOSE);
  }

  arrayCursor(index: Long): void {
    this.record('cursor', index);
    this.out.literal('}');
  }

  arrayElement(index: Long, value: ByteSlice): void {
    this.item('');
    this.out.mark(OPEN);
    this.out.integer(index);
    this.out.mark(COMMA);
    this.slice(value);
    this.out.mark(CLOSE);
  }

  cron(script: ByteSlice, times: CronTimes, keyCount: number): void {
    this.item('{"script":');
    this.slice(script);
    this.frame.property('startMs', times.startMs);
    this.frame.property('interval', times.interval);
    this.frame.property('keys', keyCount);
    this.out.literal('}');
  }

  streamEntry(id: StreamId, fieldCount: number): void {
    this.item(`{"entry":"${formatId(id)}","fields":[`);
    this.fieldsLeft = fieldCount;
    if (fieldCount === 0) this.out.literal(']}');
  }

  streamField(name: ByteSlice, value: ByteSlice): void {
    const { out } = this;
    out.literal('[');
    this.pair(name, value);
    out.literal(--this.fieldsLeft === 0 ? ']]}' : '],');
  }

  streamMeta({ length, lastId, firstId, maxDeletedId, entriesAdded }: StreamMeta): void {
    this.record('length', length);
    this.idProperty('lastId', lastId);
    this.idProperty('firstId', firstId);
    this.idProperty('maxDeletedId', maxDeletedId);
    this.frame.property('entriesAdded', entriesAdded);
    this.out.literal('}');
  }

  streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.item('{"group":');
    this.slice(name);
    this.idProperty('lastId', lastId);
    this.frame.property('entriesRead', entriesRead);
    this.out.literal('}');
  }

  streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.item(`{"pending":"${formatId(id)}"`);
    this.frame.property('deliveredAtMs', deliveredAtMs);
    this.frame.property('deliveryCount', deliveryCount);
    this.out.literal('}');
  }

  streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    this.item('{"consumer":');
    this.slice(name);
    this.frame.property('seenAtMs', seenAtMs);
    this.frame.property('activeAtMs', activeAtMs);
    this.out.literal('}');
  }

  streamConsumerPending(id: StreamId): void {
    this.item(`{"holds":"${formatId(id)}"}`);
  }

  streamReleased(id: StreamId): void {
    this.item(`{"released":"${formatId(id)}"}`);
  }

  streamIdempotence({ durationSeconds, entriesMax }: StreamIdempotence): void {
    this.record('durationSeconds', durationSeconds);
    this.frame.property('entriesMax', entriesMax);
    this.out.literal('}');
  }

  streamProducer(name: ByteSlice): void {
    this.item('{"producer":');
    this.slice(name);
    this.out.literal('}');
  }

  streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.item('{"message":');
    this.slice(messageId);
    this.idProperty('became', id);
    this.out.literal('}');
  }

  streamProducedTotals(added: Long, duplicates: Long): void {
    this.record('messagesAdded', added);
    this.frame.property('duplicates', duplicates);
    this.out.literal('}');
  }

  /** A vector set stands as its bytes. */
  vectorSet(): void {}

  vector(): void {}

  private slice({ bytes, start, end }: ByteSlice): void {
    this.out.text(bytes, start, end);
  }

  private pair(name: ByteSlice, value: ByteSlice): void {
    this.slice(name);
    this.out.mark(COMMA);
    this.slice(value);
  }

  /** An item that is an object, up to its first number. */
  private record(name: string, value: Long): void {
    this.item(`{"${name}":`);
    this.out.integer(value);
  }

  private idProperty(name: string, id: StreamId): void {
    this.out.literal(`,"${name}":"${formatId(id)}"`);
  }

  /** Ends the output, which is still to be published by its owner. */
  finish(): void {
    this.frame.finish();
  }
}
