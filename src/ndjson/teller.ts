import { ByteSlice } from '../bytes/slice.js';
import type { ItemHandler } from '../model/handler.js';
import type { ValueKind } from '../model/kind.js';
import {
  arrayOf,
  bytesOf,
  countOf,
  idOfText,
  type JsonObject,
  LineError,
  longOf,
  objectOf,
  property,
  scoreOf,
} from './line-value.js';

const first = new ByteSlice();
const second = new ByteSlice();

const borrowed = (slice: ByteSlice, bytes: Buffer): ByteSlice => slice.set(bytes, 0, bytes.length);

/** Tells the items of one value, line by line, as a decoder of the file they came from would. */
export class ItemTeller {
  private names = new Set<string>();

  constructor(private readonly handler: ItemHandler) {}

  /** Tells the items of one line. @throws LineError for the first that is none */
  tell(kind: ValueKind, value: unknown): void {
    const items = arrayOf(value, 'value');
    const tellItem = this.teller(kind);
    this.names.clear();
    for (let i = 0; i < items.length; i++) tellItem(items[i], `value[${i}]`);
  }

  private teller(kind: ValueKind): (item: unknown, field: string) => void {
    switch (kind) {
      case 'list':
        return this.element;
      case 'set':
        return this.setMember;
      case 'zset':
        return this.member;
      case 'hash':
        return this.hashField;
      case 'stream':
        return this.streamItem;
      case 'array':
        return this.arrayItem;
      case 'cron':
        return this.cronItem;
      default:
        throw new LineError('type', 'a type whose value is an array');
    }
  }

  /** Servers refuse a value that holds the same name twice. Names are compared within a line. */
  private once(name: Buffer, field: string): ByteSlice {
    const text = name.latin1Slice(0, name.length);
    if (this.names.has(text)) throw new LineError(field, 'each name once in a value');
    this.names.add(text);
    return borrowed(first, name);
  }

  private readonly element = (item: unknown, field: string): void => {
    this.handler.element(borrowed(first, bytesOf(item, field)));
  };

  private readonly setMember = (item: unknown, field: string): void => {
    this.handler.element(this.once(bytesOf(item, field), field));
  };

  private readonly member = (item: unknown, field: string): void => {
    const pair = tuple(item, field, 2, 2, '[member, score]');
    const score = scoreOf(pair[1], `${field}[1]`);
    this.handler.member(this.once(bytesOf(pair[0], `${field}[0]`), field), score);
  };

  private readonly hashField = (item: unknown, field: string): void => {
    const parts = tuple(item, field, 2, 3, '[field, value] or [field, value, expiresAtMs]');
    const expiry = parts.length === 3 ? countOf(parts[2], `${field}[2]`) : -1;
    const value = borrowed(second, bytesOf(parts[1], `${field}[1]`));
    this.handler.field(this.once(bytesOf(parts[0], `${field}[0]`), field), value, expiry);
  };

  private readonly arrayItem = (item: unknown, field: string): void => {
    if (!Array.isArray(item)) {
      this.handler.arrayCursor(longOf(property(objectOf(item, field), 'cursor'), `${field}.cursor`));
      return;
    }
    const pair = tuple(item, field, 2, 2, '[index, value]');
    const index = longOf(pair[0], `${field}[0]`);
    this.handler.arrayElement(index, borrowed(first, bytesOf(pair[1], `${field}[1]`)));
  };

  private readonly cronItem = (item: unknown, field: string): void => {
    const script =
      typeof item === 'object' && item !== null ? property(item as JsonObject, 'script') : undefined;
    if (script === undefined) {
      this.element(item, field);
      return;
    }
    const job = objectOf(item, field);
    const startMs = longOf(property(job, 'startMs'), `${field}.startMs`);
    const interval = longOf(property(job, 'interval'), `${field}.interval`);
    const keys = countOf(property(job, 'keys'), `${field}.keys`);
    this.handler.cron(borrowed(first, bytesOf(script, `${field}.script`)), { startMs, interval }, keys);
  };

  private readonly streamItem = (item: unknown, field: string): void => {
    const object = objectOf(item, field);
    const name = STREAM_ITEMS.find((each) => Object.hasOwn(object, each));
    if (name === undefined) throw new LineError(field, `an object with one of ${STREAM_ITEMS.join(', ')}`);
    this.streamPart(name, new Fields(object, field));
  };

  private streamPart(name: (typeof STREAM_ITEMS)[number], fields: Fields): void {
    const { handler } = this;
    switch (name) {
      case 'entry':
        this.streamEntry(fields);
        break;
      case 'length':
        handler.streamMeta({
          length: fields.long('length'),
          lastId: fields.id('lastId'),
          firstId: fields.id('firstId'),
          maxDeletedId: fields.id('maxDeletedId'),
          entriesAdded: fields.long('entriesAdded'),
        });
        break;
      case 'group':
        handler.streamGroup(fields.slice('group'), fields.id('lastId'), fields.long('entriesRead'));
        break;
      case 'pending':
        handler.streamPending(
          fields.id('pending'),
          fields.long('deliveredAtMs'),
          fields.long('deliveryCount'),
        );
        break;
      case 'consumer':
        handler.streamConsumer(fields.slice('consumer'), fields.long('seenAtMs'), fields.long('activeAtMs'));
        break;
      case 'holds':
        handler.streamConsumerPending(fields.id('holds'));
        break;
      case 'released':
        handler.streamReleased(fields.id('released'));
        break;
      case 'durationSeconds':
        handler.streamIdempotence({
          durationSeconds: fields.count('durationSeconds'),
          entriesMax: fields.count('entriesMax'),
        });
        break;
      case 'producer':
        handler.streamProducer(fields.slice('producer'));
        break;
      case 'message':
        handler.streamProduced(fields.slice('message'), fields.id('became'));
        break;
      case 'messagesAdded':
        handler.streamProducedTotals(fields.long('messagesAdded'), fields.long('duplicates'));
        break;
    }
  }

  private streamEntry(fields: Fields): void {
    const { handler } = this;
    const at = `${fields.at}.fields`;
    const pairs = arrayOf(property(fields.object, 'fields'), at);
    handler.streamEntry(fields.id('entry'), pairs.length);
    for (let i = 0; i < pairs.length; i++) {
      const pair = tuple(pairs[i], `${at}[${i}]`, 2, 2, '[field, value]');
      const value = borrowed(second, bytesOf(pair[1], `${at}[${i}][1]`));
      handler.streamField(borrowed(first, bytesOf(pair[0], `${at}[${i}][0]`)), value);
    }
  }
}

/** What a stream is told by, each named after the property that only it has. */
const STREAM_ITEMS = [
  ...(['entry', 'length', 'group', 'pending', 'consumer', 'holds', 'released'] as const),
  ...(['durationSeconds', 'producer', 'message', 'messagesAdded'] as const),
] as const;

/** The properties of one item. */
class Fields {
  constructor(
    readonly object: JsonObject,
    readonly at: string,
  ) {}

  long(name: string) {
    return longOf(property(this.object, name), `${this.at}.${name}`);
  }

  count(name: string): number {
    return countOf(property(this.object, name), `${this.at}.${name}`);
  }

  id(name: string) {
    return idOfText(property(this.object, name), `${this.at}.${name}`);
  }

  slice(name: string): ByteSlice {
    return borrowed(first, bytesOf(property(this.object, name), `${this.at}.${name}`));
  }
}

function tuple(item: unknown, field: string, min: number, max: number, form: string): readonly unknown[] {
  if (Array.isArray(item) && item.length >= min && item.length <= max) return item;
  throw new LineError(field, form);
}
