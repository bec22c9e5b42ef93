import type { Long } from '../../src/bytes/int64.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import type { ErrorDetail } from '../../src/errors.js';
import type { FindingCode } from '../../src/model/finding.js';
import {
  type CronTimes,
  type Depth,
  ITEMS,
  type KeyHead,
  type PackedVector,
  type StreamIdempotence,
  type StreamMeta,
  type VectorSetShape,
} from '../../src/model/handler.js';
import { formatId, type StreamId } from '../../src/model/stream-id.js';
import { RdbDecoder, type RdbDecoderOptions } from '../../src/rdb/decoder.js';
import type { RdbHandler, RdbHeader, RdbSummary } from '../../src/rdb/handler.js';
import { type Chopped, inEveryWay, type Subject } from './chop.js';

/** Writes down what a decoder tells, one line an event, texts as JSON of one character per byte. */
export class RdbEvents implements RdbHandler {
  readonly lines: string[] = [];
  private rawBytes: Buffer[] = [];
  private auxBytes: Buffer[] = [];

  constructor(
    private readonly depth: Depth | ((head: KeyHead) => Depth) = ITEMS,
    readonly full = false,
  ) {}

  readonly warn = (code: FindingCode, offset: number, detail: ErrorDetail): void => {
    this.say('warning', code, offset, ...Object.values(detail));
  };

  header(header: RdbHeader): void {
    this.say('header', header.magic, header.version, header.dialect.name);
  }
  aux(name: ByteSlice, value: ByteSlice): void {
    this.say('aux', name, value);
  }
  database(index: number): void {
    this.say('database', index);
  }
  resize(keys: number, expires: number): void {
    this.say('resize', keys, expires);
  }
  slotInfo(slot: number, keys: number, expires: number): void {
    this.say('slot', slot, keys, expires);
  }
  slotImport(job: ByteSlice, slots: number): void {
    this.say('slot-import', job, slots);
  }
  functionLibrary(code: ByteSlice): void {
    this.say('library', code);
  }
  moduleAux(fragment: ByteSlice, last: boolean): void {
    this.auxBytes.push(fragment.copy());
    if (!last) return;
    this.say('module-aux', Buffer.concat(this.auxBytes).toString('hex'));
    this.auxBytes = [];
  }
  key(head: KeyHead): Depth {
    const { database, kind, encoding, typeId, count, offset } = head;
    const attributes = [
      head.hasExpiry ? `expires ${head.expiresAtMs}` : '',
      head.idleSeconds < 0 ? '' : `idle ${head.idleSeconds}`,
      head.freq < 0 ? '' : `freq ${head.freq}`,
      count < 0 ? '' : `count ${count}`,
      head.fieldsExpire ? 'fields expire' : '',
      head.moduleName === '' ? '' : `module ${head.moduleName}`,
      head.metadata === null ? '' : `metadata ${head.metadata.toString('hex')}`,
    ].filter((text) => text !== '');
    this.say(
      'key',
      head.key,
      `db ${database} ${kind} ${encoding} type ${typeId} at ${offset}`,
      ...attributes,
    );
    return typeof this.depth === 'number' ? this.depth : this.depth(head);
  }
  raw(fragment: ByteSlice): void {
    this.rawBytes.push(fragment.copy());
  }
  text(value: ByteSlice): void {
    this.say('text', value);
  }
  element(value: ByteSlice): void {
    this.say('element', value);
  }
  field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.say('field', name, value, ...(expiresAtMs === -1 ? [] : [expiresAtMs]));
  }
  member(value: ByteSlice, score: number): void {
    this.say('member', value, Object.is(score, -0) ? '-0' : score);
  }
  streamEntry(id: StreamId, fieldCount: number): void {
    this.say('entry', formatId(id), fieldCount);
  }
  streamField(name: ByteSlice, value: ByteSlice): void {
    this.say('entry-field', name, value);
  }
  streamMeta(meta: StreamMeta): void {
    const ids = [meta.firstId, meta.lastId, meta.maxDeletedId].map((one) => formatId(one));
    this.say('meta', meta.length, ...ids, meta.entriesAdded);
  }
  streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.say('group', name, formatId(lastId), entriesRead);
  }
  streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.say('pending', formatId(id), deliveredAtMs, deliveryCount);
  }
  streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    this.say('consumer', name, seenAtMs, activeAtMs);
  }
  streamConsumerPending(id: StreamId): void {
    this.say('owns', formatId(id));
  }
  streamReleased(id: StreamId): void {
    this.say('released', formatId(id));
  }
  streamIdempotence({ durationSeconds, entriesMax }: StreamIdempotence): void {
    this.say('idempotence', durationSeconds, entriesMax);
  }
  streamProducer(name: ByteSlice): void {
    this.say('producer', name);
  }
  streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.say('produced', messageId, formatId(id));
  }
  streamProducedTotals(added: Long, duplicates: Long): void {
    this.say('produced-totals', added, duplicates);
  }
  arrayCursor(index: Long): void {
    this.say('cursor', index);
  }
  arrayElement(index: Long, value: ByteSlice): void {
    this.say('at', index, value);
  }
  cron(script: ByteSlice, times: CronTimes, keyCount: number): void {
    this.say('cron', script, times.startMs, times.interval, keyCount);
  }
  vectorSet(shape: VectorSetShape): void {
    const { dimensions, elements, quantization, links, projectedFrom } = shape;
    this.say('vector-set', dimensions, elements, quantization, links, projectedFrom);
  }
  vector(element: ByteSlice, attributes: ByteSlice, { blob, range, norm }: PackedVector): void {
    this.say('vector', element, attributes, blob.view().toString('hex'), range, norm);
  }
  keyEnd(head: KeyHead): void {
    if (this.rawBytes.length > 0) this.say('raw', Buffer.concat(this.rawBytes).toString('hex'));
    this.rawBytes = [];
    this.say('end-of', head.key);
  }
  end(summary: RdbSummary): void {
    this.say('end', summary.checksum, `keys ${summary.keys} to ${summary.endOffset} ${summary.dialect.name}`);
  }

  private say(event: string, ...parts: readonly (ByteSlice | Long | string)[]): void {
    const words = parts.map((part) => (typeof part === 'object' ? JSON.stringify(part.latin1()) : `${part}`));
    this.lines.push([event, ...words].join(' '));
  }
}

export type EventOptions = Partial<RdbDecoderOptions> & { depth?: Depth | ((head: KeyHead) => Depth) };

/** A decoder that writes down what it tells. */
export function eventSubject(options: EventOptions, full: boolean): Subject<string[]> {
  const events = new RdbEvents(options.depth, full);
  const { depth: _, ...rest } = options;
  const decoder = new RdbDecoder(events, {
    verifyChecksum: true,
    deep: true,
    onWarning: events.warn,
    ...rest,
  });
  return { machine: decoder, outcome: () => events.lines };
}

/** Decodes in every way and gives what all of them told. */
export function decodeEveryWay(bytes: Buffer, options: EventOptions = {}): Chopped<string[]> {
  return inEveryWay(bytes, (pausing) => eventSubject(options, pausing));
}

/** The events of a file that must be in order. @throws its error when it is not */
export function eventsOf(bytes: Buffer, options: EventOptions = {}): string[] {
  const { outcome, error } = decodeEveryWay(bytes, options);
  if (error !== null) throw error;
  return outcome;
}

/** The events of the one value in a file, without the key around it. */
export function valueEvents(bytes: Buffer, options: EventOptions = {}): string[] {
  const lines = eventsOf(bytes, options);
  const from = lines.findIndex((line) => line.startsWith('key '));
  return lines.slice(
    from + 1,
    lines.findIndex((line) => line.startsWith('end-of ')),
  );
}

/** The error that a file ends with, in every way, in words: code, offset, trail. */
export function errorOf(bytes: Buffer, options: EventOptions = {}): string {
  const { error } = decodeEveryWay(bytes, options);
  return error === null ? 'none' : [`${error.code} at ${error.offset}`, ...error.trail].join(' > ');
}
